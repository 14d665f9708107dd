"""How far smooth functions may be from their chords: bounds of second derivatives, and of values.

Write s(w) = 1 / (1 + e^-w). s' = s (1 - s) <= min(1/4, e^-|w|), and s'' = s' (1 - 2s).

- `swish` is x s(x). Its second derivative is s' (2 - x tanh(x/2)), even in x, at most 1/2 and at most
  e^-|x| (2 + |x|) in size, which falls as |x| rises. x tanh(x/2) rises for x > 0: there is one sign change.
- `gelu` is x s(w) with w = x + μx³ and w' = 1 + 3μx². Its second derivative is s'(w) Q, with
  Q = 2 + 12μx² - x w'² tanh(w/2), even in x. For x > 0, Q falls: 24μx < 0.43 x, and the rest falls by at
  least tanh(x/2) (1 + 12μx²), which is at least 0.46 x up to 1 and 0.46 (1 + 0.21 x²) from there on. So
  Q <= 2, and there is one sign change. Where Q < 0, it is at least -x w'², and s'(w) x w'² falls from 2.2
  on: the logarithm's derivative is -w' tanh(w/2) + 1/x + 12μx/w' < -1.04 + 0.46 + 0.46.
- Both are max(0, x) less |x| s(-|w|), which is at most 0.2785 and falls from |x| = 1.2785 on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, assert_never

import numpy as np

from circ.compiler.boxes.curves import DIPS, ERROR, MU, SPECK, sigmoid
from circ.compiler.boxes.net import FloatArray
from circ.compiler.readings.curves import exp

BENT = 0.0962251
"""s'' is at most 1 / (6 √3) in size."""

SWISH_TURNS, GELU_TURNS = (2.39, 2.4), (2.26, 2.265)
"""The second derivative is positive at the first of these, and negative at the second."""

FALLING = 2.2
"""From here on, the bound of what bends `gelu` down falls."""

UP = 1 + ERROR


@dataclass(frozen=True, slots=True, eq=False)
class Bends:
    """On cells: how far the second derivative is below 0 and above 0 at most, and how far, in any case,
    the function is from its chord."""

    sagging: FloatArray = field(repr=False)
    rising: FloatArray = field(repr=False)
    apart: FloatArray = field(repr=False)


Both = Literal["cube", "sigmoid", "swish", "gelu"]
"""The functions that bend both ways."""


def bends(kind: Both, low: FloatArray, high: FloatArray) -> Bends:
    """Bounds on cells between these."""
    match kind:
        case "cube":
            rising, sagging = np.maximum(6.0 * high, 0.0) * UP, np.maximum(-6.0 * low, 0.0) * UP
            return Bends(sagging, rising, np.full_like(low, np.inf))
        case "sigmoid":
            return of_sigmoid(low, high)
        case "swish":
            near = nearest(low, high)
            most = np.minimum(0.5, exp(-near) * (2.0 + near) * UP) + SPECK
            return gated(low, high, most, most, SWISH_TURNS)
        case "gelu":
            near = nearest(low, high)
            rising = np.minimum(0.5, 2.0 * exp(-near) * UP) + SPECK
            return gated(low, high, gelu_sagging(near), rising, GELU_TURNS)
        case _:
            assert_never(kind)


def nearest(low: FloatArray, high: FloatArray) -> FloatArray:
    """The least size of a number between these."""
    return np.maximum(np.maximum(low, -high), 0.0)


def of_sigmoid(low: FloatArray, high: FloatArray) -> Bends:
    """It rises, and so does its chord: they are no further apart than the values at the ends."""
    most = np.minimum(BENT, exp(-nearest(low, high)) * UP) + SPECK
    apart = np.abs(sigmoid(high) - sigmoid(low)) + ERROR * sigmoid(high) + SPECK
    return Bends(np.where(high <= 0, 0.0, most), np.where(low >= 0, 0.0, most), apart)


def gelu_sagging(near: FloatArray) -> FloatArray:
    """s'(w) x w'² at the point nearest to 0 where the function may bend down."""
    x = np.maximum(near, FALLING)
    share = sigmoid(-(x + MU * (x * x * x)))
    slope = 1.0 + 3 * MU * x * x
    return np.asarray(share * x * slope * slope * (1 + 2.0**-30) + SPECK)


def gated(
    low: FloatArray,
    high: FloatArray,
    sagging: FloatArray,
    rising: FloatArray,
    turns: tuple[float, float],
) -> Bends:
    """Of x s(w): convex around 0, concave further out, and nearly straight in the end."""
    near = nearest(low, high)
    convex = (low >= -turns[0]) & (high <= turns[0])
    first, _, lowest = DIPS["swish"]
    rest = np.where(near >= -first, near * exp(-near) * UP + SPECK, -lowest)
    apart = np.where((low < 0) & (high > 0), np.inf, rest)
    return Bends(np.where(convex, 0.0, sagging), np.where(near >= turns[1], 0.0, rising), apart)
