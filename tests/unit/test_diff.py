"""`circ diff`: what differs between two checkpoints, and whether a circuit decides alike with both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.unit.specs import Rows, command, save

SPEC = """
enum Char = { a, b, c }
checkpoint m from "model.safetensors" { W: real[Char, 3] }
circuit embed(s: Char[4]) -> real[3] = m.E[s[0]] + m.E[s[1]] + m.E[s[2]] + m.E[s[3]]
circuit model(s: Char[4]) -> real[Char] = m.W @ embed(s)
domain Words = { s: Char[4] }
domain Starts = { s: Char[4] | s[0] == a and s[1] == a }
domain Box = { x: real[3] | -1 <= x <= 1 }
"""

OLD: dict[str, Rows] = {
    "E": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "W": [[1.0, 0.0, 0.25], [0.0, 1.13, 0.0], [0.0, 0.0, 1.27]],
    "unread": [1.0, 2.0],
}


def moved(row: int, column: int, by: float) -> dict[str, Rows]:
    """The checkpoint with one entry of `W` changed."""
    changed = np.array(OLD["W"])
    changed[row, column] += by
    return {**OLD, "W": cast("Rows", changed.tolist())}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """An old and a new checkpoint, the same as yet, and a spec of both."""
    old, new, spec = (tmp_path / name for name in ("old.safetensors", "new.safetensors", "s.circ"))
    save(OLD, old, np.float32)
    save(OLD, new, np.float32)
    save(OLD, tmp_path / "model.safetensors", np.float32)
    spec.write_text(SPEC)
    return old, new, spec


def decisions(weights: dict[str, Rows]) -> dict[tuple[int, ...], int]:
    """What numpy decides of each word."""
    embed, read = (np.array(weights[name], dtype=np.float32).astype(float) for name in "EW")
    words = np.ndindex(3, 3, 3, 3)
    return {word: int(np.argmax(read @ embed[list(word)].sum(0))) for word in words}


def answered(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code, and what `--json` says."""
    capsys.readouterr()
    code = command("diff", *words, "--json")
    return code, cast("dict[str, Any]", json.loads(capsys.readouterr().out))


def test_tensors_that_differ_are_told(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """By how many entries, and how far; without a spec nothing else is asked."""
    old, new, _ = files
    assert answered(capsys, old, new)[0] == 0
    save({**moved(0, 2, 0.5), "unread": [1.0], "more": [1.0]}, new, np.float32)
    code, found = answered(capsys, old, new)
    assert code == 1
    kinds = {t["name"]: (t["entries"], t["l2"], t["kind"]) for t in found["tensors"]}
    assert kinds == {
        "W": (1, 0.5, ""),
        "more": (0, 0.0, "only in the new one"),
        "unread": (0, 0.0, "[2] F32, now [1] F32"),
    }


@pytest.mark.parametrize("by", [0.0, 0.0625, -0.5, 0.75])
def test_decisions_are_those_of_every_word(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], by: float
) -> None:
    """Alike where numpy finds no word that is decided otherwise; else their number, and one of them."""
    old, new, spec = files
    save(moved(0, 2, by), new, np.float32)
    before, after = decisions(OLD), decisions(moved(0, 2, by))
    changed = {word for word in before if before[word] != after[word]}
    code, found = answered(capsys, old, new, "--spec", spec, "--on", "Words")
    assert code == (1 if changed else 0)
    assert found["circuit"] == "model"
    if changed:
        assert found["decisions"]["count"] == len(changed)
        word = found["decisions"]["example"]["input"]["x"]
        assert tuple("abc".index(letter) for letter in word) in changed


def test_a_change_outside_the_domain_is_none_on_it(files: tuple[Path, Path, Path]) -> None:
    """Words that start with `a`, `a` keep their decision; not all words do."""
    old, new, spec = files
    save(moved(2, 1, 1.5), new, np.float32)
    words = ("diff", old, new, "--spec", spec)
    assert command(*words, "--on", "Words") == 1
    starts = {w for w in decisions(OLD) if w[:2] == (0, 0)}
    same = all(decisions(OLD)[w] == decisions(moved(2, 1, 1.5))[w] for w in starts)
    assert command(*words, "--on", "Starts") == (0 if same else 1)


def test_numbers_may_be_compared(files: tuple[Path, Path, Path]) -> None:
    """Within what is said: four letters of the vocabulary move the score by at most four times the change."""
    old, new, spec = files
    save(moved(0, 2, 0.5), new, np.float32)
    words = ("diff", old, new, "--spec", spec, "--on", "Words", "--within")
    assert command(*words, "2") == 0
    assert command(*words, "1.99") == 1
    assert command(*words, "5999999/3000000") == 1


@pytest.mark.parametrize("word", ["0 or 1 > 0", "1\nclaim more: 0 < 1", "-1", "nan", "1/0", ""])
def test_a_tolerance_is_a_number(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], word: str
) -> None:
    """What is no number, or one below 0, is an error, and never a part of the claim."""
    old, new, spec = files
    save(moved(0, 2, 0.5), new, np.float32)
    capsys.readouterr()
    assert command("diff", old, new, "--spec", spec, "--on", "Words", "--within", word) == 4
    assert "E0702" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "E0711"),
        (("--on", "Nowhere"), "E0703"),
        (("--of", "none"), "E0703"),
        (("--in", "n"), "E0703"),
        (("--of", "model", "--on", "Box"), "E0201"),
    ],
)
def test_what_is_compared_is_said(
    files: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: str,
) -> None:
    """What the spec has several of, or none, is an error that says so."""
    old, new, spec = files
    capsys.readouterr()
    assert command("diff", old, new, "--spec", spec, *words) == 4
    assert code in capsys.readouterr().err
