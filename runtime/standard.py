"""Answering a standard problem: a network, and a property that some input may meet.

Each box of inputs is an obligation. One that is refuted answers `sat`, once its input was replayed in
exact arithmetic; all of them proved answer `unsat`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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
    """The answer, from the boxes one after the other; each may use the time that is left."""
    start = monotonic()
    open_reasons: list[str] = []
    held: list[Holds] = []
    for obligation in problem.obligations:
        left = limits.timeout - (monotonic() - start)
        if left <= 0 and (held or open_reasons):
            open_reasons.append(OUT_OF_TIME)
            break
        within = replace(limits, timeout=max(left, 0.0), first=True)
        finding = decide(obligation, problem.weights, within, progress)
        match finding:
            case Fails():
                found = confirmed(obligation, problem.weights, finding)
                if isinstance(found, Sat):
                    return found
                open_reasons.append(found.reason)
            case Holds():
                held.append(finding)
            case Empty():
                pass
            case Stuck(reason=reason, interrupted=interrupted):
                open_reasons.append(reason)
                if interrupted:
                    break
            case _:
                assert_never(finding)
    if open_reasons:
        return Undecided("; ".join(dict.fromkeys(open_reasons)))
    methods = tuple(dict.fromkeys(found.method for found in held))
    return Unsat(methods, tuple(dict.fromkeys(t for found in held for t in found.trusted)))


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
