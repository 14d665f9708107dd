"""Two lines about each unit, in whole numbers: one nowhere above it, and one nowhere below.

Slopes and constants are multiples of 2^-60. Whatever whole numbers the slopes are, the constants
are such that the lines hold at the ends of what the unit is of, and so in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from circ.compiler.audit.parts.layers import VALUE, WEIGHT, Layer

WHOLE = 1 << WEIGHT
"""A slope of 1."""

LEANING = 1 + (1 << 20)
"""Where two lines are as good, the first one is taken, even if numbers are off by 2^-20 of them: so that
rounding seldom makes other lines of the same proof."""

STEEPEST = 1 << VALUE - 20
"""A step is taken to be steep only where it is not undecided over less than 2^-20."""


@dataclass(frozen=True, slots=True)
class Line:
    """Σ slopes · what the unit is of, + `const`."""

    slopes: tuple[int, ...]
    const: int


@dataclass(frozen=True, slots=True)
class Between:
    """The unit is at least `below`, at most `above`, and at least `least`, which is not above 0."""

    below: Line
    above: Line
    least: int = 0


NONE = Line((0,), 0)
SAME = Line((WHOLE,), 0)
OFF = Between(NONE, NONE)
ON = Between(SAME, SAME)
ONE = Between(Line((0,), WHOLE), Line((0,), WHOLE))


def lines_in(
    layer: Layer, low: Sequence[int], high: Sequence[int], phases: Mapping[int, int]
) -> list[Between]:
    """Those of a layer's units, which are of rows from `low` to `high`.

    `phases` has the side of 0 of those that are taken to be on one: what bounds say of these does not
    matter. They may come to 0 from both sides.
    """
    found = [*lines_by(layer, low, high)]
    on = ON if layer.kind == "relu" else ONE
    for place, side in phases.items():
        found[place] = on if side > 0 else OFF
    return found


def lines_by(layer: Layer, low: Sequence[int], high: Sequence[int]) -> Iterator[Between]:
    """Those that bounds alone tell."""
    match layer.kind:
        case "linear":
            return (Between(SAME, SAME, min(begin, 0)) for begin in low)
        case "relu":
            return map(relu_lines, low, high)
        case "step":
            return map(step_lines, low, high)
        case "product":
            half = layer.units
            return map(product_lines, low[:half], high[:half], low[half:], high[half:])
        case _:
            assert_never(layer.kind)


def relu_lines(low: int, high: int) -> Between:
    """Below, all or nothing; above, the chord."""
    if low >= 0:
        return ON
    if high <= 0:
        return OFF
    slope = (high << WEIGHT) // (high - low)
    end = max(-slope * low, (WHOLE - slope) * high)
    below = NONE if high << 20 <= -low * LEANING else SAME
    return Between(below, Line((slope,), -(-end >> VALUE)))


def step_lines(low: int, high: int) -> Between:
    """Below, from (0, 0) to (high, 1); above, from (low, 0) to (0, 1)."""
    if low >= 0:
        return ONE
    if high < 0:
        return OFF
    rising = (1 << VALUE + WEIGHT) // high if high > STEEPEST else 0
    falling = (1 << VALUE + WEIGHT) // -low if -low > STEEPEST else 0
    start = min(0, WHOLE + (-rising * high >> VALUE))
    end = max(WHOLE, -(falling * low >> VALUE))
    return Between(Line((rising,), start), Line((falling,), end))


def product_lines(a: int, b: int, c: int, d: int) -> Between:
    """McCormick's planes (1976): of two the one that touches nearer to zero."""
    corners = [(x, y) for x in (a, b) for y in (c, d)]
    least = min(0, *(x * y >> VALUE for x, y in corners))
    slopes = plane(a, b, c, d), plane(a, b, d, c)
    over, under = (
        [(x * y << WEIGHT) - (p * x + q * y << VALUE) for x, y in corners] for p, q in slopes
    )
    below = Line(slopes[0], min(over) >> 2 * VALUE)
    return Between(below, Line(slopes[1], -(-max(under) >> 2 * VALUE)), least)


def plane(a: int, b: int, near: int, far: int) -> tuple[int, int]:
    """The slopes of a plane through the corner (a, near) or (b, far) of x · y: those of x and of y."""
    size = max(abs(a), abs(near)), max(abs(b), abs(far))
    p, q = (near, a) if size[0] << 20 <= size[1] * LEANING else (far, b)
    return p >> VALUE - WEIGHT, q >> VALUE - WEIGHT
