"""e^x, √x and 1/x in integers: the bounds hold, and are as close as asked."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.readings.elementary import (
    HALVINGS,
    LARGEST_EXPONENT,
    Undefined,
    exp_bounds,
    log_two,
    recip_bounds,
    series_ceil,
    series_floor,
    sqrt_bounds,
    unhalved,
)

ARGUMENTS = st.fractions(-300, 300, max_denominator=10**9)
BITS = st.integers(1, 300)


def exp(x: Fraction) -> Fraction:
    """e^x by `decimal`, to far more places than are asked for."""
    with localcontext(Context(prec=400, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        return Fraction((Decimal(x.numerator) / x.denominator).exp())


@given(ARGUMENTS, BITS)
def test_exp_is_enclosed(x: Fraction, bits: int) -> None:
    """e^x lies between the bounds, strictly so except at 0, where it is known."""
    low, high = exp_bounds(x.numerator, x.denominator, bits)
    assert low <= exp(x) * 2**bits <= high
    assert (low == high) == (x == 0)


@given(ARGUMENTS, BITS)
def test_exp_is_as_close_as_asked(x: Fraction, bits: int) -> None:
    """The bounds are two units apart at most, or 2^-bits of the value where that is more."""
    low, high = exp_bounds(x.numerator, x.denominator, bits)
    assert high - low <= 2 + (high >> bits)


@given(st.fractions(-6, 6, max_denominator=500), st.integers(1, 12))
def test_exp_needs_no_guard_bits(x: Fraction, bits: int) -> None:
    """Each step rounds outward, so the bounds hold even where nothing hides a wrong rounding."""
    low, high = exp_bounds(x.numerator, x.denominator, bits, guard=0)
    assert low <= exp(x) * 2**bits <= high


@given(st.integers(1, 12), st.data())
def test_series_round_outward(places: int, data: st.DataObject) -> None:
    """At a few places, where each rounding shows, the sums lie on their sides of e^r, the terms
    that are left out included."""
    r = data.draw(st.integers(0, 2**places - 1))
    exact = exp(Fraction(r, 2**places)) * 2**places
    assert series_floor(r, places) <= exact <= series_ceil(r, places)
    assert series_ceil(r, places) - series_floor(r, places) < 4 * places + 8


@given(st.integers(0, 40), st.integers(3, 5))
def test_squaring_rounds_outward(x: int, places: int) -> None:
    """At a few places, the bounds on a power of a number near 1 lie on their sides of it."""
    low, high = unhalved(x, x, places)
    assert low <= Fraction(x, 2**places) ** 2**HALVINGS * 2**places <= high


@given(st.integers(-500, 500), st.integers(1, 10**6), st.integers(0, 60), st.integers(1, 60))
def test_exp_shrinks_with_bits(num: int, den: int, bits: int, more: int) -> None:
    """More bits never widen the enclosure, but for one unit of the coarser rounding."""
    coarse, fine = exp_bounds(num, den, bits), exp_bounds(num, den, bits + more)
    assert coarse[0] << more <= fine[0] + (1 << more) and fine[1] <= coarse[1] + 1 << more
    assert fine[1] - fine[0] <= (coarse[1] - coarse[0]) << more


@pytest.mark.parametrize("x", [10**6, -(10**6), -(10**30), 1 << 20, Fraction(10**40 + 1, 10**34)])
def test_exp_of_large_arguments(x: Fraction | int) -> None:
    """A huge exponent neither explodes nor loses the enclosure: far below 0 the bounds are 0 and 1,
    far above the leading bits and the size are right."""
    low, high = exp_bounds(Fraction(x).numerator, Fraction(x).denominator, 128)
    if x < 0:
        assert (low, high) == (0, 1)
    else:
        assert low < exp(Fraction(x)) * 2**128 < high
        assert (high - low) << 127 < low


def test_exp_refuses_what_would_fill_the_memory() -> None:
    """Beyond the largest exponent there is an error that says so, not a number of a gigabyte."""
    with pytest.raises(Undefined, match="exp: an exponent may be more than 2097152"):
        exp_bounds(LARGEST_EXPONENT + 1, 1, 128)


@pytest.mark.parametrize("places", [1, 7, 64, 160, 1000])
def test_logarithm_of_two(places: int) -> None:
    """ln 2 lies between its bounds, which are a unit or two apart."""
    low, high = log_two(places)
    with localcontext(Context(prec=400)):
        assert low < Fraction(Decimal(2).ln()) * 2**places < high
    assert high - low <= 2


@given(st.fractions(0, 10**6, max_denominator=10**9), BITS)
def test_sqrt_is_enclosed(x: Fraction, bits: int) -> None:
    """The squares of the bounds lie about x, one unit apart, or both at it."""
    low, high = sqrt_bounds(x.numerator, x.denominator, bits)
    assert Fraction(low, 1 << bits) ** 2 <= x <= Fraction(high, 1 << bits) ** 2
    assert high - low == (0 if Fraction(low, 1 << bits) ** 2 == x else 1)


@given(st.fractions(-(10**6), 10**6, max_denominator=10**9).filter(bool), BITS)
def test_recip_is_enclosed(x: Fraction, bits: int) -> None:
    """1/x lies between the bounds, for either sign, one unit apart or both at it."""
    low, high = recip_bounds(x.numerator, x.denominator, bits)
    assert low <= (1 << bits) / x <= high
    assert high - low == (0 if (1 << bits) / x == low else 1)
