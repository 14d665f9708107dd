"""Answering a standard problem: a network, and a property that some input may meet.

Each box of inputs is an obligation. One that is refuted answers `sat`, once its input was replayed in
exact arithmetic; all of them proved answer `unsat`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from time import monotonic
from typing import Literal, assert_never

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.obligation import Obligation, Reals, Witness
from circ.compiler.readings.intervals import Reals as Enclosure
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.vnnlib.problem import INPUT, OUTPUT, Problem

Decide = Callable[[Obligation, Weights, Limits, Progress], Finding]

OUT_OF_TIME = "the time ran out"

FIRST_SHARE = 0.25
"""The share of the time that boxes have in all before the hard ones are gone on with."""


@dataclass(frozen=True, slots=True)
class Sat:
    """An input that is looked for, with bounds on the network's exact outputs there."""

    inputs: tuple[Fraction, ...]
    outputs: tuple[tuple[Fraction, Fraction], ...]
    method: str
    answer: Literal["sat"] = "sat"


@dataclass(frozen=True, slots=True)
class Unsat:
    """No input is what is looked for."""

    methods: tuple[str, ...]
    trusted: tuple[str, ...]
    answer: Literal["unsat"] = "unsat"


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither was shown, for this reason."""

    reason: str
    answer: Literal["unknown"] = "unknown"


Answer = Sat | Unsat | Undecided


def answer(problem: Problem, limits: Limits, progress: Progress, decide: Decide) -> Answer:
    """The answer, from the boxes one after the other, in two turns if there are several.

    A box that is hard waits for the second turn, in which those that are left share the time: it keeps
    none of the others from being asked.
    """
    boxes = list(range(len(problem.obligations)))
    asking = Asking(problem, limits, progress, decide, monotonic() + limits.timeout)
    shares = (FIRST_SHARE, 1.0) if len(boxes) > 1 else (1.0,)
    for share in shares:
        found = asking.turn(boxes, share)
        if found is not None:
            return found
        boxes = asking.late
        if not boxes or asking.interrupted:
            break
    reasons = (*asking.reasons, *asking.ran_out)
    if reasons:
        return Undecided("; ".join(dict.fromkeys(reasons)))
    methods = tuple(dict.fromkeys(found.method for found in asking.held))
    return Unsat(methods, tuple(dict.fromkeys(t for found in asking.held for t in found.trusted)))


@dataclass(slots=True)
class Asking:
    """Boxes that are asked about: the proofs that `held`, and the `reasons` why others are undecided.

    `late` are the numbers of this turn's boxes that more time may decide, `ran_out` says why.
    """

    problem: Problem
    limits: Limits
    progress: Progress
    decide: Decide
    deadline: float
    held: list[Holds | Empty] = field(default_factory=list[Holds | Empty])
    reasons: list[str] = field(default_factory=list[str])
    late: list[int] = field(default_factory=list[int])
    ran_out: list[str] = field(default_factory=list[str])
    interrupted: bool = False
    asked: bool = False

    def turn(self, boxes: list[int], share: float) -> Sat | None:
        """Ask about boxes within a share of the time that is left; what is looked for, if it is found."""
        self.late, self.ran_out = [], []
        for k, box in enumerate(boxes):
            left = max(self.deadline - monotonic(), 0.0)
            if self.interrupted or (self.asked and not left):
                self.late += boxes[k:]
                self.ran_out += [] if self.interrupted else [OUT_OF_TIME]
                return None
            found = self.ask(box, share * left / (len(boxes) - k))
            if found is not None:
                return found
        return None

    def ask(self, number: int, seconds: float) -> Sat | None:
        """Ask about one box for so long."""
        box, weights = self.problem.obligations[number], self.problem.weights
        self.asked, until = True, monotonic() + seconds
        within = replace(self.limits, timeout=seconds, first=True)
        finding = self.decide(box, weights, within, self.progress)
        match finding:
            case Fails():
                found = confirmed(box, weights, finding)
                if isinstance(found, Sat):
                    return found
                self.reasons.append(found.reason)
            case Holds() | Empty():
                self.held.append(finding)
            case Stuck(reason=reason, interrupted=True):
                self.reasons.append(reason)
                self.interrupted = True
            case Stuck(reason=reason) if monotonic() < until:
                self.reasons.append(reason)
            case Stuck(reason=reason):
                self.late.append(number)
                self.ran_out.append(reason)
            case _:
                assert_never(finding)
        return None


def confirmed(obligation: Obligation, weights: Weights, finding: Fails) -> Sat | Undecided:
    """A failing input, if exact arithmetic confirms it."""
    exact = trial(obligation, weights, finding.witness, [OUTPUT])
    witness = finding.witness
    if exact.refutes and not all(map(terminates, inputs_of(witness))):
        rounded = in_floats(obligation, witness)
        again = trial(obligation, weights, rounded, [OUTPUT])
        if again.refutes:
            witness, exact = rounded, again
    if not exact.refutes:
        return Undecided("an input that was found is not confirmed in exact arithmetic")
    outputs = exact.outputs[OUTPUT]
    assert isinstance(outputs, Enclosure)
    return Sat(inputs_of(witness), outputs.box, finding.method)


def inputs_of(witness: Witness) -> tuple[Fraction, ...]:
    """The network's inputs at a witness."""
    return tuple(map(Fraction, witness[INPUT]))


def terminates(value: Fraction) -> bool:
    """Whether a decimal writes the number."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1


def in_floats(obligation: Obligation, witness: Witness) -> Witness:
    """The witness with each number as the nearest double, kept inside the box."""
    (binder,) = obligation.binders
    assert isinstance(binder.values, Reals)
    near = [Fraction(float(value)) for value in inputs_of(witness)]
    kept = [
        min(max(value, low), high)
        for value, (low, high) in zip(near, binder.values.box, strict=True)
    ]
    return Witness(((INPUT, tuple(kept)),))
