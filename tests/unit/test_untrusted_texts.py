"""Receipts, patches and indices from anywhere: they are read within bounds, and what they say can be written again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from circ.compiler.plain_json import NotPlain, loaded
from circ.runtime.patches import fields, reproving
from circ.runtime.patches.plan import header_bytes, header_of, parsed
from circ.runtime.patches.receipt import METADATA_KEY, receipt_path
from tests.unit.specs import DETECTOR, Rows, command, save, write_spec

Told = dict[str, Any]


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[-Infinity]",
        "1e999",
        '{"a": 1, "a": 1}',
        "[" * 100 + "]" * 100,
        "[" * 100_000,
        '{"a":' * 100 + "1" + "}" * 100,
        "9" * 5000,
        "{",
    ],
)
def test_json_that_cannot_be_written_again_is_refused(text: str) -> None:
    """No number that a double does not hold, no key twice, and no depth that a writer would not reach."""
    with pytest.raises(NotPlain):
        loaded(text)


def test_plain_json_is_read() -> None:
    """Of any kind, to the depth that is said."""
    assert loaded('{"a": [1, -2.5, "b", true, null], "c": {}}') == {
        "a": [1, -2.5, "b", True, None],
        "c": {},
    }
    loaded("[" * 64 + "]" * 64)
    with pytest.raises(NotPlain):
        loaded("[" * 65 + "]" * 65)


def nested(told: Told, depth: int) -> Told:
    """A receipt that carries one that carries one …"""
    inner = told
    for _ in range(depth):
        inner = {**told, "earlier": [inner]}
    return inner


def with_field(told: Told, value: object) -> Told:
    """A receipt that says of a config that a field has this value."""
    return {**told, "config": {"before": "a" * 64, "after": "a" * 64, "fields": {"x": value}}}


def lists(depth: int) -> object:
    """A list in a list in a list …"""
    found: object = 1
    for _ in range(depth):
        found = [found]
    return found


HOSTILE: dict[str, Callable[[Told], Told]] = {
    "a field that is no number": lambda told: with_field(told, float("nan")),
    "a field of many lists": lambda told: with_field(told, lists(300)),
    "receipts within receipts": lambda told: nested(told, 100),
    "a bound that is nothing": lambda told: {**told, "bound": {**told["bound"], "least": 5e-324}},
}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A patch of the detector on its own, and the checkpoint patched too."""
    out = tmp_path / "out.safetensors"
    words = ("--delta", tmp_path / "delta", "--out", out)
    assert command("patch", write_spec(tmp_path), "sink", *words) == 0
    return out


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_receipt_is_an_error_of_its_file(
    made: Path, forge: Callable[[Told], Told], capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it stands; and nothing is written of a patch that has it."""
    path, folder = receipt_path(made), made.parent / "delta"
    told = forge(cast("Told", json.loads(path.read_text())))
    path.write_text(json.dumps(told))
    for words in (("audit", path), ("patch", "show", path), ("patch", "show", path, "--json")):
        assert command(*words) == 4
    notes = json.loads((folder / "patch.json").read_text())
    (folder / "patch.json").write_text(json.dumps(notes | {"receipt": told}))
    target = made.parent / "target.safetensors"
    assert (
        command("patch", "apply", folder, made.parent / "model.safetensors", "--out", target) == 4
    )
    assert not target.exists()
    assert "internal error" not in capsys.readouterr().err


@pytest.mark.parametrize("forge", HOSTILE.values(), ids=HOSTILE)
def test_a_source_that_carries_a_hostile_receipt_carries_none(
    made: Path, forge: Callable[[Told], Told]
) -> None:
    """A patch of it is made as of a file with any other note there."""
    source = made.parent / "model.safetensors"
    told = forge(cast("Told", json.loads(receipt_path(made).read_text())) | {"sha256": None})
    with source.open("rb") as stream:
        notes, entries = parsed(header_of(stream))
        data = stream.read()
    source.write_bytes(header_bytes(entries, notes | {METADATA_KEY: json.dumps(told)}) + data)
    assert command("patch", made.parent / "spec.circ", "sink", "--out", made, "--force") == 0
    assert json.loads(receipt_path(made).read_text())["earlier"] == []
    assert command("audit", receipt_path(made)) == 0


def test_an_index_that_cannot_be_written_again_is_refused(tmp_path: Path) -> None:
    """Its notes are copied: they are read as strictly as the rest of it."""
    spec = tmp_path / "spec.circ"
    spec.write_text(DETECTOR.replace("model.safetensors", "model.safetensors.index.json"))
    save({"W": [[1.0, 2.0], [-1.0, 0.5]], "b": [0.0, 0.0]}, tmp_path / "x.safetensors", np.float32)
    for note in (float("nan"), lists(300)):
        index = {"metadata": {"a": note}, "weight_map": dict.fromkeys("Wb", "x.safetensors")}
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
        assert command("patch", spec, "sink") == 4


def test_a_change_that_no_double_measures_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A receipt could not say how large it is."""
    text = DETECTOR.replace("edit     m.b", "clamp m.W[_, :] along [1, 0] to [-1, 1]")
    spec = tmp_path / "spec.circ"
    spec.write_text(text.replace("<= -0.25", "<= 1e308").replace("within 0.01", "within 2e308"))
    weights: dict[str, Rows] = {"W": [[1.7e308, 0.0], [1.7e308, 0.0]], "b": [0.0, 0.0]}
    save(weights, tmp_path / "model.safetensors", np.float64)
    assert command("patch", spec, "sink") == 2
    assert "the change is larger than any double" in capsys.readouterr().out


# --- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["delta/patch.json", "out.safetensors.receipt.json"])
def test_a_device_or_a_pipe_is_not_read(made: Path, name: str) -> None:
    """It might never end, or never begin."""
    path = made.parent / name
    shown = path.parent if path.parent.name == "delta" else path
    path.unlink()
    path.symlink_to("/dev/zero")
    assert command("patch", "show", shown) == 4
    path.unlink()
    os.mkfifo(path)
    assert command("patch", "show", shown) == 4


@pytest.mark.parametrize("name", ["delta/patch.json", "out.safetensors.receipt.json"])
def test_a_text_of_any_size_is_not_read(
    made: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond so many bytes it is none."""
    path = made.parent / name
    shown = path.parent if path.parent.name == "delta" else path
    monkeypatch.setattr(fields, "LARGEST", 100)
    assert command("patch", "show", shown) == 4
    assert "it has more than 100 bytes" in capsys.readouterr().err


def test_a_spec_of_any_size_is_not_read(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A receipt that names a sparse file of many bytes is refuted by its size, or by its hash."""
    with (tmp_path / "big.circ").open("wb") as stream:
        stream.truncate(1 << 40)
    told = cast("Told", json.loads(receipt_path(made).read_text()))
    spec = {"path": "big.circ", "sha256": "0" * 64}
    receipt_path(made).write_text(json.dumps(told | {"spec": spec}))
    assert command("audit", receipt_path(made)) == 1
    assert "big.circ is another text than it names" in capsys.readouterr().out


def test_data_beside_a_spec_may_be_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a spec reads besides texts is hashed whole, however large it is."""
    path, data = tmp_path / "rows.safetensors", b"longer than a text may be"
    path.write_bytes(data)
    monkeypatch.setattr(reproving, "LARGEST", len(data) - 1)
    digest = sha256(data).hexdigest()
    assert reproving.is_named(path, digest, data=True)
    assert not reproving.is_named(path, "0" * 64, data=True)
    assert not reproving.is_named(path, digest, data=False)
