"""What `topk` keeps on boxes: every choice among equal scores counts, and no other."""

from __future__ import annotations

from fractions import Fraction

import pytest

from circ.compiler.builder import Builder
from circ.compiler.finding import Fails, Finding, Holds, Limits, silent
from circ.compiler.ir import TopK, Wire
from circ.compiler.obligation import Obligation
from circ.runtime.engines import boxes
from tests.agreement.kept_boxes import drawn
from tests.unit.obligations import box, less, obligation, pick

CLAIMS = 15
STARTS = [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(CLAIMS, 50 * CLAIMS, CLAIMS))]
LITTLE = Fraction(1, 16)


def decided(claim: Obligation) -> Finding:
    """What the engine for boxes finds."""
    return boxes.decide(claim, {}, Limits(1), silent)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("start", STARTS)
def test_a_bound_holds_if_no_choice_exceeds_it(start: int, first: bool) -> None:
    """A bound that some choice exceeds, be it at one input and one way to break its tie, is never proved. One that
    none does is never refuted, and mostly proved by bounds alone."""
    alone = 0
    for seed in range(start, start + CLAIMS):
        asked = drawn(seed, first=first)
        assert not isinstance(decided(asked.claim(asked.most() - LITTLE)), Holds), seed
        found = decided(asked.claim(asked.most() + LITTLE))
        assert not isinstance(found, Fails), seed
        alone += isinstance(found, Holds) and "z3" not in found.trusted
    assert alone >= CLAIMS // 2


def marked(place: int, bound: Fraction) -> Obligation:
    """That of two inputs, both of them 0, the mark of one is at most so much."""

    def holds(b: Builder, wires: dict[str, Wire]) -> Wire:
        return less(b, pick(b, b.add(TopK(1, wires["x"])), place), bound)

    return obligation([box("x", (0, 0), (0, 0))], holds)


def test_scores_that_are_known_to_be_equal_may_be_kept_in_any_order() -> None:
    """Of two zeros either is kept, though nothing is rounded: no mark is at most 1/2."""
    for place in range(2):
        assert isinstance(decided(marked(place, Fraction(9, 8))), Holds)
        assert not isinstance(decided(marked(place, Fraction(1, 2))), Holds)
