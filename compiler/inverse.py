"""The exact inverse of a Gram matrix, and how far its vectors are from being dependent."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

Matrix = list[list[Fraction]]


@dataclass(frozen=True, slots=True)
class Inverse:
    """`rows` of the inverse; `part` of the first vector's length squared that nearly lies in the span of those
    before it is left when it is projected off them, the least of all, at `vector`.

    Where that is 0 there is no inverse, and no rows.
    """

    rows: tuple[tuple[Fraction, ...], ...] = field(repr=False)
    vector: int
    part: Fraction


def inverted(gram: Matrix) -> Inverse:
    """The inverse of a symmetric matrix of inner products, by Gauss and Jordan.

    Pivots of such a matrix are squared distances of vectors from the span of those before them: none is 0 unless
    the vectors are dependent, so that rows need not be exchanged.
    """
    size = len(gram)
    rows = [[*row, *(Fraction(i == j) for j in range(size))] for i, row in enumerate(gram)]
    least, vector = Fraction(1), 0
    for k in range(size):
        pivot = rows[k][k]
        part = pivot / gram[k][k] if gram[k][k] else Fraction(0)
        if part < least:
            least, vector = part, k
        if not part:
            return Inverse((), k, part)
        rows[k] = [x / pivot for x in rows[k]]
        for i, row in enumerate(rows):
            if i != k and row[k]:
                rows[i] = [x - row[k] * y for x, y in zip(row, rows[k], strict=True)]
    return Inverse(tuple(tuple(row[size:]) for row in rows), vector, least)
