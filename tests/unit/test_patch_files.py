"""A patch as files: left on its own, applied, taken back, shown, and proved again from its receipt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import numpy as np
import pytest

from circ.runtime.atomic import locked
from circ.runtime.patches import publish
from circ.runtime.patches.delta import read_delta, write_delta
from circ.runtime.patches.plan import header_bytes, header_of, parsed
from tests.unit.forged import forged
from tests.unit.specs import DETECTOR, WEIGHTS, command, save, stored, write_spec


def files(folder: Path) -> dict[str, bytes]:
    """The files of a folder, and what is in them."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def in_shards(folder: Path) -> Path:
    """The detector's spec, with its checkpoint in two shards."""
    text = DETECTOR.replace("model.safetensors", "model.safetensors.index.json")
    spec = folder / "spec.circ"
    spec.write_text(text)
    parts = {"x-1.safetensors": ("W", "other"), "x-2.safetensors": ("b",)}
    for file, names in parts.items():
        save({name: WEIGHTS[name] for name in names}, folder / file, np.float32)
    where = {name: file for file, names in parts.items() for name in names}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    return spec


@pytest.fixture(params=["one file", "shards"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The checkpoint of a spec beside it, of one file or two."""
    if request.param == "shards":
        in_shards(tmp_path)
        return tmp_path / "model.safetensors.index.json"
    write_spec(tmp_path)
    return tmp_path / "model.safetensors"


def left(model: Path) -> Path:
    """The patch of a checkpoint, left on its own."""
    folder = model.parent / "delta"
    assert command("patch", model.with_name("spec.circ"), "sink", "--delta", folder) == 0
    return folder


class TestApart:
    """What `--delta` leaves."""

    def test_the_checkpoint_is_not_written(self, model: Path) -> None:
        """Unless it is asked for besides."""
        before = files(model.parent)
        folder = left(model)
        assert files(model.parent) == before
        assert {*files(folder)} == {"patch.json", "patch.safetensors"}
        spec, out = model.with_name("spec.circ"), model.with_name(f"out{''.join(model.suffixes)}")
        assert command("patch", spec, "sink", "--delta", folder, "--force", "--out", out) == 0
        assert out.exists()

    def test_applied_it_gives_the_bytes_that_patching_does(self, model: Path) -> None:
        """Beside the source, and in another folder; reverted, those that were there."""
        before, folder = files(model.parent), left(model)
        assert command("patch", model.with_name("spec.circ"), "sink") == 0
        made = {name: data for name, data in files(model.parent).items() if name not in before}
        for name in made:
            (model.parent / name).unlink()
        assert command("patch", "apply", folder, model) == 0
        assert {n: d for n, d in files(model.parent).items() if n not in before} == made

        (patched,) = (model.parent / name for name in made if f"{name}.receipt.json" in made)
        back = model.parent / "back"
        back.mkdir()
        assert command("patch", "revert", folder, patched, "--out", back / model.name) == 0
        assert all(before[name] == data for name, data in files(back).items())
        assert model.name in files(back)

    def test_in_place_and_back(self, model: Path) -> None:
        """The checkpoint itself, twice; what it was is there again, byte for byte."""
        before, folder = files(model.parent), left(model)
        assert command("patch", "apply", folder, model, "--in-place") == 0
        assert command("patch", "apply", folder, model, "--in-place") == 4
        assert command("prove", model.with_name("spec.circ"), "negative", "--no-cache") == 0
        assert command("patch", "revert", folder, model, "--in-place") == 0
        found = files(model.parent)
        assert {name: found[name] for name in before} == before

    def test_another_checkpoint_is_refused(
        self, model: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """One bit elsewhere, and what was proved is about other numbers; nothing is written."""
        folder = left(model)
        shard = next(path for path in model.parent.glob("*.safetensors"))
        data = shard.read_bytes()
        shard.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        before = files(model.parent)
        assert command("patch", "apply", folder, model) == 4
        assert command("patch", "revert", folder, model) == 4
        assert capsys.readouterr().err.count("E0660") == 2
        assert files(model.parent) == before

    @pytest.mark.parametrize("file", ["patch.json", "patch.safetensors"])
    def test_a_damaged_one_writes_nothing(self, model: Path, file: str) -> None:
        """Cut off, changed anywhere, or gone: an error of the files, and never one of Circ."""
        folder = left(model)
        path, before = folder / file, files(model.parent)
        data = path.read_bytes()
        places = range(0, len(data), max(len(data) // 40, 1))
        damaged = [data[:at] for at in places]
        damaged += [data[:at] + bytes([data[at] ^ 2]) + data[at + 1 :] for at in places]
        for broken in damaged:
            path.write_bytes(broken)
            code = command("patch", "apply", folder, model)
            made = files(model.parent).keys() - before.keys()
            assert code == 4 or file == "patch.json"
            assert code == 0 or not made
            for name in made:
                (model.parent / name).unlink()
        path.unlink()
        assert command("patch", "apply", folder, model) == 4
        assert files(model.parent) == before


HOSTILE: dict[str, Callable[[dict[str, Any]], None]] = {
    "a name with a path": lambda notes: notes["files"][0]["after"].update(name="../evil"),
    "a promise of other bytes": lambda notes: notes["files"][0]["after"].update(sha256="0" * 64),
    "no files": lambda notes: notes.update(files=[]),
    "files that are text": lambda notes: notes.update(files="abc"),
    "a receipt that is a list": lambda notes: notes.update(receipt=[]),
    "a file twice": lambda notes: notes.update(files=notes["files"] * 2),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_patch_writes_nothing(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    """Whoever made it may have made its hashes fit."""
    write_spec(tmp_path)
    folder, before = left(tmp_path / "model.safetensors"), files(tmp_path)
    path = folder / "patch.json"
    notes = cast("dict[str, Any]", json.loads(path.read_text()))
    change(notes)
    path.write_text(json.dumps(notes))
    assert command("patch", "apply", folder, tmp_path / "model.safetensors") == 4
    assert files(tmp_path) == before


class TestAReceipt:
    """`circ audit RECEIPT` proves the patch again, and believes nothing that the receipt says."""

    @pytest.fixture
    def receipt(self, model: Path) -> Path:
        """That of a checkpoint which was patched."""
        assert command("patch", model.with_name("spec.circ"), "sink") == 0
        (path,) = model.parent.glob("*.receipt.json")
        return path

    def test_holds(self, receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Each requirement is proved, and all other tensors are the same bytes."""
        assert command("audit", receipt, "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["holds"]
        assert found["unchanged"] == 2
        assert [r["verdict"] for r in found["requirements"]] == ["proved", "proved"]

    @pytest.mark.parametrize("field", ["l2", "linf", "before", "after", "tensor"])
    def test_says_what_changed(self, receipt: Path, field: str) -> None:
        """Another norm, hash or name is noticed."""
        told = json.loads(receipt.read_text())
        old = told["changes"][0][field]
        told["changes"][0][field] = {"tensor": "W"}.get(
            field, old * 2 if old != str(old) else "0" * 64
        )
        receipt.write_text(json.dumps(told))
        assert command("audit", receipt) == 1

    def test_says_what_was_proved(self, receipt: Path) -> None:
        """A verdict that is not the one that is found is noticed."""
        told = json.loads(receipt.read_text())
        told["verdicts"][1]["outcome"] = "vacuous"
        receipt.write_text(json.dumps(told))
        assert command("audit", receipt) == 1

    def test_is_about_its_files(self, receipt: Path) -> None:
        """Another spec, another checkpoint before or after: each is noticed before anything is proved."""
        for path in [*receipt.parent.glob("*.safetensors"), receipt.with_name("spec.circ")]:
            data = path.read_bytes()
            path.write_bytes(data[:-1] + b" ")
            assert command("audit", receipt) == 1, path
            path.write_bytes(data)
        assert command("audit", receipt) == 0

    def test_of_a_patch_in_place_needs_what_was_there(self, model: Path, tmp_path: Path) -> None:
        """Which may stand anywhere."""
        kept = tmp_path / "kept"
        kept.mkdir()
        for name in files(model.parent):
            shutil.copy(model.parent / name, kept)
        assert command("patch", model.with_name("spec.circ"), "sink", "--in-place") == 0
        (receipt,) = model.parent.glob("*.receipt.json")
        assert command("audit", receipt) == 1
        assert command("audit", receipt, "--checkpoint", f"m={kept / model.name}") == 0


def test_a_forged_receipt_is_refuted(tmp_path: Path) -> None:
    """Every hash fits, and yet the requirement does not hold of the file: it is decided again.

    The forger moves `b` the wrong way, and writes a receipt for it.
    """
    spec, out = write_spec(tmp_path), tmp_path / "out.safetensors"
    loose = DETECTOR.replace("<= -0.25", "<= 99")
    spec.write_text(loose)
    assert command("patch", spec, "sink", "--out", out) == 0
    assert command("audit", tmp_path / "out.safetensors.receipt.json") == 0
    path = tmp_path / "out.safetensors.receipt.json"
    told = json.loads(path.read_text())
    spec.write_text(DETECTOR)
    told["spec"]["sha256"] = sha256(DETECTOR.encode()).hexdigest()
    path.write_text(json.dumps(told))
    assert command("audit", path) == 1


def test_a_change_elsewhere_is_noticed(tmp_path: Path) -> None:
    """Every hash fits, and all that is required holds, but a tensor that no edit names has changed."""
    spec, out = write_spec(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "sink", "--out", out) == 0
    path = tmp_path / "out.safetensors.receipt.json"
    forged(out, "other", stored(out)["other"])
    assert command("audit", path) == 0
    forged(out, "other", np.array([1.5, -2.25], np.float32))
    assert command("audit", path) == 1


def test_a_verdict_that_both_copies_make_up_is_noticed(tmp_path: Path) -> None:
    """The receipt and the one that the file carries agree, and what they say was proved is vacuous."""
    spec, out = write_spec(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "sink", "--out", out) == 0
    path = tmp_path / "out.safetensors.receipt.json"
    told = json.loads(path.read_text())
    told["verdicts"][1]["outcome"] = "vacuous"
    path.write_text(json.dumps(told))
    forged(out, "other", stored(out)["other"])
    assert command("audit", path) == 1


def test_a_source_of_other_notes_is_another(tmp_path: Path) -> None:
    """Its tensors are the same, and its bytes are not: the receipt is about another file."""
    spec, out, source = (
        write_spec(tmp_path),
        tmp_path / "out.safetensors",
        tmp_path / "model.safetensors",
    )
    assert command("patch", spec, "sink", "--out", out) == 0
    with source.open("rb") as stream:
        notes, entries = parsed(header_of(stream))
        data = stream.read()
    source.write_bytes(header_bytes(entries, notes | {"a": "none"}) + data)
    assert command("audit", tmp_path / "out.safetensors.receipt.json") == 1


def test_receipts_chain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A checkpoint carries the receipts of all its patches, each from the one before it."""
    spec, first, second = (
        write_spec(tmp_path),
        tmp_path / "a.safetensors",
        tmp_path / "b.safetensors",
    )
    assert command("patch", spec, "sink", "--out", first) == 0
    spec.write_text(DETECTOR.replace("<= -0.25", "<= -0.5"))
    assert command("patch", spec, "sink", "--checkpoint", f"m={first}", "--out", second) == 0
    told = [json.loads(Path(f"{path}.receipt.json").read_text()) for path in (first, second)]
    capsys.readouterr()
    assert command("patch", "show", second, "--json") == 0
    carried = json.loads(capsys.readouterr().out)["receipts"]
    assert [r["source"]["sha256"] for r in carried] == [r["source"]["sha256"] for r in told]
    assert carried[1]["source"]["sha256"] == told[0]["sha256"]
    assert command("patch", "show", tmp_path / "model.safetensors") == 4


def test_two_patches_of_one_file_come_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is being written another waits, and then finds the checkpoint changed."""
    spec, checkpoint = write_spec(tmp_path), tmp_path / "model.safetensors"
    arrived, codes = Event(), list[int]()

    def waited(folder: Path) -> AbstractContextManager[None]:
        arrived.set()
        return locked(folder)

    monkeypatch.setattr(publish, "locked", waited)
    other = Thread(
        target=lambda: codes.append(command("patch", spec, "sink", "--in-place", "--json"))
    )
    with locked(tmp_path):
        other.start()
        assert arrived.wait(120)
        assert codes == []
        data = checkpoint.read_bytes()
        checkpoint.write_bytes(data[:-1] + b"\x01")
    other.join(120)
    assert codes == [4]
    assert stored(checkpoint)["b"].tolist() == [0.0, 0.0]


FORGED: dict[str, Callable[[dict[str, Any]], None]] = {
    "data": lambda told: told.update(data="0" * 64),
    "earlier": lambda told: told.update(earlier=[told | {"earlier": []}]),
    "source": lambda told: told["source"].update(path=told["target"], sha256=told["sha256"]),
    "read": lambda told: told["read"].clear(),
    "a patch that is not there": lambda told: told.update(patch="other"),
    "verdicts left out": lambda told: told.update(verdicts=told["verdicts"][:1]),
    "changes left out": lambda told: told.update(changes=[]),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_what_a_receipt_says_is_not_believed(
    forge: Callable[[dict[str, Any]], None], model: Path
) -> None:
    """Every field is found anew in the files, or held against what the patched file carries."""
    assert command("patch", model.with_name("spec.circ"), "sink") == 0
    (receipt,) = model.parent.glob("*.receipt.json")
    told = cast("dict[str, Any]", json.loads(receipt.read_text()))
    forge(told)
    receipt.write_text(json.dumps(told))
    assert command("audit", receipt) in (1, 4)


@pytest.mark.parametrize("target", ["../x.safetensors", "a\0b", "\ud800", ""])
def test_a_receipt_names_files(target: str, tmp_path: Path) -> None:
    """In its own folder, by names that files can have; params are numbers."""
    write_spec(tmp_path)
    assert command("patch", tmp_path / "spec.circ", "sink") == 0
    (receipt,) = tmp_path.glob("*.receipt.json")
    told = cast("dict[str, Any]", json.loads(receipt.read_text()))
    receipt.write_text(json.dumps(told | {"target": target}))
    assert command("audit", receipt) == 4
    for value in ("abc", "1/0", "1e999999999"):
        receipt.write_text(json.dumps(told | {"params": {"k": value}}))
        assert command("audit", receipt) == 4


def test_another_checkpoint_beside_shards_is_named_too(tmp_path: Path) -> None:
    """That a file lies in the folder of an index makes it none of its shards."""
    spec = in_shards(tmp_path)
    save({"least": [-0.25]}, tmp_path / "n.safetensors", np.float32)
    text = spec.read_text().replace("<= -0.25", "<= n.least[0]")
    spec.write_text(f'checkpoint n from "n.safetensors"\n{text}')
    assert command("patch", spec, "sink") == 0
    (receipt,) = tmp_path.glob("*.receipt.json")
    assert command("audit", receipt) == 0
    told = cast("dict[str, Any]", json.loads(receipt.read_text()))
    del told["read"]["n"]
    receipt.write_text(json.dumps(told))
    save({"least": [9.0]}, tmp_path / "n.safetensors", np.float32)
    assert command("audit", receipt) == 1


def test_a_requirement_without_inputs_is_none(tmp_path: Path) -> None:
    """A patch whose `require` says nothing is not made; a receipt that says it was is refuted."""
    spec = write_spec(
        tmp_path,
        DETECTOR.replace("forall x in Box: f(x)[1]", "forall x in Box where x[0] > 2: f(x)[1]"),
    )
    assert command("patch", spec, "sink") == 3
    spec.write_text(DETECTOR)
    assert command("patch", spec, "sink") == 0
    (receipt,) = tmp_path.glob("*.receipt.json")
    assert command("audit", receipt, "--timeout", "0") == 2


def test_a_hostile_index_is_not_written(tmp_path: Path) -> None:
    """A delta whose index names other shards, with all its hashes but the last made to fit."""
    in_shards(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    folder = left(index)
    before = files(tmp_path)
    delta = read_delta(folder)
    evil = json.dumps({"weight_map": dict.fromkeys(WEIGHTS, "evil.safetensors")}).encode()
    outside = evil.replace(b"evil", b"../evil")
    for text in (evil, outside, b"[]", b"{"):
        assert delta.index is not None
        write_delta(replace(delta, index=(delta.index[0], text)), folder, overwrite=True)
        assert command("patch", "apply", folder, index, "--in-place") == 4
        assert files(tmp_path) == before


def test_a_header_that_was_not_promised_is_not_written(tmp_path: Path) -> None:
    """Its tensors are those of the receipt, and its notes are not: the file would be another than was proved."""
    write_spec(tmp_path)
    folder, before = left(tmp_path / "model.safetensors"), files(tmp_path)
    delta = read_delta(folder)
    (file,) = delta.files
    notes, entries = parsed(file.after.header)
    after = replace(file.after, header=header_bytes(entries, notes | {"a": "b"}))
    write_delta(replace(delta, files=(replace(file, after=after),)), folder, overwrite=True)
    assert command("patch", "apply", folder, tmp_path / "model.safetensors") == 4
    assert files(tmp_path) == before


def test_files_of_the_patch_and_of_others_are_kept(model: Path) -> None:
    """Nothing is written where one of several files may not be, and what was read is not written over."""
    folder, spec = left(model), model.with_name("spec.circ")
    patch = files(folder)
    for word in ("patch.json", "patch.safetensors"):
        target = folder / word
        assert command("patch", "apply", folder, model, "--out", target, "--force") == 4
    assert files(folder) == patch
    out = model.with_name(f"out{''.join(model.suffixes)}")
    taken = out.with_name(f"{out.name}.receipt.json")
    taken.write_text("mine")
    before = files(model.parent)
    assert command("patch", "apply", folder, model, "--out", out) == 4
    other = model.with_name("other")
    assert command("patch", spec, "sink", "--out", out, "--delta", other) == 4
    assert files(model.parent) == before and not other.exists()


def test_a_receipt_goes_with_what_it_is_of(model: Path) -> None:
    """Reverting in place takes away the receipt of the patch; patching again in place works as before."""
    folder = left(model)
    for _ in range(2):
        assert command("patch", "apply", folder, model, "--in-place") == 0
        assert len([*model.parent.glob("*.receipt.json")]) == 1
        assert command("patch", "revert", folder, model, "--in-place") == 0
        assert not [*model.parent.glob("*.receipt.json")]
    for _ in range(2):
        assert command("patch", model.with_name("spec.circ"), "sink", "--in-place") == 0


def test_a_file_that_is_read_twice_is_not_patched_in_place(tmp_path: Path) -> None:
    """The requirements read it unpatched under another name; what was proved would not hold of the patched file."""
    text = 'checkpoint n from "model.safetensors"\n' + DETECTOR.replace(
        "<= -0.25", "<= n.b[0] - 0.25"
    )
    spec, model = write_spec(tmp_path, text), tmp_path / "model.safetensors"
    before = model.read_bytes()
    assert command("patch", spec, "sink", "--in-place") == 4
    folder = left(model)
    assert command("patch", "apply", folder, model, "--in-place") == 4
    assert model.read_bytes() == before


def test_what_the_proof_reads_besides_is_not_replaced(tmp_path: Path) -> None:
    """Neither by patching nor by applying, whatever is forced: the proof would be about a file that is gone."""
    text = 'checkpoint n from "n.safetensors"\n' + DETECTOR.replace("<= -0.25", "<= n.b[0] - 0.25")
    spec, other = write_spec(tmp_path, text), tmp_path / "n.safetensors"
    save({"b": [0.0]}, other, np.float32)
    before = other.read_bytes()
    folder = left(tmp_path / "model.safetensors")
    words = ("--out", other, "--force")
    assert command("patch", spec, "sink", *words) == 4
    assert command("patch", "apply", folder, tmp_path / "model.safetensors", *words) == 4
    assert other.read_bytes() == before


def test_no_shard_is_ever_replaced(tmp_path: Path) -> None:
    """In a folder that has shards of the same names they stay as they are, whatever is forced; the new ones get others."""
    spec, folder = in_shards(tmp_path), tmp_path / "there"
    folder.mkdir()
    for name in ("x-1.safetensors", "x-2.safetensors"):
        (folder / name).write_text("precious")
    before = files(folder)
    out = folder / "model.safetensors.index.json"
    assert command("patch", spec, "sink", "--out", out, "--force") == 0
    assert {name: data for name, data in files(folder).items() if name in before} == before
    assert command("prove", spec, "negative", "--checkpoint", f"m={out}", "--no-cache") == 0
    assert command("audit", folder / "model.safetensors.index.json.receipt.json") == 0


def test_an_index_may_hold_half_a_character(tmp_path: Path) -> None:
    """In its notes, where anything may stand; it is written as its escape."""
    spec = in_shards(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    told = json.loads(index.read_text())
    index.write_text(json.dumps(told | {"metadata": {"a": "\ud800"}}))
    assert command("patch", spec, "sink", "--delta", tmp_path / "delta") == 0
    assert command("patch", spec, "sink") == 0


def test_names_of_files_say_what_they_are(tmp_path: Path) -> None:
    """One file has no name of an index, nor an index that of one file; what is broken is told."""
    spec = write_spec(tmp_path)
    assert command("patch", spec, "sink", "--out", tmp_path / "x.safetensors.index.json") == 4
    for text in ("", "[1]", "{", '{"weight_map": {"a": "gone.safetensors"}}'):
        broken = tmp_path / "broken.safetensors.index.json"
        broken.write_text(text)
        assert command("patch", "show", broken) == 4
    assert command("patch", "show", tmp_path / "nothing.safetensors.index.json") == 4


def test_shards_of_another_folder_stay_in_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A patch that was left for another folder has the names of its source's shards: none is replaced, and it says where to."""
    spec, delta, there = in_shards(tmp_path), tmp_path / "delta", tmp_path / "there"
    index = tmp_path / "model.safetensors.index.json"
    there.mkdir()
    out = there / index.name
    assert command("patch", spec, "sink", "--delta", delta, "--out", out) == 0
    before, made = files(tmp_path), files(there)
    for words in (["--in-place"], []):
        capsys.readouterr()
        assert command("patch", "apply", delta, index, *words) == 4
        assert "apply it to one with `--out`" in capsys.readouterr().err
    assert files(tmp_path) == before
    again = tmp_path / "again"
    again.mkdir()
    assert command("patch", "apply", delta, index, "--out", again / index.name) == 0
    assert {name: data for name, data in files(again).items() if "receipt" not in name} == {
        name: data for name, data in made.items() if "receipt" not in name
    }


def test_where_nothing_can_be_written_nothing_is_looked_for(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is not there, a file that is, or one receipt in the way, are told before anything is proved; two
    places for one checkpoint, before anything is read.
    """
    monkeypatch.setattr("circ.runtime.commands.patch.make_patch", None)
    spec, there = model.with_name("spec.circ"), model.with_name(f"out{''.join(model.suffixes)}")
    for out, code in ((model.parent / "none" / there.name, "E0653"), (there, "E0650")):
        there.write_text("mine")
        assert command("patch", spec, "sink", "--out", out) == 4
        assert code in capsys.readouterr().err
    there.rename(there.with_name(f"{there.name}.receipt.json"))
    assert command("patch", spec, "sink", "--out", there) == 4
    assert "E0650" in capsys.readouterr().err
    assert command("patch", spec, "sink", "--out", there, "--in-place") == 4
    assert "name one" in capsys.readouterr().err
