"""Clauses of several comparisons: on every word of a class, one of them must hold.

No single sum over positions decides that. Tried in turn: each comparison alone; multipliers, since
where a weighted sum is positive, one of its parts is; and the class split by what letters stand at
some position. Failing words that are met on the way refute, those among them that are met by
changing letters. That is sound, and complete as far as classes may be split.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.words.automaton import DEAD, Automaton
from circ.runtime.convex import least_change
from circ.runtime.engines.climbing import climbed
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.shortest import best_words, graph
from circ.runtime.engines.sides import Sides, summed

Word = tuple[int, ...]
Outcome = tuple[Literal["holds", "fails", "open"], Word]

ROUNDS = 60
"""Multipliers tried for one set of words; each round adds a word that they do not settle."""

PARTS = 4000
"""Sets of words into which the words of one class and fixing are split, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """`judge` decides one word exactly; `late` says that the time is up."""

    judge: Callable[[Word], Outcome]
    late: Callable[[], bool]


def settled(sides: Sides, language: Automaton, judges: Judges) -> Outcome:
    """Whether on every word of the language one of the comparisons holds."""
    waiting, parts = [language], 0
    while waiting:
        part = waiting.pop()
        if part.empty:
            continue
        parts += 1
        found = weighed(sides, part, judges)
        if isinstance(found, Split) and parts.bit_count() == 1:
            failing = failing_word(sides, climbed(sides, part, found.words))
            found = found if failing is None else judged_failing(failing, judges)
        if isinstance(found, Split) and (parts > PARTS or judges.late()):
            return "open", column(found.words, -1)
        if isinstance(found, Split):
            waiting += halves(sides, part, found)
        elif found[0] != "holds":
            return found
    return "holds", ()


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """No multipliers settle these words [position, word] together; the last ones tried."""

    words: IntArray
    multipliers: FloatArray


def weighed(sides: Sides, part: Automaton, judges: Judges) -> Outcome | Split:
    """Multipliers whose weighted sum is positive on all words, or words that have none."""
    paths = graph(part, Alphabet(sides.low.shape[2], sides.low.shape[1] - 1, ()))
    one = np.zeros(1, np.int64)
    starts = [best_words(paths, low[:-1, :, None], one)[0] for low in sides.low]
    words = np.unique(np.concatenate(starts, axis=1), axis=1)
    if part.count() == 1:
        return judges.judge(column(words, 0))
    multipliers = np.full(sides.low.shape[0], 1 / sides.low.shape[0])
    for _ in range(ROUNDS if np.isfinite(sides.low).all() else 0):
        failing = failing_word(sides, words)
        if failing is not None:
            return judged_failing(failing, judges)
        better = least_change(
            np.vstack([sides.values(words).T, np.eye(multipliers.size)]),
            np.append(np.ones(words.shape[1]), np.zeros(multipliers.size)),
        )
        if better is None:
            break
        multipliers = np.maximum(better, 0) / max(float(better.max()), 1e-300)
        found, total = best_words(paths, lowered(sides, multipliers)[:-1, :, None], one)
        if total[0] + lowered(sides, multipliers)[-1, 0] > 0:
            return "holds", ()
        if (words == found).all(axis=0).any():
            break
        words = np.concatenate([words, found], axis=1)
    return Split(words, multipliers)


def judged_failing(word: Word, judges: Judges) -> Outcome:
    """A word at which floats see every comparison fail: it fails exactly, or nothing is known."""
    outcome, _ = judges.judge(word)
    return ("fails" if outcome == "fails" else "open"), word


def failing_word(sides: Sides, words: IntArray) -> Word | None:
    """A word at which every comparison surely fails."""
    (surely,) = np.nonzero((summed(sides.high, words) < 0).all(axis=0))
    return column(words, int(surely[0])) if surely.size else None


def column(words: IntArray, k: int) -> Word:
    """One of the words."""
    return tuple(words[:, k].tolist())


def lowered(sides: Sides, multipliers: FloatArray) -> FloatArray:
    """Lower bounds of the weighted sums: [position, letter]."""
    total: FloatArray = np.tensordot(multipliers, sides.low, axes=1)
    size: FloatArray = np.tensordot(multipliers, np.abs(sides.low), axes=1)
    return total - (multipliers.size + 8) * 2.0**-52 * size


def halves(sides: Sides, part: Automaton, found: Split) -> list[Automaton]:
    """The words parted by what letters stand at the position that matters most."""
    return parted(part, lowered(sides, found.multipliers)[:-1])


def parted(language: Automaton, weights: FloatArray, kept: Collection[int] = ()) -> list[Automaton]:
    """The words of a language in two, by the letters at some position: low ones and high ones.

    It is the position where the weights [position, letter] of letters that occur are furthest apart,
    none of those `kept`; what is between the two is the widest gap there, so that a letter that
    outweighs all others stands alone. Empty where no position is open.
    """
    alive = np.stack([(step != DEAD).any(axis=0) for step in language.steps])
    high, low = np.where(alive, weights, -np.inf).max(1), np.where(alive, weights, np.inf).min(1)
    free = alive.sum(axis=1) > 1
    free[list(kept)] = False
    if not free.any():
        return []
    position = int(np.where(free, np.nan_to_num(high - low), -1).argmax())
    letters = np.flatnonzero(alive[position])
    order = letters[weights[position, letters].argsort()]
    gaps = np.nan_to_num(np.diff(np.nan_to_num(weights[position, order])))
    middle = 1 + int(gaps.argmax())
    return [language.with_letters(position, some) for some in (order[:middle], order[middle:])]
