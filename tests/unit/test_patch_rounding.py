"""Edits of files in half precision: where rounding undoes one, another is found that survives it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]

from circ.compiler.patching import Norm
from circ.runtime.patches import room
from tests.unit.specs import Rows, command

NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
FACTS, CLASSES, WIDTH = 7, 4, 8

SPEC = """
checkpoint m from "model.safetensors" {{ w: real[4, 8], keys: real[7, 8] }}
circuit f(s: fin[7]) -> real[4] = m.w @ m.keys[s]
domain All = {{ s: fin[7] }}
domain One = {{ s in All | s == 2 }}
patch mend of f {{
  edit     m.w{rank}
  require  forall s in One: argmax(f(s)) == {wanted}
  preserve forall s in All where not (s == 2): argmax(f(s)) == argmax(old f(s))
  {minimize}
}}
"""


def stored(folder: Path, tensors: Mapping[str, Rows], dtype: torch.dtype) -> None:
    """A checkpoint with these."""
    made = {name: torch.tensor(rows, dtype=dtype) for name, rows in tensors.items()}
    save_file(made, folder / "model.safetensors")


def facts(folder: Path, seed: int, dtype: str, ending: str, rank: str = "") -> Path:
    """A spec that makes another class the largest at one of seven facts, and keeps the six others."""
    rng = np.random.default_rng(seed)
    w, keys = rng.normal(size=(CLASSES, WIDTH)), rng.normal(size=(FACTS, WIDTH))
    wanted = int((w @ keys[2]).argmin())
    tensors: dict[str, Rows] = {"w": w.tolist(), "keys": keys.tolist()}
    stored(folder, tensors, DTYPES[dtype])
    spec = folder / "spec.circ"
    spec.write_text(SPEC.format(wanted=wanted, minimize=ending, rank=rank))
    return spec


def made(spec: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `circ patch --json` says of the one patch of a spec."""
    command("patch", spec, "--out", spec.parent / "out.safetensors", "--force", "--json")
    (found,) = json.loads(capsys.readouterr().out)["patches"]
    return cast("dict[str, Any]", found)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("norm", NORMS)
def test_an_edit_is_found_that_rounding_leaves(
    norm: Norm, dtype: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seven facts in eight dimensions can be changed alone whatever they are: an edit is made of each of some random ones.

    It has a bound, and is no larger than that but for what rounding asks for.
    """
    for seed in range(6):
        found = made(facts(tmp_path, seed, dtype, f"minimize {norm}"), capsys)
        assert found["made"], (seed, found)
        assert found["bound"]["gap"] < (0.002 if dtype == "float16" else 0.1)


@pytest.mark.parametrize("norm", NORMS)
def test_no_room_is_asked_for_in_vain(
    norm: Norm, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float32 the first edit survives: with room forbidden the same one is found."""
    spec = facts(tmp_path, 1, "float32", f"minimize {norm}")
    found = made(spec, capsys)
    monkeypatch.setattr(room, "RAISES", 0)
    again = made(spec, capsys)
    assert found["made"]
    assert (found["norms"], found["bound"]) == (again["norms"], again["bound"])


def test_an_edit_of_a_rank_survives_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is solved for is a factor then; room is asked for all the same."""
    for seed in range(6):
        assert made(facts(tmp_path, seed, "bfloat16", "", " rank 1"), capsys)["made"], seed


TIGHT = """
checkpoint m from "model.safetensors" {{ w: real[2] }}
circuit f(s: fin[1]) -> real = m.w[0] + m.w[1]
domain All = {{ s: fin[1] }}
patch mend of f {{
  edit     m.w[0]
  require  forall s in All: f(s) >= {low} and f(s) <= {high}
}}
"""


@pytest.mark.parametrize(("low", "high", "can"), [(1.001, 1.003, False), (1.002, 1.009, True)])
def test_more_room_than_there_is_is_given_up(
    low: float, high: float, can: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers of bfloat16 from 1 on are 1/128 apart: 1.0078125 lies in one of these ranges, and none in the other."""
    stored(tmp_path, {"w": [0.5, 0.0]}, torch.bfloat16)
    spec = tmp_path / "spec.circ"
    spec.write_text(TIGHT.format(low=low, high=high))
    found = made(spec, capsys)
    assert found["made"] == can
    if not can:
        assert found["reason"] == "rounding to the file's dtype undoes the edit"
