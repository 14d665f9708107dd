"""Columns of codes as lists of Python's whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import add, mul
from typing import assert_never

from circ.compiler.audit.entries import JoinName
from circ.compiler.audit.vectors import OPEN
from circ.compiler.ir import Comparison


class CodeLists:
    """What `Vectors` says of codes; a list of one entry stands for all inputs."""

    __slots__ = ()

    def code(self, value: int) -> list[int]:
        """A known code."""
        return [value]

    def joined(self, name: JoinName, parts: Sequence[list[int]]) -> list[int]:
        """Whether all hold, whether any does, or the largest."""
        if not parts:
            return [1 if name == "all" else 0]
        rows = zip(*aligned(parts), strict=True)
        match name:
            case "all":
                return [0 if 0 in row else OPEN if OPEN in row else 1 for row in rows]
            case "any":
                return [1 if 1 in row else OPEN if OPEN in row else 0 for row in rows]
            case "max":
                return [OPEN if OPEN in row else max(row) for row in rows]
            case _:
                assert_never(name)

    def negated(self, x: list[int]) -> list[int]:
        """Whether a truth does not hold."""
        return [OPEN if value == OPEN else 1 - value for value in x]

    def ordered(self, name: Comparison, x: list[int], y: list[int]) -> list[int]:
        """How two codes compare."""
        pairs = list(zip(*aligned([x, y]), strict=True))
        match name:
            case "<":
                found = [a < b for a, b in pairs]
            case "<=":
                found = [a <= b for a, b in pairs]
            case "==":
                found = [a == b for a, b in pairs]
            case _:
                assert_never(name)
        return [OPEN if OPEN in pair else int(yes) for pair, yes in zip(pairs, found, strict=True)]

    def place(self, indices: Sequence[list[int]], sides: Sequence[int]) -> list[int]:
        """The row-major place of some indices, `OPEN` where one is."""
        if len(indices) == 1:
            return indices[0]
        found: list[int] = []
        for row in zip(*aligned(indices), strict=True):
            at = 0
            for index, side in zip(row, sides, strict=True):
                at = at * side + index
            found.append(OPEN if OPEN in row else at)
        return found

    def chosen(self, index: list[int], parts: Sequence[list[int]]) -> list[int]:
        """The part that an index picks."""
        if len(index) == 1 and index[0] != OPEN:
            return parts[index[0]]
        found = gathered([max(k, 0) for k in index], parts)
        wide, codes = aligned([index, found])
        return [OPEN if k == OPEN else code for k, code in zip(wide, codes, strict=True)]

    def span(self, start: int, stop: int) -> list[int]:
        """The numbers from `start` on, below `stop`."""
        return list(range(start, stop))

    def column(self, values: Sequence[int]) -> list[int]:
        """Whole numbers."""
        return list(values)

    def digit(self, numbers: list[int], step: int, size: int) -> list[int]:
        """One digit of each number, where a digit below `size` counts `step`."""
        return [number // step % size for number in numbers]

    def scaled(self, digits: Sequence[list[int]], steps: Sequence[int], count: int) -> list[int]:
        """The sums of digits times their steps; `count` of them."""
        found = [0] * count
        for column, step in zip(digits, steps, strict=True):
            found = [x + step * y for x, y in zip(found, column, strict=True)]
        return found

    def distinct(self, keys: list[int]) -> tuple[list[int], list[int]]:
        """Where each key stands first, and which of these each one is."""
        ranks: dict[int, int] = {}
        inverse = [ranks.setdefault(key, len(ranks)) for key in keys]
        firsts: list[int] = []
        for place, rank in enumerate(inverse):
            if rank == len(firsts):
                firsts.append(place)
        return firsts, inverse

    def places(self, x: list[int], value: int) -> list[int]:
        """Where a column has a value."""
        return [place for place, entry in enumerate(x) if entry == value]

    def at(self, x: list[int], index: list[int]) -> list[int]:
        """Entries of a column."""
        return list(map(x.__getitem__, index))

    def spread(self, x: list[int], index: list[int]) -> list[int]:
        """Entries of a column of codes, which may be alike for all inputs."""
        return x if len(x) == 1 else list(map(x.__getitem__, index))

    def wide(self, x: list[int], count: int) -> list[int]:
        """A column of so many entries."""
        return x if len(x) == count else x * count

    def length(self, x: list[int]) -> int:
        """How many entries a column has."""
        return len(x)

    def listed(self, x: list[int]) -> list[int]:
        """The entries."""
        return x


# --- lists of different lengths -------------------------------------------------------------------


def aligned(columns: Sequence[list[int]]) -> Sequence[list[int]]:
    """Columns of one length, those of one entry repeated."""
    count = max(map(len, columns), default=1)
    return [x if len(x) == count else x * count for x in columns]


def plus(x: list[int], y: list[int]) -> list[int]:
    """Sums."""
    return list(map(add, *aligned([x, y])))


def weighted(factors: Iterable[int], columns: Sequence[list[int]]) -> list[int]:
    """The sum of columns times their factors."""
    rest, some, wide = 0, list[int](), list[list[int]]()
    for factor, column in zip(factors, columns, strict=True):
        if len(column) == 1:
            rest += factor * column[0]
        elif factor:
            some.append(factor)
            wide.append(column)
    if not wide:
        count = max(map(len, columns), default=1)
        return [rest] * count
    if all(factor == 1 for factor in some):
        return [sum(row, rest) for row in zip(*wide, strict=True)]
    return [sum(map(mul, some, row), rest) for row in zip(*wide, strict=True)]


def gathered(index: list[int], parts: Sequence[list[int]]) -> list[int]:
    """For each entry the entry of the part that an index picks."""
    if all(len(part) == 1 for part in parts):
        values = [part[0] for part in parts]
        return list(map(values.__getitem__, index))
    count = max(len(index), *map(len, parts))
    wide = index if len(index) == count else index * count
    return [parts[k][place if len(parts[k]) > 1 else 0] for place, k in enumerate(wide)]
