"""Columns of codes as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, assert_never

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.entries import JoinName
from circ.compiler.audit.vectors import OPEN
from circ.compiler.ir import Comparison

Codes = npt.NDArray[np.int64]

T = TypeVar("T", bound=np.generic)


class CodeArrays:
    """What `Vectors` says of codes; an array of one entry stands for all inputs."""

    __slots__ = ()

    def code(self, value: int) -> Codes:
        """A known code."""
        return np.array([value], np.int64)

    def joined(self, name: JoinName, parts: Sequence[Codes]) -> Codes:
        """Whether all hold, whether any does, or the largest."""
        if not parts:
            return self.code(1 if name == "all" else 0)
        rows = np.array(np.broadcast_arrays(*parts))
        unknown = (rows == OPEN).any(axis=0)
        match name:
            case "all":
                return np.where((rows == 0).any(axis=0), 0, np.where(unknown, OPEN, 1))
            case "any":
                return np.where((rows == 1).any(axis=0), 1, np.where(unknown, OPEN, 0))
            case "max":
                return np.where(unknown, OPEN, rows.max(axis=0))
            case _:
                assert_never(name)

    def negated(self, x: Codes) -> Codes:
        """Whether a truth does not hold."""
        return np.where(x == OPEN, OPEN, 1 - x)

    def ordered(self, name: Comparison, x: Codes, y: Codes) -> Codes:
        """How two codes compare."""
        match name:
            case "<":
                found = x < y
            case "<=":
                found = x <= y
            case "==":
                found = x == y
            case _:
                assert_never(name)
        return np.where((x == OPEN) | (y == OPEN), OPEN, found.astype(np.int64))

    def place(self, indices: Sequence[Codes], sides: Sequence[int]) -> Codes:
        """The row-major place of some indices, `OPEN` where one is."""
        if len(indices) == 1:
            return indices[0]
        found, unknown = np.zeros(1, np.int64), np.zeros(1, np.bool_)
        for index, side in zip(indices, sides, strict=True):
            found, unknown = found * side + index, unknown | (index == OPEN)
        return np.where(unknown, OPEN, found)

    def chosen(self, index: Codes, parts: Sequence[Codes]) -> Codes:
        """The part that an index picks."""
        if index.size == 1 and index[0] != OPEN:
            return parts[int(index[0])]
        return np.where(index == OPEN, OPEN, gathered(np.maximum(index, 0), parts))

    def span(self, start: int, stop: int) -> Codes:
        """The numbers from `start` on, below `stop`."""
        return np.arange(start, stop, dtype=np.int64)

    def column(self, values: Sequence[int]) -> Codes:
        """Whole numbers."""
        return np.array(values, np.int64)

    def digit(self, numbers: Codes, step: int, size: int) -> Codes:
        """One digit of each number, where a digit below `size` counts `step`."""
        found: Codes = numbers // step % size
        return found

    def scaled(self, digits: Sequence[Codes], steps: Sequence[int], count: int) -> Codes:
        """The sums of digits times their steps; `count` of them."""
        found = np.zeros(count, np.int64)
        for column, step in zip(digits, steps, strict=True):
            found += step * column
        return found

    def distinct(self, keys: Codes) -> tuple[Codes, Codes]:
        """Where each key stands first, and which of these each one is."""
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        return first, inverse.reshape(-1)

    def places(self, x: Codes, value: int) -> Codes:
        """Where a column has a value."""
        return np.flatnonzero(x == value)

    def at(self, x: Codes, index: Codes) -> Codes:
        """Entries of a column."""
        return x[index]

    def spread(self, x: Codes, index: Codes) -> Codes:
        """Entries of a column of codes, which may be alike for all inputs."""
        return x if x.size == 1 else x[index]

    def wide(self, x: Codes, count: int) -> Codes:
        """A column of so many entries."""
        return np.broadcast_to(x, count)

    def length(self, x: Codes) -> int:
        """How many entries a column has."""
        return x.size

    def listed(self, x: Codes) -> list[int]:
        """The entries."""
        return [int(value) for value in x.tolist()]


def gathered(index: Codes, parts: Sequence[npt.NDArray[T]]) -> npt.NDArray[T]:
    """For each entry the entry of the part that an index picks."""
    if all(part.size == 1 for part in parts):
        return np.concatenate(parts)[index]
    count = max(index.size, *(part.size for part in parts))
    wide = np.broadcast_to(index, count)
    found = np.empty(count, parts[0].dtype)
    for k in np.unique(wide):
        where = wide == k
        part = parts[int(k)]
        found[where] = part[where] if part.size > 1 else part[0]
    return found
