"""A goal that is called concave in the edited tensors has a slack that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from circ.compiler.freeze import concave, in_jumps
from circ.compiler.margin import surrogate, with_slack
from tests.unit.lowered import lowered

SPEC = """
enum C = { a, b }
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[C] = m.W @ x
domain D = { x: real[2] | -1 <= x <= 1 }
claim asked: forall x, y in D: """

CONCAVE = {
    "f(x)[a] <= 1": True,
    "f(x)[a] == 1 within 0.1": True,
    "f(x)[a] <= 1 and f(y)[b] < f(x)[a]": True,
    "argmax(f(x)) == a": True,
    "f(x)[a] <= 1 or f(x)[b] <= 1": False,
    "argmax(f(x)) != a": False,
    "argmax(f(x)) == argmax(f(y))": False,
    "(f(x)[a] <= 1) == (x[0] <= 0)": False,
    "relu(f(x))[0] <= 1": True,
    "relu(f(x))[0] >= 1": False,
    "relu(f(x))[0] == 1": False,
    "abs(f(x)[a]) <= 1": True,
    "1 >= abs(f(x)[a])": True,
    "abs(f(x)[a]) >= 1": False,
    "abs(f(x)[a]) - abs(f(x)[b]) <= 1": False,
    "norm_inf(f(x)) <= 1": True,
    "max(f(x)[a], f(x)[b]) <= 1": True,
    "min(f(x)[a], f(x)[b]) >= 1": True,
    "min(f(x)[a], f(x)[b]) <= 1": False,
    "x[0] * abs(f(x)[a]) <= 1": False,
    "argmax(relu(f(x))) == a": False,
    "hardmax(f(x))[a] == 1": False,
    "topk(2, f(x))[a] <= 0": False,
}
"""By hand: at W = 0 and halfway to two weights at which each disjunct, or agreement, holds."""


@pytest.mark.parametrize("goal", CONCAVE)
def test_a_conjunction_of_convex_below_concave_is_concave(goal: str, tmp_path: Path) -> None:
    """And nothing else is: a tangent to it would cut off solutions."""
    program = lowered(SPEC + goal, tmp_path, {"W": [[1, 0], [0, 1]]})
    assert concave(program.claim("asked").circuit, ["m/W"]) == CONCAVE[goal]


JUMPS = {
    "hardmax(f(x))[a] == 1": True,
    "topk(2, f(x))[a] == 1 and x[0] <= 1": True,
    "dot(topk(2, f(x)), f(x)) <= 1": False,
    "argmax(f(x)) == a": False,
    "x[0] <= 1": False,
}


@pytest.mark.parametrize("goal", JUMPS)
def test_a_goal_that_moves_in_jumps_has_no_slope(goal: str, tmp_path: Path) -> None:
    """What weights reach only through a choice of entries gives a solver nothing to follow; what they
    do not reach at all needs none."""
    circuit = lowered(SPEC + goal, tmp_path, {"W": [[1, 0], [0, 1]]}).claim("asked").circuit
    followed = with_slack(circuit, ["goal"], surrogate)
    assert in_jumps(followed, "slack goal", ["m/W"]) == JUMPS[goal]
