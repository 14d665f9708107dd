"""e^x, 1/x, √x and softmax of enclosures: exact where the value is rational, else to 2^-bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import gcd, isqrt, lcm

from circ.compiler.ir import SmoothName
from circ.compiler.readings.elementary import (
    Undefined,
    ceil_div,
    exp_bounds,
    recip_bounds,
    sqrt_bounds,
)
from circ.compiler.readings.intervals import Reals, along, between, rationals

LONGEST = 4096
"""The most bits of a common denominator of exact reciprocals; beyond it they are rounded."""


def smooth(function: SmoothName, x: Reals, bits: int) -> Reals:
    """The function, entrywise; raises `Undefined` where an entry may lie outside its domain."""
    match function:
        case "exp":
            return mapped(exp_bounds, x, bits)
        case "sqrt":
            if min(x.lo, default=0) < 0:
                raise Undefined("sqrt", "an operand may be negative")
            return square_roots(x) or mapped(sqrt_bounds, x, bits)
        case "recip":
            if any(low <= 0 <= high for low, high in zip(x.lo, x.hi, strict=True)):
                raise Undefined("recip", "an operand may be 0")
            return reciprocals(x) or mapped(recip_bounds, Reals(x.shape, x.hi, x.lo, x.den), bits)


Bounds = Callable[[int, int, int], tuple[int, int]]


def mapped(function: Bounds, x: Reals, bits: int) -> Reals:
    """An increasing function, entrywise (a decreasing one where `x` has its bounds swapped)."""
    low = [function(entry, x.den, bits) for entry in x.lo]
    high = low if x.exact else [function(entry, x.den, bits) for entry in x.hi]
    return between(x.shape, [first for first, _ in low], [last for _, last in high], 1 << bits)


def square_roots(x: Reals) -> Reals | None:
    """Exact roots, where every entry is known and the square of a rational."""
    roots: list[Fraction] = []
    for entry in x.lo if x.exact else []:
        square = Fraction(entry, x.den)
        root = Fraction(isqrt(square.numerator), isqrt(square.denominator))
        if root * root != square:
            return None
        roots.append(root)
    return rationals(x.shape, roots) if x.exact else None


def reciprocals(x: Reals) -> Reals | None:
    """Exact reciprocals, where every entry is known and they have a handy common denominator."""
    if not x.exact:
        return None
    common = 1
    for entry in x.lo:
        common = lcm(common, entry // gcd(entry, x.den))
        if common.bit_length() > LONGEST:
            return None
    return rationals(x.shape, (Fraction(x.den, entry) for entry in x.lo))


# --- softmax --------------------------------------------------------------------------------


def softmax(x: Reals, bits: int) -> Reals:
    """e^{x_i} / Σ_j e^{x_j} along the last axis: it rises with x_i and falls with the others.

    So its bounds take x_i at one end and the others at the other. Equal known scores share exactly.
    """
    width = x.shape[-1]
    pairs = [*zip(along(x.lo, x.shape), along(x.hi, x.shape), strict=True)]
    if x.exact and all(min(row) == max(row) for row, _ in pairs):
        return rationals(x.shape, [Fraction(1, width)] * len(x.lo))
    shares = [share for low, high in pairs for share in shares_of(low, high, x.den, bits)]
    return between(x.shape, [low for low, _ in shares], [high for _, high in shares], 1 << bits)


def shares_of(
    low: Sequence[int], high: Sequence[int], den: int, bits: int
) -> list[tuple[int, int]]:
    """Bounds, times 2^bits, on the softmax of one row of scores within these bounds."""
    top = max(high)
    powers = {score: exp_bounds(score - top, den, bits) for score in {*low, *high}}
    least, most = [powers[score][0] for score in low], [powers[score][1] for score in high]
    if len(low) == 1:
        return [(1 << bits, 1 << bits)]
    all_least, all_most = sum(least), sum(most)
    return [
        ((a << bits) // (a + all_most - b), ceil_div(b << bits, b + all_least - a))
        for a, b in zip(least, most, strict=True)
    ]
