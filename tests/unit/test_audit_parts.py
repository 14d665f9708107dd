"""The audit of claims about boxes: each step by itself, on one unit, where the right number is plain."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import inf

import numpy as np
import pytest

from circ.compiler.audit.parts.arrays import UNIT, rounded
from circ.compiler.audit.parts.back import HalfSpaces, Part
from circ.compiler.audit.parts.exact import (
    children,
    cut,
    half_of,
    multipliers,
    phased,
    tightened,
    whole,
)
from circ.compiler.audit.parts.layers import VALUE, WEIGHT, Net, down, net_of, up
from circ.compiler.audit.parts.many import at_input, many
from circ.compiler.audit.parts.many import cut as cut_in_doubles
from circ.compiler.audit.parts.nodes import (
    AtInput,
    AtUnit,
    Cut,
    Node,
    Shut,
    Step,
    Weighed,
)
from circ.compiler.audit.parts.planes import Halves
from circ.compiler.audit.parts.reading import Claim, Row
from circ.compiler.audit.parts.units import Affine, Kind, Number, Units, combined, known
from circ.compiler.audit.rejected import Rejected

THIRD, HALF = Fraction(1, 3), Fraction(1, 2)
FINE = 44
"""Sums are in multiples of 2^-44."""


def net(kind: Kind, *box: tuple[Number, Number], by: Number = 1) -> Net:
    """A unit of the inputs, times `by`, and the clause that it is above 0."""
    ends = tuple((Fraction(low), Fraction(high)) for low, high in box)
    units = Units(len(box))
    made = units.unit(kind, tuple(Affine({k: 1}, 0) for k in range(len(box))), (7, 0))
    return net_of(Claim(ends, units, ((Row(combined([(by, made)]), strict=True),),)))


def rows(*factors: Number) -> Weighed:
    """The rows of the only clause."""
    return Weighed(0, tuple(map(Fraction, factors)), ())


def values(about: Net, half: HalfSpaces, by: Weighed) -> list[Fraction]:
    """The slopes of a half-space, and what is known, as the numbers that they are."""
    one = Fraction(2) ** (multipliers(about, by)[1] + WEIGHT)
    (const,) = half.consts
    return [*(x / one for (x,) in half.slopes), const / one / 2**VALUE]


PLANES: list[tuple[Kind, list[tuple[int, int]], int, list[Number]]] = [
    ("linear", [(-1, 2)], -1, [-1, 0]),
    ("relu", [(-1, 2)], 1, [1, 0]),
    ("relu", [(-2, 1)], 1, [0, 0]),
    ("relu", [(-1, 1)], 1, [0, 0]),
    ("relu", [(0, 2)], 1, [1, 0]),
    ("relu", [(-2, 0)], 1, [0, 0]),
    ("relu", [(-2, 0)], -1, [0, 0]),
    ("relu", [(0, 2)], -1, [-1, 0]),
    ("relu", [(-1, 2)], -1, [-2 * THIRD, -2 * THIRD]),
    ("relu", [(-2, 1)], -1, [-THIRD, -2 * THIRD]),
    ("step", [(-1, 2)], 1, [HALF, 0]),
    ("step", [(0, 2)], 1, [0, 1]),
    ("step", [(-1, 0)], 1, [0, 0]),
    ("step", [(-2, -1)], -1, [0, 0]),
    ("step", [(-2, 1)], -1, [-HALF, -1]),
    ("step", [(-2, 0)], -1, [-HALF, -1]),
    ("step", [(0, 2)], -1, [0, -1]),
    ("product", [(1, 2), (3, 5)], 1, [3, 1, -3]),
    ("product", [(-3, -2), (-5, -4)], 1, [-4, -2, -8]),
    ("product", [(-1, 1), (-1, 1)], 1, [-1, -1, -1]),
    ("product", [(1, 2), (3, 5)], -1, [-3, -2, 6]),
    ("product", [(-1, 2), (1, 5)], -1, [-1, -2, 2]),
    ("product", [(-1, 2), (-1, 1)], -1, [-1, 1, -1]),
]


@pytest.mark.parametrize(("kind", "box", "sign", "plane"), PLANES)
def test_a_unit_is_above_its_plane(
    kind: Kind, box: list[tuple[int, int]], sign: int, plane: list[Number]
) -> None:
    """That is the plane of the method, in whole numbers and in doubles, and the least value is the plane's."""
    about = net(kind, *box, by=sign)
    half = half_of(about, whole(about), rows(1))
    for found, wanted in zip(values(about, half, rows(1)), plane, strict=True):
        assert -(2**-40) <= found - wanted <= 0 or found == wanted
    *slopes, const = map(Fraction, plane)
    ends = zip(slopes, box, strict=True)
    least = const + sum(by * (low if by > 0 else high) for by, (low, high) in ends)
    scale = Fraction(2) ** (multipliers(about, rows(1))[1] + WEIGHT + VALUE)
    off = half.least(whole(about))[0] / scale - least
    assert -(2**-40) <= off <= 0
    both = many(about)
    parts = both.whole()
    halves = both.weighed(parts, np.array([0]), [rows(1)])
    given = [*halves.slopes[0].tolist(), float(halves.consts[0])]
    assert given == pytest.approx([float(x) for x in plane], abs=1e-12)
    in_doubles = float(halves.least(parts.low, parts.high)[0])
    assert in_doubles == pytest.approx(float(least), abs=1e-12)


ENDS: list[tuple[Kind, list[tuple[int, int]], tuple[int, int]]] = [
    ("linear", [(-1, 2)], (-1, 2)),
    ("relu", [(-1, 2)], (0, 2)),
    ("relu", [(1, 2)], (1, 2)),
    ("relu", [(-2, -1)], (0, 0)),
    ("step", [(-1, 0)], (0, 1)),
    ("step", [(-2, -1)], (0, 0)),
    ("step", [(0, 1)], (1, 1)),
    ("product", [(-1, 2), (-3, 5)], (-6, 10)),
    ("product", [(2, 3), (-5, -4)], (-15, -8)),
]


@pytest.mark.parametrize(("kind", "box", "ends"), ENDS)
def test_values_are_bounded_on_the_whole_box(
    kind: Kind, box: list[tuple[int, int]], ends: tuple[int, int]
) -> None:
    """Where all numbers are whole multiples, what reads a unit has the unit's own ends, and no slack."""
    units = Units(len(box))
    made = units.unit(kind, tuple(Affine({k: 1}, 0) for k in range(len(box))), (7, 0))
    units.unit("relu", (combined([(1, made), (1, known(100))]),), (8, 0))
    found = net_of(Claim(tuple((Fraction(a), Fraction(b)) for a, b in box), units, ()))
    last = found.layers[-1]
    assert not any(last.rows.slack)
    assert last.low == [ends[0] + 100 << VALUE]
    assert last.high == [ends[1] + 100 << VALUE]


def test_what_is_no_multiple_has_a_slack() -> None:
    """A third of an input, and a constant of a third, are rounded: by no more than is said, which is little."""
    units = Units(1)
    units.unit("relu", (Affine({0: THIRD}, THIRD),), (7, 0))
    found = net_of(Claim(((Fraction(-4), Fraction(1)),), units, ()))
    (layer,) = found.layers
    assert layer.rows.slack == [(5 << VALUE - WEIGHT) + 1]
    off = Fraction(1, 1 << 56)
    assert -1 - off < Fraction(layer.low[0], 1 << VALUE) <= -1
    assert 2 * THIRD <= Fraction(layer.high[0], 1 << VALUE) < 2 * THIRD + off


def test_numbers_are_rounded_down_and_up() -> None:
    """To the whole numbers next to them."""
    for value in (THIRD, -THIRD, Fraction(5), Fraction(-7, 4), 0, 3):
        assert down(value, 2) <= value * 4 < down(value, 2) + 1
        assert up(value, 2) - 1 < value * 4 <= up(value, 2)


def test_doubles_are_rounded_outward() -> None:
    """A number that is a double stays; any other becomes the double next to it on that side. 1 + 2 UNIT
    is next to 1."""
    assert np.nextafter(1.0, 2.0) == 1 + 2 * UNIT
    for value in (5, -5, 0, (1 << 53) + 2):
        assert rounded(value, 1) == rounded(value, -1) == value
    for value in ((1 << 53) + 1, -(1 << 60) - 3, (1 << 80) + 1):
        low, high = rounded(value, -1), rounded(value, 1)
        assert int(low) < value < int(high)
        assert np.nextafter(low, inf) == high


# --- steps ----------------------------------------------------------------------------------------


def ends(part: Part, layer: int = 0) -> list[tuple[Number, Number]]:
    """The ends of the inputs, or of what units of a layer are of."""
    low, high = part.low[layer], part.high[layer]
    one = 1 << VALUE
    return [(Fraction(a, one), Fraction(b, one)) for a, b in zip(low, high, strict=True)]


def test_a_split_at_an_input_makes_two_halves() -> None:
    """Which meet in the number, be it an end; one that is outside leaves the box, and nothing beside it."""
    about = net("relu", (-1, 2))
    below, above = children(about, whole(about), Node((), AtInput(0, HALF)))
    assert ends(below) == [(-1, HALF)]
    assert ends(above) == [(HALF, 2)]
    assert below.left == above.left == {0}
    assert below.depth == above.depth == 1
    for end in (Fraction(-1), Fraction(2)):
        below, above = children(about, whole(about), Node((), AtInput(0, end)))
        assert (ends(below), ends(above)) == ([(-1, end)], [(end, 2)])
        assert below.left == above.left == {0}
    for outside, kept in ((Fraction(5), 0), (Fraction(-5), 1)):
        halves = children(about, whole(about), Node((), AtInput(0, outside)))
        assert ends(halves[kept]) == [(-1, 2)]
        assert halves[kept].left == {0}
        assert not halves[1 - kept].left


def test_doubles_have_nothing_left_outside_the_box_either() -> None:
    """Of halves at numbers inside, at an end, and outside, those that no input is in have no clause left."""
    both = many(net("relu", (-1, 2)))
    cases = [(0.5, True, True), (2.0, True, True), (5.0, True, False), (-5.0, False, True)]
    for at, *wanted in cases:
        parts = both.whole().take(np.array([0, 0]))
        place, number = np.zeros(2, np.int64), np.full(2, at)
        at_input(both, parts, np.array([0, 1]), place, number, np.array([0, 1]))
        assert parts.left[:, 0].tolist() == wanted


def test_a_split_at_a_unit_makes_two_phases() -> None:
    """A ReLU's meet in 0; a step's second is below 0, which -1 of the finest numbers stands for."""
    kinds: list[tuple[Kind, int]] = [("relu", 0), ("step", -1)]
    for kind, most in kinds:
        about = net(kind, (-1, 2))
        above, below = children(about, whole(about), Node((), AtUnit((7, 0))))
        assert ends(above, 1) == [(0, 2)]
        assert (below.low[1], below.high[1]) == ([-1 << VALUE], [most])
        assert (above.phases, below.phases) == ({(1, 0): 1}, {(1, 0): -1})
        assert above.left == below.left == {0}


def test_a_phase_that_no_input_has_leaves_nothing() -> None:
    """Of a unit that is never below 0, the second half is empty, and so is a step's at 0."""
    kinds: list[tuple[Kind, int, int]] = [("relu", 1, 0), ("relu", 0, 1), ("step", 0, 0)]
    for kind, low, left in kinds:
        about = net(kind, (low, 2))
        above, below = children(about, whole(about), Node((), AtUnit((7, 0))))
        assert len(above.left) == 1
        assert len(below.left) == left


def test_a_split_of_nothing_is_rejected() -> None:
    """An input or a unit that is not there, a unit without phases, and more splits than are allowed."""
    about = net("relu", (-1, 2))
    product = net("product", (-1, 2), (-1, 2))
    splits: list[tuple[Net, AtInput | AtUnit]] = [
        (about, AtInput(1, HALF)),
        (about, AtUnit((7, 1))),
        (product, AtUnit((7, 0))),
        (net("linear", (-1, 2)), AtUnit((7, 0))),
    ]
    for given, split in splits:
        with pytest.raises(Rejected):
            children(given, whole(given), Node((), split))
    deep = replace(whole(about), depth=256)
    with pytest.raises(Rejected, match="too deep"):
        children(about, deep, Node((), AtUnit((7, 0))))
    assert children(about, replace(deep, depth=255), Node((), AtUnit((7, 0))))


def test_bounds_taken_anew_are_those_of_the_part() -> None:
    """Of units of the wires that are named, and which are still open."""
    kinds: list[Kind] = ["relu", "step"]
    for kind in kinds:
        about = net(kind, (-1, 2))
        _, above = children(about, whole(about), Node((), AtInput(0, HALF)))
        assert ends(tightened(about, above, frozenset({6})), 1) == [(-1, 2)]
        for wires in (None, frozenset({7})):
            assert ends(tightened(about, above, wires), 1) == [(HALF, 2)]
    about = net("product", (-1, 2), (-1, 2))
    below, _ = children(about, whole(about), Node((), AtInput(0, HALF)))
    assert ends(tightened(about, below, None), 1) == [(-1, HALF), (-1, 2)]


def test_what_is_just_not_below_zero_is_bounded_anew_as_in_doubles() -> None:
    """To doubles it may be open. Where it is taken to be at least 0 it is not, to either."""
    about = net("relu", (0, 2))
    _, above = children(about, whole(about), Node((), AtInput(0, HALF)))
    assert ends(above, 1) == [(0, 2)]
    assert ends(tightened(about, above, None), 1) == [(HALF, 2)]
    assert ends(tightened(about, phased(about, above, 1, 0, 1), None), 1) == [(0, 2)]
    assert not tightened(about, phased(about, above, 1, 0, -1), None).left


def test_bounds_that_contradict_each_other_leave_nothing() -> None:
    """A unit above 0 on a part where what it is of is below."""
    about = net("relu", (-1, 2))
    below, _ = children(about, whole(about), Node((), AtInput(0, -HALF)))
    above = phased(about, below, 1, 0, 1)
    assert above.left
    assert ends(tightened(about, above, None), 1) == [(0, 2)]
    open_still = replace(above, low=(above.low[0], [-1]))
    assert not tightened(about, open_still, None).left


def test_a_cut_leaves_where_the_sum_is_at_most_zero() -> None:
    """3x - 1 is above 0 beyond a third, and 1 - 3x before it: what is left ends there, rounded outward."""
    about = net("linear", (-1, 2))
    one = 1 << VALUE
    for sign in (1, -1):
        half = HalfSpaces([[3 * sign << FINE]], [-sign << VALUE + FINE])
        ((low, high),) = ends(cut(whole(about), half))
        edge, far = (high, low) if sign > 0 else (low, high)
        assert far == (-1 if sign > 0 else 2)
        assert 0 <= sign * (edge - THIRD) < Fraction(2, one)
    for const, left in ((1, 0), (0, 1)):
        found = cut(whole(about), HalfSpaces([[1 << FINE]], [const + 1 << VALUE + FINE]))
        assert len(found.left) == left
    assert ends(cut(whole(about), HalfSpaces([[0]], [-1]))) == [(-1, 2)]


def test_a_cut_in_doubles_is_the_same() -> None:
    """But for what rounding takes."""
    both = many(net("linear", (-1, 2)))
    for slope, const, wanted in (
        (3.0, -1.0, (-1, 1 / 3)),
        (-3.0, 1.0, (1 / 3, 2)),
        (0.0, -1.0, (-1, 2)),
        (1.0, 1.0, (-1, -1)),
    ):
        parts = both.whole()
        cut_in_doubles(both, parts, np.array([0]), Halves(np.array([[slope]]), np.array([const])))
        assert parts.left.all()
        assert (parts.low[0, 0], parts.high[0, 0]) == pytest.approx(wanted, abs=1e-12)
        assert parts.low[0, 0] <= wanted[0]
        assert parts.high[0, 0] >= wanted[1]
    parts = both.whole()
    cut_in_doubles(both, parts, np.array([0]), Halves(np.array([[1.0]]), np.array([1.5])))
    assert not parts.left.any()


def test_a_clause_is_shut_by_what_is_above_zero() -> None:
    """Or at 0 where the comparison is weak, with a weight that no rounding makes 0; by no less."""
    units = Units(1)
    x = Affine({0: 1}, 0)
    small = Fraction(1, 2**20)
    for const, strict, factor, shut in (
        (0, True, 1, False),
        (0, False, 1, True),
        (0, False, small, True),
        (1, True, 1, True),
        (-1, False, 1, False),
    ):
        row = Row(combined([(1, x), (1, known(Fraction(const, 2**50)))]), strict)
        about = net_of(Claim(((Fraction(0), Fraction(1)),), units, ((row,),)))
        steps: tuple[Step, ...] = (Shut(rows(factor)),)
        if shut:
            assert children(about, whole(about), Node(steps, None)) == ()
        else:
            with pytest.raises(Rejected):
                children(about, whole(about), Node(steps, None))


def test_a_sum_names_what_is_there() -> None:
    """A clause, a multiplier for each of its rows and only with a clause, units whose phase is known."""
    about = net("relu", (-1, 2))
    part = whole(about)
    for by in (
        Weighed(1, (Fraction(1),), ()),
        Weighed(0, (), ()),
        Weighed(0, (Fraction(1), Fraction(1)), ()),
        Weighed(None, (Fraction(1),), ()),
        Weighed(None, (), (((7, 0), Fraction(1)),)),
        Weighed(None, (), (((7, 1), Fraction(1)),)),
    ):
        with pytest.raises(Rejected):
            half_of(about, part, by)
        with pytest.raises(Rejected):
            many(about).weighed(many(about).whole(), np.array([0]), [by])


def test_phases_count_as_what_they_say() -> None:
    """Where a unit is on, what it is of is not below 0: less of it is added; where it is off, more."""
    about = net("relu", (-1, 2))
    for side in (1, -1):
        part = phased(about, whole(about), 1, 0, side)
        by = Weighed(None, (), (((7, 0), Fraction(3)),))
        assert values(about, half_of(about, part, by), by) == [-3 * side, 0]


def test_a_cut_needs_a_clause_that_is_alone() -> None:
    """One that is left beside it might be broken where the cut is."""
    units = Units(1)
    row = Row(Affine({0: 1}, 0), strict=True)
    about = net_of(Claim(((Fraction(-1), Fraction(1)),), units, ((row,), (row,))))
    with pytest.raises(Rejected):
        children(about, whole(about), Node((Cut(rows(1)),), None))
    alone = replace(whole(about), left=frozenset({0}))
    halves = children(about, alone, Node((Cut(rows(1)),), AtInput(0, Fraction(0))))
    assert ends(halves[0]) == [(-1, 0)]
