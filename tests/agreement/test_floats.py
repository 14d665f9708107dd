"""The float reading holds what the exact reference says, whatever rounding does."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, combine, matmul, number, reals
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Input,
    Max,
    Op,
    Real,
    Relu,
    Shape,
    Smooth,
    SmoothName,
    Softmax,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.readings.arrays import product
from circ.compiler.readings.balls import (
    Ball,
    FloatArray,
    around,
    contraction,
    known,
    linear,
    radius,
)
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.curves import exp, smooth
from circ.compiler.readings.decisions import Codes, Discrete
from circ.compiler.readings.elementary import Undefined, exp_bounds
from circ.compiler.readings.floats import Values, at_points, deviation, prepare, read
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, enclose, intervals
from circ.compiler.readings.roundoff import COARSE, DOUBLE, Roundoff, execution
from circ.compiler.readings.torch import module, numbers
from circ.compiler.tensor import Tensor, Weights
from tests.agreement.circuits import (
    BILINEAR,
    SMOOTH,
    Point,
    Sample,
    binders_of,
    circuits,
    points,
)

FLOAT32 = execution("F32")
READINGS = {"fine": DOUBLE, "coarse": COARSE, "float32": FLOAT32}


def batch_of(circuit: Circuit, rows: Sequence[Point]) -> dict[str, Codes | FloatArray]:
    """Points as a batch: their entries, and the batch last."""
    batch: dict[str, Codes | FloatArray] = {}
    for name, wire in circuit.inputs.items():
        known = circuit.types[wire]
        entries = np.array([[float(entry) for entry in row[name]] for row in rows])
        values = entries.T.reshape(*known.shape, len(rows))
        batch[name] = values if known.sort == Real() else values.astype(np.int64)
    return batch


def reading(
    circuit: Circuit, weights: Weights, rows: Sequence[Point], rounding: Roundoff
) -> Values:
    """All outputs, at every point."""
    plan = prepare(circuit, weights, [*circuit.outputs.values()], rounding)
    return read(plan, at_points(circuit, batch_of(circuit, rows), rounding))


def column(x: FloatArray | Codes, shape: Shape, row: int) -> list[float]:
    """The entries at one point of the batch."""
    wide = np.broadcast_to(x, (*shape, max(row + 1, x.shape[-1])))
    return [float(entry) for entry in wide[..., row].reshape(-1)]


def holds_reals(ball: Ball, exact: Reals, row: int) -> bool:
    """Whether each ball meets the exact enclosure, which is a point or far thinner."""
    mids, rads = column(ball.mid, exact.shape, row), column(radius(ball), exact.shape, row)
    sizes = column(ball.size, exact.shape, row)
    return all(
        rad == np.inf
        or (
            Fraction(mid) - Fraction(rad) <= high
            and low <= Fraction(mid) + Fraction(rad)
            and max(low, -high) <= Fraction(size)
        )
        for mid, rad, size, (low, high) in zip(mids, rads, sizes, exact.box, strict=True)
    )


def holds_choices(found: Discrete, exact: Choices, row: int) -> bool:
    """Whether each decided entry is the only value the reference leaves."""
    values = column(found.values, exact.shape, row)
    slack = np.ones(1) if found.slack is None else found.slack
    sure = [s > 0 for s in column(slack, exact.shape, row)]
    pairs = zip(values, sure, exact.sets, strict=True)
    return all(options == frozenset({int(value)}) for value, known, options in pairs if known)


def holds_value(found: Values, wire: Wire, exact: Value, row: int) -> bool:
    """Whether the reading of a wire holds its exact value at one point."""
    match exact:
        case Reals():
            return holds_reals(found.reals[wire], exact, row)
        case Choices():
            return holds_choices(found.discrete[wire], exact, row)


def reference_at(circuit: Circuit, weights: Weights, row: Point) -> dict[str, Value]:
    """The exact outputs at a point where they are defined."""
    try:
        return enclose(circuit, at_point(circuit, row), weights, 256)
    except Undefined:
        assume(False)
        raise


def holds_everything(
    circuit: Circuit, weights: Weights, rows: Sequence[Point], rounding: Roundoff
) -> bool:
    """Whether the reading holds every output at every point."""
    found = reading(circuit, weights, rows, rounding)
    return all(
        holds_value(found, circuit.outputs[name], exact, place)
        for place, row in enumerate(rows)
        for name, exact in reference_at(circuit, weights, row).items()
    )


@pytest.mark.parametrize("name", READINGS)
@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_it_holds_the_exact_value_on_random_circuits(data: st.DataObject, name: str) -> None:
    """Every exact value lies in its ball, and what is decided is what the reference says.

    So it is for a batch of points read at once, with one radius for each or one for all, and when
    the rounding of a float32 program is charged as well.
    """
    sample: Sample = data.draw(circuits(SMOOTH))
    binders = data.draw(binders_of(sample.circuit))
    rows = data.draw(st.lists(points(binders), min_size=1, max_size=3))

    assert holds_everything(sample.circuit, sample.weights, rows, READINGS[name])


@pytest.mark.parametrize("name", ["fine", "coarse"])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_what_needs_no_rounding_is_exact_and_decided(data: st.DataObject, name: str) -> None:
    """On dyadic circuits that fit float64, reals have no radius, and only true ties stay open."""
    sample: Sample = data.draw(circuits(BILINEAR))
    circuit = sample.circuit
    row = data.draw(points(data.draw(binders_of(circuit))))
    found = reading(circuit, sample.weights, [row], READINGS[name])
    exact = intervals(circuit, at_point(circuit, row), sample.weights).values()

    assume(all(value.exact for value in exact))
    for wire in circuit.outputs.values():
        if circuit.types[wire].sort == Real():
            assert found.reals[wire].rad is None
        else:
            slack = found.discrete[wire].slack
            assert slack is None or (slack > 0).all()


# --- numbers of every size ------------------------------------------------------------------

SMALL = [1e-320, 1e-308, 1e-200, 1e-30, 1e-8, 1.0, 3.0]
LARGE = [1e8, 1e30, 1e200, 1e308]


def extreme(op: str) -> st.SearchStrategy[float]:
    """Both signs, zero, subnormal numbers, and products that overflow or vanish.

    The reference would spell out e^(10^8), so exponents are smaller.
    """
    sizes = st.sampled_from(SMALL if op == "exp" else SMALL + LARGE)
    return st.tuples(sizes, st.floats(-1, 1)).map(lambda pair: pair[0] * pair[1])


WIDTH = 4


LAYERS = ("m/first", "m/second")


def matrix(rows: Sequence[Sequence[float]]) -> Tensor:
    """A square matrix of weights."""
    return Tensor((WIDTH, WIDTH), "F64", array("d", [entry for row in rows for entry in row]))


OPS: dict[str, Callable[[Wire], Op]] = {
    "relu": Relu,
    "max": Max,
    "exp": lambda x: Smooth("exp", x),
    "recip": lambda x: Smooth("recip", x),
    "sqrt": lambda x: Smooth("sqrt", x),
    "softmax": Softmax,
    "argmax": Argmax,
}


def two_layers(op: str) -> Circuit:
    """W₂ · f(W₁ x − x/3): products, a coefficient that is no float, and a function between."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (WIDTH,))))
    first, second = (b.add(Weight(key, (WIDTH, WIDTH))) for key in LAYERS)
    plain = matmul(b, first, x)
    y = combine(b, (1, plain), (Fraction(-1, 3), x))
    z = b.add(OPS[op](b.add(Relu(y)) if op == "sqrt" else y))
    outputs = {"plain": plain, "y": y, "z": z, "below": b.add(Compare("<=", y, x))}
    if b.types[z] == WireType(Real(), (WIDTH,)):
        outputs["w"] = matmul(b, second, z)
    return b.circuit(outputs)


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("op", OPS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_it_holds_the_exact_value_at_any_magnitude(data: st.DataObject, op: str, name: str) -> None:
    """Cancellation, overflow and underflow widen the ball or open the decision, never more."""
    vectors = st.lists(extreme(op), min_size=WIDTH, max_size=WIDTH)
    weights = {key: matrix([data.draw(vectors) for _ in range(WIDTH)]) for key in LAYERS}
    rows: list[Point] = [{"x": tuple(map(Fraction, data.draw(vectors)))} for _ in range(2)]

    assert holds_everything(two_layers(op), weights, rows, READINGS[name])


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("op", OPS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_it_holds_every_value_within_the_radius_of_its_operand(
    data: st.DataObject, op: str, name: str
) -> None:
    """Not the midpoint alone: any true operand within the radius has its value in the result."""
    vectors = st.lists(st.floats(-3, 3), min_size=WIDTH, max_size=WIDTH)
    weights = {key: matrix([data.draw(vectors) for _ in range(WIDTH)]) for key in LAYERS}
    mid = np.array(data.draw(vectors)).reshape(WIDTH, 1)
    rad = np.full((WIDTH, 1), data.draw(st.sampled_from([1e-12, 1e-3, 0.3])))
    circuit = two_layers(op)
    rounding = READINGS[name]
    plan = prepare(circuit, weights, [*circuit.outputs.values()], rounding)
    given_ball = around(mid, rad, rounding)
    found = read(plan, Values({circuit.inputs["x"]: given_ball}))
    part = st.integers(-64, 64).map(lambda n: Fraction(n, 64))
    true = [
        Fraction(float(m)) + data.draw(part) * Fraction(float(r))
        for m, r in zip(mid[:, 0], rad[:, 0], strict=True)
    ]
    exact = reference_at(circuit, weights, {"x": tuple(true)})

    assert all(holds_value(found, circuit.outputs[key], exact[key], 0) for key in exact)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_row_does_not_depend_on_its_neighbours(data: st.DataObject) -> None:
    """Overflow in one row of a batch opens that row's decisions only, in the fine reading."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), ())))
    square = combine(b, (Fraction(10) ** 300, x))
    circuit = b.circuit({"goal": b.add(Compare("<", square, number(b, 1)))})
    negative = data.draw(st.floats(-1, -1e-300))
    rows: list[Point] = [{"x": (Fraction(10**30),)}, {"x": (Fraction(negative),)}]

    found = reading(circuit, {}, rows, DOUBLE).discrete[circuit.outputs["goal"]]

    assert found.slack is not None
    assert found.slack[0] == 0
    assert found.slack[1] > 0
    assert found.values[1]


# --- one operation at a time ------------------------------------------------------------------

NEARLY_LOST = st.builds(
    Fraction, st.integers(-(2**53), 2**53), st.integers(0, 30).map(lambda power: 2**power)
)
"""Floats with so many digits that adding or multiplying two of them often needs a few more."""


def of(*values: Fraction) -> Ball:
    """A vector of floats."""
    return known(np.array([[float(value)] for value in values]), DOUBLE)


def holds_number(found: Ball, exact: Fraction) -> bool:
    """Whether a scalar ball holds a rational."""
    return abs(Fraction(float(found.mid.item())) - exact) <= Fraction(float(radius(found).item()))


@given(st.lists(NEARLY_LOST, min_size=2, max_size=3))
@settings(max_examples=300, deadline=None)
def test_exactness_is_claimed_only_where_nothing_is_lost(values: list[Fraction]) -> None:
    """A sum or product of floats has no radius only if it is a float."""
    floats = [Fraction(float(value)) for value in values]
    balls = [of(value) for value in floats]
    summed = linear([Fraction(1)] * len(balls), DOUBLE)(*balls)
    multiplied = contraction(product("a,a->"), 1, DOUBLE)(balls[0], balls[1])

    assert holds_number(summed, sum(floats, Fraction(0)))
    assert holds_number(multiplied, floats[0] * floats[1])


@given(st.fractions(-3, 3), st.floats(-3, 3))
@settings(max_examples=500, deadline=None)
def test_a_coefficient_that_is_no_float_is_charged(factor: Fraction, x: float) -> None:
    """c·x errs by the rounding of c as well as by that of the product."""
    assert holds_number(linear([factor], DOUBLE)(of(Fraction(x))), factor * Fraction(x))


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=2, max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_sum_of_products_is_charged(pairs: list[tuple[float, float]]) -> None:
    """However many terms there are, and however they cancel."""
    x, y = (of(*(Fraction(pair[side]) for pair in pairs)) for side in (0, 1))
    exact = sum((Fraction(a) * Fraction(b) for a, b in pairs), Fraction(0))

    assert holds_number(contraction(product("a,a->"), len(pairs), DOUBLE)(x, y), exact)


@pytest.mark.parametrize("name", ["fine", "coarse"])
@pytest.mark.parametrize("function", ["recip", "sqrt"])
def test_where_a_function_may_be_undefined_nothing_is_known(
    function: SmoothName, name: str
) -> None:
    """1/x of a ball around 0, and √x of one that reaches below it, may be anything."""
    rounding = READINGS[name]
    apply = smooth(function, rounding)
    mid, rad = np.array([[1.0]]), np.array([[0.5]])

    with np.errstate(all="ignore"):
        inside, astride = (apply(around(x, rad, rounding)) for x in (mid, mid / 4))

    assert np.isfinite(radius(inside)).all()
    assert np.isinf(radius(astride)).all()


# --- the exponential ------------------------------------------------------------------------


def exp_error(x: float) -> Fraction:
    """The relative error of `exp` at x, rounded up."""
    num, den = Fraction(x).as_integer_ratio()
    bits = 1200
    low, high = (Fraction(bound, 2**bits) for bound in exp_bounds(num, den, bits))
    computed = Fraction(float(exp(np.array([x]))[0]))
    return max(high - computed, computed - low) / low


@given(st.one_of(st.floats(-707, 709), st.floats(-2, 2), st.floats(-1e-5, 1e-5)))
@settings(max_examples=500, deadline=None)
def test_the_exponential_keeps_its_bound(x: float) -> None:
    """At any x in range, e^x is computed within 2^-50 of itself."""
    assert exp_error(x) <= Fraction(1, 2**50)


def test_the_exponential_keeps_its_bound_where_its_pieces_meet() -> None:
    """The bound holds beside the half multiples of ln 2, where the reduced argument is largest."""
    half = np.log(2) / 2
    for k in (-1999, -501, -33, -3, -1, 1, 3, 77, 1023, 2001):
        for x in (k * half, np.nextafter(k * half, np.inf), np.nextafter(k * half, -np.inf)):
            if -707 <= x <= 709:
                assert exp_error(float(x)) <= Fraction(1, 2**50)


def test_the_exponential_beyond_its_range() -> None:
    """It is infinite above 709, constant below -707, and passes NaN on."""
    x = np.array([709.5, np.inf, -708.0, -np.inf, np.nan])

    assert np.array_equal(exp(x)[:2], [np.inf, np.inf])
    assert np.array_equal(exp(x)[2:4], exp(np.array([-707.0, -707.0])))
    assert np.isnan(exp(x)[4])


# --- programs in float32 --------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_float32_program_strays_no_further_than_its_bound(data: st.DataObject) -> None:
    """PyTorch's float32 module stays within the deviation that is computed without running it.

    An index or a truth deviates by nothing at all, or without bound.
    """
    sample: Sample = data.draw(circuits(SMOOTH, bits=20))
    circuit = sample.circuit
    rows = data.draw(st.lists(points(data.draw(binders_of(circuit))), min_size=1, max_size=3))
    batch = batch_of(circuit, rows)
    wire = circuit.outputs["out"]

    bounds = deviation(circuit, sample.weights, batch, wire, FLOAT32)

    with torch.no_grad():
        computed = module(circuit, sample.weights, torch.float32)(torch_batch(circuit, batch))[
            "out"
        ]
    for place, row in enumerate(rows):
        exact = reference_at(circuit, sample.weights, row)["out"]
        bound = float(np.broadcast_to(bounds, len(rows))[place])
        strayed = distances(exact, numbers(computed[place]))
        assert bound == np.inf or max(strayed, default=Fraction(0)) <= Fraction(bound)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_weights_that_float32_rounds_are_charged(data: st.DataObject) -> None:
    """A float64 weight or input that a float32 program cannot hold is off before it is used."""
    vectors = st.lists(st.floats(-3, 3), min_size=WIDTH, max_size=WIDTH)
    weights = {key: matrix([data.draw(vectors) for _ in range(WIDTH)]) for key in LAYERS}
    row: Point = {"x": tuple(map(Fraction, data.draw(vectors)))}
    circuit = two_layers("relu")
    batch = batch_of(circuit, [row])

    with torch.no_grad():
        computed = module(circuit, weights, torch.float32)(torch_batch(circuit, batch))
    exact = reference_at(circuit, weights, row)
    for name in ("plain", "w"):
        (bound,) = deviation(circuit, weights, batch, circuit.outputs[name], FLOAT32)
        assert max(distances(exact[name], numbers(computed[name][0]))) <= Fraction(float(bound))


def torch_batch(circuit: Circuit, batch: dict[str, Codes | FloatArray]) -> dict[str, torch.Tensor]:
    """The same batch as PyTorch wants it: the batch first."""
    found: dict[str, torch.Tensor] = {}
    for name, values in batch.items():
        real = circuit.types[circuit.inputs[name]].sort == Real()
        moved = torch.tensor(np.moveaxis(values, -1, 0).tolist(), dtype=torch.float64)
        found[name] = moved.to(torch.float32 if real else torch.int64)
    return found


def distances(exact: Value, computed: Sequence[float]) -> list[Fraction]:
    """How far each entry computed is from the furthest end of its exact enclosure."""
    match exact:
        case Reals():
            pairs = zip(exact.box, computed, strict=True)
            return [max(abs(Fraction(x) - end) for end in ends) for ends, x in pairs]
        case Choices(sets=sets):
            assume(exact.exact)
            chosen = zip(sets, computed, strict=True)
            return [abs(Fraction(x) - min(options)) for options, x in chosen]


def test_the_deviation_is_of_the_right_size() -> None:
    """For a dot product of a thousand terms the bound is γ_1000 of float32, not much more."""
    b = Builder()
    size = 1000
    x = b.add(Input("x", WireType(Real(), (size,))))
    wire = matmul(b, reals(b, [Fraction(1, 2)] * size, (size,)), x)
    ones = 1 + np.arange(size, dtype=np.float64).reshape(size, 1) * 2.0**-20

    (bound,) = deviation(b.circuit({"y": wire}), {}, {"x": ones}, wire, FLOAT32)

    assert 1000 * 500 * 2.0**-24 <= bound <= 1.1 * 1000 * 501 * 2.0**-24
