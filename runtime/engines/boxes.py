"""Deciding claims about boxes of reals: linear bounds, with branch and bound.

First whether some input misses the goal; if none does, whether there is any input at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from time import monotonic
from typing import assert_never

import numpy as np

from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.net import FloatArray
from circ.compiler.boxes.place import HOST, Place
from circ.compiler.boxes.read import read
from circ.compiler.boxes.round import prepared
from circ.compiler.builder import Builder, truth
from circ.compiler.finding import MORE_TIME, Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.ir import Not, Wire
from circ.compiler.obligation import Bound, Obligation, Reals, Witness
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.readings.reference import Value, constants
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.verdict import Size
from circ.runtime.engines.explore import Closed, Exploration, Found, Open, Outcome
from circ.runtime.engines.idle import emptiness, idle
from circ.runtime.engines.places import place_named

METHOD = "linear bounds with branch and bound"
TRUSTED = ("the bounds", "numpy's arithmetic", "the front end")
WARNING_SECONDS = 2.0
"""The most that one warning may take."""

MOST_EXACT = 64
"""Most parts of a box that are decided exactly, each in `EXACT_SECONDS` at most."""

EXACT_SECONDS = 5.0

OUT_OF_TIME = "the time ran out"
MORE_MEMORY = "allow more memory (`--memory MIB`), or narrow the domain"
MORE_ROOM = "claim a little less: a margin helps where an input comes just up to what is claimed"

MOST_SIDES = 4
"""Most sides of the hardest part that are told."""


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """Whether every input that meets the conditions meets the goal.

    `Stuck` where the time runs out, where bounds do not decide (a margin of 0), and where the circuit
    has no bounds here.
    """
    until = monotonic() + limits.timeout
    memory = limits.memory * 2.0**20
    place = place_named(limits.device)
    asking = Asking(obligation, weights, until, progress, memory, limits.jobs, place)
    try:
        return decided(asking)
    except Beyond as error:
        return Stuck(str(error), METHOD)
    except KeyboardInterrupt:
        return Stuck("interrupted", METHOD, interrupted=True)


def decided(asking: Asking) -> Finding:
    """The question proper, then what its answer rests on."""
    obligation = asking.obligation
    found = asking.ask(obligation, "branch and bound")
    match found:
        case Found():
            witness = found.exact or asking.witness(found.point)
            return Fails(METHOD, (), asking.size, witness, warnings=warned(asking, "premise"))
        case Closed():
            return holding(asking, found)
        case Open():
            return undecided(asking, found)
        case _:
            assert_never(found)


def holding(asking: Asking, closed: Closed) -> Finding:
    """Proved, if any input meets the conditions."""
    parts = max(closed.nodes, 1)  # what is settled as it is read is settled on the whole box
    method = f"{METHOD}, {parts:,} part{'s' * (parts != 1)}"
    trusted = trusted_at(asking.place)
    if closed.exact:
        method += f", {closed.exact} of them by SMT"
        trusted = (*trusted, "z3", "the encoder")
    found = asking.ask(about(asking.obligation, None), "looking for an input of the domain")
    match found:
        case Found():
            return Holds(method, trusted, asking.size, warnings=warned(asking))
        case Closed():
            return Empty(emptiness(asking.obligation, asking.briefly().none), method, trusted)
        case Open():
            why = "no input misses the goal, but the domain may be empty"
            return replace(undecided(asking, found), reason=why)
        case _:
            assert_never(found)


def trusted_at(place: Place) -> tuple[str, ...]:
    """What a proof rests on whose bounds are computed there."""
    return TRUSTED if place is HOST else (*TRUSTED, "the device's arithmetic")


def warned(asking: Asking, held: str = "") -> tuple[str, ...]:
    """What the claim says nothing about, as far as that is soon found out; `held` did hold once."""

    def never(name: str) -> bool:
        return name != held and asking.briefly().never(name)

    return tuple(idle(asking.obligation, never))


def undecided(asking: Asking, found: Open) -> Stuck:
    """What was reached."""
    part = f"{found.share:.2g} of the domain is undecided after {found.nodes:,} part{'s' * (found.nodes != 1)}"
    where = hardest(asking.obligation, found)
    why, hint = "it comes too near to failing for bounds to tell", MORE_ROOM
    if found.interrupted:
        why, hint = "interrupted", MORE_TIME
    elif found.full:
        why, hint = "the parts still open take up the memory", MORE_MEMORY
    elif found.late:
        why, hint = OUT_OF_TIME, MORE_TIME
    return Stuck(
        f"{why}: {part}{where}",
        METHOD,
        bound=found.least if isfinite(found.least) else None,
        hardest=asking.witness(found.low / 2 + found.high / 2),
        hint=hint,
        interrupted=found.interrupted,
    )


def hardest(obligation: Obligation, found: Open) -> str:
    """The sides of the hardest part that are narrower than the domain's, the narrowest first."""
    whole = [
        (f"{binder.name}{place(k, binder.type.shape)}", float(low), float(high))
        for binder in obligation.binders
        if isinstance(binder.values, Reals)
        for k, (low, high) in enumerate(binder.values.box)
    ]
    ends = zip(whole, found.low.tolist(), found.high.tolist(), strict=False)
    narrow = [
        ((high - low) / (most - least), f"{name} in {low:.4g} .. {high:.4g}")
        for (name, least, most), low, high in ends
        if high - low < 0.99 * (most - least)
    ]
    told = [text for _, text in sorted(narrow)[:MOST_SIDES]]
    rest = f", {len(narrow) - len(told)} more" if len(narrow) > len(told) else ""
    return f"; the hardest part has {', '.join(told)}{rest}" if told else ""


def place(entry: int, shape: tuple[int, ...]) -> str:
    """An entry of a tensor, as an expression names it."""
    return "".join(f"[{k}]" for k in np.unravel_index(entry, shape)) if shape else ""


@dataclass(frozen=True, slots=True)
class Asking:
    """Questions about one obligation until a deadline."""

    obligation: Obligation
    weights: Weights
    deadline: float
    progress: Progress
    memory: float
    jobs: int
    place: Place = HOST

    @property
    def size(self) -> Size:
        """How large the domain is."""
        return Size(None, sum(binder.type.entries for binder in self.obligation.binders))

    def briefly(self) -> Asking:
        """The same, with a little of the time that is left."""
        return replace(self, deadline=min(self.deadline, monotonic() + WARNING_SECONDS))

    def ask(self, obligation: Obligation, doing: str) -> Outcome:
        """Whether some input meets the conditions and misses the goal."""
        problem = read(obligation, self.weights)
        if not problem.clauses:
            return Closed(0)
        question, judge = prepared(problem, self.place), self.judge(obligation)

        def move(share: float) -> None:
            self.progress(share, f"{doing}, {share:.1%} of the domain decided")

        within = self.memory, self.jobs
        found = Exploration(question, judge, self.deadline, move, *within).outcome()
        return self.finished(obligation, found) if isinstance(found, Open) else found

    def finished(self, obligation: Obligation, found: Open) -> Outcome:
        """What exact arithmetic makes of the parts that bounds cannot decide, if they are few."""
        aside = found.aside
        if found.late or found.interrupted or aside is None or len(aside) > MOST_EXACT:
            return found
        from circ.runtime.engines import smt

        for low, high in zip(aside.low, aside.high, strict=True):
            part = narrowed(obligation, low, high)
            limits = Limits(timeout=min(EXACT_SECONDS, self.deadline - monotonic()))
            answer = smt.decide(part, self.weights, limits, self.progress)
            match answer:
                case Fails(witness=witness):
                    point = [float(x) for _, entries in witness.values for x in entries]
                    return Found(np.array(point), witness)
                case Stuck(interrupted=interrupted):
                    return replace(found, interrupted=interrupted)
                case Holds() | Empty():
                    pass
                case _:
                    assert_never(answer)
        return Closed(found.nodes, len(aside))

    def judge(self, obligation: Obligation) -> Callable[[FloatArray], bool]:
        """Whether an input refutes an obligation, exactly."""
        known = dict[Wire, Value]()

        def refutes(point: FloatArray) -> bool:
            known.update({} if known else constants(obligation.circuit, self.weights))
            return trial(obligation, self.weights, self.witness(point), known=known).refutes

        return refutes

    def witness(self, point: FloatArray) -> Witness:
        """An input as numbers, inside the box."""
        left = iter(point.tolist())
        values = list[tuple[str, tuple[Fraction | int, ...]]]()
        for binder in self.obligation.binders:
            assert isinstance(binder.values, Reals)
            entries = tuple(
                min(max(Fraction(value), low), high)
                for (low, high), value in zip(binder.values.box, left, strict=False)
            )
            values.append((binder.name, entries))
        return Witness(tuple(values))

    def never(self, name: str) -> bool:
        """Whether an output holds at no input of the domain, as far as that was found out."""
        return self.nowhere(about(self.obligation, name))

    def none(self, name: str) -> bool:
        """Whether a condition holds nowhere in the box, as far as that was found out."""
        return self.nowhere(about(self.obligation, name, alone=True))

    def nowhere(self, obligation: Obligation) -> bool:
        """Whether no input refutes an obligation, as far as that was found out."""
        try:
            found = self.ask(obligation, "looking for an input that meets an assumption")
        except Beyond:
            return False
        return isinstance(found, Closed)


def narrowed(obligation: Obligation, low: FloatArray, high: FloatArray) -> Obligation:
    """An obligation on a part of its box."""
    ends = iter(zip(map(float, low), map(float, high), strict=True))
    binders = list[Bound]()
    for binder in obligation.binders:
        assert isinstance(binder.values, Reals)
        box = tuple(
            (max(least, Fraction(below)), min(most, Fraction(above)))
            for (least, most), (below, above) in zip(binder.values.box, ends, strict=False)
        )
        binders.append(replace(binder, values=Reals(box)))
    return replace(obligation, binders=tuple(binders))


def about(obligation: Obligation, name: str | None, *, alone: bool = False) -> Obligation:
    """An obligation that an input refutes just if it meets the conditions and the output `name`.

    `alone` leaves the conditions out.
    """
    b = Builder()
    kept = copied(obligation.circuit, b, keep)
    conditions = {} if alone else {c: kept.outputs[c] for c in obligation.conditions}
    goal = truth(b, False) if name is None else b.add(Not(kept.outputs[name]))
    return replace(obligation, circuit=b.circuit({**conditions, "goal": goal}))
