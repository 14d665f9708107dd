"""How many words meet a condition: what each engine says, held to going through them exactly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

import pytest

from circ.compiler.finding import Limits, silent
from circ.compiler.ir import Index
from circ.compiler.obligation import Obligation
from circ.compiler.readings.choices import TRUE
from circ.compiler.readings.reference import at_point
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import truth
from circ.compiler.verdict import Counted
from circ.runtime.engines.class_counts import by_classes
from circ.runtime.engines.counting import count, enumerated
from tests.agreement.heads import STATES, Head, claim_about_a_head, word
from tests.unit.obligations import NOWHERE

CLAIMS = 12
"""In one test."""


def words(question: Obligation) -> Iterator[dict[str, tuple[int, ...]]]:
    """Every word of the binder."""
    (bound,) = question.binders
    assert isinstance(bound.type.sort, Index)
    for codes in product(range(bound.type.sort.size), repeat=bound.type.entries):
        yield {bound.name: codes}


def one_by_one(question: Obligation, weights: Weights) -> tuple[int, int]:
    """How many words count however ties are broken, and how many for some way at least."""
    surely = perhaps = 0
    names = [*question.conditions, "goal"]
    for codes in words(question):
        point = at_point(question.circuit, codes)
        cases = [
            all(truth(outcome.outputs[name]) == TRUE for name in names)
            for outcome in every_choice(question.circuit, point, weights, 256, names)
        ]
        surely, perhaps = surely + all(cases), perhaps + any(cases)
    return surely, perhaps


def bounds(found: Counted) -> tuple[int, int]:
    """What an engine says of a number."""
    return found.low, found.high


@pytest.mark.parametrize("start", range(0, 24, CLAIMS))
def test_counts_of_heads_are_those_of_exact_arithmetic(start: int) -> None:
    """Word by word the number is the exact one; by classes it lies between what is said.

    Classes are taken apart down to single words, so that they are exact too, where there are classes.
    """
    apart = 0
    for seed in range(start, start + CLAIMS):
        question, weights = claim_about_a_head(seed)
        low, high = one_by_one(question, weights)
        assert bounds(enumerated(question, weights, Limits(), silent)) == (low, high), seed
        assert bounds(count(question, weights, Limits(), silent)) == (low, high), seed
        found = by_classes(question, weights, Limits(), silent)
        assert found.low <= low <= high <= found.high, seed
        apart += bounds(found) != (low, high)
    assert apart <= 1


@pytest.mark.parametrize("seed", range(20))
def test_an_automaton_has_the_number_where_there_is_no_network(seed: int) -> None:
    """The number of words that meet a random condition, and are in a random domain, is exact."""
    head = Head(Random(seed), letters=3, length=4, width=1)
    circuit = head.b.circuit({"in s": head.domain(), "goal": head.among(head.state(), STATES)})
    question = Obligation("c", "forall", circuit, (word(3, 4),), NOWHERE)
    found = count(question, {}, Limits(), silent)
    assert bounds(found) == one_by_one(question, {})
    assert found.method == "an automaton"
