"""Multipliers that bound the size of a change from below: proposed here, and checked in `bound.py`.

They are those of the smallest change with which all inputs that were looked at hold by no margin at all, which is
again sought with cutting planes, from the change that was proved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from circ.compiler.patching import PatchPlan
from circ.compiler.readings import clock
from circ.compiler.rounding import at_least, at_most
from circ.compiler.tensor import Weights
from circ.runtime.convex import Floats
from circ.runtime.patches.bound import (
    Bound,
    DualBound,
    Multiplier,
    NoBound,
    Unfounded,
    least_size,
    size_of,
)
from circ.runtime.patches.edits import SLACK
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.no_margin import Met, at_no_margin, named
from circ.runtime.patches.unknowns import Unknowns

PARTS = 40
"""Bits of the largest multiplier."""


def bound(
    plan: PatchPlan,
    weights: Weights,
    unknowns: Unknowns,
    groups: Sequence[Instances],
    after: Mapping[str, Floats],
    deadline: float,
) -> Bound:
    """How small a change could be at least, beside how large the one is that led to `after`."""
    norm = plan.minimize
    pairs = [
        (float(x), float(y))
        for key, start in unknowns.start.items()
        for x, y in zip(start.flat, after[key].flat, strict=True)
        if x != y
    ]
    size = at_least(size_of(norm, pairs), "F64")
    if not pairs:
        return DualBound(norm, 0.0, 0.0, ())
    if any(edit.rank is not None for edit in plan.edits):
        return NoBound(norm, size, "the changes of a rank are no convex set")
    bent = next((group for group in groups if not group.convex), None)
    if bent is not None:
        reason = f"the slack of {bent.obligation.title} is not concave in what is edited"
        return NoBound(norm, size, reason)
    multipliers = proposed(unknowns, groups, after, deadline)
    free = unknowns.free_places
    try:
        with clock.until(deadline):
            asked = (*plan.require, *plan.preserve)
            found = at_most(least_size(norm, asked, free, weights, multipliers), "F64")
    except clock.TimeUp:
        return NoBound(norm, size, "the time was up")
    except Unfounded as error:
        return NoBound(norm, size, str(error))
    if found <= 0:
        return NoBound(norm, size, "no multipliers were found that give one")
    assert found <= size, "a change that was proved is smaller than any can be"
    told = DualBound(norm, size, found, multipliers)
    return (
        told if isfinite(told.gap) else NoBound(norm, size, "what was found is nothing beside it")
    )


def proposed(
    unknowns: Unknowns, groups: Sequence[Instances], after: Mapping[str, Floats], deadline: float
) -> tuple[Multiplier, ...]:
    """Multipliers of the parts that keep a change from being smaller; none where none were found."""
    found = at_no_margin(unknowns, groups, after, 2 * SLACK, deadline)
    if found is None:  # nothing is near failing after it: rounding took it far
        found = at_no_margin(unknowns, groups, unknowns.start, 0.0, deadline)
    return named(found.rows, whole(found.factors), groups) if isinstance(found, Met) else ()


def whole(factors: Floats) -> list[int]:
    """Whole numbers in the same ratios, but for rounding; by which number all are multiplied does not matter."""
    largest = float(factors.max(initial=0.0))
    return [int(factor / largest * 2**PARTS) if largest > 0 else 0 for factor in factors.tolist()]
