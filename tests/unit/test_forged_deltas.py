"""Patches on their own that somebody made up: nothing is written that no index names, and no tensor stands for another's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from circ.compiler.checkpoint import joined
from circ.runtime.patches.delta import Delta, FileDelta, Side, read_delta, write_delta
from circ.runtime.patches.plan import TensorBytes
from tests.unit.specs import DETECTOR, WEIGHTS, command, save

SHARDS = {"W": "x-1.safetensors", "b": "x-2.safetensors", "other": "x-2.safetensors"}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A checkpoint in two shards, a spec that reads it, and a patch of `b` on its own beside them."""
    spec = tmp_path / "spec.circ"
    spec.write_text(DETECTOR.replace("model.safetensors", "model.safetensors.index.json"))
    for file in set(SHARDS.values()):
        save({t: WEIGHTS[t] for t, at in SHARDS.items() if at == file}, tmp_path / file, np.float32)
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": SHARDS}))
    assert command("patch", spec, "sink", "--delta", tmp_path / "delta") == 0
    return path


def applied(index: Path, delta: Delta) -> tuple[int, set[str]]:
    """What applying it to another folder gives: the exit status, and the names of what is there then."""
    out = index.parent / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    write_delta(delta, index.parent / "delta", overwrite=True)
    code = command("patch", "apply", index.parent / "delta", index, "--out", out / index.name)
    return code, {path.name for path in out.iterdir()}


def refused(index: Path, delta: Delta) -> None:
    """Nothing is written, and nothing is told of it either."""
    assert applied(index, delta) == (4, set())
    assert command("patch", "show", index.parent / "delta") == 4


def called(delta: Delta, name: str) -> Delta:
    """The same patch, its shard and its index with another name for what comes of it."""
    (file,), (before, after) = delta.files, delta.index or (b"", b"")
    text = after.replace(file.after.name.encode(), name.encode())
    files = (replace(file, after=replace(file.after, name=name)),)
    return fitting(replace(delta, files=files, index=(before, text)))


def fitting(delta: Delta, kept: Mapping[str, str] | None = None) -> Delta:
    """The same with the hash that the whole has; `kept` has those of shards that stay."""
    _, text = delta.index or (b"", b"")
    known = {file.after.name: file.after.sha256 for file in delta.files} | dict(kept or {})
    names = sorted({*json.loads(text)["weight_map"].values()} & known.keys())
    digest = joined([sha256(text).hexdigest(), *(known[name] for name in names)])
    return replace(delta, receipt=replace(delta.receipt, sha256=digest))


def first_shard(index: Path) -> dict[str, str]:
    """The hash of the shard that does not change."""
    return {"x-1.safetensors": sha256((index.parent / "x-1.safetensors").read_bytes()).hexdigest()}


def test_the_patch_as_it_is_applies(index: Path) -> None:
    """Its files are the shards of the index, the receipt, and nothing else; the hash of the whole is what this test computes."""
    delta = read_delta(index.parent / "delta")
    assert fitting(delta, first_shard(index)) == delta
    code, found = applied(index, delta)
    assert code == 0
    after = delta.files[0].after.name
    assert found == {"x-1.safetensors", after, index.name, f"{index.name}.receipt.json"}


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "a.py", ".profile"])
def test_no_file_is_written_that_no_index_names(index: Path, name: str) -> None:
    """Nor by a name that a patch gives to no shard, though its index has it."""
    delta = read_delta(index.parent / "delta")
    (file,) = delta.files
    extra = replace(file, after=replace(file.after, name=name))
    for files in ((file, extra), (extra, file)):
        refused(index, replace(delta, files=files))
    refused(index, fitting(called(delta, name), first_shard(index)))


def test_no_shard_takes_the_name_of_another(index: Path) -> None:
    """That of one which stays as it is would be two files."""
    delta = read_delta(index.parent / "delta")
    refused(index, called(delta, "x-1.safetensors"))


def test_an_index_keeps_what_does_not_change(index: Path) -> None:
    """Where the patched index leaves out a tensor, a loader would make up another."""
    delta = read_delta(index.parent / "delta")
    before, after = delta.index or (b"", b"")
    told = json.loads(after)
    del told["weight_map"]["W"]
    refused(index, fitting(replace(delta, index=(before, json.dumps(told).encode()))))


def evil(side: Side) -> Side:
    """A shard in which `b` is another than was proved, as long as it was."""
    other = TensorBytes("F32", (2,), np.array([99.0, 99.0], np.float32).tobytes())
    return replace(side, tensors={"b": other})


def test_each_tensor_is_judged_in_the_file_that_the_index_names(
    index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that no index names, or names for another tensor, may not hold the one that was proved in the place of it."""
    delta = read_delta(index.parent / "delta")
    (file,) = delta.files
    wrong = replace(file, after=evil(file.after))
    decoy = FileDelta(
        replace(file.before, name="x-1.safetensors"), replace(file.after, name="x-1.safetensors")
    )
    for files in ((wrong, file), (file, wrong), (wrong, decoy), (decoy, wrong), (wrong,)):
        refused(index, replace(delta, files=files))
    assert "its receipt says of `b` what is not so" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"W": "x-1.', b'"W": "x-2.'),
        (b'"W": "x-1.safetensors", ', b""),
        (b'"weight_map"', b'"metadata": {"a": 1}, "weight_map"'),
    ],
)
def test_it_starts_from_the_index_of_the_checkpoint(index: Path, old: bytes, new: bytes) -> None:
    """Whatever its hashes say of the whole: else it could take other files for its shards."""
    delta = read_delta(index.parent / "delta")
    before, after = delta.index or (b"", b"")
    assert old in before
    assert applied(index, replace(delta, index=(before.replace(old, new), after))) == (4, set())
