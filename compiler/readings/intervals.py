"""Enclosures of real tensors, and the arithmetic that keeps them enclosures.

A tensor is two lists of integers over one positive denominator, so that a sum or a product is a loop
over integers. It is exact when both lists are the same object, and exact operands give exact results.
Whatever the operands may be within their bounds, the result is within its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from math import gcd, lcm, prod
from operator import le, lt
from typing import TypeVar

from circ.compiler.ir import Comparison, Shape
from circ.compiler.obligation import Box

Row = list[int]
Scores = tuple[Hashable, ...]
"""A vector of scores that is known exactly: rational numbers, or what is equal just where they are."""

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True, eq=False)
class Reals:
    """Entry k lies within `lo[k] / den` and `hi[k] / den`, row-major; `hi is lo` when exact."""

    shape: Shape
    lo: Row = field(repr=False)
    hi: Row = field(repr=False)
    den: int

    @property
    def exact(self) -> bool:
        """Whether every entry is known."""
        return self.hi is self.lo

    @property
    def box(self) -> Box:
        """The bounds of each entry."""
        pairs = zip(self.lo, self.hi, strict=True)
        return tuple((Fraction(low, self.den), Fraction(high, self.den)) for low, high in pairs)


# --- making ---------------------------------------------------------------------------------


def rationals(shape: Shape, values: Iterable[Fraction | int | float]) -> Reals:
    """Known entries; a finite float is the rational it denotes."""
    ratios = [value.as_integer_ratio() for value in values]
    den = lcm(*{below for _, below in ratios})
    nums = [above * (den // below) for above, below in ratios]
    return Reals(shape, nums, nums, den)


def within(shape: Shape, box: Box) -> Reals:
    """Every tensor whose entries lie in a box."""
    if any(low > high for low, high in box):
        raise ValueError("a lower bound is above its upper bound")
    lo = rationals(shape, (low for low, _ in box))
    hi = rationals(shape, (high for _, high in box))
    return hull([lo, hi])


def exactly(shape: Shape, nums: Row, den: int) -> Reals:
    """Known entries, over their least common denominator."""
    common = gcd(den, *nums)
    if common > 1:
        nums, den = [num // common for num in nums], den // common
    return Reals(shape, nums, nums, den)


def between(shape: Shape, lo: Row, hi: Row, den: int) -> Reals:
    """Bounds as they are, exact where they all meet."""
    return Reals(shape, lo, lo if lo == hi else hi, den)


def rounded(shape: Shape, lo: Row, hi: Row, den: int, bits: int) -> Reals:
    """Bounds, rounded outward to multiples of 2^-bits unless they are exact or coarser already."""
    if lo == hi:
        return exactly(shape, lo, den)
    if den <= 1 << bits:
        return Reals(shape, lo, hi, den)
    if den & (den - 1) == 0:
        shift = den.bit_length() - 1 - bits
        low, high = [x >> shift for x in lo], [-(-x >> shift) for x in hi]
    else:
        low, high = [(x << bits) // den for x in lo], [-((-x << bits) // den) for x in hi]
    return Reals(shape, low, high, 1 << bits)


def aligned(values: Sequence[Reals]) -> list[Reals]:
    """The same tensors over one denominator."""
    den = lcm(*(value.den for value in values))
    return [scaled(value, den) for value in values]


def scaled(value: Reals, den: int) -> Reals:
    """The same tensor over a multiple of its denominator."""
    factor = den // value.den
    if factor == 1:
        return value
    lo = [factor * x for x in value.lo]
    return Reals(value.shape, lo, lo if value.exact else [factor * x for x in value.hi], den)


# --- structure ------------------------------------------------------------------------------


def along(entries: Sequence[Entry], shape: Shape) -> list[Sequence[Entry]]:
    """The entries along the last axis, for each place in the others."""
    width = shape[-1]
    return [entries[k * width : (k + 1) * width] for k in range(prod(shape[:-1]))]


def rearranged(operands: Sequence[Reals], source: Sequence[int], shape: Shape) -> Reals:
    """Entries of the operands, laid end to end, in a new order."""
    reals = aligned(operands)
    flat = [*chain(*(value.lo for value in reals))]
    lo = [flat[k] for k in source]
    if all(value.exact for value in reals):
        return Reals(shape, lo, lo, reals[0].den)
    flat = [*chain(*(value.hi for value in reals))]
    return between(shape, lo, [flat[k] for k in source], reals[0].den)


def hull(values: Sequence[Reals]) -> Reals:
    """The least enclosure of several tensors of one shape."""
    reals = aligned(values)
    lo, hi = least([value.lo for value in reals]), greatest([value.hi for value in reals])
    return between(values[0].shape, lo, hi, reals[0].den)


def least(rows: Sequence[Row]) -> Row:
    """The entrywise minimum."""
    return rows[0] if len(rows) == 1 else [*map(min, *rows)]


def greatest(rows: Sequence[Row]) -> Row:
    """The entrywise maximum."""
    return rows[0] if len(rows) == 1 else [*map(max, *rows)]


def picked(table: Reals, starts: Sequence[Sequence[int]], width: int, shape: Shape) -> Reals:
    """For each entry, the hull of the runs of `width` entries at its starts, laid end to end."""
    lo = [*chain(*(least([table.lo[k : k + width] for k in entry]) for entry in starts))]
    if table.exact and all(len(entry) == 1 for entry in starts):
        return Reals(shape, lo, lo, table.den)
    hi = [*chain(*(greatest([table.hi[k : k + width] for k in entry]) for entry in starts))]
    return between(shape, lo, hi, table.den)


# --- piecewise linear arithmetic ------------------------------------------------------------


def combined(terms: Sequence[tuple[Fraction, Reals]], bits: int) -> Reals:
    """The linear combination with exact coefficients; tight when no tensor stands twice."""
    den = lcm(*(c.denominator * value.den for c, value in terms))
    factors = [c.numerator * (den // (c.denominator * value.den)) for c, value in terms]
    parts = [(factor, value) for factor, (_, value) in zip(factors, terms, strict=True)]
    shape = terms[0][1].shape
    lo = weighted([(factor, value.lo if factor > 0 else value.hi) for factor, value in parts])
    if all(value.exact for _, value in parts):
        return exactly(shape, lo, den)
    hi = weighted([(factor, value.hi if factor > 0 else value.lo) for factor, value in parts])
    return rounded(shape, lo, hi, den, bits)


def weighted(terms: Sequence[tuple[int, Row]]) -> Row:
    """Σ factor * row, entrywise."""
    rows = [row if factor == 1 else [factor * x for x in row] for factor, row in terms]
    return rows[0] if len(rows) == 1 else [*map(sum, zip(*rows, strict=True))]


def positive_part(x: Reals) -> Reals:
    """max(0, x), entrywise."""
    lo = [max(0, low) for low in x.lo]
    if x.exact:
        return Reals(x.shape, lo, lo, x.den)
    return between(x.shape, lo, [max(0, high) for high in x.hi], x.den)


def maximum(x: Reals) -> Reals:
    """The largest entry along the last axis."""
    lo = [max(row) for row in along(x.lo, x.shape)]
    if x.exact:
        return Reals(x.shape[:-1], lo, lo, x.den)
    return between(x.shape[:-1], lo, [max(row) for row in along(x.hi, x.shape)], x.den)


def comparison(op: Comparison, left: Reals, right: Reals) -> tuple[list[bool], list[bool]]:
    """Whether each entry must satisfy the comparison, and whether it may."""
    a, b = aligned([left, right])
    match op:
        case "<":
            return [*map(lt, a.hi, b.lo)], [*map(lt, a.lo, b.hi)]
        case "<=":
            return [*map(le, a.hi, b.lo)], [*map(le, a.lo, b.hi)]
        case "==":
            below, above = [*map(le, a.lo, b.hi)], [*map(le, b.lo, a.hi)]
            ends = zip(a.lo, a.hi, b.lo, b.hi, strict=True)
            return [w == x == y == z for w, x, y, z in ends], [*map(min, below, above)]
