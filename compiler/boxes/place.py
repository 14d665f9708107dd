"""Where rows are taken back to the input: on this machine's processor, or on a device with arrays of its own.

The code is the same (`back.py`): of arrays it uses operators, slices and sums along an axis, which all kinds
have, and from a place what they name differently.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from circ.compiler.boxes.lines import Lines
from circ.compiler.boxes.net import FloatArray, IntArray, Layer


class Place(Protocol):
    """Arrays of doubles, whose sums of products are those of IEEE arithmetic in some order."""

    @property
    def chunk(self) -> int:
        """About as many coefficients of rows are best worked on at once."""
        ...

    def there(self, x: FloatArray) -> FloatArray:
        """An array of numpy's, as one of the place's."""
        ...

    def here(self, x: FloatArray) -> FloatArray:
        """An array of the place's, as one of numpy's."""
        ...

    def index(self, x: IntArray) -> IntArray:
        """Numbers of rows, for `taken`."""
        ...

    def zeros(self, rows: int, width: int) -> FloatArray:
        """[rows, width] of 0."""
        ...

    def taken(self, x: FloatArray, rows: IntArray) -> FloatArray:
        """Some rows of an array."""
        ...

    def dots(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """The product of each row of `x` with that of `y`."""
        ...

    def positive(self, x: FloatArray) -> FloatArray:
        """What is above 0, else 0."""
        ...

    def used(self, x: FloatArray) -> FloatArray:
        """1 for a row that is not 0, else 0."""
        ...


@dataclass(frozen=True, slots=True)
class Host:
    """This machine's processor, by numpy. What is worked on at once stays in its cache."""

    chunk: int = 1 << 15

    def there(self, x: FloatArray) -> FloatArray:
        """As it is."""
        return x

    def here(self, x: FloatArray) -> FloatArray:
        """As it is."""
        return x

    def index(self, x: IntArray) -> IntArray:
        """As they are."""
        return x

    def zeros(self, rows: int, width: int) -> FloatArray:
        """[rows, width] of 0."""
        return np.zeros((rows, width))

    def taken(self, x: FloatArray, rows: IntArray) -> FloatArray:
        """Some rows of an array."""
        return x.take(rows, 0)

    def dots(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """The product of each row of `x` with that of `y`."""
        return np.asarray(np.einsum("ij,ij->i", x, y))

    def positive(self, x: FloatArray) -> FloatArray:
        """What is above 0, else 0."""
        return np.asarray(np.maximum(x, 0))

    def used(self, x: FloatArray) -> FloatArray:
        """1 for a row that is not 0, else 0."""
        return np.asarray(x.any(1), np.float64)


HOST = Host()


def layer_there(layer: Layer, place: Place) -> Layer:
    """A layer whose matrices and biases are the place's arrays."""
    sources = tuple((j, place.there(matrix)) for j, matrix in layer.sources)
    return replace(layer, sources=sources, bias=place.there(layer.bias))


def lines_there(line: Lines, place: Place) -> Lines:
    """Lines whose slopes and constants are the place's arrays."""
    below, above = place.there(line.below), place.there(line.above)
    return Lines(below, place.there(line.under), above, place.there(line.over), line.flush)
