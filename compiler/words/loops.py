"""Discrete functions of words of any length as one machine with loops.

Where a claim treats all positions alike, what has to be known of a prefix changes from letter to letter
in the same way everywhere but at the two ends. So the machine is read off circuits for words of two
lengths. That it holds at every length rests on four things:

- nothing that reads no letter depends on the length (`circ.compiler.lower.endless` ties what is added
  up along the word, and the states of folds, to the letters);
- what a cut carries is the whole state of each fold, count or reduction, the same at each cut: a fold
  carries one value (`circ.lang.check.uniform`);
- what a letter adds to a number does not depend on how many letters stand before or behind it: no
  positions, no folds of reals;
- a count that stops somewhere stops beyond every number it is held against.

That all places, and both lengths, agree in all states that any prefix leads to is then a check of these,
and no proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circ.compiler.ir import Index, Wire
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.tensor import Weights
from circ.compiler.words.alike import alike
from circ.compiler.words.automaton import DEAD
from circ.compiler.words.cases import Division
from circ.compiler.words.layers import Blown, Layers, at_the_end, cut, extended
from circ.compiler.words.scalars import Scalars

SHORT = 5
"""The length of the shorter words that the machine is read off: two letters, two places, an end."""

BEGIN = 2
"""Letters before the first of the places that are alike."""

MOST_STATES = 1 << 12
"""Of a machine with loops."""

MOST_LETTERS = 1 << 9
"""Of the prefixes that lead to new states."""


@dataclass(frozen=True, slots=True, eq=False)
class Loops:
    """Words of at least three letters: two that `begin`, any number of steps, and one that ends.

    After letters c and d the state is `begin[c, d]`; a letter c leads from state s to `step[s, c]`;
    a word that ends with c in state s is of class `end[s, c]`, or `DEAD` where it is not in the
    language. `outputs` has the values of the functions in each class.
    """

    begin: IntArray
    step: IntArray
    end: IntArray
    outputs: tuple[tuple[int, ...], ...]

    def accepts(self, length: int) -> bool:
        """Whether some word of so many letters, or of more, is in the language; of three at least."""
        reached = set(self.begin.reshape(-1).tolist())
        for _ in range(length - BEGIN - 1):
            reached = set(self.step[list(reached)].reshape(-1).tolist())
        seen = set[int]()
        while not reached <= seen:
            seen |= reached
            reached = set(self.step[list(reached)].reshape(-1).tolist())
        return bool((self.end[list(seen)] != DEAD).any())


@dataclass(frozen=True, slots=True, eq=False)
class Unrolled:
    """The scalars of a claim about words of one length, cut between the letters."""

    layers: Layers
    wanted: tuple[Wire, ...]
    required: int
    letters: int

    @property
    def length(self) -> int:
        """How many letters a word has."""
        return len(self.layers.letters)

    def moved(self, position: int, states: FloatArray) -> FloatArray:
        """[value, state · letter]: what each letter at this position makes of each state."""
        after, step = extended(self.layers, position, states, self.letters)
        return after[:, step.reshape(-1)]

    def ended(self, states: FloatArray) -> FloatArray:
        """[function, state · letter]: what the conditions and functions say after a last letter."""
        return at_the_end(self.layers, self.wanted, self.moved(self.length - 1, states))


def unrolled(parts: Division, weights: Weights) -> Unrolled:
    """The discrete part of a claim about words of one length."""
    scalars, types = Scalars(parts.circuit), parts.circuit.types
    wires = [*parts.plain, *parts.functions]
    wanted = [scalars.entry(wire, k) for wire in wires for k in range(types[wire].entries)]
    known = types[parts.word]
    assert isinstance(known.sort, Index)
    required = sum(types[wire].entries for wire in parts.plain)
    layers = cut(scalars, weights, wanted, known.entries)
    return Unrolled(layers, tuple(wanted), required, known.sort.size)


def loops(short: Unrolled, long: Unrolled) -> Loops:
    """The machine of claims about words of `SHORT` letters and of one more; raises `Blown`."""
    start = np.zeros((0, 1))
    begun = [x.moved(1, x.moved(0, start)) for x in (short, long)]
    require_same(begun)
    states = closed(short, begun[0])
    for x in (short, long):
        require_same([x.moved(place, states) for place in range(BEGIN, x.length - 1)])
    require_same([x.moved(BEGIN, states) for x in (short, long)])
    ended = [x.ended(states) for x in (short, long)]
    require_same(ended)
    count = states.shape[1]
    outputs = ended[0][short.required :].T.astype(np.int64)
    accepted = ended[0][: short.required].all(axis=0)
    first, kind = alike(outputs)
    kinds = np.unique(kind[accepted])
    names = np.where(accepted, np.searchsorted(kinds, kind), DEAD)
    return Loops(
        found(states, begun[0]).reshape(short.letters, short.letters),
        found(states, short.moved(BEGIN, states)).reshape(count, short.letters),
        names.reshape(count, short.letters),
        tuple(map(tuple, outputs[first[kinds]].tolist())),
    )


def closed(short: Unrolled, begun: FloatArray) -> FloatArray:
    """All states that some prefix leads to, one a column."""
    seen: dict[bytes, FloatArray] = {}
    fresh = begun
    for _ in range(MOST_LETTERS):
        columns = {column.tobytes(): column for column in np.ascontiguousarray(fresh.T)}
        new = {key: column for key, column in columns.items() if key not in seen}
        seen |= new
        if len(seen) > MOST_STATES:
            raise Blown(f"it has over {MOST_STATES:,} states, if words may have any length")
        if not new:
            return np.stack(list(seen.values()), axis=1)
        fresh = short.moved(BEGIN, np.stack(list(new.values()), axis=1))
        if fresh.shape[0] != begun.shape[0]:
            raise Blown("what has to be known of a prefix differs from place to place")
    raise Blown(f"prefixes of over {MOST_LETTERS} letters lead to new states")


def found(states: FloatArray, wanted: FloatArray) -> IntArray:
    """Which state each column is, `DEAD` for none."""
    places = {column.tobytes(): k for k, column in enumerate(np.ascontiguousarray(states.T))}
    columns = np.ascontiguousarray(wanted.T)
    return np.array([places.get(column.tobytes(), DEAD) for column in columns], np.int64)


def require_same(tables: Sequence[FloatArray]) -> None:
    """Raise `Blown` where the same letters do not do the same in the same states."""
    if not all(np.array_equal(tables[0], table) for table in tables[1:]):
        raise Blown("what a letter does differs from place to place")
