"""Linear programs in exact arithmetic, for few variables: the simplex method from vertex to vertex.

A polytope is a list of rows in whole numbers, a · x + c >= 0, the last entry of a row being c; it is bounded,
and a vertex of it is known. Bland's rule (1977) keeps the walk from going round in circles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

Row = tuple[int, ...]
Point = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Vertex:
    """A point at which as many rows are 0 as there are variables: `active` are their numbers.

    The point is `above` over `below`, whole numbers.
    """

    above: tuple[int, ...]
    below: int
    active: tuple[int, ...]

    @property
    def point(self) -> Point:
        """The point as rationals."""
        return tuple(Fraction(x, self.below) for x in self.above)


def height(row: Row, at: Vertex) -> int:
    """The value of a row at a vertex, times the vertex's denominator."""
    return sum(a * x for a, x in zip(row, at.above, strict=False)) + row[-1] * at.below


def vertex(point: Point, active: tuple[int, ...]) -> Vertex:
    """A vertex at a point."""
    below = lcm(*(x.denominator for x in point))
    return Vertex(tuple(int(x * below) for x in point), below, active)


def whole(values: Sequence[Fraction]) -> Row:
    """A row of rationals, times the positive number that makes it one of coprime whole numbers."""
    below = lcm(*(x.denominator for x in values))
    return coprime([int(x * below) for x in values])


def coprime(values: Sequence[int]) -> Row:
    """A row without the divisor that its entries have in common."""
    common = gcd(*values)
    return tuple(values) if common < 2 else tuple(x // common for x in values)


def greatest(rows: Sequence[Row], objective: Row, start: Vertex) -> Vertex:
    """A vertex at which the objective is largest."""
    at = start
    while True:
        edge = improving(rows, objective, at)
        if edge is None:
            return at
        at = along(rows, at, *edge)


def improving(
    rows: Sequence[Row], objective: Row, at: Vertex
) -> tuple[int, tuple[int, ...]] | None:
    """The active row to be left (the place of it), and the direction of the edge that leaves it, if any
    edge leads up."""
    directions = edges([rows[k] for k in at.active])
    for place in sorted(range(len(at.active)), key=at.active.__getitem__):
        direction = directions[place]
        if sum(a * d for a, d in zip(objective, direction, strict=False)) > 0:
            return place, direction
    return None


def edges(active: Sequence[Row]) -> list[tuple[int, ...]]:
    """For each active row the direction in which it grows and the others stay 0: an inverse's columns.

    Gauss and Jordan's elimination without fractions (Bareiss 1968): every division leaves nothing.
    """
    n = len(active)
    rows = [[*row[:n], *(int(k == j) for j in range(n))] for k, row in enumerate(active)]
    before = 1
    for k in range(n):
        pivot = next(j for j in range(k, n) if rows[j][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        by, line = rows[k][k], rows[k]
        for j in range(n):
            if j != k:
                factor = rows[j][k]
                rows[j] = [
                    (by * x - factor * y) // before for x, y in zip(rows[j], line, strict=True)
                ]
        before = by
    side = 1 if before > 0 else -1
    return [coprime([side * rows[j][n + k] for j in range(n)]) for k in range(n)]


def along(rows: Sequence[Row], at: Vertex, place: int, direction: tuple[int, ...]) -> Vertex:
    """The vertex at the other end of an edge; the polytope is bounded, so there is one."""
    least: Fraction | None = None
    met = -1
    for k, row in enumerate(rows):
        rate = sum(a * d for a, d in zip(row, direction, strict=False))
        if rate < 0 and k not in at.active:
            step = Fraction(height(row, at), -rate * at.below)
            if least is None or step < least:
                least, met = step, k
    if least is None:
        raise AssertionError("an edge of a bounded polytope has two ends")
    point = tuple(x + least * d for x, d in zip(at.point, direction, strict=True))
    active = (*at.active[:place], met, *at.active[place + 1 :])
    return vertex(point, active)
