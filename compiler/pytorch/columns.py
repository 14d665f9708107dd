"""Parts of a circuit that are alike, laid side by side: what they compute alike, and what they read.

A *column* has the wires that correspond to each other, one of each part.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from circ.compiler.ir import Circuit, Const, Input, Op, Reindex, Weight, Wire, operands
from circ.compiler.rewrite import renamed

MOST_LISTED = 2
"""Columns that are neither one wire throughout nor rows of one."""

Column = tuple[Wire, ...]

Readers = Mapping[Wire, Collection[Wire]]
"""The wires that read each wire; an output has one reader more, which is no wire of the circuit."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a wire, from `start` up to `stop`; `whole` if these are all."""

    wire: Wire
    start: int
    stop: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Aligned:
    """Parts that are alike, told by the wires of the first one.

    It computes `inner`, the last of which is its value. Of what it reads, some wires are rows of another,
    some are `listed` as a column, and those `shared` are the same in each part. `parts` has the wires
    that each part computes.
    """

    inner: tuple[Wire, ...]
    rows: Mapping[Wire, Rows]
    listed: Mapping[Wire, Column]
    shared: frozenset[Wire]
    parts: Sequence[Collection[Wire]]

    @property
    def reads(self) -> list[Wire]:
        """The wires that have to be there before the parts."""
        lists = (wire for column in self.listed.values() for wire in column)
        return [*sorted(self.shared), *(rows.wire for rows in self.rows.values()), *lists]


def align(
    circuit: Circuit,
    roots: Column,
    readers: Readers,
    outside: Sequence[Collection[Wire]],
    carried: Column = (),
) -> Aligned | None:
    """The parts whose values are `roots`, if they are alike, and nothing else reads what they compute.

    `outside` has, for each part, the wires beside it that may read it; `carried` is a column that is there
    before. A part begins at rows of a wire where there are any, so that these may be read elsewhere.
    """
    parts = [{*wires} for wires in outside]
    inner, shared = set[Wire](), set[Wire]()
    rows, listed = dict[Wire, Rows](), dict[Wire, Column]()
    waiting = {roots}
    while waiting:
        column = max(waiting)
        waiting.remove(column)
        first = column[0]
        if len({circuit.types[wire] for wire in column}) > 1:
            return None
        if column == carried:
            continue
        if len({*column}) == 1:
            shared.add(first)
        elif (found := rows_of(circuit, column)) is not None:
            rows[first] = found
        elif first not in inner and are_alike(circuit, column) and within(column, parts, readers):
            inner.add(first)
            for part, wire in zip(parts, column, strict=True):
                part.add(wire)
            waiting |= {*zip(*(operands(circuit.ops[wire]) for wire in column), strict=True)}
        else:
            listed[first] = column
    kinds = [inner, shared, rows.keys(), listed.keys(), {*carried[:1]}]
    told_apart = sum(map(len, kinds)) == len(set[Wire]().union(*kinds))
    if not inner or not told_apart or len(listed) > MOST_LISTED:
        return None
    own = [part.difference(wires) for part, wires in zip(parts, outside, strict=True)]
    return Aligned(tuple(sorted(inner)), rows, listed, frozenset(shared), own)


def are_alike(circuit: Circuit, column: Column) -> bool:
    """Whether each is another wire, computed in the same way."""
    ops = [circuit.ops[wire] for wire in column]
    known = isinstance(ops[0], Input | Const | Weight)
    return not known and len({*column}) == len(column) and len({*map(form, ops)}) == 1


def within(column: Column, parts: Sequence[Collection[Wire]], readers: Readers) -> bool:
    """Whether each is read by its own part alone."""
    return all(
        set(part).issuperset(readers[wire]) for part, wire in zip(parts, column, strict=True)
    )


def form(op: Op) -> Op:
    """An op, whatever wires it reads."""
    return renamed(op, lambda _: Wire(0))


def rows_of(circuit: Circuit, column: Column) -> Rows | None:
    """The rows that these are, one after the other, of one wire."""
    first = circuit.ops[column[0]]
    if not isinstance(first, Reindex) or not first.source:
        return None
    source = first.operands[0]
    inner = circuit.types[source].shape[1:]
    width = prod(inner)
    if not circuit.types[source].shape or not width:
        return None
    start = first.source[0] // width
    for place, wire in enumerate(column, start):
        row = Reindex((source,), tuple(range(place * width, (place + 1) * width)), inner)
        if circuit.ops[wire] != row:
            return None
    stop = start + len(column)
    return Rows(source, start, stop, (start, stop) == (0, circuit.types[source].shape[0]))
