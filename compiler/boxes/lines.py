"""Two lines around each unit: one nowhere above its function on the pre-activation's bounds, one
nowhere below.

A line is a slope for each pre-activation and one constant; all are floats, and hold as they are: where
a quotient is rounded, the constant makes up for it. Slopes of a ReLU are those of CROWN (Zhang et al.,
arXiv:1811.00866), of a product McCormick's (1976); those of curves are in `bows.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from circ.compiler.boxes.bows import FLAT, around
from circ.compiler.boxes.curves import extent, sag
from circ.compiler.boxes.net import UNIT, BoolArray, Curve, FloatArray, Kind

MOST_STEEP = 2.0**20
"""The greatest slope of a line around a step."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """For each node: slopes [nodes, pre] and constants [nodes, units], below and above the unit.

    Where `flush`, the lower line passes through zero: its constants are not looked at.
    """

    below: FloatArray = field(repr=False)
    under: FloatArray = field(repr=False)
    above: FloatArray = field(repr=False)
    over: FloatArray = field(repr=False)
    flush: bool = False


def lines(kind: Kind, low: FloatArray, high: FloatArray) -> Lines:
    """Lines for pre-activations [nodes, pre] within `low` and `high`."""
    match kind:
        case "linear":
            one, zero = np.ones_like(low), np.zeros_like(low)
            return Lines(one, zero, one, zero, flush=True)
        case "relu":
            return of_relu(low, high)
        case "step":
            return of_step(low, high)
        case "product":
            return of_product(low, high)
        case "exp" | "recip" | "sqrt" | "rsqrt" | "square" | "cube" | "sigmoid" | "swish" | "gelu":
            return of_curve(kind, low, high)
        case "shift":
            return of_shift(low, high)
        case _:
            assert_never(kind)


def open_units(kind: Kind, low: FloatArray, high: FloatArray) -> BoolArray:
    """Whether a better bound of a pre-activation could improve its unit's lines."""
    match kind:
        case "linear":
            return np.zeros(low.shape, np.bool_)
        case "relu" | "step":
            return undecided(kind, low, high)
        case "product":
            half = low.shape[-1] // 2
            wide = low < high
            both = wide[..., :half] & wide[..., half:]
            return np.concatenate([both, both], axis=-1)
        case "exp" | "recip" | "sqrt" | "rsqrt" | "square" | "cube" | "sigmoid" | "swish" | "gelu":
            return low < high
        case "shift":
            p, q, _ = sides(low, high)
            loose = undecided("relu", *p) | undecided("relu", *q)
            return np.concatenate([loose, loose], axis=-1)
        case _:
            assert_never(kind)


def undecided(kind: Kind, low: FloatArray, high: FloatArray) -> BoolArray:
    """Whether a ReLU or a step may be on either side of its kink."""
    return np.asarray((low < 0) & ((high > 0) if kind == "relu" else (high >= 0)))


def values(kind: Kind, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of the units' values [nodes, units]."""
    match kind:
        case "linear":
            return low, high
        case "relu":
            return np.maximum(low, 0), np.maximum(high, 0)
        case "step":
            return (low >= 0).astype(np.float64), (high >= 0).astype(np.float64)
        case "product":
            half = low.shape[-1] // 2
            a, b, c, d = low[..., :half], high[..., :half], low[..., half:], high[..., half:]
            corners = np.stack([a * c, a * d, b * c, b * d])
            return np.nextafter(corners.min(0), -np.inf), np.nextafter(corners.max(0), np.inf)
        case "exp" | "recip" | "sqrt" | "rsqrt" | "square" | "cube" | "sigmoid" | "swish" | "gelu":
            return extent(kind, low, high)
        case "shift":
            (a, b), (c, d), (least, most) = sides(low, high)
            on, off = (a >= 0) & (c >= 0), (b <= 0) & (d <= 0)
            least = np.where(on, least, np.minimum(least, 0))
            most = np.where(on, most, np.maximum(most, 0))
            return np.where(off, 0, least), np.where(off, 0, most)
        case _:
            assert_never(kind)


def gaps(kind: Kind, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far the lines may be from the unit: below and above, [nodes, units]."""
    match kind:
        case "linear":
            return np.zeros_like(low), np.zeros_like(low)
        case "relu":
            return relu_gaps(low, high)
        case "step":
            loose = undecided(kind, low, high).astype(np.float64)
            return loose, loose
        case "product":
            half = low.shape[-1] // 2
            wide = high - low
            apart = wide[..., :half] * wide[..., half:] / 4
            return apart, apart
        case "exp" | "recip" | "sqrt" | "rsqrt" | "square" | "cube" | "sigmoid" | "swish" | "gelu":
            loose = sag(kind, low, high)
            return loose, loose
        case "shift":
            p, q, d = sides(low, high)
            most = np.maximum(-d[0], d[1])
            below, above = apart_gaps(p, q)
            return np.minimum(below, most), np.minimum(above, most)
        case _:
            assert_never(kind)


def relu_gaps(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Those of a ReLU: below, its lower line being 0 or p, and above."""
    either = undecided("relu", low, high)
    least = np.where(either, np.minimum(-low, high), 0.0)
    chord = -low * high / np.where(either, high - low, 1.0)
    return least, np.where(either, chord, 0.0)


def of_relu(low: FloatArray, high: FloatArray) -> Lines:
    """Below: 0 or p, whichever leaves less; above: the chord."""
    either = undecided("relu", low, high)
    width = np.where(either, high - low, 1.0)
    slope = np.where(either, np.maximum(high / width, FLAT), (low >= 0).astype(np.float64))
    over = np.maximum(-slope * low, high - slope * high) * (1 + 8 * UNIT)
    over = np.where(either, over + np.abs(high) * (8 * UNIT) + FLAT * FLAT, 0.0)
    below = np.where(either, (high > -low).astype(np.float64), slope)
    return Lines(below, np.zeros_like(low), slope, over, flush=True)


def of_step(low: FloatArray, high: FloatArray) -> Lines:
    """Undecided: through (0, 0) and (high, 1) from below, (low, 0) and (0, 1) from above.

    Where the pre-activation reaches further to the other side, a flat line leaves less.
    """
    either = undecided("step", low, high)
    on = (low >= 0).astype(np.float64)
    steep = either & (high >= -low)
    below = np.where(
        steep, np.minimum((1 - 8 * UNIT) / np.where(steep, high, 1.0), MOST_STEEP), 0.0
    )
    gentle = either & (-low >= high)
    above = np.where(
        gentle, np.minimum((1 - 8 * UNIT) / np.where(gentle, -low, 1.0), MOST_STEEP), 0.0
    )
    over = np.where(either, 1.0 + 16 * UNIT, on)
    return Lines(below, np.where(either, 0.0, on), above, over)


def of_product(low: FloatArray, high: FloatArray) -> Lines:
    """One of McCormick's two planes each: that which is nearer at the middle of the bounds."""
    half = low.shape[-1] // 2
    a, b, c, d = low[..., :half], high[..., :half], low[..., half:], high[..., half:]
    p, q = a / 2 + b / 2, c / 2 + d / 2
    first = c * p + a * q - a * c >= d * p + b * q - b * d
    below = np.concatenate([np.where(first, c, d), np.where(first, a, b)], axis=-1)
    under = np.where(first, a * c, b * d)
    other = d * p + a * q - a * d <= c * p + b * q - b * c
    above = np.concatenate([np.where(other, d, c), np.where(other, a, b)], axis=-1)
    over = np.where(other, a * d, b * c)
    return Lines(
        flat(below), -up(under, below, low, high), flat(above), up(-over, above, low, high)
    )


def of_curve(kind: Curve, low: FloatArray, high: FloatArray) -> Lines:
    """A line on either side."""
    below, above = around(kind, low, high)
    return Lines(*below, *above)


# --- a ReLU's argument that moves ------------------------------------------------------------------

Ends = tuple[FloatArray, FloatArray]
"""Least and greatest numbers."""


def sides(low: FloatArray, high: FloatArray) -> tuple[Ends, Ends, Ends]:
    """The ends of p, of p + d and of d for pre-activations p and d; p + d keeps its sign exactly."""
    half = low.shape[-1] // 2
    a, b, c, d = low[..., :half], high[..., :half], low[..., half:], high[..., half:]
    least, most = np.nextafter(a + c, -np.inf), np.nextafter(b + d, np.inf)
    least = np.where(a >= -c, np.maximum(least, 0), least)
    most = np.where(b <= -d, np.minimum(most, 0), most)
    return (a, b), (least, most), (c, d)


def apart_gaps(p: Ends, q: Ends) -> tuple[FloatArray, FloatArray]:
    """How far the two ReLUs' own lines may be from their difference, below and above."""
    (p_below, p_above), (q_below, q_above) = relu_gaps(*p), relu_gaps(*q)
    return q_below + p_above, q_above + p_below


def of_shift(low: FloatArray, high: FloatArray) -> Lines:
    """The two ReLUs' own lines, or those of how far d alone can move one, whichever leave less.

    Above, max(0, p + d) - max(0, p) <= max(0, d); below, it is at least -max(0, -d).
    """
    p, q, (c, d) = sides(low, high)
    first, second, forth, back = of_relu(*p), of_relu(*q), of_relu(c, d), of_relu(-d, -c)
    # A difference of two slopes is rounded: what that can change is added to the constant.
    lost = np.maximum(np.abs(p[0]), np.abs(p[1])) * (2 * UNIT)
    zero, most = np.zeros_like(c), np.maximum(-c, d)
    own_below, own_above = (apart <= most for apart in apart_gaps(p, q))
    by_p = np.where(own_below, second.below - first.above, zero)
    by_d = np.where(own_below, second.below, back.above)
    under = -np.where(own_below, first.over + lost * (first.above % 1 != 0), back.over)
    below = np.concatenate([by_p, by_d], axis=-1)
    by_p = np.where(own_above, second.above - first.below, zero)
    by_d = np.where(own_above, second.above, forth.above)
    over = np.where(own_above, second.over + lost * (second.above % 1 != 0), forth.over)
    above = np.concatenate([by_p, by_d], axis=-1)
    return Lines(below, under * (1 + 2 * UNIT), above, over * (1 + 2 * UNIT))


def flat(slope: FloatArray) -> FloatArray:
    """The slope, or 0 where it is so small that products with it might underflow."""
    return np.where(np.abs(slope) < FLAT, 0.0, slope)


def up(value: FloatArray, slope: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """A constant made larger by its own rounding, and by what slopes that count as 0 leave out."""
    reach = np.maximum(np.abs(low), np.abs(high))
    lost = np.where(np.abs(slope) < FLAT, np.abs(slope) * reach, 0.0)
    half = low.shape[-1] // 2
    gap = (lost[..., :half] + lost[..., half:]) * (1 + 8 * UNIT) + FLAT**4
    return value + np.abs(value) * (4 * UNIT) + gap
