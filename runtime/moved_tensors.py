"""Which tensors differ in two checkpoints, and how far their entries have moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import hypot, inf, isfinite, prod
from pathlib import Path
from time import monotonic

import numpy as np
import numpy.typing as npt

from circ.compiler.checkpoint import read_chunks, read_header
from circ.compiler.header import StoredTensor
from circ.compiler.patching import Norm
from circ.runtime.norms import norms

FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
"""The formats that numpy reads as they are stored."""

Entries = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Differs:
    """A tensor that is not the same in two files: how many of its entries differ, and how far they have moved.

    `l2` and `linf` are None where no double holds them. `kind` says instead that the tensor is in one file alone,
    of another shape or dtype, not of floats, or of the same numbers in other bytes. `known`: False where there was no
    time to compare it.
    """

    name: str
    entries: int = 0
    size: int = 0
    l2: float | None = 0.0
    linf: float | None = 0.0
    kind: str = ""
    known: bool = True


def differing(old: Path, new: Path, until: float = inf) -> Iterator[Differs]:
    """The tensors that differ, in the order of their names, and those that are not compared by a moment of `monotonic`.

    Raises `CircError` for a file that cannot be read.
    """
    before, after = read_header(old), read_header(new)
    for name in sorted(before.tensors.keys() | after.tensors.keys()):
        was, now = before.tensors.get(name), after.tensors.get(name)
        if was is None or now is None:
            yield Differs(name, kind=f"only in the {'new' if was is None else 'old'} one")
        elif (was.dtype, was.shape) != (now.dtype, now.shape):
            told = [f"{[*tensor.shape]} {tensor.dtype}" for tensor in (was, now)]
            yield Differs(name, kind=f"{told[0]}, now {told[1]}")
        elif monotonic() > until:
            yield Differs(name, kind="not compared, as the time was up", known=False)
        else:
            pairs = zip(read_chunks(old, was), read_chunks(new, now), strict=True)
            found = moved(name, was, pairs)
            if found is not None:
                yield found


def moved(name: str, stored: StoredTensor, pairs: Iterable[tuple[bytes, bytes]]) -> Differs | None:
    """How a tensor differs, from its bytes in both files, a part of them at a time; None where they are the same."""
    others = (pair for pair in pairs if pair[0] != pair[1])
    if stored.dtype not in {*FLOATS, "BF16"}:
        told = f"other entries, {[*stored.shape]} {stored.dtype}"
        return None if next(others, None) is None else Differs(name, kind=told)
    entries, parts = 0, list[dict[Norm, float]]()
    for pair in others:
        steps = steps_between(*pair, stored.dtype)
        entries += steps.size
        parts.append(norms(steps))
    if not parts:
        return None
    if not entries:
        return Differs(name, kind="the same numbers, other signs of zero")
    l2, linf = hypot(*(part["l2"] for part in parts)), max(part["linf"] for part in parts)
    far = not all(isfinite(part["linf"]) for part in parts)
    return Differs(name, entries, prod(stored.shape), finite(l2), None if far else linf)


def finite(x: float) -> float | None:
    """The number, None where it is none or too large."""
    return x if isfinite(x) else None


def steps_between(was: bytes, now: bytes, dtype: str) -> Entries:
    """How far each entry that differs has moved, of a part whose bytes are these."""
    a, b = floats(was, dtype), floats(now, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        steps: Entries = (b - a)[a != b]
    return steps


def floats(data: bytes, dtype: str) -> Entries:
    """The floats that these bytes are; BF16 is the upper half of an F32."""
    if dtype == "BF16":
        halves = np.frombuffer(data, "<u2").astype(np.uint32) << 16
        return halves.view(np.float32).astype(np.float64)
    return np.frombuffer(data, FLOATS[dtype]).astype(np.float64)
