"""What the SMT encoding leaves out: phases that cannot change, parts that cancel, certain picks."""

from __future__ import annotations

from fractions import Fraction

import pytest

from circ.compiler.builder import Builder, codes, combine, largest, matmul, stack, times, truth
from circ.compiler.ir import (
    Argmax,
    Compare,
    Input,
    Lookup,
    Relu,
    Select,
    Smooth,
    SmoothName,
    Softmax,
    Sum,
    Wire,
)
from circ.compiler.obligation import Bound
from circ.compiler.smt.encode import encode
from circ.compiler.smt.encoding import (
    Codes,
    Encoding,
    Numbers,
    Truths,
    Unsupported,
    entries_at,
)
from circ.compiler.smt.encoding import codes as codes_of
from circ.compiler.smt.formula import (
    FALSE,
    TRUE,
    Affine,
    Assert,
    Declare,
    conjunction,
    constant,
    holds,
    negation,
)
from circ.compiler.smt.terms import Satisfied, Solver, Unsatisfiable
from tests.unit.obligations import Truth, box, known, less, pick, word


def encoded(binders: list[Bound], build: Truth) -> Encoding:
    """The encoding of one output."""
    b = Builder()
    wires = {bound.name: b.add(Input(bound.name, bound.type)) for bound in binders}
    return encode(b.circuit({"out": build(b, wires)}), binders, {}, ["out"])


def declared(encoding: Encoding) -> set[str]:
    """The variables of a script."""
    return {c.name for c in encoding.commands if isinstance(c, Declare)}


def test_a_relu_whose_phase_is_fixed_leaves_no_trace() -> None:
    """Where its operand cannot be negative it is its operand, where it cannot be positive it is 0;
    only the one that can be either gets a variable."""
    shifted = [Fraction(2), Fraction(0), Fraction(-2)]

    def relus(b: Builder, wires: dict[str, Wire]) -> Wire:
        return b.add(Relu(combine(b, (1, wires["x"]), (1, known(b, *shifted)))))

    encoding = encoded([box("x", (-1, 1), (-1, 1), (-2, 2))], relus)

    x0 = Affine((("x[0]", Fraction(1)),), Fraction(2))
    relu = Affine((("relu.1", Fraction(1)),), Fraction(0))
    assert encoding.outputs["out"] == Numbers((x0, relu, constant(0)))
    assert encoding.undecided == {"relu": (1, 3)}


def test_equal_parts_cancel() -> None:
    """A network compared with a rearranged copy of itself is a constant: nothing is left to z3."""

    def copies(b: Builder, wires: dict[str, Wire]) -> Wire:
        (x,) = wires.values()
        doubled = b.add(Relu(combine(b, (2, x), (1, known(b, 1, 1)))))
        added = b.add(Relu(combine(b, (1, x), (1, known(b, 1, 1)), (1, x))))
        return b.add(Compare("==", doubled, added))

    encoding = encoded([box("x", (-1, 1), (-1, 1))], copies)

    assert encoding.outputs["out"] == Truths((TRUE, TRUE))


def test_an_absolute_value_is_one_phase() -> None:
    """max(0, -x) is max(0, x) less x, so |x| = max(0, x) + max(0, -x) is one question, not two."""

    def absolute(b: Builder, wires: dict[str, Wire]) -> Wire:
        (x,) = wires.values()
        minus = b.add(Sum(((Fraction(-1), x),)))
        return combine(b, (1, b.add(Relu(x))), (1, b.add(Relu(minus))))

    assert encoded([box("x", (-1, 1))], absolute).undecided == {"relu": (1, 2)}


def test_a_maximum_keeps_only_those_that_may_win() -> None:
    """A candidate that another always reaches is dropped; one that is left is the maximum."""
    low, high = box("x", (0, 1), (2, 3)), box("x", (0, 2), (1, 3), (-1, 0))

    def peak(b: Builder, wires: dict[str, Wire]) -> Wire:
        return largest(b, wires["x"])

    assert encoded([low], peak).undecided == {"max": (0, 1)}
    open_max = encoded([high], peak)
    assert open_max.undecided == {"max": (1, 1)}
    about = [str(c) for c in open_max.commands if isinstance(c, Assert) and "max.1" in str(c)]
    assert any("x[1]" in text for text in about)
    assert not any("x[2]" in text for text in about)


def test_a_choice_is_open_only_where_scores_may_tie() -> None:
    """Scores that are apart decide; scores that may meet, even at one point, do not."""

    def chosen(b: Builder, wires: dict[str, Wire]) -> Wire:
        return b.add(Argmax(wires["x"]))

    apart = encoded([box("x", (0, 1), (2, 3))], chosen)
    touching = encoded([box("x", (0, 1), (1, 2))], chosen)

    assert apart.outputs["out"] == Codes(((FALSE, TRUE),))
    assert apart.choices == ()
    assert len(touching.choices) == 1


def solutions(encoding: Encoding) -> list[tuple[Fraction | int, ...]]:
    """The values of the output, one for each way in which its flags can be set."""
    (hot,) = codes_of(encoding.outputs["out"])
    solver = Solver(encoding.commands, nonlinear=False)
    found: list[tuple[Fraction | int, ...]] = []
    while isinstance(answer := solver.check(60.0, lambda: None), Satisfied):
        found.append(entries_at(encoding.outputs["out"], answer.values))
        as_found = [flag if holds(flag, answer.values) else negation(flag) for flag in hot]
        solver.hold(negation(conjunction(as_found)))
    assert answer == Unsatisfiable()
    return found


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 9, 20])
def test_a_letter_is_one_of_its_members(size: int) -> None:
    """Each is possible, and never two at once, however many there are."""

    def letter(b: Builder, wires: dict[str, Wire]) -> Wire:
        return pick(b, wires["s"], 0)

    assert sorted(solutions(encoded([word("s", 1, size)], letter))) == [(i,) for i in range(size)]


def test_a_tie_is_broken_in_one_way() -> None:
    """Of equal scores each can be chosen, and never two at once."""

    def chosen(b: Builder, wires: dict[str, Wire]) -> Wire:
        return b.add(Argmax(known(b, 2, 1, 2, 2)))

    assert sorted(solutions(encoded([], chosen))) == [(0,), (2,), (3,)]


def test_what_takes_few_values_multiplies_by_cases() -> None:
    """A table's entry times an input is linear for each member, so no product is left; two inputs
    multiplied are one, and in either order the same one."""

    def scaled(b: Builder, wires: dict[str, Wire]) -> Wire:
        factor = b.add(Lookup(known(b, -1, 0, Fraction(1, 2)), (pick(b, wires["s"], 0),)))
        return times(b, factor, wires["x"])

    def squared(b: Builder, wires: dict[str, Wire]) -> Wire:
        x, y = (pick(b, wires["x"], i) for i in range(2))
        return combine(b, (1, times(b, x, y)), (1, times(b, y, x)))

    plane = box("x", (-1, 1), (-1, 1))
    assert encoded([word("s", 1, 3), plane], scaled).multiplied == 0
    assert encoded([plane], squared).multiplied == 1


def test_a_point_of_a_box_is_a_number() -> None:
    """An entry with equal bounds is known, so a product with it is linear; it is still declared."""

    def product(b: Builder, wires: dict[str, Wire]) -> Wire:
        return times(b, pick(b, wires["x"], 0), pick(b, wires["x"], 1))

    encoding = encoded([box("x", (3, 3), (-1, 1))], product)

    assert encoding.outputs["out"] == Numbers((Affine((("x[1]", Fraction(3)),), Fraction(0)),))
    assert "x[0]" in declared(encoding)


def test_a_decided_guard_selects() -> None:
    """Where a guard holds on the whole box, the other arm is not there."""

    def guarded(b: Builder, wires: dict[str, Wire]) -> Wire:
        x = pick(b, wires["x"], 0)
        return b.add(Select(less(b, x, 1), x, pick(b, wires["x"], 1)))

    encoding = encoded([box("x", (0, 1), (0, 1))], guarded)

    assert encoding.outputs["out"] == Numbers((Affine((("x[0]", Fraction(1)),), Fraction(0)),))


@pytest.mark.parametrize(
    ("function", "operand", "value"),
    [("exp", 0, 1), ("sqrt", Fraction(9, 4), Fraction(3, 2)), ("recip", 3, Fraction(1, 3))],
)
def test_a_rational_value_of_a_smooth_function_is_exact(
    function: SmoothName, operand: Fraction, value: Fraction
) -> None:
    """A function of a constant is the rational number that it is."""

    def smooth(b: Builder, _wires: dict[str, Wire]) -> Wire:
        return b.add(Smooth(function, known(b, operand)))

    assert encoded([], smooth).outputs["out"] == Numbers((constant(value),))


def test_a_softmax_of_equal_constants_is_exact() -> None:
    """Equal scores share."""

    def shared(b: Builder, _wires: dict[str, Wire]) -> Wire:
        return b.add(Softmax(known(b, 7, 7, 7)))

    assert encoded([], shared).outputs["out"] == Numbers((constant(Fraction(1, 3)),) * 3)


@pytest.mark.parametrize("function", ["exp", "sqrt", "recip"])
def test_a_smooth_function_of_an_input_is_refused_by_name(function: SmoothName) -> None:
    """Real arithmetic cannot say it, and the reason names it."""

    def smooth(b: Builder, wires: dict[str, Wire]) -> Wire:
        return b.add(Smooth(function, wires["x"]))

    with pytest.raises(Unsupported) as refused:
        encoded([box("x", (1, 2))], smooth)
    assert refused.value.op == function


@pytest.mark.parametrize(("function", "operand"), [("exp", 1), ("sqrt", 2), ("recip", 0)])
def test_an_irrational_or_undefined_value_is_refused(function: SmoothName, operand: int) -> None:
    """e, √2 and 1/0 are not rational numbers."""

    def smooth(b: Builder, _wires: dict[str, Wire]) -> Wire:
        return b.add(Smooth(function, known(b, operand)))

    with pytest.raises(Unsupported):
        encoded([], smooth)


def test_a_circuit_too_large_to_write_out_is_refused() -> None:
    """A matrix of four million entries is not tried."""

    def large(b: Builder, wires: dict[str, Wire]) -> Wire:
        picked = b.add(Lookup(known(b, *[1] * 4000), (codes(b, [0] * 4000, 4000, (4000,)),)))
        return combine(b, (1, matmul(b, picked, picked)), (1, pick(b, wires["x"], 0)))

    with pytest.raises(Unsupported) as refused:
        encoded([box("x", (0, 1))], large)
    assert refused.value.op == "size"


def test_only_what_an_output_needs_is_encoded() -> None:
    """An output that no question mentions costs nothing, though it could not be said."""
    b = Builder()
    x = b.add(Input("x", box("x", (0, 1)).type))
    circuit = b.circuit({"goal": truth(b, True), "show y": b.add(Smooth("exp", x))})

    assert encode(circuit, [box("x", (0, 1))], {}, ["goal"]).truth("goal") == TRUE


def test_a_watch_can_stop_the_encoding() -> None:
    """It is called between wires, and what it raises comes out."""
    b = Builder()
    circuit = b.circuit({"out": stack(b, [b.add(Input("x", box("x", (0, 1)).type))])})

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        encode(circuit, [box("x", (0, 1))], {}, ["out"], stop)
