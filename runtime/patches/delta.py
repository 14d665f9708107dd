"""A patch on its own: what stands in the place of what, both ways, in a folder of two files.

`patch.json` has the receipt and the files that change, each by its name and its SHA-256, before and after.
`patch.safetensors` has their headers and the tensors that change, on both sides, so that applying gives the very bytes
that were proved, and reverting those that were there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from circ.compiler import header as headers
from circ.compiler.checkpoint import opened, read_file_header
from circ.compiler.header import Header, Place
from circ.compiler.shards import is_beside, parse_index
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import refuse_existing, replacing
from circ.runtime.outputs import make_folder
from circ.runtime.patches.fields import (
    Json,
    Malformed,
    as_list,
    as_object,
    hash_at,
    json_in,
    text_at,
)
from circ.runtime.patches.plan import (
    Entries,
    TensorBytes,
    header_bytes,
    laid_out,
    parsed,
    planned,
)
from circ.runtime.patches.receipt import Receipt, receipt_in
from circ.runtime.patches.shards import unmarked
from circ.runtime.patches.write import Rewrite, Written

NOTES, TENSORS = "patch.json", "patch.safetensors"


@dataclass(frozen=True, slots=True)
class Side:
    """A file before or after a patch: its name, its SHA-256, its header, and the tensors that differ."""

    name: str
    sha256: str
    header: bytes
    tensors: Mapping[str, TensorBytes]


@dataclass(frozen=True, slots=True)
class FileDelta:
    """How one file follows from another, both ways."""

    before: Side
    after: Side


@dataclass(frozen=True, slots=True)
class Delta:
    """A patch of a checkpoint: its files that change and, of one in shards, the texts of its index."""

    receipt: Receipt
    files: tuple[FileDelta, ...]
    index: tuple[bytes, bytes] | None = None


def file_delta(rewrite: Rewrite, target: Path, hashes: Written) -> FileDelta:
    """What a rewriting changes, whose hashes are known."""
    with rewrite.source.open("rb") as stream:
        plan = planned(stream, rewrite.changes, rewrite.metadata, rewrite.header)
        start = stream.tell()
        _, entries = parsed(plan.old)
        old: dict[str, TensorBytes] = {}
        for name in rewrite.changes:
            if name in entries:
                begin, end = entries[name]["data_offsets"]
                stream.seek(start + begin)
                data = stream.read(end - begin)
                old[name] = TensorBytes(entries[name]["dtype"], tuple(entries[name]["shape"]), data)
    before = Side(rewrite.source.name, hashes.source, plan.old, old)
    return FileDelta(before, Side(target.name, hashes.target, plan.new, rewrite.changes))


# --- to files -------------------------------------------------------------------------------


def write_delta(delta: Delta, folder: Path, *, overwrite: bool) -> None:
    """Write both files of a patch, `patch.json` last; raises `CircError` (E0650, E0653)."""
    refuse_existing(folder / NOTES, overwrite)
    data = tensors_text(dict(all_tensors(delta)))
    notes = {
        "receipt": asdict(delta.receipt),
        "files": [{"before": named(f.before), "after": named(f.after)} for f in delta.files],
        "tensors": hashlib.sha256(data).hexdigest(),
    }
    text = json.dumps(notes, indent=2, ensure_ascii=False, allow_nan=False)
    make_folder(folder)
    with replacing(folder / TENSORS, overwrite=overwrite) as out:
        out.write(data)
    with replacing(folder / NOTES, overwrite=overwrite) as out:
        out.write(f"{text}\n".encode(errors="backslashreplace"))


def named(side: Side) -> Json:
    """A file as `patch.json` names it."""
    return {"name": side.name, "sha256": side.sha256}


def all_tensors(delta: Delta) -> Iterator[tuple[str, TensorBytes]]:
    """`0/before/mlp.W_out` and `0/header/before` of the first file, and so on; the index as bytes too."""
    if delta.index is not None:
        yield "index/before", as_bytes(delta.index[0])
        yield "index/after", as_bytes(delta.index[1])
    for number, file in enumerate(delta.files):
        for when, side in (("before", file.before), ("after", file.after)):
            yield f"{number}/header/{when}", as_bytes(side.header)
            for name, tensor in side.tensors.items():
                yield f"{number}/{when}/{name}", tensor


def as_bytes(text: bytes) -> TensorBytes:
    """Any bytes as a tensor."""
    return TensorBytes("U8", (len(text),), text)


def tensors_text(
    tensors: Mapping[str, TensorBytes], metadata: Mapping[str, str] | None = None
) -> bytes:
    """A whole safetensors file."""
    entries: Entries = laid_out([*tensors], {}, tensors)
    return header_bytes(entries, metadata or {}) + b"".join(
        tensor.data for tensor in tensors.values()
    )


# --- from files -----------------------------------------------------------------------------


def read_delta(folder: Path) -> Delta:
    """The patch in a folder, checked; raises `CircError` (E0656, and E0401-E0408 for its tensors)."""
    path = folder / NOTES
    if not path.is_file():
        raise CircError(writing.no_delta(str(folder), f"it has no file `{NOTES}`"))
    try:
        notes = as_object(json_in(path))
        tensors = read_tensors(folder / TENSORS, hash_at(notes, "tensors"))
        files = [as_object(entry) for entry in as_list(notes["files"])]
        receipt = receipt_in(as_object(notes["receipt"]))
        found = tuple(file_in(i, file, tensors) for i, file in enumerate(files))
        delta = Delta(receipt, found, index_in(tensors))
        require_shards(delta)
        require_told(delta)
        return delta
    except (ValueError, KeyError) as error:
        raise CircError(writing.no_delta(str(folder), told(error))) from error


def require_shards(delta: Delta) -> None:
    """Raise `Malformed`, or `CircError` (E0413), unless the files are shards of both indices, with just the tensors that these say.

    So no file is written that the index does not name, and no tensor of one stands for that of another.
    """
    if delta.index is None:
        return
    old, new = (parse_index(Place(NOTES, None), text) for text in delta.index)
    names = {file.before.name: file.after.name for file in delta.files}
    others = {file for file in old.values() if file not in names}
    if len({*names.values(), *others}) != len(delta.files) + len(others):
        raise Malformed("a name of a file stands twice in it")
    if new != {tensor: names.get(file, file) for tensor, file in old.items()}:
        raise Malformed("its indices do not say that its files follow from one another")
    for file in delta.files:
        if unmarked(file.before.name) != unmarked(file.after.name):
            raise Malformed(f"`{file.after.name}` is no name for a shard `{file.before.name}`")
        for side, index in ((file.before, old), (file.after, new)):
            said = {tensor for tensor, at in index.items() if at == side.name}
            if not said or {*sized(side.header).tensors} != said:
                raise Malformed(f"`{side.name}` has other tensors than its index says")


def require_told(delta: Delta) -> None:
    """Raise `Malformed` unless the receipt names the tensors and, of a checkpoint in one file, its hashes."""
    ends = delta.receipt.source.sha256, delta.receipt.sha256
    sides = [(file.before.sha256, file.after.sha256) for file in delta.files]
    if delta.index is None and sides != [ends]:
        raise Malformed("its receipt is about other files")
    before = {n: t for file in delta.files for n, t in file.before.tensors.items()}
    after = {n: t for file in delta.files for n, t in file.after.tensors.items()}
    changes = {change.tensor: change for change in delta.receipt.changes}
    if not before.keys() == after.keys() == changes.keys():
        raise Malformed("its receipt is about other tensors")
    for name, change in changes.items():
        kinds = [(tensor.dtype, tensor.shape) for tensor in (before[name], after[name])]
        hashes = tuple(hashlib.sha256(t[name].data).hexdigest() for t in (before, after))
        said = [(change.dtype, shape) for shape in (change.was, change.shape)]
        if kinds != said or hashes != (change.before, change.after):
            raise Malformed(f"its receipt says of `{name}` what is not so")


def told(error: Exception) -> str:
    """What is wrong, in words."""
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def read_tensors(path: Path, expected: str) -> dict[str, TensorBytes]:
    """All tensors of the file, if its SHA-256 is the expected one."""
    header = read_file_header(path)
    with opened(path, Place(str(path), None)) as stream:
        data = stream.read()
    if hashlib.sha256(data).hexdigest() != expected:
        raise Malformed(f"`{path.name}` is another than it names")
    return {
        name: TensorBytes(found.dtype, found.shape, data[found.start : found.end])
        for name, found in header.tensors.items()
    }


def file_in(number: int, found: Json, tensors: Mapping[str, TensorBytes]) -> FileDelta:
    """One file of a patch."""
    before, after = (
        side_in(number, when, as_object(found[when]), tensors) for when in ("before", "after")
    )
    return FileDelta(before, after)


def side_in(number: int, when: str, found: Json, tensors: Mapping[str, TensorBytes]) -> Side:
    """One side of it; its header is that of a file, and has its tensors."""
    name = text_at(found, "name")
    if not is_beside(name):
        raise Malformed(f"`{name}` is no name of a file")
    start = f"{number}/{when}/"
    inside = {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
    header = tensors[f"{number}/header/{when}"].data
    require_header(header, inside)
    return Side(name, hash_at(found, "sha256"), header, inside)


def require_header(header: bytes, tensors: Mapping[str, TensorBytes]) -> None:
    """Raise `Malformed`, or `CircError` (E0405-E0408), unless these bytes start a file with these tensors."""
    length = int.from_bytes(header[:8], "little")
    if len(header) != 8 + length:
        raise Malformed("a header is cut off")
    found = sized(header)
    for name, tensor in tensors.items():
        said = found.tensors.get(name)
        if said is None or (said.dtype, said.shape) != (tensor.dtype, tensor.shape):
            raise Malformed(f"a header does not speak of `{name}`")


def sized(header: bytes) -> Header:
    """A header, read as that of a file of just the size that it asks for."""
    try:
        entries = headers.members(headers.parsed(header[8:]))
        found = [
            headers.stored(name, entry, len(header)).end
            for name, entry in entries.items()
            if name != headers.METADATA
        ]
    except headers.Malformed as error:
        raise Malformed(str(error)) from error
    return headers.parse_header(Place(NOTES, None), header[8:], max(found, default=len(header)))


def index_in(tensors: Mapping[str, TensorBytes]) -> tuple[bytes, bytes] | None:
    """The texts of the index of a checkpoint in shards."""
    if "index/before" not in tensors:
        return None
    return tensors["index/before"].data, tensors["index/after"].data
