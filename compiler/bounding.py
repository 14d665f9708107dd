"""A box that contains a domain, read off its top-level linear conditions.

Every condition that must hold becomes linear inequalities over the input's entries (`relu`, `max`
and so norms are replaced by linear functions below them), and the inequalities tighten each
entry's bounds in turn. All steps are exact and only ever enlarge the domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from circ.compiler.builder import flat
from circ.compiler.ir import (
    All,
    Circuit,
    Compare,
    Const,
    Contract,
    Input,
    Max,
    Reindex,
    Relu,
    Sum,
    Weight,
    Wire,
)
from circ.compiler.tensor import Weights

ROUNDS = 32
"""Tightening that has not settled by then is cut short; the box is sound at any time."""

MOST_FORMS = 4096
"""A condition with more linear consequences than this contributes only the first of them."""

Bounds = list[tuple[Fraction | None, Fraction | None]]


@dataclass(frozen=True, slots=True)
class Linear:
    """Σ coefficient · entry + constant, over the entries of one input."""

    coefficients: dict[int, Fraction]
    constant: Fraction

    def plus(self, other: Linear, factor: Fraction) -> Linear:
        """`self + factor · other`."""
        joined = dict(self.coefficients)
        for entry, c in other.coefficients.items():
            joined[entry] = joined.get(entry, Fraction(0)) + factor * c
        kept = {entry: c for entry, c in joined.items() if c}
        return Linear(kept, self.constant + factor * other.constant)


ZERO = Linear({}, Fraction(0))


def bounding_box(circuit: Circuit, condition: Wire, variable: Wire, weights: Weights) -> Bounds:
    """Bounds for each entry of the input `variable` where `condition` holds; None is unbounded."""
    reader = Reader(circuit, variable, weights)
    rows = [row for at in reader.held(condition, 0) for row in reader.at_most_zero(*at)]
    bounds: Bounds = [(None, None)] * circuit.types[variable].entries
    for _ in range(ROUNDS):
        before = list(bounds)
        for row in rows:
            tighten(bounds, row)
        if bounds == before:
            break
    return bounds


def tighten(bounds: Bounds, row: Linear) -> None:
    """Use `row <= 0` to bound each entry by the least the others can contribute."""
    least = {entry: smallest(c, bounds[entry]) for entry, c in row.coefficients.items()}
    open_entries = [entry for entry, value in least.items() if value is None]
    if len(open_entries) > 1:
        return
    known = sum((value for value in least.values() if value is not None), row.constant)
    for entry, c in row.coefficients.items():
        if open_entries and entry != open_entries[0]:
            continue
        own = least[entry]
        limit = -(known - (own if own is not None else 0)) / c
        low, high = bounds[entry]
        if c > 0:
            bounds[entry] = (low, limit if high is None else min(high, limit))
        else:
            bounds[entry] = (limit if low is None else max(low, limit), high)


def smallest(c: Fraction, bound: tuple[Fraction | None, Fraction | None]) -> Fraction | None:
    """The least value of c · x."""
    side = bound[0] if c > 0 else bound[1]
    return None if side is None else c * side


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads entries of wires as linear functions of one input."""

    circuit: Circuit
    variable: Wire
    weights: Weights

    def held(self, wire: Wire, entry: int) -> Iterator[tuple[Compare, int]]:
        """The comparisons that must hold where entry `entry` of a truth wire does."""
        op = self.circuit.ops[wire]
        match op:
            case All(operand=x):
                side = self.circuit.types[x].shape[-1]
                for k in range(side):
                    yield from self.held(x, entry * side + k)
            case Reindex():
                yield from self.held(*self.source(op, entry))
            case Compare():
                yield op, entry
            case _:
                return

    def at_most_zero(self, op: Compare, entry: int) -> list[Linear]:
        """Linear functions that a comparison keeps at or below zero."""
        if self.circuit.types[op.left] != self.circuit.types[op.right]:
            return []
        sides = [(op.left, op.right)]
        if op.op == "==":
            sides.append((op.right, op.left))
        one = Fraction(1)
        return [f for a, b in sides for f in self.below([(one, a, entry), (-one, b, entry)])]

    def source(self, op: Reindex, entry: int) -> tuple[Wire, int]:
        """Where an entry of a `Reindex` comes from."""
        offset = op.source[entry]
        for wire in op.operands:
            if offset < self.circuit.types[wire].entries:
                return wire, offset
            offset -= self.circuit.types[wire].entries
        raise IndexError(entry)

    def below(self, terms: list[tuple[Fraction, Wire, int]]) -> list[Linear]:
        """Linear functions that are nowhere above Σ factor · entry; the first is the plainest."""
        total = ZERO
        options: list[list[Linear]] = []
        for factor, wire, entry in terms:
            forms = self.forms(factor, wire, entry)
            if not forms:
                return []
            options.append(forms)
            total = total.plus(forms[0], Fraction(1))
        found = [total]
        for forms in options:
            for other in forms[1 : MOST_FORMS - len(found)]:
                found.append(total.plus(forms[0], Fraction(-1)).plus(other, Fraction(1)))
        return found

    def forms(self, factor: Fraction, wire: Wire, entry: int) -> list[Linear]:
        """Linear functions nowhere above factor · entry; empty where none is known."""
        op = self.circuit.ops[wire]
        if not factor:
            return [ZERO]
        match op:
            case Input() if wire == self.variable:
                return [Linear({entry: factor}, Fraction(0))]
            case Const(values=values):
                return [Linear({}, factor * Fraction(values[entry]))]
            case Weight(key=key):
                return [Linear({}, factor * Fraction(self.weights[key].values[entry]))]
            case Reindex():
                return self.forms(factor, *self.source(op, entry))
            case Sum(terms=terms):
                return self.below([(factor * c, x, entry) for c, x in terms])
            case Contract():
                return self.contracted(factor, op, wire, entry)
            case Relu(operand=x) if factor > 0:
                return [ZERO, *self.forms(factor, x, entry)]
            case Max(operand=x) if factor > 0:
                side = self.circuit.types[x].shape[-1]
                rows = [self.forms(factor, x, entry * side + k) for k in range(side)]
                return [form for row in rows for form in row]
            case _:
                return []

    def contracted(self, factor: Fraction, op: Contract, wire: Wire, entry: int) -> list[Linear]:
        """A contraction with one known side is a sum of the other side's entries."""
        for known, other, flipped in ((op.left, op.right, False), (op.right, op.left, True)):
            if isinstance(self.circuit.ops[known], Const | Weight):
                pairs = self.pairs(op, entry, self.circuit.types[wire].shape)
                terms = [
                    (factor * self.known(known, j if flipped else i), other, i if flipped else j)
                    for i, j in pairs
                ]
                return self.below([term for term in terms if term[0]])
        return []

    def known(self, wire: Wire, entry: int) -> Fraction:
        """The value of an entry of a constant."""
        return self.forms(Fraction(1), wire, entry)[0].constant

    def pairs(self, op: Contract, entry: int, shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        """The operands' entries whose products make up an output entry."""
        inputs, output = op.spec.split("->")
        left, right = inputs.split(",")
        first, second = (self.circuit.types[w].shape for w in (op.left, op.right))
        sizes = dict(zip(left + right, first + second, strict=True))
        at = dict(zip(output, coordinate(entry, shape), strict=True))
        summed = [letter for letter in left if letter not in at]
        for values in product(*(range(sizes[letter]) for letter in summed)):
            where = at | dict(zip(summed, values, strict=True))
            yield (
                flat([where[letter] for letter in left], first),
                flat([where[letter] for letter in right], second),
            )


def coordinate(offset: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The place of a row-major offset."""
    place: list[int] = []
    for side in reversed(shape):
        place.append(offset % side)
        offset //= side
    return tuple(reversed(place))
