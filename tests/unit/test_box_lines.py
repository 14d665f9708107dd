"""The lines around units, checked in exact arithmetic on their floats."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement, product
from typing import Literal

import numpy as np
import pytest

from circ.compiler.boxes.lines import Lines, gaps, lines, open_units, values
from circ.compiler.boxes.net import FloatArray, Kind
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


FIT: list[tuple[Kind, tuple[float, float], list[float]]] = [
    ("linear", (-1, 2), [1, 0, 1, 0]),
    ("relu", (-1, 2), [1, 0, 2 / 3, 2 / 3]),
    ("relu", (-2, 1), [0, 0, 1 / 3, 2 / 3]),
    ("relu", (-1, 1), [0, 0, 1 / 2, 1 / 2]),
    ("relu", (0, 2), [1, 0, 1, 0]),
    ("relu", (1, 2), [1, 0, 1, 0]),
    ("relu", (-2, 0), [0, 0, 0, 0]),
    ("step", (-1, 2), [1 / 2, 0, 0, 1]),
    ("step", (-2, 1), [0, 0, 1 / 2, 1]),
    ("step", (-1, 1), [1, 0, 1, 1]),
    ("step", (0, 2), [0, 1, 0, 1]),
    ("step", (-2, 0), [0, 0, 1 / 2, 1]),
    ("step", (-2, -1), [0, 0, 0, 0]),
]


@pytest.mark.parametrize(("kind", "ends", "wanted"), FIT)
def test_lines_are_as_close_as_they_can_be(
    kind: Kind, ends: tuple[float, float], wanted: list[float]
) -> None:
    """Below, the line that leaves less; above, the chord: slopes and constants are the known ones."""
    low, high = np.array([[float(ends[0])]]), np.array([[float(ends[1])]])
    found = lines(kind, low, high)
    parts = (found.below, found.under, found.above, found.over)
    assert [float(part[0, 0]) for part in parts] == pytest.approx(wanted, abs=1e-12)


PLANED: list[tuple[Kind, tuple[float, float], tuple[float, float]]] = [
    *(("product", p, q) for p, q in product([(-1, 2), (1, 2), (-3, -2), (0, 1)], repeat=2)),
    *(("shift", p, d) for p, d in product([(-1, 2), (1, 2), (-3, -2), (-2, 1)], repeat=2)),
    *(("relu", p, p) for p in [(-1.0, 2.0), (-2.0, 1.0), (1.0, 2.0), (-2.0, -1.0)]),
    *(("step", p, p) for p in [(-1.0, 2.0), (-2.0, 1.0), (1.0, 2.0), (-2.0, -1.0), (-2.0, 0.0)]),
]


@pytest.mark.parametrize(("kind", "first", "second"), PLANED)
def test_no_line_is_further_off_than_is_said(
    kind: Kind, first: tuple[float, float], second: tuple[float, float]
) -> None:
    """At no point of the bounds is a line further from its unit than its gap, a product's plane in the
    middle; of a ReLU and of a product, it is as far somewhere."""
    pair = kind in ("product", "shift")
    low, high = (
        np.array([[float(p), float(q)][: 1 + pair]]) for p, q in zip(first, second, strict=True)
    )
    found, (below, above) = lines(kind, low, high), gaps(kind, low, high)
    p, q = (np.linspace(*ends, 121).tolist() for ends in (first, second))
    if kind == "product":
        p, q = p[60:61], q[60:61]
    points = [(x, y) for x in p for y in (q if pair else p[:1])]
    least, most = list[float](), list[float]()
    for x, y in points:
        value = valued(kind, x, y)
        at = np.array([x, y][: 1 + pair])
        under = 0.0 if found.flush else found.under[0, 0]
        least.append(value - float(found.below[0] @ at + under))
        most.append(float(found.above[0] @ at + found.over[0, 0]) - value)
    assert max(least) <= below[0, 0] + 1e-9
    assert max(most) <= above[0, 0] + 1e-9
    if kind in ("relu", "product"):
        assert (max(least), max(most)) == pytest.approx((below[0, 0], above[0, 0]), abs=0.02)


def valued(kind: Kind, p: float, q: float) -> float:
    """What a unit is of two numbers."""
    match kind:
        case "product":
            return p * q
        case "shift":
            return max(p + q, 0.0) - max(p, 0.0)
        case "relu":
            return max(p, 0.0)
        case _:
            return float(p >= 0)


@pytest.mark.parametrize("kind", ["relu", "step"])
def test_a_unit_taken_to_be_off_is_0(kind: Literal["relu", "step"]) -> None:
    """With the bound that splitting leaves, both lines are the zero function, whatever lies below."""
    low = np.array([[-1e59, -1.0, -1e-300]])
    off = lines(kind, low, np.full_like(low, BELOW))
    assert is_zero(off)


VALUES: list[tuple[Kind, list[tuple[float, float]], tuple[float, float]]] = [
    ("linear", [(-1, 2)], (-1, 2)),
    ("relu", [(-1, 2)], (0, 2)),
    ("relu", [(-2, -1)], (0, 0)),
    ("step", [(-1, 0)], (0, 1)),
    ("step", [(-2, -1)], (0, 0)),
    ("step", [(0, 1)], (1, 1)),
    ("product", [(-1, 2), (-3, 5)], (-6, 10)),
    ("product", [(2, 3), (-5, -4)], (-15, -8)),
    ("shift", [(1, 2), (-0.5, 0.25)], (-0.5, 0.25)),
    ("shift", [(-2, -1), (-0.5, 0.25)], (0, 0)),
    ("shift", [(-1, 1), (-0.5, 0.25)], (-0.5, 0.25)),
    ("shift", [(-1, 1), (0.125, 0.25)], (0, 0.25)),
    ("shift", [(-1, 1), (-0.5, -0.25)], (-0.5, 0)),
]


@pytest.mark.parametrize(("kind", "ends", "wanted"), VALUES)
def test_values_are_bounded_by_what_they_can_be(
    kind: Kind, ends: list[tuple[float, float]], wanted: tuple[float, float]
) -> None:
    """No less tightly than rounding makes it."""
    low, high = (np.array([[float(end) for end in side]]) for side in zip(*ends, strict=True))
    found = values(kind, low, high)
    assert [float(part[0, 0]) for part in found] == pytest.approx(wanted, abs=1e-12)


OPEN: list[tuple[Kind, list[tuple[float, float]], bool]] = [
    ("relu", [(-1, 2)], True),
    ("relu", [(0, 2)], False),
    ("relu", [(-2, 0)], False),
    ("step", [(-1, 2)], True),
    ("step", [(0, 2)], False),
    ("step", [(-2, 0)], True),
    ("step", [(-2, -1)], False),
    ("linear", [(-1, 2)], False),
    ("product", [(-1, 2), (1, 1)], False),
    ("product", [(1, 1), (-1, 2)], False),
    ("product", [(1, 2), (-1, 2)], True),
    ("exp", [(1, 2)], True),
    ("exp", [(1, 1)], False),
]


@pytest.mark.parametrize(("kind", "ends", "told"), OPEN)
def test_only_what_can_be_better_is_bounded_anew(
    kind: Kind, ends: list[tuple[float, float]], told: bool
) -> None:
    """Units whose kink is inside, products of two that are not known, curves of what is not known."""
    low, high = (np.array([[float(end) for end in side]]) for side in zip(*ends, strict=True))
    assert open_units(kind, low, high).tolist() == [[told] * len(ends)]


def is_zero(found: Lines) -> bool:
    """Whether both lines are 0 everywhere."""
    parts = (found.below, found.under, found.above, found.over)
    return not any(part.any() for part in parts)
