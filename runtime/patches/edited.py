"""Weights with some tensors replaced, and tensors as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from circ.compiler.ir import Shape
from circ.compiler.patching import EditedTensor, Part
from circ.compiler.tensor import Tensor, Weights, as_stored
from circ.runtime.convex import Floats, Indices


@dataclass(frozen=True, slots=True)
class Edited(Mapping[str, Tensor]):
    """Weights with some tensors replaced; those of the unpatched version (`old …`) are kept."""

    base: Weights
    changed: Mapping[str, Tensor]

    def __getitem__(self, key: str) -> Tensor:
        return self.changed[key] if key in self.changed else self.base[as_stored(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.base)

    def __len__(self) -> int:
        return len(self.base)


def entries(edit: EditedTensor, shape: Shape) -> Indices:
    """The offsets of the entries that a patch may change, in order."""
    parts = [part_of(part, shape).ravel() for part in edit.parts]
    return np.unique(np.concatenate(parts))


def part_of(part: Part, shape: Shape) -> Indices:
    """The offsets of the entries of a part of a tensor, which keeps all axes."""
    offsets = np.arange(prod(shape)).reshape(shape)
    return offsets[tuple(map(slice_of, part))]


def slice_of(place: int | range) -> slice:
    """A place as numpy takes it; a range here has the step 1."""
    return slice(place.start, place.stop) if isinstance(place, range) else slice(place, place + 1)


def as_array(tensor: Tensor) -> Floats:
    """A tensor's values, exactly."""
    return np.frombuffer(tensor.values, dtype=np.float64).reshape(tensor.shape)


def moved(old: Tensor, new: Tensor) -> Floats:
    """How far each entry has moved; where one of them has no entry, it counts as 0."""
    shape = tuple(map(max, old.shape, new.shape))
    return padded(new, shape) - padded(old, shape)


def padded(tensor: Tensor, shape: Shape) -> Floats:
    """A tensor's values in the corner of a larger one."""
    if tensor.shape == shape:
        return as_array(tensor)
    found = np.zeros(shape)
    found[tuple(map(slice, tensor.shape))] = as_array(tensor)
    return found
