"""Sums of exponentials of algebraic numbers, with an exact test for zero.

A sum is Σ c e^a over different exponents a, with coefficients c. By the theorem of Lindemann and
Weierstrass, in the form that A. Baker gives it (Transcendental Number Theory, 1975, Theorem 1.4), such
powers are linearly independent over the algebraic numbers where the a are algebraic and all
different. Here exponents and coefficients are `Surd`s, which are algebraic, and which are equal only
where they are written alike. So a sum is zero just if no term is left once equal exponents are put
together; and the sign of one that is not zero shows as soon as it is enclosed closely enough.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from circ.compiler.readings import surds
from circ.compiler.readings.elementary import LARGEST_EXPONENT, exp_bounds
from circ.compiler.readings.surds import Surd

CLOSEST = 1 << 13
"""Bits that a sum is enclosed to, at most, to find its sign."""


@dataclass(frozen=True, slots=True)
class ExpSum:
    """Σ c e^a over the pairs (a, c): no exponent twice, no coefficient zero."""

    parts: frozenset[tuple[Surd, Surd]] = frozenset()

    @property
    def zero(self) -> bool:
        """Whether it is 0; the theorem says that this is exact."""
        return not self.parts

    @property
    def algebraic(self) -> Surd | None:
        """Its value where no power but e^0 is left; None elsewhere."""
        match [*self.parts]:
            case []:
                return Surd()
            case [(a, c)] if a.zero:
                return c
            case _:
                return None


def number(q: Fraction) -> ExpSum:
    """A rational number."""
    return constant(surds.of_rational(q))


def constant(c: Surd) -> ExpSum:
    """An algebraic number."""
    return ExpSum() if c.zero else ExpSum(frozenset({(Surd(), c)}))


def power(exponent: Surd) -> ExpSum:
    """e^a."""
    return ExpSum(frozenset({(exponent, surds.of_rational(Fraction(1)))}))


def combined(terms: Iterable[tuple[Fraction, ExpSum]]) -> ExpSum:
    """Σ q x."""
    total: dict[Surd, dict[int, Fraction]] = {}
    for q, x in terms:
        for a, c in x.parts if q else ():
            into = total.setdefault(a, {})
            for d, part in c.parts:
                into[d] = into.get(d, 0) + q * part
    return gathered((a, surds.collected(into.items())) for a, into in total.items())


def product(x: ExpSum, y: ExpSum) -> ExpSum:
    """x y: exponents add."""
    total: dict[Surd, list[tuple[int, Fraction]]] = {}
    for a, c in x.parts:
        for b, d in y.parts:
            exponent = surds.collected((*a.parts, *b.parts))
            total.setdefault(exponent, []).extend(surds.product(c, d).parts)
    return gathered((a, surds.collected(parts)) for a, parts in total.items())


def gathered(terms: Iterable[tuple[Surd, Surd]]) -> ExpSum:
    """The sum of terms of different exponents."""
    return ExpSum(frozenset((a, c) for a, c in terms if not c.zero))


def inverse(x: ExpSum) -> ExpSum | None:
    """1/x of a single term whose coefficient is one; None for any other."""
    match [*x.parts]:
        case [(a, c)]:
            back = surds.inverse(c)
            opposite = Surd(frozenset((d, -q) for d, q in a.parts))
            return None if back is None else ExpSum(frozenset({(opposite, back)}))
        case _:
            return None


def sign(x: ExpSum) -> int | None:
    """-1, 0 or 1; None where it takes more than `CLOSEST` bits to tell."""
    if x.zero:
        return 0
    bits = 64
    while bits <= CLOSEST:
        low, high = enclosure(x, bits)
        if low > 0 or high < 0:
            return 1 if low > 0 else -1
        bits *= 2
    return None


def enclosure(x: ExpSum, bits: int) -> tuple[int, int]:
    """Bounds on x divided by its largest power, at 2^-2 bits."""
    exponents = [(surds.bounds(a, bits), c) for a, c in x.parts]
    top = max(high for (_, high), _ in exponents)
    low = high = 0
    for (first, last), c in exponents:
        least, most = (exp_bounds(a - top, 1 << bits, bits) for a in (first, last))
        (c_low, c_high) = surds.bounds(c, bits)
        low += c_low * (least[0] if c_low > 0 else most[1])
        high += c_high * (most[1] if c_high > 0 else least[0])
    return low, high


def moderate(exponent: Surd) -> bool:
    """Whether e^a is one that the rest of the exact reading works with as well."""
    return surds.bounds(exponent, 0)[1] <= LARGEST_EXPONENT
