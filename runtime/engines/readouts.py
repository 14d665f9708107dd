"""What each letter at each position adds to a read-out, in float64 with all rounding bounded.

A term reads one position, and besides it only the fixed ones. So all terms of all positions are read
off the words that repeat one letter everywhere but at the fixed positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from circ.compiler.ir import Circuit, Wire
from circ.compiler.positions import NOWHERE
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import Ball, FloatArray, radius
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.roundoff import DOUBLE, WIDER
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights
from circ.compiler.words.separable import NotSeparable, Terms

MOST = 1 << 26
"""Numbers in one wire, over all letters and fixings: half a gigabyte."""


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
    require_room(circuit, wanted, alphabet)
    words = alphabet.words()
    given = Values({}, {word: Discrete(words.reshape(*shape, -1))})
    found = read(prepare(circuit, weights, wanted, DOUBLE, [word]), given)
    return [readout(found.reals[x.wire], x, alphabet) for x in terms]


def require_room(circuit: Circuit, wanted: Sequence[Wire], alphabet: Alphabet) -> None:
    """Raise `NotSeparable` where some wires take too much memory for all letters and fixings."""
    count = alphabet.size * alphabet.fixings.shape[1]
    widest = max((circuit.types[wire].entries for wire in live(circuit, wanted)), default=1)
    if widest * count > MOST:
        raise NotSeparable(f"a tensor of {widest:,} entries has {count:,} cases to be worked out")


def readout(ball: Ball, terms: Terms, alphabet: Alphabet) -> Readout:
    """One read-out, its terms put where they belong.

    A sum over all positions, of both sides of a comparison, takes fewer roundings than `room` has
    units for; no position has more terms than there are terms in all.
    """
    places = terms.places.reshape(terms.places.shape[0], -1)
    count, size = places.shape
    shape = (size, alphabet.length + 1, alphabet.size, alphabet.fixings.shape[1])
    across = (count, size, shape[2] * shape[3])
    mid = np.broadcast_to(ball.mid.reshape(count, size, -1), across)
    room = (4 * alphabet.length + 4 * count + 64) * DOUBLE.unit
    slack = np.broadcast_to(radius(ball).reshape(count, size, -1), across)
    slack = (slack + room * (np.abs(mid) + slack)) * WIDER
    at = np.where(places == NOWHERE, alphabet.length, places)
    found = Readout(np.zeros(shape), np.zeros(shape))
    for side, sign in ((found.low, -1.0), (found.high, 1.0)):
        edges = mid + sign * slack
        edges = np.where(np.isnan(edges), sign * np.inf, edges)
        for edge, row in zip(edges, at, strict=True):
            side[np.arange(size), row] += edge.reshape(size, -1, shape[-1])
    return found
