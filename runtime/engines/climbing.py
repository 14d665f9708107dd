"""Words changed letter by letter until all comparisons of a clause fail, or no change helps.

What is found so is proposed only. Words at which multipliers get stuck make every weighted sum
small, and are near a failing word where there is one.
"""

from __future__ import annotations

import numpy as np

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.words.automaton import Automaton
from circ.runtime.engines.sides import Sides, summed

STEPS = 200
"""Letters of a word that are changed, at most."""


def climbed(sides: Sides, language: Automaton, words: IntArray) -> IntArray:
    """The words [position, k], each time changed at the letter that lowers its greatest margin most.

    They stay in the language.
    """
    each = np.arange(int(words.shape[1]))
    for _ in range(STEPS):
        ahead = np.where(allowed(language, words), changed(sides, words), np.inf)
        ways = ahead.reshape(-1, each.size)
        best = ways.argmin(axis=0)
        (better,) = np.nonzero(ways[best, each] < sides.values(words).max(axis=0))
        if not better.size:
            break
        position, letter = np.divmod(best[better], int(sides.low.shape[2]))
        words = words.copy()
        words[position, better] = letter
    return words


def changed(sides: Sides, words: IntArray) -> FloatArray:
    """About the greatest margin of each word with one letter changed: [position, letter, word]."""
    middle = (sides.low + sides.high) / 2
    above, below = (exchanged(weights, words) for weights in (middle, sides.weight[None]))
    found: FloatArray = np.nan_to_num((above / below).max(axis=0), nan=np.inf)
    return found


def exchanged(weights: FloatArray, words: IntArray) -> FloatArray:
    """The sums of weights [i, position, letter], one letter changed: [i, position, letter, word]."""
    positions = np.arange(int(words.shape[0]))[:, None]
    without = summed(weights, words)[:, None] - weights[:, positions, words]
    return without[:, :, None] + weights[:, :-1, :, None]


def allowed(language: Automaton, words: IntArray) -> BoolArray:
    """Whether each word, itself in the language, is so with one letter changed."""
    count = int(words.shape[1])
    states = [np.zeros(count, np.int64)]
    for step, letters in zip(language.steps, words, strict=True):
        states.append(step[states[-1], letters])
    dead = np.zeros((1, count), np.bool_)  # where `DEAD`, the last row, leads
    accepted = np.append(np.ones((len(language.outputs), count), np.bool_), dead, axis=0)
    found: list[BoolArray] = []
    for position in reversed(range(len(language.steps))):
        step = language.steps[position]
        found.append(np.take_along_axis(accepted, step[states[position]].T, axis=0))
        rest = np.take_along_axis(accepted, step[:, words[position]], axis=0)
        accepted = np.append(rest, dead, axis=0)
    return np.stack(found[::-1])
