"""The entries of a network's tensors: bytes decoded, and every number held as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from circ.compiler.checkpoint import opened
from circ.compiler.header import Place
from circ.compiler.ir import Shape
from circ.compiler.onnx.graph import Flags, Floats, Outside, Wholes, entries
from circ.compiler.onnx.limits import LARGEST_FILE
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import not_onnx, outside_model

NUMBERS = {
    1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 9: "BOOL",
    10: "F16", 11: "F64", 12: "U32", 13: "U64", 16: "BF16",
}  # fmt: skip
"""The numbers that ONNX gives to types of entries, of those that are read."""

FORMATS = {
    "F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "<u2", "BOOL": "?",
    "U8": "<u1", "I8": "<i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
    "U64": "<u8", "I64": "<i8",
}  # fmt: skip

BITS = ("F16", "BF16")
"""Floats whose entries are given as the bits of whole numbers, where they are given one by one."""

Row = npt.NDArray[np.generic]

FLOATS = ("F32", "F64", "F16", "BF16")


@dataclass(frozen=True, slots=True)
class Payload:
    """A tensor's bytes, or its entries; `patterns` says that these are the bits of floats."""

    dtype: str
    data: bytes | None
    entries: Sequence[int | float] = ()
    patterns: bool = False


def decoded(
    path: Path, name: str, shape: Shape, payload: Payload
) -> tuple[str, Floats | Wholes | Flags]:
    """The dtype a tensor is kept as, and its entries; raises `CircError` unless they fit its shape."""
    form = np.dtype(FORMATS[payload.dtype])
    count = entries(shape)
    found = len(payload.entries)
    if payload.data is not None:
        found, odd = divmod(len(payload.data), form.itemsize)
        found += 1 if odd else 0
    if found != count:
        reason = f"its tensor `{name}` has {found:,} entries where its shape asks for {count:,}"
        raise CircError(not_onnx(str(path), reason))
    try:
        flat = listed(payload, form)
    except (OverflowError, ValueError) as error:
        reason = f"an entry of its tensor `{name}` is not of its type"
        raise CircError(not_onnx(str(path), reason)) from error
    dtype, values = widened(payload.dtype, flat)
    return dtype, values.reshape(shape)


def listed(payload: Payload, form: np.dtype[np.generic]) -> Row:
    """The entries in a row, in the format of the file."""
    if payload.data is not None:
        found = np.frombuffer(payload.data, form)
        if payload.dtype == "U64" and found.size and int(found.max()) >= 1 << 63:
            raise OverflowError
        return found
    if payload.patterns:
        return np.array(payload.entries, np.uint16).view(form)
    return np.array(payload.entries, form)


def widened(dtype: str, flat: Row) -> tuple[str, Floats | Wholes | Flags]:
    """Floats as doubles, which hold them all; whole numbers as int64, truths as they are."""
    if dtype == "BF16":
        return dtype, (flat.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    if dtype in FLOATS:
        return dtype, flat.astype(np.float64)
    if dtype == "BOOL":
        return dtype, flat.astype(np.bool_)
    return dtype, flat.astype(np.int64)


def read_outside(path: Path, name: str, where: Outside) -> bytes:
    """The bytes of a tensor in a file beside the network; raises `CircError` (E0401-E0403, E0806)."""

    def refused(reason: str) -> CircError:
        return CircError(outside_model(str(path), name, reason))

    folder = path.parent.resolve()
    try:
        target = (folder / where.file).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise refused("its name leads to no file") from error
    if not target.is_relative_to(folder):
        raise refused(f"`{where.file}` lies outside the network's folder")
    if where.offset < 0 or (where.length is not None and where.length < 0):
        raise refused("its place in the file is negative")
    with opened(target, Place(str(target), None), ".data") as file:
        file.seek(where.offset)
        return file.read(min(LARGEST_FILE, LARGEST_FILE if where.length is None else where.length))
