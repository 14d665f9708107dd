"""`project m.W off V`: vectors without their part in a subspace, by the normal equations, exactly; then rounded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from circ.compiler.patching import Projecting
from circ.runtime.convex import Floats
from circ.runtime.patches.whole import Whole, blocks, integers, rational, rounded, whole


@dataclass(frozen=True, slots=True)
class Projector:
    """The matrix `rows`^T `inverse` `rows` / `bottom`, in whole numbers: rows [k, n], inverse [k, k]."""

    rows: Whole
    inverse: Whole
    bottom: int

    def of(self, vectors: Whole) -> Whole:
        """`bottom` times the part in the subspace of each column of [n, count]."""
        found: Whole = self.rows.T @ (self.inverse @ (self.rows @ vectors))
        return found


def projector(form: Projecting) -> Projector:
    """The projection onto the span of a form's vectors."""
    scale = lcm(*(entry.denominator for row in form.basis for entry in row))
    inverse = tuple(tuple(entry / scale**2 for entry in row) for row in form.inverse)
    bottom = lcm(*(entry.denominator for row in inverse for entry in row))
    return Projector(integers(form.basis, scale), integers(inverse, bottom), bottom)


def projected(form: Projecting, vectors: Floats, dtype: str) -> Floats:
    """[n, count]: each column without its part in the subspace, rounded. Raises `OverflowError`."""
    off, found = projector(form), vectors.copy()
    for block in blocks(vectors):
        numbers, exponent = whole(vectors[:, block])
        rest = numbers * off.bottom - off.of(numbers)
        found[:, block] = rounded(rest, off.bottom, exponent, dtype)
    return np.where(found == vectors, vectors, found)


def left_in(form: Projecting, vectors: Floats) -> Fraction:
    """The largest entry, in size, of what the columns of [n, count] have in the subspace."""
    on, largest = projector(form), Fraction(0)
    for block in blocks(vectors):
        numbers, exponent = whole(vectors[:, block])
        most = int(np.abs(on.of(numbers)).max(initial=0))
        largest = max(largest, rational(most, on.bottom, exponent))
    return largest
