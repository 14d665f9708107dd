"""Lower bounds of rows in doubles, on many parts of the box at once: as `back.py` has them.

Whatever doubles the coefficients are, they are some coefficients; what each step rounds away is charged
by the size of what it is applied to (`Charges`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.parts.arrays import (
    TINY,
    UNIT,
    BoolArray,
    Charges,
    FloatArray,
    FloatNet,
    IntArray,
)

Phases = npt.NDArray[np.int8]

BELOW = -(2.0**-600)
"""An end that stands for all that is below zero, of what a step is of."""

LEANING = 1 + 2.0**-20
"""Where two lines are as good, the first one is taken, even if numbers are off by so much."""

STEEPEST = 2.0**-20
"""A step is taken to be steep only where it is not undecided over less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class FloatParts:
    """Parts of the box, a row each: inputs from `low` to `high`, rows of all layers from `under` to `over`.

    `phase` is 1 where a row is at least 0, -1 where it is at most 0 (of a step: below 0); `left` says
    which clauses may still be broken.
    """

    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    under: FloatArray = field(repr=False)
    over: FloatArray = field(repr=False)
    phase: Phases = field(repr=False)
    left: BoolArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.low)

    def take(self, chosen: IntArray | BoolArray) -> FloatParts:
        """Some of them, as copies."""
        return FloatParts(
            self.low[chosen],
            self.high[chosen],
            self.under[chosen],
            self.over[chosen],
            self.phase[chosen],
            self.left[chosen],
        )

    @classmethod
    def none(cls, net: FloatNet) -> FloatParts:
        """No part."""
        boxes, rows = np.zeros((0, net.width)), np.zeros((0, len(net.ends[0])))
        left = np.zeros((0, len(net.clauses)), np.bool_)
        return cls(boxes, boxes, rows, rows, rows.astype(np.int8), left)


def stacked(parts: Sequence[FloatParts]) -> FloatParts:
    """Parts one after the other."""
    return FloatParts(
        np.concatenate([x.low for x in parts]),
        np.concatenate([x.high for x in parts]),
        np.concatenate([x.under for x in parts]),
        np.concatenate([x.over for x in parts]),
        np.concatenate([x.phase for x in parts]),
        np.concatenate([x.left for x in parts]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """For each row, slopes of the inputs and a constant: what is nowhere above a sum of rows."""

    slopes: FloatArray = field(repr=False)
    consts: FloatArray = field(repr=False)

    def least(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Below the least value of each on a box of its own."""
        terms = self.slopes * np.where(self.slopes > 0, low, high)
        size = np.abs(terms).sum(1) + np.abs(self.consts)
        count = (low.shape[1] + 8) * UNIT * 1.01
        return np.asarray(terms.sum(1) + self.consts - size * count - TINY)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums of rows, one a part: coefficients on the units of each layer and on the rows of layers, a
    constant, and what making these rounded away."""

    units: dict[int, FloatArray] = field(repr=False)
    rows: Mapping[int, FloatArray] = field(repr=False)
    consts: FloatArray = field(repr=False)
    lost: FloatArray = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Two lines about each unit of a layer, on each part: slopes of what it is of, and constants.

    A unit is at least `below` · r + `start` (0 where that is None), and at most `above` · r + `end`. Of
    products, the slopes [parts, rows] have both sides; constants are [parts, units].
    """

    below: FloatArray = field(repr=False)
    above: FloatArray = field(repr=False)
    start: FloatArray | None = field(repr=False)
    end: FloatArray = field(repr=False)


def lines_of(net: FloatNet, parts: FloatParts, number: int) -> Lines | None:
    """The lines of a layer; None where units are what they are of."""
    layer = net.layers[number - 1]
    low, high = parts.under[:, layer.place], parts.over[:, layer.place]
    match layer.kind:
        case "linear":
            return None
        case "relu":
            return relu_lines(low, high, parts.phase[:, layer.place])
        case "step":
            return step_lines(low, high, parts.phase[:, layer.place])
        case "product":
            return product_lines(low, high)
        case _:
            assert_never(layer.kind)


def all_lines(net: FloatNet, parts: FloatParts) -> list[Lines | None]:
    """The lines of all layers."""
    return [lines_of(net, parts, number) for number in range(1, len(net.layers) + 1)]


def relu_lines(low: FloatArray, high: FloatArray, phase: Phases) -> Lines:
    """Below, all or nothing; above, the chord. A phase tells more than bounds, which may come to 0 from both
    sides."""
    on = np.where(phase != 0, phase > 0, low >= 0)
    either = (phase == 0) & (low < 0) & (high > 0)
    below = (on | (either & (high > -low * LEANING))).astype(np.float64)
    chord = np.where(either, high / np.where(either, high - low, 1.0), on)
    end = np.where(either, np.maximum(-chord * low, (1 - chord) * high), 0.0)
    return Lines(below, chord, None, end)


def step_lines(low: FloatArray, high: FloatArray, phase: Phases) -> Lines:
    """Below, from (0, 0) to (high, 1); above, from (low, 0) to (0, 1); both a little less steep."""
    on = np.where(phase != 0, phase > 0, low >= 0)
    either = (phase == 0) & (low < 0) & (high >= 0)
    rising = np.where(either & (high > STEEPEST), (1 - 8 * UNIT) / np.maximum(high, STEEPEST), 0.0)
    falling = np.where(either & (-low > STEEPEST), (1 - 8 * UNIT) / np.maximum(-low, STEEPEST), 0.0)
    return Lines(rising, falling, on.astype(np.float64), (on | either).astype(np.float64))


def product_lines(low: FloatArray, high: FloatArray) -> Lines:
    """McCormick's planes (1976): of two the one that touches nearer to zero."""
    half = low.shape[1] // 2
    a, b, c, d = low[:, :half], high[:, :half], low[:, half:], high[:, half:]
    (p, q), (r, s) = plane(a, b, c, d), plane(a, b, d, c)
    slopes = np.concatenate([p, q], axis=1), np.concatenate([r, s], axis=1)
    return Lines(*slopes, -(p * q), -(r * s))


def plane(
    a: FloatArray, b: FloatArray, near: FloatArray, far: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The slopes of a plane through the corner (a, near) or (b, far) of x · y: those of x and of y."""
    size = np.maximum(np.abs(a), np.abs(near)), np.maximum(np.abs(b), np.abs(far))
    first = size[0] <= size[1] * LEANING
    return np.where(first, near, far), np.where(first, a, b)


def taken_back(
    net: FloatNet, charges: Charges, lines: Sequence[Lines | None], at: IntArray, sums: Sums
) -> Halves:
    """Sums of rows, each about the part `at` its place, taken back to the inputs.

    `lines` are those of the layers that the sums read.
    """
    factor = charges.factor
    units = dict(sums.units)
    total, owed = sums.consts, sums.lost + np.abs(sums.consts) * factor + TINY
    for number in range(len(lines), 0, -1):
        own = units.pop(number, None)
        extra = sums.rows.get(number)
        layer = net.layers[number - 1]
        if own is None and extra is None:
            continue
        if own is None:
            own = np.zeros((len(at), layer.units))
        kept, known, size = through(own, lines[number - 1], at)
        if extra is not None:
            kept = kept + extra
        total = total + known + kept @ layer.rows.const
        owed = owed + size * factor + np.abs(own) @ charges.reach[number] * factor
        owed += np.abs(kept) @ charges.rows[number - 1]
        for j, matrix in layer.rows.parts:
            moved = kept @ matrix
            units[j] = units[j] + moved if j in units else moved
    slopes = units.get(0)
    if slopes is None:
        slopes = np.zeros((len(at), net.width))
    owed = owed + np.abs(slopes) @ charges.reach[0] * factor
    consts = np.nextafter(total - owed * (1 + factor), -np.inf)
    # A sum that overflowed stays infinite, whatever large numbers below zero are added after that.
    return Halves(slopes, np.where(np.isfinite(total), consts, -np.inf))


def through(
    own: FloatArray, lines: Lines | None, at: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Coefficients of units made coefficients of rows; what is known besides, and the size of its terms."""
    if lines is None:
        nothing = np.zeros(len(own))
        return own, nothing, nothing
    more, less = np.maximum(own, 0.0), np.minimum(own, 0.0)
    ends = less * lines.end.take(at, 0)
    known = ends.sum(1)
    size = np.abs(ends).sum(1)
    if lines.start is not None:
        starts = more * lines.start.take(at, 0)
        known, size = known + starts.sum(1), size + np.abs(starts).sum(1)
    if lines.below.shape[1] > own.shape[1]:
        more, less = (np.concatenate([x, x], axis=1) for x in (more, less))
    kept = more * lines.below.take(at, 0)
    kept += less * lines.above.take(at, 0)
    return kept, known, size
