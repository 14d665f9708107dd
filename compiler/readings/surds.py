"""Sums of rational multiples of square roots, with an exact test for zero.

A number is Σ q_d √d over square-free whole numbers d, with rational q_d. Square roots of different
square-free numbers are linearly independent over the rationals, so that each number has one such
form, and is zero only where it has no part.

Source: A. S. Besicovitch, On the linear independence of fractional powers of integers, Journal of
the London Mathematical Society 15 (1940). Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd, isqrt

LARGEST = 1 << 40
"""What is under a root is taken apart by trial division up to its square root."""


@dataclass(frozen=True, slots=True)
class Surd:
    """Σ q √d over the pairs (d, q): no d twice, each square-free, and no q zero."""

    parts: frozenset[tuple[int, Fraction]] = frozenset()

    @property
    def zero(self) -> bool:
        """Whether it is 0."""
        return not self.parts

    @property
    def rational(self) -> Fraction | None:
        """Its value; None where it is irrational."""
        match [*self.parts]:
            case []:
                return Fraction(0)
            case [(1, q)]:
                return q
            case _:
                return None


def collected(parts: Iterable[tuple[int, Fraction]]) -> Surd:
    """The sum of such multiples, some of them perhaps of the same root."""
    total: dict[int, Fraction] = {}
    for d, q in parts:
        total[d] = total.get(d, Fraction(0)) + q
    return Surd(frozenset((d, q) for d, q in total.items() if q))


def of_rational(q: Fraction) -> Surd:
    """A rational number."""
    return Surd(frozenset({(1, q)}) if q else frozenset())


def product(x: Surd, y: Surd) -> Surd:
    """x y, by √a √b = g √(a b / g²) for the greatest common divisor g of a and b."""
    return collected(
        (a * b // gcd(a, b) ** 2, p * q * gcd(a, b)) for a, p in x.parts for b, q in y.parts
    )


def inverse(x: Surd) -> Surd | None:
    """1/x for a single part: 1/(q √d) = √d / (q d); None for any other."""
    match [*x.parts]:
        case [(d, q)]:
            return Surd(frozenset({(d, 1 / (q * d))}))
        case _:
            return None


def root(x: Fraction) -> Surd | None:
    """√x for x >= 0; None where the number under the root is too large to be taken apart."""
    square = x.numerator * x.denominator
    whole = isqrt(square)
    if whole * whole == square:
        return of_rational(Fraction(whole, x.denominator))
    if square > LARGEST:
        return None
    outside, inside = taken_apart(square)
    return Surd(frozenset({(inside, Fraction(outside, x.denominator))}))


@lru_cache(maxsize=1024)
def taken_apart(n: int) -> tuple[int, int]:
    """k and a square-free d with n = k² d."""
    outside, inside, factor = 1, n, 2
    while factor * factor <= inside:
        while inside % (factor * factor) == 0:
            inside //= factor * factor
            outside *= factor
        factor += 1
    return outside, inside


def bounds(x: Surd, bits: int) -> tuple[int, int]:
    """Bounds on x · 2^bits, each part within one unit."""
    low = high = 0
    for d, q in x.parts:
        scale = (abs(q.numerator) << bits) // q.denominator
        root_low = isqrt(q.numerator**2 * d << (2 * bits)) // q.denominator if d > 1 else scale
        exact = d == 1 and scale * q.denominator == abs(q.numerator) << bits
        root_high = root_low if exact else root_low + 1
        low += root_low if q > 0 else -root_high
        high += root_high if q > 0 else -root_low
    return low, high
