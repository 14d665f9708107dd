"""A random circuit in the making: its wires so far, how large they get, and how operands are drawn.

Constants, weights and inputs are multiples of 1/4 of size at most `LARGEST`. The scale of every real
wire is known, so that a circuit can be kept within a number of bits.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from hypothesis import strategies as st

from circ.compiler.builder import Builder, reindex
from circ.compiler.ir import (
    Bool,
    Const,
    Contract,
    Index,
    Lookup,
    Max,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    Softmax,
    Sort,
    Sum,
    TopK,
    Weight,
    Wire,
    WireType,
    operands,
)
from circ.compiler.tensor import Tensor

LARGEST = 2
QUARTERS = st.integers(-4 * LARGEST, 4 * LARGEST).map(lambda n: Fraction(n, 4))


@dataclass(frozen=True, slots=True)
class Scale:
    """Entries are at most `bound` in size, and multiples of 2^-`exponent`."""

    bound: Fraction
    exponent: int

    def within(self, bits: int) -> bool:
        """Whether every entry is an integer of that many bits times a power of two."""
        return self.bound * (1 << self.exponent) <= 1 << bits


@dataclass(slots=True)
class Draft:
    """A circuit in the making; `bits` is the room for every real entry."""

    draw: st.DrawFn
    bits: int
    b: Builder = field(default_factory=Builder)
    scales: dict[Wire, Scale] = field(default_factory=dict[Wire, Scale])
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def add(self, op: Op) -> Wire | None:
        """The wire of `op`, or None where its entries would leave the room there is."""
        scale = scale_of(op, self.scales, self.b.types)
        if scale is not None and not scale.within(self.bits):
            return None
        return self.note(self.b.add(op))

    def note(self, wire: Wire) -> Wire:
        """`wire`, with its scale noted where it is real."""
        scale = scale_of(self.b.ops[wire], self.scales, self.b.types)
        if self.b.types[wire].sort == Real() and scale is not None:
            self.scales[wire] = scale
        return wire

    def wires(self, fit: Callable[[WireType], bool]) -> list[Wire]:
        """The latest wires whose type fits, the newest first: few, so that circuits grow deep."""
        return [Wire(i) for i, known in enumerate(self.b.types) if fit(known)][:-7:-1]


def scale_of(op: Op, scales: dict[Wire, Scale], types: Sequence[WireType]) -> Scale | None:
    """The scale of a real wire; behind a smooth function only the bound means anything."""
    known = [scales[wire] for wire in operands(op) if wire in scales]
    hull = Scale(
        max((s.bound for s in known), default=Fraction(LARGEST)),
        max((s.exponent for s in known), default=2),
    )
    match op:
        case Sum(terms=terms):
            bound = sum((abs(c) * scales[wire].bound for c, wire in terms), Fraction(0))
            return Scale(bound, 2 + hull.exponent)
        case Contract(spec=spec, left=left, right=right):
            output = spec.split("->")[1]
            sides = zip(spec, types[left].shape, strict=False)
            size = prod(side for letter, side in sides if letter not in output)
            first, second = scales[left], scales[right]
            return Scale(size * first.bound * second.bound, first.exponent + second.exponent)
        case Smooth(function="exp"):
            return Scale(Fraction(3) ** int(hull.bound + 1), 0)
        case Smooth(function="sqrt"):
            return Scale(hull.bound + 1, 0)
        case Smooth() | Softmax():
            return Scale(Fraction(LARGEST), 0)
        case TopK():
            return Scale(Fraction(1), 0)
        case Relu() | Max() | Reindex() | Select() | Lookup():
            return hull if known else None
        case _:
            return Scale(Fraction(LARGEST), 2)


def shapes(least: int = 0, most: int = 2) -> st.SearchStrategy[Shape]:
    """Shapes of rank `least` to `most` with sides 1 to 3."""
    sides: st.SearchStrategy[list[int]] = st.lists(st.integers(1, 3), min_size=least, max_size=most)
    return sides.map(tuple)


def entries_of(sort: Sort, size: int) -> st.SearchStrategy[tuple[Fraction | int | bool, ...]]:
    """So many entries of a sort."""
    match sort:
        case Real():
            return st.tuples(*[QUARTERS] * size)
        case Bool():
            return st.tuples(*[st.booleans()] * size)
        case Index(size=members):
            return st.tuples(*[st.integers(0, members - 1)] * size)


def constant(draft: Draft, sort: Sort, shape: Shape) -> Wire:
    """A constant, or a weight where it is real."""
    values = draft.draw(entries_of(sort, prod(shape)))
    if sort == Real() and draft.draw(st.booleans()):
        key = f"m/w{len(draft.weights)}"
        draft.weights[key] = Tensor(shape, "F32", array("d", map(float, values)))
        return draft.note(draft.b.add(Weight(key, shape)))
    return draft.note(draft.b.add(Const(WireType(sort, shape), values)))


def operand(draft: Draft, known: WireType) -> Wire:
    """Some wire of this type: one that is there, entries of another rearranged, or a constant."""
    same = draft.wires(lambda other: other == known)
    kin = draft.wires(lambda other: other.sort == known.sort and other.entries > 0)
    ways = [wires for wires in (same, kin) if wires]
    way = draft.draw(st.integers(0, len(ways)))
    if way == len(ways):
        return constant(draft, known.sort, known.shape)
    wire = draft.draw(st.sampled_from(ways[way]))
    if draft.b.types[wire] == known:
        return wire
    return rearranged(draft, [wire], known.shape)


def rearranged(draft: Draft, wires: Sequence[Wire], shape: Shape) -> Wire:
    """A random `Reindex`: any entries of `wires`, in any order."""
    total = sum(draft.b.types[wire].entries for wire in wires)
    source = draft.draw(st.tuples(*[st.integers(0, total - 1)] * prod(shape)))
    return draft.note(reindex(draft.b, wires, source, shape))


def pick(draft: Draft, sort: type[Sort], rank: int = 0) -> Wire:
    """A wire of this kind of sort with at least `rank` axes, none of them empty."""

    def fit(known: WireType) -> bool:
        return isinstance(known.sort, sort) and len(known.shape) >= rank and known.entries > 0

    found = draft.wires(fit)
    if found and draft.draw(st.integers(0, 7)) < 7:
        return draft.draw(st.sampled_from(found))
    fresh: Sort = Index(draft.draw(st.integers(2, 3)))
    if sort is not Index:
        fresh = Real() if sort is Real else Bool()
    return operand(draft, WireType(fresh, draft.draw(shapes(rank))))
