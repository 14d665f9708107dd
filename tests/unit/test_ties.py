"""Ties between known scores: open until chosen, chosen alike, and every choice followed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.builder import Builder, reals
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Input,
    Lookup,
    Real,
    Relu,
    Smooth,
    Sum,
    WireType,
)
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.intervals import Scores
from circ.compiler.readings.reference import at_point, constants, enclose
from circ.compiler.readings.ties import every_choice
from circ.compiler.readings.tops import Kept
from tests.agreement import naive
from tests.agreement.circuits import BILINEAR, binders_of, circuits, points


@given(st.data())
def test_every_choice_is_followed(data: st.DataObject) -> None:
    """Each outcome is what the naive reading gives under that very choice; choosing the lowest
    index, or the highest, throughout is among them."""
    sample = data.draw(circuits(BILINEAR, steps=6))
    point = data.draw(points(data.draw(binders_of(sample.circuit))))
    inputs = at_point(sample.circuit, point)
    outcomes = list(every_choice(sample.circuit, inputs, sample.weights))
    found = [{name: naive.known(v) for name, v in outcome.outputs.items()} for outcome in outcomes]

    def named(choice: naive.Choice) -> dict[str, naive.Entries]:
        truth = naive.run(sample.circuit, point, sample.weights, choice)
        return {name: truth[wire] for name, wire in sample.circuit.outputs.items()}

    for outcome, outputs in zip(outcomes, found, strict=True):
        assert outputs == named(partial(followed, outcome.choice))
    assert named(naive.lowest) in found and named(naive.highest) in found


def followed(
    choice: Mapping[Scores, int], scores: tuple[Fraction, ...], options: list[naive.Places]
) -> naive.Places:
    """The places that an outcome took one by one; the first ones where there was no tie."""
    count = len(options[0])
    always = {place for place in options[0] if all(place in option for option in options)}
    picked: naive.Places = ()
    while len(options) > 1:
        asked = scores if count == 1 else (*scores, Kept(count, picked))
        rest = min(min(set(option) - always - {*picked}) for option in options)
        picked = (*picked, choice.get(asked, rest))
        options = [x for x in options if [*sorted({*x} - always)][: len(picked)] == [*picked]]
    return options[0]


def twice() -> Circuit:
    """Whether two argmaxes over the same scores, computed apart, agree."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (3,))))
    again = b.add(Sum(((Fraction(1), x), (Fraction(0), b.add(Relu(x))))))
    same = b.add(Compare("==", b.add(Argmax(x)), b.add(Argmax(again))))
    return b.circuit({"same": same, "first": b.add(Argmax(x))})


def test_ties_are_open_until_chosen() -> None:
    """Without a choice all tied indices stay possible; `choose` learns of the scores and decides."""
    circuit, met = twice(), list[object]()
    inputs = at_point(circuit, {"x": [1, Fraction(-1, 2), 1]})
    assert enclose(circuit, inputs, {})["first"] == Choices((), (frozenset({0, 2}),))

    def choose(scores: Scores, tied: frozenset[int]) -> int | None:
        met.append((scores, tied))
        return 2

    assert enclose(circuit, inputs, {}, choose=choose)["first"] == Choices((), (frozenset({2}),))
    assert set(met) == {((1, Fraction(-1, 2), 1), frozenset({0, 2}))}


def test_equal_scores_are_broken_alike() -> None:
    """A tie met twice is one choice, not two: the two argmaxes agree in every outcome."""
    circuit = twice()
    outcomes = list(every_choice(circuit, at_point(circuit, {"x": [1, 1, 1]}), {}))
    assert [[*outcome.choice.items()] for outcome in outcomes] == [
        [((Fraction(1),) * 3, k)] for k in range(3)
    ]
    assert all(naive.known(outcome.outputs["same"]) == [1] for outcome in outcomes)


def test_a_choice_is_among_the_tied() -> None:
    """A choice function that picks a lower score is refused."""
    circuit = twice()
    with pytest.raises(ValueError, match=r"the choice of 1 is not among the tied \[0, 2\]"):
        enclose(circuit, at_point(circuit, {"x": [1, 0, 1]}), {}, choose=lambda _scores, _tied: 1)


def test_scores_that_are_not_known_are_no_tie() -> None:
    """e^√(2 + e) less itself is 0, but nothing says so: both indices stay open, and nobody is asked."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    inner = b.add(
        Smooth("sqrt", b.add(Sum(((Fraction(1), x), (Fraction(1), b.add(Smooth("exp", x)))))))
    )
    circuit = b.circuit({"y": b.add(Argmax(b.add(Smooth("exp", inner))))})
    inputs = at_point(circuit, {"x": [1, 1]})
    (outcome,) = every_choice(circuit, inputs, {})
    assert outcome.choice == {}
    assert outcome.outputs["y"] == Choices((), (frozenset({0, 1}),))


def test_irrational_scores_tie_where_their_closed_forms_are_equal() -> None:
    """√2 ties with √2, and is broken like 2√2 / 2; √3 stands above both and leaves nothing to choose."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    root = b.add(Smooth("sqrt", x))
    double = b.add(Smooth("sqrt", b.add(Sum(((Fraction(4), x),)))))
    halved = b.add(Sum(((Fraction(1, 2), double),)))
    circuit = b.circuit({"y": b.add(Argmax(root)), "again": b.add(Argmax(halved))})
    tied = [*every_choice(circuit, at_point(circuit, {"x": [2, 2]}), {})]
    assert [naive.known(one.outputs["y"]) for one in tied] == [[0], [1]]
    assert all(one.outputs["y"] == one.outputs["again"] for one in tied)
    (apart,) = every_choice(circuit, at_point(circuit, {"x": [2, 3]}), {})
    assert naive.known(apart.outputs["y"]) == [1]


def test_ties_of_constants_are_chosen_too() -> None:
    """What reads no input is evaluated beforehand, but not where a choice is still to be made."""
    b = Builder()
    circuit = b.circuit({"y": b.add(Argmax(reals(b, [Fraction(1)] * 2, (2,))))})
    outcomes = every_choice(circuit, {}, {}, known=constants(circuit, {}))
    assert [naive.known(outcome.outputs["y"]) for outcome in outcomes] == [[0], [1]]


def test_ties_that_change_nothing_are_one_outcome() -> None:
    """Where each of the tied indices leads to the same outputs, they are not gone through."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (3,))))
    read = b.add(Lookup(b.add(Relu(x)), (b.add(Argmax(x)),)))
    circuit = b.circuit({"read": read, "place": b.add(Argmax(x))})
    inputs = at_point(circuit, {"x": [1, 1, 1]})
    (outcome,) = every_choice(circuit, inputs, {}, outputs=["read"])
    assert naive.known(outcome.outputs["read"]) == [1]
    assert len(list(every_choice(circuit, inputs, {}, outputs=["place"]))) == 3
