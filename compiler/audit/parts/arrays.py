"""The layers of a claim as arrays of doubles, and what computing with them may round away.

A row as doubles is within its `slack` and 2^-52 of its terms' sizes of the exact one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import assert_never

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.parts.layers import VALUE, WEIGHT, Net, Rows, Terms
from circ.compiler.audit.parts.units import Kind
from circ.compiler.audit.rejected import within

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

UNIT = 2.0**-53
"""The relative error of one rounding to nearest."""

TINY = 2.0**-500
"""More than what underflow can take from a sum here."""

FAR = 2.0**200
"""No value is above this: then no product with one overflows that TINY would not cover."""


STEEP = 2.0**62
"""No coefficient is above this."""


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Rows over the units of earlier layers: matrices [rows, units] by layer; `const`, `slack` [rows]."""

    parts: tuple[tuple[int, FloatArray], ...] = field(repr=False)
    const: FloatArray = field(repr=False)
    slack: FloatArray = field(repr=False)

    def mass(self, reach: tuple[FloatArray, ...]) -> FloatArray:
        """Σ |terms| of each row, where the units of layer j are at most reach[j] in size."""
        total = np.abs(self.const)
        for j, rows in self.parts:
            total = total + np.abs(rows) @ reach[j]
        return total


@dataclass(frozen=True, slots=True, eq=False)
class FloatLayer:
    """As `Layer`; its rows are `place` among those of all layers."""

    kind: Kind
    units: int
    rows: Matrix
    place: slice
    wires: IntArray = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class FloatNet:
    """As `Net`: `box` has the ends of inputs, `ends` those of the rows of all layers."""

    box: tuple[FloatArray, FloatArray] = field(repr=False)
    ends: tuple[FloatArray, FloatArray] = field(repr=False)
    layers: tuple[FloatLayer, ...]
    clauses: tuple[Matrix, ...]

    @property
    def width(self) -> int:
        """How many inputs there are."""
        return len(self.box[0])


@dataclass(frozen=True, slots=True, eq=False)
class Charges:
    """`reach[j]` is what units of layer j are at most in size; `rows[j]` what a coefficient of 1 on a row of
    layer j + 1 may err by, `clauses` the same of a clause's rows. `factor` times the size of all terms is
    more than any sum here rounds away.
    """

    reach: tuple[FloatArray, ...] = field(repr=False)
    rows: tuple[FloatArray, ...] = field(repr=False)
    clauses: tuple[FloatArray, ...] = field(repr=False)
    factor: float


def floats_of(net: Net) -> FloatNet:
    """A net in doubles; raises `NotKnown` where its numbers are too large for them."""
    every = (net.box, *((x.low, x.high) for x in net.layers))
    every_row = [*(x.rows for x in net.layers), *net.clauses]
    largest = max(map(abs, chain(*chain(*every))), default=0)
    constant = max(map(abs, chain(*(x.const for x in every_row))), default=0)
    factor = max((part.most for x in every_row for part in x.parts), default=0)
    fits = (
        largest < FAR * 2.0**VALUE and constant < FAR * 2.0**WEIGHT and factor < STEEP * 2.0**WEIGHT
    )
    within(fits, "its numbers are too large for doubles")
    start, layers = 0, list[FloatLayer]()
    low, high = list[int](), list[int]()
    for layer in net.layers:
        place = slice(start, start + len(layer.wires))
        rows = matrix(layer.rows, net.sizes)
        wires = np.array(layer.wires, np.int64)
        layers.append(FloatLayer(layer.kind, layer.units, rows, place, wires))
        low.extend(layer.low)
        high.extend(layer.high)
        start = place.stop
    clauses = tuple(matrix(rows, net.sizes) for rows in net.clauses)
    return FloatNet(outward(*net.box), outward(low, high), tuple(layers), clauses)


def outward(low: Sequence[int], high: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Ends in multiples of 2^-80 as doubles that enclose them."""
    sides = [(low, -1), (high, 1)]
    below, above = (np.array([rounded(x, side) for x in ends]) for ends, side in sides)
    return below * 2.0**-VALUE, above * 2.0**-VALUE


def rounded(value: int, side: int) -> float:
    """A double that is not above a whole number (side -1), or not below."""
    near = float(value)
    return near if (int(near) - value) * side >= 0 else float(np.nextafter(near, side * np.inf))


def matrix(rows: Rows, sizes: Sequence[int]) -> Matrix:
    """Rows as doubles."""
    parts = tuple((part.layer, table(part, sizes[part.layer])) for part in rows.parts)
    const = np.array([float(x) for x in rows.const]) * 2.0**-WEIGHT
    slack = np.array([float(x + (x > 0)) for x in rows.slack]) * 2.0**-VALUE * (1 + 4 * UNIT)
    return Matrix(parts, const, slack)


def table(terms: Terms, size: int) -> FloatArray:
    """Coefficients as doubles, each the one that is next to it."""
    found = np.zeros((len(terms.rows), size))
    for own, row in zip(found, terms.rows, strict=True):
        for place, by in row:
            own[place] = by
    return found * 2.0**-WEIGHT


def charges_of(net: FloatNet, low: FloatArray, high: FloatArray) -> Charges:
    """What is charged where the rows of all layers are from `low` to `high`."""
    most = np.maximum(np.abs(low), np.abs(high))
    reach = [np.maximum(np.abs(net.box[0]), np.abs(net.box[1]))]
    for layer in net.layers:
        own = most[layer.place]
        match layer.kind:
            case "linear" | "relu":
                reach.append(own)
            case "step":
                reach.append(np.ones(layer.units))
            case "product":
                reach.append(own[: layer.units] * own[layer.units :] * (1 + 4 * UNIT))
            case _:
                assert_never(layer.kind)
    longest = max(map(len, reach)) + max((len(rows.const) for rows in net.clauses), default=0)
    factor = (2 * longest + 8 * len(net.layers) + 32) * UNIT * 1.01
    sizes = tuple(reach)
    rows = tuple(charge(layer.rows, sizes, most[layer.place], factor) for layer in net.layers)
    clauses = tuple(charge(rows, sizes, 0.0 * rows.const, factor) for rows in net.clauses)
    return Charges(sizes, rows, clauses, factor)


def charge(
    rows: Matrix, reach: tuple[FloatArray, ...], most: FloatArray, factor: float
) -> FloatArray:
    """What a coefficient of 1 on each row may err by; `most` is what the row is at most in size."""
    mass = rows.mass(reach) + 2 * most
    return np.asarray((rows.slack + factor * mass) * (1 + factor) + TINY)
