"""Ops that move values of any sort: entries rearranged, selected by a truth, looked up by index.

A real entry that an open truth or index decides gets an infinite radius, a discrete one slack 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
import numpy.typing as npt

from circ.compiler.readings.arrays import Moves, Scalar, picked, rearranged
from circ.compiler.readings.balls import Ball, FloatArray, radius
from circ.compiler.readings.decisions import BoolArray, Codes, Discrete, least, undecided
from circ.compiler.readings.roundoff import Roundoff

# --- rearranged -----------------------------------------------------------------------------


def rearranged_reals(plan: Moves, operands: Sequence[Ball]) -> Ball:
    """`Reindex` of reals."""
    exact = all(x.rad is None for x in operands)
    return Ball(
        rearranged(plan, [x.mid for x in operands]),
        None if exact else rearranged(plan, [radius(x) for x in operands]),
        rearranged(plan, [x.size for x in operands]),
        min(x.grain for x in operands),
    )


def rearranged_codes(plan: Moves, operands: Sequence[Discrete]) -> Discrete:
    """`Reindex` of truths or indices."""
    certain = all(x.slack is None for x in operands)
    slack = None if certain else rearranged(plan, [slack_of(x) for x in operands])
    return Discrete(rearranged(plan, [x.values for x in operands]), slack)


def slack_of(x: Discrete) -> FloatArray:
    """The slack, infinite where certain."""
    return np.full(x.values.shape, inf) if x.slack is None else x.slack


# --- selected -------------------------------------------------------------------------------


def selected_reals(condition: Discrete, then: Ball, otherwise: Ball, rounding: Roundoff) -> Ball:
    """`Select` of reals; where the reading is coarse, the larger radius serves both sides."""
    truth = condition.values
    mid = np.where(truth, then.mid, otherwise.mid)
    size = either(truth, then.size, otherwise.size, rounding)
    if then.rad is None and otherwise.rad is None:
        rad = None
    else:
        rad = either(truth, radius(then), radius(otherwise), rounding)
    return opened(Ball(mid, rad, size, min(then.grain, otherwise.grain)), undecided(condition))


def either(truth: Codes, then: FloatArray, otherwise: FloatArray, rounding: Roundoff) -> FloatArray:
    """The bound of the side taken, or of both."""
    return np.maximum(then, otherwise) if rounding.coarse else np.where(truth, then, otherwise)


def opened(x: Ball, where: BoolArray | None) -> Ball:
    """The same ball, of infinite radius where it is open what it should hold."""
    if where is None:
        return x
    rad = np.where(where, inf, radius(x))
    return Ball(x.mid, rad, np.where(where, inf, x.size))


def selected_codes(condition: Discrete, then: Discrete, otherwise: Discrete) -> Discrete:
    """`Select` of truths or indices."""
    truth = condition.values
    values = np.where(truth, then.values, otherwise.values)
    if then.slack is None and otherwise.slack is None:
        taken = None
    else:
        taken = np.where(truth, slack_of(then), slack_of(otherwise))
    return Discrete(values, spread(least(condition.slack, taken), values))


def spread(slack: FloatArray | None, values: Codes) -> FloatArray | None:
    """The slack with an entry for each value."""
    return None if slack is None else np.broadcast_to(slack, values.shape)


# --- looked up ------------------------------------------------------------------------------


def joined(indices: Sequence[Discrete], sides: Sequence[int]) -> Discrete:
    """Several indices, into axes of these lengths, as one into all of them."""
    place = indices[0].values.astype(np.int64, copy=False)
    for index, side in zip(indices[1:], sides[1:], strict=True):
        place = place * side + index.values
    return Discrete(place, least(*(index.slack for index in indices)))


def picked_reals(table: Ball, index: Discrete, axes: int, rounding: Roundoff) -> Ball:
    """`Lookup` in a table of reals, whose first `axes` axes are taken as one."""
    where = index.values.astype(np.int64, copy=False)

    def bound(part: FloatArray) -> FloatArray:
        if not rounding.coarse:
            return picked(part, where, axes)
        rest = part.shape[axes:]
        most = part.reshape(-1, *rest).max(0)
        return np.broadcast_to(most, (*where.shape[:-1], *rest))

    mid = picked(table.mid, where, axes)
    rad = None if table.rad is None else bound(table.rad)
    open_indices = undecided(index)
    if open_indices is not None:
        open_indices = beside(open_indices, table.mid.ndim - 1 - axes)
    return opened(Ball(mid, rad, bound(table.size), table.grain), open_indices)


def picked_codes(table: Discrete, index: Discrete, axes: int) -> Discrete:
    """`Lookup` in a table of truths or indices."""
    where = index.values.astype(np.int64, copy=False)
    values = picked(table.values, where, axes)
    own = None if table.slack is None else picked(table.slack, where, axes)
    given = None if index.slack is None else beside(index.slack, table.values.ndim - 1 - axes)
    return Discrete(values, spread(least(given, own), values))


def beside(x: npt.NDArray[Scalar], axes: int) -> npt.NDArray[Scalar]:
    """`x` with as many axes of length 1 before the batch."""
    return x.reshape(*x.shape[:-1], *(1,) * axes, x.shape[-1])
