"""Columns in float64 with the rounding of every operation bounded: middles and radii."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import factorial, inf

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.columns import Grid
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.ir import SmoothName

Floats = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

UNIT = 2.0**-53
"""An operation is off by at most this share of its result."""

TINY = 2.0**-1000
"""More than what all underflows of one operation come to."""

WIDER = 1 + 2.0**-40
"""Makes up for the rounding of a radius itself."""

EXP = 16.0
"""Units by which `exponential` may be off."""

LARGEST = 700.0
"""Of what is exponentiated in float64."""

LN2 = (float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33"))
"""ln 2 in two parts; the first has 32 bits, so that small multiples of it are exact."""

DEGREE = 14
"""Of the polynomial for e^r; for |r| < 0.36 the rest of the series is below 2^-61."""


@dataclass(frozen=True, eq=False)
class Ball:
    """Numbers within `rad` of `mid`, by row and by letter."""

    mid: Floats
    rad: Floats

    @cached_property
    def low(self) -> Floats:
        """A lower bound."""
        return np.nextafter(self.mid - self.rad, -inf)

    @cached_property
    def high(self) -> Floats:
        """An upper bound."""
        return np.nextafter(self.mid + self.rad, inf)


def wider(terms: int) -> float:
    """Makes up for the rounding of a radius that was added up of so many terms."""
    return WIDER + 4 * terms * UNIT


def ball(mid: Floats, rad: Floats) -> Ball:
    """A ball; raises `Rejected` where it has no bound."""
    require(bool(np.isfinite(mid).all() and np.isfinite(rad).all()), "a number overflows")
    return Ball(mid, rad)


def between(low: Floats, high: Floats) -> Ball:
    """A ball around an interval."""
    mid = low / 2 + high / 2
    rad = np.maximum(high - mid, mid - low)
    return ball(mid, rad * WIDER + UNIT * np.abs(mid) + TINY)


def whole(value: float) -> Ball:
    """A number known exactly."""
    return Ball(np.array([[value]]), np.zeros((1, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class FloatPoint:
    """Arithmetic on balls."""

    zero: Ball
    one: Ball

    def number(self, value: Fraction) -> Ball:
        """A number that is the same everywhere."""
        try:
            mid = float(value)
        except OverflowError as error:
            raise Rejected("a number overflows") from error
        exact = mid.as_integer_ratio() == (value.numerator, value.denominator)
        return Ball(np.array([[mid]]), np.array([[0.0 if exact else abs(mid) * UNIT + TINY]]))

    def dot(self, pairs: Sequence[tuple[Ball, Ball]]) -> Ball:
        """The sum of products."""
        count = len(pairs)
        scalar = [(x, y) if x.mid.size == 1 else (y, x) for x, y in pairs]
        if count > 4 and flat([[x for x, _ in scalar]], [y for _, y in scalar]):
            return self.matrix([[x for x, _ in scalar]], [y for _, y in scalar])[0]
        mid, rad = np.zeros((1, 1)), np.zeros((1, 1))
        for x, y in pairs:
            product = x.mid * y.mid
            mid = mid + product
            rad = rad + np.abs(x.mid) * y.rad + x.rad * (np.abs(y.mid) + y.rad)
            rad = rad + np.abs(product) * ((count + 4) * UNIT)
        return ball(mid, rad * wider(count) + TINY)

    def dots(self, rows: Sequence[Sequence[Ball]], columns: Sequence[Ball]) -> list[Ball]:
        """The sum of products of each row of factors with the columns."""
        if flat(rows, columns):
            return self.matrix(rows, columns)
        return [self.dot([*zip(row, columns, strict=True)]) for row in rows]

    def matrix(self, rows: Sequence[Sequence[Ball]], columns: Sequence[Ball]) -> list[Ball]:
        """A matrix of numbers that are the same everywhere by columns of one shape."""
        count, shape = len(columns), columns[0].mid.shape
        factors = np.array([[x.mid.item() for x in row] for row in rows])
        rounded = np.array([[x.rad.item() for x in row] for row in rows])
        mids = np.array([y.mid for y in columns]).reshape(count, -1)
        rads = np.array([y.rad for y in columns]).reshape(count, -1)
        mid = factors @ mids
        sizes = np.abs(mids)
        # A share of the products as they are: of a tiny factor alone, it would be lost.
        rad = (np.abs(factors) @ sizes) * ((count + 4) * UNIT)
        rad += rounded @ sizes + (np.abs(factors) + rounded) @ rads
        found = ball(mid, rad * wider(count) + TINY)
        return [
            Ball(m.reshape(shape), r.reshape(shape))
            for m, r in zip(found.mid, found.rad, strict=True)
        ]

    def curve(self, name: SmoothName, x: Ball) -> Ball:
        """A smooth function that rises or falls."""
        low, high = x.low, x.high
        match name:
            case "exp":
                room = 1 + 2 * EXP * UNIT
                return between(exponential(low) / room, exponential(high) * room)
            case "sqrt":
                require(bool((low >= 0).all()), "the root of what may be negative")
                return between(stepped(np.sqrt(low), -inf), stepped(np.sqrt(high), inf))
            case "recip":
                require(bool(((low > 0) | (high < 0)).all()), "what is divided by may be zero")
                return between(stepped(1 / high, -inf), stepped(1 / low, inf))

    def largest(self, columns: Sequence[Ball]) -> Ball:
        """The largest."""
        low, high = columns[0].low, columns[0].high
        for x in columns[1:]:
            low, high = np.maximum(low, x.low), np.maximum(high, x.high)
        return between(low, high)

    def pick(self, choices: Sequence[Ball], index: Grid) -> Ball:
        """For each row and letter, one of the columns."""
        places = np.array(index)
        shape = np.broadcast_shapes(places.shape, *{x.mid.shape for x in choices})
        if all(x.mid.size == 1 for x in choices):
            mids, rads = (np.array([side(x) for x in choices]) for side in (middle, around))
            return Ball(mids[places], rads[places])
        mids = np.stack([np.broadcast_to(x.mid, shape) for x in choices])
        rads = np.stack([np.broadcast_to(x.rad, shape) for x in choices])
        at = np.broadcast_to(places, shape)[None]
        return Ball(np.take_along_axis(mids, at, 0)[0], np.take_along_axis(rads, at, 0)[0])

    def at_letter(self, x: Ball, letter: int) -> Ball:
        """The entries of one letter."""
        if x.mid.shape[1] == 1:
            return x
        return Ball(x.mid[:, [letter]], x.rad[:, [letter]])

    def hull(self, columns: Sequence[Ball]) -> Ball:
        """Intervals that contain all of the columns."""
        first, *others = columns
        if all(
            np.array_equal(first.low, x.low) and np.array_equal(first.high, x.high) for x in others
        ):
            return first
        low, high = first.low, first.high
        for x in others:
            low, high = np.minimum(low, x.low), np.maximum(high, x.high)
        return between(low, high)

    def below(self, x: Ball, y: Ball, *, strict: bool) -> list[list[bool | None]]:
        """Whether x is smaller, or at most y; None where the balls do not say."""
        if not (x.rad.any() or y.rad.any()):
            sure = x.mid < y.mid if strict else x.mid <= y.mid
            never = ~sure
        else:
            sure = x.high < y.low
            never = x.low > y.high
        pairs = zip(sure.tolist(), never.tolist(), strict=True)
        return [
            [True if yes else False if no else None for yes, no in zip(*rows, strict=True)]
            for rows in pairs
        ]


def flat(rows: Sequence[Sequence[Ball]], columns: Sequence[Ball]) -> bool:
    """Whether all factors are the same everywhere, and all columns of one shape."""
    shape = columns[0].mid.shape
    return all(y.mid.shape == shape for y in columns) and all(
        x.mid.size == 1 for row in rows for x in row
    )


def exponential(x: Floats) -> Floats:
    """e^x, within `EXP` units; raises `Rejected` where x is large.

    x = n ln 2 + r, r with an error below one unit of 0.36. Horner's rule adds less than 8 units: each
    step rounds a product and a sum, and what the steps before it lack counts for |r| of it.
    """
    require(bool((np.abs(x) <= LARGEST).all()), "a score is too large for float64")
    n = np.rint(x / LN2[0])
    r = (x - n * LN2[0]) - n * LN2[1]
    found = np.full(x.shape, 1 / factorial(DEGREE))
    for k in reversed(range(DEGREE)):
        found = found * r + 1 / factorial(k)
    scaled: Floats = np.ldexp(found, n.astype(np.int64))
    return scaled


def middle(x: Ball) -> float:
    """The one middle of a known number."""
    return x.mid.item()


def around(x: Ball) -> float:
    """Its radius."""
    return x.rad.item()


def stepped(values: Floats, towards: float) -> Floats:
    """The next numbers."""
    return np.nextafter(values, towards)


def float_point() -> FloatPoint:
    """Arithmetic in float64."""
    return FloatPoint(whole(0.0), whole(1.0))
