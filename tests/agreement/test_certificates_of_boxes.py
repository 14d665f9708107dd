"""A certificate about a box proves its claim to both ways of auditing; changed, it does not, or still does."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from io import BytesIO
from math import prod
from random import Random
from time import monotonic

import pytest

from circ.compiler.audit.audit import audited
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.parts import windows
from circ.compiler.audit.parts.windows import Place, Windows
from circ.compiler.audit.rejected import Rejected
from circ.compiler.builder import Builder, combine, either, largest, matmul, number, times
from circ.compiler.finding import Fails, Limits, silent
from circ.compiler.ir import Compare, Relu, Select, Weight, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.certificates.opening import opening
from circ.runtime.certificates.parts import write_by_parts
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.engines import boxes
from tests.agreement.certified import stamped
from tests.agreement.corruption import Records, joined, proves_nothing, records, rejected
from tests.unit.obligations import box, less, obligation, pick

HARMLESS = frozenset({"tool", "x", "steps", "bounds", "shut", "cut", "input", "unit"})
"""Where a change may leave a proof: other multipliers with which a sum is above zero as well, bounds taken
anew where none were needed, or not where they were not, a box split or cut elsewhere, another input that
meets the conditions."""

Goal = Callable[[Builder, Wire, Wire], Wire]
"""A number made of an input and of what a net makes of it, which is claimed to be small."""


def net(seed: int) -> Weights:
    """Two layers of five units, the weights all multiples of 1/16."""
    chance = Random(seed)

    def tensor(*shape: int) -> Tensor:
        values = [chance.randint(-24, 24) / 16 for _ in range(prod(shape))]
        return Tensor(shape, "F32", array("d", values))

    shapes = {"first": (5, 2), "bias": (5,), "second": (5, 5), "last": (2, 5)}
    return {key: tensor(*shape) for key, shape in shapes.items()}


def outputs(b: Builder, x: Wire, weights: Weights) -> Wire:
    """What the net makes of an input."""
    own = {key: b.add(Weight(key, tensor.shape)) for key, tensor in weights.items()}
    hidden = b.add(Relu(combine(b, (1, matmul(b, own["first"], x)), (1, own["bias"]))))
    return matmul(b, own["last"], b.add(Relu(matmul(b, own["second"], hidden))))


def first(b: Builder, _x: Wire, y: Wire) -> Wire:
    """One output."""
    return pick(b, y, 0)


def top(b: Builder, _x: Wire, y: Wire) -> Wire:
    """The larger of both."""
    return largest(b, y)


def guarded(b: Builder, x: Wire, y: Wire) -> Wire:
    """One or the other, as the input says."""
    return b.add(Select(less(b, pick(b, x, 0), Fraction(1, 8)), pick(b, y, 0), pick(b, y, 1)))


def multiplied(b: Builder, x: Wire, y: Wire) -> Wire:
    """An output times an input."""
    return times(b, pick(b, x, 1), pick(b, y, 0))


GOALS = (first, top, guarded, multiplied)


def claim(goal: Goal, weights: Weights, most: Fraction) -> Obligation:
    """That the number is at most so much, on a square without a corner."""

    def holds(b: Builder, wires: dict[str, Wire]) -> Wire:
        found = goal(b, wires["x"], outputs(b, wires["x"], weights))
        return b.add(Compare("<=", found, number(b, most)))

    def where(b: Builder, wires: dict[str, Wire]) -> Wire:
        both = combine(b, (1, pick(b, wires["x"], 0)), (1, pick(b, wires["x"], 1)))
        return less(b, both, 1)

    return obligation([box("x", (-1, 1), (-1, 1))], holds, where)


def bounds(goal: Goal, weights: Weights) -> tuple[Fraction, Fraction]:
    """A number that the goal is at most, by a little, and one that it is not."""
    low, high = Fraction(-64), Fraction(64)
    while high - low > Fraction(1, 4):
        middle = (low + high) / 2
        found = boxes.decide(claim(goal, weights, middle), weights, Limits(20), silent)
        low, high = (middle, high) if isinstance(found, Fails) else (low, middle)
    return high + Fraction(1, 32), low


def accepted(about: Obligation, weights: Weights, data: bytes, *, exact: bool) -> bool:
    """Whether an audit says that a certificate holds."""
    try:
        audited(about, weights, BytesIO(data), None if exact else QUICK)
    except Rejected:
        return False
    return True


def written(about: Obligation, weights: Weights) -> Records:
    """The certificate of a claim."""
    stream = BytesIO()
    write_by_parts(about, weights, monotonic() + 60, stream)
    return records(stream.getvalue())


@pytest.mark.parametrize("most", [16, 1 << 12])
def test_doubles_show_what_was_written(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No part of a certificate is left to whole numbers, however many lines are read at a time."""
    weights = net(1)
    true = claim(guarded, weights, bounds(guarded, weights)[0])
    lines = written(true, weights)
    assert len(lines) > 20

    def never(_windows: Windows, _place: Place) -> None:
        raise AssertionError("a part is checked in whole numbers")

    monkeypatch.setattr(Windows, "exactly", never)
    monkeypatch.setattr(windows, "WINDOW", most)
    assert accepted(true, weights, joined(lines), exact=False)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.__name__)
def test_what_is_written_proves_what_is_true(goal: Goal) -> None:
    """The certificate of a claim that holds by a little is accepted, exactly and in doubles; that of one
    that does not hold is not written, and the other's lines do not prove it."""
    for seed in range(2):
        weights = net(seed)
        true, false = (claim(goal, weights, most) for most in bounds(goal, weights))
        lines = written(true, weights)
        for exact in (False, True):
            assert accepted(true, weights, joined(lines), exact=exact)
            assert not accepted(false, weights, joined(lines), exact=exact)
            assert not accepted(false, weights, joined(stamped(lines, false, weights)), exact=exact)
        with pytest.raises(NoCertificate):
            written(false, weights)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.__name__)
def test_a_change_leaves_a_proof_or_is_rejected(goal: Goal) -> None:
    """Any one change of a certificate is rejected, or leaves a proof: it is then in a field of which
    many values will do, and doubles take it as well."""
    weights = net(12)
    true = claim(goal, weights, bounds(goal, weights)[0])
    lines = written(true, weights)
    assert rejected(lines, 120, partial(accepted, true, weights), HARMLESS) > 60


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.__name__)
def test_no_change_proves_what_is_false(goal: Goal) -> None:
    """The lines of a true claim, made to be about a false one, prove nothing after any change."""
    weights = net(11)
    true, false = (claim(goal, weights, most) for most in bounds(goal, weights))
    lines = stamped(written(true, weights), false, weights)
    proves_nothing(lines, 120, partial(accepted, false, weights))


def test_a_sum_of_nothing_is_not_above_zero() -> None:
    """x > 0 or relu(y) >= m holds on a box where x >= 0 if m is 0, which the second alone shows: it is not
    below 0. If m is 1 it fails at 0, and that x >= 0 does not show it, with however little of y added."""

    def about(least: int) -> Obligation:
        def above(b: Builder, wires: dict[str, Wire]) -> Wire:
            zero, m, x, y = (
                *(number(b, Fraction(k)) for k in (0, least)),
                *(pick(b, wires["x"], k) for k in range(2)),
            )
            positive = b.add(Compare("<", zero, x))
            return either(b, positive, b.add(Compare("<=", m, b.add(Relu(y)))))

        return obligation([box("x", (0, 1), (-1, 1))], above)

    def shown(least: int, factors: Sequence[float], *, exact: bool) -> bool:
        claim = about(least)
        head = opening(claim, {}, "parts") | {"parts": 1, "met": {"x": ["0", "0"]}}
        line: dict[str, object] = {"steps": [{"shut": [0, factors, []]}]}
        return accepted(claim, {}, joined([head, line]), exact=exact)

    for exact in (False, True):
        assert shown(0, (0, 1), exact=exact)
        for much in (1, 2.0**-10, 2.0**-30, 2.0**-60, 2.0**-1000, 0):
            assert not shown(1, (1, much), exact=exact)


def test_a_cut_that_leaves_nothing_shows_a_part() -> None:
    """A cut by what is above 0 everywhere leaves no input, also where no end of the box is moved; one by what may be
    0 leaves that input."""
    for least in (Fraction(1, 4), Fraction(0)):

        def above(b: Builder, wires: dict[str, Wire], least: Fraction = least) -> Wire:
            return b.add(Compare("<", number(b, -least), b.add(Relu(pick(b, wires["x"], 0)))))

        about = obligation([box("x", (-1, 1))], above)
        head = opening(about, {}, "parts") | {"parts": 1, "met": {"x": ["0"]}}
        lines: Records = [head, {"steps": [{"cut": [0, [1], []]}]}]
        for exact in (False, True):
            assert accepted(about, {}, joined(lines), exact=exact) == (least > 0)


def test_what_inputs_alone_show_needs_no_search() -> None:
    """x <= 2 where x is at most 1 has a certificate of a single part, with nothing to show on it."""
    claim = obligation([box("x", (-1, 1))], lambda b, wires: less(b, pick(b, wires["x"], 0), 2))
    lines = written(claim, {})
    assert lines[1:] == [{"steps": []}]
    assert all(accepted(claim, {}, joined(lines), exact=exact) for exact in (False, True))


def test_nothing_may_be_left_out() -> None:
    """Without one of its lines a certificate is rejected, and with a line twice; so it is for another net."""
    weights = net(2)
    true = claim(top, weights, bounds(top, weights)[0])
    lines = written(true, weights)
    assert len(lines) > 3
    for k in range(len(lines)):
        for others in (lines[:k] + lines[k + 1 :], lines[: k + 1] + lines[k:]):
            for exact in (False, True):
                assert not accepted(true, weights, joined(others), exact=exact)
    assert not accepted(true, net(3), joined(lines), exact=False)
