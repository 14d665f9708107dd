"""What a truth cannot hold without: real numbers that are not negative wherever it holds.

`a <= b` gives `b - a`, and so does `a < b`, where a - b is a largest of several, as `abs(e) - c` is, of each of these; `a == b` gives both differences; `argmax(v) == i` gives the lead of `v[i]` over
every entry of `v`, however ties are broken; a conjunction gives what its parts give, and any
other truth its slack (`surrogate`), where it has one. What is found here is necessary and need not be sufficient.

A conjunct is *strict* where it is even above 0: that of `a < b`, and the leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from circ.compiler.builder import Builder, combine, reals, reindex
from circ.compiler.ir import All, Circuit, Compare, Max, Real, Reindex, Relu, Select, Sum, Wire
from circ.compiler.margin import LARGE, chosen_and_rivals, surrogate

DEEP = 6
"""Bends within bends that are parted."""

MOST = 16
"""Wires that one side of a comparison becomes."""


@dataclass(frozen=True, slots=True)
class Conjuncts:
    """A wire of conjuncts, and of each entry whether it is strict."""

    wire: Wire
    strict: tuple[bool, ...]


def with_conjuncts(circuit: Circuit) -> tuple[Circuit, tuple[bool, ...]]:
    """`circuit` with the one output `slack`: those of its goal, along one axis; and which of them are strict."""
    b = Builder(list(circuit.ops), list(circuit.types))
    b.known.update((op, Wire(i)) for i, op in enumerate(circuit.ops))
    found = conjuncts(b, circuit.outputs["goal"])
    return b.circuit({"slack": found.wire}), found.strict


def conjuncts(b: Builder, truth: Wire) -> Conjuncts:
    """Those of each entry of a truth, along a new last axis."""
    match b.ops[truth]:
        case Compare(op="<" | "<=" as op, left=left, right=right):
            largest = either(b, [(Fraction(1), left), (Fraction(-1), right)])
            return side_by_side(b, [combine(b, (-1, each)) for each in largest], strict=op == "<")
        case Compare(left=left, right=right) if b.types[left].sort == Real():
            ways = [combine(b, (1, x), (-1, y)) for x, y in ((right, left), (left, right))]
            return side_by_side(b, ways, strict=False)
        case Compare(left=left, right=right):
            sides = [leads(b, left, right), leads(b, right, left)]
            scored = [side for side in sides if side is not None]
            return scored[0] if scored else as_one(b, truth)
        case All(operand=x):
            inner = conjuncts(b, x)
            *shape, entries, width = b.shape(inner.wire)
            size = prod((*shape, entries, width))
            together = reindex(b, [inner.wire], range(size), (*shape, entries * width))
            return Conjuncts(together, inner.strict)
        case Reindex(operands=wires, source=source, shape=shape):
            parts, width = alike(b, [conjuncts(b, wire) for wire in wires])
            strict = [each for part in parts for each in part.strict]
            places = blocks(source, width)
            wire = reindex(b, [part.wire for part in parts], places, (*shape, width))
            return Conjuncts(wire, tuple(strict[place] for place in places))
        case Select(condition=condition, then=then, otherwise=otherwise):
            (one, other), _ = alike(b, [conjuncts(b, then), conjuncts(b, otherwise)])
            both = tuple(x and y for x, y in zip(one.strict, other.strict, strict=True))
            return Conjuncts(b.add(Select(condition, one.wire, other.wire)), both)
        case _:
            return as_one(b, truth)


Terms = Sequence[tuple[Fraction, Wire]]
"""A sum of so many times each."""


def either(b: Builder, terms: Terms, depth: int = DEEP) -> list[Wire]:
    """Wires the largest of which is this sum, entry by entry: one bend after another is parted, up to `MOST` wires."""
    found = [combine(b, *terms)]
    each = [largest_of(b, factor, wire, depth) for factor, wire in terms]
    if 1 < prod(map(len, each)) <= MOST:
        found = [combine(b, *((1, wire) for wire in wires)) for wires in product(*each)]
    return list(dict.fromkeys(found))


def largest_of(b: Builder, factor: Fraction, wire: Wire, depth: int) -> list[Wire]:
    """The same of `factor` times a wire."""
    match b.ops[wire]:
        case _ if depth == 0:
            return [combine(b, (factor, wire))]
        case Sum(terms=terms):
            return either(b, [(factor * c, x) for c, x in terms], depth - 1)
        case Relu(operand=x) if factor > 0:
            shape = b.shape(wire)
            nothing = reals(b, [Fraction(0)] * prod(shape), shape)
            return [nothing, *largest_of(b, factor, x, depth - 1)]
        case Max(operand=x) if factor > 0 and b.shape(x)[-1] <= MOST:
            *rest, size = b.shape(x)
            runs = [range(k, prod((*rest, size)), size) for k in range(size)]
            inner = largest_of(b, factor, x, depth - 1)
            return [reindex(b, [each], run, tuple(rest)) for each in inner for run in runs]
        case Reindex(operands=(x,), source=source, shape=shape):
            inner = largest_of(b, factor, x, depth - 1)
            return [reindex(b, [each], source, shape) for each in inner]
        case _:
            return [combine(b, (factor, wire))]


def leads(b: Builder, scored: Wire, other: Wire) -> Conjuncts | None:
    """How far the score of `other` stands above every rival's, where `scored` is chosen by score."""
    found = chosen_and_rivals(b, scored, other)
    if found is None:
        return None
    chosen, rivals = found
    shape = b.shape(rivals)
    repeated = blocks_of_one(prod(shape[:-1]), shape[-1])
    wire = combine(b, (1, reindex(b, [chosen], repeated, shape)), (-1, rivals))
    return Conjuncts(wire, (True,) * prod(shape))


def as_one(b: Builder, truth: Wire) -> Conjuncts:
    """The slack of each entry of another truth; one that has none is passed over, as if it held."""
    found = surrogate(b, truth)
    if found is None:
        found = reals(b, [LARGE] * b.types[truth].entries, b.shape(truth))
    return side_by_side(b, [found], strict=False)


def side_by_side(b: Builder, wires: Sequence[Wire], *, strict: bool) -> Conjuncts:
    """Wires of one shape along a new last axis."""
    shape, count = b.shape(wires[0]), len(wires)
    size = prod(shape)
    source = [part * size + place for place in range(size) for part in range(count)]
    return Conjuncts(reindex(b, wires, source, (*shape, count)), (strict,) * (size * count))


def alike(b: Builder, parts: Sequence[Conjuncts]) -> tuple[list[Conjuncts], int]:
    """The same with last axes of one length, which is the longest; what is added is positive."""
    width = max(b.shape(part.wire)[-1] for part in parts)
    return [padded(b, part, width) for part in parts], width


def padded(b: Builder, part: Conjuncts, width: int) -> Conjuncts:
    """Conjuncts with a longer last axis."""
    *shape, own = b.shape(part.wire)
    if own == width:
        return part
    size = prod(shape) * own
    source = [
        place * own + k if k < own else size for place in range(prod(shape)) for k in range(width)
    ]
    wire = reindex(b, [part.wire, reals(b, [LARGE], (1,))], source, (*shape, width))
    strict = (*part.strict, True)
    return Conjuncts(wire, tuple(strict[place] for place in source))


def blocks(source: Sequence[int], width: int) -> list[int]:
    """Where entries come from that are runs of `width`."""
    return [place * width + k for place in source for k in range(width)]


def blocks_of_one(count: int, width: int) -> list[int]:
    """Each of `count` entries, `width` times."""
    return [place for place in range(count) for _ in range(width)]
