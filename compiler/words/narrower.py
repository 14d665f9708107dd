"""Fewer words of a language: those with letters that are allowed, or with a letter somewhere."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.words.automaton import DEAD, Automaton, minimal


def with_letters_of(language: Automaton, allowed: BoolArray) -> Automaton:
    """The words whose letter is allowed at every position: `allowed[position, letter]`."""
    steps = [
        np.where(letters, step, DEAD) for step, letters in zip(language.steps, allowed, strict=True)
    ]
    return minimal(steps, np.arange(len(language.outputs)), language.outputs)


def with_letter_at(language: Automaton, positions: Collection[int], letter: int) -> Automaton:
    """The words that have a letter at one of these positions, or at several.

    Every state is there twice: before the letter was met, and after.
    """
    ends = len(language.outputs)
    after = [*(step.shape[0] for step in language.steps[1:]), ends]
    steps = list[IntArray]()
    for position, (step, count) in enumerate(zip(language.steps, after, strict=True)):
        met = np.where(step == DEAD, DEAD, step + count)
        before = step.copy()
        if position in positions:
            before[:, letter] = met[:, letter]
        steps.append(np.concatenate([before, met]) if position else before)
    final = np.concatenate([np.full(ends, DEAD), np.arange(ends)])
    return minimal(steps, final, language.outputs)
