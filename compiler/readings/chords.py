"""Lines that a function of one variable stays close to between two bounds: chords and tangents."""

from __future__ import annotations

from math import inf

import numpy as np

from circ.compiler.readings import curves
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.roundoff import FAINT

Line = tuple[FloatArray, FloatArray, FloatArray]
"""A slope, and how far the function is above slope·x at least and at most; no numbers, where the
function may be undefined or has no bounds."""

SLACK = 2.0**-46
"""Of the numbers a line is computed from: more than all roundings of that, the exponential's too."""


def exp_line(low: FloatArray, high: FloatArray) -> Line:
    """e^x between these: its chord above, and a tangent below.

    At any t, e^x >= e^t (1 + x - t), and the tangent less a line is least at an end.
    """
    ends = curves.exp(low), curves.exp(high)
    middle = curves.exp(low + (high - low) / 2)
    slope = np.where(high - low > 1e-6, (ends[1] - ends[0]) / (high - low), middle)
    touch = np.clip(np.log(np.maximum(slope, 1e-300)), low, high)
    top = curves.exp(touch)
    return slope, *strays(
        (low, high), slope, ends, [top * (1 + (end - touch)) for end in (low, high)], top
    )


def recip_line(low: FloatArray, high: FloatArray) -> Line:
    """1/x between these, of one sign: 1/x >= (2t - x)/t² for positive x and t; odd, so mirrored."""
    sign = np.where(low > 0, 1.0, np.where(high < 0, -1.0, np.nan))
    near, far = np.where(sign > 0, low, -high), np.where(sign > 0, high, -low)
    slope = -1 / (near * far)
    touch = np.sqrt(near * far)
    tangent = [(2 * touch - end) / (touch * touch) for end in (near, far)]
    below, above = strays(
        (near, far), slope, (1 / near, 1 / far), tangent, 2 / touch + far / touch**2
    )
    return slope, np.where(sign > 0, below, -above), np.where(sign > 0, above, -below)


def root_line(low: FloatArray, high: FloatArray) -> Line:
    """√x between these, not negative: √x <= (x/s + s)/2 for any positive s; the chord is below."""
    ends = np.sqrt(low), np.sqrt(high)
    slope = 1 / (ends[0] + ends[1])
    touch = (ends[0] + ends[1]) / 2
    tangent = [-(end / touch + touch) / 2 for end in (low, high)]
    below, above = strays((low, high), -slope, (-ends[0], -ends[1]), tangent, high / touch + touch)
    return slope, -above, -below


def relu_line(low: FloatArray, high: FloatArray) -> Line:
    """max(0, x) between these: it lies above slope·x for a slope from 0 to 1, and below its chord."""
    crossing = (low < 0) & (high > 0)
    chord = np.clip(high / np.where(crossing, high - low, 1.0), 0.0, 1.0)
    slope = np.where(crossing, chord, np.where(low >= 0, 1.0, 0.0))
    above = np.maximum(-slope * low, high - slope * high) * (1 + SLACK)
    bounded = np.where(np.isfinite(low) & np.isfinite(high), above, inf)
    return (
        slope,
        np.zeros_like(slope),
        np.where(crossing, bounded, np.where(high - low < inf, 0, inf)),
    )


def strays(
    ends: tuple[FloatArray, FloatArray],
    slope: FloatArray,
    values: tuple[FloatArray, FloatArray],
    tangent: list[FloatArray],
    size: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """How far a convex function is above slope·x at least and at most.

    `values` is the function at the ends, `tangent` a line that it is above; the size of what went
    into that is at most about `size` times one and the distance of the ends.
    """
    room = np.abs(values[0]) + np.abs(values[1]) + size * (1 + np.abs(ends[1] - ends[0]))
    room = (room + np.abs(slope) * (np.abs(ends[0]) + np.abs(ends[1]))) * SLACK
    gaps = [value - slope * end for value, end in zip(values, ends, strict=True)]
    lows = [line - slope * end for line, end in zip(tangent, ends, strict=True)]
    below = np.minimum(lows[0], lows[1]) - room - FAINT
    above = np.maximum(gaps[0], gaps[1]) + room + FAINT
    return below, above
