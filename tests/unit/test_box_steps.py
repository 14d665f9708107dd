"""Steps of the search on boxes, each by itself, where the right number is plain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circ.compiler.boxes.affine import Affine, some
from circ.compiler.boxes.back import Affines, least
from circ.compiler.boxes.bounds import Nodes, contradicted
from circ.compiler.boxes.judge import Halves, Sides, cut, sizes, smallest, summed_up
from circ.compiler.boxes.round import Pairs, shrink
from circ.compiler.boxes.split import BELOW, halved, sided

OFF = 1e-12
"""More than rounding takes."""


def node(*ends: tuple[float, float], rows: tuple[tuple[float, float], ...] = ()) -> Nodes:
    """One node: the ends of its inputs, and of rows of layers."""
    low, high = (np.array([[float(end) for end in side]]) for side in zip(*ends, strict=True))
    under, over = (np.array([[float(pair[k]) for pair in rows]]) for k in (0, 1))
    phase, left = np.zeros(under.shape, np.int8), np.ones((1, 1), np.bool_)
    return Nodes(low, high, under, over, phase, left, np.ones(1), np.zeros(1))


def test_the_least_value_of_a_row_is_at_a_corner() -> None:
    """It is rounded down by next to nothing; what is 0 everywhere is exactly 0."""
    slopes = np.array([[1.0, -2.0], [0.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    consts = np.array([3.0, 0.0, 1.5, 1.0])
    low, high = np.tile([-1.0, -2.0], (4, 1)), np.tile([4.0, 5.0], (4, 1))
    found, wanted = least(Affines(slopes, consts), low, high), np.array([-8.0, 0.0, 1.5, -3.0])
    assert (found <= wanted).all()
    assert found == pytest.approx(wanted, abs=OFF)
    assert found[1] == 0
    halves = Halves(slopes[:2][None], consts[:2][None])
    assert smallest(halves, low[:1], high[:1])[0] == pytest.approx([-8.0, 0.0], abs=OFF)


def test_an_overflow_is_no_bound() -> None:
    """Numbers that are none are taken for the least."""
    rows = Affines(np.array([[np.inf]]), np.zeros(1))
    with np.errstate(invalid="ignore"):
        assert least(rows, np.zeros((1, 1)), np.ones((1, 1)))[0] == -np.inf


def test_a_weighted_sum_is_as_large_as_its_parts_make_it() -> None:
    """2 (x - y + 1) + 3 (y - 2) on [0, 1] and [0, 2]; of the first row alone; sizes are those of all terms."""
    halves = Halves(np.array([[[1.0, -1.0], [0.0, 1.0]]]), np.array([[1.0, -2.0]]))
    low, high = np.array([[0.0, 0.0]]), np.array([[1.0, 2.0]])
    for weights, wanted in (([2.0, 3.0], -4.0), ([1.0, 0.0], -1.0), ([0.0, 0.0], 0.0)):
        found = summed_up(halves, np.array([weights]), low, high)[0]
        assert wanted - OFF <= found <= wanted
    assert sizes(halves, low, high)[0] == pytest.approx([4.0, 4.0])


@pytest.mark.parametrize(
    ("slope", "const", "wanted"),
    [
        (3.0, -1.0, (-1, 1 / 3)),
        (-3.0, 1.0, (1 / 3, 2)),
        (0.0, -1.0, (-1, 2)),
        (2.0**-101, -1.0, (-1, 2)),
        (1.0, 1.0, (-1, -1)),
        (1.0, -5.0, (-1, 2)),
    ],
)
def test_a_cut_ends_where_the_half_space_does(
    slope: float, const: float, wanted: tuple[float, float]
) -> None:
    """Rounded outward by next to nothing; beyond the box it cuts nothing."""
    low, high = np.array([[-1.0]]), np.array([[2.0]])
    cut(low, high, np.array([[slope]]), np.array([const]))
    assert (low[0, 0], high[0, 0]) == pytest.approx(wanted, abs=OFF)
    assert low[0, 0] <= wanted[0]
    assert high[0, 0] >= wanted[1]


@pytest.mark.parametrize("count", [1, 30, 400])
def test_rounding_is_charged_for_by_the_number_of_terms(count: int) -> None:
    """Whole numbers are added without any: what a sum lacks is the charge, which is at least γ times the
    size of all terms, and not many times that."""
    signs = np.where(np.arange(count) % 2, 1.0, -1.0)
    low, high = np.full((1, count), -1.0), np.full((1, count), 3.0)
    exact = 7.0 + np.where(signs > 0, -1.0, -3.0).sum()
    size = 7.0 + np.where(signs > 0, 1.0, 3.0).sum()
    gamma = (count + 1) * 2.0**-53 * size
    room = gamma + 64 * 2.0**-53 * size
    owed = exact - least(Affines(signs[None], np.array([7.0])), low, high)[0]
    assert gamma <= owed <= 4 * room
    halves = Halves(signs[None, None], np.array([[7.0]]))
    owed = exact - summed_up(halves, np.array([[1.0]]), low, high)[0]
    assert gamma <= owed <= 4 * room
    # The last input falls to where the others, each where it does least, leave 0.
    steep = signs.copy()
    steep[-1] = 2.0**30
    before, after = high.copy(), low.copy()
    cut(after, before, steep[None], np.array([-(2.0**30)]))
    rest = -(2.0**30) + np.where(signs > 0, -1.0, -3.0)[:-1].sum()
    mass = 2.0**31 + np.where(signs > 0, 1.0, 3.0)[:-1].sum()
    owed = before[0, -1] - -rest / 2.0**30
    assert (count + 1) * 2.0**-53 * mass / 2.0**30 <= owed + 2.0**-53
    assert owed <= 4 * (count + 65) * 2.0**-53 * mass / 2.0**30


def test_what_may_be_other_than_0() -> None:
    """An entry with a constant, with a slack, or with a coefficient on units that are not 0 themselves."""
    told = some(Affine({}, np.array([0.0, 1.0, 0, 0]), np.array([0.0, 0, 1, 1e-300])), [])
    assert told.tolist() == [False, True, True, True]
    rows = np.array([[1.0, 0.0], [0.0, 1e-300], [0.0, 0.0]])
    told = some(Affine({0: rows}, np.zeros(3), np.zeros(3)), [np.array([0.0, 2.0])])
    assert told.tolist() == [False, True, False]


def test_a_node_is_empty_where_ends_have_crossed() -> None:
    """Of an input, or of a row; not where they meet. One that is taken to be below 0 may be hardly so."""
    assert not contradicted(node((0, 0), rows=((1, 1),))).any()
    assert contradicted(node((0, 0), rows=((1, 0.5),))).any()
    assert contradicted(node((0.5, 0), rows=((1, 1),))).any()
    assert contradicted(node((0, 1), (0.5, 0), rows=((-1, 1), (-1, 1)))).any()
    assert contradicted(node((0, 1), rows=((-1, 1), (1, 0)))).any()
    for under, phase, empty in ((BELOW / 2, -1, False), (BELOW / 2, 0, True), (1e-300, -1, True)):
        found = node((0, 1), rows=((under, BELOW),))
        found.phase[0, 0] = phase
        assert contradicted(found).any() == empty


def test_halves_meet_in_the_middle() -> None:
    """Along one input, with all else as it was, and half of the share each."""
    whole = node((-1, 2), (0, 8), rows=((-3, 4),))
    parts = halved(whole, np.array([1]))
    assert parts.low.tolist() == [[-1, 0], [-1, 4]]
    assert parts.high.tolist() == [[2, 4], [2, 8]]
    assert parts.share.tolist() == [0.5, 0.5]
    assert parts.under.tolist() == [[-3], [-3]]
    assert whole.low.tolist() == [[-1, 0]]


def test_sides_meet_in_zero() -> None:
    """A row is at least 0 in the one, and has a bound next to 0 in the other; known bounds stay."""
    whole = node((-1, 2), rows=((-3, 4), (-5, 6), (1, 2)))
    on, off = sided(whole, np.array([1]))
    assert on.under.tolist() == [[-3, 0, 1]]
    assert on.over.tolist() == [[4, 6, 2]]
    assert off.over.tolist() == [[4, BELOW, 2]]
    assert off.under.tolist() == [[-3, -5, 1]]
    assert (on.phase.tolist(), off.phase.tolist()) == ([[0, 1, 0]], [[0, -1, 0]])
    assert sided(whole, np.array([2]))[0].under[0, 2] == 1
    assert on.share.tolist() == off.share.tolist() == [0.5]


def test_a_box_is_cut_by_a_clause_that_is_alone() -> None:
    """Where another is open too, what it needs may be where the cut is."""
    halves = Halves(np.array([[[1.0]], [[-1.0]]]), np.zeros((2, 1)))
    none = np.zeros(2)
    sides = Sides(np.zeros((2, 0), np.int64), np.zeros((2, 0)))
    pairs = Pairs(
        np.array([0, 0]), np.array([0, 1]), none > 0, none > 0, none, none,
        np.zeros((2, 1)), np.zeros((2, 1)), halves, sides, [],
    )  # fmt: skip
    for told, wanted in (
        ([True, True], (-1, 1)),
        ([True, False], (-1, 0)),
        ([False, True], (0, 1)),
        ([False, False], (-1, 1)),
    ):
        one = replace(node((-1, 1)), open=np.array([told]))
        shrink(one, pairs)
        assert (one.low[0, 0], one.high[0, 0]) == pytest.approx(wanted, abs=OFF)
