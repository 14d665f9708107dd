"""The engine for boxes of reals: numbers at the ends of the floats, limits, and empty domains."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import count
from math import inf
from multiprocessing.context import ForkProcess
from time import monotonic, sleep

import numpy as np
import pytest

from circ.compiler.boxes.bounds import Nodes
from circ.compiler.boxes.read import read
from circ.compiler.boxes.round import prepared, root
from circ.compiler.boxes.split import halved
from circ.compiler.builder import (
    Builder,
    combine,
    implies,
    matmul,
    number,
    reindex,
    stack,
    times,
)
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import All, Any, Compare, Not, Relu, Select, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.trial import trial
from circ.runtime.engines import explore, smt
from circ.runtime.engines.ascent import Ascent, Waiting
from circ.runtime.engines.boxes import decide
from circ.runtime.engines.explore import Exploration, Open
from circ.runtime.engines.pace import LONGEST
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


def test_what_overflows_beside_0_is_no_bound() -> None:
    """Weights whose product is no float, on an input that adds nothing, do not switch a ReLU off."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        steep, other = pick(b, w["x"], 0), pick(b, w["x"], 1)
        for factor in (0, 0, 1):
            steep = weighted(b, stack(b, [steep, other]), 1e110, factor)
        return less(b, b.add(Relu(steep)), 1)

    claim = obligation([box("x", (0, 0), (0, 5))], goal)
    assert not isinstance(decided(claim), Holds)


def test_what_overflows_is_no_bound() -> None:
    """Weights whose product is no float do not switch a ReLU behind them off."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        x, y, z = (pick(b, w["x"], k) for k in range(3))
        first = b.add(Relu(combine(b, (HUGE, x), (1, y))))
        second = b.add(Relu(combine(b, (HUGE, first), (1, z))))
        return less(b, b.add(Relu(combine(b, (1, second), (1, number(b, Fraction(-1, 2)))))), 0.001)

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


@pytest.mark.parametrize("largest", ["first", "last"])
def test_a_chain_of_arms_is_bounded_by_their_hull(largest: str) -> None:
    """Of 30 arms one is 4 x1, the others are at most 1 in size: no number on the way is above 9 in size,
    and where the largest arm can be taken it is within the bounds."""
    steep = 29 if largest == "first" else 0

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        first, second = pick(b, w["x"], 0), pick(b, w["x"], 1)
        value = combine(b, (Fraction(1, 2), second))
        for k in range(30):
            guard = less(b, first, Fraction(29 - k, 30))
            slope = Fraction(4) if k == steep else Fraction(k, 30)
            value = b.add(Select(guard, combine(b, (slope, second)), value))
        return less(b, value, 5)

    claim = obligation([box("x", (0, 1), (-1, 1))], goal)
    net = read(claim, {}).net
    values = [layer for layer in net.layers if layer.kind == "linear"]

    assert max(np.abs([layer.low, layer.high]).max() for layer in net.layers) <= 9
    assert any(layer.low[0] <= -4 and layer.high[0] >= 4 for layer in values)
    assert all(layer.low[0] >= -4.001 and layer.high[0] <= 4.001 for layer in values)
    assert isinstance(decided(claim, 5.0), Holds)


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


# --- what is left undecided ---------------------------------------------------------------------


def apart(b: Builder, w: dict[str, Wire]) -> Wire:
    """2 x y - x x - y y is at most 0, and 0 all along x = y."""
    x, y = pick(b, w["x"], 0), pick(b, w["x"], 1)
    return less(b, combine(b, (2, times(b, x, y)), (-1, times(b, x, x)), (-1, times(b, y, y))), 0)


def one(b: Builder) -> Wire:
    """1."""
    return number(b, 1)


def hard() -> Obligation:
    """A claim that is true, and that bounds alone never show."""
    return obligation([box("x", (-1, 1), (-1, 1))], apart)


@pytest.mark.parametrize("seconds", [0.0, 0.4])
def test_without_time_it_says_what_is_left(seconds: float) -> None:
    """A claim that is not decided in time has the reason and the hardest part's middle; and a bound and
    that part's sides, if any part was bounded."""
    found = decided(hard(), seconds)
    assert isinstance(found, Stuck)
    assert found.reason.startswith("the time ran out: ")
    assert (found.bound is None) == (seconds == 0)
    assert found.bound is None or found.bound <= 0
    assert found.hardest is not None
    assert all(-1 <= entry <= 1 for entry in found.hardest["x"])
    assert ("; the hardest part has x[" in found.reason) == (seconds > 0)


def test_no_time_at_all_is_no_proof() -> None:
    """Where the time is up before the first round, all of the box is undecided."""
    claim = obligation([box("x", (0, 1))], lambda b, w: less(b, b.add(Relu(pick(b, w["x"], 0))), 2))
    assert isinstance(decided(claim, -1.0), Stuck)


def test_an_interrupt_leaves_it_undecided() -> None:
    """Ctrl-C while it works is no verdict."""

    told = list[str]()

    def interrupt(share: float, doing: str) -> None:
        told.append(doing)
        if share > 0.5:
            raise KeyboardInterrupt

    found = decide(hard(), {}, Limits(timeout=60.0), interrupt)
    assert isinstance(found, Stuck)
    assert found.interrupted
    assert found.reason.startswith("interrupted: 0.")
    assert told[0].startswith("branch and bound, ")
    assert told[0].endswith("% of the domain decided")
    assert found.bound is not None
    assert found.bound < 0


def everywhere() -> Obligation:
    """2 x y - x x - y y > 0, which fails everywhere; its left side is -4 in a corner."""
    return obligation([box("x", (-1, 1), (-1, 1))], lambda b, w: b.add(Not(apart(b, w))))


def test_the_best_bound_is_that_of_every_open_part() -> None:
    """Of a claim that fails everywhere every part stays open while nobody accepts an input, and the bound
    that is told is not above the least value of all."""
    search = Exploration(
        prepared(read(everywhere(), {})), lambda _: False, monotonic() + 0.2, lambda _: None
    )
    found = search.outcome()
    assert isinstance(found, Open)
    assert found.least <= -4
    assert (found.low <= found.high).all()


@pytest.mark.parametrize("step", ["joined", "a_round"])
def test_an_interrupt_loses_no_part(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a round has taken, or is at, is open where Ctrl-C ends it; so it is of a claim that fails
    everywhere, of which every part stays open."""
    calls, whole = count(), getattr(explore, step)

    def interrupted(*given: object) -> object:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(explore, step, interrupted)
    search = Exploration(
        prepared(read(everywhere(), {})), lambda _: False, monotonic() + 60, lambda _: None
    )
    found = search.outcome()
    assert isinstance(found, Open)
    assert found.interrupted
    assert found.share == 1.0
    assert found.least <= -4


# --- parts that are decided exactly ---------------------------------------------------------------


def tied(b: Builder, w: dict[str, Wire]) -> Wire:
    """max(0, x) + max(0, -x) <= 1 on [-1, 1]: equal at the ends, which no bound tells."""
    x = pick(b, w["x"], 0)
    return less(b, combine(b, (1, b.add(Relu(x))), (1, b.add(Relu(combine(b, (-1, x)))))), 1)


def test_a_tie_is_decided_exactly() -> None:
    """What bounds come too near to is put to the SMT engine, and the method says so."""
    found = decided(obligation([box("x", (-1, 1))], tied))
    assert isinstance(found, Holds)
    assert "by SMT" in found.method
    assert "z3" in found.trusted


def never_below(b: Builder, w: dict[str, Wire]) -> Wire:
    """max(0, x) + max(0, y) < 0."""
    bent = [b.add(Relu(pick(b, w["x"], k))) for k in range(2)]
    return b.add(Compare("<", combine(b, (1, bent[0]), (1, bent[1])), number(b, 0)))


def test_what_has_to_be_below_0_is_not_met_at_0() -> None:
    """No sum of ReLUs is below 0: bounds say so at once, with nothing left to decide exactly."""
    claim = obligation([box("x", (-1, 1), (-1, 1))], lambda b, w: less(b, one(b), 0), never_below)
    found = decided(claim)
    assert isinstance(found, Empty)
    assert "SMT" not in found.method


def test_what_may_be_0_is_met_at_0() -> None:
    """A clause with max(0, x) <= 0 beside x < -1/2 is met: that the one may not be below 0 is no reason
    to drop it for what the other has to be."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        x = pick(b, w["x"], 0)
        flat = less(b, b.add(Relu(x)), 0)
        low = b.add(Compare("<", x, number(b, Fraction(-1, 2))))
        return b.add(Not(b.add(All(stack(b, [flat, low])))))

    question = prepared(read(obligation([box("x", (-1, 1))], goal), {}))
    search = Exploration(question, lambda _: False, monotonic() + 0.2, lambda _: None)
    assert isinstance(search.outcome(), Open)


def cancelled(b: Builder, w: dict[str, Wire]) -> Wire:
    """max(0, x + y / 3) - max(0, x + y / 3 + z) <= 0 for z of one value, 0: both sides are one number."""
    x, y, z = (pick(b, w["x"], k) for k in range(3))
    left = combine(b, (1, x), (THIRD, y))
    bent = [b.add(Relu(left)), b.add(Relu(combine(b, (1, left), (1, z))))]
    return less(b, combine(b, (1, bent[0]), (-1, bent[1])), 0)


def nothing(b: Builder, w: dict[str, Wire]) -> Wire:
    """x / 3 - x / 3 <= 0."""
    x = pick(b, w["x"], 0)
    sides = [combine(b, (sign * THIRD, x)) for sign in (1, -1)]
    return less(b, combine(b, (1, sides[0]), (1, sides[1])), 0)


@pytest.mark.parametrize("goal", [cancelled, nothing])
def test_what_cancels_to_nothing_is_not_split(
    goal: Callable[[Builder, dict[str, Wire]], Wire],
) -> None:
    """A row that is 0 but for rounding is told from one that is lacking: no part of its box is smaller."""
    question = prepared(read(obligation([box("x", (-1, 1), (-1, 1), (0, 0))], goal), {}))
    search = Exploration(question, lambda _: False, monotonic() + 60, lambda _: None)
    found = search.outcome()
    assert isinstance(found, Open)
    assert not found.late
    assert found.nodes < 100


def test_a_point_has_no_parts() -> None:
    """A box of one point that bounds leave open is set aside at once."""
    claim = obligation([box("x", (Fraction(1, 2), Fraction(1, 2)))], reached)
    search = Exploration(
        prepared(read(claim, {})), lambda _: False, monotonic() + 60, lambda _: None
    )
    found = search.outcome()
    assert isinstance(found, Open)
    assert (found.nodes, found.late) == (1, False)


def reached(b: Builder, w: dict[str, Wire]) -> Wire:
    """max(0, x) is below 1/2."""
    bent = b.add(Relu(pick(b, w["x"], 0)))
    return b.add(Compare("<", bent, number(b, Fraction(1, 2))))


@pytest.mark.parametrize("answer", [Stuck("it gave up", "SMT")])
def test_what_is_not_decided_exactly_stays_open(
    answer: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the SMT engine gives up on such a part, the claim is undecided."""

    def answered(*_: object) -> Finding:
        return answer

    monkeypatch.setattr(smt, "decide", answered)
    found = decided(obligation([box("x", (-1, 1))], tied))
    assert isinstance(found, Stuck)
    assert found.reason.startswith("it comes too near to failing")


def test_an_interrupt_of_what_is_decided_exactly_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the SMT engine works on such a part is told, so that no other engine is begun."""

    def stopped(*_: object) -> Finding:
        return Stuck("interrupted", "SMT", interrupted=True)

    monkeypatch.setattr(smt, "decide", stopped)
    found = decided(obligation([box("x", (-1, 1))], tied))
    assert isinstance(found, Stuck)
    assert found.interrupted


def test_a_point_that_is_no_float_is_found() -> None:
    """3x == 1 within [0, 1] is met at 1/3 alone, which no float is: the exact part finds it."""
    claim = obligation(
        [box("x", (0, 1))],
        lambda b, w: b.add(Not(b.add(Compare("==", combine(b, (3, pick(b, w["x"], 0))), one(b))))),
    )
    found = decided(claim, 4.0)
    assert isinstance(found, Fails)
    assert found.witness["x"] == (THIRD,)


# --- what a verdict says nothing about -------------------------------------------------------------


def impossible(b: Builder, w: dict[str, Wire]) -> Wire:
    """max(0, x) <= -1/10."""
    return less(b, b.add(Relu(pick(b, w["x"], 0))), -0.1)


def test_a_domain_without_inputs_is_empty() -> None:
    """Where nothing meets the condition, nothing is proved."""
    claim = obligation([box("x", (-1, 1))], lambda b, w: less(b, pick(b, w["x"], 0), 0), impossible)
    found = decided(claim)
    assert isinstance(found, Empty)
    assert found.reason == "nothing meets the `where`"


def test_a_domain_of_one_point_is_not_empty() -> None:
    """Conditions that leave a point alone leave something to prove."""

    def where(b: Builder, w: dict[str, Wire]) -> Wire:
        x = pick(b, w["x"], 0)
        return b.add(
            All(stack(b, [less(b, x, 0.25), b.add(Compare("<=", number(b, Fraction(1, 4)), x))]))
        )

    claim = obligation([box("x", (-1, 1))], lambda b, w: less(b, pick(b, w["x"], 0), 0.25), where)
    assert isinstance(decided(claim, 4.0), Holds)


@pytest.mark.parametrize(("end", "warned"), [(2, True), (0.5, False)])
def test_a_premise_that_never_holds_is_warned_of(end: float, warned: bool) -> None:
    """Its claim is proved, and says nothing."""

    def premise(b: Builder, w: dict[str, Wire]) -> Wire:
        return b.add(Compare("<=", number(b, Fraction(end)), b.add(Relu(pick(b, w["x"], 0)))))

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        return implies(b, premise(b, w), less(b, b.add(Relu(pick(b, w["x"], 0))), 1.5))

    claim = obligation([box("x", (-1, 1))], goal)
    b = Builder()
    same = copied(claim.circuit, b, keep).outputs
    outputs = {**same, "premise": premise(b, {"x": Wire(0)})}
    found = decided(replace(claim, circuit=b.circuit(outputs)))
    assert isinstance(found, Holds)
    assert found.warnings == (("the left side of `implies` never holds on the domain",) * warned)


# --- no part is lost --------------------------------------------------------------------------------


def test_slow_rounds_are_small() -> None:
    """Where a node takes a second, a round takes no more of them than there is time for: of parts that
    wait for a claim, and of those that wait for a greatest value."""
    question = prepared(read(hard(), {}))
    parts = root(question)
    while len(parts) < 16:
        parts = halved(parts, np.arange(len(parts)) % 2)
    search = Exploration(question, lambda _: False, monotonic() + 60, lambda _: None)
    search.stack = [parts]
    search.pace.noted(1, 1.0)
    assert len(search.top()) == LONGEST

    climb = Ascent(question.problem, lambda _: None, THIRD, THIRD, inf, lambda _: None)
    climb.heap = [Waiting(None, parts)]
    climb.pace.noted(1, 1.0)
    assert len(climb.top()) == LONGEST


def test_the_stack_loses_no_part() -> None:
    """The parts of a round and those that stay are all there were, in whatever batches."""
    claim = hard()
    question = prepared(read(claim, {}))
    search = Exploration(question, lambda _: False, monotonic() + 60, lambda _: None)
    parts = root(question)
    while len(parts) < 2000:
        parts = halved(parts, np.arange(len(parts)) % 2)
    search.stack = [parts.take(np.arange(1000)), parts.take(np.arange(1000, len(parts)))]
    seen = list[tuple[float, ...]]()
    while search.stack:
        seen += places_of(search.top())
    assert len(seen) == len(parts)
    assert set(seen) == set(places_of(parts))


def places_of(parts: Nodes) -> list[tuple[float, ...]]:
    """The ends of the parts' boxes."""
    ends: list[list[float]] = np.concatenate([parts.low, parts.high], axis=1).tolist()
    return [tuple(row) for row in ends]


def test_parts_that_bounds_leave_are_not_forgotten() -> None:
    """A search that ends with parts set aside is open, and has all of them."""
    claim = obligation([box("x", (-1, 1))], tied)
    search = Exploration(
        prepared(read(claim, {})), lambda _: False, monotonic() + 60, lambda _: None
    )
    found = search.outcome()
    assert isinstance(found, Open)
    assert found.aside is not None
    for end in (-1.0, 1.0):
        assert ((found.aside.low <= end) & (found.aside.high >= end)).any()
    assert not found.late


def test_what_workers_have_in_hand_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is up, the parts are still open that workers were given and have not come back."""
    monkeypatch.setattr("circ.runtime.engines.explore.ALONE", 0.0)
    monkeypatch.setattr(Exploration, "slice", never_done)
    question = prepared(read(hard(), {}))
    until = monotonic() + 0.5
    search = Exploration(question, lambda _: False, until, lambda _: None, jobs=2)
    found = search.outcome()
    assert isinstance(found, Open)
    assert found.late
    assert found.share > 0


def never_done(_search: Exploration, _nodes: object) -> None:
    """A worker's slice that outlasts the search."""
    sleep(60)


def folded(b: Builder, w: dict[str, Wire]) -> Wire:
    """max(0, x + y) - max(0, x) - max(0, y), which is never positive, is below 1/20."""
    x, y = pick(b, w["x"], 0), pick(b, w["x"], 1)
    parts = [combine(b, (1, x), (1, y)), x, y]
    bent = [b.add(Relu(part)) for part in parts]
    return less(b, combine(b, (1, bent[0]), (-1, bent[1]), (-1, bent[2])), 0.05)


def test_what_dead_workers_had_is_done_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where workers die, what they were given is still open, and one process goes on with it."""

    def dies(*_: object) -> None:
        os._exit(9)

    monkeypatch.setattr("circ.runtime.engines.explore.ALONE", -1.0)
    monkeypatch.setattr(Exploration, "slice", dies)
    found = decide(hard(), {}, Limits(timeout=1.0, jobs=2), silent)
    assert isinstance(found, Stuck)
    assert found.reason.startswith("the time ran out: ")
    assert found.bound is not None


@pytest.mark.parametrize("room", [0, 1])
def test_without_room_for_workers_it_goes_on(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system makes no more processes, those that there are do the work, or this one does."""
    made, start = count(), ForkProcess.start

    def refused(process: ForkProcess) -> None:
        if next(made) >= room:
            raise BlockingIOError
        start(process)

    monkeypatch.setattr("circ.runtime.engines.explore.ALONE", -1.0)
    monkeypatch.setattr(ForkProcess, "start", refused)
    claim = obligation([box("x", (-1, 1), (-1, 1))], folded)
    assert isinstance(decide(claim, {}, Limits(timeout=60, jobs=3), silent), Holds)


def test_workers_find_what_one_process_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that is proved in one process is proved by workers, with every part closed by someone."""
    monkeypatch.setattr("circ.runtime.engines.explore.ALONE", 0.0)
    claim = obligation([box("x", (-1, 1), (-1, 1))], folded)
    one = decide(claim, {}, Limits(timeout=60), silent)
    several = decide(claim, {}, Limits(timeout=60, jobs=3), silent)
    assert isinstance(one, Holds)
    assert isinstance(several, Holds)
