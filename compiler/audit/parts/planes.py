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
    FloatLayer,
    FloatNet,
    IntArray,
)

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
    phase: npt.NDArray[np.int8] = field(repr=False)
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


def taken_back(
    net: FloatNet, charges: Charges, parts: FloatParts, at: IntArray, sums: Sums, behind: int
) -> Halves:
    """Sums over layers up to `behind`, each about the part `at` its place, taken back to the inputs."""
    factor = charges.factor
    units = dict(sums.units)
    total, owed = sums.consts, sums.lost + np.abs(sums.consts) * factor + TINY
    for number in range(behind, 0, -1):
        own = units.pop(number, None)
        extra = sums.rows.get(number)
        layer = net.layers[number - 1]
        if own is None and extra is None:
            continue
        if own is None:
            own = np.zeros((len(at), layer.units))
        low, high = parts.under[at, layer.place], parts.over[at, layer.place]
        kept, known = through(layer, own, low, high)
        if extra is not None:
            kept = kept + extra
        total = total + known.sum(1) + kept @ layer.rows.const
        owed = owed + np.abs(known).sum(1) * factor + np.abs(own) @ charges.reach[number] * factor
        owed += np.abs(kept) @ charges.rows[number - 1]
        for j, matrix in layer.rows.parts:
            moved = kept @ matrix
            units[j] = units[j] + moved if j in units else moved
    slopes = units.get(0)
    if slopes is None:
        slopes = np.zeros((len(at), net.width))
    owed = owed + np.abs(slopes) @ charges.reach[0] * factor
    return Halves(slopes, np.nextafter(total - owed * (1 + factor), -np.inf))


def through(
    layer: FloatLayer, own: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Coefficients of units made coefficients of rows, and what is known besides, unit by unit."""
    match layer.kind:
        case "linear":
            return own, np.zeros((len(own), 1))
        case "relu":
            return through_relus(own, low, high)
        case "step":
            return through_steps(own, low, high)
        case "product":
            return through_products(own, low, high)
        case _:
            assert_never(layer.kind)


def through_relus(
    own: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Of a positive coefficient all or nothing is kept, of a negative one the slope of the chord."""
    on = low >= 0
    either = (low < 0) & (high > 0)
    chord = np.where(either, high / np.where(either, high - low, 1.0), on)
    kept = own * np.where(own > 0, on | (either & (high > -low * LEANING)), chord)
    open_ends = np.minimum(-kept * low, (own - kept) * high)
    return kept, np.where(either & (own < 0), open_ends, 0.0)


def through_steps(
    own: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """A positive coefficient takes the line from (0, 0) to (high, 1), a negative one from (low, 0) to
    (0, 1); both a little less steep."""
    on = low >= 0
    either = (low < 0) & (high >= 0)
    rising = np.where(either & (high > STEEPEST), (1 - 8 * UNIT) / np.maximum(high, STEEPEST), 0.0)
    falling = np.where(either & (-low > STEEPEST), (1 - 8 * UNIT) / np.maximum(-low, STEEPEST), 0.0)
    kept = own * np.where(own > 0, rising, falling)
    return kept, np.where(on | (either & (own < 0)), own, 0.0)


def through_products(
    own: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """McCormick's planes (1976): of two the one that touches nearer to zero."""
    half = own.shape[1]
    a, b, c, d = low[:, :half], high[:, :half], low[:, half:], high[:, half:]
    near, far = np.where(own > 0, c, d), np.where(own > 0, d, c)
    size = np.maximum(np.abs(a), np.abs(near)), np.maximum(np.abs(b), np.abs(far))
    first = size[0] <= size[1] * LEANING
    p, q = np.where(first, near, far), np.where(first, a, b)
    return np.concatenate([own * p, own * q], axis=1), -own * (p * q)
