"""Bounds of nets on boxes, cuts, weights and splits: no point of a node is ever lost."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.boxes.affine import Affine, combined, units
from circ.compiler.boxes.back import Affines, charges_of, least, taken_back
from circ.compiler.boxes.bounds import Nodes, Tight, contradicted, laid, tighten
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.judge import (
    Asked,
    Halves,
    Sides,
    cut,
    mixed_halves,
    phase_halves,
    smallest,
    summed_up,
    weighed,
)
from circ.compiler.boxes.net import FloatArray, Layer, Net
from circ.compiler.boxes.place import HOST, Place
from circ.compiler.boxes.read import read
from circ.compiler.boxes.round import Question, judged, prepared, root, shrink
from circ.compiler.boxes.split import BELOW, Blame, halved, sided, split
from circ.runtime.device import device
from tests.agreement.box_claims import box_claims
from tests.unit.curves import enclosed
from tests.unit.test_box_affine import NOISES, Draw, arrays

PARTS = st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(3, 64)])
ONE = Fraction(1)
Vector = list[Fraction]


def fractions(values: FloatArray) -> Vector:
    """Floats as the numbers they are."""
    return [Fraction(value) for value in values.tolist()]


def dot(floats: FloatArray, at: Sequence[Fraction]) -> Fraction:
    """The inner product, exactly; terms that are 0 are left out."""
    pairs = zip(floats.tolist(), at, strict=True)
    return sum((Fraction(c) * x for c, x in pairs if c and x), Fraction(0))


# --- a net, exactly ------------------------------------------------------------------------------


def through(draw: Draw, net: Net, point: Vector) -> tuple[list[Vector], list[Vector]]:
    """Pre-activations of each layer, each anything within its slack, and values of all units.

    What a linear layer holds is exact entries that are known to lie in an interval: where slack takes
    one out of it, nothing is asked.
    """
    before, values = list[Vector](), [point]
    for layer in net.layers:
        p = [Fraction(value) + draw(NOISES) * Fraction(gap) for value, gap in each(layer)]
        for j, matrix in layer.sources:
            p = [entry + dot(row, values[j]) for entry, row in zip(p, matrix, strict=True)]
        if layer.kind == "linear":
            ends = zip(fractions(layer.low), p, fractions(layer.high), strict=True)
            assume(all(low <= entry <= high for low, entry, high in ends))
        before.append(p)
        values.append(applied(layer, p))
    return before, values


def each(layer: Layer) -> list[tuple[float, float]]:
    """Bias and slack of each pre-activation."""
    return list(zip(layer.bias.tolist(), layer.slack.tolist(), strict=True))


def applied(layer: Layer, p: Vector) -> Vector:
    """The units of a layer."""
    match layer.kind:
        case "relu":
            return [max(entry, Fraction(0)) for entry in p]
        case "step":
            return [Fraction(entry >= 0) for entry in p]
        case "product":
            pairs = zip(p[: layer.units], p[layer.units :], strict=True)
            return [a * b for a, b in pairs]
        case "linear":
            return p
        case "shift":
            pairs = zip(p[: layer.units], p[layer.units :], strict=True)
            return [max(a + d, Fraction(0)) - max(a, Fraction(0)) for a, d in pairs]
        case _:
            return [enclosed(layer.kind, entry)[0] for entry in p]


def asked(draw: Draw) -> Question:
    """A random question that has bounds, by numpy or by torch."""
    claim = draw(
        st.one_of(box_claims(), box_claims(bilinear=True), box_claims(bilinear=True, smooth=True))
    )
    try:
        problem = read(claim, {})
    except Beyond:
        assume(False)
        raise
    assume(problem.clauses and problem.net.layers)
    return prepared(problem, torch_place() if draw(st.booleans()) else HOST)


@cache
def torch_place() -> Place:
    """The processor, by way of torch."""
    return device("cpu:0")


def point_of(draw: Draw, low: FloatArray, high: FloatArray) -> Vector:
    """A point of a box."""
    ends = zip(fractions(low), fractions(high), strict=True)
    return [a + draw(PARTS) * (b - a) for a, b in ends]


def node_around(draw: Draw, question: Question, point: Vector, p: Vector) -> Nodes:
    """A node that a point is in: part of the box, with some phases that it has there."""
    nodes = root(question)
    for axis in range(len(point)):
        if draw(st.booleans()):
            parts = halved(nodes, np.array([axis]))
            sides = [parts.take(np.array([k])) for k in range(2)]
            inside = [part for part in sides if holds(question.net, part, point, p)]
            nodes = draw(st.sampled_from(inside))
    for layer in question.net.layers:
        for unit in range(layer.start, layer.start + layer.entries):
            if layer.kind in {"relu", "step"} and draw(st.booleans()):
                on, off = sided(nodes, np.array([unit]))
                inside = [part for part in (on, off) if holds(question.net, part, point, p)]
                nodes = draw(st.sampled_from(inside))
    return nodes


def holds(net: Net, node: Nodes, point: Vector, p: Vector) -> bool:
    """Whether a point is in a node: in its box, with its phases."""
    box = zip(fractions(node.low[0]), point, fractions(node.high[0]), strict=True)
    return all(a <= x <= b for a, x, b in box) and all(
        phase == 0 or (value >= 0 if phase > 0 else value < 0 or (value == 0 and kind == "relu"))
        for phase, value, kind in zip(node.phase[0].tolist(), p, kinds(net), strict=True)
    )


def kinds(net: Net) -> list[str]:
    """The kind of the unit of each pre-activation."""
    return [layer.kind for layer in net.layers for _ in range(layer.entries)]


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_no_point_of_a_node_is_outside_its_bounds(data: st.DataObject) -> None:
    """In a node that a point is in, with the phases it has there: its pre-activations are within the
    bounds and forms, the node is not contradicted, its rows are above their half-spaces, a clause that
    it meets is not closed, it is in all half-spaces of that clause, however rows and phases were mixed, and
    what is cut off the box is not where it is."""
    draw = data.draw
    question = asked(draw)
    net = question.net
    point = point_of(draw, net.low, net.high)
    before, values = through(draw, net, point)
    p = [entry for layer in before for entry in layer]
    nodes = node_around(draw, question, point, p)
    tight = tighten(net, question.there, nodes)

    over = np.where(nodes.phase < 0, np.maximum(nodes.over, 0.0), nodes.over)
    ends = zip(fractions(nodes.under[0]), p, fractions(over[0]), strict=True)
    assert all(a <= value <= b for a, value, b in ends)
    for layer, form in zip(before, tight.forms, strict=True):
        for k in range(0 if form is None else len(form.entry)):
            assert form is not None
            value = layer[int(form.entry[k])]
            assert dot(form.below.slopes[k], point) + Fraction(float(form.below.consts[k])) <= value
            assert (
                dot(form.above.slopes[k], point) + Fraction(float(form.above.consts[k])) <= -value
            )
    assert not contradicted(nodes).any()

    pairs = judged(question, nodes, tight)
    met = np.zeros(len(question.problem.clauses), np.bool_)
    for k, ended in enumerate(pairs.closed.tolist()):
        clause = int(pairs.clause[k])
        numbers = question.problem.clauses[clause]
        held = list[bool]()
        for r, row in enumerate(question.problem.rows[number] for number in numbers):
            value = Fraction(row.const) + sum((dot(m, values[j]) for j, m in row.maps), Fraction(0))
            value += draw(NOISES) * Fraction(row.slack)
            half = dot(pairs.halves.slopes[k, r], point)
            assert half + Fraction(float(pairs.halves.consts[k, r])) <= value
            held.append(value < 0 or (value == 0 and not question.problem.strict[numbers[r]]))
        met[clause] = all(held)
        for slopes, const in zip(pairs.halves.slopes[k], pairs.halves.consts[k], strict=True):
            assert not met[clause] or dot(slopes, point) + Fraction(float(const)) <= 0
        assert not (ended and met[clause])
    nodes.open[0] &= met
    shrink(nodes, pairs)
    assert holds(net, nodes, point, p)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_point_of_a_node_is_in_one_of_its_parts(data: st.DataObject) -> None:
    """However what is loose is charged, and whichever phases are taken: a point is in a child."""
    draw = data.draw
    question = asked(draw)
    net = question.net
    point = point_of(draw, net.low, net.high)
    p = [entry for layer in through(draw, net, point)[0] for entry in layer]
    nodes = node_around(draw, question, point, p)
    loose = Blame(np.abs(arrays(draw, 1, net.entries)), np.abs(arrays(draw, 1, len(net.low))))
    parts = split(net, nodes, loose, np.abs(arrays(draw, 1, len(net.low))))

    each_part = [parts.take(np.array([k])) for k in range(len(parts))]
    assert any(holds(net, part, point, p) for part in each_part)
    assert parts.share.sum() == nodes.share.sum()


def test_units_taken_to_be_off_are_bounded_by_next_to_nothing() -> None:
    """The child that takes a pre-activation to be below 0 has a phase, a bound, and no contradiction
    with a point where it is hardly below 0."""
    net = Net(np.array([-1.0]), np.array([1.0]), ())
    nodes = Nodes(
        net.low[None], net.high[None], np.array([[-1e-300]]), np.array([[1.0]]),
        np.zeros((1, 1), np.int8), np.ones((1, 1), np.bool_), np.ones(1), np.zeros(1),
    )  # fmt: skip
    on, off = sided(nodes, np.array([0]))
    assert (on.phase[0, 0], on.under[0, 0], off.phase[0, 0], off.over[0, 0]) == (1, 0, -1, BELOW)
    off.under[0, 0] = BELOW / 2
    assert not contradicted(off).any()


@pytest.mark.parametrize(("which", "point"), [(0, 0.5), (1, -0.5)])
def test_a_phase_is_what_its_points_have(which: int, point: float) -> None:
    """A unit of x on [-1, 1], taken to be on, or off: a point at which it is so is in the half-space of the
    phase, and what the phase comes to when it is mixed is at most 0 there."""
    grown = Growing([np.array([-1.0])], [np.array([1.0])])
    grown.applied("relu", units(0, np.array([0]), 1))
    net = grown.net
    nodes = Nodes(
        net.low[None], net.high[None], np.array([[-1.0]]), np.array([[1.0]]),
        np.zeros((1, 1), np.int8), np.ones((1, 1), np.bool_), np.ones(1), np.zeros(1),
    )  # fmt: skip
    node = sided(nodes, np.array([0]))[which]
    forms = tighten(net, laid(net, charges_of(net.layers, grown.reach)), node).forms
    halves, sides = phase_halves(forms, node, [0])
    assert halves.slopes[0, 0, 0] * point + halves.consts[0, 0] < -0.4
    assert sides.rows(net, slice(0, 1), np.ones((1, 1)))[1][0, 0] * point == -0.5


# --- sums that floats lose ------------------------------------------------------------------------


def test_what_many_layers_add_to_a_coefficient_is_charged() -> None:
    """Of 60 units in layers of their own, all on, each lowers the coefficient of the input by less than
    half a rounding error: the bound of the sum still counts them all."""
    step = Fraction(99, 100) / 2**53
    grown = Growing([np.array([-1.0])], [np.array([2.0**-10])])
    x = units(0, np.array([0]), 1)
    rows: dict[int, FloatArray] = {0: np.ones((1, 1))}
    exact = Fraction(-1)
    for k in range(60):
        size = float(step) * (1 - k * 2.0**-12)
        unit = grown.applied("relu", Affine({0: np.array([[-size]])}, np.zeros(1), np.zeros(1)))
        rows |= {j: -row for j, row in unit.maps.items()}
        exact -= Fraction(size)
    nodes = (np.array([[-1.0]]), np.array([[-0.5]]))
    net = grown.net
    on = Nodes(*nodes, np.zeros((1, net.entries)), np.ones((1, net.entries)),
               np.zeros((1, net.entries), np.int8), np.ones((1, 1), np.bool_), np.ones(1), np.zeros(1))  # fmt: skip
    charges = charges_of(grown.layers, grown.reach)
    tight = tighten(net, laid(net, charges), on)
    found = taken_back(grown.layers, tight.around, charges, 1, rows, np.zeros(1), np.zeros(1, int))
    assert Fraction(float(least(found, *nodes)[0])) <= exact
    assert combined([(ONE, x)], grown.reach).slack[0] == 0


def test_rows_put_together_keep_their_slack() -> None:
    """Rows x and -x, either of them with slack: with weights 1 and 1/2 their sum is x/2, less what both
    slacks come to, and less what adding them up may round away."""
    net = Net(np.array([-1.0]), np.array([1.0]), ())
    maps, there = {0: np.array([[[1.0], [-1.0]]])}, np.ones((1, 2), np.bool_)
    asks = Asked(
        maps, np.zeros((1, 2)), np.array([[1.0, 0.5]]), np.array([[2.0, 4.0]]), there, there
    )
    first, weights = np.zeros(1, np.int64), np.array([[1.0, 0.5]])
    tight = Tight((), ())
    none = Sides(np.zeros((1, 0), np.int64), np.zeros((1, 0))), np.zeros((1, 0))
    found = mixed_halves(net, charges_of((), [net.high]), tight, asks, first, first, weights, none)
    assert found.slopes[0, 0, 0] == 0.5
    assert -5.25 - 1e-6 <= found.consts[0, 0] <= -5.25


# --- half-spaces ----------------------------------------------------------------------------------


@st.composite
def halves(draw: st.DrawFn, rows: int, inputs: int = 2) -> tuple[Halves, FloatArray, FloatArray]:
    """Half-spaces of one pair, and its box."""
    one, other = arrays(draw, 1, inputs), arrays(draw, 1, inputs)
    found = Halves(arrays(draw, 1, rows, inputs), arrays(draw, 1, rows))
    return found, np.minimum(one, other), np.maximum(one, other)


def lowest(slopes: Sequence[Fraction], const: Fraction, low: Vector, high: Vector) -> Fraction:
    """The least value of an affine function on a box."""
    return const + sum(min(s * a, s * b) for s, a, b in zip(slopes, low, high, strict=True))


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_what_is_summed_up_is_not_above_the_least_value(data: st.DataObject) -> None:
    """For any weights, and for those that the ascent finds, which are not negative; and so is the least
    value of each row."""
    draw = data.draw
    found, low, high = draw(halves(draw(st.integers(1, 4))))
    box = (fractions(low[0]), fractions(high[0]))
    rows = [fractions(row) for row in found.slopes[0]]
    consts = fractions(found.consts[0])
    each_least = smallest(found, low, high)[0]
    for row, const, value in zip(rows, consts, each_least.tolist(), strict=True):
        assert Fraction(value) <= lowest(row, const, *box)

    best = weighed(found, low, high)
    assert (best.weights >= 0).all()
    for weights in (best.weights, np.abs(arrays(draw, *found.consts.shape))):
        by = fractions(weights[0])
        slopes = [sum(w * row[k] for w, row in zip(by, rows, strict=True)) for k in range(2)]
        const = sum((w * c for w, c in zip(by, consts, strict=True)), Fraction(0))
        exact = lowest(slopes, const, *box)  # type: ignore[arg-type]
        assert Fraction(float(summed_up(found, weights, low, high)[0])) <= exact


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_combinations_are_positive_only_where_no_input_meets_all(data: st.DataObject) -> None:
    """Half-spaces that all contain a point of the box are not shown to have none in common."""
    draw = data.draw
    found, low, high = draw(halves(draw(st.integers(1, 4))))
    at = point_of(draw, low[0], high[0])
    for r in range(found.consts.shape[1]):
        room = -dot(found.slopes[0, r], at)
        const = float(room)
        found.consts[0, r] = const if Fraction(const) <= room else np.nextafter(const, -np.inf)
    assert not (smallest(found, low, high) > 0).any()
    assert not (weighed(found, low, high).least > 0).any()


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_cut_leaves_what_the_half_space_has(data: st.DataObject) -> None:
    """The point of the half-space that lies furthest along an axis stays in the box."""
    draw = data.draw
    found, low, high = draw(halves(1))
    slopes, const = found.slopes[0, 0], Fraction(float(found.consts[0, 0]))
    box = [*zip(fractions(low[0]), fractions(high[0]), strict=True)]
    axis = draw(st.integers(0, 1))
    assume(slopes[axis])
    at = [a if s > 0 else b for s, (a, b) in zip(slopes, box, strict=True)]
    if dot(slopes, at) + const > 0:
        return
    rest = dot(slopes, at) + const - Fraction(float(slopes[axis])) * at[axis]
    end = -rest / Fraction(float(slopes[axis]))
    at[axis] = min(max(end, box[axis][0]), box[axis][1])
    assert dot(slopes, at) + const <= 0

    cut(low, high, found.slopes[:, 0], found.consts[:, 0])
    inside = zip(fractions(low[0]), at, fractions(high[0]), strict=True)
    assert all(a <= x <= b for a, x, b in inside)


def test_a_cut_is_one() -> None:
    """x + y <= 0 with y >= -1/2 leaves x at most a little more than 1/2."""
    low, high = np.array([[-1.0, -0.5]]), np.array([[1.0, 1.0]])
    cut(low, high, np.array([[1.0, 1.0]]), np.array([0.0]))
    assert 0.5 <= high[0, 0] < 0.5 + 1e-9
    assert 1.0 <= high[0, 1] < 1.0 + 1e-9


def test_least_is_minus_infinity_where_numbers_overflow() -> None:
    """An infinite slope of an input that is 0 is no bound."""
    rows = Affines(np.array([[np.inf]]), np.zeros(1))
    low, high = np.zeros((1, 1)), np.ones((1, 1))
    with np.errstate(invalid="ignore"):
        assert least(rows, low, low)[0] == -np.inf
        cut(low, high, np.array([[np.inf]]), np.array([-np.inf]))
    assert (low[0, 0], high[0, 0]) == (0.0, 1.0)
