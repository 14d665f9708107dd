"""Certificates of claims about what `topk` keeps on boxes: of those that hold for every choice, and no other."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from io import BytesIO
from time import monotonic

import pytest

from circ.compiler.builder import Builder, combine
from circ.compiler.ir import TopK, Wire
from circ.compiler.obligation import Obligation
from circ.runtime.certificates.parts import write_by_parts
from circ.runtime.certificates.work import NoCertificate
from tests.agreement.certified import accepted, stamped
from tests.agreement.corruption import Records, joined, proves_nothing, records
from tests.agreement.kept_boxes import drawn
from tests.unit.obligations import box, less, obligation, pick

CLAIMS = 8
STARTS = [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(CLAIMS, 50 * CLAIMS, CLAIMS))]
LITTLE = Fraction(1, 16)


def written(claim: Obligation, seconds: float) -> Records | None:
    """The certificate of a claim, if there is one."""
    stream = BytesIO()
    try:
        write_by_parts(claim, {}, monotonic() + seconds, stream)
    except NoCertificate:
        return None
    return records(stream.getvalue())


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("start", STARTS)
def test_what_is_written_proves_what_every_choice_meets(start: int, first: bool) -> None:
    """Of a bound that no choice exceeds there mostly is a certificate, which both audits take; what some
    choice exceeds has none, and the other's lines do not prove it."""
    shown = 0
    for seed in range(start, start + CLAIMS):
        asked = drawn(seed, first=first)
        true, false = (asked.claim(asked.most() + by) for by in (LITTLE, -LITTLE))
        lines = written(true, 5)
        if lines is not None:
            shown += 1
            for exact in (False, True):
                assert accepted(true, {}, joined(lines), exact=exact), seed
                assert not accepted(false, {}, joined(stamped(lines, false, {})), exact=exact), seed
        assert written(false, 0.3) is None, seed
    assert shown >= CLAIMS // 2


@pytest.mark.parametrize("seed", [9, 10, 12, 16])
def test_no_change_proves_what_a_choice_exceeds(seed: int) -> None:
    """The lines of a bound that holds, made to be about one that does not, prove nothing after any change."""
    asked = drawn(seed)
    true, false = (asked.claim(asked.most() + by) for by in (LITTLE, -LITTLE))
    lines = written(true, 5)
    assert lines is not None
    assert len(lines) > 2
    proves_nothing(stamped(lines, false, {}), 60, partial(accepted, false, {}))


# --- ties that are there everywhere ----------------------------------------------------------------

Goal = Callable[[Builder, Wire], Wire]
"""A number made of three inputs, all of them 0."""


def first_place(b: Builder, x: Wire) -> Wire:
    """The mark of the first of them, one being kept."""
    return pick(b, b.add(TopK(1, x)), 0)


def middle(b: Builder, x: Wire) -> Wire:
    """That of the second."""
    return pick(b, b.add(TopK(1, x)), 1)


def last(b: Builder, x: Wire) -> Wire:
    """That of the third."""
    return pick(b, b.add(TopK(1, x)), 2)


def alone_and_among_two(b: Builder, x: Wire) -> Wire:
    """Whether the first is kept where one is, less whether it is where two are."""
    return combine(b, (1, pick(b, b.add(TopK(1, x)), 0)), (-1, pick(b, b.add(TopK(2, x)), 0)))


def at_most(goal: Goal, bound: Fraction) -> Obligation:
    """That a number made of three zeros is at most so much."""
    zeros = box("x", (0, 0), (0, 0), (0, 0))
    return obligation([zeros], lambda b, wires: less(b, goal(b, wires["x"]), bound))


@pytest.mark.parametrize("goal", [first_place, middle, last, alone_and_among_two])
def test_equal_scores_are_kept_in_any_order(goal: Goal) -> None:
    """Any of three zeros may be the one that is kept, and need not be among the two that are: each number may be 1.
    What shows that it is no more does not show that it is at most 1/2."""
    true, false = (at_most(goal, Fraction(bound)) for bound in ("9/8", "1/2"))
    lines = written(true, 5)
    assert lines is not None
    assert written(false, 1) is None
    for exact in (False, True):
        assert accepted(true, {}, joined(lines), exact=exact)
        assert not accepted(false, {}, joined(stamped(lines, false, {})), exact=exact)


def test_there_is_none_where_the_audit_reads_no_input_of_the_domain() -> None:
    """That an input meets a condition about what `topk` keeps is not audited. So nothing is written of a claim that
    has one, though it holds, rather than what an audit rejects."""

    def kept_or_not(b: Builder, wires: dict[str, Wire]) -> Wire:
        return less(b, pick(b, b.add(TopK(1, wires["x"])), 0), 1)

    sides = box("x", (0, 1), (0, 1))
    claim = obligation([sides], lambda b, wires: less(b, pick(b, wires["x"], 0), 2), kept_or_not)
    assert written(claim, 5) is None
