"""How one safetensors file follows from another: a new header, and the data with some tensors replaced.

The format is https://github.com/huggingface/safetensors: eight bytes for the length of the header, the
header as JSON, and the data section, in which offsets start at 0. Tensors keep their order in the data,
so that a file is rewritten in one pass; those that the old one lacks come last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import BinaryIO, TypedDict, cast

from circ.compiler.header import BITS, METADATA
from circ.compiler.ir import Shape

CHUNK = 2**22


class TensorEntry(TypedDict):
    """What a header says of one tensor."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TensorBytes:
    """A tensor as a file holds it."""

    dtype: str
    shape: Shape
    data: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the old data section, `size` bytes to copy, or what stands in its place."""

    size: int
    new: bytes | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the target follows from the source: the old header, the new one, and the data."""

    old: bytes
    new: bytes
    pieces: tuple[Piece, ...]


Entries = dict[str, TensorEntry]


def planned(
    stream: BinaryIO,
    changes: Mapping[str, TensorBytes],
    metadata: Mapping[str, str | None],
    header: bytes = b"",
) -> Plan:
    """The plan for a source; leaves the stream at its data section.

    An entry of the metadata that is None is left out.     `header` is the new one, where that is known. Raises `ValueError` where it does not have just the tensors that
    stay and those of `changes`.
    """
    old = header_of(stream)
    kept, tensors = parsed(old)
    order = [*in_order(tensors), *(name for name in changes if name not in tensors)]
    if header:
        _, after = parsed(header)
        order = [name for name in order if name in after]
        if laid_out(order, tensors, changes) != after:
            raise ValueError("the header is not that of the tensors")
    else:
        at = laid_out(order, tensors, changes)
        after = {name: at[name] for name in [*tensors, *(n for n in changes if n not in tensors)]}
        notes = {name: note for name, note in {**kept, **metadata}.items() if note is not None}
        header = header_bytes(after, notes) if changes or metadata else old
    return Plan(old, header, pieces(order, tensors, changes))


def header_of(stream: BinaryIO) -> bytes:
    """The header with its length, as it stands at the start of a file."""
    start = stream.read(8)
    return start + stream.read(int.from_bytes(start, "little"))


def parsed(header: bytes) -> tuple[dict[str, str], Entries]:
    """The metadata and the tensors of a header that has been checked."""
    found = cast("dict[str, object]", json.loads(header[8:]))
    kept = cast("dict[str, str]", found.pop(METADATA, {}))
    entries = cast("Entries", found)
    for entry in entries.values():
        begin, end = entry["data_offsets"]
        entry["data_offsets"] = begin, end
    return kept, entries


def in_order(tensors: Mapping[str, TensorEntry]) -> list[str]:
    """The names of tensors, in the order of their data."""
    return sorted(tensors, key=lambda name: tensors[name]["data_offsets"])


def laid_out(
    order: Sequence[str], tensors: Mapping[str, TensorEntry], changes: Mapping[str, TensorBytes]
) -> Entries:
    """What the new header says of the tensors in `order`, one behind the other."""
    entries: Entries = {}
    at = 0
    for name in order:
        entry, change = tensors.get(name), changes.get(name)
        if change is not None:
            size = size_of(change)
            found = TensorEntry(
                dtype=change.dtype, shape=[*change.shape], data_offsets=(at, at + size)
            )
        elif entry is not None:
            size = extent(entry)
            found = TensorEntry(
                dtype=entry["dtype"], shape=entry["shape"], data_offsets=(at, at + size)
            )
        else:
            raise ValueError(f"`{name}` is in neither file")
        entries[name] = found
        at += size
    return entries


def size_of(change: TensorBytes) -> int:
    """The bytes of a tensor; raises `ValueError` where these are not those of its shape and dtype."""
    if len(change.data) * 8 != prod(change.shape) * BITS[change.dtype]:
        raise ValueError("a tensor has not the bytes of its shape")
    return len(change.data)


def extent(entry: TensorEntry) -> int:
    """The bytes of a tensor's data."""
    begin, end = entry["data_offsets"]
    return end - begin


def pieces(
    order: Sequence[str], tensors: Mapping[str, TensorEntry], changes: Mapping[str, TensorBytes]
) -> tuple[Piece, ...]:
    """The new data section: what stays, what is replaced, what is left out, and what is new."""
    found, stays = list[Piece](), set(order)
    for name in in_order(tensors):
        new = changes[name].data if name in changes else None
        found.append(Piece(extent(tensors[name]), new if name in stays else b""))
    return (*found, *(Piece(0, changes[name].data) for name in order if name not in tensors))


def header_bytes(tensors: Mapping[str, TensorEntry], metadata: Mapping[str, str]) -> bytes:
    """A header with its length, padded so that the data section is aligned to eight bytes."""
    header = {METADATA: metadata, **tensors} if metadata else tensors
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def rewritten(stream: BinaryIO, plan: Plan) -> Iterator[tuple[bytes, bytes]]:
    """The data section in chunks: what was read, and what is to be written for it.

    What follows the last tensor, if anything does, is read but not written.
    """
    for piece in plan.pieces:
        if piece.new is None:
            for offset in range(0, piece.size, CHUNK):
                chunk = stream.read(min(CHUNK, piece.size - offset))
                yield chunk, chunk
        else:
            yield stream.read(piece.size), piece.new
    yield stream.read(), b""
