"""Certificates of claims with a quantifier before their own: one for each value, or for one after `exists`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from circ.compiler.audit.audit import Audited
from circ.compiler.audit.rejected import require
from circ.compiler.obligation import AtValue, Each
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved
from circ.runtime.cache.recall import Answered
from circ.runtime.certificates.auditing import audit_files
from circ.runtime.certificates.files import certify, clear
from circ.runtime.certificates.folder import Certified, Uncertified, some_file


def certify_values(
    each: Each, reply: Answered, weights: Weights, folder: Path, timeout: float
) -> Certified | Uncertified | None:
    """Write the certificates of a claim that was decided; raises as `certify`."""
    for at in each.values:
        clear(folder, at.question.name)
    if not isinstance(reply.verdict, Proved):
        return None
    paths: list[Path] = []
    for at, found in proofs(each, reply):
        left = certify(at.question, weights, found, folder, timeout)
        if not isinstance(left, Certified):
            for other in each.values:
                clear(folder, other.question.name)
            reason = left.reason if left is not None else "it is not proved"
            return Uncertified(f"of `{at.question.name}`: {reason}")
        paths += left.paths
    return Certified(tuple(paths), sum(path.stat().st_size for path in paths))


def proofs(each: Each, reply: Answered) -> Sequence[tuple[AtValue, Proved]]:
    """The values at which the claim was proved: all of them, or after `exists` the first."""
    known = [
        (at, one.found.verdict)
        for at, one in zip(each.values, reply.values, strict=True)
        if isinstance(one.found, Answered) and isinstance(one.found.verdict, Proved)
    ]
    return known if each.head.quantifier == "forall" else known[:1]


def audit_values(each: Each, weights: Weights, folder: Path, *, exact: bool) -> Audited:
    """Check the certificates at all values, or after `exists` at one that has one. Raises as `audit_files`."""
    asked = each.values
    if each.head.quantifier == "exists":
        asked = tuple(at for at in asked if some_file(folder, at.question))[:1]
    require(len(asked) > 0, "there is no certificate of any value")
    found = [audit_files(at.question, weights, folder, exact=exact) for at in asked]
    counts = [one.words for one in found if one.words is not None]
    words = sum(counts) if len(counts) == len(found) else None
    return replace(found[-1], words=words, classes=sum(one.classes for one in found))
