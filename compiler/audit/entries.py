"""A circuit entry by entry: what one entry of one wire is computed from.

Every node is a scalar, and reads nodes before it. Tensors, their shapes and `Reindex` are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Literal, assert_never

from circ.compiler.audit.einsums import summed, unravelled
from circ.compiler.audit.rejected import Rejected
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Comparison,
    Const,
    Contract,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Smooth,
    SmoothName,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
    WireType,
    operands,
)

MOST = 1 << 22
"""Nodes of one claim."""

Known = Fraction | int | bool
"""A value: a real number, an index or a truth."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The entry of the input at a position; inputs stand one after the other."""

    position: int


@dataclass(frozen=True, slots=True)
class Given:
    """A known value; `real` tells 1 from the index 1."""

    value: Known
    real: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry of a tensor of the checkpoint."""

    key: str
    place: int


@dataclass(frozen=True, slots=True)
class Linear:
    """A sum with known coefficients."""

    terms: tuple[tuple[Fraction | int, int], ...]


@dataclass(frozen=True, slots=True)
class Products:
    """A sum of products."""

    pairs: tuple[tuple[int, int], ...]


JoinName = Literal["all", "any", "max"]


@dataclass(frozen=True, slots=True)
class Join:
    """Whether all parts hold, whether any does, or the largest."""

    name: JoinName
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Whether a truth does not hold."""

    part: int


@dataclass(frozen=True, slots=True)
class Order:
    """How two values compare."""

    name: Comparison
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Pick:
    """`parts[i1, …, ik]`, row-major, for the values of `indices`; a truth picks as 0 or 1."""

    indices: tuple[int, ...]
    sides: tuple[int, ...]
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rectified:
    """max(0, x) of the entry `at` of a circuit: a wire and a row-major place."""

    part: int
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Curve:
    """A smooth function of one number."""

    name: SmoothName
    part: int


@dataclass(frozen=True, slots=True)
class Share:
    """e^{x_k} / Σ_j e^{x_j} for the entry k of a row."""

    row: tuple[int, ...]
    place: int


@dataclass(frozen=True, slots=True)
class Leader:
    """The index of a largest entry of a row, ties broken in some way or other."""

    row: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """1 if the entry `place` of a row is among the `count` largest, else 0; ties broken in some way or other."""

    row: tuple[int, ...]
    count: int
    place: int


Node = (
    Letter
    | Given
    | Stored
    | Linear
    | Products
    | Join
    | Negation
    | Order
    | Pick
    | Rectified
    | Curve
    | Share
    | Leader
    | Kept
)


def parts_of(node: Node) -> tuple[int, ...]:
    """The nodes that a node reads."""
    match node:
        case Letter() | Given() | Stored():
            return ()
        case Linear(terms=terms):
            return tuple(part for _, part in terms)
        case Products(pairs=pairs):
            return tuple(part for pair in pairs for part in pair)
        case Join(parts=parts):
            return parts
        case Order(left=left, right=right):
            return (left, right)
        case Pick(indices=indices, parts=parts):
            return (*indices, *parts)
        case Share(row=row) | Leader(row=row) | Kept(row=row):
            return row
        case Negation(part=part) | Rectified(part=part) | Curve(part=part):
            return (part,)
        case _:
            assert_never(node)


@dataclass(slots=True)
class Nodes:
    """Nodes in order, equal ones once.

    `real[i]` says whether node i is a number, and `parts[i]` which nodes it reads.
    """

    nodes: list[Node] = field(default_factory=list[Node])
    real: list[bool] = field(default_factory=list[bool])
    parts: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    places: dict[Node, int] = field(default_factory=dict[Node, int])

    def add(self, node: Node, *, real: bool) -> int:
        """The number of a node."""
        found = self.places.get(node)
        if found is None:
            if len(self.nodes) >= MOST:
                raise Rejected("the claim is too large to be audited")
            found = self.places[node] = len(self.nodes)
            self.nodes.append(node)
            self.real.append(real)
            self.parts.append(parts_of(node))
        return found


At = Callable[[Wire, int], int]
"""The node of one entry of a wire."""


def entries(circuit: Circuit, wanted: Iterable[Wire]) -> tuple[Nodes, dict[Wire, list[int]]]:
    """The nodes that some wires are made of, and those of the wires wanted, row-major.

    Raises `Rejected` where `topk` is among them: it is read on boxes alone.
    """
    roots = list(wanted)
    found, numbers = numbered(circuit, roots)
    if any(isinstance(node, Kept) for node in found.nodes):
        raise Rejected("what `topk` keeps is not audited here")
    return found, {wire: [*numbers[wire].values()] for wire in roots}


def numbered(circuit: Circuit, roots: Sequence[Wire]) -> tuple[Nodes, dict[Wire, dict[int, int]]]:
    """The nodes that some wires are made of, and which of them each entry is that is needed for these."""
    needed = needed_of(circuit, roots)
    found = Nodes()
    numbers: dict[Wire, dict[int, int]] = {wire: {} for wire in needed}

    def number(wire: Wire, place: int) -> int:
        return numbers[wire][place]

    for wire in sorted(needed):
        real = circuit.types[wire].sort == Real()
        for place in sorted(needed[wire]):
            node = entry(circuit, wire, place, number)
            numbers[wire][place] = node if isinstance(node, int) else found.add(node, real=real)
    return found, numbers


def behind(reads: Sequence[Sequence[int]], roots: Iterable[int]) -> list[int]:
    """What some nodes are made of, and these, in order; `reads` says which nodes each reads."""
    found, waiting = set[int](), list(roots)
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(reads[place])
    return sorted(found)


def needed_of(circuit: Circuit, roots: Iterable[Wire]) -> dict[Wire, set[int]]:
    """The entries that those of some wires are made of, by wire."""
    needed = {wire: {*range(circuit.types[wire].entries)} for wire in roots}

    def ask(wire: Wire, place: int) -> int:
        needed.setdefault(wire, set()).add(place)
        return 0

    for last in reversed(range(len(circuit.ops))):
        wire, op = Wire(last), circuit.ops[last]
        places = needed.get(wire, set[int]())
        if len(places) < circuit.types[wire].entries or isinstance(op, Reindex):
            for place in places:
                entry(circuit, wire, place, ask)
        else:  # of all entries, all entries: `Reindex` alone leaves some out
            needed.update((x, {*range(circuit.types[x].entries)}) for x in operands(op))
    return needed


def entry(circuit: Circuit, wire: Wire, place: int, at: At) -> Node | int:
    """One entry of a wire as a node, or the node that it is a copy of."""
    op, types = circuit.ops[wire], circuit.types
    match op:
        case Input():
            return Letter(place + sum(types[w].entries for w in inputs_before(circuit, wire)))
        case Const(type=known, values=values):
            return Given(simplest(values[place]), known.sort == Real())
        case Weight(key=key):
            return Stored(key, place)
        case Reindex():
            return at(*source_of(op, place, types))
        case Sum(terms=terms):
            return Linear(tuple((c, at(x, place)) for c, x in terms))
        case Contract():
            return Products(products(op, place, types, at))
        case Not(operand=x):
            return Negation(at(x, place))
        case Compare(op=name, left=left, right=right):
            return Order(name, at(left, place), at(right, place))
        case Select(condition=condition, then=then, otherwise=otherwise):
            return Pick((at(condition, 0),), (2,), (at(otherwise, place), at(then, place)))
        case Lookup():
            return looked_up(op, place, types, at)
        case Relu(operand=x):
            return Rectified(at(x, place), (wire, place))
        case Smooth(function=name, operand=x):
            return Curve(name, at(x, place))
        case _:
            return row_wise(op, place, types, at)


def inputs_before(circuit: Circuit, wire: Wire) -> list[Wire]:
    """The inputs that stand before one."""
    return [Wire(k) for k, op in enumerate(circuit.ops[:wire]) if isinstance(op, Input)]


def simplest(value: Known) -> Known:
    """A whole number as such, with which it is quicker to compute."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def row_wise(op: Op, place: int, types: Sequence[WireType], at: At) -> Node:
    """One entry of an op that goes along its operand's last axis."""
    match op:
        case All(operand=x):
            return Join("all", row(x, place, types, at))
        case Any(operand=x):
            return Join("any", row(x, place, types, at))
        case Max(operand=x):
            return Join("max", row(x, place, types, at))
        case Argmax(operand=x):
            return Leader(row(x, place, types, at))
        case Softmax(operand=x):
            side = types[x].shape[-1]
            return Share(row(x, place // side, types, at), place % side)
        case TopK(count=count, operand=x):
            side = types[x].shape[-1]
            return Kept(row(x, place // side, types, at), count, place % side)
        case _:
            raise AssertionError(f"not an op along an axis: {op}")


def row(wire: Wire, place: int, types: Sequence[WireType], at: At) -> tuple[int, ...]:
    """The entries of one row along the last axis."""
    side = types[wire].shape[-1]
    return tuple([at(wire, place * side + k) for k in range(side)])


def source_of(op: Reindex, place: int, types: Sequence[WireType]) -> tuple[Wire, int]:
    """Where an entry of a `Reindex` comes from."""
    left = op.source[place]
    for wire in op.operands:
        if left < types[wire].entries:
            return wire, left
        left -= types[wire].entries
    raise AssertionError("an entry that no operand has")


def products(
    op: Contract, place: int, types: Sequence[WireType], at: At
) -> tuple[tuple[int, int], ...]:
    """The products that an entry of an einsum adds up."""
    plan = summed(op.spec, types[op.left].shape, types[op.right].shape)
    start, begin = 0, 0
    for k, x_step, y_step in zip(unravelled(place, plan.sides), plan.here, plan.there, strict=True):
        start, begin = start + k * x_step, begin + k * y_step
    return tuple([(at(op.left, start + x), at(op.right, begin + y)) for x, y in plan.added])


def looked_up(op: Lookup, place: int, types: Sequence[WireType], at: At) -> Pick:
    """One entry of what a table has at some indices."""
    axes, shape = len(op.indices), types[op.table].shape
    sides, width = shape[:axes], prod(shape[axes:])
    parts = tuple([at(op.table, k * width + place % width) for k in range(prod(sides))])
    return Pick(tuple(at(index, place // width) for index in op.indices), sides, parts)
