"""A direction that is kept between two bounds, as hidden units: one for what is too much, one for what is too little."""

from __future__ import annotations

from fractions import Fraction

from circ.compiler.linear_forms import Linear
from circ.compiler.obligation import Box
from circ.compiler.units.affine import at, extent, plus, scaled
from circ.compiler.units.hidden import HiddenUnits, Vector


def clamping(direction: Vector, low: Fraction, high: Fraction, box: Box) -> HiddenUnits:
    """What takes the coefficient c = v·x / v·v of x to the nearest number from `low` to `high`.

    It is (low - c) v where c is below, (high - c) v where it is above, and 0 between them: v relu(low - c) - v relu(c - high).
    Units that are shut on all of the box are left out.
    """
    square = sum(x * x for x in direction)
    share = Linear({k: x / square for k, x in enumerate(direction) if x}, Fraction(0))
    lacking, beyond = plus(scaled(Fraction(-1), share), low), plus(share, -high)
    each = ((lacking, direction), (beyond, tuple(-x for x in direction)))
    used = [(row, column) for row, column in each if extent(row, box)[1] > 0]
    return HiddenUnits(
        rows=tuple(tuple(at(row, k) for k in range(len(box))) for row, _ in used),
        biases=tuple(row.constant for row, _ in used),
        columns=tuple(column for _, column in used),
        constant=(Fraction(0),) * len(direction),
    )
