"""Certificates as files: one a claim, or one a length, in a folder."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import BinaryIO

from circ.compiler.obligation import Obligation, Question
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Refuted, Vacuous, Verdict
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import replacing
from circ.runtime.certificates.folder import (
    Certified,
    Uncertified,
    certificate_path,
    of_lengths,
    onwards_path,
)
from circ.runtime.outputs import require_unread


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


def require_apart(folder: Path, claims: Iterable[str], read: Iterable[Path]) -> None:
    """Raise `CircError` (E0651) where a certificate of a claim would replace a file that was read."""
    files = [*read]
    for claim in claims:
        for path in (certificate_path(folder, claim), *of_lengths(folder, claim)):
            require_unread(path, files)


def clear(folder: Path, claim: str) -> None:
    """Remove the certificates of a claim: those of an earlier proof, or of a part of one."""
    try:
        for path in (certificate_path(folder, claim), *of_lengths(folder, claim)):
            path.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise CircError(writing.cannot_write(str(folder), why)) from error


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
    from circ.compiler.audit.loops import SHORT
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
