"""Hidden units are held to the exact reference: a layer is the rule it was compiled from, wherever its guards are clear."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, combine, matmul, number, reals
from circ.compiler.ir import Circuit, Compare, Input, Not, Real, Relu, Select, Wire, WireType
from circ.compiler.obligation import Box, Reals
from circ.compiler.readings.intervals import Reals as Enclosed
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.units.clamping import clamping
from circ.compiler.units.hidden import HiddenUnits, NotOneLayer, Vector
from circ.compiler.units.layer import compiled
from tests.agreement.box_claims import HALVES, NUMBERS, points
from tests.agreement.box_numbers import box_numbers

MARGIN = Fraction(1, 4)


def with_slacks(circuit: Circuit) -> Circuit:
    """A circuit whose outputs are its goal and the slack of each comparison."""
    b = Builder(list(circuit.ops), list(circuit.types))
    outputs = {"goal": circuit.outputs["goal"]}
    for place, op in enumerate(circuit.ops):
        if isinstance(op, Compare):
            outputs[f"slack {place}"] = combine(b, (1, op.right), (-1, op.left))
    return b.circuit(outputs)


def values(circuit: Circuit, point: Vector) -> dict[str, Vector]:
    """All outputs at a point, exactly."""
    found = dict[str, Vector]()
    for name, value in enclose(circuit, at_point(circuit, {"x": point}), {}).items():
        assert isinstance(value, Enclosed)
        assert value.exact
        found[name] = tuple(low for low, _ in value.box)
    return found


def layer(circuit: Circuit, box: Box, margin: Fraction | None) -> HiddenUnits | None:
    """The rule as units, if one layer can be it."""
    try:
        return compiled(circuit, {}, box, margin)
    except NotOneLayer:
        return None


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_a_layer_is_its_rule_clear_of_every_guard(data: st.DataObject) -> None:
    """On the whole box, kinks and corners included; within a band nothing is said."""
    question = data.draw(box_numbers(tensor=True))
    (binder,) = question.binders
    assert isinstance(binder.values, Reals)
    found = layer(question.circuit, binder.values.box, MARGIN)
    if found is None:
        return
    told = with_slacks(question.circuit)
    for point in data.draw(st.lists(points(binder.values.box), min_size=6, max_size=6)):
        there = values(told, point)
        slacks = [x for name, value in there.items() if name != "goal" for x in value]
        if all(abs(slack) >= MARGIN for slack in slacks):
            assert found.at(point) == there["goal"]


@st.composite
def corrections(draw: st.DrawFn) -> tuple[Circuit, Box, Fraction]:
    """`cases { w · x + c >= 0 => A x + b, else => 0 }` of two entries, with a box and a margin."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    by = reals(b, draw(st.tuples(HALVES, HALVES)), (2,))
    slack = combine(b, (1, matmul(b, by, x)), (1, number(b, draw(HALVES))))
    matrix = reals(b, draw(st.tuples(*[NUMBERS] * 6)), (3, 2))
    value = combine(
        b, (1, matmul(b, matrix, x)), (1, reals(b, draw(st.tuples(*[HALVES] * 3)), (3,)))
    )
    told = b.add(Compare("<=", number(b, 0), slack))
    if draw(st.booleans()):
        told = b.add(Not(b.add(Compare("<", slack, number(b, 0)))))
    goal = b.add(Select(told, value, reals(b, [Fraction(0)] * 3, (3,))))
    box = ((Fraction(-1), Fraction(1)), (Fraction(-1, 2), Fraction(2)))
    margin = draw(st.sampled_from([Fraction(1, 3), Fraction(1, 20), Fraction(1, 10**6)]))
    return b.circuit({"goal": goal, "slack": slack, "value": value}), box, margin


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_correction_is_all_there_or_not_at_all(data: st.DataObject) -> None:
    """From a slack of the margin on it is the correction, from its negative down it is 0, also at those very slacks;
    within the band each direction lies between 0 and what it will be. Two units a direction are enough.
    """
    circuit, box, margin = data.draw(corrections())
    found = layer(circuit, box, margin)
    assert found is not None
    assert found.width <= 2 * 3
    for point in [
        *data.draw(st.lists(points(box), min_size=4, max_size=4)),
        *at_band(circuit, box, margin),
    ]:
        there = values(circuit, point)
        (slack,), value = there["slack"], there["value"]
        if abs(slack) >= margin:
            assert found.at(point) == there["goal"]
        elif found.width == 2:
            for given, whole in zip(found.at(point), value, strict=True):
                assert min(whole, Fraction(0)) <= given <= max(whole, Fraction(0))


def at_band(circuit: Circuit, box: Box, margin: Fraction) -> list[Vector]:
    """Points on both edges of the band, found along the sides of the box."""
    found = list[Vector]()
    for entry in (0, 1):
        for fixed in box[1 - entry]:
            ends = [((end, fixed) if entry == 0 else (fixed, end)) for end in box[entry]]
            first, last = (values(circuit, end)["slack"][0] for end in ends)
            for wanted in (margin, -margin):
                if min(first, last) <= wanted <= max(first, last) and first != last:
                    part = (wanted - first) / (last - first)
                    found.append(
                        tuple(a + part * (z - a) for a, z in zip(ends[0], ends[1], strict=True))
                    )
    return found


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_bends_along_one_direction_take_one_layer(data: st.DataObject) -> None:
    """Whatever is made with relu and max of one number, however deep, is one layer of it."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (1,))))
    made = [x]
    for _ in range(data.draw(st.integers(1, 5))):
        made.append(bent(data, b, made))
    circuit, box = b.circuit({"goal": made[-1]}), ((Fraction(-2), Fraction(3)),)
    found = compiled(circuit, {}, box, None)
    for point in data.draw(st.lists(points(box), min_size=8, max_size=8)):
        assert found.at(point) == values(circuit, point)["goal"]


def bent(data: st.DataObject, b: Builder, made: list[Wire]) -> Wire:
    """A number made of those before it, by a sum and a relu."""
    first, second = (data.draw(st.sampled_from(made)) for _ in range(2))
    known = reals(b, (data.draw(HALVES),), (1,))
    inner = combine(b, (data.draw(HALVES), first), (1, second), (1, known))
    return combine(b, (1, b.add(Relu(inner))), (data.draw(HALVES), first))


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_a_clamped_direction_is_at_its_nearest_bound(data: st.DataObject) -> None:
    """What the units give is what takes the coefficient to the nearest number between the bounds, corners included; one
    unit a bound that the box oversteps.
    """
    direction = data.draw(st.tuples(NUMBERS, NUMBERS).filter(any))
    low, high = sorted(data.draw(st.tuples(HALVES, HALVES)))
    box = ((Fraction(-1), Fraction(1)), (Fraction(-1, 2), Fraction(2)))
    found, used = clamping(direction, low, high, box), set[bool]()
    corners = [(a, b) for a in box[0] for b in box[1]]
    for point in [*data.draw(st.lists(points(box), min_size=4, max_size=4)), *corners]:
        share = along(direction, point) / along(direction, direction)
        missing = min(max(share, low), high) - share
        assert found.at(point) == tuple(missing * entry for entry in direction)
        used |= {missing > 0} if missing else set()
    assert found.width == len(used)


def along(direction: Sequence[Fraction], point: Sequence[Fraction]) -> Fraction:
    """An inner product."""
    return sum((a * b for a, b in zip(direction, point, strict=True)), Fraction(0))
