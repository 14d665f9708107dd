"""Moving and multiplying arrays whose last axis is the batch, or has length 1 for all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import Shape
from circ.compiler.readings.balls import FloatArray, Product

IntArray = npt.NDArray[np.int64]
Where = slice | IntArray
Scalar = TypeVar("Scalar", bound=np.generic)

ALONE = 1 << 18
"""Multiplications that OpenBLAS still does in one thread. Larger products of a batch are cut into
pieces of that size: small ones are done sooner alone, and the batches share out the cores."""


# --- entries --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moves:
    """A `Reindex` made ready: for each operand, its entries that are read and where they go."""

    sizes: tuple[int, ...]
    shape: Shape
    places: tuple[tuple[Where, Where], ...]


def moves(source: Sequence[int], sizes: Sequence[int], shape: Shape) -> Moves:
    """The moves of `Reindex`; `sizes` are the numbers of entries of the operands."""
    wanted = np.asarray(source, np.int64)
    ends = np.cumsum([0, *sizes])
    places: list[tuple[Where, Where]] = []
    for start, end in pairwise(ends):
        (into,) = np.nonzero((wanted >= start) & (wanted < end))
        places.append((stepped(into), stepped(wanted[into] - start)))
    return Moves(tuple(sizes), shape, tuple(places))


def rearranged(plan: Moves, operands: Sequence[npt.NDArray[Scalar]]) -> npt.NDArray[Scalar]:
    """`Reindex` on arrays; a view of a lone operand where the entries are evenly spaced."""
    sides = zip(operands, plan.sizes, strict=True)
    flat = [x.reshape(size, x.shape[-1]) for x, size in sides]
    width = max(x.shape[-1] for x in flat)
    if len(flat) == 1:
        return flat[0][plan.places[0][1]].reshape(*plan.shape, width)
    result = np.empty((prod(plan.shape), width), flat[0].dtype)
    for (into, out_of), x in zip(plan.places, flat, strict=True):
        result[into] = x[out_of]
    return result.reshape(*plan.shape, width)


def stepped(places: IntArray) -> Where:
    """The same places as a slice where they are evenly spaced, which numpy need not copy."""
    if places.size == 0:
        return slice(0, 0)
    first, last = int(places[0]), int(places[-1])
    step = int(places[1]) - first if places.size > 1 else 1
    even = step > 0 and bool((np.diff(places) == step).all())
    return slice(first, last + 1, step) if even else places


def picked(table: npt.NDArray[Scalar], index: IntArray, axes: int) -> npt.NDArray[Scalar]:
    """The entries `table[index]`, the table's first `axes` axes taken as one."""
    rest = table.shape[axes:-1]
    rows, width = prod(table.shape[:axes]), prod(rest)
    if table.shape[-1] > 1:
        wanted = index.reshape(-1, 1, index.shape[-1])
        found = np.take_along_axis(table.reshape(rows, width, -1), wanted, 0)
    elif width == 1:
        found = table.reshape(rows).take(index)
    elif rows * width <= index.size:
        columns = np.ascontiguousarray(table.reshape(rows, width).T)
        found = np.moveaxis(columns.take(index, axis=1), 0, -2)
    else:
        found = np.moveaxis(table.reshape(rows, width).take(index, axis=0), -1, -2)
    return found.reshape(*index.shape[:-1], *rest, found.shape[-1])


# --- products -------------------------------------------------------------------------------


def product(spec: str) -> Callable[[FloatArray, FloatArray], FloatArray]:
    """`Contract` on arrays: by BLAS where one side is the same for the whole batch."""
    inputs, output = spec.split("->")
    left, right = inputs.split(",")
    summed = (set(left) & set(right)) - set(output)
    both = f"{left}Z,{right}Z->{output}Z"
    forward, backward = fixed(left, right, output), fixed(right, left, output)

    def multiplied(x: FloatArray, y: FloatArray) -> FloatArray:
        if not summed:
            return placed(x, left, output) * placed(y, right, output)
        if x.shape[-1] == 1:
            return forward(x, y)
        if y.shape[-1] == 1:
            return backward(y, x)
        found: FloatArray = np.einsum(both, x, y)
        return found

    return multiplied


def placed(x: npt.NDArray[Scalar], letters: str, output: str) -> npt.NDArray[Scalar]:
    """`x` with its axes in the order of `output`, and an axis of length 1 for each it lacks."""
    order = [letters.index(letter) for letter in output if letter in letters]
    moved = x.transpose(*order, len(letters))
    sides = iter(moved.shape)
    return moved.reshape(*(next(sides) if c in letters else 1 for c in output), x.shape[-1])


def fixed(matrix: str, batch: str, output: str) -> Product:
    """The product whose first operand is the same for the whole batch.

    One matrix product for each place in the axes that are not multiplied: its columns are the batch.
    """
    summed = [c for c in matrix if c in batch and c not in output]
    rows = [c for c in matrix if c not in batch]
    stacked = [c for c in batch if c not in summed]
    first = [matrix.index(c) for c in stacked if c in matrix]
    first += [matrix.index(c) for c in rows + summed]
    second = [batch.index(c) for c in stacked + summed]
    result = stacked + rows
    order = [result.index(c) for c in output]

    def multiplied(x: FloatArray, y: FloatArray) -> FloatArray:
        sides = dict(zip(matrix + batch, x.shape[:-1] + y.shape[:-1], strict=True))
        high, wide = (prod(sides[c] for c in part) for part in (rows, summed))
        outer = [sides[c] if c in matrix else 1 for c in stacked]
        a = x[..., 0].transpose(first).reshape(*outer, high, wide)
        b = y.transpose(*second, len(batch)).reshape(
            *(sides[c] for c in stacked), wide, y.shape[-1]
        )
        found = in_pieces(a, b).reshape(*(sides[c] for c in result), y.shape[-1])
        return found.transpose(*order, len(output))

    return multiplied


def in_pieces(a: FloatArray, b: FloatArray) -> FloatArray:
    """`a @ b`, in pieces of few enough columns for one thread where that is not too few."""
    width = ALONE // max(1, a.shape[-2] * a.shape[-1])
    if b.shape[-1] <= width or width < 64:
        return a @ b
    result = np.empty((*b.shape[:-2], a.shape[-2], b.shape[-1]))
    for start in range(0, b.shape[-1], width):
        piece = slice(start, start + width)
        np.matmul(a, b[..., piece], out=result[..., piece])
    return result
