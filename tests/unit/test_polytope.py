"""Linear programs in exact arithmetic find the best vertex that there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from random import Random

import pytest

from circ.compiler.regions.cell import Cut, slack, within_box
from circ.compiler.regions.polytope import Point, Row, edges, whole

UNIT = (Fraction(-1), Fraction(1))


def solved(rows: Sequence[Row]) -> Point | None:
    """Where as many rows as there are variables are 0, by Cramer's rule; None where that is no point."""
    n = len(rows)
    below = determinant([list(row[:n]) for row in rows])
    if below == 0:
        return None
    above = [determinant([[*row[:k], -row[n], *row[k + 1 : n]] for row in rows]) for k in range(n)]
    return tuple(Fraction(x, below) for x in above)


def determinant(matrix: list[list[int]]) -> int:
    """By the first row."""
    if not matrix:
        return 1
    return sum(
        (-1) ** k * x * determinant([[*row[:k], *row[k + 1 :]] for row in matrix[1:]])
        for k, x in enumerate(matrix[0])
    )


def at(row: Row, point: Point) -> Fraction:
    """The value of a row."""
    return sum((a * x for a, x in zip(row, point, strict=False)), Fraction(row[-1]))


def vertices(rows: Sequence[Row], inputs: int) -> Iterator[Point]:
    """All vertices of a polytope."""
    for chosen in combinations(rows, inputs):
        point = solved(chosen)
        if point is not None and all(at(row, point) >= 0 for row in rows):
            yield point


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_the_best_vertex_is_found(inputs: int) -> None:
    """Of random cuts through a box, many of them through one point, the largest value of a row is that of
    going through all vertices, and the sign of the least one too; what is empty has no vertex."""
    chance = Random(inputs)
    for _ in range(60):
        cell = within_box([UNIT] * inputs)
        for _ in range(chance.randint(1, 5)):
            row = tuple(chance.randint(-2, 2) for _ in range(inputs + 1))
            low, high = cell.signs(row)
            every = [at(row, point) for point in vertices(cell.rows, inputs)]
            assert (min(every) > 0) - (min(every) < 0) == low
            assert (max(every) > 0) - (max(every) < 0) == high
            if low < 0 < high:
                cell = cell.cut(Cut(row, "relu", strict=chance.random() < 0.5))
        goal = tuple(chance.randint(-3, 3) for _ in range(inputs + 1))
        assert at(goal, cell.reach(goal).point) == max(
            at(goal, p) for p in vertices(cell.rows, inputs)
        )


def test_directions_are_an_inverse() -> None:
    """Along each one row grows and the others stay as they are."""
    rows = [(0, 2, -1, 7), (3, 1, 1, 0), (5, -2, 4, 1)]
    for k, direction in enumerate(edges(rows)):
        found = [sum(a * d for a, d in zip(row, direction, strict=False)) for row in rows]
        assert found[k] > 0
        assert found[:k] + found[k + 1 :] == [0, 0]


def test_the_largest_cube_of_a_triangle() -> None:
    """Below a diagonal it is a quarter of the box: side 1, its middle as far from all three sides."""
    whole_box = within_box([UNIT, UNIT])
    assert whole_box.signs((-1, -1, 0)) == (-1, 1)
    cell = whole_box.cut(Cut((-1, -1, 0), "relu"))
    radius, middle = cell.middle()

    assert radius == Fraction(1, 2)
    assert middle == (Fraction(-1, 2), Fraction(-1, 2))


def test_open_cells_may_not_reach_their_ends() -> None:
    """Where x > 0 and y >= 0, the sum of both is never 0, and y is."""
    cell = within_box([UNIT, UNIT])
    for cut in (Cut((1, 0, 0), "guard", strict=True), Cut((0, 1, 0), "guard")):
        assert cell.signs(cut.row) == (-1, 1)
        cell = cell.cut(cut)

    assert cell.signs((1, 1, 0)) == (0, 1)
    assert not cell.meets((1, 1, 0))
    assert cell.meets((0, 1, 0))
    assert slack(cell.rows, [(1, 0, 0)], cell.vertices[0])[0] == 1


def test_rows_are_whole_numbers_without_a_common_divisor() -> None:
    """So that equal half-spaces are one."""
    assert whole([Fraction(1, 2), Fraction(-1, 3), Fraction(0)]) == (3, -2, 0)
