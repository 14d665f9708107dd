"""Smooth functions of one variable in floats: values, slopes and bounds.

A value is within 2^-48 of itself, and 2^-800, of the function at that float: division and roots are IEEE's,
and the exponential is our own (`circ.compiler.readings.curves.exp`), which is proved to 2^-50. So is a slope
of a function that bends one way only. Of `gelu` it is 2^-50 instead of 2^-800: its power's exponent is
rounded, by 4 u of itself (u being 2^-53), and |x| |w| e^-|w| is below 0.6.
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
    "cube": (-(2.0**66), 2.0**66),
    "sigmoid": (-2 * LARGEST, 2 * LARGEST),
    "swish": (-2 * LARGEST, 2 * LARGEST),
    "gelu": (-2 * LARGEST, 2 * LARGEST),
}
"""Where each function is bounded: there its values stay below `LARGEST`."""

ERROR = 2.0**-46
"""Of a value: more than it errs by."""

SPECK = 2.0**-240
"""More than what underflow takes from a value or the constant of a line."""

MU = 0.01755953943815845
"""Of `gelu`: with its customary numbers √(2/π) and 0.044715, 2 √(2/π) x is its argument here."""

DIPS: dict[Curve, tuple[float, float, float]] = {
    "swish": (-1.27847, -1.27846, -0.27846454277),
    "gelu": (-1.20076, -1.20075, -0.27134577918),
}
"""Functions that fall and then rise: they are least between the first two, and above the third there.

The derivative is s (1 - z s(w) w'), with s the share 1 / (1 + e^-w) of x = -z times or plus its cube: it
has one zero below 0, as z s(w) w' rises with z, and none above.
"""

NEGATIVE = frozenset({"cube", "swish", "gelu"})
"""The others have no values below 0."""


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
        case "cube":
            return x * x * x
        case "swish":
            return x * sigmoid(x)
        case "gelu":
            return x * sigmoid(x + MU * (x * x * x))
        case _:
            assert_never(kind)


def speck(kind: Curve) -> float:
    """More than a value may be off, beside what is in proportion to it."""
    return 2.0**-48 if kind == "gelu" else SPECK


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
        case "cube":
            return 3.0 * x * x
        case "swish":
            return sigmoid(x) * (1.0 + x * sigmoid(-x))
        case "gelu":
            inner = x + MU * (x * x * x)
            return sigmoid(inner) * (1.0 + x * sigmoid(-inner) * (1.0 + 3 * MU * x * x))
        case _:
            assert_never(kind)


def extent(kind: Curve, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds of the function's values between these."""
    low, high = within(kind, low, high)
    ends = value(kind, low), value(kind, high)
    least, most = np.minimum(*ends), np.maximum(*ends)
    if kind == "square":
        least = np.where((low <= 0) & (high >= 0), 0.0, least)
    if kind in DIPS:
        first, last, lowest = DIPS[kind]
        least = np.where((low <= last) & (high >= first), lowest, least)
    least = least - np.abs(least) * ERROR - speck(kind)
    most = most + np.abs(most) * ERROR + speck(kind)
    if kind == "sigmoid":
        most = np.minimum(most, 1.0)
    return (least if kind in NEGATIVE else np.maximum(least, 0.0)), most


def sag(kind: Curve, low: FloatArray, high: FloatArray) -> FloatArray:
    """About how far the function strays from its chord: a guess, which nothing rests on."""
    low, high = within(kind, low, high)
    ends = value(kind, low), value(kind, high)
    strays = (
        np.abs(value(kind, low + t * (high - low)) - ends[0] - t * (ends[1] - ends[0]))
        for t in (0.25, 0.5, 0.75)
    )
    return np.asarray(np.maximum.reduce([*strays]))
