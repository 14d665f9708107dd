"""Files that commands write: what was read is never lost, and what else is there only where asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.unit.specs import DETECTOR, WEIGHTS, command, save, write_spec

SPEC = f"""use "rules.circ": Wide
checkpoint n from "other.safetensors"
{DETECTOR}
claim wide: forall x in Wide: f(x)[0] <= 9
claim of_boxes: forall x in Box: f(x)[0] + n.b[0] <= 9
"""
READ = ("spec.circ", "rules.circ", "model.safetensors", "other.safetensors")
WRITERS = {
    "smt2": ("compile", "spec.circ", "bounded", "--to", "smt2"),
    "onnx": ("compile", "spec.circ", "bounded", "--to", "onnx"),
    "vnnlib": ("compile", "spec.circ", "bounded", "--to", "vnnlib"),
    "vnnlib2": ("compile", "spec.circ", "bounded", "--to", "vnnlib2"),
    "torch": ("compile", "spec.circ", "f", "--to", "torch"),
    "torch of a claim": ("compile", "spec.circ", "of_boxes", "--to", "torch"),
    "regions": ("regions", "spec.circ", "f on Box", "--allow-outside"),
    "patch": ("patch", "spec.circ", "sink"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec that reads three files, in the folder that commands are typed in."""
    write_spec(tmp_path, SPEC)
    (tmp_path / "rules.circ").write_text("domain Wide = { x: real[2] | -2 <= x <= 2 }\n")
    save(WEIGHTS, tmp_path / "other.safetensors", np.float32)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("writer", WRITERS)
def test_what_was_read_is_never_written(
    writer: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By no name, and not with `--force`: the spec, what it uses, and each checkpoint."""
    (folder / "link").symlink_to("spec.circ")
    (folder / "again").hardlink_to(folder / "model.safetensors")
    before = contents(folder)
    for name in (*READ, f"../{folder.name}/rules.circ", "link", "again"):
        assert command(*WRITERS[writer], "--out", name, "--force") == 4, name
        assert "E0651" in capsys.readouterr().err
        assert contents(folder) == before


@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_there_is_replaced_only_by_force(
    writer: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And where the answer is not written, for whatever reason, it is as it was."""
    (folder / "mine").write_text("mine")
    assert command(*WRITERS[writer], "--out", "mine") == 4
    assert "E0650" in capsys.readouterr().err
    assert (folder / "mine").read_text() == "mine"
    assert command(*WRITERS[writer], "--out", "mine", "--force") == 0
    assert (folder / "mine").read_bytes() != b"mine"


@pytest.mark.parametrize("name", ["nowhere/it", ".", "a" * 300, "pipe/it"])
@pytest.mark.parametrize("writer", WRITERS)
def test_what_the_system_refuses_is_an_error(
    writer: str, name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No folder, a folder, a name too long, a file taken for a folder."""
    (folder / "pipe").write_text("")
    assert command(*WRITERS[writer], "--out", name, "--force") == 4
    assert "E0653" in capsys.readouterr().err


def test_a_receipt_that_is_there_stops_its_checkpoint(folder: Path) -> None:
    """Both are written, or neither; and a spec is not written over by a receipt."""
    (folder / "new.receipt.json").write_text("mine")
    before = contents(folder)
    assert command(*WRITERS["patch"], "--out", "new") == 4
    assert contents(folder) == before
    (folder / "spec.circ").rename(folder / "old.receipt.json")
    assert command("patch", "old.receipt.json", "sink", "--out", "old", "--force") == 4
    assert (folder / "old.receipt.json").read_text() == SPEC
    assert not (folder / "old").exists()


def test_a_certificate_is_not_written_over_what_was_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a spec nor a checkpoint that is called as a certificate would be is lost, nor removed."""
    (folder / "spec.circ").rename(folder / "bounded.cert")
    assert command("prove", "bounded.cert", "bounded", "--certificate", ".") == 4
    assert "E0651" in capsys.readouterr().err
    assert (folder / "bounded.cert").read_text() == SPEC
    (folder / "bounded.cert").rename(folder / "spec.circ")
    (folder / "model.safetensors").rename(folder / "negative.cert")
    told = ("--checkpoint", "m=negative.cert", "--certificate", ".")
    assert command("prove", "spec.circ", "negative", *told) == 4
    assert (folder / "negative.cert").exists()


def test_a_problem_is_not_written_over_by_its_certificate(folder: Path) -> None:
    """The property and the network have names of their user's choice too."""
    for form, name in (("vnnlib", "p.vnnlib"), ("onnx", "p.cert")):
        words = ("compile", "spec.circ", "bounded", "--to", form, "--out", name)
        assert command(*words) == 0
    before = contents(folder)
    assert command("vnnlib", "p.cert", "p.vnnlib", "--certificate", ".") == 4
    assert contents(folder) == before


def test_regions_can_be_proved_where_they_are_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They name the spec by its path from there; where no spec may name it, nothing is written."""
    below = folder / "below"
    below.mkdir()
    for name in READ:
        (folder / name).rename(below / name)
    question = ("regions", "below/spec.circ", "f(x)[0] over x in Wide")
    assert command(*question, "--out", "pieces.circ") == 0
    assert 'use "below/rules.circ": Wide' in (folder / "pieces.circ").read_text()
    assert command("prove", "pieces.circ") == 0

    (folder / "beside").mkdir()
    assert command(*question, "--out", "beside/pieces.circ") == 4
    assert "E0332" in capsys.readouterr().err
    assert not (folder / "beside" / "pieces.circ").exists()
    assert command(*question, "--out", "beside/pieces.circ", "--allow-outside") == 0
    assert command("prove", "beside/pieces.circ", "--allow-outside") == 0
