"""Ops that part no cell, in exact affine functions of the inputs of a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import (
    All,
    Any,
    Circuit,
    Compare,
    Const,
    Contract,
    Input,
    Lookup,
    Not,
    Real,
    Reindex,
    Select,
    Shape,
    Sum,
    Weight,
    Wire,
)
from circ.compiler.obligation import Obligation, Reals
from circ.compiler.regions.maps import Map, combined, constants, multiplied, picked, zeros
from circ.compiler.regions.polytope import Point
from circ.compiler.tensor import Weights

Codes = npt.NDArray[np.int64]
"""Truths and indices, row-major."""

Value = Map | Codes


class NotPiecewise(Exception):
    """The circuit is not affine on pieces, as far as it is read here; the message says what stands in it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The entries of all binders in order, and which of them are `free`: the others have one value each."""

    ends: tuple[tuple[Fraction, Fraction], ...]
    free: tuple[int, ...]
    places: dict[str, int]

    def widened(self, row: Sequence[Fraction | int]) -> tuple[Fraction, ...]:
        """A row of the free entries as one of all entries."""
        found = [Fraction(0)] * len(self.ends)
        for place, value in zip(self.free, row, strict=False):
            found[place] = Fraction(value)
        return (*found, Fraction(row[-1]))

    def point(self, free: Point) -> Point:
        """A point of the box, from its free entries."""
        found = [low for low, _ in self.ends]
        for place, value in zip(self.free, free, strict=True):
            found[place] = value
        return tuple(found)


def laid_out(question: Obligation) -> Layout:
    """The layout of a question about boxes; raises `NotPiecewise` for words."""
    ends, places = list[tuple[Fraction, Fraction]](), dict[str, int]()
    for binder in question.binders:
        if not isinstance(binder.values, Reals):
            raise NotPiecewise(f"`{binder.name}` is a word")
        places[binder.name] = len(ends)
        ends += binder.values.box
    return Layout(tuple(ends), tuple(k for k, (low, high) in enumerate(ends) if low < high), places)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the ops of a circuit read besides wires."""

    circuit: Circuit
    weights: Weights = field(repr=False)
    layout: Layout


def plain(reading: Reading, wire: Wire, known: Mapping[Wire, Value]) -> Value:
    """What a wire is on a cell on which its operands are known; raises `NotPiecewise`."""
    op, types = reading.circuit.ops[wire], reading.circuit.types
    inputs = len(reading.layout.free)
    match op:
        case Input(name=name):
            return of_input(reading.layout, name, types[wire].entries)
        case Const(type=kind, values=values):
            if kind.sort == Real():
                return constants([Fraction(x) for x in values], inputs)
            return np.array([int(x) for x in values], np.int64)
        case Weight(key=key):
            return constants(reading.weights[key].values, inputs)
        case Reindex(operands=wires, source=source):
            return moved([known[x] for x in wires], source)
        case Sum(terms=terms):
            return combined([(c, real(known[x])) for c, x in terms])
        case Contract(spec=spec, left=left, right=right):
            shapes = types[left].shape, types[right].shape
            found = multiplied(spec, real(known[left]), real(known[right]), shapes)
            if found is None:
                raise NotPiecewise("a product of two values that both depend on the input")
            return found
        case Compare(left=left, right=right):
            return np.asarray(codes(known[left]) == codes(known[right])).astype(np.int64)
        case Not(operand=x):
            return 1 - codes(known[x])
        case All(operand=x):
            return np.asarray(rows_of(known[x], types[x].shape).all(1), np.int64)
        case Any(operand=x):
            return np.asarray(rows_of(known[x], types[x].shape).any(1), np.int64)
        case Select(condition=condition, then=then, otherwise=otherwise):
            return known[then] if codes(known[condition])[0] else known[otherwise]
        case Lookup(table=table, indices=indices):
            shape = types[table].shape
            rows = np.ravel_multi_index([codes(known[x]) for x in indices], shape[: len(indices)])
            width = types[wire].entries // max(len(rows), 1)
            return moved(
                [known[table]], (rows[:, None] * width + np.arange(width)).reshape(-1).tolist()
            )
        case _:
            raise NotPiecewise(f"`{NAMES.get(type(op).__name__, type(op).__name__)}`")


NAMES = {
    "TopK": "topk",
    "Argmax": "argmax",
    "Softmax": "softmax",
    "Smooth": "exp, sqrt or a division",
}
"""What ops that are not read are called in the language."""


def real(value: Value) -> Map:
    """A tensor of reals."""
    assert isinstance(value, Map)
    return value


def codes(value: Value) -> Codes:
    """Truths, or indices."""
    assert not isinstance(value, Map)
    return value


def rows_of(value: Value, shape: Shape) -> Codes:
    """Truths in runs along the last axis."""
    return codes(value).reshape(prod(shape[:-1]), shape[-1])


def moved(values: Sequence[Value], source: Sequence[int]) -> Value:
    """Entries in a new order."""
    maps = [value for value in values if isinstance(value, Map)]
    if maps:
        return picked(maps, source)
    return np.concatenate([codes(value) for value in values])[list(source)]


def of_input(layout: Layout, name: str, entries: int) -> Map:
    """The entries of a binder."""
    first = layout.places[name]
    at = {place: k for k, place in enumerate(layout.free)}
    ends = [layout.ends[k][0] for k in range(first, first + entries)]
    found = constants(ends, len(at))
    nums = zeros(entries, len(at) + 1) + found.nums
    for k in range(entries):
        if first + k in at:
            nums[k] = 0
            nums[k, at[first + k]] = found.den
    return Map(nums, found.den)
