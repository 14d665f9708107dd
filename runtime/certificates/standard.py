"""Certificates of standard problems: one for each box of inputs that has any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from circ.compiler.audit.audit import Audited
from circ.compiler.audit.rejected import require
from circ.compiler.obligation import Obligation, Reals
from circ.compiler.vnnlib.problem import Problem, outright
from circ.runtime.certificates.auditing import audit_file, naming
from circ.runtime.certificates.files import clear, written
from circ.runtime.certificates.folder import Certified, Uncertified, certificate_path


def boxes(problem: Problem, folder: Path) -> Iterator[tuple[Obligation, Path]]:
    """What is claimed of each box that has inputs, and where its certificate stands."""
    count, name = len(problem.obligations), problem.asked.name
    for number, obligation in enumerate(problem.obligations, 1):
        if not empty(obligation):
            path = certificate_path(folder, name, number if count > 1 else None)
            yield outright(obligation), path


def empty(obligation: Obligation) -> bool:
    """Whether the ends of a box leave nothing in between."""
    (binder,) = obligation.binders
    assert isinstance(binder.values, Reals)
    return any(low > high for low, high in binder.values.box)


def certify_boxes(problem: Problem, folder: Path, timeout: float) -> Certified | Uncertified:
    """Write the certificates of a problem that is `unsat`, or say why there are none.

    Older ones go. Raises `CircError` where a file cannot be written.
    """
    from circ.runtime.certificates.parts import write_by_parts
    from circ.runtime.certificates.work import NoCertificate

    until, paths = monotonic() + timeout, list[Path]()
    clear(folder, problem.asked.name)
    try:
        for obligation, path in boxes(problem, folder):
            with written(path) as stream:
                write_by_parts(obligation, problem.weights, until, stream)
            paths.append(path)
    except NoCertificate as reason:
        clear(folder, problem.asked.name)
        return Uncertified(str(reason))
    return Certified(tuple(paths), sum(path.stat().st_size for path in paths))


def audit_boxes(problem: Problem, folder: Path, *, exact: bool) -> Audited:
    """Check the certificates of all boxes; raises `RejectedFile`."""
    tool, parts = "", 0
    for obligation, path in boxes(problem, folder):
        with naming(path):
            require(
                path.exists(),
                "there is no certificate: only `unsat` has one, for each box of inputs",
            )
        found = audit_file(obligation, problem.weights, path, exact=exact)
        tool, parts = found.tool, parts + found.classes
    return Audited(problem.asked.name, tool, "parts", None, parts)
