"""Smooth functions on balls. The exponential is our own: no libm states a bound that is proved."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial, inf
from typing import assert_never

import numpy as np

from circ.compiler.ir import SmoothName
from circ.compiler.readings.balls import Ball, FloatArray, measured, radius, settled
from circ.compiler.readings.roundoff import NARROWER, WIDER, Roundoff

LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # 32 bits, so that its whole multiples here are exact
LN2_LOW = 1.90821492927058770002e-10
SHIFT = 1.5 * 2.0**52
DEGREE = 12
COEFFICIENTS = [1 / factorial(n) for n in range(DEGREE, -1, -1)]


def smooth(function: SmoothName, rounding: Roundoff) -> Callable[[Ball], Ball]:
    """The function of that name, entrywise; where it may be undefined, the radius is infinite."""
    match function:
        case "exp":
            return lambda x: exponential(x, rounding)
        case "recip":
            return lambda x: reciprocal(x, rounding)
        case "sqrt":
            return lambda x: root(x, rounding)
        case _:
            assert_never(function)


def exp(x: FloatArray) -> FloatArray:
    """e^x within 2^-50 of itself, for -707 <= x <= 709; the value at -707 below, infinite above.

    Write u = 2^-53. k is a whole number with |x - k ln 2| <= 0.3466 =: c: rounding x·log2(e) moves
    the boundary between two k by less than 10^-12. `SHIFT` does it: in [2^52, 2^53) floats are the
    whole numbers, so the sum is rounded to one, and its lowest bits spell k.

    r := (x - k·high) - k·low. The first product and difference are exact (32 + 11 bits; Sterbenz).
    |k·low| < 2.1e-7, low is within u·low of ln 2 - high, and the last difference is below 0.35, so
    |r - (x - k ln 2)| <= 0.36 u, which changes e^r by at most 0.37 u of itself.

    The Taylor polynomial of degree 12 misses Σ_{j>12} c^j/j! <= 1.73e-16, that is 2.3 u of
    e^r >= 0.707. Horner's p_i = fl(fl(p_{i+1}·r) + a_i) errs by e_i <= c(e_{i+1} + u|p_{i+1}|) +
    u(|p_i| + a_i), with no u·a_i for a_0 = a_1 = 1 and a_2 = 1/2. |p_i| <= a_i / (1 - c/(i+1)) is
    below 1.21, 0.57, 0.19 for i = 1, 2, 3, and e_3 <= 0.5 u, so e_2 <= 0.9 u, e_1 <= 1.8 u; then
    e_0 <= 2.5 u, as |p_0| < 1.42. For r <= 0, |p_0| and |p_1| are at most 1, so e_1 <= 1.6 u and
    e_0 <= 2.0 u. Divided by e^r: at most 2.9 u.

    In all below 5.7 u, second order included; 2^-50 is 8 u. The scaling by 2^k adds k to the
    exponent and is exact: 0.7 · 2^-1020 and 1.42 · 2^1023 are normal numbers.

    Source: Cody & Waite, Software Manual for the Elementary Functions, 1980.
    """
    inside = np.maximum(x, -707.0)
    np.minimum(inside, 709.0, out=inside)
    shifted = inside * LOG2_E
    shifted += SHIFT
    steps = shifted - SHIFT
    r = inside - steps * LN2_HIGH
    steps *= LN2_LOW
    r -= steps
    p = np.full_like(r, COEFFICIENTS[0])
    for coefficient in COEFFICIENTS[1:]:
        p *= r
        p += coefficient
    bits = shifted.view(np.int64)
    bits <<= 52
    p.view(np.int64)[...] += bits
    inside_bound = x <= 709  # and not NaN, which the sum keeps
    return p if inside_bound.all() else np.where(inside_bound, p, np.maximum(x, 0) + inf)


def exponential(x: Ball, rounding: Roundoff) -> Ball:
    """e^x: a change of r in x is a factor within e^{±r}."""
    mid = exp(x.mid)
    rad = measured(mid, rounding) * (growth(radius(x)) + rounding.exp)
    return settled(mid, rad, rounding, 4)


def growth(rho: FloatArray) -> FloatArray:
    """rho / (1 - rho), which is at least e^rho - 1 and 1 - e^-rho; infinite from 1/2 on."""
    small = np.minimum(rho, 0.5)
    return np.where(rho < 0.5, small / (1 - small) * WIDER, inf)


def softmax(x: Ball, rounding: Roundoff) -> Ball:
    """e^{x_i} / Σ_j e^{x_j} along the last axis before the batch.

    A common change of all x_j cancels; r_i in x_i and at most R in the others is a factor within
    e^{±(r_i + R)}. The rounding, u being `rounding.unit` and ε the error of the exponential: with
    t_j = x_j - max x <= 0 rounded, e^{t_j} is off by ε + u|t_j| of itself, so the sum, which is >= 1,
    is off by ε + γ_n + u·Σ|t_j|e^{t_j} <= ε + γ_n + u·n/e of itself; e^{t_i} by ε of itself and by
    u/e. Where t_j < -707, e^{t_j} and what stands for it are below `faint`.
    """
    parts = x.mid.shape[-2]
    powers = exp(x.mid - x.mid.max(-2, keepdims=True))
    mid = powers / powers.sum(-2, keepdims=True)
    own = 2 * rounding.exp + rounding.gamma(parts + 2) + 0.4 * parts * rounding.unit
    rad = radius(x)
    factor = growth(rad + rad.max(-2, keepdims=True) + own)
    wide = measured(mid, rounding) * factor + 0.4 * rounding.unit
    return settled(mid, np.fmin(wide, 1.0), rounding, parts)  # no further apart than 0 and 1


def reciprocal(x: Ball, rounding: Roundoff) -> Ball:
    """1/x: |1/x̂ - 1/x| <= r / (|x̂| (|x̂| - r)), if the ball leaves zero out."""
    rad = radius(x)
    near = least(np.abs(x.mid), rounding)
    low = np.maximum(near * NARROWER - rad, 0)
    moved = (rad / low * WIDER + rounding.unit) / near
    return settled(1 / x.mid, np.where(low > 0, moved, inf), rounding, 4)


def root(x: Ball, rounding: Roundoff) -> Ball:
    """√x: |√x̂ - √x| <= r / √x̂, if the ball leaves negative numbers out."""
    mid = np.sqrt(x.mid)
    rad = radius(x)
    near = least(x.mid, rounding)
    moved = np.where(rad > 0, rad / np.sqrt(near) * WIDER, 0.0)
    wide = moved + rounding.unit * measured(mid, rounding)
    return settled(mid, np.where(near >= rad, wide, inf), rounding, 4)


def least(values: FloatArray, rounding: Roundoff) -> FloatArray:
    """The values; where the reading is coarse, their minimum over the batch."""
    return values.min(-1, keepdims=True) if rounding.coarse else values
