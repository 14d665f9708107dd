"""Branch and bound on one box: rounds over a stack of nodes until none is left, or an input is found.

Nodes are taken from the top of the stack, so that it stays low. Inputs are proposed from descents before
the first round, and from the middles of what each round leaves; only an exact judge accepts one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import numpy as np

from circ.compiler.boxes.bounds import Nodes, joined
from circ.compiler.boxes.net import FloatArray
from circ.compiler.boxes.points import STARTS, descended, heights, run, starts
from circ.compiler.boxes.round import Question, a_round, root
from circ.compiler.obligation import Witness

BATCH = 512
"""Nodes of a round; fewer where they are large."""

NUMBERS = 1 << 22
"""About as many numbers does a round keep for its nodes at most."""

NEARLY = 1e-6
"""How far above 0, by its size, a row may be at an input that is still put to the judge."""

JUDGED = 8
"""Most inputs of one round that are put to the judge."""

DESCENTS = 8
"""Of so many rounds, one is followed by a descent in the nodes that it left."""

SMALL = 2.0**-46
"""A node with so small a share of the work is set aside: bounds do not decide it."""

Judge = Callable[[FloatArray], bool]
"""Whether an input is what is looked for, exactly."""


@dataclass(frozen=True, slots=True)
class Found:
    """An input that the judge accepted; `exact` where it is no vector of floats."""

    point: FloatArray = field(repr=False)
    exact: Witness | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """No input of the box is what is looked for; `nodes` were bounded to show it.

    `exact` of them were decided by other means.
    """

    nodes: int
    exact: int = 0


@dataclass(frozen=True, slots=True)
class Open:
    """Undecided: the share of the box that is, the least bound there, the middle of one such part.

    `aside` are the parts that bounds cannot decide; `late` says that there are others.
    """

    nodes: int
    share: float
    least: float
    hardest: FloatArray = field(repr=False)
    aside: Nodes | None = field(repr=False, default=None)
    late: bool = False


Outcome = Found | Closed | Open


@dataclass(slots=True)
class Exploration:
    """A search under way. `aside` are nodes that rounds do not decide."""

    question: Question
    judge: Judge
    deadline: float
    progress: Callable[[float], None]
    stack: list[Nodes] = field(default_factory=list[Nodes])
    aside: list[Nodes] = field(default_factory=list[Nodes])
    nodes: int = 0
    least: float = np.inf
    rejected: int = 0
    rounds: int = 0

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return monotonic() > self.deadline

    def outcome(self) -> Outcome:
        """The search, from its start."""
        point = self.descend()
        if point is not None:
            return Found(point)
        self.stack.append(root(self.question))
        while self.stack:
            if self.late:
                return self.left()
            point = self.round()
            if point is not None:
                return Found(point)
            self.progress(1.0 - sum(float(part.share.sum()) for part in self.stack))
        return self.left() if self.aside else Closed(self.nodes)

    def left(self) -> Open:
        """What is undecided."""
        open_parts = [*self.stack, *self.aside]
        share = sum(float(part.share.sum()) for part in open_parts)
        hardest = open_parts[-1]
        middle = hardest.low[0] / 2 + hardest.high[0] / 2
        aside = joined(self.aside) if self.aside else None
        return Open(self.nodes, share, self.least, middle, aside, late=bool(self.stack))

    def round(self) -> FloatArray | None:
        """One round over the top of the stack; an input, if one is found."""
        nodes = self.top()
        self.nodes += len(nodes)
        left = a_round(self.question, nodes)
        if not len(left.live):
            return None
        self.least = left.least
        small = left.children.share < SMALL
        for part in (left.tight, left.children.take(small)):
            if len(part):
                self.aside.append(part)
        if not small.all():
            self.stack.append(left.children.take(~small) if small.any() else left.children)
        return self.among(left.live)

    def top(self) -> Nodes:
        """The nodes of the next round, taken off the stack."""
        net = self.question.net
        most = max(8, min(BATCH, NUMBERS // (4 * (net.entries + len(net.low)))))
        taken, count = list[Nodes](), 0
        while self.stack and count < most:
            part = self.stack.pop()
            room = most - count
            if len(part) > room:
                self.stack.append(part.take(np.arange(len(part) - room)))
                part = part.take(np.arange(len(part) - room, len(part)))
            taken.append(part)
            count += len(part)
        return joined(taken)

    # --- inputs -------------------------------------------------------------------------------

    def descend(self) -> FloatArray | None:
        """An input found by a descent from random starts."""
        net = self.question.net
        points = starts(net.low, net.high, 0)
        return self.accepted(descended(net, self.question.asks, points, net.low, net.high))

    def among(self, live: Nodes) -> FloatArray | None:
        """An input found in the nodes that a round left: at their middles, or down from there."""
        middles = live.low / 2 + live.high / 2
        self.rounds += 1
        if self.rounds % DESCENTS:
            return self.accepted(middles)
        some = np.arange(0, len(live), 1 + len(live) // STARTS)
        net, asks = self.question.net, self.question.asks
        return self.accepted(descended(net, asks, middles[some], live.low[some], live.high[some]))

    def accepted(self, points: FloatArray) -> FloatArray | None:
        """One of the points, if the judge accepts it; the lowest are asked about."""
        asks = self.question.asks
        high = heights(asks, run(self.question.net, points)).min(1)
        room = NEARLY * (1.0 + float(np.abs(asks.const).max()))
        for k in np.argsort(high)[:JUDGED]:
            if high[k] > room or self.late:
                break
            if high[k] > 0 and self.rejected > 4 * JUDGED:
                break
            if self.judge(points[k]):
                return np.asarray(points[k])
            self.rejected += 1
        return None
