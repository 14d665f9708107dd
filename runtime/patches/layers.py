"""The tensors of a layer with units behind those that it had, or in place of all of them, as its file can hold them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import isinf

import numpy as np

from circ.compiler.obligation import Box
from circ.compiler.patching import LayerTensor, LayerUnits
from circ.compiler.readings import clock
from circ.compiler.rounding import nearest
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.units.hidden import HiddenUnits, Vector
from circ.runtime.convex import Floats
from circ.runtime.patches.edited import as_array


def with_units(form: LayerUnits, target: LayerTensor, tensor: Tensor) -> Tensor:
    """A tensor with units added to it, or with them alone; raises `OverflowError` where one cannot be stored."""
    found = stored(form.units, target, tensor.dtype)
    if target.axis is not None:
        given = as_array(tensor)
        found = found.reshape(-1, *(s for k, s in enumerate(given.shape) if k != target.axis))
        found = np.moveaxis(found, 0, target.axis)
        if form.grows:
            found = np.concatenate([given, found], axis=target.axis)
        else:
            found = padded(found, given.shape[target.axis], target.axis)
    shape = form.shape_of(target, tensor.shape)
    return Tensor(shape, tensor.dtype, array("d", found.reshape(shape).tobytes()))


def padded(values: Floats, width: int, axis: int) -> Floats:
    """Units, and zeros for those that a layer has besides."""
    rest = [(0, width - values.shape[axis] if k == axis else 0) for k in range(values.ndim)]
    return np.pad(values, rest)


def stored(units: HiddenUnits, target: LayerTensor, dtype: str) -> Floats:
    """What a tensor holds of units, a row each, rounded to its dtype; raises `TimeUp` before a row that is late."""
    return np.array([[held(x, dtype) for x in row] for row in in_time(exact(units, target))])


def in_time(rows: Iterable[Vector]) -> Iterator[Vector]:
    """Row by row, while there is time."""
    for row in rows:
        clock.look()
        yield row


def exact(units: HiddenUnits, target: LayerTensor) -> tuple[Vector, ...]:
    """What a tensor holds of units, a row each; of the bias behind them all one row."""
    match target.role:
        case "rows":
            return units.rows
        case "biases":
            return tuple((bias,) for bias in units.biases)
        case "columns":
            return units.columns
        case "constant":
            return (units.constant,)


def held(value: Fraction, dtype: str) -> float:
    """The nearest number of a format; raises `OverflowError` beyond its largest."""
    found = nearest(value, dtype)
    if isinf(found):
        raise OverflowError(f"{float(value)!r} does not fit {dtype}")
    return found


# --- what rounding does -----------------------------------------------------------------------


def astray(form: LayerUnits, weights: Weights) -> Fraction:
    """How far what the rounded units give is from what the exact ones do, at most, on the box.

    Each unit contributes the error of its row times what it gives, and its own largest value times the error of that.
    """
    exactly, rounded = form.units, as_stored(form, weights)
    pairs = zip(exactly.constant, rounded.constant, strict=True)
    found = [abs(a - b) for a, b in pairs]
    for k in range(exactly.width):
        clock.look()
        apart = zip(exactly.rows[k], rounded.rows[k], strict=True)
        error = most([b - a for a, b in apart], rounded.biases[k] - exactly.biases[k], form.box)
        height = most(exactly.rows[k], exactly.biases[k], form.box)
        columns = zip(exactly.columns[k], rounded.columns[k], strict=True)
        lost = [abs(b) * error + abs(b - a) * height for a, b in columns]
        found = [x + y for x, y in zip(found, lost, strict=True)]
    return max(found, default=Fraction(0))


def as_stored(form: LayerUnits, weights: Weights) -> HiddenUnits:
    """The units as the tensors hold them."""
    units = form.units
    by_role = {
        target.role: fractions(stored(units, target, weights[target.key].dtype))
        for target in form.targets
    }
    (constant,) = by_role.get("constant", (units.constant,))
    biases = tuple(bias for (bias,) in by_role["biases"])
    return HiddenUnits(by_role["rows"], biases, by_role["columns"], constant)


def fractions(values: Floats) -> tuple[Vector, ...]:
    """Floats as the rationals that they are."""
    return tuple(tuple(map(Fraction, row)) for row in values.tolist())


def most(row: Iterable[Fraction], constant: Fraction, box: Box) -> Fraction:
    """The largest absolute value of an affine function on a box."""
    low = high = constant
    for c, ends in zip(row, box, strict=True):
        values = [c * end for end in ends]
        low, high = low + min(values), high + max(values)
    return max(abs(low), abs(high))
