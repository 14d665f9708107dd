"""Interval arithmetic in whole multiples of 2^-bits, every result rounded outwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from circ.compiler.audit.columns import Grid
from circ.compiler.audit.rejected import require
from circ.compiler.ir import SmoothName

Rows = list[list[int]]
"""By row and by letter."""

LARGEST = 1 << 10
"""Of what is exponentiated."""

GUARD = 24
"""More bits while e^x is worked out."""


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """Numbers between `lo` and `hi`, in units of 2^-bits; where they are known exactly, one list."""

    lo: Rows
    hi: Rows

    @property
    def exact(self) -> bool:
        """Whether the bounds meet."""
        return self.lo is self.hi


def column(lo: Rows, hi: Rows) -> Fixed:
    """A column."""
    return Fixed(lo, lo if lo == hi else hi)


@dataclass(frozen=True, slots=True, eq=False)
class FixedPoint:
    """Columns of so many bits after the point."""

    bits: int
    zero: Fixed
    one: Fixed

    def number(self, value: Fraction) -> Fixed:
        """A number that is the same everywhere."""
        low, rest = divmod(value.numerator << self.bits, value.denominator)
        return Fixed([[low]], [[low + 1]]) if rest else same([[low]])

    def dot(self, pairs: Sequence[tuple[Fixed, Fixed]]) -> Fixed:
        """The sum of products."""
        count = max((len(x.lo) for pair in pairs for x in pair), default=1)
        bits = self.bits
        if all(x.exact and y.exact for x, y in pairs):
            total = [exact_row(pairs, row) for row in range(count)]
            lo = [[z >> bits for z in row] for row in total]
            return column(lo, [[-(-z >> bits) for z in row] for row in total])
        sums = [interval_row(pairs, row) for row in range(count)]
        lo = [[z >> bits for z in low] for low, _ in sums]
        return column(lo, [[-(-z >> bits) for z in high] for _, high in sums])

    def dots(self, rows: Sequence[Sequence[Fixed]], columns: Sequence[Fixed]) -> list[Fixed]:
        """The sum of products of each row of factors with the columns."""
        return [self.dot([*zip(row, columns, strict=True)]) for row in rows]

    def curve(self, name: SmoothName, x: Fixed) -> Fixed:
        """A smooth function that rises or falls."""
        match name:
            case "exp":
                return self.each(x, lambda a: exp_bounds(a, self.bits))
            case "sqrt":
                return self.each(x, lambda a: root_bounds(a, self.bits))
            case "recip":
                for low, high in zip(x.lo, x.hi, strict=True):
                    one_sign = all(a > 0 or b < 0 for a, b in zip(low, high, strict=True))
                    require(one_sign, "what is divided by may be zero")
                return self.each(Fixed(x.hi, x.lo), lambda a: inverse_bounds(a, self.bits))

    def each(self, x: Fixed, bounds: Callable[[int], tuple[int, int]]) -> Fixed:
        """A rising function of each number: below at the lower bounds, above at the upper ones."""
        below = [[bounds(a) for a in row] for row in x.lo]
        above = below if x.exact else [[bounds(a) for a in row] for row in x.hi]
        return column(
            [[a for a, _ in row] for row in below], [[b for _, b in row] for row in above]
        )

    def largest(self, columns: Sequence[Fixed]) -> Fixed:
        """The largest."""
        return column(most([x.lo for x in columns]), most([x.hi for x in columns]))

    def pick(self, choices: Sequence[Fixed], index: Grid) -> Fixed:
        """For each row and letter, one of the columns."""
        count = max(len(index), *(len(x.lo) for x in choices))
        width = max(len(index[0]), *(len(x.lo[0]) for x in choices))

        def sides(rows: Sequence[Rows]) -> Rows:
            return [
                [cell(rows[cell(index, r, c)], r, c) for c in range(width)] for r in range(count)
            ]

        return column(sides([x.lo for x in choices]), sides([x.hi for x in choices]))

    def at_letter(self, x: Fixed, letter: int) -> Fixed:
        """The entries of one letter."""
        lo = [[line[letter if len(line) > 1 else 0]] for line in x.lo]
        hi = [[line[letter if len(line) > 1 else 0]] for line in x.hi]
        return column(lo, hi)

    def hull(self, columns: Sequence[Fixed]) -> Fixed:
        """Intervals that contain all of the columns."""
        lo = most([[[-a for a in row] for row in x.lo] for x in columns])
        return column([[-a for a in row] for row in lo], most([x.hi for x in columns]))

    def below(self, x: Fixed, y: Fixed, *, strict: bool) -> list[list[bool | None]]:
        """Whether x is smaller, or at most y; None where the intervals do not say."""
        count = max(len(x.lo), len(y.lo))
        width = max(len(x.lo[0]), len(y.lo[0]))

        def one(r: int, c: int) -> bool | None:
            low, high = cell(x.lo, r, c) - cell(y.hi, r, c), cell(x.hi, r, c) - cell(y.lo, r, c)
            if high < 0 or (high == 0 and not strict):
                return True
            return False if low > 0 or (low == 0 and strict) else None

        return [[one(r, c) for c in range(width)] for r in range(count)]


def fixed_point(bits: int) -> FixedPoint:
    """Arithmetic with so many bits after the point."""
    return FixedPoint(bits, same([[0]]), same([[1 << bits]]))


def same(rows: Rows) -> Fixed:
    """Numbers known exactly."""
    return Fixed(rows, rows)


def cell(rows: Rows, row: int, place: int) -> int:
    """One number, of a column that may be alike along an axis."""
    line = rows[row if len(rows) > 1 else 0]
    return line[place if len(line) > 1 else 0]


def most(columns: Sequence[Rows]) -> Rows:
    """The largest of several numbers, by row and by letter."""
    count = max(map(len, columns))
    width = max(len(rows[0]) for rows in columns)
    return [[max(cell(rows, r, c) for rows in columns) for c in range(width)] for r in range(count)]


# --- products -------------------------------------------------------------------------------------


def line(rows: Rows, row: int) -> list[int]:
    """One row."""
    return rows[row] if len(rows) > 1 else rows[0]


def exact_row(pairs: Sequence[tuple[Fixed, Fixed]], row: int) -> list[int]:
    """The sums of products of numbers known exactly, in one row."""
    total = [0]
    for x, y in pairs:
        total = plus(total, product(line(x.lo, row), line(y.lo, row)))
    return total


def interval_row(pairs: Sequence[tuple[Fixed, Fixed]], row: int) -> tuple[list[int], list[int]]:
    """Bounds of the sums of products in one row."""
    low, high = [0], [0]
    for x, y in pairs:
        if y.exact and not x.exact:
            x, y = y, x
        a, b = line(x.lo, row), line(x.hi, row)
        c, d = line(y.lo, row), line(y.hi, row)
        if x.exact and y.exact:
            ends = [product(a, c)]
        elif x.exact:
            ends = [product(a, c), product(a, d)]
        else:
            ends = [product(a, c), product(a, d), product(b, c), product(b, d)]
        low = plus(low, [min(z) for z in zip(*ends, strict=True)])
        high = plus(high, [max(z) for z in zip(*ends, strict=True)])
    return low, high


def product(x: list[int], y: list[int]) -> list[int]:
    """Products by letter."""
    if len(x) == 1:
        (a,) = x
        return [a * b for b in y]
    if len(y) == 1:
        (b,) = y
        return [a * b for a in x]
    return [a * b for a, b in zip(x, y, strict=True)]


def plus(x: list[int], y: list[int]) -> list[int]:
    """Sums by letter."""
    if len(x) == 1:
        (a,) = x
        return [a + b for b in y]
    if len(y) == 1:
        (b,) = y
        return [a + b for a in x]
    return [a + b for a, b in zip(x, y, strict=True)]


# --- curves ---------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def log_two(bits: int) -> tuple[int, int]:
    """Bounds of ln 2 in units of 2^-bits: 2 (1/3 + 1/3^3/3 + 1/3^5/5 + …)."""
    total, k, power = 0, 1, (2 << (bits + GUARD)) // 3
    while power:
        total += power // k
        power, k = power // 9, k + 2
    # Each term is short by less than 3 units, and what is left out by less than 1.
    above = total + 3 * k
    return total >> GUARD, -(-above >> GUARD)


@lru_cache(maxsize=1 << 18)
def exp_bounds(x: int, bits: int) -> tuple[int, int]:
    """Bounds of e^x, x in units of 2^-bits.

    x = n ln 2 + r with 0 <= r < 3/4, and e^r = Σ r^k / k!, each term rounded down.
    """
    require(abs(x) <= LARGEST << bits, "a score is too large")
    wide = bits + GUARD
    below, above = log_two(wide)
    x <<= GUARD
    n = x // above
    low = x - n * (above if n > 0 else below)
    if low < 0:
        n -= 1
        low = x - n * (above if n > 0 else below)
    high = x - n * (below if n > 0 else above)
    assert 0 <= low <= high < (3 << wide) >> 2, "the rest is small"
    first, _ = series(low, wide)
    last, terms = series(high, wide)
    # A term is short by at most 3 units: 2 and at most 3/4 of what the one before lacks, divided
    # by its number; what is left out is less than the last one lacks.
    last += 3 * terms + 3
    shift = n - GUARD
    if shift >= 0:
        return first << shift, last << shift
    return first >> -shift, -(-last >> -shift)


def series(r: int, bits: int) -> tuple[int, int]:
    """Σ r^k / k!, every term rounded down, until they vanish; and how many there were."""
    total, term, k = 0, 1 << bits, 0
    while term:
        total += term
        k += 1
        term = (term * r >> bits) // k
    return total, k


def root_bounds(x: int, bits: int) -> tuple[int, int]:
    """Bounds of √x."""
    require(x >= 0, "the root of what may be negative")
    low = isqrt(x << bits)
    return low, low if low * low == x << bits else low + 1


def inverse_bounds(x: int, bits: int) -> tuple[int, int]:
    """Bounds of 1/x."""
    require(x != 0, "what is divided by may be zero")
    low, rest = divmod(1 << 2 * bits, x)
    return low, low + bool(rest)
