"""Multipliers that bound the size of a change from below: proposed here, and checked in `bound.py`.

They are those of the smallest change with which all inputs that were looked at hold by no margin at all, which is
again sought with cutting planes, from the change that was proved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from circ.compiler.patching import PatchPlan
from circ.compiler.readings import clock
from circ.compiler.rounding import at_least, at_most
from circ.compiler.tensor import Weights
from circ.runtime.convex import Floats, least
from circ.runtime.patches.bound import (
    Bound,
    DualBound,
    Multiplier,
    NoBound,
    Unfounded,
    as_text,
    least_size,
    size_of,
)
from circ.runtime.patches.edits import SLACK
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.unknowns import Unknowns

ROUNDS = 50
ENOUGH = 1e-9
"""How far below 0 a part may be for the multipliers to be good."""

PARTS = 40
"""Bits of the largest multiplier."""

Part = tuple[int, int, int]
"""The number of a requirement, an instance of it, and a part of that."""


@dataclass(slots=True)
class Rows:
    """Parts, each as a half-space `rows @ change >= at_least`."""

    parts: list[Part] = field(default_factory=list[Part])
    rows: list[Floats] = field(default_factory=list[Floats])
    at_least: list[float] = field(default_factory=list[float])


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
    free = {key: frozenset(places.tolist()) for key, places in unknowns.free.items()}
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
    return DualBound(norm, size, found, multipliers)


def proposed(
    unknowns: Unknowns, groups: Sequence[Instances], after: Mapping[str, Floats], deadline: float
) -> tuple[Multiplier, ...]:
    """Multipliers of the parts that keep a change from being smaller; none where none were found."""
    rows, tensors = Rows(), after
    near = 2 * SLACK
    factors = np.zeros(0)
    for _ in range(ROUNDS):
        fresh = add(rows, unknowns, groups, tensors, near)
        if not fresh or monotonic() > deadline:
            break
        last = np.pad(factors, (0, fresh))
        found = least(np.array(rows.rows), np.array(rows.at_least), unknowns.norm, near=last)
        if found is None:
            break
        factors, tensors, near = found.multipliers, unknowns.at(found.x), -ENOUGH
    return named(rows, factors, groups) if len(factors) else ()


def add(
    rows: Rows,
    unknowns: Unknowns,
    groups: Sequence[Instances],
    tensors: Mapping[str, Floats],
    near: float,
) -> int:
    """Add the parts that are below `near` at these weights, of each instance the least; how many are new."""
    known, new = set(rows.parts), 0
    for number, group in enumerate(groups):
        parts = group.parts(unknowns.start)
        values = group.parts(tensors)
        worst = values.argmin(axis=1)
        picked = [
            (row, part)
            for row, part in enumerate(worst.tolist())
            if values[row, part] < near and (number, row, part) not in known
        ]
        if not picked:
            continue
        at, which = [row for row, _ in picked], [part for _, part in picked]
        gradients = unknowns.spread(group.keys, group.gradients(unknowns.start, at, which))
        rows.rows.extend(gradients)
        rows.at_least.extend((-parts[at, which]).tolist())
        rows.parts.extend((number, row, part) for row, part in picked)
        new += len(picked)
    return new


def named(rows: Rows, factors: Floats, groups: Sequence[Instances]) -> tuple[Multiplier, ...]:
    """The multipliers that are not 0, as whole numbers; by which number all are multiplied does not matter."""
    largest = float(factors.max(initial=0.0))
    found: list[Multiplier] = []
    for (number, row, part), factor in zip(rows.parts, factors.tolist(), strict=True):
        whole = int(factor / largest * 2**PARTS) if largest > 0 else 0
        if whole > 0:
            group = groups[number]
            given = as_text(group.witnesses[row])
            found.append(Multiplier(group.obligation.title, given, part, whole))
    return tuple(found)
