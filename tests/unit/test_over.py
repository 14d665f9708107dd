"""Claims over floats: what proves them, what refutes them, and what else speaks of them."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from circ.compiler.audit.audit import audited
from circ.compiler.audit.rejected import Rejected
from circ.compiler.builder import Builder, codes, combine, number, stack
from circ.compiler.finding import Limits
from circ.compiler.ir import Argmax, Compare, Not, Wire
from circ.compiler.obligation import Bound
from circ.compiler.rounding import nearest
from circ.compiler.verdict import Proved, Refuted, Unknown, Vacuous, Verdict
from circ.runtime.certificates.inputs import write_by_inputs
from circ.runtime.prover import prove
from tests.unit.obligations import Truth, always, box, less, obligation, pick, word
from tests.unit.specs import command, write_spec

Wires = dict[str, Wire]

UNIT_BOX = box("x", (0, 1))
LARGE = 10**8


def decided(
    goal: Truth, bound: Bound = UNIT_BOX, where: Truth = always, over: str | None = "float32"
) -> Verdict:
    """The verdict on a claim about the box."""
    return prove(replace(obligation([bound], goal, where), over=over), {}, Limits(timeout=20))


def at_most(limit: float | Fraction) -> Truth:
    """x0 / 3 <= limit."""

    def goal(b: Builder, wires: Wires) -> Wire:
        return less(b, combine(b, (Fraction(1, 3), pick(b, wires["x"], 0))), limit)

    return goal


def there_and_back(b: Builder, wires: Wires) -> Wire:
    """x0 <= x0 + 10^8 - 10^8 + 1/1000."""
    x = pick(b, wires["x"], 0)
    back = combine(b, (1, combine(b, (1, x), (1, number(b, LARGE)))), (1, number(b, -LARGE)))
    return b.add(Compare("<=", x, combine(b, (1, back), (1, number(b, Fraction(1, 1000))))))


def test_it_is_proved_with_rounding_to_spare() -> None:
    """A third is the greatest exact value: 0.3334 leaves room for float32, not for bfloat16."""
    assert isinstance(decided(at_most(Fraction(3334, 10000))), Proved)
    assert isinstance(decided(at_most(Fraction(1, 3)), over=None), Proved)
    assert not isinstance(decided(at_most(Fraction(1, 3))), Proved)
    assert not isinstance(decided(at_most(Fraction(3334, 10000)), over="bfloat16"), Proved)


def test_pytorch_refutes_what_is_true_of_real_numbers() -> None:
    """The input is a float32 number; the replay shows that exact arithmetic says otherwise."""
    assert isinstance(decided(there_and_back, over=None), Proved)
    found = decided(there_and_back)

    assert isinstance(found, Refuted)
    assert found.example is not None
    (entry,) = found.example.witness["x"]
    assert nearest(Fraction(entry), "F32") == entry
    assert found.example.replay.torch
    assert not found.example.replay.exact


def test_what_no_execution_was_seen_to_break_is_not_refuted() -> None:
    """1/3 <= fl(1/3) at every float32 input, as executed; of real numbers it is false beside 1."""
    limit = Fraction(1, 3) - Fraction(1, 10**12)
    exact, over = decided(at_most(limit), over=None), decided(at_most(limit))

    assert isinstance(exact, Refuted)
    assert isinstance(over, Unknown)
    assert "no execution that fails was found" in over.reason


def test_a_box_without_numbers_of_the_format_is_vacuous() -> None:
    """Between a tenth and a tenth there is none; from 0 to a tenth there are some."""
    tenth = Fraction(1, 10)

    assert isinstance(decided(at_most(-1), box("x", (tenth, tenth))), Vacuous)
    assert isinstance(decided(at_most(1), box("x", (0, tenth))), Proved)


def test_a_where_that_executions_may_meet_counts() -> None:
    """x / 3 > 5/24 may be met a little below 5/8, so x > 5/8 is not proved there; x > 0.62 is."""

    def where(b: Builder, wires: Wires) -> Wire:
        return b.add(Not(at_most(Fraction(5, 24))(b, wires)))

    def above(limit: float | Fraction) -> Truth:
        def goal(b: Builder, wires: Wires) -> Wire:
            return b.add(Not(less(b, pick(b, wires["x"], 0), limit)))

        return goal

    assert isinstance(decided(above(Fraction(5, 8)), where=where, over=None), Proved)
    assert not isinstance(decided(above(Fraction(5, 8)), where=where), Proved)
    assert isinstance(decided(above(Fraction(62, 100)), where=where), Proved)


def test_a_choice_keeps_clear_of_rivals_by_both_errors() -> None:
    """2^24 + 1 + x is above 2^24 + 1/2, and both are 2^24 in float32: PyTorch takes the first."""

    def goal(b: Builder, wires: Wires) -> Wire:
        moved = combine(b, (1, pick(b, wires["x"], 0)), (1, number(b, 2**24 + 1)))
        chosen = b.add(Argmax(stack(b, [number(b, 2**24 + Fraction(1, 2)), moved])))
        return b.add(Compare("==", chosen, codes(b, [1], 2, ())))

    quarter = box("x", (0, Fraction(1, 4)))
    assert isinstance(decided(goal, quarter, over=None), Proved)
    assert isinstance(decided(goal, quarter, over="float64"), Proved)
    assert isinstance(decided(goal, quarter), Refuted)


def test_a_domain_is_about_exact_numbers() -> None:
    """An input outside the domain refutes nothing, whatever executions make of its conditions."""
    never = decided(at_most(1), where=lambda b, w: less(b, pick(b, w["x"], 0), -1))

    assert isinstance(never, Vacuous)


def test_a_certificate_of_exact_numbers_proves_nothing_over_floats() -> None:
    """The same claim over float32 is another one, and has no certificate."""
    claim = obligation([word("s", 1, 2)], always)
    stream = BytesIO()
    write_by_inputs(claim, {}, float("inf"), stream)

    stream.seek(0)
    assert audited(claim, {}, stream).words == 2
    stream.seek(0)
    with pytest.raises(Rejected, match="float executions"):
        audited(replace(claim, over="float32"), {}, stream)


OVER = """
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[2] = m.W @ relu(x) + m.b
domain Box = { x: real[2] | -1 <= x <= 1 }
claim real: forall x in Box: f(x)[0] <= 3.5
claim floats over float32: forall x in Box: f(x)[0] <= 3.5
"""


def claims(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """What `circ prove --json` says of each claim."""
    spec = write_spec(folder, OVER)
    command("prove", spec, "--json", *words)
    found = json.loads(capsys.readouterr().out)["claims"]
    return {claim["claim"]: claim for claim in found}


def test_a_proof_on_a_box_says_how_far_floats_stray(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of real numbers it is told beside the proof; over float32 every execution meets the claim."""
    found = claims(tmp_path, capsys)

    for name, over in (("real", None), ("floats", "float32")):
        claim = found[name]
        assert (claim["over"], claim["verdict"]) == (over, "proved")
        assert claim["rounding"]["format"] == "float32"
        assert 0 < claim["rounding"]["strays"]["f(x)[0]"] < 1e-6
    assert found["floats"]["rounding"]["meets"]


def test_it_has_no_certificate_and_no_smt_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither says what executions do."""
    found = claims(tmp_path, capsys, "floats", "--certificate", str(tmp_path / "proofs"))

    assert found["floats"]["no_certificate"] == "it is about float32 executions"
    assert command("compile", tmp_path / "spec.circ", "floats", "--to", "smt2") == 4
    assert "float32 executions" in capsys.readouterr().err
