"""Smooth functions of one variable in floats: values, slopes, and bounds of their second derivative.

A value is within 2^-48 of itself, and 2^-800, of the function at that float: division and roots are IEEE's,
and the exponential is our own (`circ.compiler.readings.curves.exp`), which is proved to 2^-50. So is a slope
of a function that bends one way only.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from circ.compiler.boxes.net import LARGEST, Curve, FloatArray
from circ.compiler.readings.curves import exp

DOMAINS: dict[Curve, tuple[float, float]] = {
    "exp": (-2 * LARGEST, 138.0),
    "recip": (1 / LARGEST, 2 * LARGEST),
    "sqrt": (0.0, 2 * LARGEST),
    "rsqrt": (1 / LARGEST, 2 * LARGEST),
    "square": (-(2.0**100), 2.0**100),
    "sigmoid": (-2 * LARGEST, 2 * LARGEST),
    "swish": (-2 * LARGEST, 2 * LARGEST),
}
"""Where each function is bounded: there its values stay below `LARGEST`."""

ERROR = 2.0**-46
"""Of a value: more than it errs by."""

SPECK = 2.0**-240
"""More than what underflow takes from a value or the constant of a line."""

LEAST_SWISH, AT_LEAST = -0.27846454277, (-1.27847, -1.27846)
"""x / (1 + e^-x) is above this, and least between these: at -1 - W(1/e), where it is -W(1/e)."""

BENT = 0.0962251
"""The second derivative of 1 / (1 + e^-x) is at most 1 / (6 √3) in size."""

SWISH_BENDS = (2.39, 2.4)
"""x / (1 + e^-x) is convex as long as |x| tanh(|x|/2) <= 2: at the first of these, no more at the second."""


def within(kind: Curve, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Intervals inside the function's domain; those that contradict themselves are made points."""
    least, most = DOMAINS[kind]
    first = np.clip(low, least, most)
    return first, np.maximum(np.clip(high, least, most), first)


def value(kind: Curve, x: FloatArray) -> FloatArray:
    """The function at points of its domain."""
    match kind:
        case "exp":
            return exp(x)
        case "recip":
            return 1.0 / x
        case "sqrt":
            return np.sqrt(x)
        case "rsqrt":
            return 1.0 / np.sqrt(x)
        case "square":
            return x * x
        case "sigmoid":
            return sigmoid(x)
        case "swish":
            return x * sigmoid(x)
        case _:
            assert_never(kind)


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + e^-x), from the power that is at most 1."""
    power = exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, power) / (1.0 + power))


def slope(kind: Curve, x: FloatArray) -> FloatArray:
    """The derivative; that of √x is taken no nearer to 0 than at 2^-200."""
    match kind:
        case "exp":
            return exp(x)
        case "recip":
            inverse = 1.0 / x
            return -inverse * inverse
        case "sqrt":
            return 0.5 / np.sqrt(np.maximum(x, 1 / LARGEST))
        case "rsqrt":
            inverse = 1.0 / np.sqrt(x)
            return -0.5 * inverse / x
        case "square":
            return 2.0 * x
        case "sigmoid":
            return sigmoid(x) * sigmoid(-x)
        case "swish":
            return sigmoid(x) * (1.0 + x * sigmoid(-x))
        case _:
            assert_never(kind)


def extent(kind: Curve, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of the function's values between these."""
    low, high = within(kind, low, high)
    ends = value(kind, low), value(kind, high)
    least, most = np.minimum(*ends), np.maximum(*ends)
    if kind == "square":
        least = np.where((low <= 0) & (high >= 0), 0.0, least)
    if kind == "swish":
        around = (low <= AT_LEAST[1]) & (high >= AT_LEAST[0])
        least = np.where(around, LEAST_SWISH, least)
    least = least - np.abs(least) * ERROR - SPECK
    most = most + np.abs(most) * ERROR + SPECK
    if kind == "sigmoid":
        most = np.minimum(most, 1.0)
    return (least if kind == "swish" else np.maximum(least, 0.0)), most


def bends(
    kind: Curve, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of `sigmoid` and `swish` on cells: how far the second derivative is at most below 0 and above 0,
    and a bound of how far the function is from its chord, wherever the second derivative is.

    With s = 1 / (1 + e^-x), s' = s (1 - s) <= e^-|x|, and s'' = s' (1 - 2s). The second derivative of
    x s is s' (2 - x tanh(x/2)), at most 1/2 and at most e^-|x| (2 + |x|), which falls as |x| rises. The
    function is monotone, s, or max(0, x) less |x| / (1 + e^|x|): a cell's chord is no further from it
    than its values differ, and apart from the kink those of the second part.
    """
    near = np.maximum(np.maximum(low, -high), 0.0)
    faint = exp(-near)
    if kind == "sigmoid":
        most = np.minimum(BENT, faint * (1 + ERROR)) + SPECK
        apart = np.abs(sigmoid(high) - sigmoid(low)) + ERROR * sigmoid(high) + SPECK
        return np.where(high <= 0, 0.0, most), np.where(low >= 0, 0.0, most), apart
    most = np.minimum(0.5, faint * (2.0 + near) * (1 + ERROR)) + SPECK
    convex = (low >= -SWISH_BENDS[0]) & (high <= SWISH_BENDS[0])
    concave = near >= SWISH_BENDS[1]
    rest = np.where(near >= -AT_LEAST[0], near * faint * (1 + ERROR) + SPECK, -LEAST_SWISH)
    apart = np.where((low < 0) & (high > 0), np.inf, rest)
    return np.where(convex, 0.0, most), np.where(concave, 0.0, most), apart


def sag(kind: Curve, low: FloatArray, high: FloatArray) -> FloatArray:
    """About how far the function strays from its chord: a guess, which nothing rests on."""
    low, high = within(kind, low, high)
    ends = value(kind, low), value(kind, high)
    strays = (
        np.abs(value(kind, low + t * (high - low)) - ends[0] - t * (ends[1] - ends[0]))
        for t in (0.25, 0.5, 0.75)
    )
    return np.asarray(np.maximum.reduce([*strays]))
