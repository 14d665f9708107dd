"""A cell of a box: the points that meet some half-spaces, each of them with or without its boundary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from circ.compiler.regions.polytope import Point, Row, Vertex, greatest, height, vertex, whole

Kind = Literal["box", "relu", "max", "guard", "domain"]
"""What made a cut: an end of the box, a ReLU, a maximum, a comparison, a condition of the domain."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The half-space row >= 0, or row > 0 where strict; `flat`: row = 0."""

    row: Row
    kind: Kind
    strict: bool = False
    flat: bool = False

    def holds(self, point: Point) -> bool:
        """Whether a point lies in it."""
        value = sum((a * x for a, x in zip(self.row, point, strict=False)), Fraction(self.row[-1]))
        if self.flat:
            return value == 0
        return value > 0 if self.strict else value >= 0


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """Cuts, those of the box first, and vertices of the closed cell that are known: at least one.

    No row is below 0 in the closed cell; a flat cut has two.
    """

    cuts: tuple[Cut, ...]
    rows: tuple[Row, ...] = field(repr=False)
    vertices: list[Vertex] = field(repr=False)

    @property
    def flat(self) -> bool:
        """Whether it has fewer dimensions than the box."""
        return any(cut.flat for cut in self.cuts)

    def signs(self, row: Row) -> tuple[int, int]:
        """The signs of the least and of the greatest value of a row on the closed cell."""
        if not any(row[:-1]):
            return sign(row[-1]), sign(row[-1])
        found = [height(row, at) for at in self.vertices]
        low, high = min(found), max(found)
        if low >= 0:
            low = height(row, self.reach(negative(row)))
        if high <= 0:
            high = height(row, self.reach(row))
        return sign(low), sign(high)

    def reach(self, objective: Row) -> Vertex:
        """A vertex at which the objective is largest; it is known from then on."""
        start = max(self.vertices, key=lambda at: Fraction(height(objective, at), at.below))
        found = greatest(self.rows, objective, start)
        if all(found.above != at.above or found.below != at.below for at in self.vertices):
            self.vertices.append(found)
        return found

    def cut(self, cut: Cut) -> Cell:
        """The part of it in a half-space, of which `signs` has found that there is some."""
        rows = (cut.row, negative(cut.row)) if cut.flat else (cut.row,)
        kept = [at for at in self.vertices if all(height(row, at) >= 0 for row in rows)]
        if not kept and cut.flat:
            kept = [self.cut(replace(cut, flat=False)).reach(negative(cut.row))]
        return Cell((*self.cuts, cut), (*self.rows, *rows), kept)

    def meets(self, row: Row) -> bool:
        """Whether the half-open cell has a point at which a row is 0: its least or greatest value."""
        strict = [cut.row for cut in self.cuts if cut.strict]
        part = self.cut(Cut(row, "guard", flat=True))
        return not strict or slack(part.rows, strict, part.vertices[0])[0] > 0

    def middle(self) -> tuple[Fraction, Point]:
        """Half the side of the largest cube inside, and its middle.

        Of a flat cell, half the side of the largest cube that keeps clear of what is not flat.
        """
        clear = [cut.row for cut in self.cuts if not cut.flat]
        if self.flat:
            clear = [row for row in clear if self.signs(row)[1] > 0]
        return slack(self.rows, clear, self.vertices[0])

    def touched(self) -> tuple[Cut, ...]:
        """The cuts, without those of the box, whose boundary the closed cell reaches, each once.

        Where a row is cut twice the strict one is kept, and of a flat cell no row that is 0 all over it.
        """
        found = dict[Row, Cut]()
        for cut in self.cuts:
            known = found.get(cut.row)
            if cut.kind == "box" or (known is not None and (known.strict or not cut.strict)):
                continue
            low, high = self.signs(cut.row)
            if cut.flat or (low == 0 and high > 0):
                found[cut.row] = cut
        return tuple(found.values())


def negative(row: Row) -> Row:
    """The opposite row."""
    return tuple(-x for x in row)


def sign(value: int) -> int:
    """-1, 0 or 1."""
    return (value > 0) - (value < 0)


LARGEST = 1 << 64
"""No cube that is looked for has a larger side."""


def slack(rows: Sequence[Row], wanted: Sequence[Row], start: Vertex) -> tuple[Fraction, Point]:
    """The most that all wanted rows can be at once within a polytope, each by the sum of the sizes of its
    coefficients, and where.

    Of all rows of a polytope that is half the side of the largest cube inside, and its middle.
    """
    chosen = set(wanted)
    wide = [(*row[:-1], -sum(map(abs, row[:-1])) if row in chosen else 0, row[-1]) for row in rows]
    inputs = len(start.above)
    zeros = (0,) * inputs
    wide += [(*zeros, 1, 0), (*zeros, -1, LARGEST)]
    below = Vertex((*start.above, 0), start.below, (*start.active, len(rows)))
    *point, most = greatest(wide, (*zeros, 1, 0), below).point
    return most, tuple(point)


def within_box(ends: list[tuple[Fraction, Fraction]]) -> Cell:
    """The whole of a box whose sides are all longer than 0."""
    cuts = tuple(box_cuts(ends))
    corner = vertex(tuple(low for low, _ in ends), tuple(range(0, len(cuts), 2)))
    return Cell(cuts, tuple(cut.row for cut in cuts), [corner])


def box_cuts(ends: list[tuple[Fraction, Fraction]]) -> Iterator[Cut]:
    """x - low >= 0 and high - x >= 0 for each input."""
    for k, (low, high) in enumerate(ends):
        one = [Fraction(int(j == k)) for j in range(len(ends))]
        yield Cut(whole([*one, -low]), "box")
        yield Cut(whole([*(-x for x in one), high]), "box")
