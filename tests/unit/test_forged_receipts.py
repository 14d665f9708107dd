"""Receipts that somebody made up: what a file carries is held against them, and what they say is asked is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from circ.compiler.checkpoint import file_hash
from circ.runtime.patches.plan import header_bytes, header_of, parsed
from circ.runtime.patches.receipt import METADATA_KEY, receipt_path
from tests.unit.specs import DETECTOR, WEIGHTS, command, save, write_spec

Told = dict[str, Any]


def noted(file: Path, note: str | None) -> None:
    """Have a file of tensors carry another text in the place of a receipt, or none."""
    with file.open("rb") as stream:
        notes, entries = parsed(header_of(stream))
        data = stream.read()
    kept = {name: text for name, text in notes.items() if name != METADATA_KEY}
    new = kept if note is None else kept | {METADATA_KEY: note}
    file.write_bytes(header_bytes(entries, new) + data)


def receipt_of(checkpoint: Path) -> Told:
    """The receipt beside a checkpoint."""
    return cast("Told", json.loads(receipt_path(checkpoint).read_text()))


def fitting(checkpoint: Path, told: Mapping[str, Any]) -> Path:
    """A receipt beside a checkpoint, with the hash that this has now; where it is."""
    receipt_path(checkpoint).write_text(json.dumps({**told, "sha256": file_hash(checkpoint)}))
    return receipt_path(checkpoint)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A patched checkpoint in one file, its receipt beside it."""
    made = tmp_path / "out.safetensors"
    assert command("patch", write_spec(tmp_path), "sink", "--out", made) == 0
    return made


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """The index of a patched checkpoint in two shards, of which the second has changed."""
    text = DETECTOR.replace("model.safetensors", "model.safetensors.index.json")
    (tmp_path / "spec.circ").write_text(text)
    save({"W": WEIGHTS["W"], "other": WEIGHTS["other"]}, tmp_path / "x-1.safetensors", np.float32)
    save({"b": WEIGHTS["b"]}, tmp_path / "x-2.safetensors", np.float32)
    where = {"W": "x-1.safetensors", "b": "x-2.safetensors", "other": "x-1.safetensors"}
    source = tmp_path / "model.safetensors.index.json"
    source.write_text(json.dumps({"weight_map": where}))
    (tmp_path / "out").mkdir()
    made = tmp_path / "out" / source.name
    assert command("patch", tmp_path / "spec.circ", "sink", "--out", made) == 0
    return made


# --- what a file carries --------------------------------------------------------------------


def test_earlier_receipts_of_the_file_are_those_of_the_receipt(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that only the patched file carries tells of a patch that its source knows nothing of."""
    told = receipt_of(out)
    inner = told | {"sha256": None}
    noted(out, json.dumps(inner))
    assert command("audit", fitting(out, told)) == 0
    noted(out, json.dumps(inner | {"earlier": [inner | {"patch": "harmless"}]}))
    assert command("audit", fitting(out, told)) == 1
    assert "carries other earlier receipts" in capsys.readouterr().out


def test_an_earlier_receipt_carries_no_other(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They stand one after the other, and not within one another; what says otherwise is none."""
    inner = receipt_of(out) | {"sha256": None}
    nested = json.dumps(inner | {"earlier": [inner | {"earlier": [inner]}]})
    receipt_path(out).write_text(nested)
    assert command("patch", "show", receipt_path(out)) == 4
    assert "an earlier receipt carries others" in capsys.readouterr().err
    noted(out, nested)
    assert command("patch", "show", out) == 4


@pytest.mark.parametrize(
    ("shard", "patch"),
    [("x-2.safetensors", "harmless"), ("x-2.safetensors", ""), ("x-1.safetensors", "harmless")],
)
def test_each_shard_carries_the_receipt_of_its_index(index: Path, shard: str, patch: str) -> None:
    """Where a tensor of it has changed; another carries what it carried before."""
    told = receipt_of(index)
    assert command("audit", fitting(index, told)) == 0
    note = json.loads(index.read_text())["metadata"][METADATA_KEY]
    noted(index.parent / shard, note.replace('"sink"', f'"{patch}"') if patch else None)
    assert command("audit", fitting(index, told)) == 1


def test_shards_of_several_patches_carry_their_own(index: Path) -> None:
    """What an earlier patch wrote into a shard stays there, and may not be taken away."""
    spec, second = index.parent.parent / "spec.circ", index.parent / "again.safetensors.index.json"
    text = spec.read_text().replace("edit     m.b", "edit     m.W").replace("<= -0.25", "<= -0.5")
    spec.write_text(text)
    words = ("--checkpoint", f"m={index}", "--allow-outside", "--out", second)
    assert command("patch", spec, "sink", *words) == 0
    told = receipt_of(second)
    assert command("audit", receipt_path(second)) == 0
    noted(index.parent / "x-2.safetensors", None)
    moved = {"path": told["source"]["path"], "sha256": file_hash(index)}
    assert command("audit", fitting(second, told | {"source": moved, "read": {"m": moved}})) == 1


# --- what is told ---------------------------------------------------------------------------


def test_an_audit_says_what_was_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The spec, its params and each requirement: a tolerance that a receipt sets is seen."""
    text = "param eps = 0.01\n" + DETECTOR.replace("within 0.01", "within\n    eps")
    spec, out = write_spec(tmp_path, text), tmp_path / "out.safetensors"
    assert command("patch", spec, "sink", "--param", "eps=1000", "--out", out) == 0
    digest = sha256(spec.read_bytes()).hexdigest()
    capsys.readouterr()

    assert command("audit", receipt_path(out)) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert f"of spec.circ  {digest[:16]}…" in lines
    assert "with eps = 1000" in lines
    assert "forall x in Box: f(x)[0] == old f(x)[0] within eps" in lines

    assert command("audit", receipt_path(out), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["spec"] == {"path": "spec.circ", "sha256": digest}
    assert (found["patch"], found["params"]) == ("sink", {"eps": "1000"})
    assert found["requirements"][0]["text"] == "forall x in Box: f(x)[1] <= -0.25"


def test_what_is_shown_is_not_checked(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`patch show` says so of each receipt, and with which spec and params it was made."""
    inner = receipt_of(out) | {"sha256": None, "params": {"eps": "1000"}}
    noted(out, json.dumps(inner | {"earlier": [inner]}))
    capsys.readouterr()
    assert command("patch", "show", out) == 0
    told = capsys.readouterr().out
    assert told.count("as its receipt says, unchecked\n    of spec.circ  ") == 2
    assert told.count("\n    with eps = 1000\n") == 2
    assert told.count("sink.require[0]: said to be proved by") == 2


def test_an_audit_says_that_earlier_receipts_are_not_audited(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are those of the source, and whether that holds is another audit."""
    spec, second = out.parent / "spec.circ", out.parent / "second.safetensors"
    spec.write_text(DETECTOR.replace("<= -0.25", "<= -0.5"))
    assert command("patch", spec, "sink", "--checkpoint", f"m={out}", "--out", second) == 0
    capsys.readouterr()
    assert command("audit", receipt_path(second)) == 0
    assert "an earlier receipt that its source carries, which is not audited here" in (
        capsys.readouterr().out
    )
