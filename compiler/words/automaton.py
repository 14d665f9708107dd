"""Discrete functions of a word as a layered automaton: one layer a position, minimal, with outputs.

A state is what has to be known of a prefix: the values of the scalar wires that read it alone and
that something later reads. States are found layer by layer, all letters at once, by the float
reading, where nothing may be open; then those that no continuation tells apart are merged. A final
state's class is the values of all functions asked for: a Moore machine.

Source: for the minimisation, D. Revuz, Minimisation of acyclic deterministic automata in linear
time, TCS 92 (1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from time import monotonic

import numpy as np

from circ.compiler.ir import Circuit, Index, Wire
from circ.compiler.readings.arrays import IntArray
from circ.compiler.tensor import Weights
from circ.compiler.words.alike import alike
from circ.compiler.words.layers import Blown, at_the_end, cut, extended
from circ.compiler.words.scalars import Scalars

DEAD = -1
"""In place of a state from which no word is accepted."""

MANY = 1 << 8
"""States before a letter, from which on it is asked whether there is time left."""


@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """From state s of layer p a letter c leads to state `steps[p][s, c]` of layer p + 1, or `DEAD`.

    The start is state 0 of layer 0, and layer 0 is empty where no word is accepted. A state of the
    last layer is a class of words: `outputs` has the values of the functions there.
    """

    steps: tuple[IntArray, ...]
    outputs: tuple[tuple[int, ...], ...]

    @property
    def empty(self) -> bool:
        """Whether it accepts no word."""
        return not self.outputs

    def count(self) -> int:
        """How many words it accepts, exactly."""
        ways: list[int] = [1] * len(self.outputs)
        for step in reversed(self.steps):
            ways = np.array([*ways, 0], object)[step].sum(axis=1).tolist()
        return sum(ways[:1])

    def some_word(self) -> tuple[int, ...]:
        """A word that it accepts, where there is one."""
        word, state = list[int](), 0
        for step in self.steps:
            word.append(int((step[state] != DEAD).argmax()))
            state = int(step[state, word[-1]])
        return tuple(word)

    def with_letters(self, position: int, letters: IntArray) -> Automaton:
        """The words that have one of these letters at a position."""
        step = np.full_like(self.steps[position], DEAD)
        step[:, letters] = self.steps[position][:, letters]
        steps = (*self.steps[:position], step, *self.steps[position + 1 :])
        return minimal(steps, np.arange(len(self.outputs)), self.outputs)

    def of_class(self, kind: int) -> Automaton:
        """The words of one class alone."""
        final: IntArray = np.where(np.arange(len(self.outputs)) == kind, 0, DEAD)
        return minimal(self.steps, final, self.outputs[kind : kind + 1])


def minimal(
    steps: Sequence[IntArray], final: IntArray, outputs: Sequence[tuple[int, ...]]
) -> Automaton:
    """The smallest automaton of the same language; `final` has the class of each last state."""
    kinds = np.unique(final[final != DEAD])
    names = np.append(np.searchsorted(kinds, final), DEAD)
    names[:-1][final == DEAD] = DEAD
    found: list[IntArray] = []
    for step in reversed(steps):
        named = names[step]
        first, kind = alike(named)
        rows = named[first]
        alive = (rows != DEAD).any(axis=1)
        places = np.where(alive, np.cumsum(alive) - 1, DEAD)
        found.append(rows[alive])
        names = np.append(places[kind], DEAD)
    kept: list[int] = kinds.tolist()
    return reachable(found[::-1], [outputs[k] for k in kept])


def reachable(steps: Sequence[IntArray], outputs: Sequence[tuple[int, ...]]) -> Automaton:
    """The states that the start leads to; none, where it is not among the states itself."""
    kept, found = np.zeros(1, np.int64), list[IntArray]()
    for step in steps:
        rows = step[kept[: step.shape[0]]]
        kept = np.unique(rows[rows != DEAD])
        found.append(np.where(rows == DEAD, DEAD, np.searchsorted(kept, rows)))
    return Automaton(tuple(found), tuple(outputs[k] for k in kept.tolist()))


# --- from a circuit -------------------------------------------------------------------------


def automaton(
    circuit: Circuit,
    weights: Weights,
    word: Wire,
    conditions: Sequence[Wire],
    functions: Sequence[Wire],
    until: float = inf,
) -> Automaton:
    """The words that meet the conditions, by the values of the functions; raises `Blown`.

    All of these wires are truths or indices. `until` is in seconds of `time.monotonic`.
    """
    scalars = Scalars(circuit)
    wanted = [
        scalars.entry(wire, place)
        for wire in (*conditions, *functions)
        for place in range(circuit.types[wire].entries)
    ]
    required = sum(circuit.types[wire].entries for wire in conditions)
    known = circuit.types[word]
    assert isinstance(known.sort, Index)
    layers = cut(scalars, weights, wanted, known.entries)
    states, steps = np.zeros((0, 1)), list[IntArray]()
    for position in range(known.entries):
        if states.shape[1] > MANY and monotonic() > until:
            raise Blown(f"time ran out at letter {position + 1} of its words' automaton")
        states, step = extended(layers, position, states, known.sort.size)
        steps.append(step)
    entries = at_the_end(layers, wanted, states)
    outputs = entries[required:].T.astype(np.int64)
    first, kind = alike(outputs)
    final = np.where(entries[:required].all(axis=0), kind, DEAD)
    return minimal(steps, final, list(map(tuple, outputs[first].tolist())))
