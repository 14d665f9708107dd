"""The example of 64^10 words, held against plain PyTorch and, where that can be, brute force."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "max_of_k"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The example's model and rule in plain PyTorch."""
    return runpy.run_path(str(HERE / "plain.py"))


def asked(spec: str, claim: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `circ prove` says of a false claim."""
    assert command("prove", HERE / spec, claim, "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    return dict(found)


def kinds(words: torch.Tensor) -> set[tuple[int, int]]:
    """The classes of words: largest token and last token."""
    return {(int(word.max()), int(word[-1])) for word in words}


@pytest.mark.slow
def test_the_worst_words_fail(capsys: pytest.CaptureFixture[str], plain: dict[str, Any]) -> None:
    """Of ten tokens, each listed word is wrong in float64 PyTorch, and stands for its own class.

    The classes of those among a million random words that are wrong are all listed.
    """
    found = asked("max_10.circ", "right", capsys)
    words = torch.tensor([[int(token) for token in word["s"]] for word in found["failing"]])
    model = {name: x.double() for name, x in load(HERE / "model_10.safetensors").items()}
    assert plain["wrong"](model, words).all()
    assert found["classes"] == [len(words), 2080]
    assert len(kinds(words)) == len(words)
    assert found["size"]["inputs"] == 64**10
    drawn = plain["sample"](1_000_000, 10, 0)
    assert kinds(drawn[plain["wrong"](model, drawn)]) <= kinds(words)


@pytest.mark.slow
def test_brute_force_finds_the_same_classes(
    capsys: pytest.CaptureFixture[str], plain: dict[str, Any]
) -> None:
    """Of four tokens every word is tried: the classes that fail are those that are listed."""
    found = asked("max_4.circ", "right", capsys)
    words = torch.tensor([[int(token) for token in word["s"]] for word in found["failing"]])
    model = {name: x.double() for name, x in load(HERE / "model_4.safetensors").items()}
    assert kinds(plain["all_wrong"](model)) == kinds(words)


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "claim"), [("max_10.circ", "large"), ("max_4.circ", "right")])
def test_the_patch_mends_it(
    spec: str, claim: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], plain: dict[str, Any]
) -> None:
    """The patched file is right on every word of its domain, those that failed among them."""
    patched = tmp_path / "patched.safetensors"
    words = [word["s"] for word in asked(spec, claim, capsys)["failing"]]
    assert command("patch", HERE / spec, "mend", "--out", patched) == 0
    assert command("prove", HERE / spec, claim, "--checkpoint", f"m={patched}") == 0
    failing = torch.tensor([[int(token) for token in word] for word in words])
    assert not plain["wrong"](load(patched), failing).any()
