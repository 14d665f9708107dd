"""The lines around smooth units, held to the exact reference's enclosures on intervals of any size."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from math import inf
from typing import get_args

import numpy as np
import pytest

from circ.compiler.boxes.bends import Both, bends
from circ.compiler.boxes.bows import around
from circ.compiler.boxes.curves import DOMAINS, extent, sag, slope, value
from circ.compiler.boxes.net import Curve
from tests.unit.curves import enclosed

CURVES: tuple[Curve, ...] = get_args(Curve)
TWICE: tuple[Both, ...] = get_args(Both)
UNDERFLOW = Fraction(1, 2**700)
every_curve = pytest.mark.parametrize("kind", CURVES)

SIZES = [5e-324, 1e-310, 1e-100, 1e-17, 1e-7, 1e-3, 0.1, 1 / 3, 1.0, 2.0, 3.0, 6.0, 40.0]
TURNS = [1.2007547, 1.2784645, 2.26, 2.2636, 2.265, 2.39, 2.3994, 2.4]
ENDS = sorted([0.0, *SIZES, *TURNS, *(-x for x in SIZES + TURNS), 137.9, -708.0, -1e59, 1e30, 1e59])


def intervals(kind: Curve) -> list[tuple[float, float]]:
    """Intervals in the function's domain: wide ones, neighbours, and around where it bends."""
    least, most = DOMAINS[kind]
    ends = [x for x in [*ENDS, least, most] if least <= x <= most]
    every = [(min(p), max(p)) for p in combinations_with_replacement(sorted(ends), 2)]
    pairs = every[:: 1 + len(every) // 300]
    pairs += [(x, min(float(np.nextafter(x, inf)), most)) for x in ends]
    dice = np.random.default_rng(3)
    for width in (1e-12, 1e-3, 0.5, 4.0, 30.0):
        for middle in dice.normal(0, 4, 6):
            low, high = float(middle - width), float(middle + width)
            if least <= low < high <= most:
                pairs.append((low, high))
    return pairs


def inside(low: float, high: float) -> list[Fraction]:
    """Points of an interval: its ends, those next to them, some between, and where functions turn."""
    a, b = Fraction(low), Fraction(high)
    near = [float(np.nextafter(low, inf)), float(np.nextafter(high, -inf)), 0.0, *TURNS]
    near += [-x for x in TURNS] + [(low / 2 + high / 2), low + 1.0, high - 1.0]
    found = [a, b, *(a + (b - a) * Fraction(k, 12) for k in range(1, 12, 2)), *map(Fraction, near)]
    return [p for p in dict.fromkeys(found) if a <= p <= b]


@every_curve
def test_a_smooth_unit_is_between_its_lines(kind: Curve) -> None:
    """On intervals of any size, no point of the graph is outside of the lines, nor of its bounds."""
    pairs = intervals(kind)
    low, high = (np.array([ends]) for ends in zip(*pairs, strict=True))
    (below, under), (above, over) = around(kind, low, high)
    least, most = extent(kind, low, high)
    for k, (a, b) in enumerate(pairs):
        floats = (below, under, above, over, least, most)
        first, at_first, second, at_second, small, large = (
            Fraction(float(x[0, k])) for x in floats
        )
        for p in inside(a, b):
            y = enclosed(kind, p)
            assert first * p + at_first <= y[0], (a, b, float(p))
            assert second * p + at_second >= y[1], (a, b, float(p))
            assert small <= y[0], (a, b, float(p))
            assert large >= y[1], (a, b, float(p))


@every_curve
def test_lines_are_close_on_narrow_intervals(kind: Curve) -> None:
    """The distance of the lines falls with the square of the interval's width."""
    middle = 0.7
    gaps = list[float]()
    for width in (0.2, 0.02):
        low, high = np.array([[middle - width]]), np.array([[middle + width]])
        (below, under), (above, over) = around(kind, low, high)
        gaps.append(float(((above - below) * middle + over - under)[0, 0]))
    assert 0 < gaps[1] < gaps[0] / 50


@every_curve
def test_values_are_within_what_is_said_of_them(kind: Curve) -> None:
    """A float of a value is within 2^-48 of itself of the function, or is next to nothing."""
    for low, _ in intervals(kind):
        y = enclosed(kind, Fraction(low))
        found = Fraction(float(value(kind, np.array([low]))[0]))
        room = abs(y[0]) / 2**48 + Fraction(1, 2**50 if kind == "gelu" else 2**300)
        assert y[0] - room <= found <= y[1] + room, low


@pytest.mark.parametrize("kind", TWICE)
def test_a_function_is_no_further_from_its_chord_than_is_said(kind: Both) -> None:
    """On cells of any size: above it at most what a second derivative below 0 allows, below it at most
    what one above 0 does, and either way no more than the cell's bound."""
    pairs = [pair for pair in intervals(kind) if pair[0] < pair[1]]
    low, high = (np.array(ends) for ends in zip(*pairs, strict=True))
    bent = bends(kind, low, high)
    for k, (a, b) in enumerate(pairs):
        first, last = enclosed(kind, Fraction(a)), enclosed(kind, Fraction(b))
        width = Fraction(b) - Fraction(a)
        bounds = (
            np.minimum(x[k] * (b - a) ** 2 / 8 * (1 + 2**-40), bent.apart[k])
            for x in (bent.sagging, bent.rising)
        )
        limits = [Fraction(float(np.minimum(x, 1e300))) + UNDERFLOW for x in bounds]
        for p in inside(a, b):
            t = (p - Fraction(a)) / width
            line = (first[0] + t * (last[0] - first[0]), first[1] + t * (last[1] - first[1]))
            y = enclosed(kind, p)
            assert y[0] - line[1] <= limits[0], (a, b, float(p))
            assert line[0] - y[1] <= limits[1], (a, b, float(p))


@every_curve
def test_slopes_are_those_of_the_function(kind: Curve) -> None:
    """The derivative is what a small difference of values says."""
    for x in (0.3, 1.1, 5.0):
        rise = value(kind, np.array([x + 1e-6])) - value(kind, np.array([x - 1e-6]))
        assert slope(kind, np.array([x])) == pytest.approx(rise / 2e-6, rel=1e-5, abs=1e-5)


@every_curve
def test_what_contradicts_itself_has_finite_lines(kind: Curve) -> None:
    """Bounds that no input meets, and numbers outside the domain, give floats and no warning."""
    low, high = np.array([[3.0, 0.5, 1e61]]), np.array([[-2.0, -0.5, -1e61]])
    (below, under), (above, over) = around(kind, low, high)
    assert all(
        np.isfinite(part).all() for part in (below, under, above, over, sag(kind, low, high))
    )
