"""The least and the greatest value of a number over a domain, each between bounds that are certain.

A value that an input reaches bounds the greatest from below; that no input exceeds a number is a
claim, which the prover decides. Inputs that refute such claims are the next values, until one holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from time import monotonic
from typing import Literal, assert_never

from circ.compiler.builder import Builder, combine, number, truth
from circ.compiler.finding import Empty, Fails, Holds, Limits, Progress, Stuck
from circ.compiler.ir import Compare, Wire
from circ.compiler.obligation import Obligation, Question, Reals, Witness
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals as Enclosure
from circ.compiler.readings.reference import at_point, enclose, over_box
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES, trial
from circ.compiler.verdict import Proved, Vacuous, Verdict, plain_method
from circ.lang.diagnostic import CircError
from circ.lang.errors.domains import without_end
from circ.runtime.prover import choices, decide, prove

GAP = Fraction(1, 1 << 40)
"""How far above a value that was reached, as a share of it, a bound is asked for first."""

WITHIN = Fraction(1, 10**6)
"""Bounds of a number over a box are brought together up to this share of it (of 1, where it is smaller)."""

EXACTLY, TRIES = 2.0, 2
"""Seconds that it may take to show that a value reached on a box is the greatest, nothing left between, and
how often that is tried, where there are few units."""

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


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends."""

    least: Extreme
    greatest: Extreme


def range_of(
    question: Question,
    weights: Weights,
    limits: Limits,
    progress: Progress,
    within: Fraction = WITHIN,
) -> Range | Nowhere:
    """The range of the goal, a real scalar, at every length of its word where that may have several."""
    several = question.lengths
    if several is None:
        return at_one_length(question.at(None), weights, limits, progress, within)
    if several.last is None:
        raise CircError(without_end(question.at(None).span, "a range"))
    count = several.last - several.first + 1
    share = replace(limits, timeout=limits.timeout / count)
    asked = map(question.at, range(several.first, several.last + 1))
    found = [at_one_length(each, weights, share, progress, within) for each in asked]
    ranges = [each for each in found if isinstance(each, Range)]
    open_lengths = [
        each
        for each in found
        if isinstance(each, Nowhere) and not isinstance(each.verdict, Vacuous)
    ]
    if open_lengths or not ranges:
        return (open_lengths or [each for each in found if isinstance(each, Nowhere)])[0]
    least = furthest([turned(each.least) for each in ranges])
    return Range(turned(least), furthest([each.greatest for each in ranges]))


def furthest(ends: Sequence[Extreme]) -> Extreme:
    """The greatest of several: its witness is the one that reaches furthest."""
    best = max(ends, key=lambda end: (end.low is not None, end.low or 0))
    highs = [end.high for end in ends if end.high is not None]
    return replace(
        best,
        high=max(highs) if len(highs) == len(ends) else None,
        method=", ".join(dict.fromkeys(plain_method(end.method) for end in ends)),
        trusted=tuple(dict.fromkeys(word for end in ends for word in end.trusted)),
        reason=", ".join(dict.fromkeys(end.reason for end in ends if end.reason)),
        interrupted=any(end.interrupted for end in ends),
    )


def at_one_length(
    question: Obligation,
    weights: Weights,
    limits: Limits,
    progress: Progress,
    within: Fraction = WITHIN,
) -> Range | Nowhere:
    """The range over the inputs that meet the conditions, if there are any."""
    start = middle(question, weights)
    if start is None:
        found = prove(anywhere(question), weights, limits, progress)
        if not isinstance(found, Proved) or found.example is None:
            return Nowhere(question, found)
        start = found.example.witness
    half = replace(limits, timeout=limits.timeout / 2)
    up = Climb.of(question, weights, start, "greatest", within)
    down = Climb.of(negated(question), weights, start, "least", within)
    greatest, least = up.ended(half, progress), down.ended(half, progress)
    return Range(turned(least), greatest)


def middle(question: Obligation, weights: Weights) -> Witness | None:
    """The middle of a box, where that is in the domain and the number is defined there."""
    values = list[tuple[str, tuple[Fraction | int, ...]]]()
    for binder in question.binders:
        if not isinstance(binder.values, Reals):
            return None
        if any(low > high for low, high in binder.values.box):
            return None
        values.append((binder.name, tuple((low + high) / 2 for low, high in binder.values.box)))
    found = Witness(tuple(values))
    from circ.runtime.engines.summit import least_at

    return None if least_at(question, weights, found, {}) is None else found


def turned(found: Extreme) -> Extreme:
    """The least value, from the greatest of its negation."""
    low = None if found.high is None else -found.high
    high = None if found.low is None else -found.low
    return replace(found, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No input was found that meets the conditions, and the verdict that says why."""

    question: Obligation
    verdict: Verdict


# --- questions --------------------------------------------------------------------------------


def anywhere(question: Obligation) -> Obligation:
    """Whether any input meets the conditions."""
    b, outputs = conditions(question)
    return replace(
        question, quantifier="exists", circuit=b.circuit({**outputs, "goal": truth(b, True)})
    )


def negated(question: Obligation) -> Obligation:
    """The same question about the number with its sign turned."""
    b, outputs = conditions(question)
    goal = combine(b, (-1, value_in(question, b)))
    return replace(question, circuit=b.circuit({**outputs, "goal": goal}))


def at_most(question: Obligation, bound: Fraction) -> Obligation:
    """The claim that the number exceeds no bound."""
    b, outputs = conditions(question)
    value = value_in(question, b)
    goal = b.add(Compare("<=", value, number(b, bound)))
    return replace(question, circuit=b.circuit({**outputs, "goal": goal, SHOWN: value}))


SHOWN = "show value"


def conditions(question: Obligation) -> tuple[Builder, dict[str, Wire]]:
    """A copy of the circuit, in which only the conditions are named."""
    b = Builder()
    same = copied(question.circuit, b, keep)
    return b, {name: same.outputs[name] for name in question.conditions}


def value_in(question: Obligation, b: Builder) -> Wire:
    """The number in that copy."""
    return copied(question.circuit, b, keep).outputs["goal"]


# --- one end ----------------------------------------------------------------------------------


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
    method: str = "exact bounds"
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
        if self.real:
            self.searched(limits, progress)
        for _ in range(self.tries):
            bound = self.next_bound()
            left = max(until - monotonic(), 0.0)
            if bound == self.high:  # the last step is worth no long wait
                left = min(left / 4, EXACTLY if self.real else left)
            if (
                self.interrupted
                or bound is None
                or not self.asked(bound, replace(limits, timeout=left), progress)
            ):
                break
        else:
            self.reason = "" if self.close() else f"it was not settled in {ROUNDS} steps"
        return Extreme(
            self.side, self.question, self.low, self.limit, self.witness, self.method, self.trusted, self.tie,
            self.reason, self.interrupted,
        )  # fmt: skip

    @property
    def tries(self) -> int:
        """How many bounds are still worth asking for."""
        if not (self.real and self.close()):
            return ROUNDS
        from circ.runtime.engines.summit import FEW

        return TRIES if choices(self.question.circuit) <= FEW else 0

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

    def asked(self, bound: Fraction, limits: Limits, progress: Progress) -> bool:
        """Ask whether the number exceeds a bound; whether to go on."""
        claim = at_most(self.question, bound)
        found = decide(claim, self.weights, replace(limits, first=False), progress)
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
