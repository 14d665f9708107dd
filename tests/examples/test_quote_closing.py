"""The shipped example, end to end, held against plain PyTorch and brute force."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "quote_closing"
SPEC = HERE / "quote.circ"
CLAIMS = ("faithful", "invariant", "needs_mlp", "reachable", "no_blank")


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """The example's model and rule in plain PyTorch."""
    return runpy.run_path(str(HERE / "plain.py"))


@pytest.fixture(scope="module")
def failing(plain: dict[str, Any]) -> set[tuple[str, ...]]:
    """Every word of `Wide` on which float64 PyTorch disagrees with the rule, by brute force."""
    model = {name: tensor.double() for name, tensor in load(HERE / "model.safetensors").items()}
    words = torch.tensor(list(product(range(6), repeat=8)))
    quotes = ((words == plain["SINGLE"]) | (words == plain["DOUBLE"])).sum(-1)
    wide = words[quotes <= 3]
    bad = wide[
        torch.cat([plain["wrong"](model, wide[k : k + 2**17]) for k in range(0, len(wide), 2**17)])
    ]
    return {tuple(plain["CHARS"][code] for code in word) for word in bad.numpy()}


@pytest.mark.parametrize(
    "claim",
    [pytest.param(x, marks=pytest.mark.slow) if x == "invariant" else x for x in CLAIMS],
)
def test_true_claims_are_proved(claim: str) -> None:
    """Each on its whole domain."""
    assert command("prove", SPEC, claim) == 0


def test_the_false_claim_is_listed_whole(
    capsys: pytest.CaptureFixture[str], failing: set[tuple[str, ...]]
) -> None:
    """The prover lists just the words that brute force finds, each failing in PyTorch too."""
    assert command("prove", SPEC, "wider", "--json") == 1
    (claim,) = json.loads(capsys.readouterr().out)["claims"]
    listed = {tuple(word["s"]) for word in claim["failing"]}
    assert listed == failing
    assert claim["count"] == claim["reproduced"] == len(failing)
    assert claim["size"]["inputs"] == 1_245_184
    assert len(failing) < 0.001 * claim["size"]["inputs"]


@pytest.mark.slow
def test_the_patch_mends_it(
    tmp_path: Path, plain: dict[str, Any], failing: set[tuple[str, ...]]
) -> None:
    """The patched file is proved, and plain PyTorch without Circ finds no stored word wrong."""
    out, stored = tmp_path / "mended.safetensors", tmp_path / "words.json"
    assert command("patch", SPEC, "mend", "--out", out) == 0
    assert command("prove", SPEC, "wider", "--checkpoint", f"m={out}") == 0
    stored.write_text(json.dumps(sorted(failing)))
    run = [sys.executable, str(HERE / "plain.py"), str(out), str(stored)]
    said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    assert f"wrong on 0 of {len(failing)}" in said
    before, after = load(HERE / "model.safetensors"), load(out)
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed == ["blocks.0.mlp.W_out"]
    assert not plain["wrong"](after, plain["sample"](100_000, 3, seed=1)).any()
