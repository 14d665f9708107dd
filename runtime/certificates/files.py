"""Certificates as files: one a claim, in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from circ.compiler.audit.audit import Audited, audited
from circ.compiler.audit.divided import divided
from circ.compiler.audit.rejected import require
from circ.compiler.obligation import Obligation, Question
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Verdict
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


def certificate_path(folder: Path, claim: str, length: int | None = None) -> Path:
    """Where the certificate of a claim stands, or that of one length of its word."""
    return folder / (f"{claim}.cert" if length is None else f"{claim}.{length}.cert")


def certify(
    question: Question, weights: Weights, verdict: Verdict, folder: Path, timeout: float
) -> Certified | Uncertified | None:
    """Write the certificate of a claim that was proved, if there can be one; None for another.

    Raises `CircError` where a file cannot be written.
    """
    from circ.runtime.certificates.work import NoCertificate

    if not isinstance(verdict, Proved):
        return None
    if verdict.lengths is not None and verdict.lengths.onwards is not None:
        return Uncertified("a proof for all lengths at once has none yet")
    lengths = [None] if verdict.lengths is None else [*verdict.lengths.held]
    until = monotonic() + timeout
    paths: list[Path] = []
    try:
        for length in lengths:
            obligation = question.at(length)
            if obligation.quantifier == "exists":
                return Uncertified("that something exists is shown by the input itself")
            path = certificate_path(folder, question.name, length)
            write_file(obligation, weights, path, until)
            paths.append(path)
    except NoCertificate as reason:
        return Uncertified(str(reason))
    return Certified(tuple(paths), sum(path.stat().st_size for path in paths))


def write_file(obligation: Obligation, weights: Weights, path: Path, until: float) -> None:
    """Write one certificate; raises `NoCertificate`, and `CircError` where the file cannot be written."""
    from circ.runtime.certificates.write import write_certificate

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise CircError(writing.cannot_write(str(path.parent), why)) from error
    with replacing(path, overwrite=True) as stream:
        write_certificate(obligation, weights, until, stream)


# --- auditing -------------------------------------------------------------------------------------


def paths_of(folder: Path, question: Question) -> list[tuple[int | None, Path]]:
    """The files in which the certificates of a claim stand, by the lengths of its word."""
    if question.lengths is None:
        return [(None, certificate_path(folder, question.name))]
    first, last = question.lengths.first, question.lengths.last
    if last is None:
        return []
    return [(n, certificate_path(folder, question.name, n)) for n in range(first, last + 1)]


def audit_files(question: Question, weights: Weights, folder: Path, *, exact: bool) -> Audited:
    """Check the certificates of a claim, one for each length at which it says something.

    Raises `Rejected`, and `OSError` where a file cannot be read.
    """
    words, classes, tool = 0, 0, ""
    for length, path in paths_of(folder, question):
        obligation = question.at(length)
        if length is not None and not path.exists():
            empty(obligation, weights, length)
            continue
        found = audit_file(obligation, weights, path, exact=exact)
        words, classes, tool = words + found.words, classes + found.classes, found.tool
    require(words > 0, "no word meets the conditions")
    return Audited(question.name, tool, words, classes)


def empty(obligation: Obligation, weights: Weights, length: int) -> None:
    """Raise `Rejected` unless no word of a length meets the conditions, which needs no certificate."""
    count = divided(obligation, weights).language.count()
    require(count == 0, f"there is no certificate for words of length {length}")


def audit_file(obligation: Obligation, weights: Weights, path: Path, *, exact: bool) -> Audited:
    """Check one certificate; raises `Rejected`, and `OSError` where it cannot be read."""
    with path.open("rb") as stream:
        if exact:
            return audited(obligation, weights, stream)
        from circ.compiler.audit.quick import quick_of

        return audited(obligation, weights, stream, quick_of)
