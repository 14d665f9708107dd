"""Bounds on single entries from bounds on linear functions of several: a box that is turned.

`norm_inf(W @ x) <= 1` bounds every row of W on both sides. Where such rows determine an entry, it
is a sum of them, and their bounds add up to bounds on the entry. All steps are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from circ.compiler.linear_forms import Linear

Vector = Mapping[int, Fraction]
"""Coefficients that are not zero."""

Ends = tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True)
class Combined:
    """A linear function of an input's entries, and how much of each slab it is made of."""

    coefficients: Vector
    slabs: Vector


def turned_box(rows: Iterable[Linear]) -> dict[int, Ends]:
    """Bounds on the entries that the slabs among `rows` (each kept at most 0) determine."""
    found = slabs(rows)
    solved = eliminated([coefficients for coefficients, _ in found])
    ends = [bounds for _, bounds in found]
    return {
        entry: spanned(row.slabs, ends)
        for entry, row in solved.items()
        if set(row.coefficients) == {entry}
    }


def slabs(rows: Iterable[Linear]) -> list[tuple[Vector, Ends]]:
    """The linear functions that `rows` bound on both sides, the first coefficient of each 1."""
    lows: dict[frozenset[tuple[int, Fraction]], Fraction] = {}
    highs: dict[frozenset[tuple[int, Fraction]], Fraction] = {}
    for row in rows:
        if row.coefficients:
            lead = row.coefficients[min(row.coefficients)]
            key = frozenset((entry, c / lead) for entry, c in row.coefficients.items())
            end = -row.constant / lead
            if lead > 0:
                highs[key] = min(end, highs.get(key, end))
            else:
                lows[key] = max(end, lows.get(key, end))
    return [(dict(sorted(key)), (lows[key], highs[key])) for key in highs if key in lows]


def eliminated(vectors: list[Vector]) -> dict[int, Combined]:
    """Gauss and Jordan's elimination: by its pivot entry, each row that is left."""
    solved: dict[int, Combined] = {}
    for number, vector in enumerate(vectors):
        row = Combined(vector, {number: Fraction(1)})
        for entry in solved.keys() & vector.keys():
            row = minus(row, row.coefficients[entry], solved[entry])
        if row.coefficients:
            pivot = min(row.coefficients)
            row = minus(Combined({}, {}), -1 / row.coefficients[pivot], row)
            for entry, other in solved.items():
                solved[entry] = minus(other, other.coefficients.get(pivot, Fraction(0)), row)
            solved[pivot] = row
    return solved


def minus(row: Combined, factor: Fraction, other: Combined) -> Combined:
    """`row - factor · other`."""
    return Combined(
        dict(added(row.coefficients, -factor, other.coefficients)),
        dict(added(row.slabs, -factor, other.slabs)),
    )


def added(a: Vector, factor: Fraction, b: Vector) -> Iterator[tuple[int, Fraction]]:
    """The entries of `a + factor · b` that are not zero."""
    for key in a.keys() | b.keys():
        value = a.get(key, Fraction(0)) + factor * b.get(key, Fraction(0))
        if value:
            yield key, value


def spanned(parts: Vector, ends: list[Ends]) -> Ends:
    """The bounds of a sum of slabs."""
    pairs = [sorted((c * ends[k][0], c * ends[k][1])) for k, c in parts.items()]
    return (
        sum((low for low, _ in pairs), Fraction(0)),
        sum((high for _, high in pairs), Fraction(0)),
    )
