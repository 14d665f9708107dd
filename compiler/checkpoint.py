"""Reading checkpoints: safetensors files, with the standard library alone. Pickles are never read.

One may be in several files, its shards, beside an index of them.
A file is untrusted, and its header is checked before anything else of it is used. Tensors are read one
by one, and exactly: a double holds every value of the four formats of floats.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import sys
from array import array
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from io import BufferedReader
from math import isfinite
from pathlib import Path
from typing import TypeAlias

from circ.compiler.header import Header, Place, StoredTensor, parse_header
from circ.compiler.ir import Shape
from circ.compiler.shards import (
    ENDING,
    LONGEST_INDEX,
    Index,
    is_index,
    merged,
    parse_index,
    shards_of,
)
from circ.compiler.tensor import Tensor
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.errors import files as errors
from circ.lang.span import Span

LONGEST_HEADER = 100_000_000
"""The most bytes that the format allows a header."""

CHUNK = 1 << 22
"""Bytes decoded at a time."""

Floats: TypeAlias = "array[float]"


def read_header(path: Path, span: Span | None = None) -> Header:
    """The header of a checkpoint; `span` is where a spec names it, for the diagnostics.

    Of the index of a checkpoint in shards it is that of all of them. Raises `CircError`: E0401-E0408 and E0413.
    """
    if not is_index(path):
        return read_file_header(path, span)
    index = read_index(path, span)
    headers = {file: read_file_header(path.parent / file, span) for file in shards_of(index)}
    return merged(Place(str(path), span), index, headers)


def read_index(path: Path, span: Span | None = None) -> Index:
    """Which tensor is in which file beside an index; raises `CircError` (E0401-E0403 and E0413)."""
    place = Place(str(path), span)
    with opened(path, place, ENDING) as file:
        return parse_index(place, file.read(LONGEST_INDEX + 1))


def files_of(path: Path, span: Span | None = None) -> list[Path]:
    """A checkpoint's file; of one in shards its index and all of them. Raises `CircError` as above."""
    if not is_index(path):
        return [path]
    return [path, *(path.parent / file for file in shards_of(read_index(path, span)))]


def read_file_header(path: Path, span: Span | None = None) -> Header:
    """The header of one file; raises `CircError` (E0401-E0408)."""
    place = Place(str(path), span)
    with opened(path, place) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
        if size < 9 or start[8:] != b"{":
            raise CircError(foreign(place, start + file.read(1024)))
        if length > LONGEST_HEADER:
            raise CircError(errors.header_too_large(span, place.path, length, LONGEST_HEADER))
        if 8 + length > size:
            raise CircError(errors.truncated(span, place.path, 8 + length, size))
        return parse_header(place, (start[8:] + file.read(length - 1)), size)


def read_tensor(path: Path, header: Header, name: str, span: Span | None = None) -> Tensor:
    """A tensor of the file whose `header` it is, its entries all finite.

    Raises `CircError`: E0401-E0403, E0406, E0409, E0410 and E0412.
    """
    place, stored = Place(str(path), span), header.tensors.get(name)
    if stored is None:
        raise CircError(errors.unknown_tensor(span, name, list(header.tensors)))
    decode = DECODERS.get(stored.dtype)
    if decode is None:
        raise CircError(errors.unsupported_dtype(span, place.path, name, stored.dtype))
    values = array("d")
    for chunk in read_chunks(path, stored, span):
        values.extend(decode(chunk))
    check_finite(place, name, stored, values)
    return Tensor(stored.shape, stored.dtype, values)


def read_chunks(path: Path, stored: StoredTensor, span: Span | None = None) -> Iterator[bytes]:
    """A tensor's bytes in order, whole entries at a time; raises `CircError` (E0401-E0403, E0406 and E0412)."""
    place = Place(str(path), span)
    with opened(path.parent / stored.file if stored.file else path, place) as file:
        file.seek(stored.start)
        for first in range(stored.start, stored.end, CHUNK):
            wanted = min(CHUNK, stored.end - first)
            chunk = file.read(wanted)
            if len(chunk) < wanted:
                found = first + len(chunk)
                raise CircError(errors.truncated(span, place.path, stored.end, found))
            yield chunk


def file_hash(path: Path, span: Span | None = None) -> str:
    """The SHA-256 of a checkpoint, in hexadecimal: of its file, or of the hashes of its index and its shards.

    Raises `CircError` (E0401-E0403 and E0413).
    """
    return joined([plain_hash(file, span) for file in files_of(path, span)])


def joined(hashes: Sequence[str]) -> str:
    """The SHA-256 of several files, from theirs; that of one is its own."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def plain_hash(path: Path, span: Span | None) -> str:
    """The SHA-256 of a file; raises `CircError` (E0401-E0403)."""
    with opened(path, Place(str(path), span), path.suffix) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- files ----------------------------------------------------------------------------------


@contextmanager
def opened(path: Path, place: Place, wanted: str = ".safetensors") -> Generator[BufferedReader]:
    """A regular file, open for reading; what the operating system refuses is a `CircError`.

    `wanted` is how the names of such files end.
    """
    if "\0" in place.path:
        raise CircError(errors.missing_file(place.span, place.path, None))
    try:
        kind = unfit(path.stat().st_mode)
        if kind:
            raise CircError(errors.not_a_file(place.span, place.path, kind, wanted))
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise CircError(errors.missing_file(place.span, place.path, beside(path))) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise CircError(errors.unreadable(place.span, place.path, reason)) from error


def unfit(mode: int) -> str:
    """What a path names, if not a regular file: reading a pipe could wait for ever."""
    if stat.S_ISDIR(mode):
        return "a folder"
    return "" if stat.S_ISREG(mode) else "a device or a pipe"


def beside(path: Path) -> str | None:
    """A file in the same folder whose name is nearly that of `path`."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return None
    close = get_close_matches(path.name, names, n=1, cutoff=0.7)
    return close[0] if close else None


def foreign(place: Place, start: bytes) -> Diagnostic:
    """What to say of a file that is no safetensors file, from how it starts."""
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return errors.pickled(place.span, place.path)
    if start[:4] == b"PK\x03\x04" and b"data.pkl" in start:
        return errors.pickled(place.span, place.path)
    reason = "it does not start with a header"
    return errors.not_safetensors(place.span, place.path, reason)


# --- floats ---------------------------------------------------------------------------------


def little_endian(values: Floats) -> Floats:
    """Floats that were read from a file, in the order of this machine's bytes."""
    if sys.byteorder == "big":
        values.byteswap()
    return values


def doubles(data: bytes) -> Floats:
    """F64."""
    values = array("d")
    values.frombytes(data)
    return little_endian(values)


def singles(data: bytes) -> Floats:
    """F32."""
    values = array("f")
    values.frombytes(data)
    return array("d", little_endian(values))


def halves(data: bytes) -> Floats:
    """F16."""
    return array("d", struct.unpack(f"<{len(data) // 2}e", data))


def brain_floats(data: bytes) -> Floats:
    """BF16: the upper half of an F32 whose lower half is 0."""
    wide = bytearray(2 * len(data))
    wide[2::4], wide[3::4] = data[0::2], data[1::2]
    return singles(bytes(wide))


DECODERS: dict[str, Callable[[bytes], Floats]] = {
    "F64": doubles,
    "F32": singles,
    "F16": halves,
    "BF16": brain_floats,
}


def check_finite(place: Place, name: str, stored: StoredTensor, values: Floats) -> None:
    """Raise `CircError` (E0410) where an entry is infinite or no number."""
    if all(map(isfinite, values)):
        return
    bad = [k for k, entry in enumerate(values) if not isfinite(entry)]
    where = coordinate(bad[0], stored.shape)
    error = errors.not_finite(place.span, place.path, name, where, values[bad[0]], len(bad))
    raise CircError(error)


def coordinate(offset: int, shape: Shape) -> list[int]:
    """The indices of the entry at a row-major offset."""
    place: list[int] = []
    for side in reversed(shape):
        offset, index = divmod(offset, side)
        place.insert(0, index)
    return place
