"""Truths of a circuit for a batch of inputs, as far as float64 with rounding bounded can say.

A batch is read coarsely first, with tables where they help; inputs that this leaves open are read
again with a radius for each entry of each of them. What stays open has slack 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circ.compiler.ir import Circuit, Index, Input, Wire, operands
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray, Discrete
from circ.compiler.readings.floats import Plan, Values, prepare, read
from circ.compiler.readings.roundoff import COARSE, DOUBLE
from circ.compiler.readings.routing import slack_of
from circ.compiler.tensor import Weights
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.tables import Tables, filled, tabulated

STEP = 1 << 13
"""Inputs in a batch: numpy's own cost a call is small beside it, and its arrays stay in the cache."""

WIDE = 1 << 22
"""Numbers in one wire of a batch, at most: 32 MB. Wide wires make batches smaller."""

MOST = 2.0**53
"""Whole numbers up to here are exact in float64."""

Inputs = Mapping[str, Discrete]
"""A batch: the inputs of a circuit by name, the batch last."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Some outputs of a circuit, ready to be read."""

    outputs: Mapping[str, Wire]
    inputs: Mapping[str, Wire]
    coarse: Plan
    fine: Plan
    tables: Tables | None


def stage(circuit: Circuit, weights: Weights, names: Sequence[str], words: int) -> Stage:
    """These outputs, made ready for so many inputs."""
    circuit = narrowed(circuit, names)
    outputs = {name: circuit.outputs[name] for name in names}
    wanted = list(outputs.values())
    tables = tables_for(circuit, weights, wanted, words)
    given = [*circuit.inputs.values()]
    if tables is not None:
        given += [*tables.reals, *tables.codes]
    coarse = prepare(circuit, weights, wanted, COARSE, given)
    fine = prepare(circuit, weights, wanted, DOUBLE)
    return Stage(outputs, circuit.inputs, coarse, fine, tables)


def tables_for(
    circuit: Circuit, weights: Weights, wanted: Sequence[Wire], words: int
) -> Tables | None:
    """Tables, where the circuit reads one input, a word."""
    if len(circuit.inputs) != 1:
        return None
    (word,) = circuit.inputs.values()
    sort = circuit.types[word].sort
    if not isinstance(sort, Index):
        return None
    return tabulated(circuit, weights, wanted, word, sort.size, words)


def batch_size(circuit: Circuit, names: Sequence[str]) -> int:
    """How many inputs to read at once for computing these outputs."""
    small = narrowed(circuit, names)
    reading: set[Wire] = set()
    for number, op in enumerate(small.ops):
        if isinstance(op, Input) or not reading.isdisjoint(operands(op)):
            reading.add(Wire(number))
    widest = max((small.types[wire].entries for wire in reading), default=1)
    return max(1, min(STEP, WIDE // max(1, widest)))


def truths(stage: Stage, inputs: Inputs, size: int) -> dict[str, Discrete]:
    """Each output for a batch of so many inputs."""
    given = given_values(stage, inputs)
    if stage.tables is not None:
        given = filled(stage.tables, given.discrete[stage.tables.word])
    found = outputs_of(stage, read(stage.coarse, given), size)
    doubtful = np.zeros(size, np.bool_)
    for truth in found.values():
        doubtful |= open_entries(truth)
    if doubtful.any():
        (places,) = np.nonzero(doubtful)
        again = read(stage.fine, given_values(stage, some(inputs, places)))
        for name, truth in outputs_of(stage, again, places.size).items():
            found[name] = patched(found[name], places, truth)
    return found


def given_values(stage: Stage, inputs: Inputs) -> Values:
    """The inputs by wire."""
    return Values({}, {stage.inputs[name]: x for name, x in inputs.items() if name in stage.inputs})


def outputs_of(stage: Stage, values: Values, size: int) -> dict[str, Discrete]:
    """The outputs, with an entry for each input of the batch."""
    return {name: widened(coded(values, wire), size) for name, wire in stage.outputs.items()}


def coded(values: Values, wire: Wire) -> Discrete:
    """A wire's truths, indices or whole numbers; reals that may be others are open."""
    if wire in values.discrete:
        return values.discrete[wire]
    x = values.reals[wire]
    whole = x.rad is None and x.grain == 0 and bool((x.size <= MOST).all())
    codes = np.where(np.abs(x.mid) <= MOST, x.mid, 0.0).astype(np.int64)
    return Discrete(codes, None if whole else np.zeros(x.mid.shape))


def widened(x: Discrete, size: int) -> Discrete:
    """`x` for a batch of so many inputs, though it may be the same for all of them."""
    shape = (*x.values.shape[:-1], size)
    slack = None if x.slack is None else np.broadcast_to(x.slack, shape)
    return Discrete(np.broadcast_to(x.values, shape), slack)


def some(inputs: Inputs, places: IntArray) -> dict[str, Discrete]:
    """These inputs of a batch."""
    return {name: taken(x, places) for name, x in inputs.items()}


def taken(x: Discrete, places: IntArray) -> Discrete:
    """The entries of `x` for these inputs of its batch."""
    slack = None if x.slack is None else x.slack.take(places, axis=-1)
    return Discrete(x.values.take(places, axis=-1), slack)


def open_entries(x: Discrete) -> BoolArray:
    """Which inputs of a batch leave some entry open."""
    if x.slack is None:
        return np.zeros((x.values.shape[-1],), np.bool_)
    entries = x.slack.reshape(-1, x.slack.shape[-1])
    least: FloatArray = entries.min(axis=0, initial=np.inf)
    found: BoolArray = np.equal(least, 0)
    return found


def patched(x: Discrete, places: IntArray, better: Discrete) -> Discrete:
    """`x` with what was found for these inputs put in."""
    values, slack = x.values.copy(), slack_of(x).copy()
    values[..., places], slack[..., places] = better.values, slack_of(better)
    return Discrete(values, slack)
