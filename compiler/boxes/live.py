"""Layers that no row depends on are left out: what was read as part of a larger unit, and is not met again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from circ.compiler.boxes.net import FloatArray, Layer, Net, Row

Maps = tuple[tuple[int, FloatArray], ...]


def live(net: Net, rows: Sequence[Row]) -> tuple[Net, tuple[Row, ...]]:
    """The layers that the rows depend on, and the rows with their numbers."""
    used = {j for row in rows for j, _ in row.maps}
    for place in range(len(net.layers), 0, -1):
        if place in used:
            used |= {j for j, _ in net.layers[place - 1].sources}
    kept = sorted(used - {0})
    number = {0: 0, **{j: k for k, j in enumerate(kept, 1)}}
    layers, start = list[Layer](), 0
    for j in kept:
        layer = net.layers[j - 1]
        layers.append(replace(layer, sources=renumbered(layer.sources, number), start=start))
        start += layer.entries
    found = tuple(replace(row, maps=renumbered(row.maps, number)) for row in rows)
    return replace(net, layers=tuple(layers)), found


def renumbered(maps: Maps, number: Mapping[int, int]) -> Maps:
    """Coefficients with the new numbers of their layers."""
    return tuple((number[j], matrix) for j, matrix in maps)
