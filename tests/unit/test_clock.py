"""The time limit reaches exact values: what is not known in time is unknown, and nothing else."""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from time import monotonic

import pytest

from circ.compiler.builder import Builder
from circ.compiler.finding import Fails, Finding, Holds, Limits, Progress
from circ.compiler.ir import Wire
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.patching import LayerTensor, LayerUnits
from circ.compiler.readings import clock
from circ.compiler.readings.reference import at_point, constants, enclose
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.trial import trial
from circ.compiler.units.hidden import HiddenUnits
from circ.compiler.verdict import Proved, Refuted, Size, Unknown
from circ.runtime import prover
from circ.runtime.engines.exact import judge_of
from circ.runtime.patches import conflicts, reproving
from circ.runtime.patches.forms import account
from circ.runtime.patches.layers import with_units
from circ.runtime.patches.make import make_patch
from circ.runtime.patches.outcomes import NotMade, Patched
from circ.runtime.patches.receipt import receipt_path
from circ.runtime.replay import replay, replays
from circ.runtime.shares import Engine
from tests.unit.lowered import lowered
from tests.unit.obligations import box, less, obligation, pick
from tests.unit.specs import Rows, command, write_spec

PAST = 0.0
"""A moment that has passed."""

INPUT = Witness((("x", (Fraction(1),)),))


def claim() -> Obligation:
    """That x is at most a half on [0, 1], which 1 refutes."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        return less(b, pick(b, w["x"], 0), Fraction(1, 2))

    return obligation([box("x", (0, 1))], goal)


def test_the_nearest_moment_counts() -> None:
    """A later moment inside does not prolong an earlier one, and what is over is over."""
    clock.look()
    with clock.until(PAST):
        with pytest.raises(clock.TimeUp), clock.until(monotonic() + 1000):
            clock.look()
        with pytest.raises(clock.TimeUp):
            clock.look()
    clock.look()


def test_the_exact_reading_looks_at_the_clock() -> None:
    """Neither a value nor what no input changes is worked out after the moment."""
    circuit = claim().circuit
    point = at_point(circuit, dict(INPUT.values))
    with clock.until(PAST):
        with pytest.raises(clock.TimeUp):
            enclose(circuit, point, {})
        with pytest.raises(clock.TimeUp):
            constants(circuit, {})


def test_what_is_late_decides_nothing() -> None:
    """A judge leaves an input open, a trial refutes nothing, a replay is late and a list ends."""
    question = claim()
    judge = judge_of(question.circuit, {}, question.conditions)
    assert trial(question, {}, INPUT).refutes
    assert judge(dict(INPUT.values)).surely
    assert [*replays(question, {}, [INPUT])] == [(INPUT, True)]
    with clock.until(PAST):
        late = judge(dict(INPUT.values))
        assert (late.fails, late.open) == (False, clock.LATE)
        found = trial(question, {}, INPUT)
        assert (found.refutes, found.late) == (False, True)
        shown = replay(question, {}, INPUT)
        assert (shown.exact, shown.late) == (False, True)
        assert [*replays(question, {}, [INPUT])] == []


def asks(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    """Let this be the only engine."""

    def only(_question: Obligation, _weights: Weights, _limits: Limits) -> Iterator[Engine]:
        yield engine

    monkeypatch.setattr(prover, "engines", only)


def finds(_question: Obligation, _weights: Weights, _limits: Limits, _move: Progress) -> Finding:
    """An engine that finds the input without looking at the clock."""
    return Fails("a guess", (), Size(None, 1), INPUT)


def looks(_question: Obligation, _weights: Weights, _limits: Limits, _move: Progress) -> Finding:
    """An engine that works out an exact value."""
    clock.look()
    return Holds("an exact value", (), Size(None, 1))


def test_an_input_that_is_found_late_is_told_and_refutes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without time for the replay the claim is unknown, with the input; with time it is refuted."""
    asks(monkeypatch, finds)
    assert isinstance(prover.prove(claim(), {}, Limits(10.0)), Refuted)
    verdict = prover.prove(claim(), {}, Limits(timeout=0.0))
    assert isinstance(verdict, Unknown)
    assert "its exact value was left open, as the time was up" in verdict.reason
    assert verdict.hardest == INPUT
    assert "--timeout" in verdict.hint


def test_an_exists_whose_input_is_late_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An input that may be the witness proves nothing before its exact value is known."""
    asks(monkeypatch, finds)
    asked = prover.denied(replace(claim(), quantifier="forall"))
    assert isinstance(prover.prove(replace(asked, quantifier="exists"), {}, Limits(10.0)), Proved)
    verdict = prover.prove(replace(asked, quantifier="exists"), {}, Limits(timeout=0.0))
    assert isinstance(verdict, Unknown)


def test_an_engine_in_an_exact_value_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends in unknown, because the time was up."""
    asks(monkeypatch, looks)
    assert isinstance(prover.prove(claim(), {}, Limits(10.0)), Proved)
    verdict = prover.prove(claim(), {}, Limits(timeout=0.0))
    assert isinstance(verdict, Unknown)
    assert verdict.reason == "an exact value was left open, as the time was up"


def test_a_value_that_is_late_is_pytorchs_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`circ run` shows what PyTorch computed, says why there is no more, and ends with code 2."""
    spec = tmp_path / "spec.circ"
    spec.write_text("circuit f(x: real) -> real = relu(x) + 1\n")
    assert command("run", spec, "f(2)", "--timeout", "0") == 2
    shown = capsys.readouterr().out
    assert re.search(r"exact +unknown\n +PyTorch \(float64\) +3", shown)
    assert "the time was up; `--timeout SECONDS`" in shown
    assert command("run", spec, "f(2)", "--timeout", "0", "--json") == 2
    data = json.loads(capsys.readouterr().out)
    assert (data["exact"], data["torch"], data["late"]) == (None, 3.0, True)
    assert command("run", spec, "f(2)") == 0


FORMS = """
space Out = real[2]
checkpoint m from "model.safetensors" { b: Out, W: real[2, 2] }
circuit f(x: Out) -> Out = m.W @ x + m.b
domain Box = { x: Out | -1 <= x <= 1 }
patch quiet of f {
  project  m.W[:, _], m.b off span [1, 2]
  require  forall x in Box: f(x) <= 99
}
patch near of f {
  clamp    m.b along [1, 0] to [0, 1]
  require  forall x in Box: f(x) <= 99
}
"""
NUMBERS: dict[str, Rows] = {"W": [[1.0, 2.0], [3.0, 4.0]], "b": [5.0, 6.0]}


@pytest.mark.parametrize("name", ["quiet", "near"])
def test_a_form_that_is_late_is_no_patch(name: str, tmp_path: Path) -> None:
    """However fast it would be: nothing is computed after the moment, and that is what is said."""
    program = lowered(FORMS, tmp_path, NUMBERS)
    plan = program.patch(name)
    assert isinstance(make_patch(plan, program.weights), Patched)
    with clock.until(PAST):
        found = make_patch(plan, program.weights)
    assert isinstance(found, NotMade)
    assert found.reason == "time ran out while its forms were computed"


def test_units_that_are_late_are_none() -> None:
    """Neither what a tensor holds of them nor what rounding does to them is worked out after the moment."""
    one = (Fraction(1),)
    units = HiddenUnits((one,), one, (one,), one)
    targets = (
        LayerTensor("m", "rows", "rows", 0),
        LayerTensor("m", "biases", "biases", 0),
        LayerTensor("m", "columns", "columns", 0),
    )
    form = LayerUnits("units", targets, False, units, ((Fraction(0), Fraction(1)),), True)
    before = {target.key: Tensor((1, 1), "F32", array("d", [1.0])) for target in targets}
    (rows, *_) = targets
    assert with_units(form, rows, before[rows.key]).shape == (2, 1)
    with clock.until(PAST):
        with pytest.raises(clock.TimeUp):
            with_units(form, rows, before[rows.key])
        with pytest.raises(clock.TimeUp):
            account(form, before)


def test_what_is_late_of_a_conflict_claims_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is computed exactly, and the inputs that stand in the way are put to the exact reference: where there is no time, nothing is said."""

    spec = write_spec(tmp_path, CONTRARY, NUMBERS)
    assert command("patch", spec) == 1
    assert "conflict" in capsys.readouterr().out
    monkeypatch.setattr(conflicts, "excluded", past)
    assert command("patch", spec) == 2
    assert "nothing shows that there is none: the time was up" in capsys.readouterr().out
    monkeypatch.setattr(conflicts, "stray", past)
    assert command("patch", spec) == 2
    assert "time ran out while the inputs that stood" in capsys.readouterr().out


CONTRARY = """
checkpoint m from "model.safetensors"
circuit f(s: fin[2, 1]) -> real = m.b[0]
patch both of f {
  edit     m.b
  require  forall s in { s: fin[2, 1] }: f(s) >= 2
  require  forall s in { s: fin[2, 1] }: f(s) <= 1
}
"""


@pytest.mark.parametrize("late", ["computed", "accounts"])
def test_an_audit_that_is_late_decides_nothing(
    late: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a patch computes, and what its receipt says of that, is computed again in time or not at all."""
    spec = write_spec(tmp_path, FORMS, NUMBERS)
    assert command("patch", spec, "quiet", "--out", tmp_path / "out.safetensors") == 0
    capsys.readouterr()
    again = getattr(reproving, late)

    def slow(*given: object) -> object:
        with clock.until(PAST):
            return again(*given)

    monkeypatch.setattr(reproving, late, slow)
    assert command("audit", receipt_path(tmp_path / "out.safetensors")) == 2
    assert "was not computed again in time" in capsys.readouterr().out


def test_a_lower_bound_that_is_late_is_not_taken_for_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The receipt says how small a change could be: an audit without the time to compute it again repeats nothing of it, and decides nothing."""
    text = CONTRARY.replace("  require  forall s in { s: fin[2, 1] }: f(s) <= 1\n", "")
    text = text.replace("f(s) >= 2", "f(s) >= 99")
    spec, receipt = write_spec(tmp_path, text, NUMBERS), receipt_path(tmp_path / "out.safetensors")
    assert command("patch", spec, "--out", tmp_path / "out.safetensors") == 0
    assert command("audit", receipt) == 0
    assert "minimal within" in capsys.readouterr().out
    monkeypatch.setattr(reproving, "least_size", past)
    assert command("audit", receipt) == 2
    said = capsys.readouterr().out
    assert "was not computed again in time" in said
    assert "minimal within" not in said
    assert command("audit", receipt, "--json") == 2
    assert json.loads(capsys.readouterr().out)["holds"] is None


def past(*_: object) -> object:
    """What looks at the clock too late."""
    with clock.until(PAST):
        clock.look()
    return None
