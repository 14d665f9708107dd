"""A patched file needs no Circ: plain PyTorch and safetensors, in a process that cannot import it, see what was proved.

Every input that failed and was stored is right, and so are a hundred thousand random ones, or all that there are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.unit.specs import command

EXAMPLES = Path(__file__).parents[2] / "examples"
ALONE = """
import runpy, sys
sys.modules["circ"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script as if Circ were not installed: an entry that is None makes its import fail."""


def alone(*words: str | Path) -> str:
    """What a script prints where Circ cannot be imported; it must end well."""
    run = [sys.executable, "-c", ALONE, *map(str, words)]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout


def failing(spec: Path, claim: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The inputs that refute a claim, each a list of its entries."""
    assert command("prove", spec, claim, "--no-cache", "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    return list(found["failing"])


def test_circ_cannot_be_imported_there(tmp_path: Path) -> None:
    """A script that tries is stopped."""
    script = tmp_path / "asks.py"
    script.write_text("import circ.api\n")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        alone(script)
    assert "circ" in caught.value.stderr


@pytest.mark.slow
def test_the_largest_of_ten_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`large` of max_of_k: the words that failed, one of each class, and random words that are in its domain."""
    here, out, stored = EXAMPLES / "max_of_k", tmp_path / "m.safetensors", tmp_path / "words.json"
    words = [
        [int(token) for token in one["s"]] for one in failing(here / "max_10.circ", "large", capsys)
    ]
    stored.write_text(json.dumps(words))
    assert command("patch", here / "max_10.circ", "mend", "--out", out) == 0
    said = alone(here / "plain.py", out, stored)
    assert said == f"m.safetensors: wrong on 0 of {len(words)} stored words\n"
    said = alone(here / "plain.py", out, "--sample", "100000", "--least", "30")
    assert said == "m.safetensors: wrong on 0 of 100,000 random words\n"


def test_a_thousand_facts(tmp_path: Path) -> None:
    """`move` of fact_edit: of all facts there are, the one that was asked for differs."""
    here, out = EXAMPLES / "fact_edit", tmp_path / "m.safetensors"
    assert command("patch", here / "facts.circ", "--out", out) == 0
    said = alone(here / "plain.py", here / "model.safetensors", out)
    assert said == "person 17 lives: 39 -> 5\n1 of 1000 facts differ\n"


def test_advice_to_a_pilot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`mend` of collision_avoidance: the input that failed, and random ones of the same box and of all the domain."""
    here, out, stored = (
        EXAMPLES / "collision_avoidance",
        tmp_path / "m.safetensors",
        tmp_path / "x.json",
    )
    inputs = [one["x"] for one in failing(here / "collision.circ", "calm", capsys)]
    stored.write_text(json.dumps([[float(Fraction(value)) for value in x] for x in inputs]))
    assert command("patch", here / "collision.circ", "--out", out) == 0
    model = here / "model.safetensors"
    assert alone(here / "plain.py", model, stored).startswith("wrong on 1 of 1 stored inputs\n")
    said = alone(here / "plain.py", out, stored, "--sample", "100000", "--old", model).splitlines()
    assert said[:2] == ["wrong on 0 of 1 stored inputs", "wrong on 0 of 100,000 random inputs"]
    assert "0 of them outside the band" in said[2]
