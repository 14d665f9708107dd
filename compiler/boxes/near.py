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
from circ.compiler.boxes.net import FloatArray, Layer

Place = tuple[int, int]
"""A layer's number, and a unit of it."""

NEW = 0
"""The number, until it has one, of the layer that is made of rows that are near no other."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The middle and half the width of what each layer's units may be, those of the input first."""

    middle: Sequence[FloatArray] = field(repr=False)
    radius: Sequence[FloatArray] = field(repr=False)


def partners(
    x: Affine, gaps: FloatArray, layers: Sequence[Layer], values: Values
) -> list[Place | None]:
    """For each row the ReLU that it is nearest to, if that is nearer than `gaps` has it for the row.

    It is one of the layers', or the k-th of the rows that have none, as `(NEW, k)`. This is a guess, and
    nothing rests on it: any ReLU would do.
    """
    before = [(n, of_layer(layer)) for n, layer in enumerate(layers, 1) if layer.kind == "relu"]
    found, alone = list[Place | None](), list[int]()
    for k in range(x.entries):
        best, place = gaps[k], None
        rivals = [*before, (NEW, picked([x], np.array(alone, np.int64)))]
        for number, others in rivals:
            apart = distances(x, k, others, values)
            nearest = int(apart.argmin()) if len(apart) else 0
            if len(apart) and apart[nearest] < best:
                best, place = apart[nearest], (number, nearest)
        found.append(place)
        if place is None:
            alone.append(k)
    return found


def distances(x: Affine, k: int, others: Affine, values: Values) -> FloatArray:
    """About how far, at most, row k of `x` is from each of the others on the box."""
    offset, spread = others.const - x.const[k], np.zeros(others.entries)
    for j in x.maps.keys() | others.maps.keys():
        mine = x.maps[j][k] if j in x.maps else np.zeros(len(values.middle[j]))
        apart = others.maps[j] - mine if j in others.maps else -mine
        offset = offset + apart @ values.middle[j]
        spread = spread + np.abs(apart) @ values.radius[j]
    return np.asarray(np.abs(offset) + spread)


def of_layer(layer: Layer) -> Affine:
    """The pre-activations of a layer."""
    return Affine(dict(layer.sources), layer.bias, layer.slack)
