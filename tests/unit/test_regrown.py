"""A spec whose tensors a patch gives other shapes is checked again, and `old` keeps the shapes that they had."""

from __future__ import annotations

from array import array
from fractions import Fraction
from pathlib import Path

import pytest

from circ.compiler.driver import Program
from circ.compiler.lower.claims import lower_formula
from circ.compiler.obligation import Obligation
from circ.compiler.regrown import regrown
from circ.compiler.tensor import Tensor
from circ.lang.diagnostic import CircError
from tests.unit.lowered import lowered, value

WEIGHTS = {"mlp.W_in": [[1.0], [-1.0]], "mlp.b_in": [0.0, 0.0], "mlp.W_out": [[1.0, 2.0]]}

SPEC = """
checkpoint m from "model.safetensors"
record Layer[d, h] = {{ W_in: real[h, d], b_in: real[h], W_out: real[d, h] }}
circuit layer[d, h](w: Layer[d, h], x: real[d]) -> real[d] {{
  let hidden = relu(w.W_in @ x + w.b_in)
  return w.W_out @ hidden
}}
circuit f(x: real[1]) -> real[1] {{
  let pre    = m.mlp.W_in @ x + m.mlp.b_in
  let hidden = relu(pre)
  return m.mlp.W_out @ hidden
}}
circuit both(x: real[1]) -> real[1] = f(x) + layer(m.mlp, x)
patch p of f {{
  edit    m.mlp.b_in
  require forall x in {{ x: real[1] | -1 <= x <= 1 }}: {asked}
}}
"""

SHAPES = {"m/mlp.W_in": (3, 1), "m/mlp.b_in": (3,), "m/mlp.W_out": (1, 3)}

GROWN = {
    "m/mlp.W_in": Tensor((3, 1), "F32", array("d", [1, -1, 1])),
    "m/mlp.b_in": Tensor((3,), "F32", array("d", [0, 0, 1])),
    "m/mlp.W_out": Tensor((1, 3), "F32", array("d", [1, 2, 4])),
}


def asked(text: str, folder: Path) -> tuple[Program, Obligation]:
    """The requirement of a patch, its tensors grown by a unit."""
    program = lowered(SPEC.format(asked=text), folder, WEIGHTS)
    patch = program.typed.scope.patches["p"]
    again = regrown(program.typed, program.openers, patch, SHAPES, patch.span)
    return program, lower_formula(again, "p", patch.require[0], {}, program.weights)


@pytest.mark.parametrize(
    ("text", "now", "then"),
    [
        ("f(x) == old f(x)", 1 + 4 * 2, 1),
        ("both(x) == old both(x)", 2 * (1 + 4 * 2), 2),
        ("layer(m.mlp, x) == old layer(m.mlp, x)", 1 + 4 * 2, 1),
        ("sum(f(x).hidden) == sum(old f(x).hidden)", 1 + 2, 1),
        ("f(x) do { hidden[1] := 3 } == old (f(x) do { hidden[1] := 5 })", 1 + 6 + 8, 1 + 10),
        ("sum([ h for h in m.mlp.b_in ]) == old sum([ h + 1 for h in m.mlp.b_in ])", 1, 2),
    ],
)
def test_old_is_lowered_at_the_shapes_that_it_had(
    tmp_path: Path, text: str, now: int, then: int
) -> None:
    """At x = 1, each side by hand: what is grown reads three units, and `old` two, through calls, records, sites and
    comprehensions.
    """
    program, obligation = asked(text, tmp_path)
    weights = {**{f"old {key}": program.weights[key] for key in GROWN}, **GROWN}
    left, right = (name for name in obligation.circuit.outputs if name.startswith("show "))
    assert value(obligation, left, weights, {"x": [Fraction(1)]}) == [now]
    assert value(obligation, right, weights, {"x": [Fraction(1)]}) == [then]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("f(x).hidden == old f(x).hidden", "E0202"),
        (
            "sum([ f(x).hidden[i] - old f(x).hidden[i] for i in positions(m.mlp.b_in) ]) <= 9",
            "E0615",
        ),
        ("f(x) == layer(old m.mlp, x)", "E0616"),
        ("sum((old f(x).hidden) * [1, 1]) == sum(f(x).hidden * [1, 1])", "E0202"),
    ],
)
def test_what_does_not_fit_the_grown_tensors_is_refused(
    tmp_path: Path, text: str, code: str
) -> None:
    """A size that is written, and what would mix old and new sizes, with the place that says so."""
    with pytest.raises(CircError) as caught:
        asked(text, tmp_path)
    assert [error.code for error in caught.value.diagnostics] == ["E0617", code]
