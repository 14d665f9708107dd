"""Which ReLUs are told by how far they are from another one, because their arguments are nearly the same.

A network beside its pruned, rounded or merged copy has a near double of most units. The lines of each of
the two may be off by its chord's gap, and those errors add up; how far the two can differ is at most how
far their arguments do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.boxes.affine import Affine, picked
from circ.compiler.boxes.net import FloatArray, IntArray, Layer

Spot = tuple[int, int]
"""A layer's number, and a unit of it."""

CORNERS = 16
"""Rows are compared at so many corners of the box."""

RIVALS = 4
"""So many rows of each layer, the nearest at those corners, are compared on the whole box."""

NEW = 0
"""The number, until it has one, of the layer that is made of rows that are near no other."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The middle and half the width of what each layer's units may be, those of the input first."""

    middle: Sequence[FloatArray] = field(repr=False)
    radius: Sequence[FloatArray] = field(repr=False)

    def corners(self) -> list[FloatArray]:
        """The same few corners of the box of all values, [units, corners] of each layer."""
        chance = np.random.default_rng(0)
        sides = (chance.choice((-1.0, 1.0), (len(x), CORNERS)) for x in self.middle)
        return [
            x[:, None] + y[:, None] * side
            for x, y, side in zip(self.middle, self.radius, sides, strict=True)
        ]


def partners(
    x: Affine, gaps: FloatArray, layers: Sequence[Layer], values: Values
) -> list[Spot | None]:
    """For each row the ReLU that it is nearest to, if that is nearer than `gaps` has it for the row.

    It is one of the layers', or the k-th of the rows that have none, as `(NEW, k)`. This is a guess, and
    nothing rests on it: any ReLU would do.
    """
    points = values.corners()
    before = [(n, of_layer(layer)) for n, layer in enumerate(layers, 1) if layer.kind == "relu"]
    heights = [(number, others, at(others, points)) for number, others in before]
    own, found, alone = at(x, points), list[Spot | None](), list[int]()
    for k in range(x.entries):
        best, place = gaps[k], None
        for number, others, there in [*heights, (NEW, x, own[alone])]:
            near = nearest(there, own[k])
            rows = np.array(alone, np.int64)[near] if number == NEW else near
            for apart, n in zip(distances(x, k, picked([others], rows), values), near, strict=True):
                if apart < best:
                    best, place = apart, (number, int(n))
        found.append(place)
        if place is None:
            alone.append(k)
    return found


def nearest(there: FloatArray, own: FloatArray) -> IntArray:
    """The few rows of `there`, [rows, corners], that come nearest to one, [corners]."""
    apart = np.abs(there - own).max(1)
    return np.argpartition(apart, RIVALS)[:RIVALS] if len(apart) > RIVALS else np.arange(len(apart))


def distances(x: Affine, k: int, others: Affine, values: Values) -> FloatArray:
    """About how far, at most, row k of `x` is from each of the others on the box."""
    offset, spread = others.const - x.const[k], np.zeros(others.entries)
    for j in x.maps.keys() | others.maps.keys():
        mine = x.maps[j][k] if j in x.maps else np.zeros(len(values.middle[j]))
        apart = others.maps[j] - mine if j in others.maps else -mine
        offset = offset + apart @ values.middle[j]
        spread = spread + np.abs(apart) @ values.radius[j]
    return np.asarray(np.abs(offset) + spread)


def at(x: Affine, points: Sequence[FloatArray]) -> FloatArray:
    """Rows at some points, [rows, points]; these are [units, points] of each layer."""
    found = np.repeat(x.const[:, None], points[0].shape[1], axis=1)
    for j, matrix in x.maps.items():
        found = found + matrix @ points[j]
    return np.asarray(found)


def of_layer(layer: Layer) -> Affine:
    """The pre-activations of a layer."""
    return Affine(dict(layer.sources), layer.bias, layer.slack)
