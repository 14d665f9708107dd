"""Sums of forms and of forms divided by softmax denominators, divided out as late as possible.

What a head reads is N/Z with N and Z separable. Linear ops work on N; only where something that is
not linear comes is the quotient enclosed: N/Z = m + (N - mZ)/Z for any m, and where all of N/Z is
within M of m, replacing 1/Z by a number q loses at most M·|1 - qZ|.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from circ.compiler.ir import Shape, Wire
from circ.compiler.readings.arrays import IntArray, Moves, rearranged
from circ.compiler.readings.balls import Ball, FloatArray
from circ.compiler.readings.forms import (
    Edges,
    Form,
    Sets,
    aligned,
    interval,
    rearranged_edges,
    rearranged_forms,
    settled,
    weighted,
    weighted_edges,
)
from circ.compiler.readings.relaxed import Losses
from circ.compiler.readings.roundoff import DOUBLE, NARROWER, WIDER

ROUNDS = 2
"""Times that bounds on a quotient are tightened by what they say of N - mZ."""


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """Entries `top`, each over one of the denominators: `row` says which, for each entry.

    `part` says which entry of the softmax itself an entry is: `ABSENT` if it is zero, `MIXED` if it
    is neither. `hull` bounds the quotients; `side` is how many entries a row of the softmax has.
    """

    top: Form
    row: IntArray
    part: IntArray
    hull: Edges | None
    side: int


ABSENT, MIXED = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """The entries of a wire: `plain`, and what is over the denominators of each softmax."""

    plain: Form | None
    over: Mapping[Wire, Ratio] = field(default_factory=dict[Wire, Ratio])

    @property
    def shape(self) -> Shape:
        """The shape of the wire."""
        return next(iter(self.parts)).shape

    @property
    def parts(self) -> Sequence[Form]:
        """All forms in it."""
        return ([] if self.plain is None else [self.plain]) + [x.top for x in self.over.values()]


Denominators = Mapping[Wire, Form]
"""The denominators of each softmax, along one axis."""


def mapped(x: Sums, form: Callable[[Form], Form], ratio: Callable[[Ratio], Ratio]) -> Sums:
    """A linear function of all parts."""
    plain = None if x.plain is None else form(x.plain)
    return Sums(plain, {wire: ratio(part) for wire, part in x.over.items()})


# --- linear ---------------------------------------------------------------------------------


def rearranged_sums(plan: Moves, parts: Sequence[Sums], sets: Sets) -> Sums:
    """`Reindex`, part by part; a part that an operand lacks is zero there."""
    empty = [zero(x.shape, sets) for x in parts]
    plains = [x.plain for x in parts]
    plain = None
    if any(x is not None for x in plains):
        filled = [x or nothing for x, nothing in zip(plains, empty, strict=True)]
        plain = rearranged_forms(plan, filled)
    over: dict[Wire, Ratio] = {}
    for wire in dict.fromkeys(wire for x in parts for wire in x.over):
        side = next(x.over[wire].side for x in parts if wire in x.over)
        ratios = [
            x.over.get(wire) or absent(nothing, side)
            for x, nothing in zip(parts, empty, strict=True)
        ]
        over[wire] = rearranged_ratios(plan, ratios)
    return Sums(plain, over)


def rearranged_ratios(plan: Moves, parts: Sequence[Ratio]) -> Ratio:
    """`Reindex` of what is over the denominators of one softmax."""
    tops = [x.top for x in parts]
    rows, places = (
        rearranged(plan, [numbers[..., None] for numbers in column])[..., 0]
        for column in ([x.row for x in parts], [x.part for x in parts])
    )
    hull = rearranged_edges(plan, [x.hull for x in parts], [top.rad for top in tops])
    return Ratio(rearranged_forms(plan, tops), rows, places, hull, parts[0].side)


def absent(nothing: Form, side: int) -> Ratio:
    """Zeros over any denominator."""
    rows = np.zeros(nothing.shape, np.int64)
    return Ratio(nothing, rows, rows + ABSENT, (nothing.rad, nothing.rad), side)


def zero(shape: Shape, sets: Sets) -> Form:
    """Zeros."""
    nothing = np.zeros((*shape, sets.regions))
    return Form(np.zeros((*shape, 1 + sets.cells, sets.regions)), nothing, nothing)


def added(
    factors: Sequence[Ball], parts: Sequence[Sums], sets: Sets, divide: Callable[[Sums], Sums]
) -> Sums:
    """The linear combination of wires; what is over unlike denominators is divided first."""
    parts = [divide(x) if clashes(x, parts) else x for x in parts]
    plains = [(f, x.plain) for f, x in zip(factors, parts, strict=True) if x.plain is not None]
    plain = combined(plains, sets) if plains else None
    over: dict[Wire, Ratio] = {}
    for wire in dict.fromkeys(wire for x in parts for wire in x.over):
        mine = [(f, x.over[wire]) for f, x in zip(factors, parts, strict=True) if wire in x.over]
        top = combined([(f, x.top) for f, x in mine], sets)
        hulls = [x.hull for _, x in mine if x.hull is not None]
        hull = weighted_edges([f for f, _ in mine], hulls) if len(hulls) == len(mine) else None
        row = mine[0][1].row
        over[wire] = Ratio(top, row, np.full_like(row, MIXED), hull, mine[0][1].side)
    return Sums(plain, over)


def combined(terms: Sequence[tuple[Ball, Form]], sets: Sets) -> Form:
    """The linear combination of forms."""
    return weighted([f for f, _ in terms], [x for _, x in terms], sets)


def clashes(x: Sums, parts: Sequence[Sums]) -> bool:
    """Whether another part has the same softmax in other rows."""
    return any(
        not np.array_equal(x.over[wire].row, other.over[wire].row)
        for other in parts
        for wire in x.over
        if wire in other.over
    )


# --- dividing -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Quotient:
    """Entries N/Z with bounds on them, and on Z, which is positive: [S, region]."""

    top: Form
    bottom: Form
    low: FloatArray
    high: FloatArray
    least: FloatArray
    most: FloatArray


def quotient(ratio: Ratio, below: Form, sets: Sets) -> Quotient:
    """N/Z bounded: bounds on N - mZ say how far N/Z is from m, again and again."""
    bottom = picked(below, ratio.row)
    least, most = interval(bottom, sets)
    least = np.where(least > 0, least, 0.0)
    first = ratio.top.const / bottom.const
    middle = np.where(np.isfinite(first), first, 0.0)
    found = Quotient(ratio.top, bottom, middle, middle, least, most)
    down, up = beyond(found, middle, sets)
    low, high = middle + down, middle + up
    if ratio.hull is not None:
        low, high = np.maximum(low, ratio.hull[0]), np.minimum(high, ratio.hull[1])
    for _ in range(ROUNDS):
        low = np.maximum(low, finite(low) + beyond(found, finite(low), sets)[0])
        high = np.minimum(high, finite(high) + beyond(found, finite(high), sets)[1])
    slack = (np.abs(low) + np.abs(high)) * 2.0**-50
    return replace(found, low=low - slack, high=high + slack)


def finite(x: FloatArray) -> FloatArray:
    """Zero in place of what is infinite: any number will do to compare with."""
    return np.where(np.isfinite(x), x, 0.0)


def picked(x: Form, row: IntArray) -> Form:
    """These rows."""
    edges = None if x.bounds is None else (x.bounds[0][row], x.bounds[1][row])
    return Form(x.coef[row], x.rad[row], x.size[row], edges)


def beyond(x: Quotient, middle: FloatArray, sets: Sets) -> tuple[FloatArray, FloatArray]:
    """Bounds on N/Z - m: those on N - mZ, divided by Z."""
    low, high = interval(remainder(x, middle, sets), sets)
    down = np.where(low < 0, low / x.least, low / x.most)
    up = np.where(high > 0, high / x.least, high / x.most)
    down, up = down - np.abs(down) * 2.0**-50, up + np.abs(up) * 2.0**-50
    return np.where(np.isnan(down), -inf, down), np.where(np.isnan(up), inf, up)


def remainder(x: Quotient, middle: FloatArray, sets: Sets) -> Form:
    """N - mZ, for numbers m."""
    top, bottom = aligned([x.top, x.bottom])
    size = x.top.size + np.abs(middle) * x.bottom.size
    rad = x.top.rad + np.abs(middle) * x.bottom.rad + DOUBLE.gamma(3) * size
    return settled(top - middle[..., None, :] * bottom, rad, sets, 4)


def line(x: Quotient, middle: FloatArray, slope: FloatArray, sets: Sets) -> Form:
    """m + q(N - mZ), for numbers m and q of each entry."""
    rest = remainder(x, middle, sets)
    coef = rest.coef * slope[..., None, :]
    coef[..., 0, :] += middle
    size = np.abs(slope) * rest.size + np.abs(middle)
    rad = np.abs(slope) * rest.rad + DOUBLE.gamma(4) * size
    return settled(coef, rad, sets, 4)


def floor(x: Quotient, sets: Sets, *, above: bool) -> Form:
    """A form that is nowhere above N/Z.

    N >= low·Z, so N/Z >= low + (N - low·Z)·q for q <= 1/Z; and N <= high·Z, so that the same holds
    of `high` and q >= 1/Z.
    """
    if above:
        return line(x, x.high, WIDER / x.least, sets)
    return line(x, x.low, NARROWER / x.most, sets)


def divided(x: Sums, below: Denominators, losses: Losses) -> Form:
    """The whole as one form: every quotient is replaced by a line, and what that loses."""
    found = [] if x.plain is None else [x.plain]
    for wire, ratio in x.over.items():
        found.append(enclosed(quotient(ratio, below[wire], losses.sets), losses))
    one = Ball(np.ones(1), None, np.ones(1))
    return found[0] if len(found) == 1 else weighted([one] * len(found), found, losses.sets)


def enclosed(x: Quotient, losses: Losses) -> Form:
    """N/Z by one line, with what that loses; by a number, where a line would lose more."""
    sets = losses.sets
    middle = x.low + (x.high - x.low) / 2
    sound = np.isfinite(middle)
    middle, slope = np.where(sound, middle, 0.0), 2 / (x.least + x.most)
    reach = np.maximum(x.high - middle, middle - x.low) * WIDER
    form = line(x, middle, slope, sets)
    missed = np.maximum(np.abs(1 - slope * x.least), np.abs(slope * x.most - 1)) + 2.0**-50
    missed = missed * reach * WIDER
    bent = missed + np.abs(form.noise(sets)).sum(-2) + form.rad < reach  # not where one is NaN
    coef = np.where(bent[..., None, :], form.coef, 0.0)
    coef[..., 0, :] = np.where(bent, form.const, middle)
    lost = np.where(sound, np.where(bent, missed, reach), 0.0)
    blame = losses.influence(x.bottom) / np.where(x.least > 0, x.least, 1.0)[..., None, :]
    blame = blame + losses.influence(x.top)
    rad = np.where(sound, np.where(bent, form.rad, DOUBLE.unit * 4 * np.abs(middle)), inf)
    found = losses.with_loss(coef, rad, lost, np.nan_to_num(blame))
    return replace(found, bounds=(x.low, x.high))


def level(x: Quotient, sets: Sets) -> Form:
    """The least value of N/Z, as a form."""
    coef = np.zeros((*x.low.shape[:-1], 1 + sets.cells, sets.regions))
    coef[..., 0, :] = x.low
    return settled(coef, np.zeros_like(x.low), sets)
