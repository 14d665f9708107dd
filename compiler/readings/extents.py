"""Intervals of float64 around whole tensors, rounded outward: where the exact values lie on a box.

As in `balls.py` the last axis is that of boxes read at once. A ball says how far off a number is, an
interval which values it takes; ends may be infinite, NaN never stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, nextafter
from typing import assert_never

import numpy as np

from circ.compiler.ir import Shape, SmoothName
from circ.compiler.readings.balls import FloatArray, Product
from circ.compiler.readings.curves import exp
from circ.compiler.readings.roundoff import DOUBLE, FAINT

MOST_RIVALS = 1 << 24
"""Differences of scores that a softmax is bounded by; beyond, it lies between 0 and 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """The exact value of each entry lies within `lo` and `hi`; `hi is lo` where it is known."""

    lo: FloatArray = field(repr=False)
    hi: FloatArray = field(repr=False)

    @property
    def size(self) -> FloatArray:
        """The largest absolute value of each entry."""
        return np.abs(self.lo) if self.hi is self.lo else np.maximum(np.abs(self.lo), self.hi)


def bounded(lo: FloatArray, hi: FloatArray) -> Extent:
    """Bounds as they are; what is not a number is no bound."""
    return Extent(np.where(np.isnan(lo), -inf, lo), np.where(np.isnan(hi), inf, hi))


def outward(lo: FloatArray, hi: FloatArray, slack: FloatArray) -> Extent:
    """Bounds moved apart by more than a slack of their own."""
    wide = slack * (1 + 2.0**-40) + FAINT
    return bounded(np.nextafter(lo - wide, -inf), np.nextafter(hi + wide, inf))


def doubles_around(value: Fraction) -> tuple[float, float]:
    """The nearest doubles at or below, and at or above, a rational."""
    try:
        near = float(value)
    except OverflowError:
        return (
            (float(np.finfo(float).max), inf) if value > 0 else (-inf, -float(np.finfo(float).max))
        )
    exact = Fraction(near)
    low = near if exact <= value else nextafter(near, -inf)
    return low, near if exact >= value else nextafter(near, inf)


def around(lows: Sequence[Fraction], highs: Sequence[Fraction], shape: Shape) -> Extent:
    """The box with these ends."""
    lo = np.array([doubles_around(x)[0] for x in lows], np.float64).reshape(*shape, 1)
    hi = np.array([doubles_around(x)[1] for x in highs], np.float64).reshape(*shape, 1)
    return Extent(lo, lo) if np.array_equal(lo, hi) else Extent(lo, hi)


def hull(parts: Sequence[Extent]) -> Extent:
    """The least interval around several, entry by entry."""
    if len(parts) == 1:
        return parts[0]
    lo, hi = np.stack([x.lo for x in parts]), np.stack([x.hi for x in parts])
    return Extent(lo.min(0), hi.max(0))


def meet(x: Extent, lo: FloatArray, hi: FloatArray) -> Extent:
    """The interval within other bounds that are known to hold."""
    return Extent(np.maximum(x.lo, lo), np.minimum(x.hi, hi))


# --- linear arithmetic ----------------------------------------------------------------------


def linear(coefficients: Sequence[Fraction], terms: Sequence[Extent]) -> Extent:
    """The linear combination with exact coefficients."""
    if len(terms) == 1 and abs(coefficients[0]) == 1:
        (x,) = terms
        return x if coefficients[0] == 1 else negated(x)
    factors = [float(doubles_around(c)[0]) for c in coefficients]
    pairs = [*zip(factors, terms, strict=True)]
    lo = sum((c * (x.lo if c > 0 else x.hi) for c, x in pairs), np.zeros(1))
    hi = sum((c * (x.hi if c > 0 else x.lo) for c, x in pairs), np.zeros(1))
    weight = sum((abs(c) * x.size for c, x in pairs), np.zeros(1))
    faint = sum((x.size for x in terms), np.zeros(1)) * 2.0**-1060
    return outward(lo, hi, DOUBLE.gamma(len(terms) + 4) * weight + faint)


def negated(x: Extent) -> Extent:
    """-x."""
    lo = -x.hi
    return Extent(lo, lo if x.hi is x.lo else -x.lo)


def contraction(product: Product, count: int, summed: bool, x: Extent, y: Extent) -> Extent:
    """A sum of `count` products for each entry; without a sum, by the four products of ends."""
    weight = product(x.size, y.size)
    slack = DOUBLE.gamma(count + 8) * weight
    if not summed:
        ends = [
            product(a, b) for a in {id(e): e for e in (x.lo, x.hi)}.values() for b in (y.lo, y.hi)
        ]
        found = outward(np.minimum.reduce(ends), np.maximum.reduce(ends), slack)
    else:
        (mx, rx), (my, ry) = halves(x), halves(y)
        mid = product(mx, my)
        rad = product(np.abs(mx), ry) + product(rx, np.abs(my) + ry)
        found = outward(mid - rad, mid + rad, slack + 8 * DOUBLE.gamma(count + 8) * rad)
    if (x.lo >= 0).all() and (y.lo >= 0).all():
        return Extent(np.maximum(found.lo, 0), found.hi)
    return found


def halves(x: Extent) -> tuple[FloatArray, FloatArray]:
    """Midpoints, and radii that reach both ends."""
    if x.hi is x.lo:
        return x.lo, np.zeros_like(x.lo)
    mid = x.lo / 2 + x.hi / 2
    rad = np.maximum(x.hi - mid, mid - x.lo)
    return mid, np.nextafter(rad * (1 + 2.0**-52), inf)


def squares(x: Extent) -> Extent:
    """x · x, entrywise."""
    least = np.where((x.lo <= 0) & (x.hi >= 0), 0.0, np.minimum(np.abs(x.lo), np.abs(x.hi)))
    most = x.size
    lo = np.maximum(np.nextafter(least * least, -inf), 0)
    return bounded(lo, np.nextafter(most * most, inf) + FAINT)


# --- piecewise linear -----------------------------------------------------------------------


def positive_part(x: Extent) -> Extent:
    """max(0, x)."""
    lo = np.maximum(x.lo, 0)
    return Extent(lo, lo if x.hi is x.lo else np.maximum(x.hi, 0))


def maximum(x: Extent) -> Extent:
    """The largest entry along the last axis before that of boxes."""
    lo = x.lo.max(-2)
    return Extent(lo, lo if x.hi is x.lo else x.hi.max(-2))


# --- smooth functions -----------------------------------------------------------------------


def smooth(function: SmoothName, x: Extent) -> Extent:
    """The function on the interval; no bound where it may be undefined."""
    match function:
        case "exp":
            return Extent(exp_below(x.lo), exp_above(x.hi))
        case "recip":
            one_sign = (x.lo > 0) | (x.hi < 0)
            lo = np.where(one_sign, np.nextafter(1 / x.hi, -inf), -inf)
            return bounded(lo, np.where(one_sign, np.nextafter(1 / x.lo, inf), inf))
        case "sqrt":
            lo = np.where(x.lo >= 0, np.nextafter(np.sqrt(np.maximum(x.lo, 0)), -inf), -inf)
            hi = np.where(x.lo >= 0, np.nextafter(np.sqrt(x.hi), inf), inf)
            return bounded(np.where(x.lo >= 0, np.maximum(lo, 0), lo), hi)
        case _:
            assert_never(function)


def exp_above(x: FloatArray) -> FloatArray:
    """At least e^x."""
    found: FloatArray = exp(x) * (1 + 2.0**-48)
    return found


def exp_below(x: FloatArray) -> FloatArray:
    """At most e^x, and not negative: `exp` computes with -707 in place of what is below."""
    return np.where(x < -707, 0.0, exp(np.minimum(x, 709.0)) * (1 - 2.0**-48))


def softmax(x: Extent) -> Extent:
    """1 / (1 + Σ_j≠i e^(x_j - x_i)): least where x_i is least and the others are greatest."""
    count = x.lo.shape[-2]
    if x.lo.size * count > MOST_RIVALS:
        return Extent(np.zeros_like(x.lo), np.ones_like(x.lo))
    lo = 1 / (1 + rivals(x.hi, x.lo, exp_above))
    hi = 1 / (1 + rivals(x.lo, x.hi, exp_below))
    # Each difference is off by 2^-53 of at most 710, each sum by 2^-52 a term.
    room = (count + 2**11) * 2.0**-50
    found = bounded(lo * (1 - room), hi * (1 + room))
    return meet(found, np.zeros(1), np.ones(1))


def rivals(
    others: FloatArray, own: FloatArray, bound: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Σ over j ≠ i of e^(others_j - own_i), for each i along the last axis but one."""
    apart = others[..., None, :, :] - own[..., :, None, :]
    apart = np.where(np.eye(own.shape[-2], dtype=bool)[..., None], -inf, apart)
    found: FloatArray = bound(apart).sum(-2)
    return found
