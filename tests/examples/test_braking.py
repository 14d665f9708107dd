"""The example of a network on a box, held against plain PyTorch."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "braking"
SPEC = HERE / "braking.circ"


def answers(x: torch.Tensor) -> torch.Tensor:
    """What the shipped network says, in float64, without Circ."""
    m = {name: tensor.double() for name, tensor in load(HERE / "model.safetensors").items()}
    for layer in ("0", "2"):
        x = torch.relu(x @ m[f"{layer}.weight"].T + m[f"{layer}.bias"])
    return (x @ m["4.weight"].T + m["4.bias"]).argmax(1)


def test_what_is_proved_holds_on_samples(capsys: pytest.CaptureFixture[str]) -> None:
    """Three claims are proved and one is refuted; random inputs near a wall are all braked for."""
    assert command("prove", SPEC, "--no-cache", "--json") == 1
    found = {one["claim"]: one for one in json.loads(capsys.readouterr().out)["claims"]}
    verdicts = {name: one["verdict"] for name, one in found.items()}
    proved = dict.fromkeys(["brakes", "keeps_dry", "runs"], "proved")
    assert verdicts == {**proved, "keeps": "refuted"}
    x = torch.tensor(np.random.default_rng(0).random((10_000, 3)))
    low, high = torch.tensor([-1, 0.1, -1]), torch.tensor([-0.6, 1, 1])
    brake = runpy.run_path(str(HERE / "train.py"))["BRAKE"]
    assert (answers(low + x * (high - low)) == brake).all()


def test_on_ice_it_slows_down_and_is_right_to() -> None:
    """The input that refutes `keeps`."""
    ice = torch.tensor([[0.4, -0.4, -1.0]], dtype=torch.float64)
    train = runpy.run_path(str(HERE / "train.py"))
    assert answers(ice).item() == train["right"](ice).item() == train["SLOW"]
