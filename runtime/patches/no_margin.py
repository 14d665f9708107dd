"""All inputs that were looked at, by no margin at all or next to none: the smallest change that meets them, or parts that contradict each other.

Cutting planes over parts, each a half-space of changes. What is found is not trusted: a change is rounded and proved, and
multipliers are checked in `bound.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from circ.runtime.convex import Floats, contradiction, least
from circ.runtime.patches.bound import Multiplier, as_text
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.unknowns import Unknowns

ROUNDS = 50
ENOUGH = 1e-9
"""How far below 0 a part may be for a change to meet it."""

Part = tuple[int, int, int]
"""The number of a requirement, an instance of it, and a part of that."""


@dataclass(slots=True)
class Rows:
    """Parts, each as a half-space `rows @ change >= at_least`."""

    parts: list[Part] = field(default_factory=list[Part])
    rows: list[Floats] = field(default_factory=list[Floats])
    at_least: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """The smallest change with which these rows hold, and the multipliers by which none is smaller."""

    change: Floats
    rows: Rows
    factors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Contrary:
    """Rows that contradict each other: with these multipliers they add up to what no change meets, but for rounding.

    Where a slack was asked of them, that is of rows with this slack.
    """

    rows: Rows
    factors: Floats


def at_no_margin(
    unknowns: Unknowns,
    groups: Sequence[Instances],
    tensors: Mapping[str, Floats],
    near: float,
    deadline: float,
    slack: float = 0.0,
) -> Met | Contrary | None:
    """What is found from these weights on, whose parts below `near` are the first; None where that is neither.

    Every part is to be `slack` at least. All of the groups are convex. Where the time is up, of the parts that were looked at.
    """
    rows, met, factors = Rows(), None, np.zeros(0)
    for _ in range(ROUNDS):
        fresh = add(rows, unknowns, groups, tensors, near, slack)
        if not fresh or monotonic() > deadline:
            break
        last = np.pad(factors, (0, fresh))
        found = least(np.array(rows.rows), np.array(rows.at_least), unknowns.norm, near=last)
        if found is None:
            return met if monotonic() > deadline else contrary(rows, deadline)
        factors, tensors, near = found.multipliers, unknowns.at(found.x), slack - ENOUGH
        met = Met(found.x, rows, factors)
    return met


def contrary(rows: Rows, deadline: float) -> Contrary | None:
    """Why no change meets all of these."""
    left = deadline - monotonic()
    found = contradiction(np.array(rows.rows), np.array(rows.at_least), left)
    return None if found is None else Contrary(rows, found)


def add(
    rows: Rows,
    unknowns: Unknowns,
    groups: Sequence[Instances],
    tensors: Mapping[str, Floats],
    near: float,
    slack: float,
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
        rows.at_least.extend((slack - parts[at, which]).tolist())
        rows.parts.extend((number, row, part) for row, part in picked)
        new += len(picked)
    return new


def named(
    rows: Rows, factors: Sequence[int], groups: Sequence[Instances]
) -> tuple[Multiplier, ...]:
    """The multipliers that are above 0; of rows beyond them, which were added later, there are none."""
    found: list[Multiplier] = []
    for (number, row, part), factor in zip(rows.parts, factors, strict=False):
        if factor > 0:
            group = groups[number]
            given = as_text(group.witnesses[row])
            found.append(Multiplier(group.obligation.title, given, part, factor))
    return tuple(found)
