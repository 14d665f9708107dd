"""What is said where something was typed another way, or goes wrong: the way on, in the words of the user."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from circ.compiler.finding import MORE_TIME, Stuck
from circ.compiler.verdict import Size
from circ.runtime import prover
from circ.runtime.engines.boxes import MORE_MEMORY
from circ.runtime.repl.session import Session
from circ.runtime.report import decided_text, size_text
from circ.runtime.session import Request, checked
from tests.unit import files
from tests.unit.specs import DETECTOR, command, write_spec
from tests.views import diagnose

AROUND = """enum Act = { stay, go }
checkpoint m from "model.safetensors"
domain Box = { x: real[2] | 0 <= x <= 1 }
"""
SPEC = f"{DETECTOR}\nparam eps = 0.1\n"


def said(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that is refused says of the spec, on one line."""
    first, *rest = words
    assert command(first, write_spec(folder, SPEC), *rest) == 4
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "help"),
    [
        (("check", "--param", "epss=1"), "did you mean `eps`?"),
        (("check", "--param", "size=1"), "it has: `eps`"),
        (("check", "--checkpoint", "q=model.safetensors"), "it has: `m`"),
        (("range", "f(x)[0]"), "name the domain, as in `f(x)[0] over x in D`"),
        (("range", "f(x)[0] over Box"), "write `over x in Box`"),
        (("range", "f on Box"), "write `f(x)[0] over x in Box` for a number; `regions`"),
        (("regions", "f(x) over Box"), "write `over x in Box`"),
        (("regions", "f on Box", "--most", "1"), "| f on Box | ^"),
        (("regions", "f on Bx"), "| f on Bx | ^^ unknown"),
    ],
)
def test_the_way_on_is_told(
    words: tuple[str, ...], help: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is near or those that there are, how a question is written, and what was typed."""
    assert help in said(tmp_path, capsys, *words)


MENDED = [
    ("claim a: forall x in Box, x[0] <= 1", "claim a: forall x in Box: x[0] <= 1"),
    (
        "claim a: forall x in Box, 0 <= x[0]: x[0] <= 1",
        "claim a: forall x in Box where 0 <= x[0]: x[0] <= 1",
    ),
    ("claim a: forall x: x[0] <= 1", "claim a: forall x in Box: x[0] <= 1"),
    ("claim a: sum([ 1 for _ in [2, 3] ]) == 2", "claim a: sum([ 1 for i in [2, 3] ]) == 2"),
    ("claim a: argmax([1, 0] as real[Act]) == 0", "claim a: argmax([1, 0] as real[Act]) == stay"),
    ("claim a: softmax([1, 0] , -1) < 1", "claim a: softmax([1, 0] ) < 1"),
    ("claim a: sum([1, 0], 0) < 1", "claim a: sum([1, 0]) < 1"),
    ("claim a: m.w @ [1, 0] == 1", "claim a: m.W @ [1, 0] == 1"),
]


@pytest.mark.parametrize(("typed", "mended"), MENDED)
def test_the_edit_that_is_offered_mends(typed: str, mended: str, tmp_path: Path) -> None:
    """A text with one mistake has one message, and is right once the edit of that is made."""
    files.save({"W": torch.eye(2), "bias": torch.zeros(2)}, tmp_path / "model.safetensors")
    text = f"{AROUND}{typed}\n"
    (found,) = diagnose(text, tmp_path)
    assert found.fix is not None
    span = found.fix.span
    edited = text[: span.start] + found.fix.replacement + text[span.end :]
    assert edited == f"{AROUND}{mended}\n"
    assert [*diagnose(edited, tmp_path)] == []


def test_a_session_advises_what_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no options: those are the command's."""
    monkeypatch.setattr("circ.runtime.regions.MOST", 1)
    path = write_spec(tmp_path, SPEC)
    told = Session(path, Request(), checked(path, Request())).run("regions f on Box")
    assert "`circ regions SPEC QUESTION --most 10`" in told
    assert "1 | f on Box" in told


def test_each_engine_that_gave_up_says_what_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory that stopped one is named beside the time that stopped the next."""
    stuck = [Stuck("memory", "one", hint=MORE_MEMORY), Stuck("time", "two", hint=MORE_TIME)]
    assert prover.joined(stuck).hint == f"{MORE_MEMORY}; {MORE_TIME}"
    assert prover.joined([stuck[1], Stuck("time", "three", hint=MORE_TIME)]).hint == MORE_TIME


def test_one_of_a_kind_is_no_plural() -> None:
    """A dimension, an input, and a domain that was decided."""
    assert size_text(Size(None, 1)) == "a domain of 1 dimension"
    assert size_text(Size(1, 0)) == "its one input"
    assert decided_text(Size(None, 5)) == "a domain of 5 dimensions was decided"
    assert decided_text(Size(8, 0)) == "all 8 inputs were decided"


def test_a_wrong_shape_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the circuit itself is wrong, no call of it is blamed; nor is the spec right by that."""
    text = DETECTOR.replace("circuit f(x: real[2])", "circuit f(x: real[3])")
    spec = write_spec(tmp_path, text)
    assert command("check", spec) == 4
    told = capsys.readouterr().err
    assert told.count("error[") == 1
    assert "E0213" in told
    assert command("prove", spec) == 4


def test_floats_are_those_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A spec without a checkpoint has no dtype of one, and one without `exp` no error of that."""
    spec = tmp_path / "spec.circ"
    spec.write_text(
        "domain Box = { x: real[1] | 0.1 <= x <= 0.1 }\n"
        "claim thrice: forall x in Box: x[0] + 0.2 != 0.3\n"
        "claim low: forall x in Box: x[0] >= 0\n"
        "claim grown: forall x in Box: exp(x[0]) <= 2\n"
    )
    assert command("prove", spec, "--no-cache") == 1
    told = capsys.readouterr().out
    assert "PyTorch, in float64, says otherwise" in told
    assert "(any order of summation, exp within 2 ulp, no TF32" in told
    assert "(any order of summation, no TF32" in told
