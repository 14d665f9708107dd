"""The exact reference, against a naive interpreter in Fractions, and its own rules one by one."""

from __future__ import annotations

from array import array
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.builder import Builder, both, codes, combine, reals
from circ.compiler.infer import IllFormed
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Circuit,
    Compare,
    Comparison,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
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
from circ.compiler.obligation import Bound, Box, Words
from circ.compiler.obligation import Reals as Region
from circ.compiler.readings.choices import EITHER, FALSE, TRUE, Choices
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import (
    Value,
    at_point,
    constants,
    enclose,
    intervals,
    over_box,
)
from circ.compiler.tensor import Tensor
from tests.agreement import naive
from tests.agreement.circuits import BILINEAR, DISCRETE, SMOOTH, Kind, binders_of, circuits, points

SLACK = Fraction(1, 2**300)
"""Far more than the naive reading's own error, far less than the width of an enclosure."""

LIPSCHITZ: tuple[Kind, ...] = tuple(k for k in SMOOTH if k not in (*DISCRETE, "sqrt", "reindex"))


def holds(value: Value, entries: naive.Entries) -> bool:
    """Whether an enclosure contains a tensor."""
    if isinstance(value, Choices):
        return all(x in options for x, options in zip(entries, value.sets, strict=True))
    pairs = zip(entries, value.box, strict=True)
    return all(low - SLACK <= x <= high + SLACK for x, (low, high) in pairs)


# --- against the naive reading --------------------------------------------------------------


@given(st.data())
def test_dyadic_circuits_are_exact(data: st.DataObject) -> None:
    """Without smooth functions, and with ties going to the lowest index, every wire is known
    exactly and is what the naive reading says."""
    sample = data.draw(circuits(BILINEAR))
    point = data.draw(points(data.draw(binders_of(sample.circuit))))
    found = intervals(
        sample.circuit,
        at_point(sample.circuit, point),
        sample.weights,
        choose=lambda _, tied: min(tied),
    )
    truth = naive.run(sample.circuit, point, sample.weights)
    assert {wire: naive.known(value) for wire, value in found.items()} == {
        wire: truth[wire] for wire in found
    }


@given(st.data(), st.sampled_from([8, 24, 128]))
def test_points_are_enclosed(data: st.DataObject, bits: int) -> None:
    """On a known input every wire holds its value, whatever the width, and however ties break."""
    sample = data.draw(circuits(SMOOTH))
    point = data.draw(points(data.draw(binders_of(sample.circuit))))
    choice = data.draw(st.sampled_from([naive.lowest, naive.highest]))
    found = intervals(sample.circuit, at_point(sample.circuit, point), sample.weights, bits)
    truth = naive.run(sample.circuit, point, sample.weights, choice)
    assert all(holds(value, truth[wire]) for wire, value in found.items())


@given(st.data(), st.sampled_from([8, 128]))
def test_boxes_are_enclosed(data: st.DataObject, bits: int) -> None:
    """Over a box and all words, every wire holds its value at each input within."""
    sample = data.draw(circuits(SMOOTH))
    binders = data.draw(binders_of(sample.circuit))
    point = data.draw(points(binders))
    found = intervals(sample.circuit, over_box(binders), sample.weights, bits)
    truth = naive.run(sample.circuit, point, sample.weights)
    assert all(holds(value, truth[wire]) for wire, value in found.items())


@given(st.data())
def test_enclosures_shrink_with_bits(data: st.DataObject) -> None:
    """Where no choice and no root at 0 is in the way, known inputs give bounds as close as asked."""
    sample = data.draw(circuits(LIPSCHITZ, inputs="reals"))
    point = data.draw(points(data.draw(binders_of(sample.circuit))))
    inputs = at_point(sample.circuit, point)
    for bits in (150, 300):
        (value,) = enclose(sample.circuit, inputs, sample.weights, bits, outputs=["out"]).values()
        assert isinstance(value, Reals)
        assert all(high - low <= Fraction(1, 2 ** (bits - 120)) for low, high in value.box)


@given(st.data())
def test_constants_change_nothing(data: st.DataObject) -> None:
    """Wires that read no input may be evaluated once, and then serve every input."""
    sample = data.draw(circuits(SMOOTH))
    point = data.draw(points(data.draw(binders_of(sample.circuit))))
    inputs = at_point(sample.circuit, point)
    known = constants(sample.circuit, sample.weights)
    with_them = intervals(sample.circuit, inputs, {}, known=known)
    without = intervals(sample.circuit, inputs, sample.weights)
    assert with_them.keys() == without.keys() | known.keys()
    assert all(same(with_them[wire], value) for wire, value in without.items())


def same(a: Value, b: Value) -> bool:
    """Whether two enclosures are equal."""
    if isinstance(a, Reals) and isinstance(b, Reals):
        return a.shape == b.shape and a.box == b.box
    return a == b


# --- what is evaluated, and what is refused -------------------------------------------------


def unary(make: type[Relu | Softmax | Argmax], shape: Shape) -> Circuit:
    """One op on one real input `x`, as output `y`."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), shape)))
    return b.circuit({"x": x, "y": b.add(make(x))})


def smoothed(function: SmoothName, *box: tuple[int, int]) -> Value:
    """A smooth function over a box."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (len(box),))))
    return enclose(b.circuit({"y": b.add(Smooth(function, x))}), boxed(*box), {})["y"]


def boxed(*box: tuple[Fraction | int, Fraction | int]) -> dict[str, Value]:
    """The input `x`, anywhere in a box."""
    return over_box([Bound("x", WireType(Real(), (len(box),)), Region(box_of(*box)))])


def box_of(*box: tuple[Fraction | int, Fraction | int]) -> Box:
    """Bounds as Fractions."""
    return tuple((Fraction(low), Fraction(high)) for low, high in box)


def test_only_live_wires_are_evaluated() -> None:
    """An output asks for no input and no weight that it does not depend on."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), ())))
    b.add(Input("z", WireType(Real(), ())))
    circuit = b.circuit({"y": b.add(Relu(x)), "dead": b.add(Weight("m/absent", (3,)))})
    found = enclose(circuit, at_point(circuit, {"x": [-3]}), {}, outputs=["y"])
    assert naive.known(found["y"]) == [0] and list(found) == ["y"]
    with pytest.raises(KeyError, match="m/absent"):
        enclose(circuit, at_point(circuit, {"x": [-3]}), {})


@pytest.mark.parametrize(
    ("function", "box", "reason"),
    [
        ("recip", (-1, 2), "recip: an operand may be 0"),
        ("recip", (0, 2), "recip: an operand may be 0"),
        ("sqrt", (-1, 2), "sqrt: an operand may be negative"),
        ("exp", (0, 10**7), "exp: an exponent may be more than 2097152"),
    ],
)
def test_undefined(function: SmoothName, box: tuple[int, int], reason: str) -> None:
    """A function that an entry of the box may leave undefined is an error that says why."""
    with pytest.raises(Undefined) as caught:
        smoothed(function, (1, 1), box)
    assert str(caught.value) == reason and caught.value.op == function


@pytest.mark.parametrize(
    ("inputs", "known"),
    [
        ({"x": [1, 2]}, WireType(Real(), (3,))),
        ({"x": [0, 3]}, WireType(Index(3), (2,))),
        ({"x": [0, -1]}, WireType(Index(3), (2,))),
        ({"x": [0, 1, 2]}, WireType(Index(3), (2,))),
    ],
)
def test_ill_fitting_inputs(inputs: dict[str, list[int]], known: WireType) -> None:
    """Too few entries, or a code that is no member, is caught rather than read wrongly."""
    b = Builder()
    circuit = b.circuit({"x": b.add(Input("x", known))})
    with pytest.raises(IllFormed):
        enclose(circuit, at_point(circuit, inputs), {})


def test_codes_are_whole() -> None:
    """A fraction is not rounded to a member."""
    b = Builder()
    circuit = b.circuit({"x": b.add(Input("x", WireType(Index(3), (1,))))})
    with pytest.raises(ValueError, match="1/2 is neither a code nor a truth"):
        at_point(circuit, {"x": [Fraction(1, 2)]})


def test_a_box_is_not_upside_down() -> None:
    """A lower bound above its upper bound is no box."""
    with pytest.raises(ValueError, match="above"):
        boxed((0, 1), (2, 1))


def test_ill_fitting_weights() -> None:
    """A tensor of another shape than the circuit was typed with is caught."""
    b = Builder()
    circuit = b.circuit({"w": b.add(Weight("m/w", (2,)))})
    with pytest.raises(IllFormed):
        enclose(circuit, {}, {"m/w": Tensor((1, 2), "F64", array("d", [1, 2]))})


def test_weights_are_the_rationals_they_denote() -> None:
    """0.1 is not one tenth, and the least double is not 0."""
    b = Builder()
    circuit = b.circuit({"w": b.add(Weight("m/w", (3,)))})
    tensor = Tensor((3,), "F64", array("d", [0.1, 5e-324, -1e300]))
    entries = naive.known(enclose(circuit, {}, {"m/w": tensor})["w"])
    assert entries == [Fraction(0.1), Fraction(1, 2**1074), Fraction(-1e300)]
    assert entries[0] != Fraction(1, 10)


# --- tightness ------------------------------------------------------------------------------


def test_words_may_be_any() -> None:
    """An undecided index looks up the hull of the entries; a decided one its own."""
    b = Builder()
    s = b.add(Input("s", WireType(Index(3), (2,))))
    y = b.add(Lookup(reals(b, [Fraction(1, 3), Fraction(5), Fraction(-2)], (3,)), (s,)))
    t = b.add(Lookup(codes(b, (0, 1, 0), 2, (3,)), (s,)))
    circuit = b.circuit({"y": y, "t": t})
    some = {"s": Choices((2,), (frozenset({0, 2}), frozenset({1})))}
    found = enclose(circuit, some, {})
    value = found["y"]
    assert isinstance(value, Reals) and value.box == box_of((-2, Fraction(1, 3)), (5, 5))
    assert found["t"] == Choices((2,), (frozenset({0}), frozenset({1})))
    words = Bound("s", WireType(Index(3), (2,)), Words(("a", "b", "c")))
    assert enclose(circuit, over_box([words]), {})["t"] == Choices((2,), (frozenset({0, 1}),) * 2)


@pytest.mark.parametrize(("op", "truth"), [("<", FALSE), ("<=", TRUE), ("==", TRUE)])
def test_a_wire_equals_itself(op: Comparison, truth: frozenset[int]) -> None:
    """A wire compared with itself is decided over any box."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (1,))))
    circuit = b.circuit({"y": b.add(Compare(op, x, x))})
    assert enclose(circuit, boxed((-1, 1)), {})["y"] == Choices((1,), (truth,))


def test_repeated_terms_cancel() -> None:
    """x - x + 2x/3 over -1 <= x <= 1 is at most 2/3 in size, not 8/3."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (1,))))
    y = combine(b, (1, x), (-1, x), (Fraction(2, 3), x))
    value = enclose(b.circuit({"y": y}), boxed((-1, 1)), {})["y"]
    assert isinstance(value, Reals)
    assert value.box[0][0] >= Fraction(-2, 3) - Fraction(1, 2**100)
    assert value.box[0][1] <= Fraction(2, 3) + Fraction(1, 2**100)


@pytest.mark.parametrize(
    ("spec", "box"),
    [("a,a->", [(4, 18)]), ("a,a->a", [(0, 9), (4, 9)]), ("a,b->ab", [(-3, 9)] * 3 + [(4, 9)])],
)
def test_squares_are_not_negative(spec: str, box: list[tuple[int, int]]) -> None:
    """A tensor times itself, axis by axis, is a sum of squares; an outer product is not."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    value = enclose(b.circuit({"y": b.add(Contract(spec, x, x))}), boxed((-1, 3), (2, 3)), {})["y"]
    assert isinstance(value, Reals)
    assert value.box == box_of(*box)


def test_undecided_truths() -> None:
    """One flag known to fail decides a conjunction; an open one leaves it open."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), ())))
    zero, two = reals(b, [Fraction(0)], ()), reals(b, [Fraction(2)], ())
    open_, fails = b.add(Compare("<", zero, x)), b.add(Compare("<", two, x))
    circuit = b.circuit({"both": both(b, open_, fails), "open": both(b, open_, open_)})
    region = Region(((Fraction(-1), Fraction(1)),))
    found = enclose(circuit, over_box([Bound("x", WireType(Real(), ()), region)]), {})
    assert found == {"both": Choices((), (FALSE,)), "open": Choices((), (EITHER,))}


# --- smooth functions -----------------------------------------------------------------------


def test_softmax_of_equal_scores_is_exact() -> None:
    """Uniform attention over three positions is a third each, not about a third."""
    circuit = unary(Softmax, (3,))
    value = enclose(circuit, at_point(circuit, {"x": [7, 7, 7]}), {})["y"]
    assert naive.known(value) == [Fraction(1, 3)] * 3


def test_softmax_of_huge_scores() -> None:
    """Scores of a million neither overflow nor lose the order; over a huge box all is possible."""
    circuit = unary(Softmax, (3,))
    value = enclose(circuit, at_point(circuit, {"x": [10**6, -(10**6), 10**6 - 1]}), {})["y"]
    assert isinstance(value, Reals)
    (low, high), (least, most), _ = value.box
    assert Fraction(7310, 10000) < low < high < Fraction(7311, 10000)
    assert least == 0 and 0 < most <= Fraction(1, 2**120)
    wide = enclose(circuit, boxed(*[(-(10**6), 10**6)] * 3), {})["y"]
    assert isinstance(wide, Reals)
    assert all(low == 0 and high == 1 for low, high in wide.box)


def test_rational_values_are_exact() -> None:
    """e^0, the root of a square and a reciprocal are known, so they can tie and be compared."""
    assert naive.known(smoothed("exp", (0, 0))) == [1]
    assert naive.known(smoothed("sqrt", (4, 4), (9, 9))) == [2, 3]
    assert naive.known(smoothed("recip", (3, 3), (-7, -7))) == [Fraction(1, 3), Fraction(-1, 7)]


def test_reciprocals_without_a_handy_denominator_are_rounded() -> None:
    """Many coprime denominators are not multiplied together; the bounds are close all the same."""
    numbers = [10**40 + k for k in range(200)]
    value = smoothed("recip", *((n, n) for n in numbers))
    assert isinstance(value, Reals) and not value.exact and value.den.bit_length() == 129
    assert all(
        low <= Fraction(1, n) <= high for n, (low, high) in zip(numbers, value.box, strict=True)
    )


def test_the_type_of_op_is_kept() -> None:
    """Each op's value has the type that the IR's typing rules give its wire."""
    circuit = unary(Argmax, (2, 3))
    found = intervals(circuit, at_point(circuit, {"x": range(6)}), {})
    shapes = {wire: value.shape for wire, value in found.items()}
    assert shapes == {Wire(0): (2, 3), Wire(1): (2,)}


def test_connectives_of_nothing() -> None:
    """Of no flags at all, every one holds and none does."""
    b = Builder()
    flags = b.add(Const(WireType(Bool(), (2, 0)), ()))
    circuit = b.circuit({"all": b.add(All(flags)), "any": b.add(Any(flags))})
    found = enclose(circuit, {}, {})
    assert found == {"all": Choices((2,), (TRUE, TRUE)), "any": Choices((2,), (FALSE, FALSE))}
