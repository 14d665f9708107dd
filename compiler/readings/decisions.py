"""Truths and indices decided from balls, each with its slack: how far it is from turning over.

A comparison of balls is decided when they are apart, and its slack is a lower bound on the gap that
remains. Where they meet it is undecided: slack 0, and a value that stands for nothing. Connectives
carry the slack along, so a truth is undecided only if what is open can change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import Comparison
from circ.compiler.readings.balls import Ball, FloatArray, radius
from circ.compiler.readings.roundoff import FAINT, NARROWER, WIDER

Codes = npt.NDArray[np.int64 | np.bool_]
BoolArray = npt.NDArray[np.bool_]

EXACTLY: dict[Comparison, np.ufunc] = {"<": np.less, "<=": np.less_equal, "==": np.equal}


@dataclass(frozen=True, slots=True, eq=False)
class Discrete:
    """Truths (bool) or indices (int64), batch last, as in `Ball`.

    `slack` has the shape of `values` or is None: then no rounded number stands behind them. An entry
    of it is 0 where undecided, infinite where certain, and at least `FAINT` where decided.
    """

    values: Codes = field(repr=False)
    slack: FloatArray | None = field(default=None, repr=False)


def undecided(x: Discrete) -> BoolArray | None:
    """Which entries are open; None when all are decided."""
    if x.slack is None:
        return None
    open_entries = x.slack == 0
    return open_entries if open_entries.any() else None


def compared(op: Comparison, x: Ball, y: Ball) -> Discrete:
    """`x op y`, entrywise. Whole numbers that are exact compare like indices: without slack."""
    gap = y.mid - x.mid
    if x.rad is None and y.rad is None:
        truth, slack = exactly(op, x, y)
        return Discrete(truth, None if x.grain == y.grain == 0 else slack)
    room = radius(x) + radius(y)
    values = np.zeros(gap.shape, np.bool_) if op == "==" else gap > 0
    left = remaining(gap, room * WIDER + FAINT)
    known = room == 0
    if known.any():
        truth, slack = exactly(op, x, y)
        return Discrete(np.where(known, truth, values), np.where(known, slack, left))
    return Discrete(values, left)


def exactly(op: Comparison, x: Ball, y: Ball) -> tuple[BoolArray, FloatArray]:
    """`x op y` where both are known, and its slack."""
    truth: BoolArray = EXACTLY[op](x.mid, y.mid)
    return truth, np.maximum(np.abs(y.mid - x.mid) * NARROWER, FAINT)


def remaining(gap: FloatArray, doubt: FloatArray) -> FloatArray:
    """What is left of |gap| when it may be wrong by `doubt`; 0 where nothing, or NaN, is."""
    rest = np.abs(gap) * NARROWER - doubt
    return np.where(rest >= FAINT, rest, 0.0)


def coincide(x: Discrete, y: Discrete) -> Discrete:
    """Entrywise equality of indices."""
    return Discrete(x.values == y.values, least(x.slack, y.slack))


def leader(x: Ball) -> Discrete:
    """The index of the largest entry along the last axis before the batch; open at a tie.

    Exact whole numbers have no slack to report, here too.
    """
    values = x.mid.argmax(-2)
    if x.mid.shape[-2] == 1:
        return Discrete(values)
    best = x.mid.max(-2, keepdims=True)
    ahead = x.mid == best
    rest = np.where(ahead, -np.inf, x.mid).max(-2)
    gap = np.where(ahead.sum(-2) == 1, best[..., 0, :] - rest, 0.0)
    if x.rad is None:
        sure = np.inf if x.grain == 0 else np.maximum(gap * NARROWER, FAINT)
        return Discrete(values, np.where(gap > 0, sure, 0.0))
    return Discrete(values, remaining(gap, 2 * x.rad.max(-2) * WIDER + FAINT))


def negated(x: Discrete) -> Discrete:
    """Entrywise negation."""
    return Discrete(np.logical_not(x.values), x.slack)


def conjunction(x: Discrete) -> Discrete:
    """Whether all entries hold along the last axis before the batch: the least signed slack."""
    if x.slack is None:
        return Discrete(np.logical_and.reduce(x.values, axis=-2))
    signed = np.where(x.values, x.slack, -x.slack).min(-2, initial=np.inf)
    return Discrete(signed > 0, np.abs(signed))


def disjunction(x: Discrete) -> Discrete:
    """Whether some entry holds along the last axis before the batch."""
    return negated(conjunction(negated(x)))


def least(*slacks: FloatArray | None) -> FloatArray | None:
    """The smaller slack of each entry; None counts as certain."""
    known = [slack for slack in slacks if slack is not None]
    return reduce(np.minimum, known) if known else None
