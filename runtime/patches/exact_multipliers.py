"""Multipliers of a contradiction, from those of a solver: as whole numbers, first exact and then as near as they come.

The parts of a contradiction of which none can be left out have one combination that no change moves, but for a factor. It is
found by refinement: what the multipliers so far leave is computed in whole numbers, and floats correct it (Wilkinson, *Rounding
Errors in Algebraic Processes*, 1963); where the exact ones are ratios of small numbers, they are read off (Wan, J. Symbolic
Computation 41, 2006). What is found is not trusted: `bound.py` computes what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm
from operator import mul

import numpy as np

from circ.compiler.readings.gradients import Affine
from circ.runtime.convex import Floats
from circ.runtime.patches.bound import Free

BITS = 1024
"""Bits behind the point of a refined multiplier, the largest of which is 1."""

RATIO = 480
"""Bits of the denominators that are read off: less than half, so that what is read off is the only such number that near."""

GAINED = 8
"""Bits by which a step must bring the rest down, at the least."""

MOST = 200_000
"""Slopes of parts beyond which nothing is refined."""


def candidates(parts: Sequence[Affine], free: Free, factors: Floats) -> Iterator[Sequence[int]]:
    """Whole multipliers of these parts, each list another attempt; `factors` are all above 0."""
    given = [Fraction(factor) for factor in factors.tolist()]
    yield whole(given)
    below = [lcm(*(row.den for row in part.slopes.values())) for part in parts]
    rows = slopes_of(parts, below, free)
    if len(rows) > 1 and 0 < len(rows) * len(rows[0]) <= MOST:
        level, shifts = levelled(rows)
        scales = [den << shift for den, shift in zip(below, shifts, strict=True)]
        start = [factor / scale for factor, scale in zip(given, scales, strict=True)]
        found = refined(level, whole(start))
        for each in (read_off(found), found):
            if each and min(each) > 0:
                yield [factor * scale for factor, scale in zip(each, scales, strict=True)]


def whole(factors: Sequence[Fraction]) -> list[int]:
    """Multiples of 2^-BITS, the largest of which is 1."""
    largest = max(factors)
    return [int(factor / largest * 2**BITS) for factor in factors]


def slopes_of(parts: Sequence[Affine], below: Sequence[int], free: Free) -> list[list[int]]:
    """[parts, entries]: twice the middles of the slopes over these denominators, by those entries that may change and that any part rests on."""
    known = [
        {
            (key, place): (low + row.hi[place]) * (den // row.den)
            for key, row in part.slopes.items()
            for place, low in row.lo.items()
            if place in free[key]
        }
        for part, den in zip(parts, below, strict=True)
    ]
    entries = dict.fromkeys(entry for row in known for entry in row)
    return [[row.get(entry, 0) for entry in entries] for row in known]


def levelled(rows: Sequence[Sequence[int]]) -> tuple[list[list[int]], list[int]]:
    """The same times powers of two, so that their largest entries are alike; and which powers."""
    sizes = [max(abs(x).bit_length() for x in row) for row in rows]
    shifts = [max(sizes) - size for size in sizes]
    return [[x << s for x in row] for row, s in zip(rows, shifts, strict=True)], shifts


def refined(rows: Sequence[Sequence[int]], factors: Sequence[int]) -> list[int]:
    """Multipliers with which the rows add up to next to nothing, near those that are given."""
    top = max(abs(x).bit_length() for row in rows for x in row)
    others = [k for k in range(len(rows)) if k != factors.index(max(factors))]
    inverse = np.linalg.pinv(np.array([scaled(rows[k], top) for k in others]).T)
    found, before = [*factors], None
    while True:
        rest = [sum(map(mul, found, column)) for column in zip(*rows, strict=True)]
        size = max(abs(x).bit_length() for x in rest)
        if size == 0 or (before is not None and size > before - GAINED):
            return found
        before = size
        unit = Fraction(2) ** (size - top)
        for k, step in zip(others, (inverse @ np.array(scaled(rest, size))).tolist(), strict=True):
            found[k] -= round(Fraction(step) * unit)


def scaled(row: Sequence[int], bits: int) -> list[float]:
    """A row over 2^bits, as floats."""
    return [x / (1 << bits) for x in row]


def read_off(factors: Sequence[int]) -> list[int]:
    """The ratios of small whole numbers that these are next to, over one denominator; nothing where that is large."""
    largest = max(factors)
    ratios = [Fraction(factor, largest).limit_denominator(1 << RATIO) for factor in factors]
    below = lcm(*(ratio.denominator for ratio in ratios))
    return [int(ratio * below) for ratio in ratios] if below.bit_length() <= RATIO else []
