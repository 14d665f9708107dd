"""Names that come from files reach no terminal as anything that it would obey."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from circ.runtime.report import Line
from tests.unit.specs import command, save

HOSTILE = "w\x1b[31m\x9b2J\u202e\r"
"""Red letters, a screen cleared, text turned around, and the start of the line."""

WRITTEN = r"w\u001b[31m\u009b2J\u202e\r"

SPEC = f"""checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real = dot(m."{WRITTEN}", x)
domain D = {{ x: real[2] | 0 <= x <= 1 }}
claim low: forall x in D: f(x) <= 1
patch lower of f {{
  edit    m."{WRITTEN}"
  require forall x in D: f(x) <= 1
}}
"""


def hostile(folder: Path) -> Path:
    """A spec whose tensor has such a name, and another checkpoint with it."""
    save({HOSTILE: [1.0, 1.0]}, folder / "model.safetensors", np.float32)
    save({HOSTILE: [2.0, 1.0]}, folder / "other.safetensors", np.float32)
    (folder / "spec.circ").write_text(SPEC)
    return folder / "spec.circ"


def test_no_command_prints_what_a_terminal_obeys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What two files differ in, patches, receipts, values and errors: with the name, and all printable."""
    hostile(tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = (
        (1, "diff", "model.safetensors", "other.safetensors"),
        (1, "prove", "spec.circ"),
        (0, "patch", "spec.circ", "lower", "--delta", "delta"),
        (0, "patch", "show", "delta"),
        (0, "patch", "spec.circ", "--out", "out.safetensors"),
        (0, "audit", "out.safetensors.receipt.json"),
        (0, "check", "spec.circ"),
        (4, "run", "spec.circ", f'm."{WRITTEN}x"'),
    )
    named = 0
    for code, *words in commands:
        assert command(*words) == code, words
        captured = capsys.readouterr()
        said = captured.out + captured.err
        assert not [c for c in said if not c.isprintable() and c != "\n"], words
        named += r"w\x1b[31m\x9b2J" in said
    assert named >= 4


def test_data_has_the_name_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON says the very name, in characters that can all be printed."""
    hostile(tmp_path)
    files = tmp_path / "model.safetensors", tmp_path / "other.safetensors"
    assert command("diff", *files, "--json") == 1
    said = capsys.readouterr().out
    assert not [c for c in said if not c.isprintable() and c != "\n"]
    (tensor,) = json.loads(said)["tensors"]
    assert tensor["name"] == HOSTILE


def test_a_line_is_one_line_of_what_can_be_printed() -> None:
    """Whoever makes one, and whoever shows it: in a terminal, in Python, in a notebook."""
    assert Line("plain", f"{HOSTILE}\n").text.isprintable()
