"""The engine for boxes of reals: numbers at the ends of the floats, limits, and empty domains."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from circ.compiler.builder import Builder, combine, matmul, number, reindex, stack, times
from circ.compiler.finding import Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import All, Any, Compare, Relu, Select, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.trial import trial
from circ.runtime.engines.boxes import decide
from tests.unit.obligations import box, known, less, obligation, pick, weighted

TINY = Fraction(1, 10**200)
HUGE = Fraction(10) ** 200
THIRD = Fraction(1, 3)
Value = Callable[[Builder, Wire], Wire]


def decided(claim: Obligation, seconds: float = 1.0) -> Finding:
    """What the engine finds."""
    return decide(claim, {}, Limits(timeout=seconds), silent)


def gate(b: Builder, value: Wire) -> Wire:
    """1 where a value is not negative, else 5."""
    told = b.add(Compare("<=", number(b, 0), value))
    return b.add(Select(told, number(b, 1), number(b, 5)))


# --- numbers at the ends of the floats ----------------------------------------------------------


def twice_tiny(b: Builder, x: Wire) -> Wire:
    """A number times 1e-400 in two steps, each of them a float."""
    return combine(b, (TINY, combine(b, (TINY, pick(b, x, 0)))))


def once_tiny(b: Builder, x: Wire) -> Wire:
    """A number times 1e-200."""
    return combine(b, (TINY, pick(b, x, 0)))


def beneath_floats(b: Builder, x: Wire) -> Wire:
    """A number times what is no float."""
    return combine(b, (TINY * TINY, pick(b, x, 0)))


def by_matrix(b: Builder, x: Wire) -> Wire:
    """A number times 1e-400 in two steps, as dot products."""
    return weighted(b, stack(b, [weighted(b, x, TINY)]), TINY)


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (twice_tiny, Fraction(1)),
        (once_tiny, TINY),
        (beneath_floats, Fraction(1)),
        (by_matrix, Fraction(1)),
    ],
)
def test_what_underflows_keeps_its_sign(value: Value, end: Fraction) -> None:
    """A guard on a number beneath the floats is not taken as a guard on 0: a claim that is false for
    negative inputs is not proved."""
    claim = obligation([box("x", (-end, end))], lambda b, w: less(b, gate(b, value(b, w["x"])), 2))
    assert not isinstance(decided(claim), Holds)


def test_what_overflows_is_no_bound() -> None:
    """Weights whose product is no float do not switch a ReLU behind them off."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        x, y, z = (pick(b, w["x"], k) for k in range(3))
        first = b.add(Relu(combine(b, (HUGE, x), (1, y))))
        second = b.add(Relu(combine(b, (HUGE, first), (1, z))))
        return less(b, b.add(Relu(combine(b, (1, second), (1, number(b, -0.5))))), 0.001)

    claim = obligation([box("x", (0, 0), (-TINY, TINY), (-1, 1))], goal)
    assert not isinstance(decided(claim), Holds)


@pytest.mark.parametrize("exponent", [100, 400])
def test_what_is_too_large_is_said_to_be(exponent: int) -> None:
    """Inputs and coefficients that the bounds have no room for leave the claim undecided."""
    end = Fraction(10) ** exponent
    wide = obligation([box("x", (-end, end))], lambda b, w: less(b, pick(b, w["x"], 0), 0))
    assert decided(wide) == Stuck(
        "its numbers are too large for these bounds", decided(wide).method
    )

    if exponent > 308:
        steep = obligation(
            [box("x", (0, 1))], lambda b, w: less(b, combine(b, (end, pick(b, w["x"], 0))), 1)
        )
        assert isinstance(decided(steep), Stuck)


def test_a_constant_may_be_open() -> None:
    """A ReLU of a constant that floats cannot tell from 0 is a unit that reads nothing."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        nearly = combine(b, (1, number(b, THIRD)), (-1, number(b, THIRD + Fraction(1, 2**70))))
        return less(b, combine(b, (1, pick(b, w["x"], 0)), (1, b.add(Relu(nearly)))), 1.5)

    assert isinstance(decided(obligation([box("x", (0, 1))], goal)), Holds)


@pytest.mark.parametrize(("op", "most"), [(All, 1), (Any, 6)])
def test_no_truths_at_all_are_all_true_and_none_of_them_is(op: type[All | Any], most: int) -> None:
    """A choice by `All` of no truths is its first branch, by `Any` its second."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        flags = b.add(Compare("<=", w["x"], known(b, 0.5)))
        told = b.add(op(reindex(b, [flags], (), (0,))))
        return less(b, b.add(Select(told, pick(b, w["x"], 0), number(b, 5))), most)

    claim = obligation([box("x", (0, 1))], goal)
    assert isinstance(decided(claim), Holds)


def test_scalars_are_multiplied() -> None:
    """A product of two scalars, or over an axis of length 0, is one like any other."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        x = pick(b, w["x"], 0)
        none = reindex(b, [w["x"]], (), (0,))
        return less(b, combine(b, (1, times(b, x, x)), (1, matmul(b, none, none))), 5)

    assert isinstance(decided(obligation([box("x", (-2, 2))], goal)), Holds)


# --- decimals and degenerate boxes --------------------------------------------------------------


def test_the_ends_of_a_box_are_not_floats() -> None:
    """x <= 1/3 holds on [0, 1/3] and is not refuted by a float just outside; x < 1/3 fails at 1/3
    itself."""
    for op, expected in (("<=", Holds), ("<", Fails)):
        claim = obligation(
            [box("x", (0, THIRD))],
            lambda b, w, op=op: b.add(Compare(op, pick(b, w["x"], 0), number(b, THIRD))),  # type: ignore[misc]
        )
        found = decided(claim)
        assert isinstance(found, expected)
        if isinstance(found, Fails):
            assert trial(claim, {}, found.witness).refutes
