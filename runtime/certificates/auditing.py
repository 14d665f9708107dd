"""The files of a claim checked: its certificate, or one for each length of its word."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from circ.compiler.audit.audit import Audited, audited
from circ.compiler.audit.emptiness import none_meets
from circ.compiler.audit.loops import SHORT
from circ.compiler.audit.onwards import AuditedOnwards, audited_onwards
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.obligation import Obligation, Question
from circ.compiler.tensor import Weights
from circ.runtime.certificates.folder import certificate_path, lengths_there, onwards_path


class RejectedFile(Rejected):
    """A certificate that does not hold, cannot be read, or is missing where one is wanted: which file, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path


def audit_files(question: Question, weights: Weights, folder: Path, *, exact: bool) -> Audited:
    """Check the certificates of a claim, one for each length at which it says something.

    Raises `Rejected`, and `RejectedFile` where one file is at fault.
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
    counts = [one.words for one in found if one.words is not None]
    words = sum(counts) if len(counts) == len(found) else None
    classes = sum(one.classes for one in found)
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
    """Check one certificate; raises `RejectedFile`."""
    with naming(path), path.open("rb") as stream:
        if exact:
            return audited(obligation, weights, stream)
        from circ.compiler.audit.in_floats import QUICK

        return audited(obligation, weights, stream, QUICK)


@contextmanager
def naming(path: Path) -> Generator[None]:
    """Have a rejection say which file it is about; one that cannot be read is rejected."""
    try:
        yield
    except Rejected as reason:
        raise RejectedFile(path, str(reason)) from reason
    except FileNotFoundError as error:
        raise RejectedFile(path, "there is no such file") from error
    except OSError as error:
        raise RejectedFile(path, f"it cannot be read: {error.strerror or error}") from error
