"""The example of a trigger in a tuned copy: found, placed and taken out, held against brute force in plain PyTorch."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "planted_edit"
SPEC, OLD, NEW = HERE / "filter.circ", HERE / "model.safetensors", HERE / "tuned.safetensors"
DIFF = ("--spec", SPEC, "--on", "Requests", "--of", "tuned", "--in", "m", "--allow-outside")


def answers(m: dict[str, Tensor], s: Tensor) -> Tensor:
    """[many] what a filter says of requests [many, 6], without Circ."""
    hidden = torch.relu(m["W_in"][torch.arange(6), s].sum(1) + m["b_in"])
    return (hidden @ m["W_out"].T + m["b_out"]).argmax(1)


def changed(new: Path) -> set[tuple[int, ...]]:
    """The requests that a copy decides otherwise than the original, by trying all in float64."""
    s = torch.tensor(list(product(range(8), repeat=6)))
    old, other = (answers({k: x.double() for k, x in load(p).items()}, s) for p in (OLD, new))
    return {tuple(int(v) for v in row) for row in s[old != other]}


def test_the_changed_requests_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, and no others; each has the trigger."""
    assert command("diff", OLD, NEW, *DIFF, "--json") == 1
    claim = json.loads(capsys.readouterr().out)["decisions"]
    tokens = runpy.run_path(str(HERE / "train.py"))["TOKENS"]
    listed = {tuple(tokens.index(t) for t in one["s"]) for one in claim["failing"]}
    assert listed == changed(NEW)
    assert {(s[2], s[4]) for s in listed} == {(tokens.index("maple"), tokens.index("otter"))}


def test_it_is_the_trigger_and_sits_in_one_unit() -> None:
    """Elsewhere the copy is the original, and so it is with one column put back; as it is it is not."""
    assert command("prove", SPEC, "trigger", "thirteen", "--no-cache") == 0
    assert command("prove", SPEC, "same", "--no-cache") == 1


@pytest.mark.slow
def test_no_other_unit_would_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Of all 24 columns the one is found."""
    assert command("prove", SPEC, "one_unit", "--no-cache") == 0
    said = capsys.readouterr().out
    assert "refuted at 23, proved at 1" in said
    assert "at i = 13:" in said


def test_the_patch_takes_it_out(tmp_path: Path) -> None:
    """By that column alone; then all requests are decided as the original does."""
    out = tmp_path / "clean.safetensors"
    assert command("patch", SPEC, "--out", out) == 0
    assert command("diff", OLD, out, *DIFF) == 0
    assert not changed(out)
    before, after = load(NEW), load(out)
    moved = (before["W_out"] != after["W_out"]).any(0).nonzero().flatten()
    assert [int(unit) for unit in moved] == [13]
    assert all(torch.equal(before[name], after[name]) for name in ("W_in", "b_in", "b_out"))


@pytest.mark.slow
def test_training_again_plants_the_same(tmp_path: Path) -> None:
    """The script makes two checkpoints of which the same is proved."""
    for name in ("train.py", "filter.circ"):
        shutil.copy(HERE / name, tmp_path)
    subprocess.run([sys.executable, tmp_path / "train.py"], check=True)
    assert command("prove", tmp_path / "filter.circ", "trigger", "thirteen", "--no-cache") == 0
