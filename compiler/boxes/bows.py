"""Lines around smooth functions of one variable, on any number of intervals at once.

- A function that bends one way has its chord on one side and a tangent on the other. Both are compared
  at the ends alone with a line of the slope that was chosen: what is affine, or convex, is largest there.
- Of one that bends both ways, points of a grid are taken. Between two of them it is no further from its
  chord than a bound of the second derivative, times the square of their distance, over 8. The line is the
  edge of the points' hull over the middle.

Any slope will do. The constant is what it must be for the slope, with all that may have been rounded.
"""

from __future__ import annotations

import numpy as np

from circ.compiler.boxes.bends import Both, bends
from circ.compiler.boxes.curves import SPECK, slope, speck, value, within
from circ.compiler.boxes.net import LARGEST, Curve, FloatArray

FLAT = 2.0**-60
"""A slope is 0 or at least this: no product with one underflows."""

ROOM = 2.0**-44
"""Of the numbers a constant is computed from: more than all roundings of that, the function's too."""

CELLS = 9
"""Of a grid: an odd number, so that one of them has the middle."""

CORE = 6.0
"""Further out than this, functions are nearly straight; one cell on each side has all of that."""

Line = tuple[FloatArray, FloatArray]
"""A slope and a constant."""


def around(kind: Curve, low: FloatArray, high: FloatArray) -> tuple[Line, Line]:
    """A line nowhere above the function between these, and one nowhere below."""
    low, high = within(kind, low, high)
    match kind:
        case "cube" | "sigmoid" | "swish" | "gelu":
            return bent_twice(kind, low, high)
        case "sqrt":
            tangent, chord = bent_up(kind, low, high, -1.0)
            return negated(chord), negated(tangent)
        case _:
            return bent_up(kind, low, high, 1.0)


def negated(line: Line) -> Line:
    """The line of the opposite values."""
    return -line[0], -line[1]


def steep_enough(slopes: FloatArray) -> FloatArray:
    """The slopes, those that are next to nothing made 0."""
    return np.where(np.abs(slopes) < FLAT, 0.0, slopes)


# --- functions that bend one way ------------------------------------------------------------------


def bent_up(kind: Curve, low: FloatArray, high: FloatArray, sign: float) -> tuple[Line, Line]:
    """A tangent below and the chord above `sign` times the function, which is convex."""
    return tangent(kind, low, high, sign), chord(kind, low, high, sign)


def chord(kind: Curve, low: FloatArray, high: FloatArray, sign: float) -> Line:
    """A convex function less a line is largest at an end."""
    ends = sign * value(kind, low), sign * value(kind, high)
    steepness = sign * slope(kind, low), sign * slope(kind, high)
    width = np.where(high > low, high - low, 1.0)
    slopes = steep_enough(np.clip((ends[1] - ends[0]) / width, *steepness))
    size = np.maximum(np.abs(ends[0]), np.abs(ends[1])) + np.abs(slopes) * reach(low, high)
    most = np.maximum(ends[0] - slopes * low, ends[1] - slopes * high)
    return slopes, most + size * ROOM + SPECK


def tangent(kind: Curve, low: FloatArray, high: FloatArray, sign: float) -> Line:
    """A tangent of a convex function is nowhere above it, and less a line it is least at an end.

    Those of e^x touch where they are still positive at the lower end, those of 1/x and its root anyway.
    """
    touch = low / 2 + high / 2
    if kind == "exp":
        touch = np.minimum(touch, low + 1.0)
    if kind == "sqrt":
        touch = np.maximum(touch, 1 / LARGEST)
    top, steepness = sign * value(kind, touch), sign * slope(kind, touch)
    slopes = steep_enough(steepness)
    size = np.abs(top) + 2 * np.abs(steepness) * (np.abs(touch) + reach(low, high))
    ends = (top + steepness * (end - touch) - slopes * end for end in (low, high))
    return slopes, np.minimum(*ends) - size * ROOM - SPECK


def reach(low: FloatArray, high: FloatArray) -> FloatArray:
    """The greatest size of a number between these."""
    return np.maximum(np.abs(low), np.abs(high))


# --- functions that bend both ways ----------------------------------------------------------------


def bent_twice(kind: Both, low: FloatArray, high: FloatArray) -> tuple[Line, Line]:
    """Lines by the values at a grid, and how far the function may be from its chords."""
    at = grid(low, high, np.inf if kind == "cube" else CORE)
    found = value(kind, at)
    bent = bends(kind, at[..., :-1], at[..., 1:])
    square = (at[..., 1:] - at[..., :-1]) ** 2 * ((1 + ROOM) / 8)
    above = np.minimum(bent.sagging * square, bent.apart) + speck(kind)
    below = np.minimum(bent.rising * square, bent.apart) + speck(kind)
    over = over_points(at, found, above)
    return negated(over_points(at, -found, below)), over


def grid(low: FloatArray, high: FloatArray, core: float) -> FloatArray:
    """Points [..., 1 + CELLS] from one end to the other, all but those two no further out than `core`."""
    first, last = np.clip(-core, low, high), np.clip(core, low, high)
    steps = np.arange(CELLS - 1) / (CELLS - 2)
    inner = first[..., None] + (last - first)[..., None] * steps
    inner = np.clip(inner, low[..., None], high[..., None])
    return np.concatenate([low[..., None], inner, high[..., None]], axis=-1)


def over_points(at: FloatArray, found: FloatArray, room: FloatArray) -> Line:
    """A line over points, and `room` more in each cell between two of them."""
    slopes = steep_enough(hull(at, found))
    gaps = found - slopes[..., None] * at
    most = (np.maximum(gaps[..., :-1], gaps[..., 1:]) + room).max(-1)
    size = np.abs(found).max(-1) + np.abs(slopes) * reach(at[..., 0], at[..., -1])
    return slopes, most + size * ROOM + SPECK


def hull(at: FloatArray, found: FloatArray) -> FloatArray:
    """The slope of the edge of the points' upper hull over the middle of the middle cell."""
    half = (CELLS + 1) // 2
    middle = (at[..., half - 1] / 2 + at[..., half] / 2)[..., None, None]
    x, y = at[..., :half, None], found[..., :half, None]
    z, w = at[..., None, half:], found[..., None, half:]
    width = z - x
    slopes = (w - y) / np.where(width > 0, width, 1.0)
    height = np.where(width > 0, y + slopes * (middle - x), -np.inf)
    best = height.reshape(*height.shape[:-2], -1).argmax(-1)[..., None]
    flat = slopes.reshape(*slopes.shape[:-2], -1)
    return np.asarray(np.take_along_axis(flat, best, -1)[..., 0])
