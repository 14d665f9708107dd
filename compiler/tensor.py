"""A checkpoint's tensor, exactly: its floats are held as doubles, which contain them all."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

from circ.compiler.ir import Shape


@dataclass(frozen=True, slots=True)
class Tensor:
    """`values` row-major, finite; `dtype` is the file's name for it (`F32`, `F16`, `BF16`, `F64`).

    Standard library only, so that the exact reference can read it; `numpy.frombuffer(t.values)`
    views the same memory.
    """

    shape: Shape
    dtype: str
    values: array[float] = field(repr=False)


Weights = Mapping[str, Tensor]
"""The tensors that a circuit's `Weight` ops name by key."""

OLD = "old "


def unpatched(key: str) -> str:
    """The key under which a requirement of a patch reads a tensor as it was."""
    return OLD + key


def as_stored(key: str) -> str:
    """The key of the tensor in its file, whichever version of it is read."""
    return key.removeprefix(OLD)
