"""Exact numbers in formats of floats and decimals: as they are, as a quotient, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np

from circ.compiler.export.sought import Unsayable


def is_float(value: Fraction) -> bool:
    """Whether a double is exactly this number."""
    try:
        return Fraction(float(value)) == value
    except OverflowError:
        return False


def quotient(value: Fraction) -> tuple[Fraction, Fraction]:
    """Two doubles whose quotient is the number; raises `Unsayable`."""
    if is_float(value):
        return value, Fraction(1)
    top, bottom = Fraction(value.numerator), Fraction(value.denominator)
    if is_float(top) and is_float(bottom):
        return top, bottom
    raise Unsayable(f"{decimal_or_quotient(value)} is neither a float nor a quotient of two")


def decimal_or_quotient(value: Fraction) -> str:
    """A number in a message."""
    return f"{value.numerator}/{value.denominator}" if len(str(value)) < 40 else f"{float(value)}…"


def in_singles(values: Iterable[float]) -> bool:
    """Whether float32 holds all of these doubles."""
    wide = np.array(list(values), np.float64)
    with np.errstate(over="ignore"):
        return bool((wide.astype(np.float32).astype(np.float64) == wide).all())


def unwritable(value: Fraction) -> int:
    """What a number must be multiplied with, so that a decimal writes it."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest


def decimal(value: Fraction) -> str:
    """A number that a decimal writes, with a point, and without an exponent."""
    context = Context(prec=2 * value.denominator.bit_length() + value.numerator.bit_length() + 8)
    found = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    text = f"{found:f}"
    return text if "." in text else f"{text}.0"
