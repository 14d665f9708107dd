"""Certificates about boxes that are made to mislead: what no number of a proof may lead to."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from circ.compiler.audit.parts import layers
from circ.compiler.audit.parts.layers import net_of
from circ.compiler.audit.parts.nodes import node_of
from circ.compiler.audit.parts.reading import claim_of
from circ.compiler.audit.rejected import Rejected
from circ.compiler.builder import Builder, combine, largest, number, stack
from circ.compiler.ir import All, Compare, Relu, Wire
from circ.compiler.obligation import Obligation
from circ.runtime.certificates.opening import opening
from tests.agreement.corruption import joined
from tests.agreement.test_certificates_of_boxes import accepted
from tests.unit.obligations import box, known, less, obligation, pick

Line = dict[str, object]


def shown(claim: Obligation, lines: list[Line], leaves: int = 1, *, exact: bool) -> bool:
    """Whether lines prove a claim, of which the lowest corner is an input."""
    (bound,) = claim.binders
    head = opening(claim, {}, "parts") | {"parts": leaves, "met": {bound.name: ["0"]}}
    return accepted(claim, {}, joined([head, *lines]), exact=exact)


def about(goal: Callable[[Builder, Wire], Wire], least: float, most: float) -> Obligation:
    """A claim about one number in between two."""
    return obligation([box("x", (least, most))], lambda b, wires: goal(b, pick(b, wires["x"], 0)))


def relu(b: Builder, *terms: tuple[Fraction | int, Wire]) -> Wire:
    """What is above zero of a sum."""
    return b.add(Relu(combine(b, *terms)))


def test_a_sum_that_overflows_shows_nothing() -> None:
    """1 - y + 1 - z is 0 on all of [0, 0]; so it is after seventeen layers that make it 2^1023 times as
    large, and what doubles then take for infinite on the way is not above zero."""

    def above(b: Builder, x: Wire) -> Wire:
        one, zero = number(b, Fraction(1)), relu(b, (1, x))
        first, second = (relu(b, (1, one), (Fraction(1, 2), y)) for y in (x, zero))
        late = relu(b, (1, zero))
        sides = (
            relu(b, (1, one), (-1, first), (1, late)),
            relu(b, (1, one), (-1, second)),
        )
        found = combine(b, *((1, side) for side in sides))
        for _ in range(17):
            found = relu(b, (Fraction(2**60), found))
        found = combine(b, (8, found))
        return b.add(Compare("<", number(b, Fraction(0)), found))

    claim = about(above, 0, 0)
    lines: list[Line] = [{"steps": [{"shut": [0, [1], []]}]}, {"steps": [{"bounds": None}]}]
    for line in lines:
        for exact in (False, True):
            assert not shown(claim, [line], exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_constants_that_no_double_holds_are_audited(exact: bool) -> None:
    """relu(x) is at least -10^400 and not at least 10^400, which whole numbers tell where doubles cannot."""

    def least(sign: int) -> Obligation:
        most = Fraction(sign * 10**400)
        return about(lambda b, x: b.add(Compare("<=", number(b, most), relu(b, (1, x)))), 0, 1)

    line: Line = {"steps": [{"shut": [0, [1], []]}]}
    assert shown(least(-1), [line], exact=exact)
    assert not shown(least(1), [line], exact=exact)


def test_a_number_is_the_same_in_all_arithmetics() -> None:
    """2^53 + 1 is no double: then it is read as 2^53, in which both halves of a split meet, whichever
    arithmetic checks which."""
    one, other = (node_of({"steps": [], "input": [0, at]}) for at in (2**53 + 1, 2**53))
    assert one == other


@pytest.mark.parametrize("exact", [False, True])
def test_both_halves_are_shown(exact: bool) -> None:
    """relu(x) is at most x where x is not negative, which does not show it elsewhere, however it is split."""
    claim = about(lambda b, x: b.add(Compare("<=", relu(b, (1, x)), x)), -1, 1)
    (unit,) = net_of(claim_of(claim, {})).names
    right: Line = {"steps": [{"shut": [0, [1], []]}]}
    for splits, half in (({"unit": [*unit]}, 0), ({"input": [0, 0]}, 1)):
        nothing: Line = {"steps": []}
        ways: list[list[Line]] = [[right], [right, right], [nothing, right], [right, nothing]]
        for some in ways:
            lines: list[Line] = [{"steps": [], **splits}, *some[:: -1 if half else 1]]
            assert not shown(claim, lines, len(some), exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_a_cut_leaves_what_breaks_another_clause(exact: bool) -> None:
    """Where one comparison fails another may hold, and the other way round: both fail somewhere, though no
    input breaks both."""

    def both(b: Builder, x: Wire) -> Wire:
        own = relu(b, (1, x))
        most = b.add(Compare("<=", own, number(b, Fraction(1, 2))))
        least = b.add(Compare("<=", number(b, Fraction(1, 4)), own))
        return b.add(All(stack(b, [most, least])))

    cuts: Line = {"steps": [{"cut": [k, [1], []]} for k in (0, 1)]}
    assert not shown(about(both, 0, 1), [cuts], exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_zero_is_not_above_zero(exact: bool) -> None:
    """Neither x nor relu(x) is above 0 on all of [0, 1]."""
    numbers: list[Callable[[Builder, Wire], Wire]] = [lambda _, x: x, lambda b, x: relu(b, (1, x))]
    for made in numbers:

        def above(b: Builder, x: Wire, made: Callable[[Builder, Wire], Wire] = made) -> Wire:
            return b.add(Compare("<", number(b, Fraction(0)), made(b, x)))

        claim = about(above, 0, 1)
        lines: list[Line] = [{"steps": []}, {"steps": [{"shut": [0, [1], []]}]}]
        for line in lines:
            assert not shown(claim, [line], exact=exact)


def test_rows_that_read_next_to_nothing_are_bounded_in_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row has room for all units of the layer that it reads: a claim with more of them than memory may
    have is not audited, however few of these units are read."""
    many = 40

    def steps(b: Builder, w: dict[str, Wire]) -> Wire:
        before = b.add(Relu(w["x"]))
        after = b.add(Relu(combine(b, (1, before), (-1, known(b, *[1] * many)))))
        return less(b, largest(b, after), 1)

    claim = obligation([box("x", *[(0, 2)] * many)], steps)
    assert len(net_of(claim_of(claim, {})).layers) > 2
    monkeypatch.setattr(layers, "MOST_SLOTS", 2 * many * many)
    with pytest.raises(Rejected, match="too large"):
        net_of(claim_of(claim, {}))


@pytest.mark.parametrize("exact", [False, True])
def test_an_input_meets_the_conditions(exact: bool) -> None:
    """relu(x) is never below 0, so that all inputs where it is are as claimed, whatever is claimed; but there
    is none. Where there is one it has to be named, for the right binder and inside the box."""

    def claim(most: int) -> Obligation:
        def above(b: Builder, wires: dict[str, Wire]) -> Wire:
            return less(b, pick(b, wires["x"], 0), 0)

        def where(b: Builder, wires: dict[str, Wire]) -> Wire:
            return less(b, relu(b, (1, pick(b, wires["x"], 0))), most, "<")

        return obligation([box("x", (-1, 1))], above, where)

    never, sometimes = claim(0), claim(1)
    line: Line = {"steps": [{"shut": [0, [1, 1], []]}]}
    first: Line = {"steps": [{"shut": [0, [1, 0], []]}]}
    for value in ("-1", "0", "1/2", "1"):
        assert not met(never, {"x": [value]}, [first], exact=exact)
    true = obligation(
        [box("x", (-1, 1))],
        lambda b, wires: less(b, relu(b, (1, pick(b, wires["x"], 0))), 2),
        lambda b, wires: less(b, relu(b, (1, pick(b, wires["x"], 0))), Fraction(1, 2), "<"),
    )
    assert met(true, {"x": ["0"]}, [line], exact=exact)
    others: list[dict[str, object]] = [{"x": ["1"]}, {"x": ["-2"]}, {"y": ["0"]}, {}, {"x": [0]}]
    others.append({"x": ["0", "0"]})
    for wrong in others:
        assert not met(true, wrong, [line], exact=exact)
    assert not met(sometimes, {"x": ["0"]}, [line], exact=exact)


def met(claim: Obligation, by: dict[str, object], lines: list[Line], *, exact: bool) -> bool:
    """Whether lines prove a claim whose conditions an input is said to meet."""
    head = opening(claim, {}, "parts") | {"parts": 1, "met": by}
    return accepted(claim, {}, joined([head, *lines]), exact=exact)
