"""The only module that imports z3: scripts as z3's terms, and its answers as data.

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
from typing import assert_never, cast

import z3  # type: ignore[import-untyped]

from circ.compiler.smt.formula import (
    Affine,
    Assert,
    Command,
    Conjunction,
    Declare,
    Define,
    Disjunction,
    Flag,
    Formula,
    Negation,
    Product,
    Sign,
    Truth,
    Values,
    digits,
)

VERSION: str = z3.get_version_string()

MEMORY = 4096
"""Mebibytes that z3 may hold before a search is given up."""

TICK = 0.05
"""Seconds between two looks at the clock while z3 searches."""

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
    """Assertions in a z3 context of their own, so that a search can be ended without the others."""

    def __init__(self, script: Iterable[Command], *, nonlinear: bool) -> None:
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
        self.reals: dict[str, z3.ArithRef] = {}
        self.flags: dict[str, z3.BoolRef] = {}
        for command in script:
            self.run(command)

    def run(self, command: Command) -> None:
        """Declare, define or assert; a defined truth is its formula, shared."""
        match command:
            case Declare(name=name, sort="Real"):
                self.reals[name] = z3.Real(name, self.context)
            case Declare(name=name):
                self.flags[name] = z3.Bool(name, self.context)
            case Define(name=name, formula=formula):
                self.flags[name] = self.formula(formula)
            case Assert(formula=formula):
                self.hold(formula)

    def hold(self, formula: Formula) -> None:
        """Assert a formula."""
        self.solver.add(self.formula(formula))

    def number(self, value: Fraction) -> z3.ArithRef:
        """A rational."""
        over = digits(value.denominator)
        text = f"{'-' * (value < 0)}{digits(abs(value.numerator))}/{over}"
        return z3.RealVal(text, self.context)

    def term(self, term: Affine) -> z3.ArithRef:
        """An affine term."""
        parts = [self.number(c) * self.reals[name] for name, c in term.terms]
        constant = [self.number(term.constant)] if term.constant or not parts else []
        return cast("z3.ArithRef", z3.Sum([*parts, *constant]))

    def formula(self, formula: Formula) -> z3.BoolRef:
        """A formula."""
        match formula:
            case Truth(value=value):
                return z3.BoolVal(value, self.context)
            case Flag(name=name):
                return self.flags[name]
            case Sign():
                return self.sign(formula)
            case Product(result=result, left=left, right=right):
                product = self.term(left) * self.term(right)
                return cast("z3.BoolRef", self.reals[result] == product)
            case Negation(of=inner):
                return cast("z3.BoolRef", z3.Not(self.formula(inner)))
            case Conjunction(of=parts):
                return cast("z3.BoolRef", z3.And([self.formula(part) for part in parts]))
            case Disjunction(of=parts):
                return cast("z3.BoolRef", z3.Or([self.formula(part) for part in parts]))
            case _:
                assert_never(formula)

    def sign(self, formula: Sign) -> z3.BoolRef:
        """A comparison, its constant on the right."""
        left = self.term(Affine(formula.term.terms, Fraction(0)))
        right = self.number(-formula.term.constant)
        match formula.op:
            case "<":
                return left < right
            case "<=":
                return left <= right
            case "==":
                return cast("z3.BoolRef", left == right)

    def check(self, seconds: float, watch: Watch) -> Answer:
        """Search for at most so long; what `watch` raises is raised once z3 has stopped."""
        if seconds <= 0:
            return Unanswered("time ran out")
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
        return self.answer(found[0], seconds)

    def search(self, found: list[z3.CheckSatResult | z3.Z3Exception], done: Event) -> None:
        """What the other thread does."""
        try:
            found.append(self.solver.check())
        except z3.Z3Exception as error:
            found.append(error)
        finally:
            done.set()

    def answer(self, result: z3.CheckSatResult | z3.Z3Exception, seconds: float) -> Answer:
        """z3's result as data."""
        if isinstance(result, z3.Z3Exception):
            return Unanswered(f"z3 failed: {result}")
        if result == z3.sat:
            return Satisfied(self.values())
        if result == z3.unsat:
            return Unsatisfiable()
        return Unanswered(reason(cast("str", self.solver.reason_unknown()), seconds))

    def values(self) -> Values:
        """The model, completed: a value for every variable and every defined truth."""
        model = self.solver.model()
        reals = {name: real_value(model.eval(x, True)) for name, x in self.reals.items()}
        flags = {name: z3.is_true(model.eval(x, True)) for name, x in self.flags.items()}
        exact = all(is_exact for _, is_exact in reals.values())
        return Values({name: value for name, (value, _) in reals.items()}, flags, exact)


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
    for start in range(0, len(text), 4000):
        part = text[start : start + 4000]
        total = total * 10 ** len(part) + int(part)
    return total


def reason(said: str, seconds: float) -> str:
    """Why z3 gave up, in words."""
    if said in {"timeout", "canceled", "interrupted"}:
        return f"z3 found no answer in {seconds:.3g} s"
    if "memory" in said or "memout" in said:
        return f"z3 needed more than {MEMORY} MiB"
    return f"z3 gave up: {said}"
