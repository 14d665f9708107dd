"""What each letter at each position adds to a read-out, in float64 with all rounding bounded.

A term reads one position, and besides it only the fixed ones. So all terms of all positions are read
off the words that repeat one letter everywhere but at the fixed positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from circ.compiler.ir import Circuit, Wire
from circ.compiler.positions import NOWHERE
from circ.compiler.readings.arrays import IntArray, Where
from circ.compiler.readings.balls import Ball, FloatArray, radius
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.roundoff import DOUBLE, WIDER
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights
from circ.compiler.words.separable import NotSeparable, Terms

MOST = 1 << 26
"""Numbers in one wire, over all letters and fixings: half a gigabyte."""

TOGETHER = 1 << 20
"""Numbers in one wire, over the letters that are gone through together: eight megabytes."""


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """The entries of a wire as sums over positions: bounds on what each letter adds.

    `low` and `high` have the shape [entry, position, letter, fixing]: n positions, and at n (with
    each letter alike) what no free position changes. A *fixing* is a choice of letters at the fixed
    positions. `low` is below the truth, and `high` above it, by enough for a sum of `low`s over all
    positions to be a lower bound however it is rounded, and of `high`s an upper one.
    """

    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Alphabet:
    """The letters of a word of so many positions, and how the fixed ones are chosen."""

    size: int
    length: int
    fixed: tuple[int, ...]

    @property
    def fixings(self) -> IntArray:
        """One column for each choice of letters at the fixed positions."""
        columns = list(product(range(self.size), repeat=len(self.fixed)))
        return np.array(columns, np.int64).reshape(len(columns), len(self.fixed)).T

    def words(self) -> IntArray:
        """[position, letter · fixing]: the letter everywhere, but the fixing where that says so."""
        fixings = self.fixings
        count = fixings.shape[1]
        found = np.repeat(np.arange(self.size), count)[None].repeat(self.length, axis=0)
        for position, letters in zip(self.fixed, fixings, strict=True):
            found[position] = np.tile(letters, self.size)
        return found


def readouts(
    circuit: Circuit, weights: Weights, word: Wire, alphabet: Alphabet, terms: Sequence[Terms]
) -> list[Readout]:
    """The read-outs that these terms make up, denominators aside.

    Raises `NotSeparable` where they take too much memory.
    """
    wanted = [x.wire for x in terms]
    shape = circuit.types[word].shape
    widest = require_room(circuit, wanted, alphabet)
    plan = prepare(circuit, weights, wanted, DOUBLE, [word])
    words, count = alphabet.words(), alphabet.fixings.shape[1]
    step = max(1, TOGETHER // (widest * count))
    made = [empty(x, alphabet) for x in terms]
    for start in range(0, alphabet.size, step):
        some = slice(start, min(start + step, alphabet.size))
        here = words[:, some.start * count : some.stop * count]
        found = read(plan, Values({}, {word: Discrete(here.reshape(*shape, -1))}))
        for readout, x in zip(made, terms, strict=True):
            fill(readout, found.reals[x.wire], x, some)
    return made


def require_room(circuit: Circuit, wanted: Sequence[Wire], alphabet: Alphabet) -> int:
    """The most entries of a wire; raises `NotSeparable` where that is too much memory for all letters
    and fixings."""
    count = alphabet.size * alphabet.fixings.shape[1]
    widest = max((circuit.types[wire].entries for wire in live(circuit, wanted)), default=1)
    if widest * count > MOST:
        raise NotSeparable(f"a tensor of {widest:,} entries has {count:,} cases to be worked out")
    return widest


def empty(terms: Terms, alphabet: Alphabet) -> Readout:
    """A read-out in which every letter adds nothing."""
    size = prod(terms.places.shape[1:])
    shape = size, alphabet.length + 1, alphabet.size, alphabet.fixings.shape[1]
    return Readout(np.zeros(shape), np.zeros(shape))


def fill(found: Readout, ball: Ball, terms: Terms, some: slice) -> None:
    """Put the terms of one read-out where they belong, for some letters.

    A sum over all positions, of both sides of a comparison, takes fewer roundings than `room` has
    units for; no position has more terms than there are terms in all.
    """
    size, above, _, fixings = found.low.shape
    count, length = terms.places.shape[0], above - 1
    places = terms.places.reshape(count, size)
    room = (4 * length + 4 * count + 64) * DOUBLE.unit
    every: IntArray = np.arange(int(size))
    across = size, (some.stop - some.start) * fixings
    sides = (x.reshape(count, size, -1) for x in (ball.mid, radius(ball)))
    for mid, rad, row in zip(*sides, np.where(places == NOWHERE, length, places), strict=True):
        slack = (rad + room * (np.abs(mid) + rad)) * WIDER
        one = bool((row == row[0]).all())
        entry: Where = slice(0, size) if one else every
        position: int | IntArray = int(row[0]) if one else row
        for side, sign in ((found.low, -1.0), (found.high, 1.0)):
            edge = mid + sign * slack
            edge[np.isnan(edge)] = sign * np.inf
            edge = np.broadcast_to(edge, across).reshape(size, -1, fixings)
            side[entry, position, some] += edge
