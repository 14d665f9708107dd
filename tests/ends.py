"""Where in a word what fits a pattern may end: patterns by the book, without automata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from circ.lang.syntax import (
    ChoicePattern,
    LetterPattern,
    MemberPattern,
    NumberPattern,
    RepeatPattern,
    SequencePattern,
    Wildcard,
    WordPattern,
)

Fits = Callable[[LetterPattern, int], bool]
"""Whether a pattern of one letter fits a code."""


def ends(pattern: WordPattern, word: Sequence[int], start: int, fits: Fits) -> set[int]:
    """The ends of all parts of `word` that begin at `start` and fit `pattern`."""
    match pattern:
        case Wildcard() | MemberPattern() | NumberPattern():
            return {start + 1} if start < len(word) and fits(pattern, word[start]) else set()
        case SequencePattern(items=items):
            found = {start}
            for item in items:
                found = {end for at in found for end in ends(item, word, at, fits)}
            return found
        case ChoicePattern(options=options):
            return {end for option in options for end in ends(option, word, start, fits)}
        case RepeatPattern():
            return repeated(pattern, word, start, fits)
        case _:
            assert_never(pattern)


def repeated(pattern: RepeatPattern, word: Sequence[int], start: int, fits: Fits) -> set[int]:
    """The ends of every number of repetitions up to the most, the first `least` left out.

    Once the ends of n repetitions have come up before, those of more have too.
    """
    now, found = {start}, set[int]()
    seen: list[tuple[bool, frozenset[int]]] = []
    times = 0
    while pattern.most is None or times <= pattern.most:
        enough = times >= pattern.least
        if (enough, frozenset(now)) in seen and enough:
            break
        seen.append((enough, frozenset(now)))
        found |= now if enough else set()
        now = {end for at in now for end in ends(pattern.part, word, at, fits)}
        times += 1
    return found
