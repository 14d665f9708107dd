"""The greatest value over a box is held to exact arithmetic: the SMT engine's, and single points."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.boxes.number import read_number
from circ.compiler.boxes.round import root
from circ.compiler.builder import Builder, combine, matmul, reals, truth
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, silent
from circ.compiler.ir import Input, Real, Relu, WireType
from circ.compiler.obligation import Bound, Obligation, Reals, Witness
from circ.runtime.bounded import at_most
from circ.runtime.engines import smt
from circ.runtime.engines.ascent import Ascent, Waiting
from circ.runtime.engines.summit import Summit, summit
from circ.runtime.ranges import Nowhere, Range, at_one_length, middle
from tests.agreement.box_claims import points
from tests.agreement.box_numbers import Point, box_numbers, inside, point_of, value
from tests.unit.obligations import NOWHERE

WITHIN = Fraction(1, 10**6)


def corners(question: Obligation) -> tuple[tuple[Fraction, Fraction], ...]:
    """The ends of the box."""
    (binder,) = question.binders
    assert isinstance(binder.values, Reals)
    return binder.values.box


def exceeds(question: Obligation, bound: Fraction) -> Finding:
    """Whether some input has more than a bound, as the SMT engine has it."""
    return smt.decide(at_most(question, bound), {}, Limits(timeout=1.0), silent)


def tolerance(best: Fraction) -> Fraction:
    """How far bounds may be from a value."""
    return WITHIN * max(abs(best), Fraction(1))


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_no_input_exceeds_the_limit(data: st.DataObject) -> None:
    """Whatever the search proves no point breaks, nor any input that SMT finds; what it reached is the value
    of an input of the domain, and where it is done the two are as near as they were asked to be.

    SMT then agrees from the other side: some input has as much, within the tolerance.
    """
    question = data.draw(box_numbers())
    start = data.draw(points(corners(question)))
    if not inside(question, start):
        return
    (known,) = value(question, start)
    found = summit(question, {}, known, WITHIN, Limits(timeout=1.0), silent)
    assert isinstance(found, Summit)
    best = known
    if found.witness is not None:
        point = point_of(found.witness)
        assert inside(question, point)
        (best,) = value(question, point)
        assert best > known
    if found.limit is None:
        return
    assert best <= found.limit
    for point in data.draw(st.lists(points(corners(question)), min_size=8, max_size=8)):
        assert not inside(question, point) or value(question, point) <= (found.limit,)
    assert not isinstance(exceeds(question, found.limit), Fails)
    if found.limit - best <= tolerance(best):
        below = exceeds(question, found.limit - 2 * tolerance(best))
        assert not isinstance(below, Holds | Empty)


@settings(deadline=None, max_examples=8)
@given(question=box_numbers())
def test_both_ends_hold(question: Obligation) -> None:
    """Of a range over a box, either end lies between what was reached and what SMT cannot exceed."""
    found = at_one_length(question, {}, Limits(timeout=2.0), silent, WITHIN)
    if isinstance(found, Nowhere):
        return
    for end, sign in ((found.greatest, 1), (found.least, -1)):
        low, high = (end.low, end.high) if sign > 0 else (end.high, end.low)
        assert low is not None
        point = point_of(end.witness)
        assert inside(question, point)
        assert value(question, point) == (low,)
        if sign > 0 and high is not None:
            assert low <= high
            assert not isinstance(exceeds(question, high), Fails)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_the_limit_holds_after_every_round(data: st.DataObject) -> None:
    """Whenever the search is stopped, no input has more than its limit: what was closed is below the threshold,
    and what waits below its own bound, whatever its conditions say."""
    question = data.draw(box_numbers())
    start = data.draw(points(corners(question)))
    if not inside(question, start):
        return
    (known,) = value(question, start)
    ascent = Ascent(read_number(question, {}), lambda _: None, known, WITHIN, inf, lambda _: None)
    ascent.heap.append(Waiting(None, root(ascent.question)))
    for _ in range(4):
        if ascent.done:
            break
        ascent.round()
        limit = ascent.limit
        assert limit is None or not isinstance(exceeds(question, limit), Fails)


@pytest.mark.parametrize("seconds", [0.0, 30.0])
def test_a_search_cut_short_keeps_a_bound(seconds: float) -> None:
    """Without time there is no bound, or one that holds; with time it is within the tolerance."""
    question = hat()
    start = middle(question, {})
    assert start == Witness((("x", (Fraction(0), Fraction(0))),))
    found = summit(question, {}, Fraction(-10), WITHIN, Limits(timeout=seconds), silent)
    assert isinstance(found, Summit)
    if seconds:
        assert found.limit is not None
        assert Fraction(1, 2) <= found.limit <= Fraction(1, 2) + tolerance(Fraction(1))
        assert found.witness is not None
        assert value(question, point_of(found.witness))[0] >= found.limit - tolerance(Fraction(1))
    else:
        assert found.limit is None or found.limit >= Fraction(1, 2)


@pytest.mark.parametrize("moment", ["climb", "a_round"])
def test_an_interrupted_search_keeps_what_was_under_way(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C among the first descents, or in the first round, leaves no bound: nothing was bounded yet."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    place = "Ascent.climb" if moment == "climb" else moment
    monkeypatch.setattr(f"circ.runtime.engines.ascent.{place}", interrupted)
    found = summit(hat(), {}, Fraction(-10), WITHIN, Limits(timeout=30.0), silent)
    assert isinstance(found, Summit)
    assert found.interrupted
    assert found.limit is None


def test_ctrl_c_ends_the_search_for_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the search for the greatest value is interrupted, there is none for the least, and both ends
    say what happened."""
    asked = list[Obligation]()

    def stopped(question: Obligation, *_: object) -> Summit:
        asked.append(question)
        return Summit(None, None, "", (), interrupted=True)

    monkeypatch.setattr("circ.runtime.engines.summit.summit", stopped)
    found = at_one_length(hat(), {}, Limits(timeout=30.0), silent)
    assert isinstance(found, Range)
    assert len(asked) == 1
    assert found.greatest.reason == found.least.reason == "interrupted"


def hat() -> Obligation:
    """1/2 - |x - 1/3| - |y + 1/7|, largest inside the box, at no float."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    moved = combine(b, (1, x), (-1, reals(b, (Fraction(1, 3), Fraction(-1, 7)), (2,))))
    away = combine(b, (1, b.add(Relu(moved))), (1, b.add(Relu(combine(b, (-1, moved))))))
    total = matmul(b, away, reals(b, (Fraction(1), Fraction(1)), (2,)))
    goal = combine(b, (-1, total), (1, reals(b, (Fraction(1, 2),), ())))
    box = ((Fraction(-1), Fraction(1)),) * 2
    binder = Bound("x", b.types[x], Reals(box))
    return Obligation(
        "hat", "forall", b.circuit({"goal": goal, "where": truth(b, True)}), (binder,), NOWHERE
    )


def test_a_peak_at_no_float_is_found_exactly() -> None:
    """Where there are few units the greatest value itself is proved to be reached."""
    found = at_one_length(hat(), {}, Limits(timeout=20.0), silent)

    assert isinstance(found, Range)
    point: Point = point_of(found.greatest.witness)
    assert found.greatest.low == found.greatest.high == Fraction(1, 2)
    assert point == (Fraction(1, 3), Fraction(-1, 7))
