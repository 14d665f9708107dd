"""The example of an alarm that sounds without its feature, held against plain PyTorch."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "guard_bypass"
SPEC = HERE / "guard.circ"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The example's model and probe in plain PyTorch."""
    return runpy.run_path(str(HERE / "plain.py"))


@pytest.fixture(scope="module")
def model() -> dict[str, torch.Tensor]:
    """The shipped weights, as float64."""
    return {name: tensor.double() for name, tensor in load(HERE / "model.safetensors").items()}


@pytest.mark.parametrize("claim", ["mechanism_without_behaviour", "clearly_off"])
def test_true_claims_are_proved(claim: str) -> None:
    """Each on its whole domain."""
    assert command("prove", SPEC, claim) == 0


@pytest.mark.slow
def test_no_other_word_bypasses_the_feature() -> None:
    """Where the last event does not disarm, the alarm does not sound without the feature."""
    assert command("prove", SPEC, "open_words") == 0


@pytest.mark.slow
def test_a_word_bypasses_the_feature(
    capsys: pytest.CaptureFixture[str], plain: dict[str, Any], model: dict[str, torch.Tensor]
) -> None:
    """The one class that fails ends in `disarm`; its word sounds the alarm, feature off, in PyTorch."""
    assert command("prove", SPEC, "behaviour_without_mechanism", "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    assert found["classes"] == [1, 8]
    words = torch.tensor(
        [[plain["EVENTS"].index(x) for x in word["s"]] for word in found["failing"]]
    )
    says, feature = plain["judged"](model, words)
    assert words[0, -1] == plain["DISARM"]
    assert says.all()
    assert (feature <= 0).all()


@pytest.mark.parametrize("draw", ["sample", "sample_sparse"])
def test_samples_show_nothing(
    draw: str, plain: dict[str, Any], model: dict[str, torch.Tensor]
) -> None:
    """On random words the two agree, and the probe is never near its threshold."""
    says, feature = plain["judged"](model, plain[draw](50_000, 1))
    assert torch.equal(says, feature > 0)
    assert feature.abs().min() > 5
