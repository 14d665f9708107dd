"""The order of positions, as tables: which of two comes first, and the largest of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import ge, gt, le, lt
from typing import Literal

from circ.compiler.builder import Builder, codes, spread, take, truth
from circ.compiler.ir import Bool, Const, Index, Lookup, Reindex, Wire, WireType
from circ.compiler.lower.environment import Environment
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import too_many_positions
from circ.lang.span import Span
from circ.lang.syntax import CompareOp

MOST_CELLS = 100_000
"""Of a table with a cell for each pair of positions."""

ORDERS: dict[CompareOp, Callable[[int, int], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def lower_order(op: CompareOp, left: Wire, right: Wire, span: Span, env: Environment) -> Wire:
    """Whether positions stand in one of `ORDERS`, entry by entry.

    Of two known ones it is known. Against a known one it is a table of all positions, else of all
    pairs.
    """
    b, holds = env.b, ORDERS[op]
    size = size_of(b, left)
    first, second = known_code(b, left), known_code(b, right)
    if first is not None and second is not None:
        return truth(b, holds(first, second))
    if second is not None:
        return truths(b, [holds(i, second) for i in range(size)], (left,))
    if first is not None:
        return truths(b, [holds(first, j) for j in range(size)], (right,))
    shape = max(b.shape(left), b.shape(right), key=len)
    cells = [holds(i, j) for i in range(size) for j in side(size, span)]
    return truths(b, cells, (spread(b, left, shape), spread(b, right, shape)))


def lower_extreme(
    name: Literal["max", "min"], wires: Sequence[Wire], span: Span, env: Environment
) -> Wire:
    """The largest or smallest of several positions entry by entry, or along one's leading axis."""
    b, pick = env.b, max if name == "max" else min
    if len(wires) == 1:
        wires = [take(b, wires[0], [i]) for i in range(b.shape(wires[0])[0])]
    size = size_of(b, wires[0])
    shape = max(map(b.shape, wires), key=len)
    parts = [spread(b, wire, shape) for wire in wires]
    if len(parts) == 1:
        return parts[0]
    cells = [pick(i, j) for i in range(size) for j in side(size, span)]
    table = codes(b, cells, size, (size, size))
    return reduce(lambda first, second: b.add(Lookup(table, (first, second))), parts)


def size_of(b: Builder, wire: Wire) -> int:
    """How many positions there are."""
    sort = b.types[wire].sort
    assert isinstance(sort, Index)
    return sort.size


def side(size: int, span: Span) -> range:
    """One side of a table of pairs; raises `CircError` where that would be too large."""
    if size * size > MOST_CELLS:
        raise CircError(too_many_positions(span, size, MOST_CELLS))
    return range(size)


def known_code(b: Builder, wire: Wire) -> int | None:
    """The position that a scalar is, where it is a constant or an entry of one."""
    op, place = b.ops[wire], 0
    if b.shape(wire) != ():
        return None
    while isinstance(op, Reindex) and len(op.operands) == 1:
        place = op.source[place]
        op = b.ops[op.operands[0]]
    return int(op.values[place]) if isinstance(op, Const) else None


def truths(b: Builder, cells: Sequence[bool], indices: tuple[Wire, ...]) -> Wire:
    """A table of truths, read by positions."""
    sides = tuple(size_of(b, index) for index in indices)
    return b.add(Lookup(b.add(Const(WireType(Bool(), sides), tuple(cells))), indices))
