"""The type of the wire an op drives, from the types of its operands: the IR's own typing rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Compare,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Real,
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
)


class IllFormed(AssertionError):
    """An op whose operands do not fit: a fault of the compiler, never of the user."""


def require(condition: bool, op: Op) -> None:
    """Raise `IllFormed` unless `condition` holds of `op`."""
    if not condition:
        raise IllFormed(f"operands do not fit: {op}")


@dataclass(frozen=True, slots=True)
class Operands:
    """The shapes of an op's operands, each checked as it is asked for."""

    op: Op
    types: Sequence[WireType]

    def real(self, wire: Wire) -> Shape:
        """The shape of an operand of reals."""
        require(self.types[wire].sort == Real(), self.op)
        return self.types[wire].shape

    def truth(self, wire: Wire) -> Shape:
        """The shape of an operand of truths."""
        require(self.types[wire].sort == Bool(), self.op)
        return self.types[wire].shape

    def last(self, shape: Shape) -> int:
        """How long the last axis is."""
        require(len(shape) > 0, self.op)
        return shape[-1]

    def rest(self, shape: Shape) -> Shape:
        """The shape without its last axis, which has an entry."""
        require(self.last(shape) > 0, self.op)
        return shape[:-1]


def wire_type(op: Op, types: Sequence[WireType]) -> WireType:
    """The type of `op`'s wire; `types[w]` is the type of each earlier wire."""
    at = Operands(op, types)
    match op:
        case Input(type=known):
            return known
        case Const(type=known, values=values):
            require(len(values) == known.entries, op)
            return known
        case Weight(shape=shape):
            return WireType(Real(), shape)
        case Reindex():
            return reindexed(op, types)
        case Sum(terms=terms):
            shapes = {at.real(wire) for _, wire in terms}
            require(len(shapes) == 1, op)
            return WireType(Real(), shapes.pop())
        case Contract(spec=spec, left=left, right=right):
            return WireType(Real(), contracted(op, spec, at.real(left), at.real(right)))
        case Relu(operand=x) | Smooth(operand=x):
            return WireType(Real(), at.real(x))
        case Softmax(operand=x):
            at.rest(at.real(x))
            return WireType(Real(), at.real(x))
        case Max(operand=x):
            return WireType(Real(), at.rest(at.real(x)))
        case Argmax(operand=x):
            return WireType(Index(at.last(at.real(x))), at.rest(at.real(x)))
        case TopK(count=count, operand=x):
            require(0 <= count <= at.last(at.real(x)) and at.last(at.real(x)) > 0, op)
            return WireType(Real(), at.real(x))
        case Compare():
            return compared(op, types)
        case Not(operand=x):
            return WireType(Bool(), at.truth(x))
        case All(operand=x) | Any(operand=x):
            at.last(at.truth(x))
            return WireType(Bool(), at.truth(x)[:-1])
        case Select(condition=condition, then=then, otherwise=otherwise):
            require(at.truth(condition) == (), op)
            require(types[then] == types[otherwise], op)
            return types[then]
        case Lookup():
            return looked_up(op, types)
        case _:
            assert_never(op)


def compared(op: Compare, types: Sequence[WireType]) -> WireType:
    """Reals in any order, members of one finite type for equality only."""
    kind = types[op.left]
    require(kind == types[op.right], op)
    require(kind.sort == Real() or (kind.sort != Bool() and op.op == "=="), op)
    return WireType(Bool(), kind.shape)


def reindexed(op: Reindex, types: Sequence[WireType]) -> WireType:
    """All operands have one sort, and every source entry exists."""
    sorts = {types[wire].sort for wire in op.operands}
    result = WireType(sorts.pop(), op.shape)
    total = sum(types[wire].entries for wire in op.operands)
    require(not sorts and len(op.source) == result.entries, op)
    require(not op.source or (min(op.source) >= 0 and max(op.source) < total), op)
    return result


def contracted(op: Op, spec: str, left: Shape, right: Shape) -> Shape:
    """The output shape of an einsum, each letter having one size."""
    inputs, output = spec.split("->")
    first, second = inputs.split(",")
    require(len(first) == len(left) and len(second) == len(right), op)
    for letters in (first, second, output):
        require(len(set(letters)) == len(letters), op)
    sizes = dict(zip(first, left, strict=True))
    for letter, side in zip(second, right, strict=True):
        require(sizes.setdefault(letter, side) == side, op)
    shared = set(first) & set(second)
    require(set(output) <= set(sizes) and set(sizes) <= shared | set(output), op)
    return tuple(sizes[letter] for letter in output)


def looked_up(op: Lookup, types: Sequence[WireType]) -> WireType:
    """Each index ranges over its axis of the table; all indices have one shape."""
    table = types[op.table]
    shapes = {types[wire].shape for wire in op.indices}
    require(len(shapes) == 1 and len(op.indices) <= len(table.shape), op)
    for wire, side in zip(op.indices, table.shape, strict=False):
        require(types[wire].sort == Index(side), op)
    return WireType(table.sort, shapes.pop() + table.shape[len(op.indices) :])
