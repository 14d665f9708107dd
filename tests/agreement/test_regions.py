"""Linear regions are held to the exact reference: every point of the domain is in one, and its map is right."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, combine, matmul, reals, truth
from circ.compiler.finding import silent
from circ.compiler.ir import Input, Real, Relu, WireType
from circ.compiler.obligation import Bound, Obligation, Reals
from circ.compiler.regions.cells import TooMany
from circ.compiler.regions.listed import Region, highest, regions
from tests.agreement.box_claims import points
from tests.agreement.box_numbers import Point, box_numbers, inside, value
from tests.unit import specs
from tests.unit.obligations import NOWHERE

MOST = 200


def listed(question: Obligation) -> tuple[Region, ...] | None:
    """All regions, unless there are too many."""
    try:
        return regions(question, {}, MOST, silent)
    except TooMany:
        return None


def tried(question: Obligation, found: tuple[Region, ...], drawn: list[Point]) -> list[Point]:
    """Points drawn, the middles of regions, and what lies halfway between two of them or on their cuts."""
    middles = [region.middle for region in found[:6]]
    between = [
        tuple((a + b) / 2 for a, b in zip(p, q, strict=True)) for p, q in product(middles, repeat=2)
    ]
    return [*drawn, *between, *(p for region in found for p in on_cuts(region))]


def on_cuts(region: Region) -> list[Point]:
    """The points of a region's cuts that lie straight up from its middle."""
    at = list[Point]()
    for cut in region.cuts[:3]:
        height = sum((a * x for a, x in zip(cut.row, region.middle, strict=False)), cut.row[-1])
        if cut.row[1]:
            at.append((region.middle[0], region.middle[1] - Fraction(height) / cut.row[1]))
    return at


def in_box(question: Obligation, point: Point) -> bool:
    """Whether a point is in the box."""
    (binder,) = question.binders
    assert isinstance(binder.values, Reals)
    return all(low <= x <= high for (low, high), x in zip(binder.values.box, point, strict=True))


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_point_of_the_domain_is_in_one_region(data: st.DataObject) -> None:
    """No point has none or two, boundaries of guards and kinks included; what is outside the domain has
    none. And the region's affine map gives its exact value.
    """
    question = data.draw(box_numbers(tensor=True))
    found = listed(question)
    if found is None:
        return
    (binder,) = question.binders
    assert isinstance(binder.values, Reals)
    drawn = data.draw(st.lists(points(binder.values.box), min_size=6, max_size=6))
    for point in tried(question, found, drawn):
        if in_box(question, point):
            there = [region for region in found if region.holds(point)]
            assert len(there) == inside(question, point)
            assert all(region.at(point) == value(question, point) for region in there)


@settings(deadline=None, max_examples=40)
@given(question=box_numbers(tensor=True))
def test_the_middle_is_inside_by_its_radius(question: Obligation) -> None:
    """The cube of that radius around the middle lies in the region, whose boundary only its corners may touch;
    a region that is not flat has a radius, and every region has its middle."""
    for region in listed(question) or ():
        assert region.holds(region.middle)
        assert in_box(question, region.middle)
        if region.flat:
            continue
        ends = question.binders[0].values
        assert isinstance(ends, Reals)
        free = sum(low < high for low, high in ends.box)
        assert (region.radius > 0) == (free > 0)
        near = region.radius * Fraction(999, 1000)
        for signs in product((-1, 1), repeat=2):
            corner = tuple(
                x + near * side * (low < high)
                for x, side, (low, high) in zip(region.middle, signs, ends.box, strict=True)
            )
            assert in_box(question, corner)
            assert region.holds(corner)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_the_highest_point_of_a_cell_is_no_lower(data: st.DataObject) -> None:
    """From any point of the domain the cell's best vertex leads to no smaller limit of values."""
    question = data.draw(box_numbers())
    (binder,) = question.binders
    assert isinstance(binder.values, Reals)
    start = data.draw(points(binder.values.box))
    found = highest(question, {}, start) if inside(question, start) else None
    if found is None:
        return
    assert in_box(question, found)
    for region in listed(question) or ():
        assert not region.holds(start) or region.at(found) >= region.at(start)


def test_a_cap_is_kept() -> None:
    """More regions than were asked for are none."""
    question = crossed(4)
    assert len(regions(question, {}, 100, silent)) == 11
    with pytest.raises(TooMany):
        regions(question, {}, 10, silent)


def crossed(lines: int) -> Obligation:
    """A sum of ReLUs on lines in general position: 1 + n + n (n - 1) / 2 regions, all inside the box."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    rows = [Fraction(v) for k in range(lines) for v in (1, k - 1)]
    offsets = tuple(Fraction(k * k, 10) for k in range(lines))
    before = combine(
        b, (1, matmul(b, reals(b, rows, (lines, 2)), x)), (-1, reals(b, offsets, (lines,)))
    )
    ones = reals(b, (Fraction(1),) * lines, (lines,))
    goal = matmul(b, b.add(Relu(before)), ones)
    binder = Bound("x", b.types[x], Reals(((Fraction(-9), Fraction(9)),) * 2))
    outputs = {"goal": goal, "where": truth(b, True)}
    return Obligation("crossed", "forall", b.circuit(outputs), (binder,), NOWHERE)


NETWORK = """
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[2] = m.W @ relu(m.W @ x + m.b)
circuit rule(x: real[2]) -> real[2] = cases {
  f(x)[0] > 0.5 => f(x) / 3
  x[0] == x[1]  => [7, -7]
  else          => [max(f(x)), 0.1]
}
domain Box = { x: real[2] | -1 <= x <= 1 }
"""
WEIGHTS: Mapping[str, specs.Rows] = {"W": [[1.0, 2.0], [-1.0, 0.3]], "b": [0.25, -0.1]}


@pytest.mark.parametrize(
    "question", ["f on Box", "rule on Box", "f(y)[0] over y in { y in Box | y[0] <= 0.3 }"]
)
def test_the_regions_as_a_spec_are_proved_to_be_the_circuit(tmp_path: Path, question: str) -> None:
    """`circ regions -o` writes a spec of guarded affine maps, and `circ prove` proves that it says the same,
    to the last digit of a network's floats, and where guards hold with equality."""
    spec = specs.write_spec(tmp_path, NETWORK, WEIGHTS)
    pieces = tmp_path / "pieces.circ"

    assert specs.command("regions", spec, question, "-o", pieces) == 0
    assert specs.command("prove", pieces) == 0
