"""Bounds on e^x, √x and 1/x at a rational x, in integers alone.

Each function takes x as `num / den` with `den` positive and returns `(low, high)` with
`low <= f(x) * 2^bits <= high`; the two are equal only where the value is a multiple of 2^-bits.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

LARGEST_EXPONENT = 1 << 21
"""e^x is enclosed for x up to here; its integer part then has three million bits."""

GUARD = 32
HALVINGS = 6


class Undefined(Exception):
    """An operand may leave the set where a function is defined: `op` is its name in the IR."""

    def __init__(self, op: str, reason: str) -> None:
        super().__init__(f"{op}: {reason}")
        self.op = op
        self.reason = reason


def floor_shift(x: int, shift: int) -> int:
    """⌊x * 2^shift⌋."""
    return x << shift if shift >= 0 else x >> -shift


def ceil_shift(x: int, shift: int) -> int:
    """⌈x * 2^shift⌉."""
    return -floor_shift(-x, shift)


def ceil_div(x: int, y: int) -> int:
    """⌈x / y⌉ for y of either sign."""
    return -(-x // y)


def recip_bounds(num: int, den: int, bits: int) -> tuple[int, int]:
    """1/x for x other than 0, rounded down and up."""
    return (den << bits) // num, ceil_div(den << bits, num)


def sqrt_bounds(num: int, den: int, bits: int) -> tuple[int, int]:
    """√x for x >= 0, rounded down and up."""
    square = num << (2 * bits)
    low = isqrt(square // den)
    return low, low if low * low * den == square else low + 1


def exp_bounds(num: int, den: int, bits: int, guard: int = GUARD) -> tuple[int, int]:
    """e^x to a relative error of about 2^-bits; an x far below 0 costs nothing: (0, 1).

    Brent and Zimmermann, Modern Computer Arithmetic, §4.4: with x = k ln 2 + r and a small r >= 0,
    e^x = 2^k (e^{r / 2^h})^{2^h}, and a Taylor series of positive terms for the inner power. Every
    step is done twice, rounded down and rounded up. `guard` more bits than asked for are carried, so
    that the bounds are close; they hold without any.
    """
    if num == 0:
        return 1 << bits, 1 << bits
    if num < -(bits + 1) * den:
        return 0, 1
    if num > LARGEST_EXPONENT * den:
        raise Undefined("exp", f"an exponent may be more than {LARGEST_EXPONENT}")
    places = bits + guard
    k, low, high = reduced(num, den, places)
    places += HALVINGS  # r / 2^h, exactly
    low, high = unhalved(series_floor(low, places), series_ceil(high, places), places)
    return floor_shift(low, k + bits - places), ceil_shift(high, k + bits - places)


def unhalved(low: int, high: int, places: int) -> tuple[int, int]:
    """Bounds at 2^-places on x^(2^h), from such bounds on x >= 0."""
    for _ in range(HALVINGS):
        low, high = low * low >> places, ceil_shift(high * high, -places)
    return low, high


def reduced(num: int, den: int, places: int) -> tuple[int, int, int]:
    """k, and bounds at 2^-places on r = x - k ln 2, with 0 <= r < 2 ln 2 (up to rounding)."""
    log_low, log_high = log_two(places)
    low, high = (num << places) // den, ceil_div(num << places, den)
    k = low // log_high
    if low - max(k * log_low, k * log_high) < 0:
        k -= 1
    return k, low - max(k * log_low, k * log_high), high - min(k * log_low, k * log_high)


@lru_cache(maxsize=64)
def log_two(places: int) -> tuple[int, int]:
    """Bounds at 2^-places on ln 2 = 2 (1/3 + 1/(3 * 3^3) + 1/(5 * 3^5) + …)."""
    power = (2 << (places + GUARD)) // 3
    total, terms = 0, 0
    while power:
        total += power // (2 * terms + 1)
        power //= 9
        terms += 1
    # Each term lost less than 2, the powers behind it included; so did the tail left out.
    return total >> GUARD, ((total + 2 * terms + 2) >> GUARD) + 1


def series_floor(r: int, places: int) -> int:
    """At most e^r, for 0 <= r < 1; both at 2^-places."""
    term = total = 1 << places
    number = 1
    while term:
        term = (term * r >> places) // number
        total += term
        number += 1
    return total


def series_ceil(r: int, places: int) -> int:
    """At least e^r, for 0 <= r <= 1; both at 2^-places.

    The terms left out are less than the last one added, each being at most half the one before.
    """
    term = total = 1 << places
    number = 1
    while term > 1:
        term = ceil_div(term * r, number << places)
        total += term
        number += 1
    return total + term
