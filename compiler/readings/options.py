"""What truths and indices may be on whole boxes, and whether an execution finds the same ones.

An entry has the set of values that it may have, exactly or as executed, and whether the two agree at
every input. Where they may not, numbers that it decides stray as far as their values are apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from circ.compiler.ir import Comparison
from circ.compiler.readings import extents
from circ.compiler.readings.arrays import Moves, rearranged
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.readings.extents import Extent
from circ.compiler.readings.roundoff import NARROWER, WIDER
from circ.compiler.readings.strays import Stray, cleaned, coarsest, widened


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """`may[…, v, box]`: whether the entry may be v, truths being 0 and 1; `agree[…, box]`."""

    may: BoolArray = field(repr=False)
    agree: BoolArray = field(repr=False)


def options(may: BoolArray, agree: BoolArray) -> Options:
    """What there is only one choice of is agreed on."""
    return Options(may, agree | (may.sum(-2) == 1))


def truths(may_fail: BoolArray, may_hold: BoolArray, agree: BoolArray) -> Options:
    """Truths that may fail, and that may hold."""
    return options(np.stack([may_fail, may_hold], -2), agree)


def anything(shape: Sequence[int], size: int) -> Options:
    """An input: any member, and the execution reads the same."""
    return Options(np.ones((*shape, size, 1), np.bool_), np.ones((*shape, 1), np.bool_))


def known(values: Sequence[int], shape: Sequence[int], size: int) -> Options:
    """Known indices or truths."""
    codes = np.array(values, np.int64).reshape(*shape, 1, 1)
    return Options(np.arange(size)[:, None] == codes, np.ones((*shape, 1), np.bool_))


# --- decided --------------------------------------------------------------------------------


def compared(op: Comparison, x: Stray, y: Stray) -> Options:
    """`x op y`, entrywise: agreed on where no number strays, or where both sides are apart."""
    doubt = (x.err + y.err) * WIDER
    above = beyond(x.extent.lo, y.extent.hi)
    below = beyond(y.extent.lo, x.extent.hi)
    agree = (x.err == 0) & (y.err == 0)
    match op:
        case "<":
            may_fail, may_hold = x.high >= y.low, x.low < y.high
            return truths((below <= doubt) & may_fail, (above < doubt) & may_hold, agree)
        case "<=":
            may_fail, may_hold = x.high > y.low, x.low <= y.high
            return truths((below < doubt) & may_fail, (above <= doubt) & may_hold, agree)
        case "==":
            alone = (x.extent.lo == x.extent.hi) & (y.extent.lo == y.extent.hi)
            same = agree & alone & (x.extent.lo == y.extent.lo)
            meet = (x.low <= y.high) & (y.low <= x.high)
            return truths(~same, (above <= doubt) & (below <= doubt) & meet, agree)


def beyond(low: FloatArray, high: FloatArray) -> FloatArray:
    """At most by how much the one is above the other; negative where it is not."""
    gap = low - high
    return np.where(np.isnan(gap), -np.inf, np.where(gap > 0, gap * NARROWER, gap))


def coincide(x: Options, y: Options) -> Options:
    """Entrywise equality of indices."""
    both: BoolArray = np.logical_or.reduce(x.may & y.may, axis=-2)
    alone = (x.may.sum(-2) == 1) & (y.may.sum(-2) == 1)
    return truths(~(both & alone), both, x.agree & y.agree)


def leader(x: Stray) -> Options:
    """The index of a largest entry along the last axis before that of boxes.

    Scores that do not stray are the same for both, and so is what is chosen of equal ones.
    """
    best = x.low.max(-2, keepdims=True)
    return options(~(x.high < best), (x.err == 0).all(-2))


# --- connectives ----------------------------------------------------------------------------


def negated(x: Options) -> Options:
    """Entrywise negation."""
    return Options(x.may[..., ::-1, :], x.agree)


def conjunction(x: Options) -> Options:
    """Whether all entries hold along the last axis: agreed on where one surely fails, too."""
    fails, holds = x.may[..., 0, :], x.may[..., 1, :]
    may_hold: BoolArray = np.logical_and.reduce(holds, axis=-2)
    may_fail: BoolArray = np.logical_or.reduce(fails, axis=-2)
    agree: BoolArray = np.logical_and.reduce(x.agree, axis=-2)
    return truths(may_fail, may_hold, agree | np.logical_or.reduce(~holds, axis=-2))


def disjunction(x: Options) -> Options:
    """Whether some entry holds along the last axis."""
    return negated(conjunction(negated(x)))


# --- moved ----------------------------------------------------------------------------------


def moved(plan: Moves, parts: Sequence[Options]) -> Options:
    """`Reindex` of truths or indices."""
    size = parts[0].may.shape[-2]
    sides = [rearranged(plan, [x.may[..., value, :] for x in parts]) for value in range(size)]
    return Options(np.stack(sides, -2), rearranged(plan, [x.agree for x in parts]))


def selected(condition: Options, then: Stray, otherwise: Stray) -> Stray:
    """`Select` of reals."""
    arms = reached(condition, then, otherwise)
    extent = extents.hull([x.extent for x in arms])
    err = np.maximum.reduce([x.err for x in arms])
    low = np.minimum.reduce([x.low for x in arms])
    high = np.maximum.reduce([x.high for x in arms])
    if not condition.agree.all():
        err = np.maximum(err, width(low, high))
    return Stray(extent, err, coarsest(arms), reach=Extent(low, high))


def reached(condition: Options, then: Stray, otherwise: Stray) -> list[Stray]:
    """The arms that may be taken, in some box."""
    fails, holds = condition.may[..., 0, :].any(), condition.may[..., 1, :].any()
    return [x for x, taken in ((then, holds), (otherwise, fails)) if taken]


def width(low: FloatArray, high: FloatArray) -> FloatArray:
    """The furthest that two values between these are apart."""
    return widened(cleaned(high - low))


def selected_options(condition: Options, then: Options, otherwise: Options) -> Options:
    """`Select` of truths or indices."""
    fails, holds = condition.may[..., 0, :], condition.may[..., 1, :]
    may = (then.may & holds[..., None, :]) | (otherwise.may & fails[..., None, :])
    agree = (then.agree | ~holds) & (otherwise.agree | ~fails) & condition.agree
    return options(may, agree)


# --- looked up ------------------------------------------------------------------------------


def joined(indices: Sequence[Options]) -> Options:
    """Several indices as one into all of their axes."""
    may, agree = indices[0].may, indices[0].agree
    for index in indices[1:]:
        both = may[..., :, None, :] & index.may[..., None, :, :]
        may = both.reshape(*both.shape[:-3], -1, both.shape[-1])
        agree = agree & index.agree
    return Options(may, agree)


def picked(table: Stray, index: Options, axes: int) -> Stray:
    """`Lookup` in a table of reals, whose first `axes` axes are taken as one."""
    rest = table.err.shape[axes:]
    sides = (table.extent.lo, table.extent.hi, table.low, table.high, table.err)
    lo, hi, least, most, err = (flat(x, axes) for x in sides)
    found: dict[bytes, tuple[FloatArray, ...]] = {}
    rows: list[tuple[FloatArray, ...]] = []
    for mask, agree in places(index):
        key = mask.tobytes() + bytes([agree])
        if key not in found:
            below, above, off = least[mask].min(0), most[mask].max(0), err[mask].max(0)
            if not agree:
                off = np.maximum(off, width(below, above))
            found[key] = lo[mask].min(0), hi[mask].max(0), below, above, off
        rows.append(found[key])
    shape = (*index.agree.shape[:-1], *rest)
    parts = (np.stack(part).reshape(shape) for part in zip(*rows, strict=True))
    low, high, below, above, off = parts
    extent = Extent(low, low) if np.array_equal(low, high) else Extent(low, high)
    return Stray(extent, off, table.grain, reach=Extent(below, above))


def picked_options(table: Options, index: Options, axes: int) -> Options:
    """`Lookup` in a table of truths or indices."""
    rest = table.agree.shape[axes:]
    may, same = flat(table.may, axes), flat(table.agree, axes)
    size = table.may.shape[-2]
    rows = [(may[mask].any(0), same[mask].all(0) & agree) for mask, agree in places(index)]
    shape = (*index.agree.shape[:-1], *rest)
    return options(
        np.stack([row for row, _ in rows]).reshape(*shape[:-1], size, shape[-1]),
        np.stack([row for _, row in rows]).reshape(shape),
    )


def flat(table: FloatArray | BoolArray, axes: int) -> FloatArray | BoolArray:
    """A table, its first axes taken as one."""
    return table.reshape(prod(table.shape[:axes]), *table.shape[axes:])


def places(index: Options) -> list[tuple[BoolArray, bool]]:
    """For each entry of an index: which places it may be, and whether the execution agrees."""
    masks = index.may[..., 0].reshape(-1, index.may.shape[-2])
    return [(mask, bool(agree)) for mask, agree in zip(masks, index.agree.reshape(-1), strict=True)]
