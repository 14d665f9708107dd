"""The marks of the largest entries of a row, as units: 1 for each that is kept, 0 for the others.

Whatever the choice is, some order of the entries agrees with it: none stands before a larger one, and those
that are kept are the first. So of two entries the larger one stands before the other, and where they are
equal, nothing says which. An entry is kept if fewer than `count` stand before it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from circ.compiler.boxes.affine import Affine, Reach, combined, picked
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.net import TINY, BoolArray, FloatArray, rounding

ONE = Fraction(1)

MOST_PAIRS = 1 << 14
"""Most pairs of scores that are compared in one op."""

Unit = Callable[[Affine], Affine]
"""A unit for each entry: max(0, x), or 1 where x >= 0, else 0."""


def kept(
    scores: Affine, width: int, count: int, units: tuple[Unit, Unit], reach: Callable[[], Reach]
) -> Affine:
    """The mark of each score in runs of `width`; `units` are the step and the ReLU."""
    step, relu = units
    rows, (mine, other) = scores.entries // width, np.triu_indices(width, 1)
    if rows * len(mine) > MOST_PAIRS:
        raise Beyond(f"it compares more than {MOST_PAIRS:,} pairs of scores")
    start = np.arange(rows)[:, None] * width
    first, second = (picked([scores], (start + side).reshape(-1)) for side in (mine, other))
    before = step(either(combined([(ONE, first), (-ONE, second)], reach())))
    place, ahead = np.arange(len(mine)), np.zeros((width, len(mine)))
    ahead[mine, place], ahead[other, place] = 1.0, -1.0
    # Each entry further on stands before this one, less those that this one stands before.
    room = whole(ahead, before, count - np.arange(width - 1.0, -1.0, -1.0))
    return clipped(room, relu)


def either(x: Affine) -> Affine:
    """The same, off by next to nothing at most: on whichever side of 0 where it is 0."""
    return Affine(x.maps, x.const, np.maximum(np.nextafter(x.slack, np.inf), TINY))


def whole(matrix: FloatArray, x: Affine, const: FloatArray) -> Affine:
    """The matrix times each run of entries, and constants: small whole numbers, of which none is rounded."""
    runs = x.entries // matrix.shape[1]
    rows = {j: part.reshape(runs, -1, part.shape[1]) for j, part in x.maps.items()}
    maps = {j: (matrix @ part).reshape(-1, part.shape[2]) for j, part in rows.items()}
    known = x.const.reshape(runs, -1) @ matrix.T + const
    slack = x.slack.reshape(runs, -1) @ np.abs(matrix).T * (1 + rounding(matrix.shape[1]))
    return Affine(maps, known.reshape(-1), slack.reshape(-1))


def clipped(x: Affine, relu: Unit) -> Affine:
    """min(1, max(0, x)) of whole numbers made of truths, as 1 - min(1, max(0, 1 - x))."""
    least = x.const + sum(np.minimum(part, 0).sum(1) for part in x.maps.values())
    most = x.const + sum(np.maximum(part, 0).sum(1) for part in x.maps.values())
    lacking = above(opposite(x), most <= 1, relu)
    return above(opposite(lacking), least >= 0, relu)


def opposite(x: Affine) -> Affine:
    """1 - x of whole numbers."""
    return whole(-np.ones((1, 1)), x, np.ones(1))


def above(x: Affine, known: BoolArray, relu: Unit) -> Affine:
    """max(0, x), or x itself where that is known to be the same."""
    places = np.flatnonzero(~known)
    if not len(places):
        return x
    source = np.arange(x.entries)
    source[places] = x.entries + np.arange(len(places))
    return picked([x, relu(picked([x], places))], source)
