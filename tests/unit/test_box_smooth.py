"""Smooth functions of circuits as units of nets: which units, with which values, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from circ.compiler.boxes.affine import Affine
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.net import Net, Row
from circ.compiler.boxes.points import run
from circ.compiler.boxes.read import read
from circ.compiler.boxes.squares import gated, squared
from circ.compiler.builder import Builder, combine, matmul, number, stack, take, times
from circ.compiler.finding import Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import Compare, Smooth, SmoothName, Softmax, Wire
from circ.compiler.obligation import Obligation
from circ.runtime.engines.boxes import decide
from tests.agreement.box_claims import at, logistic
from tests.agreement.test_smooth_boxes import gelu, normed, swish, tanh
from tests.unit.obligations import box, known, less, obligation, pick, weighted

Vector = Callable[[Builder, Wire], Wire]


def claim(value: Vector, most: float, *ends: tuple[float, float]) -> Obligation:
    """That the first entry of a function is at most a number on a box."""
    binders = [box("x", *(ends or ((-1, 1), (-1, 1))))]
    return obligation(binders, lambda b, w: less(b, pick(b, value(b, w["x"]), 0), most))


def decided(value: Vector, most: float, *ends: tuple[float, float]) -> Finding:
    """What the engine finds of such a claim."""
    return decide(claim(value, most, *ends), {}, Limits(timeout=20), silent)


def smooth(*names: SmoothName) -> Vector:
    """These functions, one after the other."""

    def value(b: Builder, x: Wire) -> Wire:
        for name in names:
            x = b.add(Smooth(name, x))
        return x

    return value


def shifted(inner: Vector) -> Vector:
    """A function of x + 2."""
    return lambda b, x: inner(b, combine(b, (1, x), (1, number(b, 2))))


def in_two(b: Builder, x: Wire) -> Wire:
    """1 / (1 + e^-x), as the share of one score of two."""
    return take(b, b.add(Softmax(stack(b, [take(b, x, [0]), number(b, 0)]))), [range(1)])


def exponent_first(b: Builder, x: Wire) -> Wire:
    """x / (1 + e^-x), multiplied the other way round and halved before."""
    share = combine(b, (Fraction(1, 2), tanh(b, combine(b, (Fraction(1, 2), x)))))
    return times(b, combine(b, (3, x)), combine(b, (1, share), (1, number(b, Fraction(1, 2)))))


def hyperbolic(b: Builder, x: Wire) -> Wire:
    """x tanh(x): a share and a shift that stays."""
    return times(b, x, tanh(b, x))


def cubed(b: Builder, x: Wire) -> Wire:
    """(2x) x x."""
    return times(b, times(b, combine(b, (2, x)), x), x)


def scaled_square(b: Builder, x: Wire) -> Wire:
    """x / 3 times x."""
    return times(b, combine(b, (Fraction(1, 3), x)), x)


def mixed(b: Builder, x: Wire) -> Wire:
    """A product of two functions, neither of which is a multiple of the other."""
    return times(b, x, smooth("exp")(b, x))


def of_three(b: Builder, x: Wire) -> Wire:
    """The shares of three scores."""
    return b.add(Softmax(stack(b, [take(b, x, [0]), take(b, x, [1]), number(b, 0)])))


def divided(b: Builder, x: Wire) -> Wire:
    """1 / (x - 2), which is negative."""
    return b.add(Smooth("recip", combine(b, (1, x), (-1, number(b, 2)))))


READ: dict[str, tuple[Vector, list[str]]] = {
    "exp": (smooth("exp"), ["exp"]),
    "recip": (shifted(smooth("recip")), ["recip"]),
    "recip of what is negative": (divided, ["recip"]),
    "sqrt": (shifted(smooth("sqrt")), ["sqrt"]),
    "one over a root": (shifted(smooth("sqrt", "recip")), ["rsqrt"]),
    "logistic": (logistic, ["sigmoid"]),
    "a share of two": (in_two, ["sigmoid"]),
    "a share of three": (of_three, ["exp", "recip"]),
    "tanh": (tanh, ["sigmoid"]),
    "square": (scaled_square, ["square"]),
    "cube": (cubed, ["cube"]),
    "swish": (swish, ["swish"]),
    "swish by tanh": (exponent_first, ["swish"]),
    "x tanh x": (hyperbolic, ["swish"]),
    "gelu": (gelu, ["gelu", "linear"]),
    "norm": (normed, ["square", "rsqrt", "product"]),
    "product": (mixed, ["exp", "product"]),
}
every_function = pytest.mark.parametrize(("value", "kinds"), READ.values(), ids=READ.keys())


@every_function
def test_what_belongs_together_is_one_unit(value: Vector, kinds: list[str]) -> None:
    """However it is written; nothing is left of what a larger unit was read from."""
    problem = read(claim(value, 0.1), {})
    assert [layer.kind for layer in problem.net.layers] == kinds


@every_function
def test_a_net_has_the_circuits_values(value: Vector, kinds: list[str]) -> None:
    """At points of the box, in floats, up to what rounded coefficients change."""
    del kinds
    made = claim(value, 0.1)
    problem = read(made, {})
    compare = next(op for op in reversed(made.circuit.ops) if isinstance(op, Compare))
    b = Builder()
    for op in made.circuit.ops:
        b.add(op)
    points = [(Fraction(-1), Fraction(1, 2)), (Fraction(3, 8), Fraction(1)), (Fraction(0),) * 2]
    rows = valued(problem.net, problem.rows[0], points)
    for point, found in zip(points, rows, strict=True):
        exact = at(b, compare.left, point) - Fraction(1, 10)
        # A claim is refuted where the number is at most the value: the row is their difference.
        assert found == pytest.approx(-float(exact), abs=1e-5)


def valued(net: Net, row: Row, points: Sequence[Sequence[Fraction]]) -> list[float]:
    """A row of a net at points."""
    at_points = run(net, np.array([[float(x) for x in point] for point in points]))
    total = np.full(len(points), row.const)
    for j, coefficients in row.maps:
        total = total + at_points.values[j] @ coefficients
    return [float(x) for x in total]


@pytest.mark.parametrize("gate", ["square", "sigmoid", "equal"])
def test_what_floats_leave_open_of_a_factor_is_charged(gate: str) -> None:
    """Two functions with the same numbers may differ by their slacks: their product, or that of one with
    a unit of the other, is then no unit exactly."""
    growing = Growing([np.array([1.0])], [np.array([2.0])])
    slack = 1e-14
    x = Affine({0: np.array([[1.0]])}, np.zeros(1), np.array([slack]))
    if gate == "equal":
        places, found = squared(growing, x, x)
        least = 2 * 2 * slack
    else:
        places, found = gated(
            growing, x, growing.applied("square" if gate == "square" else "sigmoid", x)
        )
        least = 2 * slack * (4.0 if gate == "square" else 0.88)
    assert list(places) == [0]
    assert found is not None
    assert least <= found.slack[0] <= 1e-12


# --- what shares add up to -------------------------------------------------------------------------


@pytest.mark.parametrize("width", [2, 3, 4])
def test_shares_add_up_to_1(width: int) -> None:
    """What all values have in common costs nothing: that an average is at most their maximum and a half
    is soon shown, on a wide box."""

    def average(b: Builder, x: Wire) -> Wire:
        return stack(b, [weighted(b, b.add(Softmax(x)), *range(100, 100 + width))])

    found = decided(average, 99.0 + width + 0.5, *[(-3.0, 3.0)] * width)
    assert isinstance(found, Holds)


def test_known_values_are_no_units() -> None:
    """√2 and the shares of known scores are numbers that are nearly known; a product with them is linear."""

    def value(b: Builder, x: Wire) -> Wire:
        root = b.add(Smooth("sqrt", number(b, 2)))
        shares = b.add(Softmax(known(b, 0, 1, 2)))
        return combine(b, (1, times(b, x, root)), (1, times(b, x, pick(b, shares, 2))))

    problem = read(claim(value, 2.0), {})
    assert problem.net.layers == ()
    assert isinstance(decided(value, 2.0795), Holds)
    assert not isinstance(decided(value, 2.0794), Holds)


# --- what has no bounds ----------------------------------------------------------------------------


def far(b: Builder, x: Wire) -> Wire:
    """e^(200 x)."""
    return smooth("exp")(b, combine(b, (200, x)))


def over_square(b: Builder, x: Wire) -> Wire:
    """1/x²."""
    return smooth("recip")(b, times(b, x, x))


def far_share(b: Builder, x: Wire) -> Wire:
    """The share of one of two scores that are far apart."""
    return in_two(b, combine(b, (Fraction(10**6), x)))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (far, "too large"),
        (smooth("recip"), "may be 0"),
        (smooth("sqrt"), "may be negative"),
        (smooth("sqrt", "recip"), "may be 0"),
        (over_square, "may be 0"),
    ],
)
def test_what_has_no_bounds_is_refused(value: Vector, reason: str) -> None:
    """Powers beyond the floats' middle, and functions where they may be undefined."""
    with pytest.raises(Beyond, match=reason):
        read(claim(value, 1.0), {})
    assert isinstance(decided(value, 1.0), Stuck)


@pytest.mark.parametrize("power", [2, 3])
def test_large_powers_are_not_bounded_by_smaller_ones(power: int) -> None:
    """Where lines around a square or a cube end, products go on, and then nothing does."""

    def value(b: Builder, x: Wire) -> Wire:
        square = times(b, x, x)
        return square if power == 2 else times(b, x, square)

    for end in (1e18, 1e22, 1e29, 1e31, 1e40, 1e70):
        found = decided(value, 0.9 * end**power, (-end, end))
        assert not isinstance(found, Holds), end
    assert isinstance(decided(value, 1.1 * 1e15**power, (-1e15, 1e15)), Holds)


def test_scores_far_apart_have_shares() -> None:
    """One unit of both functions has no large numbers in it."""
    assert isinstance(decided(far_share, 1.001), Holds)
    assert not isinstance(decided(far_share, 0.999), Holds)


def test_a_root_of_what_is_not_negative_has_bounds() -> None:
    """Bounds of a sum of squares may reach below 0; its sign is known, whatever they say."""

    def value(b: Builder, x: Wire) -> Wire:
        off = combine(b, (1, x), (-1, times(b, x, x)))
        return stack(b, [b.add(Smooth("sqrt", matmul(b, off, off)))])

    assert isinstance(decided(value, 2.83), Holds)
    assert not isinstance(decided(value, 2.82), Holds)
