"""`circ compile --to smt2`: z3's own parser and cvc5 read what is written, and give the claim's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agreement.solvers import cvc5_says, z3_says
from tests.unit.specs import command, write_spec
from tests.unit.test_export import CLAIMS, SPEC, WEIGHTS

ROOT = Path(__file__).resolve().parents[2]

MORE = """
circuit state[n](s: Bit[n]) -> Bit = fold q = zero over c in s: match (q, c) {
  (zero, one) => one
  (one, one)  => zero
  _           => q
}
domain Words = { s: Bit[4] | s matches one (zero | one)* zero }
domain Wide  = { s: Bit[5] | count { c in s | c == one } <= 3 }
"""

OF_WORDS = {
    "fold": "forall s in Words: state(s) == one",
    "fold of counts": "forall s in Wide where count { c in s | c == one } == 2: state(s) == zero",
    "two words": "forall s, t in Words where state(s) == state(t): s[1] == t[1] or s[2] != t[2]",
    "word of a box": "exists s in Words, x in Box: state(s) == one and f(x)[0] >= 3.5",
    "read at argmax": "forall x in Box: f(x)[argmax(f(x))] <= 3",
    "topk": "forall x in Box: dot(topk(1, f(x)), f(x)) == max(f(x))",
    "topk of two": "forall x in Box where f(x)[0] > f(x)[1]: dot(topk(2, f(x)), [1, 2, 4]) != 6",
    "hardmax": "forall x in Box: sum(hardmax(f(x))) == 1",
    "two ties": "forall x, y in Box where f(x) == f(y): argmax(f(x)) == argmax(f(y))",
}
QUESTIONS = CLAIMS | OF_WORDS


@pytest.mark.parametrize("name", QUESTIONS)
def test_both_solvers_answer_as_circ_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`unsat` where a `forall` is proved or an `exists` refuted, `sat` where it is the other way round."""
    spec = write_spec(tmp_path, f"{SPEC}{MORE}\nclaim it: {QUESTIONS[name]}\n", WEIGHTS)
    out = tmp_path / "it.smt2"
    assert command("compile", spec, "it", "--to", "smt2", "-o", out) == 0
    code = command("prove", spec, "it")
    assert code in (0, 1), capsys.readouterr()
    wanted = "sat" if (code == 0) == QUESTIONS[name].startswith("exists") else "unsat"

    assert z3_says(out.read_text()) == wanted
    assert cvc5_says(out.read_text()) == wanted


BRAKING, QUOTES = "braking/braking.circ", "quote_closing/quote.circ"

EXAMPLES = {
    (BRAKING, "brakes"): "unsat",
    (BRAKING, "keeps"): "sat",
    (BRAKING, "keeps_dry"): "unsat",
    (QUOTES, "no_blank"): "unsat",
}
"""The claims of the examples that real arithmetic can say, and what their READMEs tell of them."""


@pytest.mark.slow
@pytest.mark.parametrize("claim", EXAMPLES, ids=lambda claim: claim[1])
def test_claims_of_the_examples_are_answered_alike(claim: tuple[str, str], tmp_path: Path) -> None:
    """cvc5 decides each of them; z3 may give up within its time, and says nothing else."""
    file, name = claim
    spec = ROOT / "examples" / file
    out = tmp_path / "it.smt2"
    assert command("compile", spec, name, "--to", "smt2", "-o", out) == 0
    assert (command("prove", spec, name) == 0) == (EXAMPLES[claim] == "unsat")

    assert cvc5_says(out.read_text()) == EXAMPLES[claim]
    assert z3_says(out.read_text()) in {EXAMPLES[claim], "unknown"}
