"""Building a circuit op by op: equal ops share one wire, and shapes are checked as they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import prod

from circ.compiler.infer import wire_type
from circ.compiler.ir import (
    All,
    Any,
    Bool,
    Circuit,
    Const,
    Contract,
    Index,
    Max,
    Not,
    Op,
    Real,
    Reindex,
    Shape,
    Sum,
    Wire,
    WireType,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class Builder:
    """Grows a list of ops; `add` returns the wire of an equal op that is already there."""

    ops: list[Op] = field(default_factory=list[Op])
    types: list[WireType] = field(default_factory=list[WireType])
    known: dict[Op, Wire] = field(default_factory=dict[Op, Wire])

    def add(self, op: Op) -> Wire:
        """The wire of `op`; raises `IllFormed` when its operands do not fit."""
        wire = self.known.get(op)
        if wire is None:
            self.types.append(wire_type(op, self.types))
            self.ops.append(op)
            wire = self.known[op] = Wire(len(self.ops) - 1)
        return wire

    def circuit(self, outputs: Mapping[str, Wire]) -> Circuit:
        """The circuit built so far, with these named wires."""
        return Circuit(tuple(self.ops), tuple(self.types), dict(outputs))

    def shape(self, wire: Wire) -> Shape:
        """The shape of `wire`."""
        return self.types[wire].shape


def reals(b: Builder, values: Iterable[Fraction], shape: Shape) -> Wire:
    """A real constant."""
    return b.add(Const(WireType(Real(), shape), tuple(values)))


def number(b: Builder, value: Fraction | int) -> Wire:
    """A real scalar."""
    return reals(b, (Fraction(value),), ())


def codes(b: Builder, values: Iterable[int], size: int, shape: Shape) -> Wire:
    """A constant of sort `Index(size)`."""
    return b.add(Const(WireType(Index(size), shape), tuple(values)))


def truth(b: Builder, value: bool) -> Wire:
    """A Boolean scalar."""
    return b.add(Const(WireType(Bool(), ()), (value,)))


def reindex(b: Builder, wires: Sequence[Wire], source: Iterable[int], shape: Shape) -> Wire:
    """`Reindex`, or the operand itself where nothing moves."""
    source = tuple(source)
    first = b.types[wires[0]]
    if len(wires) == 1 and first.shape == shape and source == tuple(range(first.entries)):
        return wires[0]
    return b.add(Reindex(tuple(wires), source, shape))


def stack(b: Builder, wires: Sequence[Wire]) -> Wire:
    """Wires of one type along a new leading axis."""
    inner = b.types[wires[0]]
    return reindex(b, wires, range(len(wires) * inner.entries), (len(wires), *inner.shape))


def broadcast(b: Builder, wire: Wire, shape: Shape) -> Wire:
    """A scalar repeated to `shape`."""
    return reindex(b, [wire], (0,) * prod(shape), shape)


def take(b: Builder, wire: Wire, picks: Sequence[int | range]) -> Wire:
    """Leading axes indexed: an int drops its axis, a range keeps those entries."""
    shape = b.shape(wire)
    full = [*picks, *(range(side) for side in shape[len(picks) :])]
    source = [flat(place, shape) for place in places(full)]
    kept = tuple(len(pick) for pick in full if isinstance(pick, range))
    return reindex(b, [wire], source, kept)


def put(b: Builder, wire: Wire, picks: Sequence[int | range], value: Wire) -> Wire:
    """`wire` with the entries that `take(picks)` reads replaced by those of `value`."""
    shape = b.shape(wire)
    full = [*picks, *(range(side) for side in shape[len(picks) :])]
    total = prod(shape)
    source = list(range(total))
    for offset, place in enumerate(places(full)):
        source[flat(place, shape)] = total + offset
    return reindex(b, [wire, value], source, shape)


def places(picks: Sequence[int | range]) -> Iterable[tuple[int, ...]]:
    """Every coordinate that `picks` names, in row-major order."""
    return product(*((pick,) if isinstance(pick, int) else pick for pick in picks))


def flat(place: Sequence[int], shape: Shape) -> int:
    """The row-major offset of a coordinate."""
    offset = 0
    for i, side in zip(place, shape, strict=True):
        offset = offset * side + i
    return offset


def transpose(b: Builder, wire: Wire, order: Sequence[int]) -> Wire:
    """Axis `order[i]` of the operand becomes axis `i`."""
    shape = b.shape(wire)
    moved = tuple(shape[axis] for axis in order)
    back = [order.index(axis) for axis in range(len(shape))]
    source = [flat([place[i] for i in back], shape) for place in places([range(n) for n in moved])]
    return reindex(b, [wire], source, moved)


def axis_last(b: Builder, wire: Wire) -> Wire:
    """The leading axis moved to the end."""
    rank = len(b.shape(wire))
    return transpose(b, wire, [*range(1, rank), 0])


def combine(b: Builder, *terms: tuple[Fraction | int, Wire]) -> Wire:
    """The linear combination of wires; scalars are broadcast to the shape of the others."""
    shape = max((b.shape(wire) for _, wire in terms), key=len)
    return b.add(Sum(tuple((Fraction(c), spread(b, wire, shape)) for c, wire in terms)))


def spread(b: Builder, wire: Wire, shape: Shape) -> Wire:
    """`wire` itself, or a scalar broadcast to `shape`."""
    return broadcast(b, wire, shape) if b.shape(wire) == () and shape != () else wire


def times(b: Builder, left: Wire, right: Wire) -> Wire:
    """The entrywise product; a scalar multiplies every entry."""
    first, second = LETTERS[: len(b.shape(left))], LETTERS[: len(b.shape(right))]
    output = max(first, second, key=len)
    return b.add(Contract(f"{first},{second}->{output}", left, right))


def matmul(b: Builder, left: Wire, right: Wire) -> Wire:
    """The last axis of `left` contracted with the first of `right`."""
    rank = len(b.shape(left))
    first = LETTERS[:rank]
    rest = LETTERS[rank : rank + len(b.shape(right)) - 1]
    return b.add(Contract(f"{first},{first[-1]}{rest}->{first[:-1]}{rest}", left, right))


def total(b: Builder, wire: Wire) -> Wire:
    """The sum over the last axis."""
    ones = reals(b, (Fraction(1),) * b.shape(wire)[-1], (b.shape(wire)[-1],))
    return matmul(b, wire, ones)


def both(b: Builder, *wires: Wire) -> Wire:
    """Whether all of these scalar truths hold."""
    return wires[0] if len(wires) == 1 else b.add(All(stack(b, wires)))


def either(b: Builder, *wires: Wire) -> Wire:
    """Whether one of these scalar truths holds."""
    return wires[0] if len(wires) == 1 else b.add(Any(stack(b, wires)))


def implies(b: Builder, left: Wire, right: Wire) -> Wire:
    """Whether `right` holds where `left` does."""
    return either(b, b.add(Not(left)), right)


def flatten(b: Builder, wire: Wire) -> Wire:
    """All entries along one axis."""
    entries = b.types[wire].entries
    return reindex(b, [wire], range(entries), (entries,))


def every(b: Builder, wire: Wire) -> Wire:
    """Whether all entries of a truth tensor hold."""
    return wire if b.shape(wire) == () else b.add(All(flatten(b, wire)))


def some(b: Builder, wire: Wire) -> Wire:
    """Whether any entry of a truth tensor holds."""
    return wire if b.shape(wire) == () else b.add(Any(flatten(b, wire)))


def negate(b: Builder, wire: Wire) -> Wire:
    """-x."""
    return b.add(Sum(((Fraction(-1), wire),)))


def largest(b: Builder, wire: Wire) -> Wire:
    """The maximum along the last axis."""
    return b.add(Max(wire))
