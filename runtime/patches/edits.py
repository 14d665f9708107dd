"""The smallest edit that makes every instance hold: cutting planes around a convex program.

At the current weights each failing instance gives a linear constraint (its slack's tangent); the
least change that meets all of them so far is the next iterate. Where scores are affine in the
edited tensors a slack is concave, so a tangent cuts off no solution (Kelley, J. SIAM 8, 1960);
elsewhere tangents are taken afresh at every iterate. Cuts that hold a solution in place are kept, the others are left
out; they come back where they are violated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from circ.compiler.obligation import Witness
from circ.compiler.patching import Norm
from circ.runtime.convex import Floats, Least, contradiction, least
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.unknowns import Unknowns

SLACK = 1e-3
"""How clearly each instance is asked to hold, at first; decisions must survive rounding."""

LEAST_SLACK = 1e-6

NEARLY = 0.99
"""By how much of its slack an instance holds at least where it is not cut at."""

ROUNDS = 200

GROWN = 1e-9
"""By which part of it a change must have grown for cuts to be left out."""

ORDERS: Mapping[Norm, float] = {"l1": 1, "l2": 2, "linf": np.inf}


@dataclass(slots=True)
class Cuts:
    """Linear constraints `rows @ change >= at_least`, and the requirement and input of each.

    `multipliers` has what the last solution gave each, 0 where it is newer: the next one is sought from there.
    """

    rows: list[Floats] = field(default_factory=list[Floats])
    at_least: list[float] = field(default_factory=list[float])
    blamed: list[tuple[str, Witness]] = field(default_factory=list[tuple[str, Witness]])
    multipliers: list[float] = field(default_factory=list[float])

    def keep(self, kept: Sequence[int]) -> None:
        """Leave out all but these."""
        self.rows = [self.rows[i] for i in kept]
        self.at_least = [self.at_least[i] for i in kept]
        self.blamed = [self.blamed[i] for i in kept]
        self.multipliers = [self.multipliers[i] for i in kept]


@dataclass(slots=True)
class Begun:
    """Where a search stands, for the next one with the same unknowns and more inputs: its last change and what holds that."""

    change: Floats | None = None
    cuts: Cuts = field(default_factory=Cuts)


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No change was found with which these hold together by the least slack: requirement and input of each, as far as known."""

    instances: tuple[tuple[str, Witness], ...]


@dataclass(frozen=True, slots=True)
class Late:
    """The time was up before a change was found."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocked:
    """Cuts that contradict each other, as far as the solver says."""

    cuts: Cuts

    def in_the_way(self, deadline: float) -> tuple[tuple[str, Witness], ...]:
        """Requirement and input of those of which none can be left out; empty where they are not found in time."""
        cuts, left = self.cuts, deadline - monotonic()
        found = contradiction(np.array(cuts.rows), np.array(cuts.at_least), left)
        held = [] if found is None else np.flatnonzero(found).tolist()
        return tuple(dict.fromkeys(cuts.blamed[i] for i in held))


Solution = Floats | Infeasible | Late | None


def solve(
    unknowns: Unknowns, groups: Sequence[Instances], deadline: float, begun: Begun | None = None
) -> Solution:
    """A change at which all instances hold; `Infeasible` with those that stand in the way.

    `deadline` is in seconds of `time.monotonic`. None when the iteration does not settle: where slacks are not concave, and
    where solutions of the solver miss cuts by about the slack.
    """
    found = reached(unknowns, groups, deadline, begun)
    return Infeasible(found.in_the_way(deadline)) if isinstance(found, Blocked) else found


def reached(
    unknowns: Unknowns, groups: Sequence[Instances], deadline: float, begun: Begun | None = None
) -> Floats | Blocked | Late | None:
    """The same, without a look at which of them stand in the way."""
    slack = SLACK
    while True:
        found = solve_at(slack, unknowns, groups, deadline, begun or Begun())
        if not isinstance(found, Blocked) or slack <= LEAST_SLACK:
            return found
        slack, begun = slack / 10, None


def solve_at(
    slack: float, unknowns: Unknowns, groups: Sequence[Instances], deadline: float, begun: Begun
) -> Floats | Blocked | Late | None:
    """The same, each instance holding by at least half of `slack`, from where a search with the same slack stands."""
    convex = all(group.convex for group in groups)
    change = np.zeros(unknowns.size) if begun.change is None else begun.change
    cuts, enough, order = begun.cuts, slack * NEARLY, ORDERS[unknowns.norm]
    largest = float(np.linalg.norm(change, order))
    for _ in range(ROUNDS):
        if not convex:
            cuts = Cuts()
        if monotonic() > deadline:
            return Late()
        if not tangents(slack, change, unknowns, groups, cuts, enough, everything=not convex):
            return change
        if monotonic() > deadline:
            return Late()
        rows, at_least, near = map(np.array, (cuts.rows, cuts.at_least, cuts.multipliers))
        step = least(rows, at_least, unknowns.norm, near)
        if step is None:
            return Blocked(cuts)
        cuts.multipliers = step.multipliers.tolist()
        if convex:
            size = float(np.linalg.norm(step.x, order))
            thinned(cuts, step, grown=size > largest * (1 + GROWN))
            begun.change, largest = step.x, max(largest, size)
        change, enough = step.x, slack / 2
    return None


def thinned(cuts: Cuts, step: Least, *, grown: bool) -> None:
    """Leave out the cuts that do not hold a solution in place, where it is larger than all before it.

    Those that do keep all later ones from being smaller; and as sizes grow, no set of cuts is left twice.
    """
    if grown:
        cuts.keep(np.flatnonzero(step.multipliers > 0).tolist())


def tangents(
    slack: float,
    change: Floats,
    unknowns: Unknowns,
    groups: Sequence[Instances],
    cuts: Cuts,
    enough: float,
    everything: bool,
) -> int:
    """Add a cut for each instance that fails at `change`; how many, and none when each holds by `enough` and its room.

    `everything`: where some instance fails, cut at the others as well.
    """
    tensors = unknowns.at(change)
    parts = [group.parts(tensors) - np.array(group.room)[:, None] for group in groups]
    if all((values >= enough).all() for values in parts):
        return 0
    before = len(cuts.rows)
    for group, values in zip(groups, parts, strict=True):
        worst = values.argmin(axis=1)
        least = values.min(axis=1)
        rows = np.flatnonzero((least < slack * NEARLY) | everything)
        if not len(rows):
            continue
        found = group.gradients(tensors, rows.tolist(), worst[rows].tolist())
        gradients = unknowns.spread(group.keys, found)
        cuts.rows.extend(gradients)
        cuts.at_least.extend(slack - least[rows] + gradients @ change)
        cuts.blamed += [(group.obligation.title, group.witnesses[int(row)]) for row in rows]
        cuts.multipliers += [0.0] * len(rows)
    return len(cuts.rows) - before
