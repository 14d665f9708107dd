"""The example of 8^64 words, held against plain PyTorch."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "quote_closing_long"
SPEC = HERE / "quote_long.circ"
LONGER = f"m={HERE / 'longer.safetensors'}"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The example's model and rule in plain PyTorch."""
    return runpy.run_path(str(HERE / "plain.py"))


@pytest.mark.parametrize("claim", ["plain", "near", "few"])
def test_true_claims_are_proved(claim: str) -> None:
    """Each on its whole domain."""
    assert command("prove", SPEC, claim) == 0


def test_the_worst_words_fail(capsys: pytest.CaptureFixture[str], plain: dict[str, Any]) -> None:
    """Of all words, the worst of each failing class is wrong in float64 PyTorch too.

    The model that was trained for longer is right on them, and proved right on all.
    """
    assert command("prove", SPEC, "right", "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    assert found["classes"] == [4, 20]
    assert found["size"]["inputs"] == 8**64
    chars = list(plain["CHARS"])
    words = torch.tensor([[chars.index(c) for c in word["s"]] for word in found["failing"]])
    for name, wrong in (("model", 4), ("longer", 0)):
        model = {key: x.double() for key, x in load(HERE / f"{name}.safetensors").items()}
        assert int(plain["wrong"](model, words).sum()) == wrong
    assert command("prove", SPEC, "right", "--checkpoint", LONGER) == 0


def test_no_changed_word_is_below_the_margin(
    capsys: pytest.CaptureFixture[str], plain: dict[str, Any]
) -> None:
    """The least margin is reached at the word that is shown, and no change of a letter lowers it."""
    assert command("prove", SPEC, "near", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    chars = list(plain["CHARS"])
    closest = torch.tensor([[chars.index(c) for c in found["closest"]["s"]]])
    others = [closest]
    for position in range(64):
        for code in range(8):
            others.append(closest.clone())
            others[-1][0, position] = code
    words = torch.cat(others)
    words = words[((words[:, 32:] == 5) | (words[:, 32:] == 6)).any(dim=1)]
    model = {key: x.double() for key, x in load(HERE / "model.safetensors").items()}
    gaps = margins(plain, model, words)
    assert gaps[0].item() == pytest.approx(found["margin"], abs=1e-9)
    assert gaps.min().item() == pytest.approx(found["margin"], abs=1e-9)


def margins(
    plain: dict[str, Any], model: dict[str, torch.Tensor], words: torch.Tensor
) -> torch.Tensor:
    """The right logit less the best other one."""
    logits: torch.Tensor = plain["logits"](model, words)
    right: torch.Tensor = plain["rule"](words)[:, None]
    others = logits.scatter(1, right, -torch.inf).amax(dim=1)
    return (logits.gather(1, right)[:, 0] - others).detach()
