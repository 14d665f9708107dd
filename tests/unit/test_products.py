"""Domains of several variables: which part of a condition speaks of what, and what a claim is made of."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from circ.compiler.finding import Limits
from circ.compiler.obligation import Reals
from circ.compiler.verdict import outcome
from circ.lang.products import product_of, said_alone, said_together
from circ.lang.syntax import DataSet, DomainDecl
from circ.runtime.claims import Claims
from tests.unit.lowered import codes_of, lowered

PAIRS = "domain P = {{ i: fin[3], j: fin[3], k: fin[3] | {} }}\nparam high = 1\n"


@pytest.mark.parametrize(
    ("condition", "alone", "together"),
    [
        ("i < 1 and j < 2", ["i < 1", "j < 2", ""], ""),
        ("(i < 1 and j < k) and k < 2", ["i < 1", "", "k < 2"], "j < k"),
        ("i < 1 or j < 1", ["", "", ""], "i < 1 or j < 1"),
        ("not (i < 1 and j < 1)", ["", "", ""], "not (i < 1 and j < 1)"),
        ("high < 2 and i < j <= k and j < 1", ["", "j < 1", ""], "high < 2; i < j <= k"),
    ],
)
def test_each_part_of_a_condition_is_said_once(
    condition: str, alone: list[str], together: str, tmp_path: Path
) -> None:
    """What reads one variable is said of that one, and all else of them together; none is lost, none said twice."""
    typed = lowered(PAIRS.format(condition), tmp_path).typed
    decl = typed.scope.values["P"]
    assert isinstance(decl, DomainDecl) and not isinstance(decl.value, DataSet)
    product = product_of(decl.value, typed.scope, typed.facts.scopes)
    assert product is not None
    (layer,) = product.layers

    assert [", ".join(e.span.text for e in said_alone(layer, k)) for k in range(3)] == alone
    assert "; ".join(e.span.text for e in said_together(layer)) == together


def test_what_no_variable_is_in_still_says_something(tmp_path: Path) -> None:
    """A part that reads params alone empties the domain where it does not hold, and says nothing where it does."""
    for limit, wanted in (("1", "vacuous"), ("2", "proved")):
        text = PAIRS.format(f"high < {limit} and i <= j") + "claim c: forall (i, j, k) in P: i <= j"
        verdict = Claims(lowered(text, tmp_path), Limits()).answer("c").verdict
        assert outcome(verdict) == wanted


def test_variables_are_bounded_by_what_is_said_of_them_together(tmp_path: Path) -> None:
    """The box of each has what chains over several say of it, however many entries come before its own."""
    text = """
domain D = { x: real[2], s: fin[2], y: real | 0 <= x <= y and y + x[1] <= 1 and s == 0 }
claim c: forall (u, s, v), (w, t, z) in D: v >= 0
"""
    claim = lowered(text, tmp_path).claim("c")
    boxes = {b.name: b.values.box for b in claim.binders if isinstance(b.values, Reals)}
    whole = (Fraction(0), Fraction(1))
    assert boxes == {"u": (whole,) * 2, "v": (whole,), "w": (whole,) * 2, "z": (whole,)}
    assert claim.joint_conditions == ("in (u, s, v)", "in (w, t, z)", "where")


def test_a_module_may_lend_its_product(tmp_path: Path) -> None:
    """What a domain of another file reads stays what that file means, whatever the names are here."""
    (tmp_path / "pairs.circ").write_text(
        "param high = 1\ndomain Low = { x: real | 0 <= x <= high }\n"
        "domain P = { x in Low, y: real | x <= y and y <= high }\n"
    )
    text = """
use "pairs.circ": P
param high = 0.5
domain Q = { (low, y) in P | y >= high }
claim c: forall (a, b) in Q: 0 <= a <= b and high <= b <= 1
claim d: exists (a, b) in Q: a == b == 1
claim e: exists (a, b) in Q: b == high
"""
    claims = Claims(lowered(text, tmp_path), Limits())
    assert [outcome(claims.answer(name).verdict) for name in "cde"] == ["proved"] * 3


def test_a_patch_may_be_about_several_variables(tmp_path: Path) -> None:
    """Its requirements have the condition on all of them as one of theirs."""
    text = """
checkpoint m from "model.safetensors"
domain D = { x: real, y: real | 0 <= x <= y <= 1 }
circuit f(x: real, y: real) -> real = m.w[0] * x + m.w[1] * y
patch p of f {
  edit m.w
  require forall (a, b) in D: f(a, b) <= 1
  preserve forall (a, b) in { (x, y) in D | x == y }: f(a, b) == old f(a, b)
}
"""
    plan = lowered(text, tmp_path, {"w": [0.5, 2.0]}).patch("p")
    assert plan.require[0].joint_conditions == ("in (a, b)", "where")
    assert plan.preserve[0].joint_conditions == ("in (a, b)", "where")


def test_a_condition_that_bounds_an_edited_tensor_does_not_bound(tmp_path: Path) -> None:
    """A domain rests on no tensor that the patch changes, of several variables no more than of one."""
    text = """
checkpoint m from "model.safetensors"
domain D = { x: real, y: real | 0 <= x <= y and y <= m.w[0] }
circuit f(x: real) -> real = m.w[1] * x
patch p of f { edit m.w
  require forall (a, b) in D: f(a) <= b
}
"""
    (tmp_path / "spec").mkdir()
    lowered("param a = 1", tmp_path / "spec", {"w": [0.5, 2.0]})
    assert codes_of(text, tmp_path / "spec") == ["E0301"]
