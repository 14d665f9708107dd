"""Bounds of a domain are short fractions, and still contain it."""

from __future__ import annotations

from fractions import Fraction

from circ.compiler.bounding import KEPT_BITS, Bounds, outward, tighten
from circ.compiler.linear_forms import Linear

LONG = Fraction(3**200, 7**200)


def test_a_long_bound_is_rounded_outwards_and_hardly() -> None:
    """Up for an upper bound and down for a lower one, by less than one part in 2^100; short ones stay."""
    for exact in (LONG, -LONG, 1 / LONG, LONG**3):
        low, high = outward(exact, upwards=False), outward(exact, upwards=True)
        assert low < exact < high
        assert high - low <= abs(exact) / 2**100
    assert outward(Fraction(1, 3), upwards=True) == Fraction(1, 3)


def test_tightening_keeps_every_input() -> None:
    """`x <= a` and `x >= a` for a long fraction a leave a itself in the box, at both ends."""
    bounds: Bounds = [(None, None)]
    tighten(bounds, Linear({0: Fraction(1)}, -LONG))
    tighten(bounds, Linear({0: Fraction(-1)}, LONG))
    ((low, high),) = bounds
    assert low is not None
    assert high is not None
    assert low < LONG < high
    assert high.denominator.bit_length() <= 3 * KEPT_BITS
