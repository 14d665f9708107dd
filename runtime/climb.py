"""One end of a range: the greatest value of a number, by claims that it is not exceeded.

Inputs that refute such a claim are the next values, until one holds; over boxes a search by bounds comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from time import monotonic
from typing import Literal, assert_never

from circ.compiler.finding import Empty, Fails, Holds, Limits, Progress, Stuck
from circ.compiler.obligation import Obligation, Reals, Witness
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals as Enclosure
from circ.compiler.readings.reference import at_point, enclose, over_box
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES, trial
from circ.runtime.bounded import at_most
from circ.runtime.prover import choices, decide
from circ.runtime.shares import Engine

GAP = Fraction(1, 1 << 40)
"""How far above a value that was reached, as a share of it, a bound is asked for first."""

SOON, EXACTLY, TRIES = 2.0, 2.0, 2
"""Where a box has few units: seconds of the first search for a value, and of showing that what it reached is
the greatest, nothing left between; and how often that is tried."""

LATE = "the time ran out"
INTERRUPTED = "interrupted"

ROUNDS = 60
"""Claims asked for one end of a range."""

NOT_SHOWN = "an input that an engine gave is not shown to exceed what was reached"

Side = Literal["least", "greatest"]


@dataclass(frozen=True, slots=True)
class Extreme:
    """One end of a range: it lies between `low` and `high`, and `witness` reaches what is near.

    `question` is about the word of the witness, which may have one of several lengths.

    A bound is None where none was found; `reason` says why the two differ by more than rounding.
    `tie`: the value there depends on how equal scores are broken.
    """

    side: Side
    question: Obligation
    low: Fraction | None
    high: Fraction | None
    witness: Witness
    method: str
    trusted: tuple[str, ...]
    tie: bool = False
    reason: str = ""
    interrupted: bool = False


@dataclass(slots=True)
class Climb:
    """The greatest value: what was reached, and what is known not to be exceeded.

    `low` and `high` enclose the value at `witness`, `tie` says that equal scores leave it open.
    """

    question: Obligation
    weights: Weights
    side: Side
    witness: Witness
    within: Fraction
    low: Fraction
    high: Fraction
    tie: bool
    limit: Fraction | None
    method: str = "intervals alone"
    trusted: tuple[str, ...] = ("the front end",)
    reason: str = ""
    interrupted: bool = False
    steps: int = 0

    @classmethod
    def of(
        cls, question: Obligation, weights: Weights, witness: Witness, side: Side, within: Fraction
    ) -> Climb:
        """The start, from any input."""
        low, high, tie = value_at(question, weights, witness)
        limit = at_most_everywhere(question, weights)
        return cls(question, weights, side, witness, within, low, high, tie, limit)

    @property
    def tolerance(self) -> Fraction:
        """How far the bounds of the greatest value may be apart."""
        return self.within * max(abs(self.high), Fraction(1))

    @property
    def real(self) -> bool:
        """Whether inputs are boxes of reals alone."""
        return all(isinstance(bound.values, Reals) for bound in self.question.binders)

    def searched(self, limits: Limits, progress: Progress) -> None:
        """Over a box: one search, for a value that is the greatest but for the tolerance."""
        from circ.runtime.engines.summit import summit

        found = summit(self.question, self.weights, self.low, self.within, limits, progress)
        if found is None:
            return
        self.interrupted = found.interrupted
        if found.witness is not None:
            self.reached(found.witness)
        if found.limit is not None and (self.limit is None or found.limit < self.limit):
            self.limit, self.method, self.trusted = found.limit, found.method, found.trusted

    def ended(self, limits: Limits, progress: Progress) -> Extreme:
        """Climb until a bound holds, or nothing more can be said in time."""
        until = monotonic() + limits.timeout
        if self.real and not self.interrupted:
            self.over_box(until, limits, progress)
        if not self.settled:
            self.rounds(ROUNDS, until, limits, progress)
        if self.interrupted and not (self.close() or self.reason):
            self.reason = INTERRUPTED
        if not (self.settled or self.close() or self.reason):
            self.reason = LATE if monotonic() > until else f"it was not settled in {ROUNDS} steps"
        return Extreme(
            self.side, self.question, self.low, self.limit, self.witness, self.method, self.trusted, self.tie,
            self.reason, self.interrupted,
        )  # fmt: skip

    @property
    def settled(self) -> bool:
        """Whether there is nothing more to be done."""
        return self.interrupted or (self.real and self.close()) or self.next_bound() is None

    def over_box(self, until: float, limits: Limits, progress: Progress) -> None:
        """Search, and where there are few units, have what was reached proved to be the greatest.

        Bounds get a little time before that: on a flat top they need many parts, and SMT none.
        """
        from circ.runtime.engines.summit import FEW

        few = choices(self.question.circuit) <= FEW
        brief = replace(limits, timeout=min(limits.timeout, SOON)) if few else limits
        self.searched(brief, progress)
        if few and not self.interrupted:
            self.rounds(TRIES, until, limits, progress, exactly=True)
        if few and not self.settled:
            self.reason = ""
            self.halved(until, limits, progress)
        if few and not self.settled:
            self.reason = ""
            self.searched(replace(limits, timeout=max(until - monotonic(), 0.0)), progress)

    def halved(self, until: float, limits: Limits, progress: Progress) -> None:
        """Halve what is left between by SMT alone, as long as it answers soon."""
        from circ.runtime.engines import smt

        for _ in range(ROUNDS):
            bound, left = self.next_bound(), min(until - monotonic(), EXACTLY)
            within = replace(limits, timeout=left)
            if self.close() or bound is None or left <= 0:
                return
            if not self.asked(bound, within, progress, smt.decide):
                return

    def rounds(
        self, most: int, until: float, limits: Limits, progress: Progress, *, exactly: bool = False
    ) -> None:
        """Ask for one bound after another; `exactly`: for what was reached itself."""
        for _ in range(most):
            bound = self.next_bound()
            left = max(until - monotonic(), 0.0)
            if exactly or bound == self.high:  # the last step is worth no long wait
                left = min(left / 4, EXACTLY if self.real else left)
                bound = None if bound is None else self.high
            within = replace(limits, timeout=left)
            if bound is None or not left or not self.asked(bound, within, progress):
                return

    def next_bound(self) -> Fraction | None:
        """What to ask for next: a bound just above what was reached, then that itself.

        Over a box an input that refutes a bound may be any, so that what is between is halved there in
        every second step.
        """
        self.steps += 1
        above = self.high + GAP * max(abs(self.high), Fraction(1))
        if self.limit is not None and self.limit <= self.high:
            return None
        if self.limit is not None and self.limit <= above:
            return self.high
        real = any(isinstance(bound.values, Reals) for bound in self.question.binders)
        if real and self.limit is not None:
            near = self.limit - self.high <= self.tolerance
            return self.high if near or self.steps % 2 else (self.limit + self.high) / 2
        return above

    def asked(
        self, bound: Fraction, limits: Limits, progress: Progress, engine: Engine = decide
    ) -> bool:
        """Ask whether the number exceeds a bound; whether to go on."""
        claim = at_most(self.question, bound)
        found = engine(claim, self.weights, replace(limits, first=False), progress)
        match found:
            case Holds():
                self.limit, self.method, self.trusted = bound, found.method, found.trusted
                return True
            case Fails(witness=witness) if trial(claim, self.weights, witness).refutes:
                self.reached(witness)
                return True
            case Fails():
                self.reason = "" if self.close() else NOT_SHOWN
                return False
            case Stuck():
                self.interrupted = found.interrupted
                self.reason = "" if self.close() else found.reason
                return False
            case Empty():
                raise AssertionError("an input was found")
            case _:
                assert_never(found)

    def reached(self, witness: Witness) -> None:
        """Take an input whose value exceeds what was reached."""
        low, high, self.tie = value_at(self.question, self.weights, witness)
        self.witness, self.low, self.high = witness, max(low, self.low), max(high, self.high)

    def close(self) -> bool:
        """Whether what is left open is rounding alone, or the tolerance."""
        return self.limit is not None and self.limit - self.low <= self.tolerance


def at_most_everywhere(question: Obligation, weights: Weights) -> Fraction | None:
    """A bound by intervals over all that the binders range over, where there is one."""
    try:
        found = enclose(question.circuit, over_box(question.binders), weights, outputs=["goal"])
    except Undefined:
        return None
    value = found["goal"]
    assert isinstance(value, Enclosure)
    return value.box[0][1]


def value_at(
    question: Obligation, weights: Weights, witness: Witness
) -> tuple[Fraction, Fraction, bool]:
    """Bounds of the number at an input, and whether they differ by how ties are broken."""
    point = at_point(question.circuit, dict(witness.values))
    cases = every_choice(question.circuit, point, weights, outputs=["goal"])
    boxes = [one_of(outcome.outputs) for outcome in islice(cases, MOST_CHOICES)]
    tie = len(boxes) > 1
    if next(cases, None) is not None:
        boxes.append(one_of(enclose(question.circuit, point, weights, outputs=["goal"])))
    return min(low for low, _ in boxes), max(high for _, high in boxes), tie


def one_of(outputs: Mapping[str, object]) -> tuple[Fraction, Fraction]:
    """The bounds of the number."""
    value = outputs["goal"]
    assert isinstance(value, Enclosure)
    return value.box[0]
