"""Bounds of every pre-activation on many boxes at once, each no wider than it was.

A node is a part of the box: an interval for each input, and for some units the side of 0 on which
their pre-activation lies (its *phase*). Only units that the bounds leave open are bounded anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from circ.compiler.boxes.back import Affines, Charges, least, taken_back
from circ.compiler.boxes.lines import Lines, lines, open_units
from circ.compiler.boxes.net import BoolArray, FloatArray, IntArray, Layer, Net

CHUNK = 1 << 15
"""About as many coefficients of rows are worked on at once: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Parts of the box: inputs within `low` and `high` [nodes, inputs].

    `under`, `over` [nodes, pre-activations of all layers] bound these; `phase` is 1 where one is
    taken to be >= 0, -1 where < 0 (a ReLU: <= 0), else 0. `open` [nodes, clauses] says which clauses
    may still be met, `share` [nodes] which part of the work a node stands for, `bound` [nodes] what
    some row of every such clause was shown to exceed.
    """

    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    under: FloatArray = field(repr=False)
    over: FloatArray = field(repr=False)
    phase: npt.NDArray[np.int8] = field(repr=False)
    open: BoolArray = field(repr=False)
    share: FloatArray = field(repr=False)
    bound: FloatArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.low)

    def take(self, chosen: IntArray | BoolArray) -> Nodes:
        """Some of the nodes, as copies."""
        return Nodes(*(part[chosen] for part in self.parts))

    @property
    def parts(self) -> tuple[npt.NDArray[Any], ...]:
        """Its arrays, in order."""
        boxes, bounds = (self.low, self.high), (self.under, self.over)
        return (*boxes, *bounds, self.phase, self.open, self.share, self.bound)


def joined(parts: Sequence[Nodes]) -> Nodes:
    """Nodes one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Nodes(
        *(np.concatenate(arrays) for arrays in zip(*(p.parts for p in parts), strict=True))
    )


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """Affine functions of the input around pre-activations of one layer, a row each.

    Row k is about entry `entry[k]` in node `node[k]`; `below` is nowhere above it, `above` is
    nowhere above its negative.
    """

    node: IntArray = field(repr=False)
    entry: IntArray = field(repr=False)
    below: Affines
    above: Affines


@dataclass(frozen=True, slots=True, eq=False)
class Tight:
    """The lines of each layer, and the forms that gave the bounds, where there are any."""

    around: tuple[Lines, ...]
    forms: tuple[Forms | None, ...]


def tighten(net: Net, charges: Charges, nodes: Nodes) -> Tight:
    """Tighten `under` and `over` in place, layer by layer."""
    around, forms = list[Lines](), list[Forms | None]()
    for layer in net.layers:
        under, over = nodes.under[:, layer.place], nodes.over[:, layer.place]
        phase = nodes.phase[:, layer.place]
        wanted = open_units(layer.kind, under, over) | (phase != 0)
        node, entry = np.nonzero(wanted)
        found = None
        if len(node):
            before = net.layers[: len(around)]
            found = around_entries(net, before, around, charges, layer, node, entry)
            low, high = nodes.low[node], nodes.high[node]
            under[node, entry] = np.maximum(under[node, entry], least(found.below, low, high))
            over[node, entry] = np.minimum(over[node, entry], -least(found.above, low, high))
        forms.append(found)
        around.append(lines(layer.kind, under, over))
    return Tight(tuple(around), tuple(forms))


def around_entries(
    net: Net,
    before: Sequence[Layer],
    around: Sequence[Lines],
    charges: Charges,
    layer: Layer,
    node: IntArray,
    entry: IntArray,
) -> Forms:
    """The forms of pre-activations of a layer, each in a node of its own."""
    rows = [layer.bias[entry], -layer.bias[entry]]
    sides = list[Affines]()
    for sign, consts in zip((1.0, -1.0), rows, strict=True):
        parts = list[Affines]()
        for part in chunks(len(node), max((m.shape[1] for _, m in layer.sources), default=1)):
            starts = {j: sign * matrix[entry[part]] for j, matrix in layer.sources}
            parts.append(
                taken_back(before, around, charges, len(net.low), starts, consts[part], node[part])
            )
        slopes = np.concatenate([part.slopes for part in parts])
        total = np.concatenate([part.consts for part in parts])
        sides.append(Affines(slopes, np.nextafter(total - layer.slack[entry], -np.inf)))
    return Forms(node, entry, *sides)


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of rows of that width, small enough to stay in cache."""
    step = max(64, CHUNK // max(width, 1))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def contradicted(nodes: Nodes) -> BoolArray:
    """Which nodes have bounds that no input meets."""
    over = np.where(nodes.phase < 0, np.maximum(nodes.over, 0.0), nodes.over)
    empty = (nodes.under > over).any(1)
    return np.asarray(empty | (nodes.low > nodes.high).any(1))
