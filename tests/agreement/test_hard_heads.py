"""A head that reads one position: parts of the words say what going through every word says."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.runtime.engines import automata, enumeration
from tests.agreement.hard_heads import claim_about_a_hard_head

CLAIMS = 20
"""In one test."""


@cache
def both(seed: int) -> tuple[Finding, Finding]:
    """What the two engines find."""
    claim, weights = claim_about_a_hard_head(seed)
    limits = Limits()
    return (
        automata.decide(claim, weights, limits, silent),
        enumeration.decide(claim, weights, limits, silent),
    )


@pytest.mark.parametrize(
    "start", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(CLAIMS, 80, CLAIMS))]
)
def test_parts_and_enumeration_agree(start: int) -> None:
    """The same verdict wherever both give one, on the same number of words, with the same margin.

    A third of the claims have ties on purpose: of those, and of scores that are not rational,
    enumeration leaves some open that parts decide. It calls the margin 0 where it decided a word
    exactly. Each word that parts list fails, and stands for a class of its own.
    """
    for seed in range(start, start + CLAIMS):
        parts, words = both(seed)
        match parts, words:
            case Holds(), Holds():
                assert parts.size.exact in (None, words.size.exact), seed
                if parts.margin is not None and words.margin:
                    close = abs(parts.margin - words.margin) <= 1e-9 * max(1, abs(words.margin))
                    assert close, seed
            case Fails(), Fails():
                assert words.count is None or {*parts.failing} <= {*words.failing}, seed
                assert len({*parts.failing}) == len(parts.failing), seed
            case Empty(), Empty():
                assert parts.reason == words.reason, seed
            case (Stuck(), _) | (_, Stuck()):
                pass
            case _:
                pytest.fail(f"claim {seed}: {parts} but {words}")


@pytest.mark.slow
def test_claims_are_worth_asking() -> None:
    """Of the claims on which both are held to agree enough are false, and by little.

    Half of those that are decided are false; of those, many fail on few words. Parts leave nothing
    open but what enumeration leaves open too, two heads that are asked from two positions, and
    scores that are all written in the claim: these go into the automaton.
    """
    seen, rare = Counter[str](), 0
    for seed in range(60):
        parts, words = both(seed)
        seen[type(parts).__name__] += 1
        if isinstance(parts, Stuck) and not isinstance(words, Stuck) and seed % 4 != 1:
            assert "scores that read several positions" in parts.reason, seed
        if isinstance(words, Fails) and isinstance(parts, Fails) and words.count is not None:
            rare += words.count <= 3
    assert seen["Stuck"] <= 2, seen
    assert seen["Fails"] >= 30, seen
    assert rare >= 10, rare
