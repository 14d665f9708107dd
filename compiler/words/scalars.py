"""A circuit entry by entry, what joins many entries done in the order of the word's positions.

Afterwards every wire between the input and the outputs is a scalar, and sums, maxima and
connectives take one operand after the other, those first that read the first positions. Then little
has to be known of a prefix of the word: the state of an automaton.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import prod
from typing import assert_never

from circ.compiler.builder import Builder, number, reindex
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Contract,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
    WireType,
    operands,
    taken_from,
)
from circ.compiler.passes.fold_constants import folded
from circ.compiler.rewrite import renamed

NOTHING = -1
"""The last position that a known wire reads."""


@dataclass(slots=True)
class Scalars:
    """The entries of `circuit`'s wires as scalar wires of `b`; `letters` are the word's.

    `last[w]` is the last position that the scalar `w` reads.
    """

    circuit: Circuit
    letters: list[Wire] = field(default_factory=list[Wire])
    b: Builder = field(default_factory=Builder)
    last: dict[Wire, int] = field(default_factory=dict[Wire, int])
    found: dict[tuple[Wire, int], Wire] = field(default_factory=dict[tuple[Wire, int], Wire])

    def entry(self, wire: Wire, place: int) -> Wire:
        """One entry of a wire, row-major."""
        if (wire, place) not in self.found:
            self.found[wire, place] = self.computed(wire, place)
        return self.found[wire, place]

    def note(self, op: Op) -> Wire:
        """The wire of an op, computed where its operands are known."""
        wire = folded(self.b, op)
        wire = self.b.add(op) if wire is None else wire
        reads = (self.last.get(operand, NOTHING) for operand in operands(self.b.ops[wire]))
        self.last.setdefault(wire, max(reads, default=NOTHING))
        return wire

    def row(self, wire: Wire, place: int) -> list[Wire]:
        """The entries along the last axis that `place` of what joins them reads."""
        side = self.circuit.types[wire].shape[-1]
        return [self.entry(wire, place * side + k) for k in range(side)]

    def in_order(self, wires: Sequence[Wire]) -> list[Wire]:
        """The wires by the last position that they read."""
        return sorted(wires, key=lambda wire: self.last[wire])

    def packed(self, wires: Sequence[Wire], shape: Shape) -> Wire:
        """Scalars as a tensor."""
        wire = reindex(self.b, wires, range(len(wires)), shape)
        self.last[wire] = max((self.last[w] for w in wires), default=NOTHING)
        return wire

    # --- ops ------------------------------------------------------------------------------

    def computed(self, wire: Wire, place: int) -> Wire:
        """As `entry`, worked out."""
        op, types = self.circuit.ops[wire], self.circuit.types
        match op:
            case Input(name=name, type=known):
                letter = self.b.add(Input(f"{name} {place}", WireType(known.sort, ())))
                self.last[letter] = place
                self.letters.append(letter)
                return letter
            case Const(type=known, values=values):
                return self.note(Const(WireType(known.sort, ()), (values[place],)))
            case Weight():
                return self.note(Reindex((self.note(op),), (place,), ()))
            case Reindex():
                return self.entry(*taken_from(op, place, types))
            case Sum(terms=terms):
                return self.summed([(c, self.entry(x, place)) for c, x in terms])
            case Contract():
                return self.contracted(op, place)
            case Relu(operand=x):
                return self.note(Relu(self.entry(x, place)))
            case Not(operand=x):
                return self.note(Not(self.entry(x, place)))
            case Smooth(function=function, operand=x):
                return self.note(Smooth(function, self.entry(x, place)))
            case Max(operand=x):
                return self.chained(Max, self.row(x, place))
            case All(operand=x):
                return self.chained(All, self.row(x, place))
            case Any(operand=x):
                return self.chained(Any, self.row(x, place))
            case Softmax(operand=x) | TopK(operand=x):
                side = types[x].shape[-1]
                whole = self.packed(self.row(x, place // side), (side,))
                shares = self.note(renamed(op, lambda _: whole))
                return self.note(Reindex((shares,), (place % side,), ()))
            case Argmax(operand=x):
                row = self.row(x, place)
                return self.note(Argmax(self.packed(row, (len(row),))))
            case Compare(op=comparison, left=left, right=right):
                return self.note(
                    Compare(comparison, self.entry(left, place), self.entry(right, place))
                )
            case Select(condition=condition, then=then, otherwise=otherwise):
                sides = self.entry(then, place), self.entry(otherwise, place)
                return self.note(Select(self.entry(condition, 0), *sides))
            case Lookup():
                return self.looked_up(op, place)
            case _:
                assert_never(op)

    def chained(self, op: type[Max | All | Any], row: Sequence[Wire]) -> Wire:
        """What joins a row, two at a time."""
        if not row:
            return self.note(op(self.packed(row, (0,))))
        return reduce(lambda x, y: self.note(op(self.packed([x, y], (2,)))), self.in_order(row))

    def summed(self, terms: Sequence[tuple[Fraction, Wire]]) -> Wire:
        """A linear combination, two terms at a time; those that are known come first."""
        ordered = sorted(terms, key=lambda term: self.last[term[1]])
        total = number(self.b, 0)
        self.last[total] = NOTHING
        for c, wire in ordered:
            total = self.note(Sum(((Fraction(1), total), (c, wire))))
        return total

    def contracted(self, op: Contract, place: int) -> Wire:
        """One entry of an einsum: products, added up."""
        first, second = self.circuit.types[op.left].shape, self.circuit.types[op.right].shape
        inputs, output = op.spec.split("->")
        left, right = inputs.split(",")
        sides = dict(zip(left + right, first + second, strict=True))
        known = dict(zip(output, coordinates(place, [sides[c] for c in output]), strict=True))
        summed = [c for c in sides if c not in output]
        terms: list[tuple[Fraction, Wire]] = []
        for k in range(prod(sides[c] for c in summed)):
            at = known | dict(zip(summed, coordinates(k, [sides[c] for c in summed]), strict=True))
            x = self.entry(op.left, offset([at[c] for c in left], first))
            y = self.entry(op.right, offset([at[c] for c in right], second))
            terms.append(self.multiplied(x, y))
        return self.summed(terms)

    def multiplied(self, x: Wire, y: Wire) -> tuple[Fraction, Wire]:
        """A product of two, as a coefficient where one is known."""
        for known, other in ((x, y), (y, x)):
            op = self.b.ops[known]
            if isinstance(op, Const):
                return Fraction(op.values[0]), other
        return Fraction(1), self.note(Contract(",->", x, y))

    def looked_up(self, op: Lookup, place: int) -> Wire:
        """One entry of what a table has at scalar indices."""
        axes = len(op.indices)
        shape = self.circuit.types[op.table].shape
        sides, width = shape[:axes], prod(shape[axes:])
        column = range(place % width, prod(shape), width)
        match self.circuit.ops[op.table]:
            case Const(type=known, values=values):
                kept = tuple(values[k] for k in column)
                table = self.note(Const(WireType(known.sort, sides), kept))
            case _:
                table = self.packed([self.entry(op.table, k) for k in column], sides)
        indices = tuple(self.entry(index, place // width) for index in op.indices)
        return self.note(Lookup(table, indices))


def coordinates(place: int, sides: Sequence[int]) -> list[int]:
    """The coordinates of a row-major place."""
    found: list[int] = []
    for side in reversed(sides):
        place, at = divmod(place, side)
        found.append(at)
    return found[::-1]


def offset(at: Sequence[int], shape: Shape) -> int:
    """The row-major place of a coordinate."""
    return reduce(lambda place, pair: place * pair[1] + pair[0], zip(at, shape, strict=True), 0)
