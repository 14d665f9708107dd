"""Leaving out the entries that no output reads: all but the last row of attention, where it is read.

For each wire the entries needed are enclosed by a choice of indices on each axis. A demand goes from
an op's entries to those of its operands; then every op is copied with its axes cut down to the demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

import numpy as np

from circ.compiler.builder import Builder
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
)
from circ.compiler.readings.arrays import IntArray
from circ.compiler.rewrite import live, renamed

Kept = tuple[tuple[int, ...], ...]
"""The indices kept on each axis, ascending."""


def narrowed(circuit: Circuit, names: Sequence[str]) -> Circuit:
    """A circuit with these outputs, and no more entries than they read. Its inputs all stay."""
    roots = [circuit.outputs[name] for name in names]
    kept = needed(circuit, roots)
    b = Builder()
    for wire in circuit.inputs.values():
        b.add(circuit.ops[wire])
    moved: dict[Wire, Wire] = {}
    for wire in sorted(kept):
        moved[wire] = cut_down(b, wire, circuit, kept, moved)
    return b.circuit({name: moved[circuit.outputs[name]] for name in names})


# --- what is needed -------------------------------------------------------------------------


def needed(circuit: Circuit, roots: Sequence[Wire]) -> dict[Wire, Kept]:
    """What is kept of each live wire."""
    kept = {wire: whole(circuit.types[wire].shape) for wire in roots}
    for wire in sorted(live(circuit, roots), reverse=True):
        if wire not in kept:
            continue
        op = circuit.ops[wire]
        if isinstance(op, Softmax | TopK):
            kept[wire] = (*kept[wire][:-1], *whole(circuit.types[wire].shape[-1:]))
        for operand, wanted in zip(
            operands(op), demand(op, kept[wire], circuit.types), strict=True
        ):
            if wanted is not None:
                kept[operand] = union(kept[operand], wanted) if operand in kept else wanted
    return kept


def whole(shape: Shape) -> Kept:
    """Every index."""
    return tuple(tuple(range(side)) for side in shape)


def union(one: Kept, other: Kept) -> Kept:
    """What holds both."""
    return tuple(tuple(sorted({*x, *y})) for x, y in zip(one, other, strict=True))


def demand(op: Op, kept: Kept, types: Sequence[WireType]) -> Sequence[Kept | None]:
    """What the entries kept of an op read of each of its operands; None where that is nothing."""
    match op:
        case Input() | Const() | Weight():
            return []
        case Reindex():
            return sources(op, kept, types)
        case Sum() | Compare() | Relu() | Smooth() | Not() | Softmax() | TopK():
            return [kept] * len(operands(op))
        case Contract(spec=spec, left=left, right=right):
            inputs, output = spec.split("->")
            known = dict(zip(output, kept, strict=True))
            return [
                tuple(known.get(c, tuple(range(n))) for c, n in zip(letters, shape, strict=True))
                for letters, shape in zip(
                    inputs.split(","), (types[left].shape, types[right].shape), strict=True
                )
            ]
        case Max(operand=x) | All(operand=x) | Any(operand=x) | Argmax(operand=x):
            return [(*kept, *whole(types[x].shape[-1:]))]
        case Select():
            return [(), kept, kept]
        case Lookup(table=table, indices=indices):
            axes, width = len(indices), len(types[indices[0]].shape)
            rows = whole(types[table].shape[:axes])
            return [rows + kept[width:], *[kept[:width]] * axes]
        case _:
            assert_never(op)


def sources(op: Reindex, kept: Kept, types: Sequence[WireType]) -> list[Kept | None]:
    """For each operand of a `Reindex`, the indices on each axis of the entries read.

    Where none is read of any, the first entry of the first stays: a `Reindex` has an operand.
    """
    read = np.asarray(op.source, np.int64)[offsets(kept, op.shape)]
    read = read if read.size else np.zeros(1, np.int64)
    found: list[Kept | None] = []
    start = 0
    for wire in op.operands:
        known = types[wire]
        inside = read[(read >= start) & (read < start + known.entries)] - start
        axes = np.unravel_index(inside, known.shape) if known.shape else ()
        indices = tuple(tuple(np.unique(axis).tolist()) for axis in axes)
        found.append(indices if inside.size else None)
        start += known.entries
    return found


def offsets(kept: Kept, shape: Shape) -> IntArray:
    """The row-major places of the entries kept, in order."""
    found = np.zeros(1, np.int64)
    for indices, side in zip(kept, shape, strict=True):
        found = (found[:, None] * side + np.array(indices, np.int64)).reshape(-1)
    return found


# --- copying --------------------------------------------------------------------------------


def cut_down(
    b: Builder,
    wire: Wire,
    circuit: Circuit,
    kept: Mapping[Wire, Kept],
    moved: Mapping[Wire, Wire],
) -> Wire:
    """The wire of `b` for what is kept of one wire."""
    op = circuit.ops[wire]
    if not operands(op):
        return part(b, b.add(op), kept[wire])
    if isinstance(op, Reindex):
        return b.add(reindexed(op, kept[wire], circuit.types, kept, moved))
    wanted = zip(operands(op), demand(op, kept[wire], circuit.types), strict=True)
    parts = iter([part(b, moved[x], within(keep or (), kept[x])) for x, keep in wanted])
    return b.add(renamed(op, lambda _: next(parts)))  # the operands come in order


def within(wanted: Kept, kept: Kept) -> Kept:
    """Where the indices wanted stand among those kept."""
    pairs = zip(wanted, kept, strict=True)
    return tuple(tuple(np.searchsorted(have, want).tolist()) for want, have in pairs)


def part(b: Builder, wire: Wire, kept: Kept) -> Wire:
    """The entries kept of a wire of `b`: the wire itself, where that is all of them."""
    shape = b.shape(wire)
    if kept == whole(shape):
        return wire
    sides = tuple(len(indices) for indices in kept)
    return b.add(Reindex((wire,), tuple(offsets(kept, shape).tolist()), sides))


def reindexed(
    op: Reindex,
    keep: Kept,
    types: Sequence[WireType],
    kept: Mapping[Wire, Kept],
    moved: Mapping[Wire, Wire],
) -> Reindex:
    """A `Reindex` of the same entries from what is kept of its operands."""
    places: list[IntArray] = []
    wires: list[Wire] = []
    start = 0
    for wire, read in zip(op.operands, sources(op, keep, types), strict=True):
        place = np.full(types[wire].entries, -1, np.int64)
        if read is not None:
            entries = offsets(kept[wire], types[wire].shape)
            place[entries] = start + np.arange(entries.size)
            start += entries.size
            wires.append(moved[wire])
        places.append(place)
    picked = np.asarray(op.source, np.int64)[offsets(keep, op.shape)]
    source = tuple(np.concatenate(places)[picked].tolist())
    return Reindex(tuple(wires), source, tuple(map(len, keep)))
