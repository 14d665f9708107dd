"""The only module that imports z3: scripts in, answers out as data.

z3 searches on a thread of its own, so that the caller keeps the keyboard: whatever is raised while
the caller waits (an interrupt, a `Progress` that stops) ends the search first, and then goes on.
"""
# z3 has no type stubs; nothing untyped leaves this file.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from threading import Event, Thread
from time import monotonic
from typing import cast

import z3  # type: ignore[import-untyped]

from circ.compiler.smt.formula import (
    CHUNK,
    Assert,
    Command,
    Declare,
    Define,
    Formula,
    Values,
    holds,
)
from circ.compiler.smt.text import command_text

VERSION: str = z3.get_version_string()

MEMORY = 4096
"""Mebibytes that z3 may hold before a search is given up."""

TICK = 0.05
"""Seconds between two looks at the clock while z3 searches."""

OUT_OF_TIME = "time ran out"

CLOSE = 40
"""Decimals to which an algebraic number is rounded."""


@dataclass(frozen=True, slots=True)
class Satisfied:
    """The assertions hold at these values."""

    values: Values


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Nothing meets the assertions."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """z3 gave up: why, in words."""

    reason: str


Answer = Satisfied | Unsatisfiable | Unanswered
Watch = Callable[[], None]
"""Called now and then during a search; it may raise to end it."""


class Solver:
    """Assertions in a z3 context of their own, so that a search can be ended without the others.

    z3 reads the text that other solvers would read, which is also the fastest way in.
    """

    def __init__(self, script: Iterable[Command], *, nonlinear: bool) -> None:
        self.script = tuple(script)
        self.context = z3.Context()
        # Python may collect terms on this thread while z3 searches on the other.
        z3.Z3_enable_concurrent_dec_ref(self.context.ref())
        # Measured: for products under phases the plain core is several times faster than QF_NRA's.
        self.solver = (
            z3.SimpleSolver(ctx=self.context)
            if nonlinear
            else z3.SolverFor("QF_LRA", ctx=self.context)
        )
        self.solver.set("max_memory", MEMORY)
        self.solver.set("ctrl_c", False)  # the signal is Python's, which raises here
        self.parser = z3.ParserContext(self.context)
        self.run("\n".join(map(command_text, self.script)))

    def run(self, text: str) -> None:
        """Declare, define and assert."""
        self.solver.add(self.parser.from_string(text))

    def hold(self, formula: Formula) -> None:
        """Assert a formula more."""
        self.run(command_text(Assert(formula)))

    def check(self, seconds: float, watch: Watch) -> Answer:
        """Search for at most so long; what `watch` raises is raised once z3 has stopped."""
        if seconds <= 0:
            return Unanswered(OUT_OF_TIME)
        deadline = monotonic() + seconds
        self.solver.set("timeout", max(1, int(seconds * 1000)))
        done, found = Event(), list[z3.CheckSatResult | z3.Z3Exception]()
        Thread(target=self.search, args=(found, done), daemon=True).start()
        try:
            while not done.wait(TICK):
                watch()
                if monotonic() > deadline:
                    self.context.interrupt()
        finally:
            # z3 forgets an interrupt that comes before it has begun.
            while not done.wait(TICK):
                self.context.interrupt()
        return self.answer(found[0])

    def search(self, found: list[z3.CheckSatResult | z3.Z3Exception], done: Event) -> None:
        """What the other thread does."""
        try:
            found.append(self.solver.check())
        except z3.Z3Exception as error:
            found.append(error)
        finally:
            done.set()

    def answer(self, result: z3.CheckSatResult | z3.Z3Exception) -> Answer:
        """z3's result as data."""
        if isinstance(result, z3.Z3Exception):
            return Unanswered(reason(str(result)))
        if result == z3.sat:
            return self.satisfied()
        if result == z3.unsat:
            return Unsatisfiable()
        return Unanswered(reason(cast("str", self.solver.reason_unknown())))

    def satisfied(self) -> Answer:
        """Its model; z3 has none where it was stopped as it found one."""
        try:
            return Satisfied(self.values())
        except z3.Z3Exception as error:
            return Unanswered(reason(str(error)))

    def values(self) -> Values:
        """The model, completed: a value for every variable and every defined truth."""
        model = self.solver.model()
        reals: dict[str, Fraction] = {}
        flags: dict[str, bool] = {}
        exact = True
        for command in self.script:
            match command:
                case Declare(name=name, sort="Real"):
                    found = model.eval(z3.Real(name, self.context), True)
                    reals[name], is_exact = real_value(found)
                    exact = exact and is_exact
                case Declare(name=name):
                    flags[name] = z3.is_true(model.eval(z3.Bool(name, self.context), True))
                case Define(name=name, formula=formula):
                    flags[name] = holds(formula, Values(reals, flags))
                case Assert():
                    pass
        return Values(reals, flags, exact)


def real_value(value: z3.ExprRef) -> tuple[Fraction, bool]:
    """A real of a model, and whether it is exact: an algebraic one is rounded."""
    if isinstance(value, z3.AlgebraicNumRef):
        return real_value(value.approx(CLOSE))[0], False
    assert isinstance(value, z3.RatNumRef)
    over, under = (
        cast("str", part.as_string()) for part in (value.numerator(), value.denominator())
    )
    sign = -1 if over.startswith("-") else 1
    return Fraction(sign * natural(over.lstrip("-")), natural(under)), True


def natural(text: str) -> int:
    """The number that `digits` writes."""
    total = 0
    for start in range(0, len(text), CHUNK):
        part = text[start : start + CHUNK]
        total = total * 10 ** len(part) + int(part)
    return total


def reason(said: str) -> str:
    """Why z3 gave up, in words."""
    if said in {"timeout", "canceled", "interrupted"}:
        return OUT_OF_TIME
    if "memory" in said or "memout" in said:
        return f"z3 needed more than {MEMORY} MiB"
    return f"z3 gave up: {said}"
