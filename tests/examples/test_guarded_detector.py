"""The example of a detector with a guard: what is claimed of it, and what the patch mends."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "guarded_detector"
SPEC = HERE / "guarded.circ"
VERDICTS = {
    "open": "proved",
    "shut": "proved",
    "no_bypass": "refuted",
    "edge": "refuted",
    "shielded": "proved",
}


def verdicts(spec: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """How each claim of a spec ends."""
    command("prove", spec, "--no-cache", "--json")
    return {one["claim"]: one["verdict"] for one in json.loads(capsys.readouterr().out)["claims"]}


def test_claims_end_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The detector is the rule clear of its guard, and acts too early next to it."""
    assert verdicts(SPEC, capsys) == VERDICTS


def test_the_detector_acts_too_early_in_plain_pytorch() -> None:
    """At the witness that the page shows, rounded: the guard is shut, and the detector acts."""
    m = {name: tensor.double() for name, tensor in load(HERE / "model.safetensors").items()}
    x = torch.tensor([-0.5106, -0.0313, 0.1492, 0.8966, 0, 0, 0, 0], dtype=torch.float64)
    hidden = torch.relu(m["mlp.W_in"] @ x + m["mlp.b_in"])
    assert m["dirs.single"] @ x <= 0.5
    assert (m["mlp.W_out"] @ hidden + m["mlp.b_out"])[6] > 0.01


@pytest.mark.slow
def test_the_patch_closes_the_bypass(tmp_path: Path) -> None:
    """What is written does not act while the guard is shut, proved anew."""
    out = tmp_path / "quiet.safetensors"
    assert command("patch", SPEC, "--out", out) == 0
    words = ("no_bypass", "--no-cache", "--allow-outside", "--checkpoint", f"m={out}")
    assert command("prove", SPEC, *words) == 0


@pytest.mark.slow
def test_training_again_gives_the_same_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script makes a checkpoint of which the same is proved and refuted."""
    for name in ("train.py", "guarded.circ"):
        shutil.copy(HERE / name, tmp_path)
    subprocess.run([sys.executable, tmp_path / "train.py"], check=True)
    assert verdicts(tmp_path / "guarded.circ", capsys) == VERDICTS
