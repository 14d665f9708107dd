"""Writing a patched checkpoint: the same safetensors file with some tensors' bytes replaced.

Everything else is kept: the bytes, order and offsets of all other tensors, and their metadata. The
format is https://github.com/huggingface/safetensors: eight bytes for the length of the header, the
header as JSON, and the data section, in which offsets start at 0.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from circ.compiler.rounding import FORMATS, round_to_dtype
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import replacing

CHUNK = 2**22
METADATA = "__metadata__"


class TensorEntry(TypedDict):
    """What a header says of one tensor."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Written:
    """SHA-256 of the source's bytes, of the target's, and of the target's data section."""

    source: str
    target: str
    data: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the data section: `size` bytes to copy, or `new` ones in their place."""

    size: int
    new: bytes | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How the target follows from the source: the old header, the new one, and the data."""

    old: bytes
    new: bytes
    pieces: tuple[Piece, ...]


def write_patched(
    source: Path,
    target: Path,
    changes: Mapping[str, bytes],
    metadata: Mapping[str, str],
    *,
    expected: str,
    overwrite: bool = False,
    in_place: bool = False,
) -> Written:
    """Write `target`: `source` with the named tensors' bytes replaced, and entries of metadata set.

    `expected` is the SHA-256 of the source as it was read. `target` appears whole or not at all; it
    is the source itself, by this name or another, only if `in_place`. Raises `CircError`
    (E0650-E0653), and `ValueError` for a tensor that the source lacks or another number of bytes.
    """
    same = target.exists() and source.exists() and target.samefile(source)
    if same and not in_place:
        raise CircError(writing.writes_over_source(str(source), str(target)))
    with (
        opened(source, expected) as stream,
        replacing(target, overwrite=overwrite or same) as out,
    ):
        plan = planned(stream, changes, metadata)
        read, written, data = hashlib.sha256(plan.old), hashlib.sha256(plan.new), hashlib.sha256()
        out.write(plan.new)
        for old, new in patched(stream, plan):
            read.update(old)
            written.update(new)
            data.update(new)
            out.write(new)
        if read.hexdigest() != expected:
            raise CircError(writing.source_changed(str(source)))
    return Written(expected, written.hexdigest(), data.hexdigest())


def data_hash(source: Path, changes: Mapping[str, bytes], *, expected: str) -> str:
    """The SHA-256 of the data section that `write_patched` would write, for the metadata to name."""
    data = hashlib.sha256()
    with opened(source, expected) as stream:
        for _, new in patched(stream, planned(stream, changes, {})):
            data.update(new)
    return data.hexdigest()


@contextmanager
def opened(source: Path, expected: str) -> Generator[BinaryIO]:
    """The checkpoint, if its bytes are still those that were read; raises `CircError` (E0652)."""
    try:
        stream = source.open("rb")
    except OSError as error:
        raise CircError(writing.source_changed(str(source))) from error
    with stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != expected:
            raise CircError(writing.source_changed(str(source)))
        stream.seek(0)
        yield stream


def planned(stream: BinaryIO, changes: Mapping[str, bytes], metadata: Mapping[str, str]) -> Plan:
    """The plan for a source; leaves the stream at its data section."""
    start = stream.read(8)
    text = stream.read(int.from_bytes(start, "little"))
    found = cast("dict[str, object]", json.loads(text))
    kept = cast("dict[str, str]", found.pop(METADATA, {}))
    tensors = cast("dict[str, TensorEntry]", found)
    spans = {name: entry["data_offsets"] for name, entry in tensors.items()}
    for name, new in changes.items():
        if name not in spans or len(new) != spans[name][1] - spans[name][0]:
            raise ValueError(f"`{name}` has no such bytes to replace")
    pieces = tuple(
        Piece(end - begin, changes.get(name))
        for name, (begin, end) in sorted(spans.items(), key=lambda item: item[1])
    )
    return Plan(start + text, header_bytes(tensors, {**kept, **metadata}), pieces)


def header_bytes(tensors: Mapping[str, TensorEntry], metadata: Mapping[str, str]) -> bytes:
    """A header with its length, padded so that the data section is aligned to eight bytes."""
    header = {METADATA: metadata, **tensors} if metadata else tensors
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def patched(stream: BinaryIO, plan: Plan) -> Iterator[tuple[bytes, bytes]]:
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


# --- numbers as bytes -----------------------------------------------------------------------


def rounded(tensor: str, values: array[float], dtype: str) -> array[float]:
    """A tensor's new values as the file will hold them; raises `CircError` (E0654, E0655)."""
    if dtype not in FORMATS:
        raise CircError(writing.unwritable_dtype(tensor, dtype))
    try:
        return round_to_dtype(values, dtype)
    except OverflowError as error:
        value = max(values, key=abs)
        raise CircError(writing.does_not_fit(tensor, dtype, repr(value))) from error


def encoded(values: array[float], dtype: str) -> bytes:
    """Values of a dtype as a safetensors file holds them: little-endian, row-major.

    Raises `ValueError` for a value that the dtype does not hold, rather than round it: what was
    proved is what is written.
    """
    exact = np.array(values, dtype=np.float64)
    match dtype:
        case "F64":
            return exact.astype("<f8").tobytes()
        case "F32":
            return faithful(exact, exact.astype("<f4"))
        case "F16":
            return faithful(exact, exact.astype("<f2"))
        case "BF16":
            wide = np.frombuffer(faithful(exact, exact.astype("<f4")), dtype="<u4")
            if np.any(wide & 0xFFFF):
                raise ValueError("a value is no BF16 number")
            return (wide >> 16).astype("<u2").tobytes()
        case _:
            raise ValueError(f"numbers are not written as {dtype}")


def faithful(exact: NDArray[np.float64], stored: NDArray[np.floating]) -> bytes:
    """The stored numbers, if they are the exact ones."""
    if not np.array_equal(exact, stored.astype(np.float64)):
        raise ValueError(f"a value is no {stored.dtype} number")
    return stored.tobytes()
