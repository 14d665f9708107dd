"""The greatest value of a number over a box, by one search: parts of the box whose values may be too large.

Every part that waits has a bound on the number there, and those of the largest bound are parted first. The
best value that was reached, and a little, is the threshold: what stays below it is done with. So at any time
no value is above the threshold and the largest bound of what waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heappop, heappush
from time import monotonic

import numpy as np

from circ.compiler.boxes.bounds import Nodes, joined
from circ.compiler.boxes.net import FloatArray
from circ.compiler.boxes.number import raised, row_of, seeming
from circ.compiler.boxes.place import HOST, Place
from circ.compiler.boxes.points import STARTS, descended, downhill, run, starts
from circ.compiler.boxes.read import Problem
from circ.compiler.boxes.round import Left, Question, a_round, prepared, root
from circ.compiler.boxes.split import halved
from circ.runtime.engines.explore import BATCH, DESCENTS, NUMBERS
from circ.runtime.engines.pace import Pace

JUDGED = 3
"""Most inputs of one round whose exact value is asked for."""

CLIMBS = 40
"""Most descents before the first round."""

CLOSER = Fraction(7, 8)
"""Of the tolerance so much is used: the rest is for rounding, which the threshold itself is subject to."""

NOTABLE = 1.0 / 64
"""An input is worth an exact value if it seems to gain so much of the tolerance."""

SMALL = 2.0**-100
"""A part with so small a share of the work is set aside: more will not be known of it."""

Judge = Callable[[FloatArray], Fraction | None]
"""The least that the number may be at an input, exactly; None where that may not be in the domain."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Parts of a box in which the number is at most `bound`; None where nothing is known yet."""

    bound: Fraction | None
    nodes: Nodes = field(repr=False)

    def __lt__(self, other: Waiting) -> bool:
        if self.bound is None or other.bound is None:
            return self.bound is None and other.bound is not None
        return self.bound > other.bound


@dataclass(slots=True)
class Ascent:
    """A search under way for the greatest value.

    `best` was reached, at `point` if the search found it; `within` is the tolerance, as a share of the
    value, and of 1 below that. `memory` is in bytes. `hand` are the parts that waited when this moment's
    round began: where it is cut short, they are what is known.
    """

    problem: Problem
    judge: Judge
    best: Fraction
    within: Fraction
    deadline: float
    progress: Callable[[float], None]
    memory: float = 2.0**31
    place: Place = HOST
    point: FloatArray | None = None
    heap: list[Waiting] = field(default_factory=list[Waiting])
    aside: list[Waiting] = field(default_factory=list[Waiting])
    hand: list[Waiting] = field(default_factory=list[Waiting])
    pace: Pace = field(default_factory=Pace)
    nodes: int = 0
    rounds: int = 0
    threshold: Fraction = Fraction(0)
    question: Question = field(init=False)

    def __post_init__(self) -> None:
        self.lift()

    # --- what is known ------------------------------------------------------------------------

    @property
    def tolerance(self) -> Fraction:
        """How far the threshold is above the best value."""
        return CLOSER * self.within * max(abs(self.best), Fraction(1))

    @property
    def limit(self) -> Fraction | None:
        """No value is above this; None where nothing is known."""
        bounds = [part.bound for part in (*self.heap, *self.hand, *self.aside)]
        known = [bound for bound in bounds if bound is not None]
        return max([self.threshold, *known]) if len(known) == len(bounds) else None

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return monotonic() > self.deadline

    @property
    def full(self) -> bool:
        """Whether what waits takes up the memory that there is."""
        parts = (*self.heap, *self.aside)
        return sum(array.nbytes for part in parts for array in part.nodes.parts) > self.memory

    @property
    def done(self) -> bool:
        """Whether nothing that waits may hold a value above the threshold, or no time is left."""
        if not self.heap or self.late or self.full:
            return True
        bound = self.heap[0].bound
        return bound is not None and bound <= self.threshold

    # --- the search ---------------------------------------------------------------------------

    def search(self) -> None:
        """Until the best value is known to be the greatest but for the tolerance, or time is up."""
        self.heap.append(Waiting(None, root(self.question)))
        self.climb()
        while not self.done:
            self.round()
            self.progress(1.0 - sum(float(part.nodes.share.sum()) for part in self.heap))

    def round(self) -> None:
        """One round over the parts of the largest bounds."""
        self.hand = [*self.heap]
        nodes, start = self.top(), monotonic()
        self.nodes += len(nodes)
        left = a_round(self.question, nodes)
        self.pace.noted(len(nodes), monotonic() - start)
        if len(left.live):
            self.wait(left)
        self.hand = []
        if len(left.live):
            self.rounds += 1
            self.among(left.live)

    def wait(self, left: Left) -> None:
        """Keep what a round left, with the bounds that the first row gives."""
        self.keep(Waiting(self.below(left.first), left.children))
        near = Waiting(self.below(left.first_tight), left.tight)
        if near.bound is None or near.bound > self.threshold + self.tolerance / 8:
            # Few inputs of such a part meet the conditions, if any: the number's own bound may yet fall.
            axis = (left.tight.high - left.tight.low).argmax(1)
            self.keep(Waiting(near.bound, halved(left.tight, axis)))
        elif len(left.tight):
            self.aside.append(near)

    def keep(self, part: Waiting) -> None:
        """Have parts wait; the smallest are set aside."""
        small = part.nodes.share < SMALL
        if small.any():
            self.aside.append(Waiting(part.bound, part.nodes.take(small)))
        if not small.all():
            heappush(self.heap, Waiting(part.bound, part.nodes.take(~small)))

    def below(self, first: float) -> Fraction | None:
        """What the number is at most, where the first row is at least so much."""
        return self.threshold - Fraction(first) if np.isfinite(first) else None

    def top(self) -> Nodes:
        """The nodes of a round, those of the largest bound first."""
        net = self.problem.net
        most = max(8, min(BATCH, NUMBERS // (4 * (net.entries + len(net.low)))))
        most = self.pace.most(most, self.deadline - monotonic())
        taken, count = list[Nodes](), 0
        while self.heap and count < most:
            part = heappop(self.heap)
            nodes, room = part.nodes, most - count
            if len(nodes) > room:
                heappush(self.heap, Waiting(part.bound, nodes.take(np.arange(room, len(nodes)))))
                nodes = nodes.take(np.arange(room))
            taken.append(nodes)
            count += len(nodes)
        return joined(taken)

    # --- values that are reached ----------------------------------------------------------------

    def lift(self) -> None:
        """Set the threshold by the best value."""
        problem, self.threshold = raised(self.problem, self.best + self.tolerance)
        self.question = prepared(problem, self.place)

    def climb(self) -> None:
        """Descents from random starts, asking for less each time that none of them gains it."""
        net = self.problem.net
        step = Fraction(abs(self.best) + 1)
        for seed in range(CLIMBS):
            problem, _ = raised(self.problem, self.best + step)
            asks, before = prepared(problem).asks, self.best
            points = descended(net, asks, starts(net.low, net.high, seed), net.low, net.high)
            self.accept(np.concatenate([points, self.corners(points, net.low, net.high)]))
            if self.best < before + step:
                step /= 8
            if step < self.tolerance or self.late or not self.problem.clauses:
                break

    def among(self, live: Nodes) -> None:
        """Try the middles of parts, the corners that lie uphill, and what descents reach at times."""
        middles = live.low / 2 + live.high / 2
        points = [middles, self.corners(middles, live.low, live.high)]
        if self.rounds % DESCENTS == 0:
            some = np.arange(0, len(live), 1 + len(live) // STARTS)
            net, asks = self.problem.net, self.question.asks
            low, high = live.low[some], live.high[some]
            points.append(descended(net, asks, middles[some], low, high))
        self.accept(np.concatenate(points))

    def gains(self, points: FloatArray) -> FloatArray:
        """By how much the number seems to exceed the best value, -inf where a condition seems missed."""
        seen = seeming(self.question.asks, run(self.problem.net, points))
        return np.asarray(seen + float(self.tolerance))

    def corners(self, points: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """The corner of a box [points, inputs] to which the number goes up at a point of it."""
        net, clause = self.problem.net, np.zeros(len(points), np.int64)
        slope = downhill(net, row_of(self.question.asks), points, clause)
        at = np.where(slope > 0, low, np.where(slope < 0, high, points))
        return np.asarray(at)

    def accept(self, points: FloatArray) -> None:
        """Ask for the exact values of the points that seem to gain most."""
        gain = self.gains(points)
        least = NOTABLE * float(self.tolerance)
        for k in np.argsort(-gain)[:JUDGED]:
            if not gain[k] > least or self.late:
                break
            found = self.judge(points[k])
            if found is not None and found > self.best:
                self.best, self.point = found, points[k]
        if self.best + self.tolerance > self.threshold:
            self.lift()
