"""A net under construction: layers are added as a circuit's ops call for them.

Every new pre-activation is bounded on the whole box at once, by intervals and back through the layers
before it, so that units whose phase that decides are never made. A pre-activation that was met before
gets the unit it got then: what two circuits share is one unit, and their difference does not see it. One
that is near an earlier one gets that unit and a `shift`: their difference is bounded by how near they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from circ.compiler.boxes.affine import Affine, combined, enclosed, picked, units
from circ.compiler.boxes.back import charges_of, least, taken_back
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.curves import DOMAINS, extent
from circ.compiler.boxes.lines import Lines, lines, relu_gaps, values
from circ.compiler.boxes.near import Spot, Values, of_layer, partners
from circ.compiler.boxes.net import LARGEST, TOO_LARGE, FloatArray, IntArray, Kind, Layer, Net

ONE = Fraction(1)

MOST_UNITS = 1 << 15
"""Most pre-activations of a net."""

MOST_NUMBERS = 1 << 26
"""Most numbers in the matrix of a layer."""

GENTLE = frozenset({"relu", "sigmoid"})
"""The kinds whose units never widen a difference, and are shared."""


Known = tuple[tuple[tuple[int, int], ...], float]
"""Layers and places of units whose sum a ReLU is, and the slack of its pre-activation."""


@dataclass(slots=True)
class Growing:
    """Layers so far; `low`, `high` bound the values of each layer's units, those of the input first."""

    low: list[FloatArray]
    high: list[FloatArray]
    layers: list[Layer] = field(default_factory=list[Layer])
    around: list[Lines] = field(default_factory=list[Lines])
    known: dict[bytes, Known] = field(default_factory=dict[bytes, Known])

    @property
    def reach(self) -> list[FloatArray]:
        """The greatest size of each unit's value."""
        return [np.maximum(-a, b) for a, b in zip(self.low, self.high, strict=True)]

    @property
    def net(self) -> Net:
        """The net as it stands."""
        return Net(self.low[0], self.high[0], tuple(self.layers))

    def bounds(self, x: Affine) -> tuple[FloatArray, FloatArray]:
        """Bounds of the exact entries on the whole box."""
        low, high = enclosed(x, self.low, self.high)
        if not x.maps or not self.layers:
            return low, high
        back = charges_of(self.layers, self.reach)
        width = len(self.low[0])

        def under(sign: float) -> FloatArray:
            starts = {j: sign * rows for j, rows in x.maps.items()}
            nodes = np.zeros(x.entries, np.int64)
            rows = taken_back(self.layers, self.around, back, width, starts, sign * x.const, nodes)
            found = least(rows, self.low[0][None], self.high[0][None])
            return np.nextafter(found - x.slack, -np.inf)

        low, high = np.maximum(low, under(1.0)), np.minimum(high, -under(-1.0))
        if np.isnan(low).any() or np.isnan(high).any():  # it would be on neither side of 0
            raise Beyond(TOO_LARGE)
        return low, high

    def applied(self, kind: Kind, x: Affine) -> Affine:
        """The units of that kind on these pre-activations (none of them without a unit in it)."""
        if kind not in GENTLE:
            return self.fresh(kind, x)
        keys = [kind.encode() + key for key in keys_of(x)]
        fresh = {key: k for k, key in enumerate(keys) if key not in self.known}
        if fresh:
            self.made(kind, x, keys, np.array(sorted(fresh.values()), np.int64))
        own = [fresh.get(key) == k for k, key in enumerate(keys)]
        return self.shared(x, [self.known[key] for key in keys], own)

    def made(self, kind: Kind, x: Affine, keys: Sequence[bytes], chosen: IntArray) -> None:
        """Units of some rows: ReLUs that others are near are these, shifted."""
        near: list[Spot | None] = [None] * len(chosen)
        if kind == "relu":
            rows = rows_of(x, chosen)
            near = partners(rows, relu_gaps(*self.bounds(rows))[1], self.layers, self.values)
        alone = chosen[[place is None for place in near]]
        new = len(self.layers) + 1
        if len(alone):
            self.added(kind, rows_of(x, alone))
        for k, number in enumerate(alone):
            self.known[keys[number]] = ((new, k),), float(x.slack[number])
        told = [(place[0] or new, place[1]) for place in near if place is not None]
        moved = chosen[[place is not None for place in near]]
        layer = self.shifted(rows_of(x, moved), told) if told else 0
        for k, (number, place) in enumerate(zip(moved, told, strict=True)):
            self.known[keys[number]] = (place, (layer, k)), float(x.slack[number])

    def shifted(self, x: Affine, near: Sequence[Spot]) -> int:
        """The layer of shifts from ReLUs to those of other pre-activations."""
        parts = [picked([of_layer(self.layers[n - 1])], np.array([k])) for n, k in near]
        before = picked(parts, np.arange(len(near)))
        apart = combined([(ONE, x), (-ONE, before)], self.reach)
        return self.added("shift", picked([before, apart], np.arange(2 * len(near))))[0]

    @property
    def values(self) -> Values:
        """What units may be."""
        ends = list(zip(self.low, self.high, strict=True))
        return Values([a / 2 + b / 2 for a, b in ends], [b / 2 - a / 2 for a, b in ends])

    def fresh(self, kind: Kind, x: Affine) -> Affine:
        """Units of a new layer."""
        layer, places = self.added(kind, x)
        return units(layer, places, len(places))

    def shared(self, x: Affine, found: list[Known], own: list[bool]) -> Affine:
        """The units that were found for pre-activations.

        Of those that are not their own, the pre-activation may differ by both slacks, and so the value,
        since these units never widen a difference.
        """
        maps = dict[int, FloatArray]()
        slack = np.zeros(x.entries)
        for k, (parts, gap) in enumerate(found):
            for layer, place in parts:
                size = self.layers[layer - 1].units
                maps.setdefault(layer, np.zeros((x.entries, size)))[k, place] = 1.0
            slack[k] = 0.0 if own[k] else (gap + x.slack[k]) * 1.001
        return Affine(maps, np.zeros(x.entries), slack)

    def held(self, x: Affine, ends: tuple[FloatArray, FloatArray]) -> Affine:
        """The same as units, its exact entries being known to lie within `ends`."""
        layer, places = self.added("linear", x, ends)
        return units(layer, places, len(places))

    def added(
        self, kind: Kind, x: Affine, ends: tuple[FloatArray, FloatArray] | None = None
    ) -> tuple[int, IntArray]:
        """A new layer: its number, and the places of its units; the exact `x` lies within `ends`, if given."""
        low, high = self.bounds(x)
        if ends is not None:
            low, high = np.maximum(low, ends[0]), np.minimum(high, ends[1])
        start = sum(layer.entries for layer in self.layers)
        if start + x.entries > MOST_UNITS:
            raise Beyond(f"it has more than {MOST_UNITS:,} units that the domain leaves open")
        if max((rows.size for rows in x.maps.values()), default=0) > MOST_NUMBERS:
            raise Beyond(f"a layer has more than {MOST_NUMBERS:,} weights")
        sizes = [np.abs(part).max() for part in (low, high, x.const, *x.maps.values())]
        if not max(sizes) < LARGEST or not inside(kind, low, high):
            raise Beyond(TOO_LARGE)
        sources = tuple((j, np.ascontiguousarray(rows)) for j, rows in sorted(x.maps.items()))
        layer = Layer(kind, sources, x.const, x.slack, low, high, start)
        self.layers.append(layer)
        self.around.append(lines(kind, low[None], high[None]))
        least_values, greatest = values(kind, low, high)
        self.low.append(least_values)
        self.high.append(greatest)
        return len(self.layers), np.arange(layer.units)


def inside(kind: Kind, low: FloatArray, high: FloatArray) -> bool:
    """Whether a curve has lines on all of these intervals, and values that are not too large."""
    match kind:
        case "linear" | "relu" | "step" | "product" | "shift":
            return True
        case _:
            least, most = DOMAINS[kind]
            first = np.maximum(low, least) if kind == "sqrt" else low  # of nothing negative
            small, large = extent(kind, first, high)
            known = bool(np.all(first >= least) and np.all(high <= most))
            return known and bool(np.all(np.maximum(-small, large) < LARGEST))


def keys_of(x: Affine) -> list[bytes]:
    """For each row, its numbers as bytes: the same for rows that are the same."""
    layers = sorted(x.maps)
    rows = np.concatenate([x.const[:, None], *(x.maps[j] for j in layers)], axis=1) + 0.0
    names = repr(layers).encode()
    return [names + row.tobytes() for row in np.ascontiguousarray(rows)]


def rows_of(x: Affine, chosen: IntArray) -> Affine:
    """Some rows, without the layers that none of them reads."""
    maps = {j: rows[chosen] for j, rows in x.maps.items()}
    maps = {j: rows for j, rows in maps.items() if rows.any()}
    return Affine(maps, x.const[chosen], x.slack[chosen])
