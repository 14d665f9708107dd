"""Slopes by place, as whole numbers over one denominator: exact, or enclosed. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

from circ.compiler.readings.intervals import Reals

BITS = 256
ONE = 1 << BITS

LONGEST = 2 * BITS
"""Bits of a denominator that is worked with."""

Slope = tuple[int, int]
"""A number is between these two, over 2^BITS."""


@dataclass(frozen=True, slots=True)
class Row:
    """Slopes by place, between `lo[k] / den` and `hi[k] / den`; `hi is lo` when all are known. One left out is 0."""

    lo: dict[int, int]
    hi: dict[int, int]
    den: int

    @property
    def exact(self) -> bool:
        """Whether every slope is known."""
        return self.hi is self.lo


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of rows, over 2^BITS: by place from `lo[k]` to `lo[k] + width[k]`, a width left out being 0."""

    lo: dict[int, int] = field(default_factory=dict[int, int])
    width: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, row: Row, factor: int) -> None:
        """Add `factor` times a row; it is not negative."""
        lo, by = self.lo, factor * ONE // row.den
        if row.exact and ONE % row.den == 0:
            for k, slope in row.lo.items():
                lo[k] = lo.get(k, 0) + by * slope
            return
        for k, slope in row.lo.items():
            least, most = outward(factor * slope, factor * row.hi[k], row.den)
            lo[k] = lo.get(k, 0) + least
            self.width[k] = self.width.get(k, 0) + most - least

    def slopes(self) -> Iterator[tuple[int, Slope]]:
        """What each place adds up to."""
        return ((k, (low, low + self.width.get(k, 0))) for k, low in self.lo.items())


def multiplied(row: Row, factor: Fraction) -> Row:
    """Slopes times a number."""
    by, den = factor.numerator, row.den * factor.denominator
    lo = {k: by * slope for k, slope in row.lo.items()}
    if row.exact:
        return Row(lo, lo, den)
    hi = {k: by * slope for k, slope in row.hi.items()}
    return Row(lo, hi, den) if by >= 0 else Row(hi, lo, den)


def moved(row: Row, places: Mapping[int, int]) -> Row:
    """The slopes at some places, at others."""
    lo = gathered(row.lo, places)
    return Row(lo, lo if row.exact else gathered(row.hi, places), row.den)


def gathered(slopes: Mapping[int, int], places: Mapping[int, int]) -> dict[int, int]:
    """What comes to the same place adds up."""
    found: dict[int, int] = {}
    for k, place in places.items():
        found[place] = found.get(place, 0) + slopes[k]
    return found


def together(one: Row, other: Row) -> Row:
    """Slopes by way of several operands add up."""
    den = lcm(one.den, other.den)
    a, b = den // one.den, den // other.den
    lo = summed(one.lo, a, other.lo, b)
    exact = one.exact and other.exact
    return Row(lo, lo if exact else summed(one.hi, a, other.hi, b), den)


def summed(one: Mapping[int, int], a: int, other: Mapping[int, int], b: int) -> dict[int, int]:
    """`a` times the one, `b` times the other."""
    found = {k: a * slope for k, slope in one.items()}
    for k, slope in other.items():
        found[k] = found.get(k, 0) + b * slope
    return found


def handy(row: Row) -> Row:
    """The same over 2^BITS, rounded outward, where the denominator is too long to go on with."""
    if row.den.bit_length() <= LONGEST:
        return row
    slopes = {k: outward(slope, row.hi[k], row.den) for k, slope in row.lo.items()}
    lo, hi = ({k: slope[side] for k, slope in slopes.items()} for side in (0, 1))
    return Row(lo, hi, ONE)


# --- by what is enclosed --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """What a slope is multiplied by: at `start` plus a step, an entry of what is known."""

    entry: int
    start: int
    steps: Sequence[tuple[int, int]]


def weighed(row: Row, known: Reals) -> Slope:
    """The sum of what slopes make of entries that are enclosed."""
    low = high = 0
    for k, least in row.lo.items():
        ends = between(least, row.hi[k], known.lo[k], known.hi[k])
        low, high = plus((low, high), ends)
    return outward(low, high, row.den * known.den)


def spread(row: Row, known: Reals, parts: Iterable[Part]) -> Row:
    """The slopes times what is known, each product where it belongs."""
    den = row.den * known.den
    if row.exact and known.exact:
        lo = products(row.lo, known.lo, parts)
        return Row(lo, lo, den)
    lo, hi = dict[int, int](), dict[int, int]()
    for part in parts:
        low, high = row.lo[part.entry], row.hi[part.entry]
        for step, k in part.steps:
            least, most = between(low, high, known.lo[k], known.hi[k])
            place = part.start + step
            lo[place], hi[place] = lo.get(place, 0) + least, hi.get(place, 0) + most
    return Row(lo, hi, den)


def products(
    slopes: Mapping[int, int], values: Sequence[int], parts: Iterable[Part]
) -> dict[int, int]:
    """The same where both are exact."""
    found: dict[int, int] = {}
    for part in parts:
        slope, start = slopes[part.entry], part.start
        for step, k in part.steps:
            found[start + step] = found.get(start + step, 0) + slope * values[k]
    return found


# --- arithmetic -----------------------------------------------------------------------------


def plus(one: Slope, other: Slope) -> Slope:
    """The sum of two enclosed numbers."""
    return one[0] + other[0], one[1] + other[1]


def over(slope: Slope, value: Slope, below: int) -> Slope:
    """An enclosed number times one that is between two whole numbers over `below`."""
    low, high = between(*slope, *value)
    return low // below, -(-high // below)


def between(low: int, high: int, least: int, most: int) -> tuple[int, int]:
    """What a number from `low` to `high` times one from `least` to `most` is between."""
    products = low * least, low * most, high * least, high * most
    return min(products), max(products)


def outward(low: int, high: int, den: int) -> Slope:
    """What is between two whole numbers over `den`, over 2^BITS."""
    return low * ONE // den, -(-high * ONE // den)
