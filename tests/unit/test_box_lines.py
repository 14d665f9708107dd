"""The lines around units, checked in exact arithmetic on their floats."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement, product
from typing import Literal

import numpy as np
import pytest

from circ.compiler.boxes.lines import Lines, lines, open_units, values
from circ.compiler.boxes.net import FloatArray
from circ.compiler.boxes.split import BELOW

NEXT = float(np.nextafter(1.0, 2.0))
SIZES = [
    5e-324,
    1e-310,
    2.0**-600,
    1e-100,
    1e-17,
    1e-7,
    1e-3,
    0.1,
    1 / 3,
    1.0,
    NEXT,
    3.0,
    1e8,
    1e59,
]
ENDS = sorted([0.0, *SIZES, *(-size for size in SIZES)])
INTERVALS = [*combinations_with_replacement(ENDS, 2)]
FEWER = [pair for k, pair in enumerate(INTERVALS) if k % 13 == 0]


def inside(low: float, high: float) -> list[Fraction]:
    """Points of an interval: its ends, those next to them and to 0, and some between."""
    a, b = Fraction(low), Fraction(high)
    near = [np.nextafter(low, np.inf), np.nextafter(high, -np.inf), 0.0, 5e-324, -5e-324]
    found = [
        a,
        b,
        (a + b) / 2,
        a + (b - a) / 3,
        b - (b - a) / 2**70,
        *map(Fraction, map(float, near)),
    ]
    return [p for p in found if a <= p <= b]


def two_sided(kind: Literal["relu", "step", "linear"], p: Fraction) -> Fraction:
    """The unit's function."""
    match kind:
        case "relu":
            return max(p, Fraction(0))
        case "step":
            return Fraction(p >= 0)
        case "linear":
            return p


def line(slopes: FloatArray, const: float, *p: Fraction) -> Fraction:
    """The value of one line at a pre-activation."""
    terms = [Fraction(float(slope)) * x for slope, x in zip(slopes, p, strict=True)]
    return sum(terms, Fraction(float(const)))


@pytest.mark.parametrize("kind", ["relu", "step", "linear"])
def test_a_unit_of_one_argument_is_between_its_lines(
    kind: Literal["relu", "step", "linear"],
) -> None:
    """On bounds of any size, and on bounds that are neighbours, no point of the graph is outside; and
    the bounds of its value enclose it."""
    low, high = (np.array([ends]) for ends in zip(*INTERVALS, strict=True))
    around, (least, most) = lines(kind, low, high), values(kind, low, high)
    for k, (a, b) in enumerate(INTERVALS):
        for p in inside(a, b):
            y = two_sided(kind, p)
            under = 0.0 if around.flush else around.under[0, k]
            assert line(around.below[0, k : k + 1], under, p) <= y, (a, b, p)
            assert line(around.above[0, k : k + 1], around.over[0, k], p) >= y, (a, b, p)
            assert least[0, k] <= y <= most[0, k]


def test_a_product_is_between_its_planes() -> None:
    """The same for p q on pairs of intervals."""
    pairs = [*product(FEWER, FEWER)]
    low = np.array([[p[0] for p, _ in pairs] + [q[0] for _, q in pairs]])
    high = np.array([[p[1] for p, _ in pairs] + [q[1] for _, q in pairs]])
    around, (least, most) = lines("product", low, high), values("product", low, high)
    many = len(pairs)
    for k, (first, second) in enumerate(pairs):
        for p, q in product(inside(*first)[:4], inside(*second)[:4]):
            assert line(around.below[0, k::many], around.under[0, k], p, q) <= p * q, (p, q)
            assert line(around.above[0, k::many], around.over[0, k], p, q) >= p * q, (p, q)
            assert least[0, k] <= p * q <= most[0, k]


def test_a_shift_is_between_its_planes() -> None:
    """The same for how far a ReLU moves, where only ends or both sides of a kink are possible."""
    pairs = [*product(FEWER, FEWER), *product([(-1.0, 2.0), (0.0, 1.0), (-1.0, 0.0)], INTERVALS)]
    low = np.array([[p[0] for p, _ in pairs] + [d[0] for _, d in pairs]])
    high = np.array([[p[1] for p, _ in pairs] + [d[1] for _, d in pairs]])
    around, (least, most) = lines("shift", low, high), values("shift", low, high)
    many, nothing = len(pairs), Fraction(0)
    for k, (first, second) in enumerate(pairs):
        kinks = [Fraction(end) * -1 for end in second]
        before = [p for p in kinks if first[0] <= p <= first[1]] + inside(*first)[:4]
        for p, d in product(before, inside(*second)[:3]):
            y = max(p + d, nothing) - max(p, nothing)
            assert line(around.below[0, k::many], around.under[0, k], p, d) <= y, (p, d)
            assert line(around.above[0, k::many], around.over[0, k], p, d) >= y, (p, d)
            assert least[0, k] <= y <= most[0, k]


def test_a_shift_of_a_unit_that_is_on_or_off_is_exact() -> None:
    """It is d, or 0: then nothing is left to bound."""
    low, high = np.array([[1.0, -3.0, -1.0, -1.0]]), np.array([[2.0, -1.0, 1.0, 1.0]])
    found = lines("shift", low, high)
    assert found.below.tolist() == found.above.tolist() == [[0, 0, 1, 0]]
    assert not found.under.any()
    assert not found.over.any()
    assert not open_units("shift", low, high).any()
    assert open_units("shift", low - 1, high + 1).all()


@pytest.mark.parametrize("kind", ["relu", "step"])
def test_a_unit_taken_to_be_off_is_0(kind: Literal["relu", "step"]) -> None:
    """With the bound that splitting leaves, both lines are the zero function, whatever lies below."""
    low = np.array([[-1e59, -1.0, -1e-300]])
    off = lines(kind, low, np.full_like(low, BELOW))
    assert is_zero(off)


def is_zero(found: Lines) -> bool:
    """Whether both lines are 0 everywhere."""
    parts = (found.below, found.under, found.above, found.over)
    return not any(part.any() for part in parts)
