"""Wires that read few positions of a word, tabulated once instead of computed for every word.

An entry that reads only positions p and q has one value for each pair of members there. Attention's
keys and values read one position, its scores two; so most of a transformer's first layer is a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import Circuit, Input, Real, Shape, Wire, WireType, operands
from circ.compiler.positions import reads
from circ.compiler.readings.arrays import IntArray, Where, stepped
from circ.compiler.readings.balls import Ball, FloatArray, radius
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.routing import slack_of
from circ.compiler.tensor import Weights
from circ.runtime.engines.words import codes

Scalar = TypeVar("Scalar", bound=np.generic)

POSITIONS = 62
"""Longer words are not tabulated: a mask of positions is one integer."""

ROWS = 1 << 12
"""Most sub-words that one entry's table may have."""

CELLS = 1 << 21
"""Most entries in all tables together."""


@dataclass(frozen=True, slots=True, eq=False)
class Block(Generic[Scalar]):
    """The entries of a wire that read the positions in `mask`: `rows[i, r]` on sub-word r."""

    entries: Where
    mask: int
    rows: npt.NDArray[Scalar]


@dataclass(frozen=True, slots=True, eq=False)
class RealTable:
    """A real wire, with each entry's largest radius (None where all are exact) and size."""

    shape: Shape
    mids: tuple[Block[np.float64], ...]
    rad: FloatArray | None
    size: FloatArray
    grain: int


@dataclass(frozen=True, slots=True, eq=False)
class CodeTable:
    """A wire of truths or indices, with the slack of each sub-word."""

    shape: Shape
    values: tuple[Block[np.int64 | np.bool_], ...]
    slack: tuple[Block[np.float64], ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Tabulated wires of a circuit that reads one input, `word`, of `size` members a position."""

    word: Wire
    size: int
    reals: Mapping[Wire, RealTable]
    codes: Mapping[Wire, CodeTable]


# --- reading a batch ------------------------------------------------------------------------


def filled(tables: Tables, words: Discrete) -> Values:
    """The tabulated wires for a batch of words, beside the words themselves."""
    positions = words.values.reshape(-1, words.values.shape[-1]).astype(np.int64, copy=False)
    ranks: dict[int, IntArray] = {}

    def gathered(shape: Shape, parts: tuple[Block[Scalar], ...]) -> npt.NDArray[Scalar]:
        found = np.empty((prod(shape), positions.shape[1]), parts[0].rows.dtype)
        for part in parts:
            if part.mask not in ranks:
                ranks[part.mask] = rank(positions, part.mask, tables.size)
            into = part.entries
            if isinstance(into, slice) and into.step == 1:
                part.rows.take(ranks[part.mask], axis=1, out=found[into], mode="clip")
            else:
                found[into] = part.rows.take(ranks[part.mask], axis=1)
        return found.reshape(*shape, -1)

    found = Values({}, {tables.word: words})
    for wire, table in tables.reals.items():
        mid = gathered(table.shape, table.mids)
        found.reals[wire] = Ball(mid, table.rad, table.size, table.grain)
    for wire, known in tables.codes.items():
        slack = None if known.slack is None else gathered(known.shape, known.slack)
        found.discrete[wire] = Discrete(gathered(known.shape, known.values), slack)
    return found


def rank(positions: IntArray, mask: int, size: int) -> IntArray:
    """The number of each word's sub-word at the positions of `mask`."""
    found = np.zeros((positions.shape[1],), np.int64)
    for number, position in enumerate(members_of(mask)):
        row: IntArray = positions[position]
        found = found * size + row if number else row
    return found


def members_of(mask: int) -> list[int]:
    """The positions in a mask, in order."""
    return [position for position in range(mask.bit_length()) if mask >> position & 1]


# --- making ---------------------------------------------------------------------------------


def tabulated(
    circuit: Circuit, weights: Weights, wanted: Sequence[Wire], word: Wire, size: int, words: int
) -> Tables:
    """Tables for computing the wires `wanted` on `words` many words; none where none is worth it."""
    known = circuit.types[word]
    empty = Tables(word, size, {}, {})
    if known.entries > POSITIONS or size < 2:
        return empty
    most = next(k for k in range(POSITIONS + 1) if size ** (k + 1) > ROWS)
    if most == 0:
        return empty
    masks = reads(circuit, wanted, word)
    for positions in range(most, 0, -1):
        chosen = frontier(circuit, wanted, masks, positions)
        if affordable([masks[wire] for wire in chosen], size, words):
            return filled_in(circuit, weights, chosen, masks, empty)
    return empty


def frontier(
    circuit: Circuit, wanted: Sequence[Wire], masks: Mapping[Wire, IntArray], most: int
) -> list[Wire]:
    """The last wires on the way to those wanted that read at most so many positions an entry."""
    found: set[Wire] = set()
    seen: set[Wire] = set()
    waiting = list(wanted)
    while waiting:
        wire = waiting.pop()
        if wire in seen or not masks[wire].any() or isinstance(circuit.ops[wire], Input):
            continue
        seen.add(wire)
        if most_read(masks[wire]) <= most:
            found.add(wire)
        else:
            waiting.extend(operands(circuit.ops[wire]))
    return sorted(found)


def most_read(masks: IntArray) -> int:
    """How many positions some entry reads."""
    return max(int(mask).bit_count() for mask in np.unique(masks))


def affordable(masks: Sequence[IntArray], size: int, words: int) -> bool:
    """Whether the tables are small, and far fewer sub-words are read for them than there are words."""
    if not masks:
        return False
    found, entries = np.unique(np.concatenate([m.reshape(-1) for m in masks]), return_counts=True)
    rows = [size ** int(mask).bit_count() for mask in found]
    cells = sum(count * rest for count, rest in zip(rows, entries.tolist(), strict=True))
    cheap: bool = cells <= CELLS and sum(rows) <= words // 8
    return cheap


def filled_in(
    circuit: Circuit,
    weights: Weights,
    chosen: Sequence[Wire],
    masks: Mapping[Wire, IntArray],
    empty: Tables,
) -> Tables:
    """The tables of these wires: each evaluated on every sub-word of the positions it reads."""
    plan = prepare(circuit, weights, chosen)
    slices: dict[Wire, list[Slice]] = {wire: [] for wire in chosen}
    for mask in sorted({int(mask) for wire in chosen for mask in np.unique(masks[wire])}):
        words = sub_words(circuit.types[empty.word], mask, empty.size)
        found = read(plan, Values({}, {empty.word: Discrete(words)}))
        for wire in chosen:
            (entries,) = np.nonzero(masks[wire].reshape(-1) == mask)
            if entries.size:
                shape = circuit.types[wire].shape
                slices[wire].append(Slice(entries, mask, shape, words.shape[-1], found))
    real = {wire for wire in chosen if circuit.types[wire].sort == Real()}
    return replace(
        empty,
        reals={wire: real_table(wire, slices[wire]) for wire in chosen if wire in real},
        codes={wire: code_table(wire, slices[wire]) for wire in chosen if wire not in real},
    )


def sub_words(known: WireType, mask: int, size: int) -> IntArray:
    """Every word that differs from 0 0 … 0 at the positions of `mask` alone."""
    positions = members_of(mask)
    words = np.zeros((known.entries, size ** len(positions)), np.int64)
    words[positions] = codes(np.arange(words.shape[1]), size, len(positions))
    return words.reshape(*known.shape, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Entries of a wire of this shape, and the reading of all sub-words at the positions they read."""

    entries: IntArray
    mask: int
    shape: Shape
    words: int
    found: Values

    def rows(self, x: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """These entries of an array, on each sub-word."""
        flat = x.reshape(prod(self.shape), x.shape[-1])[self.entries]
        return np.ascontiguousarray(np.broadcast_to(flat, (self.entries.size, self.words)))

    def part(self, x: npt.NDArray[Scalar]) -> Block[Scalar]:
        """The same as a part of a table."""
        return Block(stepped(self.entries), self.mask, self.rows(x))


def real_table(wire: Wire, slices: Sequence[Slice]) -> RealTable:
    """The table of a real wire."""
    shape = slices[0].shape
    balls = [part.found.reals[wire] for part in slices]
    bounds = np.zeros((2, prod(shape), 1))
    for part, ball in zip(slices, balls, strict=True):
        bounds[0, part.entries] = part.rows(radius(ball)).max(-1, keepdims=True)
        bounds[1, part.entries] = part.rows(ball.size).max(-1, keepdims=True)
    rad, size = bounds.reshape(2, *shape, 1)
    mids = tuple(part.part(ball.mid) for part, ball in zip(slices, balls, strict=True))
    exact = all(ball.rad is None for ball in balls)
    grain = min(ball.grain for ball in balls)
    return RealTable(shape, mids, None if exact else rad, size, grain)


def code_table(wire: Wire, slices: Sequence[Slice]) -> CodeTable:
    """The table of a wire of truths or indices."""
    known = [part.found.discrete[wire] for part in slices]
    values = tuple(part.part(x.values) for part, x in zip(slices, known, strict=True))
    slack = tuple(part.part(slack_of(x)) for part, x in zip(slices, known, strict=True))
    certain = all(x.slack is None for x in known)
    return CodeTable(slices[0].shape, values, None if certain else slack)
