"""Interval arithmetic: each operation holds every pointwise value, and is as tight as it can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.ir import Comparison, Shape, SmoothName
from circ.compiler.obligation import Box
from circ.compiler.readings.choices import (
    EITHER,
    FALSE,
    TRUE,
    Choices,
    coincide,
    compared,
    conjunction,
    disjunction,
    leaders,
    merged,
    negated,
)
from circ.compiler.readings.choices import picked as picked_choices
from circ.compiler.readings.intervals import (
    Reals,
    combined,
    comparison,
    exactly,
    hull,
    maximum,
    picked,
    positive_part,
    rationals,
    rearranged,
    rounded,
    within,
)
from circ.compiler.readings.products import contracted, squared
from circ.compiler.readings.smooth import smooth, softmax
from tests.agreement.circuits import boxes

BITS = 200
Corner = tuple[Fraction, ...]


def corners(box: Box) -> list[Corner]:
    """Every vector of bounds."""
    return list(product(*(sorted({*pair}) for pair in box)))


def tight(values: Sequence[Corner]) -> Box:
    """The least box that holds these vectors."""
    return tuple((min(column), max(column)) for column in zip(*values, strict=True))


def interval(box: Box, shape: Shape | None = None) -> Reals:
    """The tensors in a box, a vector unless a shape is given."""
    return within((len(box),) if shape is None else shape, box)


# --- operations whose extremes lie at corners -----------------------------------------------


@given(boxes(2), boxes(2))
def test_products_are_tight(x: Box, y: Box) -> None:
    """Whatever the signs, the bounds of an entrywise product are its extremes over the corners."""
    values = [
        tuple(a * b for a, b in zip(p, q, strict=True)) for p in corners(x) for q in corners(y)
    ]
    assert contracted("a,a->a", interval(x), interval(y), BITS).box == tight(values)


@given(boxes(2), boxes(2))
def test_dot_products_are_tight(x: Box, y: Box) -> None:
    """A dot product of independent vectors, either of them known or not, meets its bounds."""
    values = [
        (sum((a * b for a, b in zip(p, q, strict=True)), Fraction(0)),)
        for p in corners(x)
        for q in corners(y)
    ]
    assert contracted("a,a->", interval(x), interval(y), BITS).box == tight(values)


@given(boxes(3))
def test_squares_are_tight(x: Box) -> None:
    """A sum of squares is least where each entry is nearest 0."""
    least = sum((min(a * a, b * b) for a, b in x if a > 0 or b < 0), Fraction(0))
    most = sum((max(a * a, b * b) for a, b in x), Fraction(0))
    assert squared("a,a->", interval(x), BITS).box == ((least, most),)


@given(boxes(2), boxes(2), st.fractions(-3, 3), st.fractions(-3, 3))
def test_linear_combinations_are_tight(x: Box, y: Box, a: Fraction, b: Fraction) -> None:
    """Each bound takes an operand at the end that the coefficient's sign asks for."""
    values = [
        tuple(a * u + b * v for u, v in zip(p, q, strict=True))
        for p in corners(x)
        for q in corners(y)
    ]
    found = combined([(a, interval(x)), (b, interval(y))], 5000).box
    assert found == tight(values)


@given(boxes(3))
def test_relu_and_max_are_tight(x: Box) -> None:
    """Both rise with every entry."""
    relus = [tuple(max(entry, Fraction(0)) for entry in corner) for corner in corners(x)]
    assert positive_part(interval(x)).box == tight(relus)
    assert maximum(interval(x)).box == tight([(max(corner),) for corner in corners(x)])


@given(boxes(2))
def test_a_row_at_a_time(x: Box) -> None:
    """Ops along the last axis treat each row by itself."""
    both = interval(x, (2, 1))
    assert maximum(both).box == x and maximum(both).shape == (2,)
    assert leaders(both, None) == Choices((2,), (frozenset({0}),) * 2)


COMPARE: dict[Comparison, Callable[[Fraction, Fraction], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
}


@given(boxes(1), boxes(1), st.sampled_from(sorted(COMPARE)))
def test_comparisons_are_decided_when_they_are(x: Box, y: Box, op: Comparison) -> None:
    """A comparison is open just when some points of the boxes satisfy it and some do not."""
    (low, high), (least, most) = x[0], y[0]
    inner = [*x[0], *(entry for entry in y[0] if low <= entry <= high)]
    outer = [*y[0], *(entry for entry in x[0] if least <= entry <= most)]
    truths = {COMPARE[op](a, b) for a in inner for b in outer}
    found = compared(*comparison(op, interval(x), interval(y)), (1,))
    assert found == Choices((1,), (frozenset(truths),))


@given(boxes(3))
def test_argmax_has_all_candidates_and_no_more(x: Box) -> None:
    """An index is possible just when its score, at its best, reaches the others at their worst."""
    (found,) = leaders(interval(x), None).sets
    for k in range(3):
        others = [low for i, (low, _) in enumerate(x) if i != k]
        assert (k in found) == (x[k][1] >= max(others))


# --- rounding -------------------------------------------------------------------------------


@given(st.fractions(), st.fractions(0, 1), st.integers(1, 64))
def test_rounding_goes_outward(low: Fraction, width: Fraction, bits: int) -> None:
    """Rounded bounds hold the old ones, are off by less than 2^-bits, and are multiples of it."""
    exact = interval(((low, low + width),))
    found = rounded((1,), exact.lo, exact.hi, exact.den, bits)
    ((least, most),) = found.box
    if width == 0:
        assert found.exact and least == most == low
    else:
        unit = Fraction(1, 2**bits)
        assert low - unit < least <= low and low + width <= most < low + width + unit
        assert found.den <= 2**bits


@given(st.integers(-(2**70), 2**70), st.integers(1, 2**70), st.integers(66, 90))
def test_dyadic_rounding_goes_outward(num: int, width: int, places: int) -> None:
    """The same over a power of two, where rounding is a shift."""
    found = rounded((1,), [num], [num + width], 1 << places, 64)
    ((low, high),), unit = found.box, Fraction(1, 2**64)
    assert 0 <= Fraction(num, 2**places) - low < unit
    assert 0 <= high - Fraction(num + width, 2**places) < unit


@given(st.lists(st.fractions(), max_size=4))
def test_known_entries_stay_as_they_are(entries: list[Fraction]) -> None:
    """Fractions go in and come out, over their least common denominator after reduction."""
    value = rationals((len(entries),), entries)
    assert value.exact and value.box == tuple((entry, entry) for entry in entries)
    doubled = exactly(value.shape, [6 * num for num in value.lo], 6 * value.den)
    assert doubled.box == value.box and doubled.den == value.den


# --- structure ------------------------------------------------------------------------------


@given(boxes(2), boxes(3), st.lists(st.integers(0, 4), max_size=6))
def test_rearranging_keeps_bounds(x: Box, y: Box, source: list[int]) -> None:
    """Entries of different denominators are laid end to end and taken as asked."""
    thirds = combined([(Fraction(1, 3), interval(y))], 5000)
    found = rearranged([interval(x), thirds], source, (len(source),))
    laid = [*x, *((low / 3, high / 3) for low, high in y)]
    assert found.box == tuple(laid[k] for k in source)


@given(boxes(3), boxes(3))
def test_hulls_hold_both(x: Box, y: Box) -> None:
    """The hull of two boxes is the least box about them."""
    found = hull([interval(x), combined([(Fraction(1, 3), interval(y))], 5000)]).box
    scaled = [(low / 3, high / 3) for low, high in y]
    assert found == tuple((min(a, c), max(b, d)) for (a, b), (c, d) in zip(x, scaled, strict=True))


@given(boxes(4), st.lists(st.sets(st.sampled_from([0, 2]), min_size=1), min_size=1, max_size=3))
def test_open_runs_take_the_hull(x: Box, starts: list[set[int]]) -> None:
    """Where a run may start at either of two places, each entry may be either's."""
    found = picked(interval(x), [sorted(entry) for entry in starts], 2, (len(starts), 2))
    runs = [[x[k + step] for k in entry] for entry in starts for step in (0, 1)]
    assert found.box == tuple((min(a for a, _ in r), max(b for _, b in r)) for r in runs)
    table = Choices((4,), tuple(frozenset({k}) for k in range(4)))
    sets = picked_choices(table, [sorted(entry) for entry in starts], 2, (len(starts), 2)).sets
    assert sets == tuple(frozenset(k + s for k in entry) for entry in starts for s in (0, 1))


@pytest.mark.parametrize(
    "spec", ["ab,bc->ac", "ab,cb->ca", "abc,b->ac", "ab,ab->ba", "a,b->ba", ",->"]
)
def test_einsum(spec: str) -> None:
    """Each entry is the sum over the letters that the output lacks, however axes are ordered."""
    sizes = {"a": 2, "b": 3, "c": 4}
    (left, right), output = spec.split("->")[0].split(","), spec.split("->")[1]

    def tensor(letters: str, step: int) -> tuple[Reals, dict[tuple[int, ...], int]]:
        shape = tuple(sizes[c] for c in letters)
        places = list(product(*map(range, shape)))
        entries = {place: step * k * k - 7 * k + 1 for k, place in enumerate(places)}
        return rationals(shape, entries.values()), entries

    (x, first), (y, second) = tensor(left, 3), tensor(right, 5)
    letters = sorted({*left, *right})
    sums = dict.fromkeys(product(*(range(sizes[c]) for c in output)), 0)
    for values in product(*(range(sizes[c]) for c in letters)):
        at = dict(zip(letters, values, strict=True))
        term = first[tuple(at[c] for c in left)] * second[tuple(at[c] for c in right)]
        sums[tuple(at[c] for c in output)] += term
    found = contracted(spec, x, y, BITS)
    assert found.exact and [low for low, _ in found.box] == list(sums.values())
    assert found.shape == tuple(sizes[c] for c in output)


def test_einsum_of_no_entries() -> None:
    """A contraction over an axis without entries is 0; an output without entries is empty."""
    x, y = rationals((2, 0), []), rationals((0,), [])
    assert contracted("ab,b->a", x, y, BITS).lo == [0, 0]
    z = rationals((2,), [1, 1])
    assert contracted("ab,a->ab", x, z, BITS).box == ()
    assert contracted("b,ab->ba", y, x, BITS).shape == (0, 2)


# --- smooth functions -----------------------------------------------------------------------


@given(boxes(1))
def test_smooth_functions_reach_their_bounds(x: Box) -> None:
    """e^x rises, √x rises, 1/x falls: the bounds are the values at the ends, to 2^-190."""
    (low, high), shift = x[0], Fraction(9, 4)  # so that roots and reciprocals are defined
    near = Fraction(1, 2**190)
    rising: list[tuple[SmoothName, Box]] = [("exp", x), ("sqrt", ((low + 2, high + 2),))]
    for function, box in rising:
        ends = [smooth(function, interval(((end, end),)), BITS).box[0] for end in box[0]]
        ((least, most),) = smooth(function, interval(box), BITS).box
        assert ends[0][0] - near <= least <= ends[0][1]
        assert ends[1][0] <= most <= ends[1][1] + near
    ((least, most),) = smooth("recip", interval(((low + shift, high + shift),)), BITS).box
    assert abs(least - 1 / (high + shift)) <= near and abs(most - 1 / (low + shift)) <= near
    assert least <= 1 / (high + shift) and 1 / (low + shift) <= most
    ((least, most),) = smooth("recip", interval(((-high - shift, -low - shift),)), BITS).box
    assert least <= -1 / (low + shift) and -1 / (high + shift) <= most


@given(boxes(3))
def test_softmax_reaches_its_bounds(x: Box) -> None:
    """A share is least with its own score at its least and the others at their most, and then the
    bound is the share itself, to 2^-190; and every corner lies within."""
    near = Fraction(1, 2**190)
    found = softmax(interval(x), BITS).box
    for corner in corners(x):
        shares = softmax(rationals((3,), corner), BITS).box
        for (low, high), (least, most) in zip(found, shares, strict=True):
            assert low <= most and least <= high
    for k, (low, high) in enumerate(found):
        worst = [pair[0] if i == k else pair[1] for i, pair in enumerate(x)]
        best = [pair[1] if i == k else pair[0] for i, pair in enumerate(x)]
        assert abs(low - softmax(rationals((3,), worst), BITS).box[k][0]) <= near
        assert abs(high - softmax(rationals((3,), best), BITS).box[k][1]) <= near


# --- truths ---------------------------------------------------------------------------------

SETS = st.sampled_from([TRUE, FALSE, EITHER])


@given(st.lists(SETS, max_size=4))
def test_connectives_try_every_case(sets: list[frozenset[int]]) -> None:
    """`All`, `Any` and `Not` allow just what some assignment of the open flags gives."""
    flags = Choices((len(sets),), tuple(sets))
    cases = list(product(*sets))
    assert conjunction(flags).sets == (frozenset(all(case) for case in cases),)
    assert disjunction(flags).sets == (frozenset(any(case) for case in cases),)
    assert negated(flags).sets == tuple(frozenset(not x for x in entry) for entry in sets)


@given(st.frozensets(st.integers(0, 3), min_size=1), st.frozensets(st.integers(0, 3), min_size=1))
def test_equality_of_codes(a: frozenset[int], b: frozenset[int]) -> None:
    """Two open indices are equal in some case, in none or in all."""
    x, y = Choices((1,), (a,)), Choices((1,), (b,))
    assert coincide(x, y).sets == (frozenset(p == q for p in a for q in b),)
    assert merged([x, y]).sets == (a | b,)
