"""The example of a network that adds by waves: one frequency goes, and every sum stays."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "unlearn_frequency"
SPEC = HERE / "adder.circ"


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The network in plain PyTorch."""
    return runpy.run_path(str(HERE / "plain.py"))


def test_taking_a_wave_off_alone_spoils_sums(plain: dict[str, Any]) -> None:
    """The network is right on all pairs and uses the frequency; without it, all else as it was, it is not."""
    m, wave = load(HERE / "model.safetensors"), load(HERE / "waves.safetensors")["wave"]
    assert torch.allclose(wave[3] @ wave[3].T, torch.eye(2), atol=1e-6)
    assert torch.allclose(wave[3] @ wave[4].T, torch.zeros(2, 2), atol=1e-6)
    assert plain["wrong"](m) == 0
    assert plain["of_frequency"](m["read"], wave[3]) > 1
    off = plain["projected"](m["read"], wave[3])
    assert plain["of_frequency"](off, wave[3]) < 1e-4
    assert plain["wrong"]({**m, "read": off}) == 144


def test_circ_says_what_forbids_the_projection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is computed, held against the sums, and not written."""
    out = tmp_path / "projected.safetensors"
    assert command("patch", SPEC, "projected", "--out", out) == 1
    assert "fails on 144 of 12,769 inputs" in capsys.readouterr().out
    assert not out.exists()


def test_the_patch_keeps_every_sum(tmp_path: Path, plain: dict[str, Any]) -> None:
    """The claim is false of what was trained and true of what is written, which adds as before."""
    out = tmp_path / "unlearnt.safetensors"
    assert command("prove", SPEC, "--no-cache") == 1
    assert command("patch", SPEC, "unlearn", "--out", out) == 0
    given = ("--no-cache", "--allow-outside", "--checkpoint", f"m={out}")
    assert command("prove", SPEC, *given) == 0
    before, after = load(HERE / "model.safetensors"), load(out)
    wave = load(HERE / "waves.safetensors")["wave"][3]
    assert plain["of_frequency"](after["read"], wave) <= 0.00101
    assert plain["wrong"](after) == 0
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["read"]


@pytest.mark.slow
def test_training_again_gives_the_same_story(tmp_path: Path) -> None:
    """The script makes a network of which the same frequency goes."""
    for name in ("train.py", "adder.circ"):
        shutil.copy(HERE / name, tmp_path)
    subprocess.run([sys.executable, tmp_path / "train.py"], check=True)
    assert command("prove", tmp_path / "adder.circ", "unlearnt", "--no-cache") == 1
    out = tmp_path / "unlearnt.safetensors"
    assert command("patch", tmp_path / "adder.circ", "unlearn", "--out", out) == 0
