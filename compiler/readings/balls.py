"""Real tensors as balls of float64, and the linear arithmetic that keeps the truth inside them.

A tensor of shape S over a batch of B inputs is an array of shape S + (B,); one that is the same for
every input has shape S + (1,), so that the two broadcast. The batch comes last because numpy is fast
along long contiguous axes, and the other axes of a circuit are short.

Every radius is computed from non-negative numbers only, and widened by more than the rounding of
that computation. An inexact radius is at least `faint`, above every subnormal number, so nothing
changes where the processor reads or writes those as zero. Overflow and NaN make it infinite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import inf

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import Shape
from circ.compiler.readings.roundoff import FAINT, WIDER, Roundoff

FloatArray = npt.NDArray[np.float64]

FINEST = -900
"""No finer grain is tracked: so every exact entry but zero is far from underflow."""


@dataclass(frozen=True, slots=True, eq=False)
class Ball:
    """Each entry lies within `rad` of `mid`, and within `size` of zero.

    `rad` and `size` have the shape of `mid`, or its shape with a last axis of 1. `rad` is None where
    `mid` is the truth itself; then every entry is a whole multiple of 2^grain, and grain <= 0.
    """

    mid: FloatArray = field(repr=False)
    rad: FloatArray | None = field(repr=False)
    size: FloatArray = field(repr=False)
    grain: int = 0


# --- making ---------------------------------------------------------------------------------


def constant(values: Sequence[Fraction], shape: Shape, rounding: Roundoff) -> Ball:
    """Known rationals, each rounded once where the format lacks it."""
    mid = np.array([nearest(value) for value in values], np.float64).reshape((*shape, 1))
    kept = [Fraction(x) == value for x, value in zip(mid.flat, values, strict=True) if abs(x) < inf]
    return known(mid, rounding, kept=len(kept) == len(values) and all(kept))


def nearest(value: Fraction) -> float:
    """The nearest float64, infinite where it would overflow."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


def known(mid: FloatArray, rounding: Roundoff, *, kept: bool = True) -> Ball:
    """Known entries: exact if `kept` and the format has them, else within one rounding."""
    grain = grain_of(mid)
    if kept and grain is not None and representable(mid, rounding):
        return Ball(mid, None, measured(mid, rounding), grain)
    return settled(mid, rounding.unit * np.abs(mid), rounding)


def around(mid: FloatArray, rad: FloatArray, rounding: Roundoff) -> Ball:
    """Any value within `rad` of `mid`."""
    return settled(mid, rad + rounding.unit * (np.abs(mid) + rad), rounding)


def grain_of(mid: FloatArray) -> int | None:
    """The greatest g <= 0 such that all entries are multiples of 2^g; None where there is none."""
    if not np.isfinite(mid).all():
        return None
    fractions, exponents = np.frexp(mid[mid != 0])
    digits = np.ldexp(fractions, 53).astype(np.int64)
    lowest = np.log2((digits & -digits).astype(np.float64)).astype(np.int64) + exponents - 53
    grain = int(lowest.min(initial=0))
    return grain if grain >= FINEST else None


def representable(mid: FloatArray, rounding: Roundoff) -> bool:
    """Whether the format has every entry: few enough digits, and in its normal range."""
    digits = np.ldexp(np.frexp(mid)[0], rounding.bits)
    size = np.abs(mid)
    inside = (size < rounding.huge) & ((size >= rounding.faint) | (size == 0))
    return bool(((digits == np.rint(digits)) & inside).all())


# --- bookkeeping ----------------------------------------------------------------------------


def measured(mid: FloatArray, rounding: Roundoff) -> FloatArray:
    """|mid|; where the reading is coarse, its maximum over the batch."""
    if rounding.coarse and mid.shape[-1] > 1:
        size: FloatArray = np.maximum(mid.max(-1, keepdims=True), -mid.min(-1, keepdims=True))
        return size
    return np.abs(mid)


def settled(mid: FloatArray, rad: FloatArray, rounding: Roundoff, roundings: int = 1) -> Ball:
    """A rounded result, its radius computed with about as many roundings as the result.

    A non-negative sum of n products, computed in float64, falls short by less than (n + 3)·2^-52 of
    itself; the factor outweighs that and the few roundings around it.
    """
    wide = rad * (1 + (roundings + 32) * 2.0**-51) + (4 * roundings + 4) * rounding.faint
    size = (measured(mid, rounding) + wide) * WIDER
    return Ball(mid, np.where(size < rounding.huge, wide, inf), size)


def radius(x: Ball) -> FloatArray:
    """The radius, zero where exact."""
    return np.zeros_like(x.size) if x.rad is None else x.rad


def fits(weight: FloatArray, grain: int, rounding: Roundoff) -> bool:
    """Whether sums of multiples of 2^grain, their sizes adding up to `weight`, are all exact.

    Below 2^(bits + grain) they are; half of that leaves room for the rounding of `weight`.
    """
    limit = min(2.0 ** (rounding.bits + grain - 1), rounding.huge)
    room = 2.0**grain >= rounding.faint and grain >= FINEST
    return room and bool((weight < limit).all())


# --- linear arithmetic ----------------------------------------------------------------------


def linear(coefficients: Sequence[Fraction], rounding: Roundoff) -> Callable[..., Ball]:
    """The linear combination of as many balls, with these exact coefficients.

    In each sum, a term is rounded as a product (unless every coefficient is ±1) and once for each
    term after it at most; `slips` is how far the coefficients themselves are off.
    """
    factors = [nearest(c) for c in coefficients]
    balls = [constant([c], (), rounding) for c in coefficients]
    slips = [float(radius(ball)[0]) for ball in balls]
    scales = [float(ball.size[0]) for ball in balls]
    kept = all(ball.rad is None for ball in balls)
    products = 0 if all(abs(c) == 1 for c in coefficients) else 1
    roundings = len(factors) - 1 + products

    def combined(*terms: Ball) -> Ball:
        mid = weighted(factors, [x.mid for x in terms])
        weight = weighted(scales, [x.size for x in terms])
        grain = min(ball.grain + x.grain for ball, x in zip(balls, terms, strict=True))
        if kept and all(x.rad is None for x in terms) and fits(weight, grain, rounding):
            return Ball(mid, None, weight, grain)
        rad = weighted(scales, [radius(x) for x in terms])
        if roundings == 0:
            return Ball(mid, rad, weight)
        rad = rad + rounding.gamma(roundings) * weight
        if not kept:
            rad = rad + weighted(slips, [x.size for x in terms])
        return settled(mid, rad, rounding, roundings)

    return combined


def weighted(factors: Sequence[float], rows: Sequence[FloatArray]) -> FloatArray:
    """Σ factor · row."""
    terms = (scaled(factor, row) for factor, row in zip(factors, rows, strict=True))
    return reduce(np.add, terms)


def scaled(factor: float, row: FloatArray) -> FloatArray:
    """factor · row, without a pass over the row where it changes nothing."""
    return row if factor == 1 else -row if factor == -1 else factor * row


Product = Callable[[FloatArray, FloatArray], FloatArray]


def contraction(product: Product, terms: int, rounding: Roundoff) -> Callable[[Ball, Ball], Ball]:
    """A sum of `terms` products for each entry, which `product` computes in some order.

    With x̂ = x + δ, |δ| <= r, and ŷ alike, what is summed strays by |x|·s + r·(|y| + s), and the
    summation by γ_n · Σ |x̂| |ŷ|: together Σ |x̂|·(s + γ_n·|ŷ|) + r·|ŷ|.
    """
    gamma = rounding.gamma(max(terms, 1))

    def contracted(x: Ball, y: Ball) -> Ball:
        mid = product(x.mid, y.mid)
        if x.rad is None and y.rad is None:
            weight, grain = product(x.size, y.size), x.grain + y.grain
            if fits(weight, grain, rounding):
                return Ball(mid, None, weight, grain)
            return settled(mid, gamma * weight, rounding, terms)
        if y.rad is None:
            rad = product(radius(x) + gamma * x.size, y.size)
        elif x.rad is None:
            rad = product(x.size, y.rad + gamma * y.size)
        else:
            rad = product(x.size, y.rad + gamma * y.size) + product(x.rad, y.size)
        return settled(mid, rad, rounding, terms)

    return contracted


# --- piecewise linear -----------------------------------------------------------------------


def positive_part(x: Ball) -> Ball:
    """max(0, x), entrywise: no entry moves further than before, and nothing is rounded."""
    return Ball(np.maximum(x.mid, 0), x.rad, x.size, x.grain)


def maximum(x: Ball) -> Ball:
    """The largest entry along the last axis before the batch."""
    rad = None if x.rad is None else x.rad.max(-2)
    return Ball(x.mid.max(-2), rad, x.size.max(-2), x.grain)


# --- the largest entries --------------------------------------------------------------------


def largest(count: int, x: Ball) -> Ball:
    """1 at the `count` largest entries along the last axis before the batch, and 0 at the others.

    Surely one of them is what stands above the largest but `count` of what all entries may be, and
    surely none what stays below the last of the `count` largest that they are at least. Anything
    within 1/2 of 1/2 where that is open, at a tie above all.
    """
    low, high = ends(x)
    surely = low > kth(high, count + 1)
    maybe = ~(high < kth(low, count))
    mid = np.where(surely, 1.0, np.where(maybe, 0.5, 0.0))
    size = np.ceil(mid)
    if (surely == maybe).all():
        return Ball(mid, None, size)
    return Ball(mid, np.where(surely == maybe, 0.0, 0.5), size)


def ends(x: Ball) -> tuple[FloatArray, FloatArray]:
    """Bounds on each entry: what is not finite may be anything."""
    if x.rad is None:
        return x.mid, x.mid
    room = x.rad + ((np.abs(x.mid) + x.rad) * 2.0**-51 + FAINT)
    low, high = x.mid - room, x.mid + room
    known = np.isfinite(low) & np.isfinite(high)
    return np.where(known, low, -inf), np.where(known, high, inf)


def kth(x: FloatArray, count: int) -> FloatArray:
    """The `count`-th largest entry along the last axis before the batch, which stays.

    Before the first is infinity, and behind the last what is below all.
    """
    size = x.shape[-2]
    if not 1 <= count <= size:
        return np.full((1, 1), inf if count < 1 else -inf)
    return np.sort(x, axis=-2)[..., size - count : size - count + 1, :]
