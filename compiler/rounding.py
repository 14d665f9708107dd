"""Rounding to a checkpoint's floating-point formats: to nearest, ties to even.

Standard library only: what PyTorch computes with, and what a patch writes, is decided here.
A double holds every value of every format below.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Format:
    """A binary format: `precision` bits of significand; a normal number is at least 2^`lowest`."""

    precision: int
    lowest: int
    largest: float


FORMATS = {
    "F64": Format(53, -1022, math.ldexp(2 - 2.0**-52, 1023)),
    "F32": Format(24, -126, math.ldexp(2 - 2.0**-23, 127)),
    "F16": Format(11, -14, 65504.0),
    "BF16": Format(8, -126, math.ldexp(2 - 2.0**-7, 127)),
}
"""The formats Circ computes in, by safetensors' name."""

SPELLED = {"float64": "F64", "float32": "F32", "bfloat16": "BF16", "float16": "F16"}
"""What the language calls each format."""


def nearest(value: Fraction, dtype: str) -> float:
    """The value of the format nearest to `value`; ±inf from half a unit above the largest on."""
    form = FORMATS[dtype]
    exponent = max(floor_log2(abs(value)), form.lowest) if value else form.lowest
    unit = Fraction(2) ** (exponent - form.precision + 1)
    rounded = round(abs(value) / unit) * unit
    size = math.inf if rounded > form.largest else float(rounded)
    return -size if value < 0 else size


def at_least(value: Fraction, dtype: str) -> float:
    """The least value of the format that is not below `value`; inf where there is none."""
    near = nearest(value, dtype)
    if abs(near) == math.inf:
        return near if near > 0 else -FORMATS[dtype].largest
    return near if Fraction(near) >= value else next_above(near, dtype)


def at_most(value: Fraction, dtype: str) -> float:
    """The greatest value of the format that is not above `value`; -inf where there is none."""
    return -at_least(-value, dtype) or 0.0  # and never -0.0


def next_above(value: float, dtype: str) -> float:
    """The next value of the format after a finite one."""
    form = FORMATS[dtype]
    mantissa, exponent = math.frexp(value)
    below_power = mantissa == -0.5  # towards zero the numbers stand closer there
    place = max(exponent - 1 - below_power, form.lowest) if value else form.lowest
    found = value + math.ldexp(1.0, place - form.precision + 1)
    return math.inf if found > form.largest else found


def floor_log2(value: Fraction) -> int:
    """The largest `e` with 2^e <= value, for a positive value."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if Fraction(2) ** guess <= value else guess - 1


def nearest_double(value: float, form: Format) -> float:
    """`nearest` for a finite double, many times faster: scaling by a power of two is exact."""
    if abs(value) > 2 * form.largest:
        return math.copysign(math.inf, value)
    exponent = max(math.frexp(value)[1] - 1, form.lowest) - form.precision + 1
    rounded = math.ldexp(round(math.ldexp(abs(value), -exponent)), exponent)
    return math.copysign(math.inf if rounded > form.largest else rounded, value)


def round_to_dtype(values: Iterable[float], dtype: str) -> array[float]:
    """Each value rounded to the format: what a file of that dtype can hold.

    Raises `OverflowError` naming the first value that is not finite or is beyond the format's
    largest.
    """
    form = FORMATS[dtype]
    rounded = array("d")
    for value in values:
        held = nearest_double(value, form) if math.isfinite(value) else math.inf
        if math.isinf(held):
            raise OverflowError(f"{value!r} does not fit {dtype}")
        rounded.append(held)
    return rounded
