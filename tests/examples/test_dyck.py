"""The example of balanced brackets, held against plain PyTorch and brute force."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "dyck"
SPEC = HERE / "dyck.circ"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The example's model and rule in plain PyTorch."""
    return runpy.run_path(str(HERE / "plain.py"))


@pytest.fixture(scope="module")
def model() -> dict[str, torch.Tensor]:
    """The shipped weights, as float64."""
    return {name: tensor.double() for name, tensor in load(HERE / "model.safetensors").items()}


@pytest.mark.parametrize(
    "claim",
    [
        "right",
        *(
            pytest.param(x, marks=pytest.mark.slow)
            for x in ("needs_relus", "needs_head", "reads_alike")
        ),
    ],
)
def test_true_claims_are_proved(claim: str) -> None:
    """Each on all words of 16."""
    assert command("prove", SPEC, claim) == 0


@pytest.mark.slow
def test_one_word_needs_the_head(
    capsys: pytest.CaptureFixture[str], plain: dict[str, Any], model: dict[str, torch.Tensor]
) -> None:
    """Without the head float64 PyTorch is wrong on one word alone, and that is the one shown."""
    assert command("prove", SPEC, "needs_head", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    shown = [plain["BRACKETS"].index(c) for c in found["example"]["input"]["s"]]
    ablated = {name: tensor.clone() for name, tensor in model.items()}
    ablated["blocks.1.attn.W_O"][0] = 0
    words = plain["all_words"](16)
    assert words[plain["wrong"](ablated, words)].tolist() == [shown]


@pytest.mark.slow
def test_the_false_claim_is_listed_whole(
    capsys: pytest.CaptureFixture[str], plain: dict[str, Any], model: dict[str, torch.Tensor]
) -> None:
    """Of all words of 20, the prover lists just those that brute force in float64 finds."""
    assert command("prove", SPEC, "longer", "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    listed = sorted([plain["BRACKETS"].index(c) for c in word["s"]] for word in found["failing"])
    words = plain["all_words"](20)
    assert listed == sorted(words[plain["wrong"](model, words)].tolist())
    assert found["count"] == found["reproduced"] == len(listed) == 8
