"""Random numbers over boxes, affine on pieces: what ranges and regions are asked about."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from hypothesis import strategies as st

from circ.compiler.builder import Builder, combine, largest, matmul, reals, stack
from circ.compiler.builder import truth as always
from circ.compiler.ir import All, Any, Input, Real, Relu, WireType
from circ.compiler.obligation import Bound, Obligation, Reals, Witness
from circ.compiler.readings.choices import TRUE
from circ.compiler.readings.intervals import Reals as Enclosed
from circ.compiler.readings.reference import Value, at_point, enclose
from circ.compiler.trial import truth
from tests.agreement.box_claims import HALVES, NUMBERS, WIDTH, grown, truths
from tests.unit.obligations import NOWHERE

Point = tuple[Fraction, ...]


@st.composite
def box_numbers(draw: st.DrawFn, *, tensor: bool = False) -> Obligation:
    """A question about one vector in a box: its goal is a number, or a vector where `tensor`."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (WIDTH,))))
    ends = st.tuples(NUMBERS, NUMBERS).map(lambda pair: (min(pair), max(pair)))
    box = draw(st.tuples(*[ends] * WIDTH))
    found = [x]
    for _ in range(draw(st.integers(1, 4))):
        found.append(grown(draw, b, found, bilinear=False, smooth=False))
    by = reals(b, draw(st.tuples(*[HALVES] * WIDTH)), (WIDTH,))
    number = combine(b, (1, matmul(b, found[-1], by)), (draw(HALVES), largest(b, found[0])))
    goal = stack(b, [number, b.add(Relu(number))]) if tensor else number
    outputs = {"goal": goal, "where": always(b, True)}
    if draw(st.booleans()):
        kinds: list[type[All | Any]] = [All, Any]
        met = truths(draw, b, [x, *found[-1:]], box, 1)
        outputs["where"] = b.add(draw(st.sampled_from(kinds))(stack(b, met)))
    binder = Bound("x", b.types[x], Reals(box))
    return Obligation("number", "forall", b.circuit(outputs), (binder,), NOWHERE)


def outputs_at(question: Obligation, point: Point) -> Mapping[str, Value]:
    """All outputs at a point, exactly."""
    return enclose(question.circuit, at_point(question.circuit, {"x": point}), {})


def inside(question: Obligation, point: Point) -> bool:
    """Whether a point of the box meets the conditions."""
    found = outputs_at(question, point)
    return all(truth(found[name]) == TRUE for name in question.conditions)


def value(question: Obligation, point: Point) -> Point:
    """The entries of the goal there."""
    found = outputs_at(question, point)["goal"]
    assert isinstance(found, Enclosed)
    assert found.exact
    return tuple(low for low, _ in found.box)


def point_of(witness: Witness) -> Point:
    """The entries of an input."""
    return tuple(Fraction(x) for x in witness["x"])
