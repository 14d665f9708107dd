"""The example of brackets in words of any length, held against plain PyTorch."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "bracket_depth"
SPEC = HERE / "brackets.circ"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The example's model in plain PyTorch."""
    return runpy.run_path(str(HERE / "plain.py"))


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The one claim of what was printed."""
    claims: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["claims"]
    (claim,) = claims
    return claim


def test_dilution_breaks_it_at_27(
    capsys: pytest.CaptureFixture[str], plain: dict[str, Any]
) -> None:
    """The word that refutes is wrong in PyTorch, and no random word of a shorter length is."""
    assert command("prove", SPEC, "right", "--json") == 1
    claim = found(capsys)
    assert claim["lengths"]["at"] == 27
    assert claim["lengths"]["held"] == list(range(1, 27))
    tensors = {name: tensor.double() for name, tensor in load(HERE / "model.safetensors").items()}
    word = torch.tensor([[letter == "close" for letter in claim["example"]["input"]["s"]]]).long()
    assert plain["wrong"](tensors, word, torch.tensor([1])) == 1
    for length in range(1, 27):
        assert plain["wrong"](tensors, *plain["draw"](length, 2000)) == 0
    assert plain["wrong"](tensors, *plain["draw"](27, 2000)) > 0


def test_where_nothing_is_open_it_is_right_at_every_length(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Proved for all lengths together."""
    assert command("prove", SPEC, "quiet", "--json") == 0
    assert found(capsys)["lengths"]["onwards"] == 5


@pytest.mark.slow
def test_the_patch_raises_the_length(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Up to 64 letters it is then right, and no farther."""
    out = tmp_path / "farther.safetensors"
    assert command("patch", SPEC, "farther", "--out", str(out)) == 0
    capsys.readouterr()
    patched = ["--checkpoint", f"m={out}"]
    assert command("prove", SPEC, "wanted", *patched) == 0
    capsys.readouterr()
    assert command("prove", SPEC, "right", *patched, "--json") == 1
    assert found(capsys)["lengths"]["at"] == 65
