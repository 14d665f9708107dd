"""Rounding to a checkpoint's formats, held to the hardware's and to its own definition."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.rounding import FORMATS, nearest, nearest_double, round_to_dtype

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def near_format(dtype: str) -> st.SearchStrategy[float]:
    """Doubles around the format's range, many of them halfway between two of its numbers."""
    form = FORMATS[dtype]
    top = math.frexp(form.largest)[1]
    exponents = st.integers(max(form.lowest - form.precision - 3, -1074), min(top, 1023))
    digits = st.integers(-(2 ** (form.precision + 1)), 2 ** (form.precision + 1))
    parts = st.tuples(digits, exponents)
    return parts.map(lambda part: math.ldexp(part[0], part[1] - form.precision - 1))


@pytest.mark.parametrize("dtype", FORMATS)
@given(data=st.data())
def test_a_double_and_the_same_rational_round_alike(data: st.DataObject, dtype: str) -> None:
    """The fast rounding of doubles is the exact one of rationals."""
    value = data.draw(FINITE | near_format(dtype))

    assert nearest_double(value, FORMATS[dtype]) == nearest(Fraction(value), dtype)


@pytest.mark.parametrize(("dtype", "code"), [("F64", "<d"), ("F32", "<f"), ("F16", "<e")])
@given(data=st.data())
def test_rounding_is_the_processors(data: st.DataObject, dtype: str, code: str) -> None:
    """Python packs a double into fewer bits by the same rule: to nearest, ties to even."""
    value = data.draw(FINITE | near_format(dtype))
    rounded = nearest_double(value, FORMATS[dtype])
    try:
        (packed,) = struct.unpack(code, struct.pack(code, value))
    except OverflowError:
        assert math.isinf(rounded)
    else:
        assert rounded == packed


@given(value=near_format("BF16"))
def test_bfloat16_is_the_upper_half_of_a_float32(value: float) -> None:
    """Rounding gives a float32 whose lower 16 bits are clear, at most half a step away."""
    rounded = nearest_double(value, FORMATS["BF16"])
    (bits,) = struct.unpack("<I", struct.pack("<f", rounded))
    step = abs(
        struct.unpack("<f", struct.pack("<I", (bits & 0x7FFFFFFF) + 0x10000))[0] - abs(rounded)
    )

    assert bits & 0xFFFF == 0
    assert math.isinf(rounded) or 2 * abs(Fraction(value) - Fraction(rounded)) <= Fraction(step)


@pytest.mark.parametrize("value", [math.inf, math.nan, 65520.0])
def test_what_does_not_fit_is_refused(value: float) -> None:
    """No infinity is written, and 65520 rounds to one in float16."""
    with pytest.raises(OverflowError, match="does not fit F16"):
        round_to_dtype([1.0, value], "F16")


def test_what_fits_is_rounded() -> None:
    """Ties go to the even neighbour; 65519 is still the largest float16."""
    assert list(round_to_dtype([2049.0, 2051.0, 65519.0, 0.1], "F16")) == [
        2048.0,
        2052.0,
        65504.0,
        0.0999755859375,
    ]
