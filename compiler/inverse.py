"""The exact inverse of a Gram matrix, and how far its vectors are from being dependent."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import lcm

Matrix = tuple[tuple[Fraction, ...], ...]

KEPT = 64
"""So many inverses are kept: a spec is lowered more than once."""


@dataclass(frozen=True, slots=True)
class Inverse:
    """`rows` of the inverse; `part` of a vector's squared length is left when it is projected off those before it, the
    least of all, at `vector`.

    Where that is 0 there is no inverse, and no rows.
    """

    rows: Matrix = field(repr=False)
    vector: int
    part: Fraction


@lru_cache(KEPT)
def inverted(gram: Matrix) -> Inverse:
    """The inverse of a symmetric matrix of inner products, by elimination without fractions (Bareiss, 1968).

    After k steps the pivot is the determinant of the first k rows and columns. Its ratio to the one before is the
    squared distance of a vector from the span of those before it, which is 0 only if the vectors are dependent: so
    rows need not be exchanged.
    """
    size = len(gram)
    scale = lcm(*(entry.denominator for row in gram for entry in row))
    whole = [[int(entry * scale) for entry in row] for row in gram]
    rows = [[*row, *(int(i == j) for j in range(size))] for i, row in enumerate(whole)]
    before, least, vector = 1, Fraction(1), 0
    for k in range(size):
        pivot = rows[k][k]
        part = Fraction(pivot, before * whole[k][k]) if pivot else Fraction(0)
        if part < least:
            least, vector = part, k
        if not pivot:
            return Inverse((), k, part)
        for i, row in enumerate(rows):
            if i != k:
                by = row[k]
                pairs = zip(row, rows[k], strict=True)
                rows[i] = [(pivot * x - by * y) // before for x, y in pairs]
        before = pivot
    found = tuple(tuple(Fraction(scale * x, before) for x in row[size:]) for row in rows)
    return Inverse(found, vector, least)
