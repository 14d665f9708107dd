"""Deciding an obligation by z3, exactly: small or bilinear circuits, rich Boolean structure.

First whether some input misses the goal; if none does, whether there is any input at all. How ties
are broken is part of what z3 looks for; that equal scores are broken alike is asserted only where a
model breaks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from time import monotonic
from typing import assert_never

from circ.compiler.finding import MORE_TIME, Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.ir import Index, Real
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.smt.encode import encode
from circ.compiler.smt.encoding import Encoding, Unsupported, entries_at
from circ.compiler.smt.formula import TRUE, Formula, Values, holds, negation
from circ.compiler.smt.terms import (
    OUT_OF_TIME,
    VERSION,
    Answer,
    Satisfied,
    Solver,
    Unanswered,
    Unsatisfiable,
)
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.verdict import Size
from circ.runtime.engines.idle import emptiness, idle

METHOD = f"SMT (z3 {VERSION})"
TRUSTED = ("z3", "the encoder", "the front end")
WARNING_SECONDS = 2.0
"""The least time that warnings are given; they may take as long again as the answer did."""


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """Whether every input that meets the conditions meets the goal.

    `Stuck` where z3 gives up or is interrupted, or where the circuit needs more than polynomials.
    """
    inquiry = Inquiry(obligation, weights, limits.timeout, progress, monotonic())
    try:
        return decided(inquiry)
    except Unsupported as error:
        return Stuck(f"`{error.op}`: {error.reason}", METHOD)
    except OutOfTime:
        return Stuck(OUT_OF_TIME, METHOD, hint=MORE_TIME)
    except KeyboardInterrupt:
        return Stuck("interrupted", METHOD, interrupted=True)


def decided(inquiry: Inquiry) -> Finding:
    """The question proper, then what its answer rests on."""
    conditions = dict.fromkeys(inquiry.obligation.conditions, True)
    encoding, answer = inquiry.ask("an input that misses the goal", {**conditions, "goal": False})
    method = described(encoding)
    match answer:
        case Satisfied(values=values):
            return failing(inquiry, encoding, values, method)
        case Unsatisfiable():
            return holding(inquiry, conditions, method)
        case Unanswered(reason=reason):
            return Stuck(reason, method, hint=MORE_TIME)
        case _:
            assert_never(answer)


# --- questions ------------------------------------------------------------------------------


class OutOfTime(Exception):
    """The time limit passed outside z3."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Questions about one obligation, within `timeout` seconds of `start` in all."""

    obligation: Obligation
    weights: Weights
    timeout: float
    progress: Progress
    start: float

    def for_warnings(self) -> Inquiry:
        """The same, with a share of the time that is left."""
        used = monotonic() - self.start
        return replace(self, timeout=min(self.timeout, used + max(used, WARNING_SECONDS)))

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self.timeout - (monotonic() - self.start)

    def ask(self, sought: str, outputs: Mapping[str, bool]) -> tuple[Encoding, Answer]:
        """Whether some input gives these outputs these truths, under some choice function."""

        def watch() -> None:
            self.progress(min(1.0, 1 - self.left / max(self.timeout, 1e-9)), f"z3: {sought}")

        def encoding_watch() -> None:
            watch()
            if self.left <= 0:
                raise OutOfTime

        circuit, binders = self.obligation.circuit, self.obligation.binders
        encoding = encode(circuit, binders, self.weights, outputs, encoding_watch)
        solver = Solver(encoding.commands, nonlinear=encoding.multiplied > 0)
        for name, wanted in outputs.items():
            truth = encoding.truth(name)
            solver.hold(truth if wanted else negation(truth))
        pending = list(encoding.agreements())
        while True:
            answer = solver.check(self.left, watch)
            broken = broken_by(answer, pending)
            if not broken:
                return encoding, answer
            for formula in broken:
                solver.hold(formula)
                pending.remove(formula)


def broken_by(answer: Answer, formulas: list[Formula]) -> list[Formula]:
    """Those that a model breaks; all of them where it is not known exactly."""
    match answer:
        case Satisfied(values=values):
            return [f for f in formulas if not (values.exact and holds(f, values))]
        case Unsatisfiable() | Unanswered():
            return []
        case _:
            assert_never(answer)


# --- findings -------------------------------------------------------------------------------


def failing(inquiry: Inquiry, encoding: Encoding, values: Values, method: str) -> Finding:
    """The counterexample of a model, if it is one in exact arithmetic."""
    witness = witness_of(inquiry.obligation, encoding, values)
    if not trial(inquiry.obligation, inquiry.weights, witness).refutes:
        what = "none in exact arithmetic" if values.exact else "irrational, and none when rounded"
        return Stuck(f"the counterexample that z3 found is {what}", method, hardest=witness)
    return Fails(
        method, (), size_of(inquiry.obligation), witness, warnings=warned(inquiry, "premise")
    )


def holding(inquiry: Inquiry, conditions: Mapping[str, bool], method: str) -> Finding:
    """Proved, if any input meets the conditions."""
    encoding, answer = inquiry.ask("an input of the domain", conditions)
    match answer:
        case Satisfied():
            every = all(encoding.truth(name) == TRUE for name in conditions)
            size = size_of(inquiry.obligation, every=every)
            return Holds(method, TRUSTED, size, warnings=warned(inquiry))
        case Unsatisfiable():
            reason = emptiness(inquiry.obligation, lambda name: never(inquiry, {name: True}))
            return Empty(reason, method, TRUSTED)
        case Unanswered(reason=reason):
            why = f"no input misses the goal, but the domain may be empty: {reason}"
            return Stuck(why, method, hint=MORE_TIME)
        case _:
            assert_never(answer)


def warned(inquiry: Inquiry, held: str = "") -> tuple[str, ...]:
    """What the claim says nothing about, as far as that is soon found out; `held` did hold once."""
    briefly = inquiry.for_warnings()
    conditions = dict.fromkeys(inquiry.obligation.conditions, True)

    def never_held(name: str) -> bool:
        return name != held and never(briefly, {**conditions, name: True})

    return tuple(idle(inquiry.obligation, never_held))


def never(inquiry: Inquiry, outputs: Mapping[str, bool]) -> bool:
    """Whether no input gives these outputs these truths, as far as that can be found out."""
    try:
        return inquiry.ask("an input that meets an assumption", outputs)[1] == Unsatisfiable()
    except (Unsupported, OutOfTime):
        return False


def witness_of(obligation: Obligation, encoding: Encoding, values: Values) -> Witness:
    """The input of a model."""
    return Witness(
        tuple(
            (bound.name, entries_at(encoding.inputs[bound.name], values))
            for bound in obligation.binders
        )
    )


def size_of(obligation: Obligation, *, every: bool = False) -> Size:
    """How many inputs there are: counted only for words without any condition (`every`)."""
    types = [bound.type for bound in obligation.binders]
    dimensions = sum(t.entries for t in types if t.sort == Real())
    if not every or dimensions:
        return Size(None, dimensions)
    return Size(prod(t.sort.size**t.entries for t in types if isinstance(t.sort, Index)))


def described(encoding: Encoding) -> str:
    """The method, with what was left for z3 to decide."""
    words = {"relu": "ReLUs", "max": "maxima"}
    phases = [
        f"{left} of {met} {words[kind]} undecided after intervals"
        for kind, (left, met) in encoding.undecided.items()
    ]
    products = [f"{encoding.multiplied} products"] if encoding.multiplied else []
    return ", ".join([METHOD, *phases, *products])
