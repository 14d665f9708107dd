"""A truth as numbers: it holds where all of its conjuncts are at least 0, and where those that are strict are above."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from circ.compiler.conjuncts import MOST, with_conjuncts
from circ.compiler.ir import Circuit
from circ.compiler.readings.choices import TRUE, Choices
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from tests.unit.lowered import lowered

SPEC = """
circuit f(x: real[3]) -> real[3] = [x[0] - x[1], x[1] + 0.5, x[2]]
claim c: forall x in {{ x: real[3] | -2 <= x <= 2 }}: {goal}
"""

PARTED = {
    "f(x) <= 1": 3,
    "f(x)[0] < 1": 1,
    "abs(f(x)[0]) <= 1": 4,
    "abs(f(x)) <= 1": 12,
    "norm_inf(f(x)) < 1.5": 12,
    "max(f(x)) <= 1": 3,
    "relu(f(x)[0]) + abs(f(x)[1]) <= 2 - relu(x[2])": 16,
    "2 * abs(f(x)[0]) - x[1] <= 1 and f(x)[2] == 0.5": 8,
    "f(x)[0] == f(x)[1] within 1": 2,
    "argmax(f(x)) == 1": 3,
}
"""Goals that are the conjunction of so many: a bend is 0 or what is bent, so that an `abs` is four."""

WHOLE = ("1 <= abs(f(x)[0])", "norm_1(f(x)) <= 2", "abs(abs(f(x)[0]) - 1) <= 0.5")
"""Goals with a slack that bends the other way, or has too many parts, or is a part of a bend again."""

STEPS = [Fraction(k, 2) for k in range(-4, 5)]


def conjuncts_of(goal: str, folder: Path) -> tuple[Circuit, Circuit, tuple[bool, ...]]:
    """A goal, and its conjuncts."""
    question = lowered(SPEC.format(goal=goal), folder).claim("c")
    goal_alone = Circuit(
        question.circuit.ops, question.circuit.types, {"goal": question.circuit.outputs["goal"]}
    )
    return goal_alone, *with_conjuncts(goal_alone)


@pytest.mark.parametrize("goal", [*PARTED, *WHOLE])
def test_all_conjuncts_hold_where_the_goal_does(goal: str, tmp_path: Path) -> None:
    """At every point of a grid, its ties included; a goal that holds at some points and not at others."""
    whole, parts, strict = conjuncts_of(goal, tmp_path)
    truths = set[bool]()
    for point in product(STEPS, repeat=3):
        (held,) = values(whole, point)["goal"]
        each = values(parts, point)["slack"]
        truths.add(held == 1)
        assert (held == 1) == all(
            value > 0 if above else value >= 0 for value, above in zip(each, strict, strict=True)
        )
    assert truths == {True, False}


def values(circuit: Circuit, point: tuple[Fraction, ...]) -> dict[str, tuple[Fraction | int, ...]]:
    """Outputs at a point, exactly."""
    found = dict[str, tuple[Fraction | int, ...]]()
    for name, value in enclose(circuit, at_point(circuit, {"x": point}), {}).items():
        match value:
            case Reals():
                found[name] = tuple(low for low, _ in value.box)
            case Choices():
                found[name] = tuple(int(each == TRUE) for each in value.sets)
    return found


@pytest.mark.parametrize("goal", PARTED)
def test_what_is_a_largest_is_parted(goal: str, tmp_path: Path) -> None:
    """So that each conjunct is affine where the scores are."""
    _, parts, strict = conjuncts_of(goal, tmp_path)
    assert parts.types[parts.outputs["slack"]].entries == len(strict) == PARTED[goal] <= MOST
