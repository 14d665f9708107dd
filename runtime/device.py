"""A device with memory of its own, as a GPU is, as the place where rows are taken back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
import torch

from circ.compiler.boxes.net import FloatArray, IntArray, rounding
from circ.compiler.boxes.place import HOST, Place

PROBES = (64, 1024)
"""Rows, columns and terms of the products that a device is tried with: it may compute large ones otherwise."""


@dataclass(frozen=True, slots=True)
class Device:
    """Arrays are torch tensors of doubles on that device."""

    name: torch.device
    chunk: int = 1 << 25

    def there(self, x: FloatArray) -> FloatArray:
        """As a tensor on the device."""
        return cast(FloatArray, torch.tensor(np.ascontiguousarray(x), device=self.name))

    def here(self, x: FloatArray) -> FloatArray:
        """Back as an array of numpy's."""
        return cast(FloatArray, cast(torch.Tensor, x).cpu().numpy())

    def index(self, x: IntArray) -> IntArray:
        """As a tensor on the device."""
        return cast(IntArray, torch.tensor(np.ascontiguousarray(x), device=self.name))

    def zeros(self, rows: int, width: int) -> FloatArray:
        """[rows, width] of 0."""
        found = torch.zeros((rows, width), dtype=torch.float64, device=self.name)
        return cast(FloatArray, found)

    def taken(self, x: FloatArray, rows: IntArray) -> FloatArray:
        """Some rows of an array."""
        which = cast(torch.Tensor, rows)
        return cast(FloatArray, cast(torch.Tensor, x).index_select(0, which))

    def dots(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """The product of each row of `x` with that of `y`."""
        return cast(FloatArray, (cast(torch.Tensor, x) * cast(torch.Tensor, y)).sum(1))

    def positive(self, x: FloatArray) -> FloatArray:
        """What is above 0, else 0."""
        return cast(FloatArray, cast(torch.Tensor, x).clamp(min=0))

    def used(self, x: FloatArray) -> FloatArray:
        """1 for a row that is not 0, else 0."""
        return cast(FloatArray, cast(torch.Tensor, x).any(1).to(torch.float64))


@cache
def device(name: str) -> Device:
    """The device that torch calls so; `ValueError` where there is none, or it is none to trust."""
    try:
        found = Device(torch.device(name))
        exact = computes_in_doubles(found)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    if not exact:
        raise ValueError("its products of doubles err by more than those of IEEE arithmetic may")
    return found


def computes_in_doubles(place: Place) -> bool:
    """Whether sums of products there err by no more than those of doubles may.

    Bounds charge for rounding in doubles. A device may put them together from smaller numbers, of a size
    that is common to a row: then a row of numbers of all sizes, each with its reciprocal's, tells.
    """
    return all(computes_so(place, count) for count in PROBES)


def computes_so(place: Place, count: int) -> bool:
    """Whether it does for matrices of so many rows and columns."""
    chance = np.random.default_rng(0)
    sizes = chance.integers(-150, 150, (count, count))
    x = np.ldexp(chance.normal(size=(count, count)), sizes)
    y = np.ldexp(chance.normal(size=(count, count)), -sizes.T)
    room = 2 * rounding(count) * (np.abs(x) @ np.abs(y))
    there, turned = place.there(x), place.there(y.T)
    products = np.abs(place.here(there @ place.there(y)) - x @ y)
    sums = np.abs(place.here(place.dots(there, turned)) - HOST.dots(x, y.T))
    return bool((products <= room).all() and (sums <= room.diagonal()).all())
