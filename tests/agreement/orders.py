"""Executions of linear and ReLU circuits that add in a random order, some sums run together.

Written apart from the bounds on them: each entry is a list of terms that are not added up yet, each a
number or a product of two, and one operation after the other rounds to its format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, nan
from random import Random

from circ.compiler.ir import (
    Circuit,
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
from circ.compiler.rounding import nearest
from circ.compiler.tensor import Weights
from tests.agreement.naive import places

Term = tuple[float, ...]
"""A number, or the two factors of a product."""


@dataclass(frozen=True, slots=True)
class Orders:
    """How an execution adds up: in this format, accumulating in that one, as chance has it."""

    dtype: str
    inner: str
    chance: Random

    def rounded(self, value: Fraction, *, inner: bool = False) -> float:
        """The nearest number."""
        return nearest(value, self.inner if inner else self.dtype)

    def added(self, terms: Sequence[Term]) -> float:
        """The sum in some order, by twos, with a product rounded before it is added or not; NaN beyond."""
        if not all(isfinite(factor) for term in terms for factor in term):
            return nan
        if len(terms) == 1 and len(terms[0]) == 1:
            return terms[0][0]
        heap = [self.product(term) for term in terms]
        while len(heap) > 1:
            first = heap.pop(self.chance.randrange(len(heap)))
            second = heap.pop(self.chance.randrange(len(heap)))
            added = self.rounded(first + second, inner=True)
            if not isfinite(added):
                return nan
            heap.append(Fraction(added))
        return self.rounded(heap[0])

    def product(self, term: Term) -> Fraction:
        """A term; a product is rounded, or goes into the next sum as it is."""
        exact = Fraction(term[0]) * Fraction(term[1]) if len(term) == 2 else Fraction(term[0])
        apart = self.rounded(exact, inner=True)
        fused = self.chance.random() < 0.5 or not isfinite(apart)
        return exact if fused else Fraction(apart)


def run_in(
    orders: Orders,
    circuit: Circuit,
    weights: Weights,
    point: Mapping[str, Sequence[Fraction | int]],
) -> dict[Wire, list[float]]:
    """The entries of every wire, row-major."""
    open_sums: dict[Wire, list[list[Term]]] = {}
    found: dict[Wire, list[float]] = {}
    for number, op in enumerate(circuit.ops):
        wire = Wire(number)
        match op:
            case Input(name=name):
                terms: list[list[Term]] = [[(float(x),)] for x in point[name]]
            case Const(values=values):
                terms = [[(orders.rounded(Fraction(x)),)] for x in values]
            case Weight(key=key):
                terms = [[(orders.rounded(Fraction(x)),)] for x in weights[key].values]
            case Reindex(operands=wires, source=source):
                laid = [row for x in wires for row in together(orders, x, open_sums, found)]
                terms = [laid[k] for k in source]
            case Sum(terms=parts):
                terms = summed(orders, parts, open_sums, found)
            case Contract(spec=spec, left=left, right=right):
                terms = products(circuit, spec, left, right, found)
            case Relu(operand=x):
                terms = [[(max(0.0, value),)] for value in found[x]]
            case Max(operand=x):
                width = circuit.types[x].shape[-1]
                rows = [found[x][k : k + width] for k in range(0, len(found[x]), width)]
                terms = [[(max(row),)] for row in rows]
            case _:
                raise AssertionError("not linear")
        open_sums[wire] = terms
        found[wire] = [orders.added(entry) for entry in terms]
    return found


def together(
    orders: Orders,
    wire: Wire,
    open_sums: Mapping[Wire, list[list[Term]]],
    found: Mapping[Wire, list[float]],
) -> list[list[Term]]:
    """The entries of a wire as they are to be added on: open or added up, as chance has it."""
    if orders.chance.random() < 0.5:
        return open_sums[wire]
    return [[(value,)] for value in found[wire]]


def summed(
    orders: Orders,
    parts: Sequence[tuple[Fraction, Wire]],
    open_sums: Mapping[Wire, list[list[Term]]],
    found: Mapping[Wire, list[float]],
) -> list[list[Term]]:
    """The terms of each entry of a linear combination."""
    columns: list[list[list[Term]]] = []
    for c, x in parts:
        if abs(c) == 1:
            rows = together(orders, x, open_sums, found)
            columns.append([[(float(c) * t[0], *t[1:]) for t in row] for row in rows])
        else:
            columns.append([[(orders.rounded(c), value)] for value in found[x]])
    return [[t for row in entry for t in row] for entry in zip(*columns, strict=True)]


def products(
    circuit: Circuit, spec: str, left: Wire, right: Wire, found: Mapping[Wire, list[float]]
) -> list[list[Term]]:
    """The products that each entry of an einsum adds up."""
    inputs, output = spec.split("->")
    first, second = inputs.split(",")
    sizes = dict(zip(first, circuit.types[left].shape, strict=True))
    sizes |= dict(zip(second, circuit.types[right].shape, strict=True))
    inner = [c for c in first if c not in output]
    terms: list[list[Term]] = []
    for outer in places(tuple(sizes[c] for c in output)):
        entry: list[Term] = []
        for summed_at in places(tuple(sizes[c] for c in inner)):
            at = dict(zip([*output, *inner], [*outer, *summed_at], strict=True))
            sides = [
                flat_place([at[c] for c in letters], [sizes[c] for c in letters])
                for letters in (first, second)
            ]
            entry.append((found[left][sides[0]], found[right][sides[1]]))
        terms.append(entry or [(0.0,)])
    return terms


def flat_place(place: Sequence[int], shape: Sequence[int]) -> int:
    """The row-major offset of a coordinate."""
    offset = 0
    for k, side in zip(place, shape, strict=True):
        offset = offset * side + k
    return offset
