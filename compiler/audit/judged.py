"""Many inputs judged at once: which meet the conditions, and whether they are right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol

from circ.compiler.audit.bound import Asked
from circ.compiler.audit.evaluated import Evaluator
from circ.compiler.audit.plan import Plan
from circ.compiler.audit.rejected import require
from circ.compiler.audit.vectors import OPEN, R, V

TABLE = 1 << 12
"""Combinations of letters for which a node is computed once and for all."""

LARGEST_BATCH = 1 << 14


class Judge(Protocol):
    """What can be told of many inputs at once."""

    def __call__(self, numbers: Sequence[int] | range) -> tuple[int, list[int]]:
        """How many of some inputs meet the conditions, and are right; and which are left open.

        Raises `Rejected` where one that meets them is wrong, `NotKnown` where nothing can be told.
        """
        ...


Letters = tuple[int, ...]
"""A word."""


class JudgesWords(Protocol):
    """What can be told of many words at once, given as such."""

    def __call__(self, words: Sequence[Letters]) -> tuple[Sequence[int], Sequence[int]]:
        """Where those stand that meet the conditions, and are right; and those that are left open.

        Raises as `Judge`.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Batches(Generic[R, V]):
    """Judges inputs in one arithmetic; the tables are made for the first that are asked about."""

    claim: Asked
    evaluator: Evaluator[R, V]

    def __call__(self, numbers: Sequence[int] | range) -> tuple[int, list[int]]:
        """As `Judge` says."""
        right, left = self.judged(numbers)
        return self.evaluator.math.length(right), left

    def judged(self, numbers: Sequence[int] | range) -> tuple[V, list[int]]:
        """The inputs that meet the conditions and are right, and those that are left open."""
        math = self.evaluator.math
        if isinstance(numbers, range):
            asked = math.span(numbers.start, numbers.stop)
        else:
            asked = math.column(numbers)
        right, left = self.places(self.evaluator.letters(asked), len(numbers))
        return math.at(asked, right), math.listed(math.at(asked, left))

    def places(self, letters: Mapping[int, V], count: int) -> tuple[V, V]:
        """Of so many inputs, by their letters, which are right, and which are left open."""
        math, claim = self.evaluator.math, self.claim
        self.evaluator.prepare(claim.roots)
        met = self.evaluator.truth(letters, count, claim.conditions)
        doubtful = math.places(met, OPEN)
        inside = math.places(met, 1)
        if not math.length(inside):
            return inside, doubtful
        some = {axis: math.at(column, inside) for axis, column in letters.items()}
        goal = self.evaluator.truth(some, math.length(inside), [claim.goal])
        wrong = math.length(math.places(goal, 0))
        require(wrong == 0, "the goal does not hold at an input")
        unsure = [*math.listed(doubtful), *math.listed(math.at(inside, math.places(goal, OPEN)))]
        return math.at(inside, math.places(goal, 1)), math.column(unsure)


@dataclass(frozen=True, slots=True, eq=False)
class OnWords(Generic[R, V]):
    """Judges words in one arithmetic."""

    inner: Batches[R, V]

    def __call__(self, words: Sequence[Letters]) -> tuple[Sequence[int], Sequence[int]]:
        """As `JudgesWords` says."""
        math = self.inner.evaluator.math
        letters = dict(enumerate(map(math.column, zip(*words, strict=True))))
        right, left = self.inner.places(letters, len(words))
        return math.listed(right), math.listed(left)


def batch_size(plan: Plan, room: int) -> int:
    """How many inputs are read at once, where there is room for so many values of nodes."""
    return max(min(room // max(len(plan.nodes), 1), LARGEST_BATCH), 1 << 8)


def parts(count: int, size: int) -> Iterator[range]:
    """The numbers below `count`, in batches."""
    return (range(first, min(first + size, count)) for first in range(0, count, size))
