"""The smallest edit that makes every instance hold: cutting planes around a convex program.

At the current weights each failing instance gives a linear constraint (its slack's tangent); the
least change that meets all of them so far is the next iterate. Where scores are affine in the
edited tensors a slack is concave, so a tangent cuts off no solution (Kelley, J. SIAM 8, 1960);
elsewhere tangents are taken afresh at every iterate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from circ.compiler.obligation import Witness
from circ.runtime.convex import Floats, least_change
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.unknowns import Unknowns

SLACK = 1e-3
"""How clearly each instance is asked to hold, at first; decisions must survive rounding."""

LEAST_SLACK = 1e-6
ROUNDS = 200


@dataclass(slots=True)
class Cuts:
    """Linear constraints `rows @ change >= at_least`."""

    rows: list[Floats] = field(default_factory=list[Floats])
    at_least: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No small change makes these hold together: requirement and input of each."""

    instances: tuple[tuple[str, Witness], ...]


@dataclass(frozen=True, slots=True)
class Late:
    """The time was up before a change was found."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocked:
    """Cuts that contradict each other, and the requirement and input of each."""

    cuts: Cuts
    blamed: tuple[tuple[str, Witness], ...]


Solution = Floats | Infeasible | Late | None


def solve(unknowns: Unknowns, groups: Sequence[Instances], deadline: float) -> Solution:
    """A change at which all instances hold; `Infeasible` with those that stand in the way.

    `deadline` is in seconds of `time.monotonic`. None when the iteration does not settle, which
    only happens where slacks are not concave.
    """
    found = reached(unknowns, groups, deadline)
    if isinstance(found, Blocked):
        return Infeasible(conflicting(found.cuts, found.blamed, deadline))
    return found


def reached(
    unknowns: Unknowns, groups: Sequence[Instances], deadline: float
) -> Floats | Blocked | Late | None:
    """The same, without a look at which of them stand in the way."""
    slack = SLACK
    while True:
        found = solve_at(slack, unknowns, groups, deadline)
        if not isinstance(found, Blocked) or slack <= LEAST_SLACK:
            return found
        slack /= 10


def solve_at(
    slack: float, unknowns: Unknowns, groups: Sequence[Instances], deadline: float
) -> Floats | Blocked | Late | None:
    """The same, each instance holding by at least half of `slack`."""
    convex = all(group.convex for group in groups)
    change = np.zeros(unknowns.size)
    cuts = Cuts()
    blamed: list[tuple[str, Witness]] = []
    for _ in range(ROUNDS):
        if not convex:
            cuts, blamed = Cuts(), []
        if monotonic() > deadline:
            return Late()
        fresh = tangents(slack, change, unknowns, groups, cuts, everything=not convex)
        if not fresh:
            return change
        blamed += fresh
        if monotonic() > deadline:
            return Late()
        step = least_change(np.array(cuts.rows), np.array(cuts.at_least), unknowns.norm)
        if step is None:
            return Blocked(cuts, tuple(blamed))
        change = step
    return None


def tangents(
    slack: float,
    change: Floats,
    unknowns: Unknowns,
    groups: Sequence[Instances],
    cuts: Cuts,
    everything: bool,
) -> list[tuple[str, Witness]]:
    """Add a cut for each instance that fails at `change`, and name them; none when all hold.

    `everything`: where some instance fails, cut at the others as well.
    """
    tensors = unknowns.at(change)
    parts = [group.parts(tensors) for group in groups]
    if all((values >= slack / 2).all() for values in parts):
        return []
    named: list[tuple[str, Witness]] = []
    for group, values in zip(groups, parts, strict=True):
        worst = values.argmin(axis=1)
        least = values.min(axis=1)
        rows = np.flatnonzero((least < slack * 0.99) | everything)
        if not len(rows):
            continue
        found = group.gradients(tensors, rows.tolist(), worst[rows].tolist())
        gradients = unknowns.spread(group.keys, found)
        cuts.rows.extend(gradients)
        cuts.at_least.extend(slack - least[rows] + gradients @ change)
        named += [(group.obligation.title, group.witnesses[int(row)]) for row in rows]
    return named


def conflicting(
    cuts: Cuts, blamed: Sequence[tuple[str, Witness]], deadline: float
) -> tuple[tuple[str, Witness], ...]:
    """Instances whose cuts contradict each other; given time, none of them can be left out."""
    rows, at_least = np.array(cuts.rows), np.array(cuts.at_least)
    kept = np.arange(len(rows))
    block = max(len(kept) // 2, 1)
    while block:
        start = 0
        while start < len(kept) and monotonic() < deadline:
            trial = np.delete(kept, slice(start, start + block))
            if len(trial) and least_change(rows[trial], at_least[trial]) is None:
                kept = trial
            else:
                start += block
        block //= 2
    return tuple(dict.fromkeys(blamed[int(i)] for i in kept))
