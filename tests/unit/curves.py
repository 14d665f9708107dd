"""Smooth functions at rationals, enclosed by the exact reference's integers."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from circ.compiler.boxes.curves import MU
from circ.compiler.boxes.net import Curve
from circ.compiler.readings.elementary import exp_bounds, recip_bounds, sqrt_bounds

BITS = 560
ONE = 1 << BITS


def number(pair: tuple[int, int]) -> tuple[Fraction, Fraction]:
    """Bounds as rationals."""
    return Fraction(pair[0], ONE), Fraction(pair[1], ONE)


def power(x: Fraction) -> tuple[Fraction, Fraction]:
    """e^x."""
    return number(exp_bounds(x.numerator, x.denominator, BITS))


def logistic(x: Fraction) -> tuple[Fraction, Fraction]:
    """1 / (1 + e^-x)."""
    low, high = power(-abs(x))
    at_least, at_most = 1 / (1 + high), 1 / (1 + low)
    return (at_least, at_most) if x >= 0 else (1 - at_most, 1 - at_least)


@lru_cache(maxsize=1 << 14)
def enclosed(kind: Curve, x: Fraction) -> tuple[Fraction, Fraction]:
    """The function at a rational, as the exact reference encloses it."""
    match kind:
        case "exp":
            return power(x)
        case "recip":
            return number(recip_bounds(x.numerator, x.denominator, BITS))
        case "sqrt":
            return number(sqrt_bounds(x.numerator, x.denominator, BITS))
        case "rsqrt":
            low, high = number(sqrt_bounds(x.denominator, x.numerator, BITS))
            return low, high
        case "square":
            return x * x, x * x
        case "sigmoid":
            return logistic(x)
        case "cube":
            return x**3, x**3
        case "swish" | "gelu":
            low, high = logistic(x if kind == "swish" else x + Fraction(MU) * x**3)
            return min(x * low, x * high), max(x * low, x * high)
