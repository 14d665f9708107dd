"""A script in the making: piecewise linear functions of terms, as fresh variables and assertions.

Every real variable has a range, so that a phase that cannot change leaves no trace: a ReLU that is
always on is its operand, a comparison that always holds is true, a dominated candidate of a maximum
is dropped. Ranges follow affine terms, in which equal parts have cancelled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product
from typing import Literal

from circ.compiler.ir import Comparison
from circ.compiler.smt.formula import (
    FALSE,
    TRUE,
    ZERO,
    Affine,
    Assert,
    Command,
    Declare,
    Define,
    Flag,
    Formula,
    Negation,
    Product,
    Sign,
    Truth,
    combined,
    conjunction,
    constant,
    difference,
    disjunction,
    implication,
    negation,
    scaled,
    variable,
)

Range = tuple[Fraction, Fraction]
Options = Sequence[tuple[Formula, Affine]]
"""Values, each with the truth that selects it: exactly one holds."""
Cases = tuple[tuple[Formula, Fraction], ...]

SHORT = 2
"""Comparisons of terms with no more variables than this are not given a name."""

FEW = 3
"""Twice as many flags exclude each other pair by pair."""


@dataclass(slots=True)
class Script:
    """Commands so far, and what is known of their variables.

    `met` counts ReLUs and maxima, `left` the different ones that stayed undecided; `multiplied` counts products
    of two variables, beyond linear arithmetic.
    """

    commands: list[Command] = field(default_factory=list[Command])
    ranges: dict[str, Range] = field(default_factory=dict[str, Range])
    bounds: dict[Affine, Range] = field(default_factory=dict[Affine, Range])
    cases: dict[str, Cases] = field(default_factory=dict[str, Cases])
    known: dict[object, Affine] = field(default_factory=dict[object, Affine])
    names: dict[Formula, Flag] = field(default_factory=dict[Formula, Flag])
    counts: Counter[str] = field(default_factory=Counter[str])
    met: Counter[str] = field(default_factory=Counter[str])
    left: Counter[str] = field(default_factory=Counter[str])
    multiplied: int = 0

    def name(self, kind: str) -> str:
        """A name that is not used yet."""
        self.counts[kind] += 1
        return f"{kind}.{self.counts[kind]}"

    def real(self, name: str, within: Range, note: str = "") -> Affine:
        """A new real variable; that it lies in its range follows from what is asserted of it."""
        self.commands.append(Declare(name, "Real", note))
        self.ranges[name] = within
        return variable(name)

    def flag(self, name: str, note: str = "") -> Flag:
        """A new Boolean variable."""
        self.commands.append(Declare(name, "Bool", note))
        return Flag(name)

    def hold(self, *formulas: Formula) -> None:
        """Assert these."""
        self.commands.extend(Assert(formula) for formula in formulas if formula != TRUE)


# --- truths ---------------------------------------------------------------------------------


def bounds(s: Script, term: Affine) -> Range:
    """The least and the largest value of a term, its variables varying independently."""
    if term not in s.bounds:
        low = high = term.constant
        for name, c in term.terms:
            ends = s.ranges[name]
            low += c * ends[c < 0]
            high += c * ends[c > 0]
        s.bounds[term] = low, high
    return s.bounds[term]


def sign(s: Script, op: Comparison, term: Affine) -> Formula:
    """How a term compares with zero, decided where its range decides it."""
    low, high = bounds(s, term)
    match op:
        case "<":
            sure, possible = high < 0, low < 0
        case "<=":
            sure, possible = high <= 0, low <= 0
        case "==":
            sure, possible = low == high == 0, low <= 0 <= high
    return TRUE if sure else Sign(op, term) if possible else FALSE


def named(s: Script, formula: Formula, note: str) -> Formula:
    """The same truth, under a name of its own unless it is short."""
    match formula:
        case Truth() | Flag() | Negation(of=Flag()):
            return formula
        case Sign(term=term) if len(term.terms) <= SHORT:
            return formula
        case _:
            if formula not in s.names:
                s.names[formula] = Flag(s.name("truth"))
                s.commands.append(Define(s.names[formula].name, formula, note))
            return s.names[formula]


def truth_of(s: Script, options: Sequence[tuple[Formula, Formula]], note: str) -> Formula:
    """The truth whose guard holds, of which exactly one does."""
    found = {value for guard, value in options if guard != FALSE}
    if len(found) == 1:
        return found.pop()
    cases = (conjunction([guard, value]) for guard, value in options)
    return named(s, disjunction(cases), note)


def exactly_one(s: Script, flags: Sequence[Formula]) -> None:
    """Assert that one of these holds and no two."""
    s.hold(disjunction(flags))
    at_most_one(s, flags)


def at_most_one(s: Script, flags: Sequence[Formula]) -> None:
    """Assert that no two of these hold: by halves, so that a vocabulary needs no million clauses."""
    middle = len(flags) // 2
    if middle <= FEW:
        s.hold(*(disjunction(map(negation, pair)) for pair in combinations(flags, 2)))
        return
    halves = flags[:middle], flags[middle:]
    for half in halves:
        at_most_one(s, half)
    some = [named(s, disjunction(half), "") for half in halves]
    s.hold(disjunction(map(negation, some)))


# --- maxima ---------------------------------------------------------------------------------


def greatest(s: Script, kind: Literal["relu", "max"], terms: Iterable[Affine], note: str) -> Affine:
    """The largest of some terms; ReLU is that of 0 and another.

    As y >= v for each v and y <= v for some v, which z3 solves ten times faster than if-then-else.
    """
    s.met[kind] += 1
    rivals = undominated(s, [*dict.fromkeys(terms)])
    if len(rivals) == 1:
        return rivals[0]
    key = ("greatest", frozenset(rivals))
    if key not in s.known:
        s.known[key] = mirrored(s, rivals, note) or fresh_greatest(s, kind, rivals, note)
    return s.known[key]


def undominated(s: Script, terms: Sequence[Affine]) -> list[Affine]:
    """Those that may be the largest; of two that are always equal, one."""
    floor = max(bounds(s, term)[0] for term in terms)
    kept: list[Affine] = []
    for term in terms:
        if bounds(s, term)[1] < floor or any(always(s, term, other) for other in kept):
            continue
        kept = [*(other for other in kept if not always(s, other, term)), term]
    return kept


def always(s: Script, left: Affine, right: Affine) -> bool:
    """Whether left <= right whatever the variables are."""
    apart = bounds(s, left)[1] <= bounds(s, right)[0]
    if apart or left.known or right.known:
        return apart
    return bounds(s, difference(left, right))[1] <= 0


def fresh_greatest(s: Script, kind: str, rivals: Sequence[Affine], note: str) -> Affine:
    """A variable that is the largest of these."""
    s.left[kind] += 1
    ends = [bounds(s, term) for term in rivals]
    within = max(low for low, _ in ends), max(high for _, high in ends)
    y = s.real(s.name(kind), within, note)
    s.hold(*(Sign("<=", difference(term, y)) for term in rivals))
    s.hold(disjunction(Sign("<=", difference(y, term)) for term in rivals))
    return y


def mirrored(s: Script, rivals: Sequence[Affine], note: str) -> Affine | None:
    """max(0, v) where max(0, -v) is known: it is v more. So |v| has one undecided phase, not two."""
    others = [term for term in rivals if term != ZERO]
    if len(rivals) != 2 or len(others) != 1:
        return None
    (v,) = others
    twin = s.known.get(("greatest", frozenset([ZERO, scaled(Fraction(-1), v)])))
    if twin is None:
        return None
    y = s.real(s.name("relu"), (Fraction(0), bounds(s, v)[1]), note)
    s.hold(Sign("<=", difference(ZERO, y)))
    s.hold(Sign("==", combined([(Fraction(1), y), (Fraction(-1), twin), (Fraction(-1), v)])))
    return y


# --- cases ----------------------------------------------------------------------------------


def one_of(s: Script, options: Options, note: str) -> Affine:
    """The value whose truth holds."""
    merged: dict[Affine, list[Formula]] = {}
    for guard, value in options:
        if guard != FALSE:
            merged.setdefault(value, []).append(guard)
    kept = tuple((disjunction(guards), value) for value, guards in merged.items())
    if len(kept) == 1:
        return kept[0][1]
    if kept not in s.known:
        s.known[kept] = fresh_case(s, kept, note)
    return s.known[kept]


def fresh_case(s: Script, options: Options, note: str) -> Affine:
    """A variable that is the value whose truth holds."""
    ends = [bounds(s, value) for _, value in options]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    name = s.name("case")
    y = s.real(name, (low, high), note)
    s.hold(*(implication(guard, Sign("==", difference(y, value))) for guard, value in options))
    s.hold(Sign("<=", difference(constant(low), y)), Sign("<=", difference(y, constant(high))))
    if all(value.known for _, value in options):
        s.cases[name] = tuple((guard, value.constant) for guard, value in options)
    return y


# --- products -------------------------------------------------------------------------------


def times(s: Script, left: Affine, right: Affine, note: str) -> Affine:
    """left · right: by cases where one of them takes finitely many values, else a new variable."""
    if left.known:
        return scaled(left.constant, right)
    if right.known:
        return scaled(right.constant, left)
    if all(name in s.cases for name, _ in left.terms):
        return by_cases(s, left, right, note)
    if all(name in s.cases for name, _ in right.terms):
        return by_cases(s, right, left, note)
    key = ("product", frozenset([left, right]))
    if key not in s.known:
        s.known[key] = fresh_product(s, left, right, note)
    return s.known[key]


def by_cases(s: Script, finite: Affine, other: Affine, note: str) -> Affine:
    """finite · other, linear in `other` for each value of each variable of `finite`."""
    parts = [(finite.constant, other)]
    for name, c in finite.terms:
        options = [(guard, scaled(value, other)) for guard, value in s.cases[name]]
        parts.append((c, one_of(s, options, note)))
    return combined(parts)


def fresh_product(s: Script, left: Affine, right: Affine, note: str) -> Affine:
    """A variable that is the product of two terms."""
    s.multiplied += 1
    a, b = bounds(s, left), bounds(s, right)
    corners = [x * y for x, y in product(a, b)]
    low = max(Fraction(0), min(corners)) if left == right else min(corners)
    name = s.name("product")
    y = s.real(name, (low, max(corners)), note)
    s.hold(Product(name, left, right))
    return y
