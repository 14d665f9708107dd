"""Reading safetensors files: exact values from good files, a diagnostic from every bad one."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
from collections.abc import Mapping
from math import inf, nan
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from circ.compiler.checkpoint import CHUNK, file_hash, read_header, read_tensor
from circ.compiler.driver import check
from circ.compiler.header import Place, parse_header
from circ.compiler.stored import Files
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.errors.files import outside_folder
from circ.lang.span import Source, Span
from tests.mdtest import write_checkpoint

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


def written(path: Path, header: object, data: bytes = b"", *, length: int | None = None) -> Path:
    """A file with this header and data; `length` is what it says of the header's."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def tensor(dtype: str, shape: list[int], start: int, end: int) -> dict[str, object]:
    """A tensor's entry in a header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def refused(path: Path, name: str | None = None) -> Diagnostic:
    """What reading the header, and then a tensor, complains about."""
    with pytest.raises(CircError) as caught:
        header = read_header(path)
        assert name is not None
        read_tensor(path, header, name)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


# --- what is read ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_are_exact(tmp_path: Path, dtype: str) -> None:
    """Every entry of each format is the double that torch converts it to: subnormals, negative
    zero, the largest and the smallest, across more than one chunk."""
    kind = DTYPES[dtype]
    generator = torch.Generator().manual_seed(0)
    info = torch.finfo(kind)
    limits = [0.0, -0.0, info.max, info.min, info.tiny, info.tiny / 2]
    special = torch.tensor(limits, dtype=torch.float64).to(kind)
    entries = torch.randn(CHUNK // 4 + 99, generator=generator).to(kind)
    entries = torch.cat([special, entries, entries * info.tiny])
    path = tmp_path / "m.safetensors"
    entries = entries[: len(entries) // 3 * 3].reshape(3, -1)
    path.write_bytes(save({"before": torch.ones(3), "w": entries}))
    header = read_header(path)
    found = read_tensor(path, header, "w")
    assert found.shape == tuple(entries.shape) == header.tensors["w"].shape
    assert found.dtype == dtype == header.tensors["w"].dtype
    assert found.values.tobytes() == entries.to(torch.float64).numpy().tobytes()


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
            lambda name: name != "__metadata__"
        ),
        st.tuples(st.sampled_from(sorted(DTYPES)), st.lists(st.integers(0, 3), max_size=3)),
        min_size=1,
        max_size=5,
    ),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text("ab "), max_size=2),
)
def test_files_of_the_library_are_read(
    shapes: Mapping[str, tuple[str, list[int]]], metadata: dict[str, str]
) -> None:
    """What the safetensors library writes, empty tensors and odd names included, is understood."""
    tensors = {name: torch.ones(shape, dtype=DTYPES[d]) for name, (d, shape) in shapes.items()}
    data = save(tensors, metadata or None)
    length = int.from_bytes(data[:8], "little")
    header = parse_header(Place("m", None), data[8 : 8 + length], len(data))
    assert header.metadata == metadata
    assert {name: (t.dtype, list(t.shape)) for name, t in header.tensors.items()} == shapes
    for name, t in header.tensors.items():
        assert (
            data[t.start : t.end] == tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes()
        )


def test_scalars_and_empty_tensors(tmp_path: Path) -> None:
    """A tensor of rank 0 has one entry, one with a side of 0 has none."""
    header = {"a": tensor("F64", [], 0, 8), "b": tensor("F32", [2, 0], 8, 8)}
    path = written(tmp_path / "m.safetensors", header, struct.pack("<d", 0.1))
    found = read_header(path)
    assert read_tensor(path, found, "a").values.tolist() == [0.1]
    assert read_tensor(path, found, "b").values.tolist() == []


def test_hash(tmp_path: Path) -> None:
    """The hash is that of all bytes."""
    path = tmp_path / "m"
    path.write_bytes(b"x" * 10**6)
    assert file_hash(path) == hashlib.sha256(b"x" * 10**6).hexdigest()


# --- files that are no files, or no safetensors files ---------------------------------------


def test_missing(tmp_path: Path) -> None:
    """A name that nothing has, with the one that may be meant."""
    (tmp_path / "model.safetensors").touch()
    found = refused(tmp_path / "modle.safetensors")
    assert found.code == "E0401" and "`model.safetensors`" in found.help
    assert refused(tmp_path / "gone" / "model.safetensors").help == ""
    assert refused(tmp_path / "a\0b").code == "E0401"


def test_folder_and_pipe(tmp_path: Path) -> None:
    """A folder is no file, and a pipe is not waited for."""
    assert refused(tmp_path).headline == f"`{tmp_path}` is a folder, not a file"
    os.mkfifo(tmp_path / "pipe")
    found = refused(tmp_path / "pipe")
    assert (found.code, "a pipe" in found.headline) == ("E0402", True)
    with pytest.raises(CircError, match="is a folder"):
        file_hash(tmp_path)


def test_unreadable(tmp_path: Path) -> None:
    """What the operating system says is passed on: here, a file used as a folder."""
    (tmp_path / "m").touch()
    found = refused(tmp_path / "m" / "model.safetensors")
    assert (found.code, found.headline[-15:]) == ("E0403", "not a directory")


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    """Both forms of `torch.save`, and a plain pickle, are named, not opened: the one here would
    leave a file behind."""
    torch.save({"w": torch.ones(2)}, tmp_path / "zip.pt")
    torch.save({"w": torch.ones(2)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"w": [1.0]}, protocol=4))
    for name in ("zip.pt", "old.pt", "plain.pkl"):
        found = refused(tmp_path / name)
        assert found.code == "E0404" and "never unpickles" in found.headline


def test_a_header_of_640_bytes_is_no_pickle(tmp_path: Path) -> None:
    """The length 0x0280 starts with the same two bytes as a pickle."""
    text = json.dumps({"w": tensor("F32", [], 0, 4)}).encode().ljust(640)
    path = written(tmp_path / "m.safetensors", text, bytes(4))
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert list(read_header(path).tensors) == ["w"]


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 8, b"hello", b"# a text file\n" * 9, b"PK\x03\x04" * 9]
)
def test_other_formats(tmp_path: Path, data: bytes) -> None:
    """Anything else that does not start as it must is refused in words."""
    (tmp_path / "m").write_bytes(data)
    found = refused(tmp_path / "m")
    assert found.code == "E0405" and "does not start with" in found.headline


def in_shards(folder: Path, weights: Mapping[str, object], said: object) -> Path:
    """An index that says this of a checkpoint whose tensors lie in two shards, `a` and the others."""
    first = {name: value for name, value in weights.items() if name == "a"}
    write_checkpoint(folder / "1.safetensors", json.dumps(first))
    others = {name: value for name, value in weights.items() if name != "a"}
    write_checkpoint(folder / "2.safetensors", json.dumps(others))
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": said}))
    return path


SAID = {"a": "1.safetensors", "b.c": "2.safetensors", "d": "2.safetensors"}
WEIGHTS = {"a": [1, 2], "b.c": [[3]], "d": 4}


def test_shards_are_read_as_one(tmp_path: Path) -> None:
    """Each tensor is found in the file that the index says, and all files count for the hash."""
    path = in_shards(tmp_path, WEIGHTS, SAID)
    header = read_header(path)
    found = {name: list(read_tensor(path, header, name).values) for name in header.tensors}
    assert found == {"a": [1, 2], "b.c": [3], "d": [4]}
    before = file_hash(path)
    in_shards(tmp_path, {**WEIGHTS, "d": 5}, SAID)
    assert file_hash(path) != before


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        {**SAID, "a": 1},
        {**SAID, "a": ""},
        {**SAID, "a": ".."},
        {**SAID, "a": "../1.safetensors"},
        {**SAID, "a": "/etc/passwd"},
        {**SAID, "a": "C:1.safetensors"},
        {**SAID, "a": "1.safetensors\0"},
        {**SAID, "a": "\ud800.safetensors"},
        {**SAID, "a": "model.safetensors.index.json"},
        {**SAID, "a": "2.safetensors"},
        {**SAID, "e": "2.safetensors"},
        {name: file for name, file in SAID.items() if name != "d"},
    ],
)
def test_an_index_that_does_not_fit_its_shards(tmp_path: Path, said: object) -> None:
    """A shard lies beside its index, and has the tensors that this says and no others."""
    assert refused(in_shards(tmp_path, WEIGHTS, said)).code == "E0413"


def test_other_wrong_shards(tmp_path: Path) -> None:
    """An index that is none, a shard that is not there, and one that is broken."""
    path = in_shards(tmp_path, WEIGHTS, SAID)
    (tmp_path / "1.safetensors").write_bytes(b"hello")
    assert refused(path).code == "E0405"
    (tmp_path / "1.safetensors").unlink()
    assert refused(path).code == "E0401"
    path.write_text("oops")
    assert refused(path).code == "E0413"


def test_a_link_leads_no_shard_out_of_the_folder(tmp_path: Path) -> None:
    """As for a checkpoint in one file, unless the user allows it."""
    inside, outside = tmp_path / "spec", tmp_path / "elsewhere"
    inside.mkdir()
    outside.mkdir()
    in_shards(inside, WEIGHTS, SAID)
    (inside / "1.safetensors").rename(outside / "1.safetensors")
    (inside / "1.safetensors").symlink_to(outside / "1.safetensors")
    source = Source(
        "s.circ", 'checkpoint m from "model.safetensors.index.json"\nclaim a: m.a[0] == 1\n'
    )
    assert [d.code for d in check(source, Files(inside), {}).diagnostics] == ["E0411"]
    assert not check(source, Files(inside, outside=True), {}).diagnostics.failed


W = tensor("F32", [2], 0, 8)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"{oops", "not JSON"),
        (b"{" + b"\xff" * 9 + b"}", "not JSON"),
        (b'{"a":' * 10**5, "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"\\ud800": 1}', "not JSON"),
        ({"w": 3}, "an object of objects"),
        ({"w": []}, "an object of objects"),
        ({"__metadata__": 3}, "an object of objects"),
        ({"__metadata__": {"a": 1}}, "more than text"),
        (b'{"w": {}, "w": {}}', "`w` stands twice"),
        (b'{"w": {"dtype": "F32", "dtype": "F64"}}', "`dtype` stands twice"),
        ({"w": {"dtype": "F32", "shape": [2]}}, "`w` in its header lacks"),
        ({"w": {**W, "dtype": 3}}, "lacks"),
        ({"w": {**W, "shape": [-2]}}, "lacks"),
        ({"w": {**W, "shape": [True, 2]}}, "lacks"),
        ({"w": {**W, "shape": [2.0]}}, "lacks"),
        ({"w": {**W, "data_offsets": [0, 8, 8]}}, "lacks"),
        ({"w": {**W, "data_offsets": [-8, 0]}}, "lacks"),
    ],
)
def test_malformed_headers(tmp_path: Path, header: object, words: str) -> None:
    """A header that does not say what it must is refused, and the reason given."""
    found = refused(written(tmp_path / "m", header, bytes(8)))
    assert found.code == "E0405" and words in found.headline


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            {"w": tensor("F32", [2], 0, 4), "v": tensor("F32", [1], 4, 8)},
            "4 bytes, which is not 2 of",
        ),
        ({"w": tensor("F32", [1, 3], 0, 8)}, "8 bytes, which is not 1 × 3 of F32"),
        ({"w": tensor("F32", [], 0, 8)}, "8 bytes, which is not 1 of F32"),
        ({"w": tensor("F32", [2], 8, 0)}, "`w` ends before it starts"),
        ({"w": tensor("F32", [1], 0, 4)}, "4 bytes of data belong to no tensor"),
        ({"w": tensor("F32", [1], 4, 8)}, "4 bytes of data belong to no tensor"),
        ({}, "8 bytes of data belong to no tensor"),
        ({"w": W, "v": tensor("F32", [1], 4, 8)}, "`w` and `v` overlap"),
        ({"w": W, "v": W}, "`w` and `v` overlap"),
        (
            {
                "w": tensor("U8", [4], 0, 4),
                "v": tensor("U8", [2], 1, 3),
                "u": tensor("U8", [4], 4, 8),
            },
            "`w` and `v` overlap",
        ),
    ],
)
def test_layouts_that_do_not_fit(tmp_path: Path, header: object, words: str) -> None:
    """Every byte of the data belongs to just one tensor, and each tensor has as many as it needs."""
    found = refused(written(tmp_path / "m", header, bytes(8)))
    assert found.code == "E0408" and words in found.headline


def test_truncated(tmp_path: Path) -> None:
    """A file that ends inside its header or its data says how much is missing."""
    header = {"w": W}
    short = written(tmp_path / "m", header, bytes(7))
    size = short.stat().st_size
    found = refused(short)
    assert found.code == "E0406" and f"asks for {size + 1} bytes, it has {size}" in found.headline
    text = b'{"w": '
    found = refused(written(tmp_path / "n", text, length=1000))
    assert found.code == "E0406" and "asks for 1,008 bytes, it has 14" in found.headline


def test_truncated_after_the_header_was_read(tmp_path: Path) -> None:
    """A file that shrinks between two reads is caught, not padded."""
    path = written(tmp_path / "m", {"w": W}, bytes(8))
    header = read_header(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CircError, match="cut short"):
        read_tensor(path, header, "w")


def test_header_too_large(tmp_path: Path) -> None:
    """A length beyond the format's limit is refused before anything is read."""
    found = refused(written(tmp_path / "m", b"{}", length=100_000_001))
    assert found.code == "E0407" and "100,000,001 bytes long" in found.headline


# --- tensors that are not read --------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "entries"), [("I64", 1), ("BOOL", 8), ("U8", 8), ("C64", 1), ("F4", 16), ("F128", 7)]
)
def test_unsupported_dtypes(tmp_path: Path, dtype: str, entries: int) -> None:
    """Integers and exotic floats, unknown ones too, stand in the header but are not read."""
    path = written(tmp_path / "m", {"w": tensor(dtype, [entries], 0, 8)}, bytes(8))
    assert read_header(path).tensors["w"].dtype == dtype
    found = refused(path, "w")
    assert found.code == "E0409" and f"`w` in `{path}` is stored as {dtype}" == found.headline


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize(("dtype", "code"), [("F64", "d"), ("F32", "f"), ("F16", "e")])
def test_entries_that_are_no_numbers(tmp_path: Path, value: float, dtype: str, code: str) -> None:
    """The first is named by its place, and the others counted."""
    entries = [0.0, 1.0, 2.0, 3.0, 4.0, value]
    data = struct.pack(f"<6{code}", *entries) + struct.pack(f"<6{code}", *[value, 1, 2, 3, 4, 5])
    shape = [2, 2, 3]
    path = written(tmp_path / "m", {"w": tensor(dtype, shape, 0, len(data))}, data)
    found = refused(path, "w")
    assert found.code == "E0410"
    assert (
        f"is {value} at [0, 1, 2], which is no finite number, and 1 more is not" in found.headline
    )


def test_a_scalar_that_is_no_number(tmp_path: Path) -> None:
    """A single entry has no place to name."""
    path = written(tmp_path / "m", {"w": tensor("BF16", [], 0, 2)}, b"\x80\x7f")
    assert refused(path, "w").headline == f"`w` in `{path}` is inf, which is no finite number"


def test_unknown_tensors(tmp_path: Path) -> None:
    """A misspelt name gets the one that is meant; a strange one, the names that are most like it."""
    header = {name: tensor("F32", [], 4 * k, 4 * k + 4) for k, name in enumerate("bcdefg")}
    header["embed"] = tensor("F32", [], 24, 28)
    path = written(tmp_path / "m", header, bytes(28))
    assert refused(path, "embde").help == "did you mean `embed`?"
    assert refused(path, "unrelated").help == "the closest of its 7 tensors are `embed`, `d`, `e`"


def test_spans_are_passed_on(tmp_path: Path) -> None:
    """A spec that names the file is where the diagnostic points."""
    span = Span(Source("a.circ", 'checkpoint m from "m"'), 18, 21)
    with pytest.raises(CircError) as caught:
        read_header(tmp_path / "m", span)
    assert caught.value.diagnostics[0].span == span
    assert outside_folder(span, "../m").code == "E0411"
