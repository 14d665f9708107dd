"""The comparisons of a clause under one fixing, as weights of letters at positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.runtime.engines.margins import denominators
from circ.runtime.engines.rivals import Rivals


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """The comparisons of a clause under one fixing: bounds [i, position, letter] of each, and Z's."""

    low: FloatArray
    high: FloatArray
    weight: FloatArray

    def values(self, words: IntArray) -> FloatArray:
        """About what each comparison's margin is at each word: [i, word]."""
        middle = (self.low + self.high) / 2
        weight = summed(self.weight[None], words)
        return summed(middle, words) / weight


def summed(weights: FloatArray, words: IntArray) -> FloatArray:
    """The sums [i, word] of weights [i, position, letter] along the words [position, word]."""
    positions = np.arange(int(words.shape[0]))[:, None]
    found: FloatArray = weights[:, positions, words].sum(axis=1) + weights[:, -1, :1]
    return found


def sides_of(literals: Sequence[Rivals], fixing: int) -> Sides:
    """The comparisons of a clause, each a row of its own, under one fixing."""
    row, place = np.zeros(1, np.int64), np.array([fixing])
    columns = [asked.columns(row, place) for asked in literals]
    low = np.stack([low[:, :, 0] for low, _ in columns])
    high = np.stack([high[:, :, 0] for _, high in columns])
    weight = denominators(literals[0].denominator, place, columns[0][0])[:, :, 0]
    return Sides(low, high, weight)
