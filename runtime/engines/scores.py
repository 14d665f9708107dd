"""The scores that a hard choice goes by, letter by letter, and which of them is surely above which.

They are compared in float64 with all rounding bounded. What overlaps is compared again in exact
arithmetic; what is equal there, or is not told apart by 1024 bits either, counts as a tie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic

import numpy as np

from circ.compiler.ir import Circuit, Wire
from circ.compiler.readings.balls import FloatArray, radius
from circ.compiler.readings.decisions import BoolArray, Discrete
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, constants, enclose
from circ.compiler.readings.roundoff import DOUBLE, WIDER
from circ.compiler.trial import PRECISIONS
from circ.compiler.words.chosen import LETTER
from circ.compiler.words.separable import NotSeparable
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.one_word import Late
from circ.runtime.engines.phases import Network
from circ.runtime.engines.readouts import require_room

ROOM = 8 * DOUBLE.unit
"""More than the roundings of an end of an interval."""

Box = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Bounds [kind, letter, fixing] of some scores; those of a kind are one function of the letter.

    `circuits[kind]` has the score alone, as its output `score`.
    """

    network: Network
    low: FloatArray
    high: FloatArray
    circuits: tuple[Circuit, ...]
    known: dict[tuple[int, int], dict[Wire, Value]] = field(
        default_factory=dict[tuple[int, int], dict[Wire, Value]]
    )

    def above(self, fixing: int, occurs: BoolArray) -> BoolArray:
        """Whether one score is surely above another: [kind, letter, kind, letter].

        In exact arithmetic only those are compared that occur: `occurs[kind, letter]`.
        """
        low, high = self.low[:, :, fixing].reshape(-1), self.high[:, :, fixing].reshape(-1)
        above = low[:, None] > high[None, :]
        tied = (low == high)[:, None] & (low[:, None] == low) & (low == high)
        asked = occurs.reshape(-1)
        open_pairs = np.triu(~(above | above.T | tied) & asked[:, None] & asked, 1)
        for bits in PRECISIONS:
            pairs = np.argwhere(open_pairs)
            boxes = {k: self.box(k, fixing, bits) for k in np.unique(pairs).tolist()}
            for i, k in pairs.tolist():
                one, other = boxes[i], boxes[k]
                above[i, k], above[k, i] = one[0] > other[1], other[0] > one[1]
                tie = one == other and one[0] == one[1]
                open_pairs[i, k] = not (above[i, k] or above[k, i] or tie)
        return above.reshape(2 * occurs.shape)

    def box(self, item: int, fixing: int, bits: int) -> Box:
        """What exact arithmetic says of one score. Raises `Late` when the time is up."""
        if monotonic() > self.network.until:
            raise Late
        alphabet = self.network.alphabet
        kind, letter = divmod(item, alphabet.size)
        circuit = self.circuits[kind]
        if (kind, bits) not in self.known:
            self.known[kind, bits] = constants(circuit, self.network.weights, bits)
        word = alphabet.words()[:, letter * alphabet.fixings.shape[1] + fixing].tolist()
        points = {name: [letter] if name == LETTER else word for name in circuit.inputs}
        point = at_point(circuit, points)
        weights, known = self.network.weights, self.known[kind, bits]
        value = enclose(circuit, point, weights, bits, known=known)["score"]
        assert isinstance(value, Reals)
        return value.box[0]


def scored(network: Network, scores: Sequence[Wire]) -> Scores:
    """Scores that read the word at fixed positions alone, and `LETTER`."""
    alphabet, circuit = network.alphabet, network.circuit
    require_room(circuit, scores, alphabet)
    words = alphabet.words()
    count = alphabet.fixings.shape[1]
    given = {network.word: Discrete(words)}
    if LETTER in circuit.inputs:
        given[circuit.inputs[LETTER]] = Discrete(np.repeat(np.arange(alphabet.size), count))
    plan = prepare(circuit, network.weights, scores, DOUBLE, list(given))
    found = read(plan, Values({}, given))
    shape = (len(scores), alphabet.size * count)
    low, high = np.zeros(shape), np.zeros(shape)
    for k, wire in enumerate(scores):
        ball = found.reals[wire]
        rad = np.broadcast_to(radius(ball), shape[1:])
        slack = np.where(rad > 0, (rad + ROOM * (np.abs(ball.mid) + rad)) * WIDER, 0)
        low[k], high[k] = ball.mid - slack, ball.mid + slack
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    sides = (len(scores), alphabet.size, count)
    alone = tuple(narrowed(replace_outputs(circuit, wire), ["score"]) for wire in scores)
    return Scores(network, low.reshape(sides), high.reshape(sides), alone)


def replace_outputs(circuit: Circuit, score: Wire) -> Circuit:
    """A circuit with this output alone."""
    return Circuit(circuit.ops, circuit.types, {"score": score})


def finite(network: Network, tables: Sequence[Wire]) -> None:
    """Raise `NotSeparable` where a number that is chosen from, or by, may be undefined for some letter.

    What is not chosen is not looked at again, and a word on which it is undefined has no outcome.
    """
    alphabet, circuit = network.alphabet, network.circuit
    require_room(circuit, tables, alphabet)
    shape = circuit.types[network.word].shape
    words = Discrete(alphabet.words().reshape(*shape, -1))
    plan = prepare(circuit, network.weights, tables, DOUBLE, [network.word])
    found = read(plan, Values({}, {network.word: words}))
    for table in tables:
        ball = found.reals[table]
        if not (np.isfinite(ball.mid).all() and np.isfinite(radius(ball)).all()):
            raise NotSeparable("a number that a hard choice reads is too large, or undefined")
