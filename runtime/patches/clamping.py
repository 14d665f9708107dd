"""`clamp m.W along v to [lo, hi]`: vectors whose coefficient of `v` is moved between two bounds, exactly; then rounded."""

from __future__ import annotations

from fractions import Fraction
from math import lcm

import numpy as np

from circ.compiler.patching import Clamping
from circ.runtime.convex import Floats
from circ.runtime.patches.whole import Whole, blocks, integers, rational, rounded, whole


def clamped(form: Clamping, vectors: Floats, dtype: str) -> Floats:
    """[n, count]: each column with its coefficient, v·w / v·v, from `low` to `high`; rounded. Raises `OverflowError`."""
    found = vectors.copy()
    for block in blocks(vectors):
        part, given = found[:, block], vectors[:, block]
        share = coefficients(form, given)
        for bound, over in ((form.low, share < form.low), (form.high, share > form.high)):
            part[:, over] = moved_to(bound, form, given[:, over], dtype)
    return np.where(found == vectors, vectors, found)


def direction(form: Clamping) -> tuple[Whole, int]:
    """The vector in whole numbers, and what it was multiplied by."""
    scale = lcm(*(entry.denominator for entry in form.direction))
    return integers((form.direction,), scale)[0], scale


def coefficients(form: Clamping, vectors: Floats) -> Whole:
    """Of each column its coefficient, as a fraction."""
    (v, scale), (numbers, exponent) = direction(form), whole(vectors)
    square = int(v @ v)
    shares = [rational(int(y) * scale, square, exponent) for y in v @ numbers]
    return np.array(shares, dtype=object)


def moved_to(bound: Fraction, form: Clamping, vectors: Floats, dtype: str) -> Floats:
    """The columns with this coefficient, w + (bound - v·w / v·v) v, rounded."""
    (v, scale), (numbers, exponent) = direction(form), whole(vectors)
    square, bottom = int(v @ v), bound.denominator * scale
    wanted = bound.numerator * square << -exponent
    missing = wanted - (v @ numbers) * bottom
    whole_of_it = numbers * (square * bottom) + np.multiply.outer(v, missing)
    return rounded(whole_of_it, square * bottom, exponent, dtype)


def beyond(form: Clamping, vectors: Floats) -> Fraction:
    """How far the coefficients of the columns of [n, count] are outside the bounds, at most."""
    most = Fraction(0)
    for block in blocks(vectors):
        for share in coefficients(form, vectors[:, block]):
            most = max(most, form.low - share, share - form.high)
    return most
