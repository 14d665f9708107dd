"""The marks of the largest entries of a row, as units: 1 for each that is kept, 0 for the others.

An entry is surely kept where fewer than `count` others are at least as large, and surely not where as many
are larger. Between the two its scores are tied with others, and nothing says which of them are kept: so a
proof holds for every choice.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from circ.compiler.boxes.affine import Affine, Reach, combined, picked, stored
from circ.compiler.boxes.clauses import Beyond

ONE = Fraction(1)

MOST_PAIRS = 1 << 14
"""Most pairs of scores that are compared in one op."""

Step = Callable[[Affine], Affine]
"""1 where an entry is at least 0, else 0."""


def kept(
    scores: Affine, width: int, count: int, step: Step, reach: Callable[[], Reach]
) -> tuple[Affine, Affine]:
    """For each score, a mark that is never above its own, and one that is never below."""
    rows = scores.entries // width
    if rows * width * width > MOST_PAIRS:
        raise Beyond(f"it compares more than {MOST_PAIRS:,} pairs of scores")
    first, second = np.nonzero(~np.eye(width, dtype=np.bool_))
    start = np.arange(rows)[:, None] * width
    mine, other = (start + first).reshape(-1), (start + second).reshape(-1)
    apart = combined([(ONE, picked([scores], other)), (-ONE, picked([scores], mine))], reach())
    above = step(apart)  # the other is at least as large, [rows, width, width - 1]
    place = np.full((width, width), -1)
    place[first, second] = np.arange(len(first))
    back = (np.arange(rows)[:, None] * len(first) + place[second, first]).reshape(-1)
    rivals = summed(above, width - 1, reach())
    below = summed(picked([above], back), width - 1, reach())  # mine is at least as large
    most = stored(np.full(scores.entries, count - 1.0))
    least = stored(np.full(scores.entries, width - 1.0 - count))
    surely = step(combined([(ONE, most), (-ONE, rivals)], reach()))
    never = step(combined([(ONE, least), (-ONE, below)], reach()))
    ones = stored(np.ones(scores.entries))
    return surely, combined([(ONE, ones), (-ONE, never)], reach())


def summed(x: Affine, width: int, reach: Reach) -> Affine:
    """The sum of each run of `width` entries, at least one."""
    runs = [(ONE, picked([x], np.arange(k, x.entries, width))) for k in range(width)]
    return combined(runs, reach)
