"""Which clauses no input of a node can meet, and what is left of the node's box.

Each row of a clause, and each phase that a node assumes, gives a half-space of inputs outside which it
cannot be met: {x : a · x + c <= 0}. If a combination of them with weights >= 0 is positive on the whole
box, no input meets them all. The weights are found by mirror ascent; whatever they are, what they show
is summed up again with its rounding charged for. A half-space that a clause needs also cuts the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.boxes import lines
from circ.compiler.boxes.back import Affines, Charges, Trace, least, taken_back
from circ.compiler.boxes.bounds import Forms, Nodes, Tight, chunks
from circ.compiler.boxes.net import TINY, UNIT, BoolArray, FloatArray, IntArray, Net, rounding
from circ.compiler.boxes.read import Problem

STEPS = 20
"""Of the ascent to the best weights."""

LITTLE = 1e-100
"""Added to what is divided by: no weight overflows, and none that matters is changed."""

MOST_PHASES = 8
"""Most phases of a node that are used as half-spaces."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The rows of all clauses as matrices: `maps[j]` is [clauses, rows of a clause, units of layer j].

    `there` [clauses, rows] says which rows there are; the others are 0. `strict` are those that have to
    be below 0. `lost` is what adding rows up with weights of at most 1 may round away, for each row.
    """

    maps: dict[int, FloatArray] = field(repr=False)
    const: FloatArray = field(repr=False)
    slack: FloatArray = field(repr=False)
    lost: FloatArray = field(repr=False)
    there: BoolArray = field(repr=False)
    strict: BoolArray = field(repr=False)


def asked(problem: Problem, reach: Sequence[FloatArray]) -> Asked:
    """The clauses of a problem; `reach` are the greatest sizes of the units' values."""
    many = len(problem.clauses)
    most = max(1, *(len(clause) for clause in problem.clauses))
    sizes = [len(problem.net.low), *(layer.units for layer in problem.net.layers)]
    used = sorted({j for row in problem.rows for j, _ in row.maps})
    maps = {j: np.zeros((many, most, sizes[j])) for j in used}
    const, slack = np.zeros((many, most)), np.zeros((many, most))
    lost, there = np.zeros((many, most)), np.zeros((many, most), np.bool_)
    strict = there.copy()
    for c, clause in enumerate(problem.clauses):
        for r, number in enumerate(clause):
            row = problem.rows[number]
            for j, values in row.maps:
                maps[j][c, r] = values
            const[c, r], slack[c, r] = row.const, row.slack
            there[c, r], strict[c, r] = True, problem.strict[number]
    for j, rows in maps.items():
        lost += np.abs(rows) @ reach[j]
    lost = (lost + np.abs(const)) * rounding(2 * most + 2 * max(sizes)) + TINY * there
    return Asked(maps, const, slack, lost, there, strict)


@dataclass(frozen=True, slots=True, eq=False)
class Halves:
    """Half-spaces slopes · x + consts <= 0: [pairs, rows, inputs] and [pairs, rows].

    A pair is a clause in a node. Rows that are not there have 0 as slopes and constant -1.
    """

    slopes: FloatArray = field(repr=False)
    consts: FloatArray = field(repr=False)

    @classmethod
    def none(cls, pairs: int, rows: int, inputs: int) -> Halves:
        """Rows that are not there."""
        return cls(np.zeros((pairs, rows, inputs)), np.full((pairs, rows), -1.0))

    def take(self, chosen: IntArray) -> Halves:
        """Those of some pairs."""
        return Halves(self.slopes[chosen], self.consts[chosen])


def smallest(halves: Halves, low: FloatArray, high: FloatArray) -> FloatArray:
    """The least value of each row [pairs, rows] on its box [pairs, inputs], not above the exact one."""
    many, rows, inputs = halves.slopes.shape
    flat = Affines(halves.slopes.reshape(-1, inputs), halves.consts.reshape(-1))
    twice = (np.repeat(end, rows, axis=0) for end in (low, high))
    return least(flat, *twice).reshape(many, rows)


def excluded(asks: Asked, net: Net, nodes: Nodes, node: IntArray, clause: IntArray) -> BoolArray:
    """Which pairs have a row that has to be below 0, and is not by what its units' values can be.

    Backward bounds are charged for rounding, and never come to 0 itself; a sum of zeros does.
    """
    found = np.zeros(len(node), np.bool_)
    some = np.flatnonzero(asks.strict[clause].any(1))
    if not len(some):
        return found
    node, clause = node[some], clause[some]
    total, size = asks.const[clause], np.abs(asks.const[clause])
    used = np.zeros(total.shape, np.bool_)
    for j, maps in asks.maps.items():
        low, high = ends(net, nodes, j)
        rows = maps[clause]
        corner = np.where(rows > 0, low[node][:, None], high[node][:, None])
        terms = rows * corner
        total, size = total + terms.sum(2), size + np.abs(terms).sum(2)
        used |= ((rows != 0) & (corner != 0)).any(2)
    count = sum(maps.shape[2] for maps in asks.maps.values())
    least_values = total - size * rounding(count) - TINY * used - asks.slack[clause]
    found[some] = ((least_values >= 0) & asks.strict[clause]).any(1)
    return found


def ends(net: Net, nodes: Nodes, layer: int) -> tuple[FloatArray, FloatArray]:
    """Bounds of the values of a layer's units in each node; those of the input are its box."""
    if layer == 0:
        return nodes.low, nodes.high
    units = net.layers[layer - 1]
    return lines.values(units.kind, nodes.under[:, units.place], nodes.over[:, units.place])


def row_halves(
    net: Net,
    charges: Charges,
    tight: Tight,
    asks: Asked,
    node: IntArray,
    clause: IntArray,
    traces: list[Trace],
) -> Halves:
    """A half-space for each row of each pair; the coefficients go to `traces`, in chunks of pairs."""
    shape = (len(node), asks.there.shape[1])
    halves = Halves.none(*shape, len(net.low))
    width = max((m.shape[2] for m in asks.maps.values()), default=1)
    pair, row = np.nonzero(asks.there[clause])
    for part in chunks(len(pair), width):
        at, which = clause[pair[part]], row[part]
        starts = {j: maps[at, which] for j, maps in asks.maps.items()}
        trace = Trace(pair[part], which)
        found = taken_back(
            net.layers,
            tight.around,
            charges,
            len(net.low),
            starts,
            asks.const[at, which],
            node[pair[part]],
            trace,
        )
        halves.slopes[pair[part], which] = found.slopes
        lower = np.nextafter(found.consts - asks.slack[at, which], -np.inf)
        halves.consts[pair[part], which] = lower
        traces.append(trace)
    return halves


def mixed_halves(
    net: Net,
    charges: Charges,
    tight: Tight,
    asks: Asked,
    node: IntArray,
    clause: IntArray,
    weights: FloatArray,
    phases: tuple[Sides, FloatArray],
) -> Halves:
    """One half-space a pair: of its rows, and of phases of its node, put together with these weights
    before they are bounded."""
    slopes, consts = list[FloatArray](), list[FloatArray]()
    width = max((m.shape[2] for m in asks.maps.values()), default=1)
    for part in chunks(len(node), width):
        at, by = clause[part], weights[part]
        starts = {j: np.einsum("pr,pru->pu", by, maps[at]) for j, maps in asks.maps.items()}
        total = np.einsum("pr,pr->p", by, asks.const[at])
        # `starts` are rounded sums of rows: what they leave out, and the rows' own slack.
        lost = np.einsum("pr,pr->p", by, asks.slack[at] + asks.lost[at])
        more = phases[0].rows(net, part, phases[1][part])
        found = taken_back(
            net.layers, tight.around, charges, len(net.low), starts, total, node[part], None, more
        )
        slopes.append(found.slopes)
        consts.append(np.nextafter(found.consts - lost * (1 + 1e-9), -np.inf))
    return Halves(np.concatenate(slopes)[:, None], np.concatenate(consts)[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """Phases of nodes: the places of their pre-activations [nodes, phases] among those of all layers,
    and which sign makes them at most 0 there (0 where there is no such phase)."""

    place: IntArray = field(repr=False)
    sign: FloatArray = field(repr=False)

    def take(self, chosen: IntArray) -> Sides:
        """Those of some nodes."""
        return Sides(self.place[chosen], self.sign[chosen])

    def rows(self, net: Net, part: slice, weights: FloatArray) -> dict[int, FloatArray]:
        """What phases come to with weights, as coefficients on the pre-activations of each layer."""
        every = np.zeros((len(weights), net.entries))
        many = np.arange(len(weights))
        for k in range(weights.shape[1]):
            every[many, self.place[part, k]] += weights[:, k] * self.sign[part, k]
        parts = {j: every[:, layer.place] for j, layer in enumerate(net.layers, 1)}
        return {j: rows for j, rows in parts.items() if rows.any()}


def phase_halves(
    forms: Sequence[Forms | None], nodes: Nodes, starts: Sequence[int]
) -> tuple[Halves, Sides]:
    """The half-spaces of the phases that nodes assume, at most `MOST_PHASES` each."""
    many, inputs = nodes.low.shape
    most = min(MOST_PHASES, int(np.count_nonzero(nodes.phase, axis=1).max(initial=0)))
    halves = Halves.none(many, most, inputs)
    sides = Sides(np.zeros((many, most), np.int64), np.zeros((many, most)))
    found = list[tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]]()
    for form, start in zip(forms, starts, strict=True):
        if form is not None:
            phase = nodes.phase[form.node, start + form.entry]
            for side, chosen in ((form.above, phase > 0), (form.below, phase < 0)):
                entry = start + form.entry[chosen]
                signs = np.full(len(entry), -1.0 if side is form.above else 1.0)
                node = form.node[chosen]
                found.append((node, entry, signs, side.slopes[chosen], side.consts[chosen]))
    if not found:
        return halves, sides
    node, entry, signs, slopes, consts = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(node, kind="stable")
    node = node[order]
    place = np.arange(len(node)) - np.searchsorted(node, node)
    kept = place < most
    sides.place[node[kept], place[kept]] = entry[order[kept]]
    sides.sign[node[kept], place[kept]] = signs[order[kept]]
    halves.slopes[node[kept], place[kept]] = slopes[order[kept]]
    halves.consts[node[kept], place[kept]] = consts[order[kept]]
    return halves, sides


def beside(*parts: Halves) -> Halves:
    """The half-spaces of all parts for each pair."""
    slopes = np.concatenate([part.slopes for part in parts], axis=1)
    return Halves(slopes, np.concatenate([part.consts for part in parts], axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """For each pair, the best combination found: its least value on the box, and its weights.

    The weights are such that all terms together are about 1 in size.
    """

    least: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)


def weighed(halves: Halves, low: FloatArray, high: FloatArray) -> Weighed:
    """Weights that make the least value of the combination on the box [pairs, inputs] large.

    Entropic mirror ascent on rows scaled to one size (Beck, Teboulle 2003).
    """
    middle, radius = low / 2 + high / 2, high / 2 - low / 2
    centre = halves.consts + np.einsum("prk,pk->pr", halves.slopes, middle)
    spread = halves.slopes * radius[:, None]
    size = np.abs(spread).sum(2) + np.abs(centre) + LITTLE
    centre, spread = centre / size, spread / size[:, :, None]
    by = np.full(centre.shape, 1.0 / centre.shape[1])
    best, kept = np.full(len(centre), -np.inf), by
    for step in range(STEPS):
        slope = np.einsum("pr,prk->pk", by, spread)
        value = np.einsum("pr,pr->p", by, centre) - np.abs(slope).sum(1)
        better = value > best
        best, kept = np.where(better, value, best), np.where(better[:, None], by, kept)
        gain = centre - np.einsum("prk,pk->pr", spread, np.sign(slope))
        by = by * np.exp(4.0 / (1 + 0.4 * step) * gain)
        by /= by.sum(1, keepdims=True)
    weights = kept / size
    weights[weights < 2.0**-40 * weights.max(1, keepdims=True)] = 0.0
    weights /= np.einsum("pr,pr->p", weights, sizes(halves, low, high))[:, None] + LITTLE
    return Weighed(summed_up(halves, weights, low, high), weights)


def summed_up(halves: Halves, weights: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """A number below the least value of the combination on the box, whatever the weights are."""
    slopes = np.einsum("pr,prk->pk", weights, halves.slopes)
    consts = np.einsum("pr,pr->p", weights, halves.consts)
    corner: FloatArray = np.where(slopes > 0, low, high)
    terms = slopes * corner
    mass = np.einsum("pr,pr->p", weights, sizes(halves, low, high))
    count = halves.slopes.shape[1] + halves.slopes.shape[2]
    return np.asarray(terms.sum(1) + consts - mass * rounding(2 * count) * (1 + 1e-9) - TINY)


def sizes(halves: Halves, low: FloatArray, high: FloatArray) -> FloatArray:
    """The size of each row's terms on its box, all together: [pairs, rows]."""
    reach = np.maximum(np.abs(low), np.abs(high))
    terms = np.einsum("prk,pk->pr", np.abs(halves.slopes), reach)
    return np.asarray(np.abs(halves.consts) + terms)


def cut(low: FloatArray, high: FloatArray, slopes: FloatArray, consts: FloatArray) -> None:
    """Shrink boxes [pairs, inputs] in place to what one half-space each leaves of them.

    An end is only moved as far as the half-space says with its rounding charged for.
    """
    terms = np.where(slopes > 0, slopes * low, slopes * high)
    total = terms.sum(1) + consts
    mass = np.abs(terms).sum(1) + np.abs(consts)
    room = (terms - total[:, None]) + (mass * rounding(low.shape[1] + 4) * 2)[:, None] + TINY
    usable = np.abs(slopes) > 2.0**-100
    end = room / np.where(usable, slopes, 1.0)
    end = end + np.sign(slopes) * (np.abs(end) * (4 * UNIT) + TINY)
    np.fmin(high, end, out=high, where=usable & (slopes > 0))
    np.fmax(low, end, out=low, where=usable & (slopes < 0))
