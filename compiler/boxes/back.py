"""Bounds of affine functions of units, taken back to the input layer by layer.

A row Σ Λ_j · v_j is bounded from below: each unit is replaced by its lower line where its coefficient
is positive, by its upper line where it is negative, and the line by the pre-activation's own affine
function, from the last layer to the first (CROWN, Zhang et al., arXiv:1811.00866). What is left is an
affine function of the input.

Rounding: whatever floats the coefficients are, they are a valid choice once what each step rounds away
is charged for. A step at a layer whose coefficients on pre-activations are P errs by at most |P| · e,
where e (`Charges`) holds what the pre-activations can be in size times γ. So a bound costs one
product more a layer, and holds for the exact function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.boxes.lines import Lines
from circ.compiler.boxes.net import PAIRED, TINY, FloatArray, IntArray, Layer, rounding
from circ.compiler.boxes.place import HOST, Place


@dataclass(frozen=True, slots=True, eq=False)
class Charges:
    """For each layer after the input, what a coefficient of 1 on a pre-activation may err by.

    `reach` are the greatest sizes of all units' values, those of the input first, `before` those of each
    layer's pre-activations, and `factor` times the size of all terms bounds what a sum over the whole net
    rounds away.
    """

    layers: tuple[FloatArray, ...] = field(repr=False)
    before: tuple[FloatArray, ...] = field(repr=False)
    reach: tuple[FloatArray, ...] = field(repr=False)
    factor: float


def charges_of(layers: Sequence[Layer], reach: Sequence[FloatArray]) -> Charges:
    """The charges of layers whose units' values (those of the input first) are at most `reach` in size."""
    widest = max((len(sizes) for sizes in reach), default=0)
    factor = rounding(2 * widest + 8 * len(layers))
    charged = tuple(charge(layer, reach, factor) for layer in layers)
    before = tuple(np.maximum(np.abs(layer.low), np.abs(layer.high)) for layer in layers)
    return Charges(charged, before, tuple(reach), factor)


def charges_there(charges: Charges, place: Place) -> Charges:
    """Charges that are the place's arrays."""
    parts = (charges.layers, charges.before, charges.reach)
    layers, before, reach = (tuple(map(place.there, part)) for part in parts)
    return Charges(layers, before, reach, charges.factor)


def charge(layer: Layer, reach: Sequence[FloatArray], factor: float) -> FloatArray:
    """What a coefficient of 1 on each pre-activation may err by."""
    mass = np.abs(layer.bias) + 2 * np.maximum(np.abs(layer.low), np.abs(layer.high))
    for j, matrix in layer.sources:
        mass = mass + np.abs(matrix) @ reach[j]
    return np.asarray((layer.slack + factor * mass) * (1 + factor) + TINY)


@dataclass(frozen=True, slots=True, eq=False)
class Affines:
    """Affine functions of the input nowhere above the rows: coefficients [rows, inputs], constants."""

    slopes: FloatArray = field(repr=False)
    consts: FloatArray = field(repr=False)


@dataclass(slots=True, eq=False)
class Trace:
    """The coefficients of rows on the units of each layer, [rows, units], and the row's pair and place in it.

    `owed` is what their constants were lowered by for rounding.
    """

    pair: IntArray = field(repr=False)
    row: IntArray = field(repr=False)
    coefficients: dict[int, FloatArray] = field(default_factory=dict[int, FloatArray])
    owed: FloatArray = field(default_factory=lambda: np.zeros(0), repr=False)


def taken_back(
    layers: Sequence[Layer],
    around: Sequence[Lines],
    charges: Charges,
    width: int,
    starts: Mapping[int, FloatArray],
    consts: FloatArray,
    node: IntArray | None = None,
    trace: Trace | None = None,
    more: Mapping[int, FloatArray] | None = None,
    place: Place = HOST,
) -> Affines:
    """Bounds of rows Σ starts[j] · v_j + Σ more[j] · p_j + consts from below, p_j the pre-activations.

    `layers` are those before the rows', layer j at place j - 1, `around` their lines; `node` is the
    node of each row among those of the lines, or None where row k belongs to node k; the input has
    `width` entries. `consts` are within their exact values by what the caller accounts for. All arrays are
    those of `place`.
    """
    left, more = {0: place.zeros(len(consts), width), **starts}, more or {}
    # Coefficients that a row starts with are rounded again wherever a layer adds to them.
    sizes = sum((abs(rows) @ charges.reach[j] for j, rows in starts.items()), abs(consts))
    # So are those on pre-activations, where they and what comes from above cancel.
    sizes = sizes + sum((abs(rows) @ charges.before[j - 1] for j, rows in more.items()), 0.0)
    used = sum((place.used(rows) for rows in (*starts.values(), *more.values())), 0.0)
    total, owed = consts, sizes * charges.factor + TINY * used
    for number in range(len(layers), 0, -1):
        coefficients, slopes = left.pop(number, None), more.get(number)
        layer = layers[number - 1]
        if coefficients is not None:
            if trace is not None:
                trace.coefficients[number] = coefficients
            line = around[number - 1]
            came, gained, lost = through(layer, line, coefficients, node, charges.factor, place)
            slopes = came if slopes is None else came + slopes
            total, owed = total + gained, owed + lost
        if slopes is None:
            continue
        total = total + slopes @ layer.bias
        owed = owed + abs(slopes) @ charges.layers[number - 1]
        for j, matrix in layer.sources:
            moved = slopes @ matrix
            left[j] = left[j] + moved if j in left else moved
    owed = owed * (1 + charges.factor)
    if trace is not None:
        trace.owed = owed
    return Affines(left[0], total - owed)


def through(
    layer: Layer,
    line: Lines,
    coefficients: FloatArray,
    node: IntArray | None,
    factor: float,
    place: Place,
) -> tuple[FloatArray, FloatArray, FloatArray | float]:
    """Coefficients on units, made ones on pre-activations; the constants gained, what they may err by."""

    def of_rows(x: FloatArray) -> FloatArray:
        return x if node is None else place.taken(x, node)

    positive = place.positive(coefficients)
    negative = coefficients - positive
    over, below, above = of_rows(line.over), of_rows(line.below), of_rows(line.above)
    gained = place.dots(negative, over)
    if line.flush:
        lost = abs(gained) * factor
    else:
        under = of_rows(line.under)
        lost = place.dots(positive, abs(under)) - place.dots(negative, abs(over))
        lost = lost * factor * (1 + factor)
        gained = gained + place.dots(positive, under)
    if layer.kind in PAIRED:
        slopes, half = place.zeros(len(positive), 2 * layer.units), layer.units
        slopes[:, :half] = positive * below[:, :half] + negative * above[:, :half]
        slopes[:, half:] = positive * below[:, half:] + negative * above[:, half:]
        return slopes, gained, lost
    positive *= below
    negative *= above
    positive += negative
    return positive, gained, lost


def least(rows: Affines, low: FloatArray, high: FloatArray) -> FloatArray:
    """The least value of each row on a box of its own [rows, inputs], not above the exact one.

    -inf where the numbers overflow.
    """
    corner = np.where(rows.slopes > 0, low, high)
    terms = rows.slopes * corner
    total = terms.sum(1) + rows.consts
    size = np.abs(terms).sum(1) + np.abs(rows.consts)
    used = (size > 0) | rows.slopes.any(1)
    found = total - size * rounding(low.shape[1]) - TINY * used
    return np.where(np.isnan(found), -np.inf, found)
