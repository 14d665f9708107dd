"""Bounds of every pre-activation on many boxes at once, each no wider than it was.

A node is a part of the box: an interval for each input, and for some units the side of 0 on which
their pre-activation lies (its *phase*). Only units that the bounds leave open are bounded anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from circ.compiler.boxes.back import Affines, Charges, charges_there, least, taken_back
from circ.compiler.boxes.lines import Lines, lines, open_units
from circ.compiler.boxes.net import BoolArray, FloatArray, IntArray, Layer, Net
from circ.compiler.boxes.place import HOST, Place, layer_there, lines_there


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


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A net and its charges, laid out as the arrays of a place."""

    net: Net
    charges: Charges
    place: Place


def laid(net: Net, charges: Charges, place: Place = HOST) -> Laid:
    """A net and its charges, laid out there."""
    layers = tuple(layer_there(layer, place) for layer in net.layers)
    return Laid(replace(net, layers=layers), charges_there(charges, place), place)


def tighten(net: Net, there: Laid, nodes: Nodes) -> Tight:
    """Tighten `under` and `over` in place, layer by layer; `there` is the net where rows are taken back."""
    around, forms, laid_out = list[Lines](), list[Forms | None](), list[Lines]()
    for layer in net.layers:
        under, over = nodes.under[:, layer.place], nodes.over[:, layer.place]
        phase = nodes.phase[:, layer.place]
        wanted = open_units(layer.kind, under, over) | (phase != 0)
        node, entry = np.nonzero(wanted)
        found = None
        if len(node):
            found = around_entries(there, laid_out, layer, node, entry)
            low, high = nodes.low[node], nodes.high[node]
            under[node, entry] = np.maximum(under[node, entry], least(found.below, low, high))
            over[node, entry] = np.minimum(over[node, entry], -least(found.above, low, high))
        forms.append(found)
        around.append(lines(layer.kind, under, over))
        laid_out.append(lines_there(around[-1], there.place))
    return Tight(tuple(around), tuple(forms))


def around_entries(
    there: Laid, around: Sequence[Lines], layer: Layer, node: IntArray, entry: IntArray
) -> Forms:
    """The forms of pre-activations of a layer, each in a node of its own; `around` are the lines before."""
    sides = list[Affines]()
    for sign in (1.0, -1.0):
        found = taken_entries(there, around, sign, node, entry)
        lower = np.nextafter(found.consts - layer.slack[entry], -np.inf)
        sides.append(Affines(found.slopes, lower))
    return Forms(node, entry, *sides)


def taken_entries(
    there: Laid, around: Sequence[Lines], sign: float, node: IntArray, entry: IntArray
) -> Affines:
    """Pre-activations of a layer, or their negatives, taken back, as arrays of numpy's."""
    place, before, width = there.place, there.net.layers[: len(around)], len(there.net.low)
    layer = there.net.layers[len(around)]
    parts = list[Affines]()
    for part in chunks(
        len(node), max((m.shape[1] for _, m in layer.sources), default=1), place.chunk
    ):
        rows, nodes = place.index(entry[part]), place.index(node[part])
        starts = {j: sign * place.taken(matrix, rows) for j, matrix in layer.sources}
        consts = sign * place.taken(layer.bias, rows)
        found = taken_back(before, around, there.charges, width, starts, consts, nodes, place=place)
        parts.append(Affines(place.here(found.slopes), place.here(found.consts)))
    slopes = np.concatenate([part.slopes for part in parts])
    return Affines(slopes, np.concatenate([part.consts for part in parts]))


def chunks(rows: int, width: int, size: int = HOST.chunk) -> Iterator[slice]:
    """Slices of rows of that width, of about so many numbers."""
    step = max(64, size // max(width, 1))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def contradicted(nodes: Nodes) -> BoolArray:
    """Which nodes have bounds that no input meets."""
    over = np.where(nodes.phase < 0, np.maximum(nodes.over, 0.0), nodes.over)
    empty = (nodes.under > over).any(1)
    return np.asarray(empty | (nodes.low > nodes.high).any(1))
