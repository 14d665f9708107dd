"""How far executions stray on a box: what is charged, what is exact, and where there is no bound."""

from __future__ import annotations

from array import array
from fractions import Fraction
from math import inf

import numpy as np
import pytest

from circ.compiler.builder import Builder, combine, matmul, number, stack, take, times
from circ.compiler.ir import (
    Argmax,
    Compare,
    Comparison,
    Input,
    Lookup,
    Max,
    Relu,
    Select,
    Smooth,
    SmoothName,
    Softmax,
    Weight,
    Wire,
)
from circ.compiler.obligation import Bound
from circ.compiler.readings.executions import held, programs
from circ.compiler.readings.straying import Strayed, straying
from circ.compiler.rounding import FORMATS, SPELLED, at_least, at_most, nearest
from circ.compiler.tensor import Tensor, Weights
from circ.lang.words import FLOATS
from tests.unit.obligations import box, known

UNIT = 2.0**-24
"""Of float32."""


class Net:
    """A builder with one real input, and what is read off it."""

    def __init__(self, *ends: tuple[float | Fraction, float | Fraction]) -> None:
        self.b = Builder()
        self.bound: Bound = box("x", *ends)
        self.x = self.b.add(Input("x", self.bound.type))
        self.weights: Weights = {}

    def entry(self, place: int) -> Wire:
        """One entry of the input."""
        return take(self.b, self.x, [place])

    def read(self, *wires: Wire, over: str = "float32") -> Strayed:
        """The reading of some wires."""
        circuit = self.b.circuit({})
        return straying(circuit, self.weights, [self.bound], programs(over), wires)

    def most(self, wire: Wire, over: str = "float32") -> float:
        """How far a wire strays at most."""
        return self.read(wire, over=over).most(wire)


def test_an_input_does_not_stray() -> None:
    """The execution reads a number of the format, which is the one that is meant."""
    net = Net((-1, 1))

    assert net.most(net.x) == 0


def test_one_addition_rounds_once() -> None:
    """1 + 2^-24 is halfway between two float32 numbers: the bound is that, and hardly more."""
    net = Net((1, 1), (UNIT, UNIT))
    wire = combine(net.b, (1, net.entry(0)), (1, net.entry(1)))

    assert UNIT <= net.most(wire) <= 1.001 * UNIT


def test_a_constant_is_rounded_once() -> None:
    """A tenth is no float32 number; a half is one."""
    net = Net((0, 0))
    off = abs(Fraction(nearest(Fraction(1, 10), "F32")) - Fraction(1, 10))

    assert float(off) <= net.most(number(net.b, Fraction(1, 10))) <= 1.0001 * float(off)
    assert net.most(number(net.b, Fraction(1, 2))) == 0


def test_a_tensor_is_rounded_to_a_narrower_format() -> None:
    """What is stored in float32 is held by float32 and float64, and not by bfloat16."""
    net = Net((0, 0))
    third = nearest(Fraction(1, 3), "F32")
    net.weights = {"w": Tensor((1,), "F32", array("d", [third]))}
    wire = net.b.add(Weight("w", (1,)))

    assert [net.most(wire, over) for over in ("float64", "float32")] == [0, 0]
    off = abs(third - nearest(Fraction(third), "BF16"))
    assert off <= net.most(wire, "bfloat16") <= 1.0001 * off


def test_sums_of_whole_numbers_are_exact() -> None:
    """As long as the format holds them all: up to 2^24, and no further."""
    net = Net((0, 0))
    table = known(net.b, 1, 2, 3)
    small = net.b.add(Max(combine(net.b, (3, table), (1, table))))
    large = combine(net.b, (2**24, table), (1, table))

    assert net.most(small) == 0
    assert net.most(large) > 0


def test_a_bias_may_be_added_first() -> None:
    """Eight ones added to 2^24 one by one are all lost, where W x + b is added up in that order."""
    net = Net(*[(0, 1)] * 8)
    product = matmul(net.b, net.x, known(net.b, *[1] * 8))
    wire = combine(net.b, (1, product), (1, number(net.b, 2**24)))

    assert 8 <= net.most(wire) <= 10


@pytest.mark.parametrize(
    ("over", "least", "most"), [("float32", 0.011, 0.0115), ("bfloat16", 1.4, 1.5)]
)
def test_a_narrow_format_accumulates_in_float32(over: str, least: float, most: float) -> None:
    """Of 500 terms bfloat16 rounds the sum once, and not every partial sum, by 2^-8 of it."""
    net = Net(*[(0, 1)] * 500)
    wire = matmul(net.b, net.x, known(net.b, *[Fraction(3, 4)] * 500))

    assert least <= net.most(wire, over) <= most


def test_underflow_is_charged() -> None:
    """The square of 2^-100 is no float32 number; the nearest are 0 and 2^-149."""
    net = Net((0, 2.0**-100))
    wire = times(net.b, net.x, net.x)

    assert 2.0**-200 <= net.most(wire) <= 2.0**-147


def test_overflow_leaves_no_bound() -> None:
    """In float32 10^30 · 10^30 is infinite, in float64 it is a number."""
    net = Net((0, 10**30))
    wire = times(net.b, net.x, net.x)

    assert net.most(wire) == inf
    assert net.most(wire, "float64") < inf


@pytest.mark.parametrize(
    ("function", "low", "bounded"),
    [("recip", 1, True), ("recip", -1, False), ("sqrt", 1, True), ("sqrt", 0, False)],
)
def test_quotients_and_roots_keep_clear_of_zero(
    function: SmoothName, low: int, bounded: bool
) -> None:
    """What rounding may take there has no bound."""
    net = Net((low, 2), (0, 0))
    sum_of_both = combine(net.b, (1, net.entry(0)), (Fraction(1, 3), net.entry(1)))
    moved = combine(net.b, (1, sum_of_both), (Fraction(1, 10**9), net.entry(0)))

    assert (net.most(net.b.add(Smooth(function, moved))) < inf) == bounded


def test_an_exponential_is_charged_for_its_own_error() -> None:
    """Two units in the last place of e, at most 4·2^-24 of it."""
    net = Net((0, 1))
    wire = net.b.add(Smooth("exp", net.x))

    assert 4 * UNIT * 2.718 <= net.most(wire) <= 4.01 * UNIT * 2.7183


def test_a_softmax_strays_little() -> None:
    """It divides by a sum that is at least 1."""
    net = Net(*[(-1, 1)] * 4)
    wire = net.b.add(Softmax(net.x))

    assert UNIT <= net.most(wire) <= 40 * UNIT


def test_what_rounding_may_decide_strays_as_far_as_the_arms_are_apart() -> None:
    """x + 0.1 > 0.6 may come out otherwise near 0.5, where the value jumps from 0 to 1."""
    net = Net((0, 1))
    moved = combine(net.b, (1, net.entry(0)), (1, number(net.b, Fraction(1, 10))))
    above = net.b.add(Compare("<", number(net.b, Fraction(6, 10)), moved))
    wire = net.b.add(Select(above, number(net.b, 1), number(net.b, 0)))

    assert 1 <= net.most(wire) <= 1.001


def guarded(net: Net, arms: int) -> Wire:
    """The first of many arms x1 / 3, x1 / 4, … whose guard, that rounding may change, holds."""
    moved = combine(net.b, (1, net.entry(0)), (1, number(net.b, Fraction(1, 10))))
    value = combine(net.b, (Fraction(1, 2), net.entry(1)))
    for arm in range(arms):
        guard = net.b.add(Compare("<=", moved, number(net.b, Fraction(1, arm + 1))))
        value = net.b.add(
            Select(guard, combine(net.b, (Fraction(1, arm + 3), net.entry(1))), value)
        )
    return value


def test_a_chain_of_arms_strays_no_further_than_its_arms_are_apart() -> None:
    """Whatever guards rounding changes, both values lie between -1/2 and 1/2, moved or looked up."""
    net = Net((0, 1), (-1, 1))
    value = guarded(net, 30)
    moved = combine(net.b, (1, net.entry(0)), (1, number(net.b, Fraction(1, 10))))
    index = net.b.add(Argmax(stack(net.b, [moved, number(net.b, Fraction(1, 2))])))
    looked_up = value
    for _ in range(10):
        looked_up = net.b.add(Lookup(stack(net.b, [looked_up, net.entry(1)]), (index,)))

    assert 1 <= net.most(value) <= 1.001
    assert 2 <= net.most(looked_up) <= 2.001


@pytest.mark.parametrize("op", ["<=", "<", "=="])
@pytest.mark.parametrize(("bound", "agrees"), [("0.501", True), ("0.4", False)])
def test_what_no_arm_can_reach_is_decided_alike(op: Comparison, bound: str, agrees: bool) -> None:
    """However far the value strays from one arm to another, no arm exceeds 1/2."""
    net = Net((0, 1), (-1, 1))
    above = net.b.add(Compare(op, guarded(net, 5), number(net.b, Fraction(bound))))
    below = net.b.add(Compare(op, number(net.b, -Fraction(bound)), guarded(net, 5)))

    assert [net.read(wire).agrees(wire) for wire in (above, below)] == [agrees, agrees]


@pytest.mark.parametrize("looked_up", [False, True])
def test_an_arm_reaches_as_far_as_its_execution(looked_up: bool) -> None:
    """2^24 and eight times 1.5 may come to 2^24 + 16, though no arm exceeds 2^24 + 12 exactly."""
    net = Net((2**24, 2**24), *[(1.5, 1.5)] * 8, (0, 1))
    most = combine(net.b, *[(1, net.entry(k)) for k in range(9)])
    moved = combine(net.b, (1, net.entry(9)), (1, number(net.b, Fraction(1, 10))))
    half = number(net.b, Fraction(1, 2))
    if looked_up:
        index = net.b.add(Argmax(stack(net.b, [moved, half])))
        value = net.b.add(Lookup(stack(net.b, [most, net.entry(0)]), (index,)))
    else:
        value = net.b.add(Select(net.b.add(Compare("<=", moved, half)), most, net.entry(0)))
    within = net.b.add(Compare("<=", value, number(net.b, 2**24 + 14)))

    assert not net.read(within).agrees(within)


def test_what_rounding_cannot_decide_is_the_same() -> None:
    """x > 0.5 compares what does not stray; x + 0.1 <= 1.2 is far from turning over."""
    net = Net((0, 1))
    half, far = number(net.b, Fraction(1, 2)), number(net.b, Fraction(12, 10))
    moved = combine(net.b, (1, net.entry(0)), (1, number(net.b, Fraction(1, 10))))
    same = [net.b.add(Compare("<", half, net.entry(0))), net.b.add(Compare("<=", moved, far))]
    found = net.read(*same)

    assert all(found.agrees(wire) for wire in same)
    wire = net.b.add(Select(same[0], number(net.b, 1), number(net.b, 0)))
    assert net.most(wire) == 0


@pytest.mark.parametrize(("ahead", "agrees"), [(3, True), (2, False)])
def test_an_index_is_the_same_where_one_score_stays_ahead(ahead: int, agrees: bool) -> None:
    """Scores x0 / 3 + 3 or + 2 against x1, which is at most 2; else a table strays as far as it goes."""
    net = Net((0, 1), (0, 2))
    third = combine(net.b, (Fraction(1, 3), net.entry(0)), (1, number(net.b, ahead)))
    index = net.b.add(Argmax(stack(net.b, [third, net.entry(1)])))
    wire = net.b.add(Lookup(known(net.b, 5, 7), (index,)))

    assert net.read(index).agrees(index) == agrees
    assert net.most(wire) == pytest.approx(0 if agrees else 2)


def test_an_index_that_is_decided_exactly_may_not_be_in_floats() -> None:
    """2^24 + 1 is above 2^24 + 1/2, and in float32 it may be equal."""
    net = Net((0, 0))
    scores = known(net.b, 2**24 + 1, 2**24 + Fraction(1, 2))
    index = net.b.add(Argmax(scores))

    assert not net.read(index).agrees(index)
    assert net.read(index, over="float64").agrees(index)


def test_bounds_from_elsewhere_make_it_tighter() -> None:
    """What an engine knows of a wire's exact values narrows what is behind it."""
    net = Net((-1, 1), (-1, 1))
    inner = combine(net.b, (1, net.entry(0)), (-1, net.entry(1)))
    wire = times(net.b, inner, inner)
    circuit, model = net.b.circuit({}), programs("float32")
    narrower = {inner: (np.array(-0.5), np.array(0.5))}

    plain = straying(circuit, {}, [net.bound], model, [wire]).most(wire)
    tight = straying(circuit, {}, [net.bound], model, [wire], narrower).most(wire)

    assert tight < plain / 3


def test_the_bound_is_of_the_right_size() -> None:
    """On a small network of two layers it is within a hundred times of what is seen."""
    chance = np.random.default_rng(0)
    first, second = chance.normal(size=(16, 2)), chance.normal(size=(1, 16)) / 4
    net = Net((-1, 1), (-1, 1))
    net.weights = {
        name: Tensor(w.shape, "F32", array("d", w.astype(np.float32).astype(float).ravel()))
        for name, w in (("first", first), ("second", second))
    }
    hidden = net.b.add(Relu(matmul(net.b, net.b.add(Weight("first", (16, 2))), net.x)))
    wire = matmul(net.b, net.b.add(Weight("second", (1, 16))), hidden)
    points = chance.uniform(-1, 1, size=(2, 1000)).astype(np.float32)
    low = [
        np.array(net.weights[n].values).reshape(w.shape)
        for n, w in (("first", first), ("second", second))
    ]
    exact = low[1] @ np.maximum(low[0] @ points.astype(float), 0)
    single = [w.astype(np.float32) for w in low]
    seen = float(np.abs(single[1] @ np.maximum(single[0] @ points, 0) - exact).max())

    assert seen <= net.most(wire) <= 100 * seen


# --- formats ----------------------------------------------------------------------------------


def test_the_language_and_the_compiler_have_the_same_formats() -> None:
    """Every format that a claim may name is one that Circ rounds to."""
    assert {*SPELLED} == {*FLOATS}
    assert {*SPELLED.values()} == {*FORMATS}


@pytest.mark.parametrize("dtype", FORMATS)
def test_rounding_many_numbers_is_rounding_each(dtype: str) -> None:
    """Subnormal ones, and those beyond the largest, too."""
    chance = np.random.default_rng(1)
    sizes = 2.0 ** chance.integers(-160, 140, size=300).astype(float)
    values = np.concatenate([chance.normal(size=300) * sizes, [0.0, 65519.0, 65520.0, 3.4e38]])
    wanted = [nearest(Fraction(float(x)), dtype) for x in values]

    assert held(values, dtype).tolist() == wanted


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_numbers_of_a_format_next_to_a_rational(dtype: str) -> None:
    """The least that is not below it and the greatest that is not above it are neighbours."""
    for value in (
        Fraction(1, 3),
        Fraction(-1, 3),
        Fraction(-1) - Fraction(1, 10**9),
        Fraction(1, 10**60),
    ):
        low, high = at_most(value, dtype), at_least(value, dtype)
        assert Fraction(low) <= value <= Fraction(high)
        middle = (Fraction(low) + Fraction(high)) / 2
        assert low < high
        assert nearest(middle, dtype) in (low, high)
    assert at_least(Fraction(1), dtype) == at_most(Fraction(1), dtype) == 1
    assert at_most(Fraction(10) ** 400, dtype) == FORMATS[dtype].largest
    assert at_least(Fraction(10) ** 400, dtype) == inf
