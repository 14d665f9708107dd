"""A circuit of scalars cut between the letters of a word, and run from cut to cut.

What a cut carries is what has to be known of a prefix: the wires that read it alone and that
something later reads. Values are float64 and exact: what rounding leaves open goes to the exact
reference, and what float64 does not hold is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from circ.compiler.ir import Bool, Circuit, Index, Real, Wire, operands
from circ.compiler.readings import balls
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import Codes, Discrete, undecided
from circ.compiler.readings.floats import Values, needed, prepare, read
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Setting, Value, exact_value, value
from circ.compiler.readings.roundoff import DOUBLE
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights
from circ.compiler.trial import PRECISIONS
from circ.compiler.words.alike import alike
from circ.compiler.words.scalars import NOTHING, Scalars

MOST_STATES = 1 << 16
"""Different values that one cut may carry."""

MOST_ROWS = 1 << 22
"""The same times the letters."""


class Blown(Exception):
    """There is no automaton of reasonable size; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A circuit of scalars cut between the letters: `live[p]` reads the first p and is read later."""

    circuit: Circuit
    weights: Weights
    letters: tuple[tuple[Wire, ...], ...]
    live: tuple[tuple[Wire, ...], ...]


def cut(scalars: Scalars, weights: Weights, wanted: Sequence[Wire], length: int) -> Layers:
    """Which scalars each position leaves behind; tensors are put together again where they are read."""
    circuit, last = scalars.b.circuit({}), scalars.last
    until = dict.fromkeys(wanted, length)
    for wire in sorted(live(circuit, wanted), reverse=True):
        end = until[wire] if circuit.types[wire].shape else last[wire]
        for operand in operands(circuit.ops[wire]):
            until[operand] = max(until.get(operand, NOTHING), end)
    scalar = [wire for wire in until if not circuit.types[wire].shape]
    carried = [
        tuple(sorted(w for w in scalar if NOTHING < last[w] < p <= until[w]))
        for p in range(length + 1)
    ]
    letters = [tuple(w for w in scalars.letters if last[w] == p) for p in range(length)]
    return Layers(circuit, weights, tuple(letters), tuple(carried))


def extended(
    layers: Layers, position: int, states: FloatArray, letters: int
) -> tuple[FloatArray, IntArray]:
    """The states after one more letter, and where each letter leads from each state before it."""
    after = layers.live[position + 1]
    count = states.shape[1]
    if count * letters > MOST_ROWS:
        raise Blown(f"it has over {count:,} states after {position} letters")
    given = carried(layers, position, np.repeat(states, letters, axis=1))
    for wire in layers.letters[position]:
        put(given, layers.circuit, wire, np.tile(np.arange(float(letters)), count))
    rows = values(layers, after, given, count * letters)
    if not after:
        return np.zeros((0, 1)), np.zeros((count, letters), np.int64)
    first, state = alike(rows.T.copy().view(np.int64))
    if first.size > MOST_STATES:
        raise Blown(f"it has over {MOST_STATES:,} states after {position + 1} letters")
    return rows[:, first], state.reshape(count, letters)


def at_the_end(layers: Layers, wanted: Sequence[Wire], states: FloatArray) -> FloatArray:
    """The values of scalar wires in every state after the last letter, one wire a line."""
    given = carried(layers, len(layers.letters), states)
    return values(layers, wanted, given, states.shape[1])


def carried(layers: Layers, position: int, states: FloatArray) -> Values:
    """What the cut before a position carries, in each of these states."""
    given = Values()
    for wire, row in zip(layers.live[position], states, strict=True):
        put(given, layers.circuit, wire, row)
    return given


def put(given: Values, circuit: Circuit, wire: Wire, row: FloatArray) -> None:
    """The value of a scalar wire on each row."""
    match circuit.types[wire].sort:
        case Real():
            given.reals[wire] = balls.known(row, DOUBLE)
        case Bool():
            given.discrete[wire] = Discrete(row != 0)
        case Index():
            given.discrete[wire] = Discrete(row.astype(np.int64))


def values(layers: Layers, wanted: Sequence[Wire], given: Values, count: int) -> FloatArray:
    """Scalar wires on so many rows, one a line; raises `Blown` where float64 does not hold them.

    What float64 leaves open of a row is put to the exact reference.
    """
    starts = [*given.reals, *given.discrete]
    found = read(prepare(layers.circuit, layers.weights, wanted, DOUBLE, starts), given)
    lines = np.zeros((len(wanted), count))
    doubtful = np.zeros(count, np.bool_)
    for line, wire in zip(lines, wanted, strict=True):
        if wire in found.reals:
            ball = found.reals[wire]
            if ball.rad is not None:
                raise Blown("a state would be a number that float64 does not hold exactly")
            line[:] = ball.mid
            line += 0.0  # so that zero has one sign
        else:
            known = found.discrete[wire]
            line[:] = known.values
            unsure = undecided(known)
            doubtful |= False if unsure is None else unsure
    for row in np.flatnonzero(doubtful).tolist():
        lines[:, row] = by_reference(layers, wanted, given, row)
    return lines


def by_reference(layers: Layers, wanted: Sequence[Wire], given: Values, row: int) -> list[float]:
    """The same on one row, in exact arithmetic; raises `Blown` where that leaves something open."""
    point = {wire: at(ball.mid, row) for wire, ball in given.reals.items()}
    point |= {wire: at(x.values, row) for wire, x in given.discrete.items()}
    known: dict[Wire, Value] = {
        wire: exact_value(layers.circuit.types[wire], [Fraction(entry)])
        for wire, entry in point.items()
    }
    for bits in PRECISIONS:
        found, setting = dict(known), Setting({}, layers.weights, bits)
        for wire in needed(layers.circuit, wanted, frozenset(known)):
            found[wire] = value(layers.circuit.ops[wire], found, setting)
        if all(found[wire].exact for wire in wanted):
            return [only(found[wire]) for wire in wanted]
    raise Blown("a comparison that a state rests on is too close to call")


def at(line: FloatArray | Codes, row: int) -> float:
    """The value on a row, which may be the same on all."""
    return float(line[row if line.shape[-1] > 1 else 0])


def only(entry: Value) -> float:
    """The value of a scalar that is known exactly."""
    if isinstance(entry, Reals):
        return float(entry.box[0][0])
    return float(min(entry.sets[0]))
