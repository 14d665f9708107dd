"""The example of a network that advises a pilot: what is claimed, what the patch mends, what it may not move."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "collision_avoidance"
SPEC = HERE / "collision.circ"
VERDICTS = {"not_up": "proved", "not_down": "proved", "calm": "refuted"}


def verdicts(spec: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    """How each claim of a spec ends."""
    command("prove", spec, "--no-cache", "--json", *words)
    return {one["claim"]: one["verdict"] for one in json.loads(capsys.readouterr().out)["claims"]}


def test_claims_end_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """It never advises the wrong way, and is not always quiet where it should be."""
    assert verdicts(SPEC, capsys) == VERDICTS


def test_the_patch_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All claims are proved of what is written; no score of a random input moves by more than half the band."""
    out = tmp_path / "mended.safetensors"
    assert command("patch", SPEC, "--out", out) == 0
    capsys.readouterr()
    given = ("--allow-outside", "--checkpoint", f"m={out}")
    assert verdicts(SPEC, capsys, *given) == dict.fromkeys(VERDICTS, "proved")
    plain = runpy.run_path(str(HERE / "plain.py"))
    old, new = load(HERE / "model.safetensors"), load(out)
    x = plain["drawn"](100_000, torch.tensor([[-1.0] * 3, [1.0] * 3]), 1)
    assert float((plain["scores"](old, x) - plain["scores"](new, x)).abs().max()) <= 1.001
    assert "0 of them outside the band" in plain["compared"](old, new, x)


def test_a_band_too_narrow_is_a_conflict(capsys: pytest.CaptureFixture[str]) -> None:
    """Half as wide a band leaves no edit of the last layer to float32 numbers, which the inputs that are named forbid."""
    assert command("patch", SPEC, "--param", "band=1", "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["patches"]
    assert found["excluded"] == {"changes": "held", "norm": "l2", "least": 0.0}


@pytest.mark.slow
def test_training_again_gives_the_same_verdicts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script makes a checkpoint of which the same is proved and refuted."""
    for name in ("train.py", "collision.circ"):
        shutil.copy(HERE / name, tmp_path)
    subprocess.run([sys.executable, tmp_path / "train.py"], check=True)
    assert verdicts(tmp_path / "collision.circ", capsys) == VERDICTS
