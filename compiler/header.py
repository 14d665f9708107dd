"""The header of a safetensors file: parsed, and checked against the size of the file.

The format is https://github.com/huggingface/safetensors. A header is untrusted: each tensor must have
as many bytes as its shape and dtype say, and the tensors must cover the data without overlap or gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from circ.compiler.ir import Shape
from circ.compiler.plain_json import loaded
from circ.lang.diagnostic import CircError
from circ.lang.errors import files as errors
from circ.lang.headers import Json
from circ.lang.span import Span

METADATA = "__metadata__"

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
}  # fmt: skip
"""Bits of an entry; a dtype that is not listed is newer than this table."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor of a file: `start` and `end` count bytes from the start of the file.

    Of a checkpoint in shards, `file` is the name of the one that it stands in.
    """

    dtype: str
    shape: Shape
    start: int
    end: int
    file: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """What a checkpoint says of itself."""

    tensors: Mapping[str, StoredTensor]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """The file that is read, and where a spec names it."""

    path: str
    span: Span | None


class Malformed(Exception):
    """What is wrong with a header, in words."""


def parse_header(place: Place, text: bytes, size: int) -> Header:
    """The header in `text` of a file of `size` bytes; raises `CircError` (E0405, E0406, E0408)."""
    try:
        entries = members(parsed(text))
        metadata = members(entries.pop(METADATA, {}))
        notes = {name: note for name, note in metadata.items() if isinstance(note, str)}
        if len(notes) < len(metadata):
            raise Malformed(f"`{METADATA}` holds more than text")
        tensors = {name: stored(name, entry, 8 + len(text)) for name, entry in entries.items()}
    except Malformed as error:
        raise CircError(errors.not_safetensors(place.span, place.path, str(error))) from error
    check_layout(place, tensors, 8 + len(text), size)
    return Header(tensors, notes)


# --- JSON -----------------------------------------------------------------------------------


def parsed(text: bytes) -> Json:
    """The header as JSON."""
    try:
        return loaded(text.decode("utf-8"), unrepeated)
    except ValueError as error:
        raise Malformed("its header is not JSON") from error


def unrepeated(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object; every key must be text that can be shown, and stand once."""
    found: dict[str, Json] = {}
    for key, entry in pairs:
        key.encode("utf-8")  # half of a surrogate pair is a ValueError
        if key in found:
            raise Malformed(f"`{key}` stands twice in its header")
        found[key] = entry
    return found


def members(found: Json) -> dict[str, Json]:
    """The members of a JSON object."""
    if not isinstance(found, dict):
        raise Malformed("its header is not an object of objects")
    return found


def stored(name: str, entry: Json, start: int) -> StoredTensor:
    """One tensor, its offsets counted from `start`."""
    match members(entry):
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": list(offsets)}:
            sides, ends = naturals(shape), naturals(offsets)
            if sides is not None and ends is not None and len(ends) == 2:
                return StoredTensor(dtype, sides, start + ends[0], start + ends[1])
        case _:
            pass
    raise Malformed(f"`{name}` in its header lacks a dtype, a shape and two offsets")


def naturals(found: list[Json]) -> tuple[int, ...] | None:
    """The entries, if all of them are counts."""
    counts = tuple(entry for entry in found if type(entry) is int and entry >= 0)
    return counts if len(counts) == len(found) else None


# --- layout ---------------------------------------------------------------------------------


def check_layout(place: Place, tensors: Mapping[str, StoredTensor], start: int, size: int) -> None:
    """Raise `CircError` unless the tensors fill the file from `start` to its end, each as it says."""

    def wrong(reason: str) -> CircError:
        return CircError(errors.bad_layout(place.span, place.path, reason))

    end = max((tensor.end for tensor in tensors.values()), default=start)
    if end > size:
        raise CircError(errors.truncated(place.span, place.path, end, size))
    for name, tensor in tensors.items():
        if tensor.start > tensor.end:
            raise wrong(f"`{name}` ends before it starts")
        if not size_fits(tensor):
            sides = " × ".join(map(str, tensor.shape)) or "1"
            bytes_found = f"{tensor.end - tensor.start:,} bytes"
            raise wrong(f"`{name}` has {bytes_found}, which is not {sides} of {tensor.dtype}")
    order = sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end))
    for (name, tensor), (other, following) in pairwise(order):
        if following.start < tensor.end:
            raise wrong(f"`{name}` and `{other}` overlap")
    covered = sum(tensor.end - tensor.start for tensor in tensors.values())
    if covered < size - start:
        raise wrong(f"{size - start - covered:,} bytes of data belong to no tensor")


def size_fits(tensor: StoredTensor) -> bool:
    """Whether a tensor has the bytes that its shape asks for, where its dtype is known."""
    bits = BITS.get(tensor.dtype)
    return bits is None or prod(tensor.shape) * bits == 8 * (tensor.end - tensor.start)
