"""The steps of proofs on many parts of the box at once, in doubles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from circ.compiler.audit.parts.arrays import (
    BoolArray,
    Charges,
    FloatArray,
    FloatLayer,
    FloatNet,
    IntArray,
    charges_of,
    floats_of,
)
from circ.compiler.audit.parts.layers import Net
from circ.compiler.audit.parts.nodes import Weighed
from circ.compiler.audit.parts.planes import (
    FloatParts,
    Halves,
    Lines,
    Sums,
    all_lines,
    lines_of,
    taken_back,
)
from circ.compiler.audit.parts.units import Kind, Name
from circ.compiler.audit.rejected import require

CHUNK = 1 << 15
"""About as many coefficients are worked on at once: they stay in the processor's cache."""

LEAST = 2.0**-100
"""No box is cut along an input with a slope below this."""


@dataclass
class Many:
    """A net in both arithmetics, and what rounding costs on parts of its `root`.

    A part is empty where ends cross by more than `room` times what is the most on the whole box, and a side
    of a product is open by more than that: what is less is rounding, of which whole numbers know nothing.
    """

    net: Net
    floats: FloatNet
    room: float = 0.0
    charges: Charges = field(init=False)

    def __post_init__(self) -> None:
        self.charge(*self.floats.ends)

    @cached_property
    def most(self) -> FloatArray:
        """What rows of all layers are at most in size on the whole box."""
        under, over = self.floats.ends
        return np.maximum(np.abs(under), np.abs(over))

    def charge(self, under: FloatArray, over: FloatArray) -> None:
        """Have rounding cost what it does where rows are between these, on all parts from now on."""
        self.charges = charges_of(self.floats, under, over)

    def whole(self) -> FloatParts:
        """All of the box."""
        low, high, under, over = (
            ends[None].copy() for ends in (*self.floats.box, *self.floats.ends)
        )
        phase = np.zeros(under.shape, np.int8)
        left = np.ones((1, len(self.floats.clauses)), np.bool_)
        return FloatParts(low, high, under, over, phase, left)

    # --- bounds -------------------------------------------------------------------------------

    def tighten(self, parts: FloatParts, wanted: BoolArray) -> None:
        """Bound rows [parts, rows] of units that are open anew, in place, layer by layer."""
        lines = list[Lines | None]()
        for number, layer in enumerate(self.floats.layers, 1):
            under, over = parts.under[:, layer.place], parts.over[:, layer.place]
            room = self.room * self.most[layer.place]
            at, row = np.nonzero(wanted[:, layer.place] & opened(layer, under, over, room))
            for some in chunks(len(at), max(self.net.sizes)):
                own, rows = at[some], row[some]
                low, high = parts.low[own], parts.high[own]
                least, most = (
                    self.row_halves(number, lines, own, rows, sign).least(low, high)
                    for sign in (1.0, -1.0)
                )
                under[own, rows] = np.fmax(under[own, rows], least)
                over[own, rows] = np.fmin(over[own, rows], -most)
            parts.left[self.crossed(under, over, self.most[layer.place])] = False
            lines.append(lines_of(self.floats, parts, number))

    def crossed(self, low: FloatArray, high: FloatArray, size: FloatArray) -> BoolArray:
        """Where some lower end is above the upper one, of what is at most `size`."""
        return np.asarray((low > high + self.room * size).any(1))

    def row_halves(
        self,
        number: int,
        lines: Sequence[Lines | None],
        at: IntArray,
        rows: IntArray,
        sign: float,
    ) -> Halves:
        """What is below rows of a layer, each in a part, or below their negatives, by the lines of the
        layers before."""
        given = self.floats.layers[number - 1].rows
        units = {j: sign * matrix[rows] for j, matrix in given.parts}
        lost = self.charges.rows[number - 1][rows]
        sums = Sums(units, {}, sign * given.const[rows], lost)
        return taken_back(self.floats, self.charges, lines, at, sums)

    # --- clauses ------------------------------------------------------------------------------

    def halves(
        self,
        lines: Sequence[Lines | None],
        at: IntArray,
        clauses: IntArray,
        by: FloatArray,
        phases: FloatArray,
    ) -> Halves:
        """What is below sums of clauses' rows, each in a part `at` its place in the lines of all layers.

        `by` [sums, rows] are the multipliers, `phases` [sums, rows of all layers] what is added as
        multiples of the layers' rows. A clause of -1 has no rows.
        """
        count = len(at)
        units, consts, lost = dict[int, FloatArray](), np.zeros(count), np.zeros(count)
        for clause in {int(k) for k in clauses if k >= 0}:
            given, own = self.floats.clauses[clause], np.flatnonzero(clauses == clause)
            factors = by[own, : len(given.const)]
            for j, matrix in given.parts:
                if j not in units:
                    units[j] = np.zeros((count, matrix.shape[1]))
                units[j][own] = factors @ matrix
            consts[own] = factors @ given.const
            lost[own] = factors @ self.charges.clauses[clause] * (1 + self.charges.factor)
        places = [layer.place for layer in self.floats.layers]
        rows = {j: phases[:, p] for j, p in enumerate(places, 1) if phases[:, p].any()}
        sums = Sums(units, rows, consts, lost)
        return taken_back(self.floats, self.charges, lines, at, sums)

    def weighed(self, parts: FloatParts, at: IntArray, sums: Sequence[Weighed]) -> Halves:
        """The same for sums as certificates have them; raises `Rejected`."""
        clauses = np.array([-1 if x.clause is None else x.clause for x in sums], np.int64)
        require(bool((clauses < len(self.floats.clauses)).all()), "there is no such clause")
        sizes = [len(self.floats.clauses[k].const) if k >= 0 else 0 for k in map(int, clauses)]
        require([len(x.rows) for x in sums] == sizes, "there is a multiplier for each comparison")
        by, phases = np.zeros((len(sums), max(sizes))), np.zeros((len(sums), parts.under.shape[1]))
        for k, x in enumerate(sums):
            by[k, : len(x.rows)] = x.rows
            for name, factor in x.phases:
                found = self.net.names.get(name)
                row = -1 if found is None else self.row_at(*found)
                side = int(parts.phase[at[k], row]) if found is not None else 0
                require(side != 0, "a unit's phase is not known")
                phases[k, row] -= side * float(factor)
        lines = all_lines(self.floats, parts.take(at))
        return self.halves(lines, np.arange(len(at)), clauses, by, phases)

    def rows_for(self, wires: frozenset[int] | None) -> BoolArray:
        """Which rows of all layers are those of some wires."""
        every = np.concatenate([np.zeros(0, np.int64), *(x.wires for x in self.floats.layers)])
        return np.ones(len(every), np.bool_) if wires is None else np.isin(every, [*wires])

    def rows_of(self, kind: Kind) -> BoolArray:
        """Which rows of all layers are those of units of a kind."""
        own = (np.full(len(x.wires), x.kind == kind) for x in self.floats.layers)
        return np.concatenate([np.zeros(0, np.bool_), *own])

    @cached_property
    def named_rows(self) -> dict[int, Name]:
        """A name for each row of all layers that is a unit's first."""
        return {self.row_at(*at): name for name, at in self.net.names.items() if name[1] >= 0}

    def row_at(self, layer: int, place: int) -> int:
        """The place of a unit's row among those of all layers."""
        start: int = self.floats.layers[layer - 1].place.start
        return start + place


def opened(layer: FloatLayer, under: FloatArray, over: FloatArray, room: FloatArray) -> BoolArray:
    """Which rows of a layer might tell more if their bounds were better: of products, those wider than `room`."""
    match layer.kind:
        case "linear":
            return np.zeros(under.shape, np.bool_)
        case "relu" | "step":
            return np.asarray((under < 0) & (over >= 0))
        case "product":
            wide = under < over - room
            both = wide[:, : layer.units] & wide[:, layer.units :]
            return np.concatenate([both, both], axis=1)


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of rows of that width."""
    step = max(64, CHUNK // max(width, 1))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def cut(many: Many, parts: FloatParts, at: IntArray, halves: Halves) -> None:
    """Shrink the boxes of some parts in place to where a half-space each is at most 0."""
    low, high = parts.low[at], parts.high[at]
    slopes = halves.slopes
    terms = slopes * np.where(slopes > 0, low, high)
    rest = halves.least(low, high)[:, None] - terms
    rest = rest - np.abs(terms) * 2.0**-50 - np.abs(rest) * 2.0**-50
    steep = np.abs(slopes) > LEAST
    end = -rest / np.where(steep, slopes, 1.0)
    end = end + np.sign(slopes) * (np.abs(end) * 2.0**-50 + 2.0**-1000)
    parts.high[at] = np.fmin(high, np.where(steep & (slopes > 0), end, np.inf))
    parts.low[at] = np.fmax(low, np.where(steep & (slopes < 0), end, -np.inf))
    empty = many.crossed(parts.low[at], parts.high[at], many.charges.reach[0])
    parts.left[at[empty]] = False


def at_input(
    many: Many,
    parts: FloatParts,
    chosen: IntArray,
    place: IntArray,
    at: FloatArray,
    side: IntArray,
) -> None:
    """Have one input of some parts at most a number (side 0), or at least, in place."""
    low, high = parts.low[chosen, place], parts.high[chosen, place]
    low = np.where(side == 1, np.maximum(low, at), low)
    high = np.where(side == 0, np.minimum(high, at), high)
    parts.low[chosen, place], parts.high[chosen, place] = low, high
    empty = many.crossed(low[:, None], high[:, None], many.charges.reach[0][place][:, None])
    parts.left[chosen[empty]] = False


def at_unit(
    many: Many,
    parts: FloatParts,
    chosen: IntArray,
    row: IntArray,
    below: FloatArray,
    side: IntArray,
) -> None:
    """Have one row of some parts at least 0 (side 0), or at most `below`, in place."""
    under, over = parts.under[chosen, row], parts.over[chosen, row]
    under = np.where(side == 0, np.maximum(under, 0.0), under)
    over = np.where(side == 1, np.minimum(over, below), over)
    parts.under[chosen, row], parts.over[chosen, row] = under, over
    empty = many.crossed(under[:, None], over[:, None], many.most[row][:, None])
    parts.left[chosen[empty]] = False
    parts.phase[chosen, row] = 1 - 2 * side


def many(net: Net, room: float = 0.0) -> Many:
    """A net to be gone through in doubles; raises `NotKnown` where they cannot hold its numbers."""
    return Many(net, floats_of(net), room)
