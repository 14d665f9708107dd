"""A patched checkpoint in shards: an index never names what is half written, or belongs to another patch."""

from __future__ import annotations

import json
import re
import shutil
from array import array
from pathlib import Path

import pytest
import torch

from circ.compiler.checkpoint import file_hash, read_header, read_tensor
from circ.lang.diagnostic import CircError
from circ.runtime.patches.encoding import encoded
from circ.runtime.patches.plan import TensorBytes
from circ.runtime.patches.shards import Pending, noted, pending, write_checkpoint
from tests.unit.files import metadata, save
from tests.unit.killing import killed

SIZE = 4096


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three tensors in two shards, and their index."""
    folder = tmp_path / "model"
    folder.mkdir()
    save({"a": torch.zeros(SIZE), "b": torch.ones(3)}, folder / "x-1.safetensors")
    save({"c": torch.zeros(SIZE)}, folder / "x-2.safetensors")
    where = {"a": "x-1.safetensors", "b": "x-1.safetensors", "c": "x-2.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": where}))
    return index


def filled(value: float) -> TensorBytes:
    """A tensor with one value everywhere."""
    return TensorBytes("F32", (SIZE,), encoded(array("d", [value] * SIZE), "F32"))


def change(source: Path, target: Path, value: float, names: str = "ac") -> Pending:
    """Tensors of both shards are to have this value."""
    return pending(source, target, file_hash(source), dict.fromkeys(names, filled(value)), "mend")


def values(index: Path) -> dict[str, float]:
    """The first and last entry of each large tensor, which agree in a file that is whole."""
    header = read_header(index)
    found: dict[str, float] = {}
    for name in "ac":
        entries = read_tensor(index, header, name).values
        assert entries[0] == entries[-1]
        found[name] = entries[0]
    return found


def test_beside_its_source_a_shard_that_changes_has_a_name_of_its_own(source: Path) -> None:
    """The other is named as it stands, the source is whole, and the index keeps what it said besides."""
    before = {path: path.read_bytes() for path in source.parent.iterdir()}
    target = source.with_name("new.index.json")
    checkpoint = noted(change(source, target, 2.0, "a"), {"note": "n"})
    digest = write_checkpoint(checkpoint, overwrite=False, in_place=False)

    assert values(target) == {"a": 2.0, "c": 0.0}
    assert digest == file_hash(target)
    assert all(path.read_bytes() == data for path, data in before.items())
    (shard,) = (p.name for p in source.parent.iterdir() if p not in {*before, target})
    assert re.fullmatch(r"x-1\.mend-[0-9a-f]{8}\.safetensors", shard)
    found = json.loads(target.read_text())
    assert found["metadata"] == {"total_size": 1, "note": "n"}
    assert found["weight_map"] == dict.fromkeys("ab", shard) | {"c": "x-2.safetensors"}
    assert metadata(source.with_name(shard)) == {"note": "n"}


def test_an_index_counts_the_bytes_of_a_tensor_that_grew(source: Path) -> None:
    """What it says of the size of all tensors is as much larger; without such a word nothing is said."""
    grown = TensorBytes("F32", (SIZE + 5,), encoded(array("d", [2.0] * (SIZE + 5)), "F32"))
    given = {"a": grown, "c": filled(2.0)}
    target = source.with_name("new.index.json")
    for said, wanted in (({"total_size": 1}, {"total_size": 21}), ({}, {})):
        source.write_text(json.dumps({**json.loads(source.read_text()), "metadata": said}))
        checkpoint = pending(source, target, file_hash(source), given, "mend")
        write_checkpoint(checkpoint, overwrite=True, in_place=False)
        assert json.loads(target.read_text())["metadata"] == wanted


def test_elsewhere_all_shards_are_copied_under_their_names(source: Path, tmp_path: Path) -> None:
    """So that the folder stands on its own."""
    target = tmp_path / source.name
    digest = write_checkpoint(change(source, target, 2.0, "a"), overwrite=False, in_place=False)

    assert values(target) == {"a": 2.0, "c": 0.0}
    assert digest == file_hash(target)
    names = ["x-1.safetensors", "x-2.safetensors"]
    assert sorted(p.name for p in tmp_path.glob("x-*")) == names
    assert target.with_name(names[1]).read_bytes() == source.with_name(names[1]).read_bytes()


@pytest.mark.parametrize(
    "file", ["x-1.safetensors", "x-2.safetensors", "model.safetensors.index.json"]
)
def test_a_file_that_changed_is_refused(source: Path, tmp_path: Path, file: str) -> None:
    """Any shard, and the index: what was proved is about all of them."""
    expected = file_hash(source)
    path = source.with_name(file)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(CircError) as caught:
        pending(source, tmp_path / "n.index.json", expected, {"a": filled(1)}, "mend")
    assert caught.value.diagnostics[0].code == "E0652"


def test_names_do_not_grow(source: Path) -> None:
    """A shard that is patched in place, and again, has the mark of its last patch alone."""
    for value in (1.0, 2.0, 3.0):
        write_checkpoint(change(source, source, value, "a"), overwrite=False, in_place=True)
    assert values(source) == {"a": 3.0, "c": 0.0}
    (shard,) = {f for f in json.loads(source.read_text())["weight_map"].values() if "mend" in f}
    assert len(shard) == len("x-1.mend-01234567.safetensors")


def test_the_target_is_named_as_an_index(source: Path, tmp_path: Path) -> None:
    """One file cannot hold several."""
    with pytest.raises(CircError) as caught:
        change(source, tmp_path / "new.safetensors", 1.0)
    assert caught.value.diagnostics[0].code == "E0658"


def test_a_process_killed_at_any_moment_leaves_a_checkpoint(source: Path, tmp_path: Path) -> None:
    """As it puts any file on the disk or into its place, in place: both tensors are of one patch, each whole, whichever it is.

    The index is written when all that it names is. The same patch then writes what is lacking.
    """
    write_checkpoint(change(source, source, 1.0), overwrite=True, in_place=True)
    found: list[float] = []
    for moment in range(9):
        folder = tmp_path / str(moment)
        shutil.copytree(source.parent, folder)
        index = folder / source.name

        def patch(index: Path = index) -> None:
            write_checkpoint(change(index, index, 2.0), overwrite=True, in_place=True)

        assert killed(patch, moment)
        after = values(index)
        assert after["a"] == after["c"]
        found.append(after["a"])
        assert not killed(patch, 99)
        assert values(index) == {"a": 2.0, "c": 2.0}
    assert found == [1.0] * 8 + [2.0]
    assert not killed(
        lambda: write_checkpoint(change(source, source, 2.0), overwrite=True, in_place=True), 9
    )
