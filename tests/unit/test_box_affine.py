"""Affine functions of units: what floats leave out of the exact function is within the slack."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.boxes.affine import (
    Affine,
    Product,
    combined,
    constant,
    enclosed,
    mapped,
    picked,
    stored,
    units,
)
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.net import UNIT, FloatArray, rounding
from circ.compiler.boxes.read import outward
from tests.agreement.box_claims import HARD, NUMBERS

EXACT = st.one_of(NUMBERS, NUMBERS, st.fractions(-3, 3, max_denominator=97))
FLOATS = EXACT.map(float)
SLACKS = st.sampled_from([0.0, 0.0, 1e-300, 2.0**-60, 1e-3])
INPUTS = 3
NOISES = st.sampled_from([Fraction(-1), Fraction(0), Fraction(1)])

Point = Sequence[Fraction]
Ex = TypeVar("Ex")


class Draw(Protocol):
    """What draws a value, within a strategy or a test."""

    def __call__(self, strategy: st.SearchStrategy[Ex], /) -> Ex:
        """A value."""
        ...


def arrays(draw: Draw, *shape: int) -> FloatArray:
    """Random floats."""
    count = int(np.prod(shape))
    return np.array(draw(st.lists(FLOATS, min_size=count, max_size=count))).reshape(shape)


@st.composite
def affines(draw: st.DrawFn, entries: int = 2) -> Affine:
    """Functions of one layer of units, or constants."""
    maps = {0: arrays(draw, entries, INPUTS)} if draw(st.integers(0, 3)) else {}
    slack = np.array(draw(st.lists(SLACKS, min_size=entries, max_size=entries)))
    return Affine(maps, arrays(draw, entries), slack)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Bounds of units, points among them."""
    one, other = arrays(draw, INPUTS), arrays(draw, INPUTS)
    return np.minimum(one, other), np.maximum(one, other)


def within(draw: Draw, low: FloatArray, high: FloatArray) -> Point:
    """A point of a box."""
    parts = [draw(st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 3)])) for _ in low]
    ends = zip(map(Fraction, low.tolist()), map(Fraction, high.tolist()), parts, strict=True)
    return [a + t * (b - a) for a, b, t in ends]


def said(x: Affine, at: Point) -> list[Fraction]:
    """What the floats say, in exact arithmetic."""
    found = [Fraction(value) for value in x.const.tolist()]
    for rows in x.maps.values():
        for k, row in enumerate(rows.tolist()):
            found[k] += sum(Fraction(c) * v for c, v in zip(row, at, strict=True))
    return found


def meant(draw: Draw, x: Affine, at: Point) -> list[Fraction]:
    """What they may stand for: anything within the slack."""
    slacks = [Fraction(value) * draw(NOISES) for value in x.slack.tolist()]
    return [value + gap for value, gap in zip(said(x, at), slacks, strict=True)]


def stands_for(x: Affine, at: Point, exact: Sequence[Fraction]) -> bool:
    """Whether exact values are within the slack."""
    told = zip(said(x, at), x.slack.tolist(), exact, strict=True)
    return all(abs(value - wanted) <= Fraction(slack) for value, slack, wanted in told)


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_a_combination_stays_within_its_slack(data: st.DataObject) -> None:
    """Whatever the operands stand for within their slack, the result stands for their combination
    with the exact coefficients, one that rounds to 1 and one beneath the floats included."""
    draw = data.draw
    low, high = draw(boxes())
    reach = [np.maximum(-low, high)]
    terms = [(draw(EXACT), draw(affines())) for _ in range(draw(st.integers(1, 3)))]
    at = within(draw, low, high)
    values = [[c * v for v in meant(draw, x, at)] for c, x in terms]
    exact = [sum(column, Fraction(0)) for column in zip(*values, strict=True)]
    assert stands_for(combined(terms, reach), at, exact)


@pytest.mark.parametrize("count", [0, 1, 2, 9, 100, 10**6])
def test_a_sum_errs_by_less_than_is_charged(count: int) -> None:
    """γ = n u / (1 - n u), u being half of what is between 1 and the next double; it is not much more."""
    assert np.nextafter(1.0, 2.0) == 1 + 2 * UNIT
    gamma = Fraction(count, 2**53) / (1 - Fraction(count, 2**53))
    assert gamma < Fraction(rounding(count)) < 2 * gamma + Fraction(16, 2**53)


def test_what_rounds_to_1_is_not_1() -> None:
    """A coefficient next to 1 leaves slack, though its float is 1."""
    x = stored(np.ones(1))
    nearly = 1 + Fraction(1, 2**54)
    for _ in range(100):
        x = combined([(nearly, x)], [])
    assert stands_for(x, [], [nearly**100])


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_a_matrix_product_stays_within_its_slack(data: st.DataObject) -> None:
    """The same for a known matrix, itself within a slack."""
    draw = data.draw
    low, high = draw(boxes())
    at = within(draw, low, high)
    known, x = draw(affines(4)), draw(affines(2))
    known = Affine({}, known.const, known.slack)
    result = mapped(Product("ab", "b", "a", (2, 2), (2,)), known, x, [np.maximum(-low, high)])
    m, v = meant(draw, known, at), meant(draw, x, at)
    assert stands_for(result, at, [m[0] * v[0] + m[1] * v[1], m[2] * v[0] + m[3] * v[1]])


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_bounds_of_entries_enclose_them(data: st.DataObject) -> None:
    """Whatever they stand for within their slack is within the bounds."""
    draw = data.draw
    low, high = draw(boxes())
    x = draw(affines())
    least, most = enclosed(x, [low], [high])
    for value, a, b in zip(meant(draw, x, within(draw, low, high)), least, most, strict=True):
        assert Fraction(float(a)) <= value <= Fraction(float(b))


@settings(deadline=None, max_examples=100)
@given(values=st.lists(EXACT, min_size=1, max_size=4))
def test_a_constant_stays_within_its_slack(values: list[Fraction]) -> None:
    """A number that is no float is within the slack of the nearest one."""
    assert stands_for(constant(values), [], values)


@pytest.mark.parametrize("end", [*HARD, Fraction(1, 10**400), Fraction(-2, 3), Fraction(7)])
def test_the_box_is_rounded_outward(end: Fraction) -> None:
    """The floats at its ends are never inside it, and next to them where they are no floats."""
    low, high = outward(end, -1), outward(end, 1)
    assert Fraction(low) <= end <= Fraction(high)
    assert high <= np.nextafter(low, np.inf)


@pytest.mark.parametrize("value", [Fraction(10) ** 400, -(Fraction(10) ** 130)])
def test_what_is_near_overflow_is_refused(value: Fraction) -> None:
    """As a constant, and as a coefficient."""
    with pytest.raises(Beyond):
        constant([value])
    with pytest.raises(Beyond):
        combined([(value, stored(np.ones(1)))], [])


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_shared_unit_stays_within_its_slack(data: st.DataObject) -> None:
    """Two pre-activations of equal floats get one unit; each is what it stands for within its slack,
    of whichever call the unit is, and of whichever row of one call."""
    draw = data.draw
    low, high = draw(boxes())
    grown = Growing([low], [high])
    x = draw(affines())
    twins = picked([x], np.array([0, 1, 0]))
    first = Affine(twins.maps, twins.const, np.array(draw(st.tuples(*[SLACKS] * 3))))
    second = Affine(x.maps, x.const, np.array(draw(st.tuples(*[SLACKS] * 2))))
    try:
        results = [grown.applied("relu", first), grown.applied("relu", second)]
    except Beyond:
        return
    layer, *shifts = grown.layers
    if shifts:
        return
    at = within(draw, low, high)
    wanted = [meant(draw, part, at) for part in (first, second)]
    chosen = dict[int, Fraction]()
    for place, entry in enumerate(owners(first)):
        chosen[place] = max(wanted[0][entry], Fraction(0))
    for result, exact in zip(results, wanted, strict=True):
        units = [chosen[place] for place in range(layer.units)]
        assert stands_for(result, units, [max(value, Fraction(0)) for value in exact])


def test_a_relu_near_another_is_that_and_how_far_it_moves() -> None:
    """Their difference is bounded by that of their arguments, not by the lines of either; of equal rows
    in later calls, and of near ones in one call, there is one unit."""
    grown = Growing([-np.ones(2)], [np.ones(2)])
    rows = np.array([[1.0, 1.0], [1.125, 1.0]])
    zeros = np.zeros(1)
    first, second = (Affine({0: row[None]}, zeros, zeros) for row in rows)
    one, two = grown.applied("relu", first), grown.applied("relu", second)
    assert [layer.kind for layer in grown.layers] == ["relu", "shift"]
    apart = combined([(Fraction(1), two), (Fraction(-1), one)], grown.reach)
    low, high = grown.bounds(apart)
    assert -0.126 < low[0] <= -0.125
    assert 0.125 <= high[0] < 0.126
    both = grown.applied("relu", Affine({0: rows}, np.zeros(2), np.zeros(2)))
    assert [rows.tolist() for rows in both.maps.values()] == [[[1], [1]], [[0], [1]]]
    other = Growing([-np.ones(2)], [np.ones(2)])
    other.applied("relu", Affine({0: rows}, np.zeros(2), np.zeros(2)))
    assert [layer.kind for layer in other.layers] == ["relu", "shift"]


def test_a_relu_far_from_others_is_its_own() -> None:
    """Where arguments differ by more than a chord's gap, nothing is gained."""
    grown = Growing([-np.ones(2)], [np.ones(2)])
    rows = np.array([[1.0, 1.0], [1.0, -1.0], [0.5, 0.25]])
    grown.applied("relu", Affine({0: rows}, np.zeros(3), np.zeros(3)))
    assert [(layer.kind, layer.units) for layer in grown.layers] == [("relu", 3)]


def owners(x: Affine) -> list[int]:
    """Of equal rows the last, in order: that whose slack the unit has."""
    rows = [
        tuple(np.concatenate([m[k] for m in x.maps.values()] + [x.const[[k]]]) + 0.0)
        for k in range(x.entries)
    ]
    return sorted({row: k for k, row in enumerate(rows)}.values())


def test_no_coefficient_is_near_overflow() -> None:
    """Those on a unit that is 0 on the whole box add nothing to sizes, and are refused all the same."""
    steep = Affine({0: np.array([[1e300]])}, np.zeros(1), np.zeros(1))
    with pytest.raises(Beyond):
        combined([(Fraction(10) ** 5, steep)], [np.zeros(1)])
    with pytest.raises(Beyond):
        mapped(Product("a", "a", "a", (1,), (1,)), stored(np.ones(1)), steep, [np.zeros(1)])


def test_what_underflows_is_not_0() -> None:
    """A term whose size is beneath the floats leaves room in bounds, and slack in products."""
    x = Affine({0: np.array([[1e-200]])}, np.zeros(1), np.zeros(1))
    end = np.array([1e-200])
    low, high = enclosed(x, [-end], [end])
    assert low[0] < 0 < high[0]
    result = mapped(Product("a", "a", "a", (1,), (1,)), stored(end), x, [end])
    assert stands_for(result, [Fraction(1e-200)], [Fraction(1e-200) ** 3])


def test_slacks_of_many_terms_add_up() -> None:
    """Also those that are too small beside the first to be added to it."""
    slacks = [1.0, *[0.9 * 2.0**-53] * 100]
    terms = [Affine({}, np.zeros(1), np.array([slack])) for slack in slacks]
    total = combined([(Fraction(1), term) for term in terms], []).slack[0]
    assert Fraction(float(total)) >= sum(map(Fraction, slacks))


def test_a_sum_is_exact_where_no_two_terms_meet() -> None:
    """x + 2^-60 x and 1 + 2^-60 are charged for what floats drop of them; x - 1 has nothing to drop."""
    x, small = units(0, np.array([0]), 1), 2.0**-60
    tiny = Affine({0: np.array([[small]])}, np.zeros(1), np.zeros(1))
    reach = [np.array([1.0])]
    one = stored(np.ones(1))
    for terms in ([x, tiny], [one, stored(np.full(1, small))]):
        assert combined([(Fraction(1), term) for term in terms], reach).slack[0] >= small
    assert combined([(Fraction(1), x), (Fraction(-1), one)], reach).slack[0] == 0
