"""Margins: signed, exact slack; and the surrogate that searches follow."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, both, codes, either, every, implies, number, reals
from circ.compiler.ir import (
    Argmax,
    Bool,
    Compare,
    Const,
    Index,
    Input,
    Lookup,
    Not,
    Real,
    Reindex,
    Select,
    Wire,
    WireType,
)
from circ.compiler.margin import LARGE, Slack, margin, surrogate, with_slack
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from tests.agreement.circuits import PIECEWISE, Point, Sample, binders_of, circuits, points

Build = Callable[[Builder, Wire], Wire]


def slack_at(build: Build, x: tuple[float, ...], of: Slack = margin) -> Fraction | None:
    """The slack of a truth about a vector, at one vector."""
    b = Builder()
    goal = build(b, b.add(Input("x", WireType(Real(), (len(x),)))))
    circuit = with_slack(b.circuit({"goal": goal}), ["goal"], of)
    if "slack goal" not in circuit.outputs:
        return None
    point = at_point(circuit, {"x": [Fraction(entry) for entry in x]})
    value = enclose(circuit, point, {})["slack goal"]
    assert isinstance(value, Reals)
    ((low, high),) = value.box
    assert low == high
    return low


def entry(b: Builder, x: Wire, place: int) -> Wire:
    """One entry of a vector."""
    return b.add(Reindex((x,), (place,), ()))


def below(b: Builder, x: Wire, limit: int) -> Wire:
    """The first entry is at most `limit`."""
    return b.add(Compare("<=", entry(b, x, 0), number(b, limit)))


TABLE: dict[str, tuple[Build, tuple[float, ...], float]] = {
    "a <= b": (lambda b, x: below(b, x, 3), (1,), 2),
    "a <= b, false": (lambda b, x: below(b, x, 3), (5,), -2),
    "not": (lambda b, x: b.add(Not(below(b, x, 3))), (5,), 2),
    "and": (lambda b, x: both(b, below(b, x, 3), below(b, x, 2)), (0,), 2),
    "or": (lambda b, x: either(b, below(b, x, 3), below(b, x, 2)), (0,), 3),
    "implies": (lambda b, x: implies(b, below(b, x, 3), below(b, x, 2)), (2.5,), -0.5),
    "all entries": (
        lambda b, x: every(b, b.add(Compare("<", reals(b, [Fraction(0)] * 3, (3,)), x))),
        (4, 1, 2),
        1,
    ),
    "a == b": (lambda b, x: b.add(Compare("==", entry(b, x, 0), entry(b, x, 1))), (4, 1), -3),
    "cases": (
        lambda b, x: b.add(Select(below(b, x, 0), below(b, x, 7), below(b, x, 3))),
        (1,),
        2,
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_margin_is_the_slack_as_written(case: str) -> None:
    """`a <= b` has slack b - a; `and` takes the least, `or` the most, `not` the opposite."""
    build, x, expected = TABLE[case]

    assert slack_at(build, x) == Fraction(expected)


def is_argmax(member: int) -> Build:
    """`argmax(x) == member`."""
    return lambda b, x: b.add(Compare("==", b.add(Argmax(x)), codes(b, [member], 3, ())))


def test_a_discrete_atom_has_no_margin() -> None:
    """`argmax(x) == 1` is true or false and nothing between, alone or beside a real comparison."""
    assert slack_at(is_argmax(1), (1, 2, 3)) is None
    assert slack_at(lambda b, x: both(b, is_argmax(1)(b, x), below(b, x, 3)), (1, 2, 3)) is None


def in_table(*truths: bool) -> Build:
    """Whether a table holds at `argmax(x)`."""
    table = Const(WireType(Bool(), (3,)), truths)
    return lambda b, x: b.add(Lookup(b.add(table), (b.add(Argmax(x)),)))


def renamed(b: Builder, x: Wire) -> Wire:
    """`argmax(x)`, its members 0 and 2 taken as 1, is 1."""
    table = codes(b, [1, 0, 1], 2, (3,))
    return b.add(Compare("==", b.add(Lookup(table, (b.add(Argmax(x)),))), codes(b, [1], 2, ())))


SURROGATES: dict[str, tuple[Build, tuple[float, ...], float]] = {
    "argmax is it": (is_argmax(2), (1, 5, 8), 3),
    "argmax is another": (is_argmax(0), (1, 5, 8), -7),
    "table, inside": (in_table(True, False, True), (6, 1, 5), 5),
    "table, outside": (in_table(True, False, True), (1, 7, 5), -2),
    "renamed": (renamed, (1, 4, 5), 1),
    "known": (lambda b, _x: b.add(Const(WireType(Bool(), ()), (True,))), (1,), int(LARGE)),
}


@pytest.mark.parametrize("case", SURROGATES)
def test_the_surrogate_of_a_choice_is_a_difference_of_scores(case: str) -> None:
    """It says how far the score of what is claimed stands above the best of the rest."""
    build, x, expected = SURROGATES[case]

    assert slack_at(build, x, surrogate) == Fraction(expected)


@pytest.mark.parametrize("of", [margin, surrogate])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_sign_of_a_slack_is_never_wrong(data: st.DataObject, of: Slack) -> None:
    """Positive only where the truth holds, negative only where it does not, however ties go."""
    sample: Sample = data.draw(circuits(PIECEWISE))
    circuit = with_slack(sample.circuit, ["goal"], of)
    row: Point = data.draw(points(data.draw(binders_of(circuit))))
    found = enclose(circuit, at_point(circuit, row), sample.weights)
    goal, slack = found["goal"], found.get("slack goal")

    assert isinstance(goal, Choices)
    if isinstance(slack, Reals):
        ((low, high),) = slack.box
        (truths,) = goal.sets
        assert low <= 0 or True in truths
        assert high >= 0 or False in truths


def test_indices_out_of_reach_have_no_surrogate() -> None:
    """An index that is an input was not chosen by score, so there is nothing to follow."""
    b = Builder()
    s = b.add(Input("s", WireType(Index(3), ())))
    goal = b.add(Compare("==", s, codes(b, [1], 3, ())))

    assert surrogate(b, goal) is None
