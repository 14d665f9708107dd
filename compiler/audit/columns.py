"""What numbers are read as: columns of intervals, sums of them over positions, codes by letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, Protocol, TypeVar

from circ.compiler.ir import SmoothName

C = TypeVar("C")
"""A column: intervals that contain a number, by row and by letter; alike along an axis of one."""

Grid = list[list[int]]
"""Codes by row and by letter, alike along an axis of one."""


class Arithmetic(Protocol[C]):
    """Interval arithmetic on columns; `zero` and `one` are the only columns that stand for these."""

    @property
    def zero(self) -> C:
        """Nothing, known exactly."""
        ...

    @property
    def one(self) -> C:
        """A factor that changes nothing."""
        ...

    def number(self, value: Fraction) -> C:
        """A number that is the same everywhere."""
        ...

    def dot(self, pairs: Sequence[tuple[C, C]]) -> C:
        """The sum of products."""
        ...

    def dots(self, rows: Sequence[Sequence[C]], columns: Sequence[C]) -> list[C]:
        """The sum of products of each row of factors with the columns."""
        ...

    def curve(self, name: SmoothName, x: C) -> C:
        """A smooth function."""
        ...

    def largest(self, columns: Sequence[C]) -> C:
        """The largest."""
        ...

    def pick(self, choices: Sequence[C], index: Grid) -> C:
        """For each row and letter, one of the columns."""
        ...

    def at_letter(self, x: C, letter: int) -> C:
        """The entries of one letter."""
        ...

    def hull(self, columns: Sequence[C]) -> C:
        """Intervals that contain all of the columns."""
        ...

    def below(self, x: C, y: C, *, strict: bool) -> list[list[bool | None]]:
        """Whether x is smaller, or at most y; None where the intervals do not say."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Head(Generic[C]):
    """Attention: the position that each slot reads, None where it is known, and e^score there."""

    places: tuple[int | None, ...]
    powers: tuple[C, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Total(Generic[C]):
    """`rest` and the sum of `terms`: by position, or by slot of a head and averaged by it."""

    head: Head[C] | None
    terms: Mapping[int, C]
    rest: C

    @property
    def known(self) -> bool:
        """Whether it reads no position."""
        return self.head is None and not self.terms


@dataclass(frozen=True, slots=True)
class Codes:
    """An index or a truth, which reads at most one position."""

    position: int | None
    grid: Grid


@dataclass(frozen=True, slots=True)
class Chosen:
    """A leader is one of `slots`, whose scores read `places`, each with the `letter` there.

    Where the scores read none, places and letter are None.
    """

    slots: tuple[int, ...]
    places: tuple[int | None, ...]
    letter: int | None


class Bent(Exception):
    """A ReLU of several positions whose phase is not known: `at` is its wire and place."""

    def __init__(self, at: tuple[int, int], part: int) -> None:
        super().__init__("a ReLU of several positions has no phase")
        self.at, self.part = at, part
