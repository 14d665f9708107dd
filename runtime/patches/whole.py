"""Exact arithmetic on arrays: floats as whole numbers times a power of two, and rationals rounded to a file's dtype."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from circ.compiler.readings import clock
from circ.compiler.rounding import FORMATS, nearest
from circ.runtime.convex import Floats

Whole = NDArray[Any]
"""Python's own integers, which have no largest."""

TOGETHER = 1 << 18
"""Entries that are worked out at a time: an integer takes several times the memory of a float."""


def blocks(vectors: Floats) -> Iterator[slice]:
    """The columns of [n, count] a few at a time; raises `TimeUp` before those that are late."""
    step = max(1, TOGETHER // len(vectors))
    for start in range(0, vectors.shape[1], step):
        clock.look()
        yield slice(start, start + step)


def whole(values: Floats) -> tuple[Whole, int]:
    """Whole numbers and the exponent, at most 0, of the power of two that makes them the finite `values`."""
    mantissa, exponent = np.frexp(values)
    found = np.ldexp(mantissa, 53).astype(np.int64)
    least = int(exponent[found != 0].min(initial=53))
    shifts = np.maximum(exponent - least, 0).astype(object)
    return found.astype(object) << shifts, least - 53


def integers(rows: tuple[tuple[Fraction, ...], ...], scale: int) -> Whole:
    """Fractions times a number that makes them whole."""
    return np.array([[int(entry * scale) for entry in row] for row in rows], dtype=object)


def rational(top: int, bottom: int, exponent: int) -> Fraction:
    """top / bottom, times a power of two that is at most 1."""
    return Fraction(top, bottom << -exponent)


def rounded(top: Whole, bottom: int, exponent: int, dtype: str) -> Floats:
    """Each of top / bottom, times a power of two that is at most 1, as the nearest number of the format, ties to even.

    Raises `OverflowError` where one is beyond the format's largest.
    """
    bottom <<= -exponent
    doubles = (top / bottom).astype(np.float64)  # a quotient of integers is rounded once
    if dtype == "F64":
        return doubles
    found = near(doubles, dtype)
    below, above = (near(np.nextafter(doubles, side), dtype) for side in (-np.inf, np.inf))
    for at in np.argwhere(
        below != above
    ):  # between two numbers of the format, as far as a double can tell
        place = tuple(int(k) for k in at)
        found[place] = nearest(Fraction(top[place], bottom), dtype)
    if np.any(np.abs(found) > FORMATS[dtype].largest):
        raise OverflowError(f"{float(np.abs(found).max())!r} does not fit {dtype}")
    return found


def near(values: Floats, dtype: str) -> Floats:
    """Doubles rounded to a format, ties to even; what is beyond its largest stays beyond it."""
    form = FORMATS[dtype]
    exponent = np.maximum(np.frexp(values)[1] - 1, form.lowest) - form.precision + 1
    found: Floats = np.ldexp(np.rint(np.ldexp(values, -exponent)), exponent)
    return found
