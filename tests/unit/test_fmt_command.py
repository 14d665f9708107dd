"""`circ fmt`: which files it rewrites, what it shows, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from circ.lang import format_text
from tests.unit.specs import command

ROOT = Path(__file__).resolve().parents[2]
MESSY = "param  x = 1   # kept\n"
NEAT = "param x = 1  # kept\n"
WRONG = "param x =\n"

Captured = pytest.CaptureFixture[str]


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Have standard input hold this."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_spec_is_rewritten(tmp_path: Path, capsys: Captured) -> None:
    """The file has its canonical text afterwards, comments included; a second run changes nothing."""
    spec = tmp_path / "a.circ"
    spec.write_text(MESSY)

    assert command("fmt", spec) == 0
    assert spec.read_text() == NEAT
    assert "formatted" in capsys.readouterr().out
    stamp = spec.stat().st_mtime_ns
    assert command("fmt", spec) == 0
    assert capsys.readouterr().out == ""
    assert spec.stat().st_mtime_ns == stamp


def test_check_writes_nothing(tmp_path: Path, capsys: Captured) -> None:
    """It ends with 1 and a diff that says what would change, or with 0 where nothing would."""
    spec = tmp_path / "a.circ"
    spec.write_text(MESSY)

    assert command("fmt", "--check", spec) == 1
    said = capsys.readouterr().out
    assert f"-{MESSY}" in said and f"+{NEAT}" in said
    assert spec.read_text() == MESSY
    spec.write_text(NEAT)
    assert command("fmt", "--check", spec) == 0


def test_a_folder_is_the_specs_below_it(tmp_path: Path) -> None:
    """Those in hidden folders and behind links are none of it; a folder without any is an error."""
    (tmp_path / "below" / "more").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    inside = [tmp_path / "a.circ", tmp_path / "below" / "more" / "b.circ"]
    outside = [tmp_path / ".hidden" / "c.circ", tmp_path / "below" / "d.txt"]
    for path in (*inside, *outside):
        path.write_text(MESSY)

    assert command("fmt", tmp_path) == 0
    assert [path.read_text() for path in inside] == [NEAT, NEAT]
    assert [path.read_text() for path in outside] == [MESSY, MESSY]
    (tmp_path / "empty").mkdir()
    assert command("fmt", tmp_path / "empty") == 4


def test_the_specs_of_the_project_are_canonical(capsys: Captured) -> None:
    """The standard library and the examples are laid out as the formatter would lay them out."""
    assert command("fmt", "--check", ROOT / "examples", ROOT / "stdlib") == 0, (
        capsys.readouterr().out
    )


def test_a_spec_with_errors_is_left_as_it_is(tmp_path: Path, capsys: Captured) -> None:
    """It is named with its errors, the others are done, and the command ends with 4."""
    wrong, right = tmp_path / "wrong.circ", tmp_path / "z.circ"
    wrong.write_text(WRONG)
    right.write_text(MESSY)

    assert command("fmt", wrong, right, tmp_path / "missing.circ") == 4
    assert wrong.read_text() == WRONG
    assert right.read_text() == NEAT
    said = capsys.readouterr()
    assert "E0001" in said.err and "E0701" in said.err
    assert f"{wrong}: left as it is" in said.out


def test_standard_input_is_printed(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads a spec from a pipe and prints its canonical text, or only what would change."""
    pipe(monkeypatch, MESSY.encode())
    assert command("fmt", "-") == 0
    assert capsys.readouterr().out == NEAT
    pipe(monkeypatch, MESSY.encode())
    assert command("fmt", "-", "--check") == 1
    assert f"+{NEAT}" in capsys.readouterr().out
    pipe(monkeypatch, b"\xff")
    assert command("fmt", "-") == 4
    assert "E0010" in capsys.readouterr().err


def test_json_says_the_same(tmp_path: Path, capsys: Captured) -> None:
    """Each file with its errors and whether it changes; the diff with `--check`."""
    spec, wrong = tmp_path / "a.circ", tmp_path / "b.circ"
    spec.write_text(MESSY)
    wrong.write_text(WRONG)

    assert command("fmt", "--check", "--json", spec, wrong) == 4
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False and told["exit"] == 4
    assert [each["changes"] for each in told["files"]] == [True, False]
    assert f"+{NEAT}" in told["files"][0]["diff"]
    assert [d["code"] for d in told["files"][1]["diagnostics"]] == ["E0001"]


def test_the_file_behind_a_link_is_rewritten(tmp_path: Path) -> None:
    """A link stays one."""
    spec, link = tmp_path / "a.circ", tmp_path / "link.circ"
    spec.write_text(MESSY)
    link.symlink_to(spec)

    assert command("fmt", link) == 0
    assert link.is_symlink()
    assert spec.read_text() == NEAT


def test_lines_end_as_on_unix(tmp_path: Path) -> None:
    """A file with `\\r\\n` or a byte order mark has other bytes, and is rewritten."""
    spec = tmp_path / "a.circ"
    spec.write_bytes(b"\xef\xbb\xbf" + NEAT.replace("\n", "\r\n").encode())

    assert command("fmt", "--check", spec) == 1
    assert command("fmt", spec) == 0
    assert spec.read_bytes() == NEAT.encode()


def test_a_formatter_that_loses_a_comment_writes_nothing(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written was read back first: were a comment lost, it would be a bug, and code 5."""
    spec = tmp_path / "a.circ"
    spec.write_text(MESSY)

    def forgetful(*_parts: object) -> list[str]:
        return ["param x = 1\n"]

    monkeypatch.setattr(format_text, "written", forgetful)

    assert command("fmt", spec) == 5
    assert spec.read_text() == MESSY
    assert "bug in Circ" in capsys.readouterr().err
