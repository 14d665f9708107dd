"""Certificates that say: go through one word for each count of letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from circ.compiler.audit.alike import require_alike
from circ.compiler.audit.bound import Asked, asked
from circ.compiler.audit.counts import Counted, counted_through
from circ.compiler.audit.in_floats import InFloats
from circ.compiler.audit.inputs import MOST_INPUTS
from circ.compiler.audit.rejected import Rejected
from circ.compiler.ir import Index
from circ.compiler.obligation import Obligation, Words
from circ.compiler.tensor import Weights
from circ.runtime.certificates.inputs import before
from circ.runtime.certificates.opening import opening, put
from circ.runtime.certificates.work import NoCertificate


@dataclass(frozen=True, slots=True, eq=False)
class Orderless:
    """A claim in which the order of letters says nothing, and which words stand for all."""

    claim: Asked
    words: Counted


def without_order(obligation: Obligation, weights: Weights) -> Orderless | None:
    """A claim about one word whose letters may stand in any order, the last or the first perhaps aside;
    None where they may not, or too many words would have to be gone through."""
    if obligation.quantifier != "forall" or len(obligation.binders) != 1:
        return None
    (bound,) = obligation.binders
    if not isinstance(bound.values, Words) or not isinstance(bound.type.sort, Index):
        return None
    size, length = bound.type.sort.size, bound.type.entries
    ways = [Counted(size, length, apart) for apart in (None, length - 1, 0)]
    few = [some for some in ways if some.free > 1 and some.count <= MOST_INPUTS]
    try:
        claim = asked(obligation, weights) if few else None
    except Rejected:
        return None
    for some in few:
        assert claim is not None
        try:
            require_alike(claim.plan, claim.roots, weights, some.apart)
        except Rejected:
            continue
        return Orderless(claim, some)
    return None


def write_by_counts(
    some: Orderless, obligation: Obligation, weights: Weights, until: float, stream: BinaryIO
) -> None:
    """Write that one word for each count of letters is right; raises `NoCertificate` where an audit
    would not find so. `until` is in seconds of `time.monotonic`."""
    apart = some.words.apart
    try:
        found = counted_through(some.claim, weights, apart, InFloats(), before(until))
    except Rejected as reason:
        raise NoCertificate(str(reason)) from reason
    record = {"words": str(found), "apart": apart}
    put(stream, opening(obligation, weights, "counts") | record)
