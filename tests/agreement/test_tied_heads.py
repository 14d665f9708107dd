"""Claims about heads that tie exactly: shortest paths, enumeration and numbers of 400 bits agree."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, silent
from circ.compiler.ir import Index
from circ.compiler.readings.choices import TRUE, Choices
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, constants, enclose
from circ.compiler.trial import trial
from circ.runtime.engines import automata, enumeration
from tests.agreement.tied_heads import Sample, claim_about_a_tied_head

CLAIMS = 12
"""In one test."""

BITS = 400

TINY = Fraction(1, 1 << 300)
"""Numbers of weights in halves that are not zero are larger, on words of five letters."""


@pytest.mark.parametrize("normed", [False, True])
@pytest.mark.parametrize(
    "start", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(CLAIMS, 48, CLAIMS))]
)
def test_paths_decide_what_ties(start: int, normed: bool) -> None:
    """The verdict of the numbers, by either engine; what fails fails in the exact replay.

    Ties on some words are met in many of these claims, and never leave one open.
    """
    ties = 0
    for seed in range(start, start + CLAIMS):
        sample = claim_about_a_tied_head(seed, normed=normed)
        words, failing, tied = gone_through(sample)
        ties += bool(tied)
        for engine in (automata.decide, enumeration.decide):
            found = engine(sample.claim, sample.weights, Limits(), silent)
            assert kind(found) == ("empty" if not words else "fails" if failing else "holds"), seed
            if isinstance(found, Fails):
                for witness in found.failing:
                    assert witness["s"] in failing, seed
                    assert trial(sample.claim, sample.weights, witness).refutes, seed
            if isinstance(found, Holds) and tied and found.margin is not None:
                assert found.margin == 0, seed
    assert ties


def kind(found: Finding) -> str:
    """What is found, in a word."""
    match found:
        case Holds():
            return "holds"
        case Fails():
            return "fails"
        case Empty():
            return "empty"
        case _:
            return "open"


def gone_through(
    sample: Sample,
) -> tuple[int, set[tuple[int, ...]], set[tuple[int, ...]]]:
    """How many words meet the condition, those of them that fail, and those where a number is zero."""
    (binder,) = sample.claim.binders
    sort = binder.type.sort
    assert isinstance(sort, Index)
    known = constants(sample.circuit, sample.weights, BITS)
    count, failing, tied = 0, set[tuple[int, ...]](), set[tuple[int, ...]]()
    for letters in product(range(sort.size), repeat=binder.type.entries):
        point = at_point(sample.circuit, {"s": letters})
        found = enclose(sample.circuit, point, sample.weights, BITS, known=known)
        inside = found.pop("in s")
        assert isinstance(inside, Choices)
        if inside.sets != (TRUE,):
            continue
        count += 1
        for (_, strict), value in zip(sample.gaps, found.values(), strict=True):
            assert isinstance(value, Reals)
            ((low, high),) = value.box
            zero = max(abs(low), abs(high)) < TINY
            assert zero or low > 0 or high < 0
            if zero:
                tied.add(letters)
            if (zero and strict) or (not zero and high < 0):
                failing.add(letters)
    return count, failing, tied
