"""By how much an entry moves with the entries of tensors: held against differences that the exact reference finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, codes, combine, reindex, truth
from circ.compiler.ir import (
    Circuit,
    Contract,
    Input,
    Lookup,
    Real,
    Relu,
    Select,
    Shape,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.readings.gradients import NotAffine, affine, way_back
from circ.compiler.readings.intervals import within
from circ.compiler.readings.reference import Value, at_point, intervals
from circ.compiler.readings.slopes import BITS, LONGEST, Row, Slope, Total

Point = Mapping[str, Sequence[Fraction]]


def slopes_of(
    circuit: Circuit, y: Wire, entry: int, inputs: Mapping[str, Value], factor: int = 1
) -> dict[int, Slope]:
    """By the place of each entry of `m/w`, `factor` times what an entry of `y` moves by, over 2^BITS."""
    way = way_back(circuit, y, ["m/w"])
    fixed = Circuit(circuit.ops, circuit.types, {f"{w}": w for w in way.still})
    found = intervals(fixed, inputs, {})
    total = Total()
    total.add(affine(way, entry, found).slopes["m/w"], factor)
    return dict(total.slopes())


def third(factor: Fraction) -> Circuit:
    """`factor * (w[1] + x * w[0])` for a tensor w of two entries and an input x, behind a table, a choice and a rearrangement."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), ())))
    w = b.add(Weight("m/w", (2,)))
    swapped = b.add(Lookup(w, (codes(b, (1, 0), 2, (2,)),)))
    first, last = (reindex(b, [swapped], (k,), ()) for k in (0, 1))
    second = b.add(Select(truth(b, True), last, first))
    product = b.add(Contract(",->", x, second))
    return b.circuit({"y": combine(b, (factor, first), (factor, product))})


@given(st.fractions(-5, 5), st.fractions(-5, 5))
def test_slopes_are_enclosed(factor: Fraction, x: Fraction) -> None:
    """Both are rational numbers that no denominator of 2 holds: the exact slope lies between its bounds, which are close."""
    circuit = third(factor)
    slopes = slopes_of(circuit, circuit.outputs["y"], 0, at_point(circuit, {"x": [x]}))
    for place, exact in ((1, factor), (0, factor * x)):
        low, high = slopes.get(place, (0, 0))
        assert low <= exact * 2**BITS <= high
        assert high - low <= 64


def test_what_is_not_affine_has_no_slopes() -> None:
    """A unit that is cut off has a slope that no single number is."""
    b = Builder()
    y = b.add(Relu(b.add(Weight("m/w", ()))))
    with pytest.raises(NotAffine):
        affine(way_back(b.circuit({"y": y}), y, ["m/w"]), 0, {})


# --- products -------------------------------------------------------------------------------

SPECS = [
    ("ab,b->a", (2, 3), (3,)),
    ("b,ab->a", (3,), (2, 3)),
    ("ab,bc->ca", (2, 3), (3, 2)),
    ("abc,cb->a", (2, 2, 3), (3, 2)),
    ("ab,ab->a", (2, 3), (2, 3)),
    ("ab,ab->", (2, 3), (2, 3)),
    ("a,bc->bac", (2,), (2, 3)),
]
"""Matrices on either side, batches, a number, and what has nothing in common."""


def of_product(spec: str, left: Shape, right: Shape, *, moves_left: bool) -> Circuit:
    """An einsum of a tensor and an input."""
    b = Builder()
    w = b.add(Weight("m/w", left if moves_left else right))
    x = b.add(Input("x", WireType(Real(), right if moves_left else left)))
    return b.circuit({"y": b.add(Contract(spec, *((w, x) if moves_left else (x, w))))})


def einsum(
    spec: str, left: Mapping[tuple[int, ...], Fraction], right: Mapping[tuple[int, ...], Fraction]
) -> dict[tuple[int, ...], Fraction]:
    """The sum of products over all places of the letters, by its definition."""
    sides, result = spec.split("->")
    one, other = sides.split(",")
    found: dict[tuple[int, ...], Fraction] = {}
    for p, q in product(left, right):
        place = dict(zip(one, p, strict=True))
        if all(place.setdefault(letter, k) == k for letter, k in zip(other, q, strict=True)):
            at = tuple(place[letter] for letter in result)
            found[at] = found.get(at, Fraction(0)) + left[p] * right[q]
    return found


def placed(shape: Shape, entries: Sequence[Fraction]) -> dict[tuple[int, ...], Fraction]:
    """The entries of a tensor by their places."""
    return dict(zip(product(*map(range, shape)), entries, strict=True))


def units(count: int) -> Iterator[list[Fraction]]:
    """Tensors of one 1 and zeros."""
    for k in range(count):
        yield [Fraction(int(k == j)) for j in range(count)]


@pytest.mark.parametrize("moves_left", [True, False])
@pytest.mark.parametrize(("spec", "left", "right"), SPECS)
@settings(max_examples=8)
@given(data=st.data())
def test_slopes_of_a_product_are_its_values_at_units(
    spec: str, left: Shape, right: Shape, moves_left: bool, data: st.DataObject
) -> None:
    """With a 1 in one place of the moving side the product is what it moves by, for numbers of no power of 2 below them.

    So it is for each factor.
    """
    circuit = of_product(spec, left, right, moves_left=moves_left)
    moving, fixed = (left, right) if moves_left else (right, left)
    thirds = st.integers(-4, 4).map(lambda k: Fraction(k, 3))
    values = data.draw(st.lists(thirds, min_size=prod(fixed), max_size=prod(fixed)))
    factor = data.draw(st.integers(1, 2**40))
    y = circuit.outputs["y"]
    count = circuit.types[y].entries
    point = at_point(circuit, {"x": values})
    found = [slopes_of(circuit, y, entry, point, factor) for entry in range(count)]
    for k, unit in enumerate(units(prod(moving))):
        sides = placed(moving, unit), placed(fixed, values)
        exact = einsum(spec, *(sides if moves_left else sides[::-1]))
        for entry, (_, value) in enumerate(sorted(exact.items())):
            low, high = found[entry].get(k, (0, 0))
            assert low <= factor * value * 2**BITS <= high <= low + 1


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.fractions(-2, 2), st.fractions(0, 1)), min_size=3, max_size=3), st.data()
)
def test_slopes_by_what_is_enclosed_hold_all_that_it_may_be(
    box: list[tuple[Fraction, Fraction]], data: st.DataObject
) -> None:
    """Of a wire that lies in a box, the slope at each point of it lies between the bounds; by way of two operands, too."""
    b = Builder()
    x, z = (b.add(Input(name, WireType(Real(), (3,)))) for name in "xz")
    w = b.add(Weight("m/w", (3,)))
    scaled = combine(b, (Fraction(-1, 3), w))
    both = b.add(Contract("a,a->", z, b.add(Contract("a,a->a", scaled, x))))
    y = combine(b, (Fraction(1), both), (Fraction(2), b.add(Contract("a,a->", w, z))))
    circuit = b.circuit({"y": y})
    ends = [(low, low + width) for low, width in box]
    shares = [data.draw(st.fractions(0, 1)) for _ in range(6)]
    inputs = {"x": within((3,), tuple(ends)), "z": within((3,), tuple(ends[::-1]))}
    found = slopes_of(circuit, y, 0, inputs, 3)
    for k in range(3):
        (a, c), (d, e) = ends[k], ends[::-1][k]
        second = d + shares[k + 3] * (e - d)
        exact = 2 * second - (a + shares[k] * (c - a)) * second / 3
        low, high = found.get(k, (0, 0))
        assert low <= 3 * exact * 2**BITS <= high


def test_long_denominators_are_rounded_outward() -> None:
    """Behind 400 products by 1/3 or 2/3 the slope is enclosed, closely, by numbers that did not grow."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), ())))
    y = b.add(Weight("m/w", ()))
    for _ in range(400):
        y = b.add(Contract(",->", x, y))
    circuit = b.circuit({"y": y})
    for value in (Fraction(1, 3), Fraction(-2, 3), Fraction(4, 3)):
        ((low, high),) = slopes_of(circuit, y, 0, at_point(circuit, {"x": [value]})).values()
        exact = value**400 * 2**BITS
        assert low <= exact <= high
        assert low < exact < high
        assert high - low <= 2 + abs(value) ** 400 * 2**10


def test_totals_keep_what_rows_leave_open() -> None:
    """Of exact rows the sum is exact, where 2^BITS holds it; of others as wide as they are together."""
    total = Total()
    one = {0: 3, 1: -1}
    total.add(Row(one, one, 4), 2)
    assert dict(total.slopes()) == {
        0: (3 << BITS - 1, 3 << BITS - 1),
        1: (-1 << BITS - 1, -1 << BITS - 1),
    }
    total.add(Row({0: 1}, {0: 2}, 1), 5)
    total.add(Row(one, one, 1 << LONGEST), 1)
    low, high = dict(total.slopes())[0]
    assert low == (3 << BITS - 1) + (5 << BITS)
    assert high == (3 << BITS - 1) + (10 << BITS) + 1
