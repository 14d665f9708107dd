"""What inputs are read with: columns of enclosed numbers and of codes, one entry an input.

A column of one entry stands for all inputs. Codes are indices and truths; `OPEN` is one that is not
known. Numbers are enclosed too, and an entry may be open: nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol, TypeVar

from circ.compiler.audit.entries import JoinName
from circ.compiler.ir import Comparison, SmoothName

OPEN = -1
"""A code that is not known."""

R = TypeVar("R")
"""A column of numbers."""

V = TypeVar("V")
"""A column of codes, or of other whole numbers below 2^62."""


class Vectors(Protocol[R, V]):
    """Arithmetic on columns, every enclosure rounded outwards."""

    @property
    def room(self) -> int:
        """For how many numbers there is room."""
        ...

    # --- numbers --------------------------------------------------------------------------------

    def number(self, value: Fraction) -> R:
        """A known number."""
        ...

    def combined(self, terms: Sequence[tuple[Fraction | int, R]]) -> R:
        """A sum with known coefficients."""
        ...

    def dot(self, pairs: Sequence[tuple[R, R]]) -> R:
        """A sum of products."""
        ...

    def largest(self, parts: Sequence[R]) -> R:
        """The largest."""
        ...

    def curve(self, name: SmoothName, x: R) -> R:
        """A smooth function; open where it may not be defined."""
        ...

    def power(self, x: R) -> R:
        """e^x, known up to a share of it; open where x is too large."""
        ...

    def total(self, powers: Sequence[R]) -> R:
        """A sum of powers, known up to a share of it."""
        ...

    def ratio(self, part: R, whole: R) -> R:
        """A power divided by a sum that it is part of."""
        ...

    def picked(self, index: V, parts: Sequence[R]) -> R:
        """The part that an index picks."""
        ...

    def take(self, x: R, index: V) -> R:
        """Entries of a column."""
        ...

    # --- codes ----------------------------------------------------------------------------------

    def below(self, x: R, y: R, *, strict: bool) -> V:
        """Whether x is smaller than y, or at most y."""
        ...

    def equal(self, x: R, y: R) -> V:
        """Whether two numbers are the same."""
        ...

    def leader(self, row: Sequence[R]) -> V:
        """The index of the largest; `OPEN` where two may be."""
        ...

    def code(self, value: int) -> V:
        """A known code."""
        ...

    def joined(self, name: JoinName, parts: Sequence[V]) -> V:
        """Whether all hold, whether any does, or the largest."""
        ...

    def negated(self, x: V) -> V:
        """Whether a truth does not hold."""
        ...

    def ordered(self, name: Comparison, x: V, y: V) -> V:
        """How two codes compare."""
        ...

    def place(self, indices: Sequence[V], sides: Sequence[int]) -> V:
        """The row-major place of some indices, `OPEN` where one is."""
        ...

    def chosen(self, index: V, parts: Sequence[V]) -> V:
        """The part that an index picks."""
        ...

    # --- which inputs ---------------------------------------------------------------------------

    def span(self, start: int, stop: int) -> V:
        """The numbers from `start` on, below `stop`."""
        ...

    def column(self, values: Sequence[int]) -> V:
        """Whole numbers."""
        ...

    def digit(self, numbers: V, step: int, size: int) -> V:
        """One digit of each number, where a digit below `size` counts `step`."""
        ...

    def scaled(self, digits: Sequence[V], steps: Sequence[int], count: int) -> V:
        """The sums of digits times their steps; `count` of them."""
        ...

    def distinct(self, keys: V) -> tuple[V, V]:
        """Where each key stands first, and which of these each one is."""
        ...

    def places(self, x: V, value: int) -> V:
        """Where a column has a value."""
        ...

    def at(self, x: V, index: V) -> V:
        """Entries of a column."""
        ...

    def spread(self, x: V, index: V) -> V:
        """Entries of a column of codes, which may be alike for all inputs."""
        ...

    def wide(self, x: V, count: int) -> V:
        """A column of so many entries."""
        ...

    def length(self, x: V) -> int:
        """How many entries a column has."""
        ...

    def listed(self, x: V) -> list[int]:
        """The entries."""
        ...

    def keys(self, x: R, count: int) -> list[object]:
        """What tells the enclosures of a column of so many entries apart."""
        ...

    def laid(self, parts: Sequence[tuple[R, int]]) -> R:
        """Columns of so many entries, end to end."""
        ...
