"""The small logic that circuits are encoded in: affine terms over reals, and truths about them.

A script declares variables, defines truths and asserts formulas. It has two readings: z3's terms
(`circ.compiler.smt.terms`) and SMT-LIB text (`circ.compiler.smt.smtlib`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, assert_never

from circ.compiler.ir import Comparison

# --- terms ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Affine:
    """`constant` + Σ coefficient · variable, by the variables' names, no coefficient zero."""

    terms: tuple[tuple[str, Fraction], ...]
    constant: Fraction

    @property
    def known(self) -> bool:
        """Whether it is a constant."""
        return not self.terms


ZERO = Affine((), Fraction(0))


def constant(value: Fraction | int) -> Affine:
    """A number."""
    return Affine((), Fraction(value))


def variable(name: str) -> Affine:
    """A real variable."""
    return Affine(((name, Fraction(1)),), Fraction(0))


def combined(parts: Iterable[tuple[Fraction, Affine]]) -> Affine:
    """Σ factor · term; equal parts cancel."""
    total = Fraction(0)
    found: dict[str, Fraction] = {}
    for factor, part in parts:
        if factor:
            once = factor == 1
            total += part.constant if once else factor * part.constant
            for name, c in part.terms:
                more = c if once else factor * c
                found[name] = found[name] + more if name in found else more
    return Affine(tuple(sorted((name, c) for name, c in found.items() if c)), total)


def scaled(factor: Fraction, term: Affine) -> Affine:
    """factor · term."""
    return combined([(factor, term)])


def difference(left: Affine, right: Affine) -> Affine:
    """left - right."""
    return combined([(Fraction(1), left), (Fraction(-1), right)])


# --- formulas -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Truth:
    """True or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Flag:
    """A Boolean variable, or a truth that was defined."""

    name: str


@dataclass(frozen=True, slots=True)
class Sign:
    """How a term compares with zero."""

    op: Comparison
    term: Affine


@dataclass(frozen=True, slots=True)
class Product:
    """The variable `result` is `left` times `right`."""

    result: str
    left: Affine
    right: Affine


@dataclass(frozen=True, slots=True)
class Negation:
    """Not so."""

    of: Formula


@dataclass(frozen=True, slots=True)
class Conjunction:
    """All of two or more."""

    of: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """One of two or more."""

    of: tuple[Formula, ...]


Formula = Truth | Flag | Sign | Product | Negation | Conjunction | Disjunction

TRUE, FALSE = Truth(True), Truth(False)


def negation(formula: Formula) -> Formula:
    """Not so, pushed into what can take it."""
    match formula:
        case Truth(value=value):
            return Truth(not value)
        case Negation(of=inner):
            return inner
        case Sign(op="<", term=term):
            return Sign("<=", scaled(Fraction(-1), term))
        case Sign(op="<=", term=term):
            return Sign("<", scaled(Fraction(-1), term))
        case _:
            return Negation(formula)


def conjunction(formulas: Iterable[Formula]) -> Formula:
    """All of these; true of none."""
    parts = tuple(dict.fromkeys(part for part in formulas if part != TRUE))
    if FALSE in parts:
        return FALSE
    return Conjunction(parts) if len(parts) > 1 else parts[0] if parts else TRUE


def disjunction(formulas: Iterable[Formula]) -> Formula:
    """One of these; false of none."""
    parts = tuple(dict.fromkeys(part for part in formulas if part != FALSE))
    if TRUE in parts:
        return TRUE
    return Disjunction(parts) if len(parts) > 1 else parts[0] if parts else FALSE


def implication(left: Formula, right: Formula) -> Formula:
    """`right` wherever `left`."""
    return disjunction([negation(left), right])


# --- scripts --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Declare:
    """A free variable."""

    name: str
    sort: Literal["Real", "Bool"]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Define:
    """A name for a truth."""

    name: str
    formula: Formula
    note: str = ""


@dataclass(frozen=True, slots=True)
class Assert:
    """What must hold."""

    formula: Formula
    note: str = ""


Command = Declare | Define | Assert


# --- values ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Values:
    """A value for each variable and each defined truth; `exact` where no real was rounded."""

    reals: Mapping[str, Fraction]
    flags: Mapping[str, bool]
    exact: bool = True


def number(term: Affine, values: Values) -> Fraction:
    """The value of a term."""
    return sum((c * values.reals[name] for name, c in term.terms), term.constant)


def holds(formula: Formula, values: Values) -> bool:
    """The value of a formula."""
    match formula:
        case Truth(value=value):
            return value
        case Flag(name=name):
            return values.flags[name]
        case Sign(op=op, term=term):
            return compare(op, number(term, values))
        case Product(result=result, left=left, right=right):
            return values.reals[result] == number(left, values) * number(right, values)
        case Negation(of=inner):
            return not holds(inner, values)
        case Conjunction(of=parts):
            return all(holds(part, values) for part in parts)
        case Disjunction(of=parts):
            return any(holds(part, values) for part in parts)
        case _:
            assert_never(formula)


def compare(op: Comparison, value: Fraction) -> bool:
    """How a number compares with zero."""
    match op:
        case "<":
            return value < 0
        case "<=":
            return value <= 0
        case "==":
            return value == 0


CHUNK = 4000
"""Python converts no longer numbers (`sys.set_int_max_str_digits`)."""

LONG = 10**CHUNK


def digits(value: int) -> str:
    """A natural number in decimal, however long."""
    if value < LONG:
        return str(value)
    high, low = divmod(value, LONG)
    return digits(high) + str(low).zfill(CHUNK)
