"""A patch is proved of real numbers; its report says what PyTorch computes in the dtype of the file, at the inputs that were tried."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]

from tests.unit.specs import Rows, command

ADDED = """
checkpoint m from "model.safetensors" {{ w: real[2] }}
circuit f(s: fin[8, {length}]) -> real = m.w[0] + m.w[1]
domain All = {{ s: fin[8, {length}] }}
patch mend of f {{
  edit     m.w[1]
  require  forall s in All{where}: f(s) > 256.5
}}
"""


def said(
    folder: Path,
    text: str,
    tensors: Mapping[str, Rows],
    dtype: torch.dtype,
    capsys: pytest.CaptureFixture[str],
) -> tuple[list[Any], str]:
    """What `circ patch` says that was executed, as data and as text."""
    made = {name: torch.tensor(rows, dtype=dtype) for name, rows in tensors.items()}
    save_file(made, folder / "model.safetensors")
    spec, out = folder / "spec.circ", folder / "out.safetensors"
    spec.write_text(text)
    command("patch", spec, "--out", out, "--force", "--json")
    (found,) = json.loads(capsys.readouterr().out)["patches"]
    command("patch", spec, "--out", out, "--force")
    return cast("list[Any]", found["executed"]), capsys.readouterr().out


@pytest.mark.parametrize(
    ("dtype", "name"), [(torch.bfloat16, "bfloat16"), (torch.float32, "float32")]
)
def test_an_edit_that_rounding_hides_is_told(
    dtype: torch.dtype, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """256 and a half is 256 in bfloat16, at each of eight inputs; of float32, which does as proved, nothing is printed."""
    text = ADDED.format(length=1, where="")
    (found,), printed = said(tmp_path, text, {"w": [256, 0]}, dtype, capsys)
    half = name == "bfloat16"
    assert (found["requirement"], found["dtype"]) == ("mend.require[0]", name)
    assert (found["tried"], found["otherwise"]) == (8, 8 if half else 0)
    assert found["input"] == ({"s": ["0"]} if half else None)
    told = "    ? mend.require[0]: in bfloat16, PyTorch does otherwise on 8 of 8 inputs tried, for one at s = [0]\n"
    assert (told in printed) == half
    assert ("PyTorch" in printed) == half


def test_what_is_as_proved_is_told_of_half_precision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Near 1 the half is not lost."""
    text = ADDED.format(length=1, where="").replace("> 256.5", ">= 1.5")
    (found,), printed = said(tmp_path, text, {"w": [1, 0]}, torch.bfloat16, capsys)
    assert (found["tried"], found["otherwise"]) == (8, 0)
    assert (
        "    mend.require[0]: in bfloat16, PyTorch does as proved on all 8 inputs tried\n"
        in printed
    )


def test_of_many_words_those_that_were_looked_at_are_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One word of a quarter million is required, which is found; with all of them required, thousands are tried, each once."""
    one = " where " + " and ".join(f"s[{place}] == 7" for place in range(6))
    text = ADDED.format(length=6, where=one)
    (found,), printed = said(tmp_path, text, {"w": [256, 0]}, torch.bfloat16, capsys)
    assert (found["tried"], found["otherwise"]) == (1, 1)
    assert found["input"] == {"s": ["7"] * 6}
    assert "otherwise on the one input tried, at s = [7, 7, 7, 7, 7, 7]" in printed
    text = ADDED.format(length=5, where="")
    (found,), _ = said(tmp_path, text, {"w": [256, 0]}, torch.bfloat16, capsys)
    assert 3800 < found["tried"] == found["otherwise"] < 8**5


EDGE = """
checkpoint m from "model.safetensors" { w: real[1], one: real[2], low: real[2] }
circuit f(s: fin[2]) -> real = m.w[0] - m.low[s]
domain All = { s: fin[2] }
patch mend of f {
  edit     m.w
  require  forall s in All where 0.1 * m.one[s] + 0.2 * m.one[s] > 0.3: f(s) >= 1
}
"""


def test_no_input_that_does_not_count_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tenth and two are not more than three, but for doubles they are: nothing is required of the first input, and nothing said."""
    tensors: dict[str, Rows] = {"w": [0], "one": [1, 2], "low": [64, 0]}
    (found,), _ = said(tmp_path, EDGE, tensors, torch.bfloat16, capsys)
    assert (found["tried"], found["otherwise"]) == (1, 0)
