"""What is not linear, on separable forms: products, smooth functions, ReLU, each with what it loses.

An entry that reads one position alone is worked out letter by letter, and loses nothing. Otherwise a
function is replaced by a line and how far it strays from it, and a product by the products of the
tables at the same positions, which are tables again, and a bound on the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import assert_never

import numpy as np

from circ.compiler.ir import SmoothName
from circ.compiler.readings import balls, curves
from circ.compiler.readings.balls import Ball, FloatArray
from circ.compiler.readings.chords import Line, exp_line, recip_line, relu_line, root_line
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.readings.forms import (
    Form,
    Sets,
    aligned,
    centred_table,
    interval,
    padded,
    ranges,
    reshaped,
    settled,
)
from circ.compiler.readings.roundoff import DOUBLE, FAINT, WIDER

MOST_NOISE = 512
"""Losses that are kept apart; one operation takes half of what is left, the largest first."""

NEGLIGIBLE = 1e-12
"""A loss that is so small a share of the entry goes into its radius."""


@dataclass(slots=True)
class Losses:
    """What relaxations lost so far, and which positions are to blame: [noise, position, region]."""

    sets: Sets
    blame: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        length, _, regions = self.sets.alive.shape
        self.blame = np.zeros((0, length, regions))

    def influence(self, x: Form) -> FloatArray:
        """How much each position moves an entry, by its table and by what was lost: [S, p, region]."""
        low, high = ranges(x, self.sets)
        return (high - low) / 2 + self.lost(x)

    def lost(self, x: Form) -> FloatArray:
        """How much each position moves an entry by what was lost: [S, position, region]."""
        noise = np.abs(x.noise(self.sets))
        blame = self.blame[: noise.shape[-2]]
        found: FloatArray = np.einsum("...kz,kpz->...pz", noise, blame)
        return found

    def with_loss(
        self, coef: FloatArray, rad: FloatArray, lost: FloatArray, blame: FloatArray
    ) -> Form:
        """A result with its loss [S, region], for which positions are to blame as `blame` says.

        Rounding in `coef` is in `rad` already.
        """
        shape, sets = lost.shape[:-1], self.sets
        entries = lost.reshape(-1, sets.regions)
        x = settled(coef, rad, sets, 8)
        if (entries == 0).all():  # not where one is NaN
            return x
        share = (entries / (x.size.reshape(entries.shape) + entries + FAINT)).max(-1)
        room = (MOST_NOISE - self.blame.shape[0]) // 2
        apart = np.argsort(-share)[: max(room, 0)]
        apart = apart[share[apart] > NEGLIGIBLE]
        wide = padded(x.coef, 1 + sets.cells + self.blame.shape[0] + apart.size)
        flat = wide.reshape(entries.shape[0], *wide.shape[-2:])
        flat = flat.copy() if wide is x.coef else flat
        start = 1 + sets.cells + self.blame.shape[0]
        flat[apart, start + np.arange(apart.size)] = entries[apart]
        own = blame.reshape(entries.shape[0], -1, sets.regions)[apart]
        whole = own.sum(1, keepdims=True)
        parts = np.divide(own, whole, out=np.zeros_like(own), where=whole > 0)
        self.blame = np.concatenate([self.blame, parts])
        left = entries.copy()
        left[apart] = 0
        rest = x.rad + left.reshape(*shape, sets.regions)
        return settled(flat.reshape(*shape, *flat.shape[-2:]), rest, sets, 8)


# --- products -------------------------------------------------------------------------------


def centred(x: Form, sets: Sets) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """A form with every table centred: its coefficients, the tables' radii [S, p, region] and that of
    all noise [S, region], and the form's own radius."""
    low, high = ranges(x, sets)
    middle = low + (high - low) / 2
    coef = x.coef.copy()
    shape = (*x.shape, *sets.alive.shape)
    tables = np.where(sets.alive, x.tables(sets) - middle[..., None, :], 0.0)
    coef[..., 1 : 1 + sets.cells, :] = tables.reshape(*x.shape, sets.cells, sets.regions)
    coef[..., 0, :] += middle.sum(-2)
    rad = x.rad + x.size * (shape[-3] + 8) * 2.0**-51
    spread = np.abs(tables).max(-2) * WIDER
    noise = np.abs(x.noise(sets)).sum(-2) * (1 + x.coef.shape[-2] * 2.0**-51)
    return coef, spread, noise, rad


def multiplied(spec: str, terms: int, x: Form, y: Form, losses: Losses) -> Form:
    """`Contract` of two forms.

    With x = x0 + Σ X_p + noise, each part centred, the products X_p Y_p are tables; of X_p Y_q, p ≠ q,
    and of noise no more than the sizes is known.
    """
    sets = losses.sets
    inputs, output = spec.split("->")
    left, right = inputs.split(",")
    x_coef, x_spread, x_noise, x_rad = centred(x, sets)
    y_coef, y_spread, y_noise, y_rad = centred(y, sets)
    columns = max(x_coef.shape[-2], y_coef.shape[-2])
    x_coef, y_coef = padded(x_coef, columns), padded(y_coef, columns)
    both = partial(np.einsum, f"{left}Z,{right}Z->{output}Z")
    within = partial(np.einsum, f"{left}YZ,{right}YZ->{output}YZ")
    coef = np.einsum(f"{left}Z,{right}YZ->{output}YZ", x_coef[..., 0, :], y_coef)
    other = np.einsum(f"{left}YZ,{right}Z->{output}YZ", x_coef, y_coef[..., 0, :])
    other[..., 0, :] = 0
    coef += other
    cells = slice(1, 1 + sets.cells)
    coef[..., cells, :] += within(x_coef[..., cells, :], y_coef[..., cells, :])
    x_all, y_all = x_spread.sum(-2) + x_noise, y_spread.sum(-2) + y_noise
    size = both(x.size, y.size)
    apart = both(x_all, y_all) - within(x_spread, y_spread).sum(-2)
    rad = both(x.size, y_rad) + both(x_rad, y.size) + both(x_rad, y_rad)
    rad = rad + size * 4 * DOUBLE.gamma(terms + columns)  # of the coefficients, and of `apart`
    moved = x_spread + losses.lost(x), y_spread + losses.lost(y)
    blame = np.einsum(f"{left}YZ,{right}Z->{output}YZ", moved[0], y_all)
    blame += np.einsum(f"{left}Z,{right}YZ->{output}YZ", x_all, moved[1])
    return losses.with_loss(coef, rad, np.maximum(apart, 0), blame)


def squared(spec: str, terms: int, x: Form, losses: Losses) -> Form:
    """A sum of squares of entries of a form: as any product, but nowhere negative."""
    found = multiplied(spec, terms, x, x, losses)
    return replace(found, bounds=(np.zeros_like(found.rad), np.full_like(found.rad, inf)))


# --- functions of one variable ----------------------------------------------------------------


Pointwise = Callable[[Ball], Ball]


def applied(
    function: Pointwise, line: Callable[[FloatArray, FloatArray], Line], x: Form, losses: Losses
) -> Form:
    """A function, entrywise: letter by letter where an entry reads one position, else by a line."""
    sets = losses.sets
    low, high = interval(x, sets)
    reads = (x.tables(sets) != 0).any(-2)
    alone = (reads.sum(-2) <= 1) & ~(x.noise(sets) != 0).any(-2)
    if alone.all():
        return letter_by_letter(function, x, reads, sets)
    slope, below, above = line(low, high)
    sound = np.isfinite(slope) & np.isfinite(below) & np.isfinite(above)
    ends = ends_of(function, low, high, sound)
    slope, below = np.where(sound, slope, 0.0), np.where(sound, below, 0.0)
    above = np.where(sound, above, 0.0)
    middle = below + (above - below) / 2
    lost = np.maximum(above - middle, middle - below) * WIDER
    coef = x.coef * slope[..., None, :]
    coef[..., 0, :] += middle
    size = np.abs(slope) * x.size
    rad = np.abs(slope) * x.rad + DOUBLE.gamma(4) * (size + np.abs(middle))
    rad = np.where(sound | alone, rad, inf)
    if alone.any():
        exact = letter_by_letter(function, x, reads, sets)
        exact_coef, coef = aligned([exact, Form(coef, rad, size)])
        coef = np.where(alone[..., None, :], exact_coef, coef)
        rad = np.where(alone, exact.rad, rad)
        lost = np.where(alone, 0.0, lost)
    found = losses.with_loss(coef, rad, lost, losses.influence(x))
    return Form(found.coef, found.rad, found.size, ends)


def ends_of(
    function: Pointwise, low: FloatArray, high: FloatArray, sound: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Bounds on a monotonic function between these, where it is `sound` to say that it is one."""
    edges = [function(Ball(x, None, np.abs(x))) for x in (low, high)]
    reach = [balls.radius(edge) + np.abs(edge.mid) * 2.0**-51 for edge in edges]
    lows = [edge.mid - rad for edge, rad in zip(edges, reach, strict=True)]
    highs = [edge.mid + rad for edge, rad in zip(edges, reach, strict=True)]
    least, most = np.minimum(*lows), np.maximum(*highs)
    return (
        np.where(sound & ~np.isnan(least), least, -inf),
        np.where(sound & ~np.isnan(most), most, inf),
    )


def letter_by_letter(function: Pointwise, x: Form, reads: BoolArray, sets: Sets) -> Form:
    """The function where every entry reads one position at most."""
    entries = int(np.prod(x.shape, dtype=np.int64))
    at = reads.reshape(entries, *reads.shape[-2:]).argmax(1)[:, None, None, :]
    tables = x.tables(sets).reshape(entries, *sets.alive.shape)
    own = np.take_along_axis(tables, at, 1)[:, 0]
    alive = np.take_along_axis(np.broadcast_to(sets.alive, tables.shape), at, 1)[:, 0]
    mid = np.where(alive, own + x.const.reshape(entries, 1, -1), x.const.reshape(entries, 1, -1))
    slack = (x.rad + x.size * 2.0**-51).reshape(entries, 1, -1)
    rad = np.broadcast_to(slack, mid.shape)
    ball = function(Ball(mid, rad, np.abs(mid) + rad))
    centre, table, off = centred_table(ball.mid, balls.radius(ball), alive)
    coef = np.zeros((entries, 1 + sets.cells, sets.regions))
    coef[:, 0] = centre
    inside = coef[:, 1:].reshape(entries, *sets.alive.shape)
    np.put_along_axis(inside, at, table[:, None], 1)
    return reshaped(settled(coef, off, sets, 8), x.shape)


def smooth(function: SmoothName, x: Form, losses: Losses) -> Form:
    """`Smooth`: infinite radius where the function may be undefined."""
    pointwise = curves.smooth(function, DOUBLE)
    match function:
        case "exp":
            return applied(pointwise, exp_line, x, losses)
        case "recip":
            return applied(pointwise, recip_line, x, losses)
        case "sqrt":
            return applied(pointwise, root_line, x, losses)
        case _:
            assert_never(function)


def relu(x: Form, losses: Losses) -> Form:
    """max(0, x), entrywise."""
    return applied(balls.positive_part, relu_line, x, losses)
