"""Regions of a language: the words that take one letter from a set for each position.

Several regions are worked on at once, [position, letter, region]: letters that no word of a region
has are taken out, words are counted, drawn, listed and parted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circ.compiler.readings.arrays import IntArray, Scalar
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.words.automaton import DEAD, Automaton


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """Regions with the letters that occur in some word of theirs, and about how many words each has."""

    alive: BoolArray
    words: FloatArray


def pruned(language: Automaton, alive: BoolArray) -> Pruned:
    """Take out the letters that no word has; a region without a word loses all letters."""
    ways = ahead(language, alive)
    reached = np.ones((1, alive.shape[2]), np.bool_)
    found = np.zeros_like(alive)
    for position, step in enumerate(language.steps):
        beyond = followed(ways[position + 1] > 0, step)
        through = reached[:, None, :] & alive[position][None] & beyond
        found[position] = through.any(0)
        reached = np.zeros((ways[position + 1].shape[0], alive.shape[2]), np.bool_)
        for letter in range(step.shape[1]):
            np.logical_or.at(reached, step[:, letter], through[:, letter])
    return Pruned(found, ways[0][0])


def ahead(language: Automaton, alive: BoolArray) -> list[FloatArray]:
    """How many words, about, go on from each state of each layer: [state, region] for each."""
    ways = [np.ones((len(language.outputs), alive.shape[2]))]
    for position in reversed(range(len(language.steps))):
        beyond = followed(ways[-1], language.steps[position])
        ways.append(np.where(alive[position][None], beyond, 0.0).sum(1))
    return ways[::-1]


def followed(after: npt.NDArray[Scalar], step: IntArray) -> npt.NDArray[Scalar]:
    """What each letter leads to, from each state: [state, letter, region]; zero where nowhere."""
    beyond = np.concatenate([after, np.zeros_like(after[:1])])
    return beyond[step]


def everything(language: Automaton) -> BoolArray:
    """The region of all words, as the only one."""
    return np.stack([(step != DEAD).any(axis=0) for step in language.steps])[:, :, None]


def listed(language: Automaton, alive: BoolArray) -> IntArray:
    """All words of one region, [position, word]."""
    ways = ahead(language, alive[:, :, None])
    words, states = np.zeros((0, 1), np.int64), np.zeros(1, np.int64)
    for position, step in enumerate(language.steps):
        (letters,) = np.nonzero(alive[position])
        after = step[states][:, letters]
        onward = np.append(ways[position + 1][:, 0] > 0, False)[after]
        rows, columns = np.nonzero(onward)
        words = np.concatenate([words[:, rows], letters[columns][None]])
        states = after[rows, columns]
    return words


def drawn(language: Automaton, count: int, seed: int = 0) -> IntArray:
    """Random words of a language that is not empty, [position, word]."""
    chance = np.random.default_rng(seed)
    ways = ahead(language, everything(language))
    states, letters = np.zeros(count, np.int64), list[IntArray]()
    for position, step in enumerate(language.steps):
        beyond = followed(ways[position + 1], step)[:, :, 0]
        share = np.cumsum(beyond / beyond.max(axis=1, keepdims=True), axis=1)
        share = share[states]
        picks = (chance.random((count, 1)) * share[:, -1:] < share).argmax(axis=1)
        letters.append(picks)
        states = step[states, picks]
    return np.stack(letters)


def halved(alive: BoolArray, position: int, values: FloatArray) -> tuple[BoolArray, BoolArray]:
    """One region in two, by the letters at a position: those of low values and those of high ones."""
    (letters,) = np.nonzero(alive[position])
    order = letters[values[letters].argsort(kind="stable")]
    middle = letters.size // 2
    low, high = alive.copy(), alive.copy()
    low[position, order[middle:]] = False
    high[position, order[:middle]] = False
    return low, high
