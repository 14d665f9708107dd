"""Certificates as files: one a claim, in a folder."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from circ.compiler.audit.audit import Audited, audited
from circ.compiler.audit.emptiness import none_meets
from circ.compiler.audit.loops import SHORT
from circ.compiler.audit.onwards import AuditedOnwards, audited_onwards
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.obligation import Obligation, Question
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Refuted, Vacuous, Verdict
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import replacing


@dataclass(frozen=True, slots=True)
class Certified:
    """Certificates that were written: their files, one a length, and how many bytes in all."""

    paths: tuple[Path, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Uncertified:
    """Why a claim that was proved has no certificate."""

    reason: str


class RejectedFile(Rejected):
    """A certificate that does not hold, or is missing where one is wanted: which file, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path


def certificate_path(folder: Path, claim: str, length: int | None = None) -> Path:
    """Where the certificate of a claim stands, or that of one length of its word."""
    return folder / (f"{claim}.cert" if length is None else f"{claim}.{length}.cert")


def onwards_path(folder: Path, claim: str) -> Path:
    """Where the certificate for all lengths from some one on stands."""
    return folder / f"{claim}.onwards.cert"


def certify(
    question: Question, weights: Weights, verdict: Verdict, folder: Path, timeout: float
) -> Certified | Uncertified | None:
    """Write the certificate of a claim that was proved, if there can be one; None for another.

    Older ones go, unless the claim is unknown. Raises `CircError` where a file cannot be written.
    """
    from circ.runtime.certificates.work import NoCertificate

    if isinstance(verdict, Refuted | Vacuous):
        clear(folder, question.name)
    if not isinstance(verdict, Proved):
        return None
    lengths = lengths_of(question, verdict)
    until = monotonic() + timeout
    paths: list[Path] = []
    clear(folder, question.name)
    try:
        for length in lengths:
            obligation = question.at(length)
            path = certificate_path(folder, question.name, length)
            write_file(obligation, weights, verdict, path, until)
            paths.append(path)
        if verdict.lengths is not None and question.lengths is not None:
            start = verdict.lengths.onwards or verdict.lengths.none_from
            if start is not None:
                path = onwards_path(folder, question.name)
                write_onwards_file(question, weights, start, path, until)
                paths.append(path)
    except NoCertificate as reason:
        clear(folder, question.name)
        return Uncertified(str(reason))
    return Certified(tuple(paths), sum(path.stat().st_size for path in paths))


def clear(folder: Path, claim: str) -> None:
    """Remove the certificates of a claim: those of an earlier proof, or of a part of one."""
    try:
        for path in (certificate_path(folder, claim), *of_lengths(folder, claim)):
            path.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise CircError(writing.cannot_write(str(folder), why)) from error


def of_lengths(folder: Path, claim: str) -> list[Path]:
    """The certificates of lengths of a claim's word that are there, that of all from some one on too."""
    names = (path.name.removesuffix(".cert") for path in folder.glob(f"{escape(claim)}.*.cert"))
    lengths = (name.removeprefix(f"{claim}.") for name in names)
    return [folder / f"{claim}.{n}.cert" for n in lengths if n == "onwards" or n.isdecimal()]


def lengths_of(question: Question, verdict: Proved) -> list[int | None]:
    """The lengths of a claim's word that need a certificate: of an `exists`, that of its input."""
    if verdict.lengths is None:
        return [None]
    if question.at(verdict.lengths.at).quantifier == "exists":
        return [verdict.lengths.at]
    return [*verdict.lengths.held]


def write_file(
    obligation: Obligation, weights: Weights, verdict: Proved, path: Path, until: float
) -> None:
    """Write one certificate; raises `NoCertificate`, and `CircError` where the file cannot be written."""
    from circ.runtime.certificates.choose import write_proof

    with written(path) as stream:
        write_proof(obligation, weights, verdict, until, stream)


def write_onwards_file(
    question: Question, weights: Weights, start: int, path: Path, until: float
) -> None:
    """Write the certificate for all lengths from `start` on; raises as `write_file`."""
    from circ.runtime.certificates.onwards import write_onwards

    near, far = (question.alike(length) for length in (SHORT, SHORT + 1))
    with written(path) as stream:
        write_onwards(near, far, weights, start, until, stream)


@contextmanager
def written(path: Path) -> Generator[BinaryIO]:
    """A new file, in a folder that is made; raises `CircError` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise CircError(writing.cannot_write(str(path.parent), why)) from error
    with replacing(path, overwrite=True) as stream:
        yield stream


# --- auditing -------------------------------------------------------------------------------------


def some_file(folder: Path, question: Question) -> bool:
    """Whether a claim has a certificate, at some length of its word."""
    if question.lengths is None:
        return certificate_path(folder, question.name).exists()
    return of_lengths(folder, question.name) != []


def audit_files(question: Question, weights: Weights, folder: Path, *, exact: bool) -> Audited:
    """Check the certificates of a claim, one for each length at which it says something.

    Raises `Rejected`, `RejectedFile` where one file is at fault, and `OSError` where one cannot be
    read.
    """
    lengths = question.lengths
    if lengths is None:
        path = certificate_path(folder, question.name)
        return audit_file(question.at(None), weights, path, exact=exact)
    if question.at(None).quantifier == "exists":
        found = audit_lengths(
            question, weights, folder, lengths_there(folder, question), exact=exact
        )
        require(found.words != 0, "there is no certificate of any length")
        return found
    if lengths.last is None:
        return audit_all_lengths(question, weights, folder, exact=exact)
    every = range(lengths.first, lengths.last + 1)
    found = audit_lengths(question, weights, folder, every, exact=exact)
    require(found.words != 0, "no word meets the conditions")
    return found


def lengths_there(folder: Path, question: Question) -> list[int]:
    """The lengths of a claim's word that have a certificate."""
    names = (path.name.split(".")[-2] for path in folder.glob(f"{escape(question.name)}.*.cert"))
    plain = (name for name in names if name.isdecimal() and name.isascii() and len(name) < 6)
    found = sorted(int(name) for name in plain if name[0] != "0")
    assert question.lengths is not None
    first, last = question.lengths.first, question.lengths.last
    return [n for n in found if first <= n and (last is None or n <= last)]


def audit_all_lengths(
    question: Question, weights: Weights, folder: Path, *, exact: bool
) -> Audited:
    """Check the certificate for all lengths from some one on, and those of the lengths before."""
    path = onwards_path(folder, question.name)
    with naming(path):
        require(path.exists(), "there is no certificate for all lengths from some one on")
    beyond = audit_onwards(question, weights, path, exact=exact)
    assert question.lengths is not None
    short = range(question.lengths.first, beyond.start)
    found = audit_lengths(question, weights, folder, short, exact=exact)
    met = beyond.witnessed and beyond.start >= question.lengths.first
    require(found.words != 0 or met, "no word meets the conditions")
    words = None if beyond.classes else found.words
    classes = found.classes + beyond.classes
    return Audited(question.name, beyond.tool, "lengths", words, classes, alike=True)


def audit_lengths(
    question: Question, weights: Weights, folder: Path, lengths: Iterable[int], *, exact: bool
) -> Audited:
    """Check the certificates of some lengths; those without words need none."""
    found: list[Audited] = []
    for length in lengths:
        obligation, path = question.at(length), certificate_path(folder, question.name, length)
        if path.exists():
            found.append(audit_file(obligation, weights, path, exact=exact))
        else:
            with naming(path):
                require_empty(obligation, weights, length, exact=exact)
    words, classes = sum(one.words or 0 for one in found), sum(one.classes for one in found)
    tool, by = (found[-1].tool, found[-1].by) if found else ("", "")
    return Audited(question.name, tool, by, words, classes)


def audit_onwards(
    question: Question, weights: Weights, path: Path, *, exact: bool
) -> AuditedOnwards:
    """Check the certificate for all lengths from some one on; raises as `audit_file`."""
    near, far = (question.alike(length) for length in (SHORT, SHORT + 1))
    with naming(path), path.open("rb") as stream:
        if exact:
            return audited_onwards(near, far, weights, stream)
        from circ.compiler.audit.quick_onwards import quick_onwards

        return audited_onwards(near, far, weights, stream, quick_onwards)


def require_empty(obligation: Obligation, weights: Weights, length: int, *, exact: bool) -> None:
    """Raise `Rejected` unless no word of a length meets the conditions, which needs no certificate."""
    if exact:
        none = none_meets(obligation, weights)
    else:
        from circ.compiler.audit.in_floats import QUICK

        none = none_meets(obligation, weights, QUICK.inputs)
    require(none, f"there is no certificate for words of length {length}")


def audit_file(obligation: Obligation, weights: Weights, path: Path, *, exact: bool) -> Audited:
    """Check one certificate; raises `RejectedFile`, and `OSError` where it cannot be read."""
    with naming(path), path.open("rb") as stream:
        if exact:
            return audited(obligation, weights, stream)
        from circ.compiler.audit.in_floats import QUICK

        return audited(obligation, weights, stream, QUICK)


@contextmanager
def naming(path: Path) -> Generator[None]:
    """Have a rejection say which file it is about."""
    try:
        yield
    except Rejected as reason:
        raise RejectedFile(path, str(reason)) from reason
