"""Separable forms: real tensors over sets of words, as sums of one table a position and a remainder.

A region is a set of letters for each position; its words take one letter from each set. On each word
x of a region an entry is const + Σ_p table[p, x_p] + Σ_k noise[k]·ε_k ± rad, with every ε_k in
[-1, 1] and the same for all entries. Several regions are worked on at once, the region last.

`noise` keeps what relaxations lost, so that it may cancel; `rad` has what rounding lost. Radii are
computed from non-negative numbers and widened by more than the rounding of that. What overflows or
is no number has an infinite radius.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from circ.compiler.ir import Shape
from circ.compiler.readings.arrays import IntArray, Moves, product, rearranged
from circ.compiler.readings.balls import Ball, FloatArray, radius
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.readings.roundoff import DOUBLE


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """Some regions: whether a letter may stand at a position, [position, letter, region]."""

    alive: BoolArray

    @property
    def cells(self) -> int:
        """How many entries a table has."""
        return int(self.alive.shape[0] * self.alive.shape[1])

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return int(self.alive.shape[2])


Edges = tuple[FloatArray, FloatArray]
"""Lower and upper bounds: [S, region]."""


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A tensor of shape S: `coef` is [S, 1 + cells + noises, region], the constant first.

    Tables are zero at letters that a region lacks, and at all letters where it has one. `size`
    [S, region] is at least |entry|, `rad` its radius; `low` and `high`, if given, bound it too.
    """

    coef: FloatArray = field(repr=False)
    rad: FloatArray = field(repr=False)
    size: FloatArray = field(repr=False)
    bounds: Edges | None = field(repr=False, default=None)

    @property
    def shape(self) -> Shape:
        """The shape of the tensor."""
        return self.coef.shape[:-2]

    @property
    def const(self) -> FloatArray:
        """[S, region]."""
        return self.coef[..., 0, :]

    def tables(self, sets: Sets) -> FloatArray:
        """[S, position, letter, region]."""
        return self.coef[..., 1 : 1 + sets.cells, :].reshape(*self.shape, *sets.alive.shape)

    def noise(self, sets: Sets) -> FloatArray:
        """[S, noise, region]."""
        return self.coef[..., 1 + sets.cells :, :]


# --- making ---------------------------------------------------------------------------------


def settled(coef: FloatArray, rad: FloatArray, sets: Sets, roundings: int = 1) -> Form:
    """A rounded result, its radius computed with about so many roundings."""
    wide = rad * (1 + (roundings + 64) * 2.0**-51) + (4 * roundings + 4) * DOUBLE.faint
    size = magnitude(coef, sets) + wide
    sound = size < DOUBLE.huge  # false where it is no number
    if sound.all():
        return Form(coef, wide, size)
    kept = np.where(sound[..., None, :], coef, 0.0)
    return Form(kept, np.where(sound, wide, inf), np.where(sound, size, inf))


def magnitude(coef: FloatArray, sets: Sets) -> FloatArray:
    """A bound on the absolute value on all words of each region, radius aside."""
    size = np.abs(coef)
    tables = size[..., 1 : 1 + sets.cells, :].reshape(*coef.shape[:-2], *sets.alive.shape)
    parts = tables.max(-2).sum(-2) + size[..., 1 + sets.cells :, :].sum(-2)
    found: FloatArray = (parts + size[..., 0, :]) * (1 + coef.shape[-2] * 2.0**-51)
    return found


def constant(x: Ball, sets: Sets) -> Form:
    """What is the same on every word."""
    shape = x.mid.shape[:-1]
    coef = np.zeros((*shape, 1 + sets.cells, sets.regions))
    coef[..., 0, :] = x.mid
    return settled(coef, np.broadcast_to(radius(x), (*shape, sets.regions)), sets)


def planted(x: Ball, places: IntArray, sets: Sets) -> Form:
    """Entries each of which reads one position: `x` has a value for each letter there."""
    shape, letters = places.shape, sets.alive.shape[1]
    at = places.reshape(-1)
    mid = np.broadcast_to(x.mid.reshape(at.size, -1), (at.size, letters))[:, :, None]
    rad = np.broadcast_to(radius(x).reshape(at.size, -1), (at.size, letters))[:, :, None]
    centre, table, off = centred_table(mid, rad, sets.alive[at])
    coef = np.zeros((at.size, 1 + sets.cells, sets.regions))
    coef[:, 0] = centre
    coef[:, 1:].reshape(at.size, *sets.alive.shape)[np.arange(at.size), at] = table
    return reshaped(settled(coef, off, sets, 4), shape)


def centred_table(
    mid: FloatArray, rad: FloatArray, alive: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values [entry, letter, region] as a centre, what each letter adds to it, and a radius."""
    high, low = np.where(alive, mid, -inf).max(1), np.where(alive, mid, inf).min(1)
    centre = low + (high - low) / 2
    table = np.where(alive, mid - centre[:, None], 0.0)
    worst = np.where(alive, rad + DOUBLE.unit * 4 * np.abs(mid), 0.0).max(1)
    return centre, table, worst + DOUBLE.unit * 4 * np.abs(centre)


def reshaped(x: Form, shape: Shape) -> Form:
    """The same entries in another shape."""
    edges = x.bounds
    if edges is not None:
        edges = (edges[0].reshape(*shape, -1), edges[1].reshape(*shape, -1))
    coef = x.coef.reshape(*shape, *x.coef.shape[-2:])
    return Form(coef, x.rad.reshape(*shape, -1), x.size.reshape(*shape, -1), edges)


def padded(coef: FloatArray, columns: int) -> FloatArray:
    """With so many columns; those added are zero."""
    more = columns - coef.shape[-2]
    if more <= 0:
        return coef
    empty = np.zeros((*coef.shape[:-2], more, coef.shape[-1]))
    return np.concatenate([coef, empty], axis=-2)


def aligned(parts: Sequence[Form]) -> list[FloatArray]:
    """The coefficients of several forms, all with the columns of the widest."""
    columns = max(x.coef.shape[-2] for x in parts)
    return [padded(x.coef, columns) for x in parts]


# --- bounds ---------------------------------------------------------------------------------


def ranges(x: Form, sets: Sets) -> tuple[FloatArray, FloatArray]:
    """The least and the largest entry of each table: [S, position, region]."""
    tables = x.tables(sets)
    least: FloatArray = np.where(sets.alive, tables, inf).min(-2)
    most: FloatArray = np.where(sets.alive, tables, -inf).max(-2)
    return least, most


def interval(x: Form, sets: Sets) -> Edges:
    """Bounds on each entry in each region: [S, region]."""
    low, high = ranges(x, sets)
    slack = np.abs(x.noise(sets)).sum(-2) + x.rad
    slack = slack + x.size * (x.coef.shape[-2] + 8) * 2.0**-51
    least = not_a_number(x.const + low.sum(-2) - slack, -inf)
    most = not_a_number(x.const + high.sum(-2) + slack, inf)
    if x.bounds is None:
        return least, most
    return np.maximum(least, x.bounds[0]), np.minimum(most, x.bounds[1])


def not_a_number(x: FloatArray, instead: float) -> FloatArray:
    """`x` with NaN replaced."""
    return np.where(np.isnan(x), instead, x)


# --- linear arithmetic ------------------------------------------------------------------------


def rearranged_forms(plan: Moves, parts: Sequence[Form]) -> Form:
    """`Reindex`."""
    regions = parts[0].coef.shape[-1]
    flat = [coef.reshape(*coef.shape[:-2], -1) for coef in aligned(parts)]
    coef = rearranged(plan, flat)
    return Form(
        coef.reshape(*plan.shape, -1, regions),
        rearranged(plan, [x.rad for x in parts]),
        rearranged(plan, [x.size for x in parts]),
        rearranged_edges(plan, [x.bounds for x in parts], [x.rad for x in parts]),
    )


def rearranged_edges(
    plan: Moves, parts: Sequence[Edges | None], like: Sequence[FloatArray]
) -> Edges | None:
    """The bounds of the entries of a `Reindex`, where any are known."""
    if all(edges is None for edges in parts):
        return None
    wide = [
        edges or (np.full_like(x, -inf), np.full_like(x, inf))
        for edges, x in zip(parts, like, strict=True)
    ]
    return rearranged(plan, [low for low, _ in wide]), rearranged(plan, [high for _, high in wide])


def weighted(factors: Sequence[Ball], parts: Sequence[Form], sets: Sets) -> Form:
    """The linear combination of forms of one shape; each factor is a scalar."""
    mids = [float(factor.mid.reshape(-1)[0]) for factor in factors]
    if len(parts) == 1 and mids[0] == 1 and factors[0].rad is None:
        return parts[0]
    slips = [float(radius(factor).reshape(-1)[0]) for factor in factors]
    roundings = len(parts) + 1
    coef = sum(m * c for m, c in zip(mids, aligned(parts), strict=True))
    rad = sum(
        (abs(m) + s) * x.rad + (s + DOUBLE.gamma(roundings) * (abs(m) + s)) * x.size
        for m, s, x in zip(mids, slips, parts, strict=True)
    )
    found = settled(np.asarray(coef), np.asarray(rad), sets, roundings)
    if all(x.bounds is None for x in parts):
        return found
    return replace(found, bounds=weighted_edges(factors, [interval(x, sets) for x in parts]))


def weighted_edges(factors: Sequence[Ball], parts: Sequence[Edges]) -> Edges:
    """Bounds on the linear combination of what has these bounds."""
    middle, reach = np.zeros(()), np.zeros(())
    for factor, (low, high) in zip(factors, parts, strict=True):
        centre, size = (low + high) / 2, np.maximum(np.abs(low), np.abs(high))
        m, s = float(factor.mid.reshape(-1)[0]), float(radius(factor).reshape(-1)[0])
        middle = middle + m * centre
        reach = reach + abs(m) * (high - low) / 2 + (s + len(parts) * 2.0**-49 * abs(m)) * size
    return outward(middle, reach)


def outward(middle: FloatArray, reach: FloatArray) -> Edges:
    """Bounds so far from the middle."""
    wide = reach * (1 + 2.0**-40) + DOUBLE.faint
    return not_a_number(middle - wide, -inf), not_a_number(middle + wide, inf)


def contracted_edges(spec: str, terms: int, weight: Ball, edges: Edges) -> Edges:
    """Bounds on `Contract` of what is the same on every word with what has these bounds."""
    low, high = edges
    multiplied, size = product(spec), np.maximum(np.abs(low), np.abs(high))
    middle = multiplied(weight.mid, (low + high) / 2)
    reach = multiplied(weight.size, (high - low) / 2)
    slips = radius(weight) + (terms + 4) * 2.0**-50 * weight.size
    return outward(middle, reach * (1 + terms * 2.0**-40) + multiplied(slips, size))


Contracted = Callable[[Ball, Form], Form]


def contraction(spec: str, terms: int, sets: Sets) -> Contracted:
    """`Contract` of what is the same on every word with a form, on the right."""
    multiplied, gamma = product(spec), DOUBLE.gamma(terms + 2)

    def contracted(weight: Ball, x: Form) -> Form:
        flat = x.coef.reshape(*x.shape, -1)
        coef = multiplied(weight.mid, flat)
        coef = coef.reshape(*coef.shape[:-1], -1, sets.regions)
        rad = multiplied(weight.size, x.rad)
        rad = rad + multiplied(radius(weight) + gamma * weight.size, x.size)
        found = settled(coef, rad, sets, terms)
        if x.bounds is None:
            return found
        return replace(found, bounds=contracted_edges(spec, terms, weight, interval(x, sets)))

    return contracted


def flipped(spec: str) -> str:
    """The same contraction with its operands exchanged."""
    inputs, output = spec.split("->")
    left, right = inputs.split(",")
    return f"{right},{left}->{output}"
