"""Branch and bound on one box: rounds over a stack of nodes until none is left, or an input is found.

Nodes are taken from the top of the stack, so that it stays low. Inputs are proposed from descents before
the first round, and from the middles of what each round leaves; only an exact judge accepts one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic

import numpy as np

from circ.compiler.boxes.bounds import Nodes, joined
from circ.compiler.boxes.net import FloatArray
from circ.compiler.boxes.place import HOST
from circ.compiler.boxes.points import STARTS, descended, heights, run, starts
from circ.compiler.boxes.round import Left, Question, a_round, root
from circ.compiler.obligation import Witness
from circ.runtime.engines.crew import Batch, Crew, can_fork, crew
from circ.runtime.engines.pace import Pace

BATCH = 512
"""Nodes of a round; fewer where they are large."""

NUMBERS = 1 << 22
"""About as many numbers does a round keep for its nodes at most."""

NEARLY = 1e-6
"""How far above 0, by its size, a row may be at an input that is still put to the judge."""

JUDGED = 8
"""Most inputs of one round that are put to the judge."""

ALONE = 1.0
"""Seconds that a search goes on alone: what is soon done is not worth sharing."""

SLICE = 0.4
"""Seconds that a worker goes on before it gives back what is left."""

SLICES = 4.0
"""Rounds' worth of nodes that are shared out at a time."""

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
    """Undecided: the share of the box that is, and of its parts the one with the least bound.

    `least` is that bound, and holds for all of them; `low`, `high` are the ends of that part. `aside` are
    the parts that bounds cannot decide; `late` says that there are others, `full` that they take up the
    memory, `interrupted` that the user ended it.
    """

    nodes: int
    share: float
    least: float
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    aside: Nodes | None = field(repr=False, default=None)
    late: bool = False
    full: bool = False
    interrupted: bool = False


Outcome = Found | Closed | Open


@dataclass(slots=True)
class Exploration:
    """A search under way. `aside` are nodes that rounds do not decide.

    `hand` are those that waited when this moment's step began: where it is cut short, they are what is
    known. `memory` is in bytes.
    """

    question: Question
    judge: Judge
    deadline: float
    progress: Callable[[float], None]
    memory: float = 2.0**31
    jobs: int = 1
    stack: list[Nodes] = field(default_factory=list[Nodes])
    aside: list[Nodes] = field(default_factory=list[Nodes])
    nodes: int = 0
    rejected: int = 0
    rounds: int = 0
    hand: list[Nodes] = field(default_factory=list[Nodes])
    pace: Pace = field(default_factory=Pace)

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return monotonic() > self.deadline

    def outcome(self) -> Outcome:
        """The search, from its start. Ctrl-C ends it, with what is open then."""
        self.stack.append(root(self.question))
        try:
            point = self.sought()
        except KeyboardInterrupt:
            return replace(self.left(), interrupted=True)
        if point is not None:
            return Found(point)
        return self.left() if self.stack or self.aside else Closed(self.nodes)

    def sought(self) -> FloatArray | None:
        """An input, if one is found before nothing is left or the time is up."""
        point = self.descend()
        if point is None:
            point = self.alone()
        if point is None and self.stack and not self.late and not self.full:
            point = self.together()
        return point

    def alone(self) -> FloatArray | None:
        """Rounds until nothing is left, or others are to help; an input, if one is found."""
        until = min(self.deadline, monotonic() + ALONE) if self.helped else self.deadline
        while self.stack and monotonic() <= until and not self.full:
            point = self.round()
            if point is not None:
                return point
            self.progress(1.0 - self.undone)
        return None

    def together(self) -> FloatArray | None:
        """The rest, shared out among workers; an input, if one is found. Alone, if all of them are gone."""
        with crew(self.slice, self.jobs) as workers:
            try:
                while self.going(workers):
                    point = self.shared(workers)
                    if point is not None:
                        return point
            finally:
                self.stack += workers.busy.values()
        self.jobs = 1
        return self.alone()

    def going(self, workers: Crew) -> bool:
        """Whether there is work, and workers, time and memory for it."""
        work = bool(self.stack or workers.busy) and not workers.lost
        return work and not self.full and not self.late

    def shared(self, workers: Crew) -> FloatArray | None:
        """Give idle workers what waits, and take over what others give back."""
        self.hand = [*self.stack, *workers.busy.values()]
        for worker in workers.idle:
            if self.stack:
                workers.give(worker, self.top(SLICES / (1 + len(workers.idle))))
        for batch in workers.taken(max(0.0, self.deadline - monotonic())):
            point = self.merged(batch)
            if point is not None:
                return point
        self.hand = []
        self.progress(1.0 - self.undone - workers.share)
        return None

    def slice(self, nodes: Nodes) -> Batch:
        """A worker's part: rounds on nodes for a while, the inputs that look right not judged."""
        points = list[FloatArray]()

        def noted(point: FloatArray) -> bool:
            points.append(point)
            return False

        until = min(self.deadline, monotonic() + SLICE)
        part = replace(self, judge=noted, stack=[nodes], aside=[], nodes=0, rejected=0)
        while part.stack and not points and monotonic() <= until and not part.full:
            part.round()
        return Batch(tuple(part.stack), tuple(part.aside), tuple(points), part.nodes)

    def merged(self, batch: Batch) -> FloatArray | None:
        """Take over what a worker gives back; an input, if it came by one."""
        self.stack += batch.left
        self.aside += batch.aside
        self.nodes += batch.nodes
        return next((point for point in batch.points if self.judge(point)), None)

    @property
    def helped(self) -> bool:
        """Whether workers are to help: not beside a device, which copies of a process cannot use."""
        return self.jobs > 1 and can_fork() and self.question.there.place is HOST

    @property
    def undone(self) -> float:
        """The share of the box that waits."""
        return sum(float(part.share.sum()) for part in self.stack)

    @property
    def full(self) -> bool:
        """Whether what waits takes up the memory that there is."""
        return self.kept > self.memory

    @property
    def kept(self) -> int:
        """The bytes of what waits."""
        return sum(array.nbytes for part in (*self.stack, *self.aside) for array in part.parts)

    def left(self) -> Open:
        """What is undecided."""
        waiting = self.hand or self.stack
        parts = [part for part in (*waiting, *self.aside) if len(part)]
        share = sum(float(part.share.sum()) for part in parts)
        worst = min(parts or [root(self.question)], key=lambda part: float(part.bound.min()))
        at = int(worst.bound.argmin())
        least, low, high = float(worst.bound[at]), worst.low[at], worst.high[at]
        aside = joined(self.aside) if self.aside else None
        return Open(self.nodes, share, least, low, high, aside, bool(waiting), self.full)

    def round(self) -> FloatArray | None:
        """One round over the top of the stack; an input, if one is found."""
        self.hand = [*self.stack]
        nodes, start = self.top(), monotonic()
        self.nodes += len(nodes)
        left = a_round(self.question, nodes)
        self.pace.noted(len(nodes), monotonic() - start)
        if len(left.live):
            self.keep(left)
        self.hand = []
        return self.among(left.live) if len(left.live) else None

    def keep(self, left: Left) -> None:
        """Have what a round left wait, or set it aside."""
        small = left.children.share < SMALL
        for part in (left.tight, left.children.take(small)):
            if len(part):
                self.aside.append(part)
        if not small.all():
            self.stack.append(left.children.take(~small) if small.any() else left.children)

    def top(self, rounds: float = 1.0) -> Nodes:
        """The nodes of so many rounds, taken off the stack."""
        net = self.question.net
        most = max(8, min(BATCH, NUMBERS // (4 * (net.entries + len(net.low)))))
        if 4 * self.kept > self.memory:
            most = max(8, most // 16)
        most = self.pace.most(most, self.deadline - monotonic())
        most = max(1, int(rounds * most))
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
