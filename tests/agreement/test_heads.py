"""Shortest paths over words say what going through every word says."""

from __future__ import annotations

from collections import Counter

import pytest

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.runtime.engines import automata, enumeration
from circ.runtime.shares import Engine
from tests.agreement.heads import claim_about_a_head

CLAIMS = 40
"""In one test."""


def both(seed: int) -> tuple[Finding, Finding]:
    """What the two engines find."""
    claim, weights = claim_about_a_head(seed)
    return found(automata.decide, claim, weights), found(enumeration.decide, claim, weights)


def found(engine: Engine, claim: Obligation, weights: Weights) -> Finding:
    """What one engine finds."""
    return engine(claim, weights, Limits(), silent)


@pytest.mark.parametrize(
    "start",
    [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(CLAIMS, 240, CLAIMS))],
)
def test_paths_and_enumeration_agree(start: int) -> None:
    """The same verdict wherever paths give one, on the same number of words, with the same margin.

    Each word that paths list fails, and stands for a class of its own.
    """
    for seed in range(start, start + CLAIMS):
        paths, words = both(seed)
        match paths, words:
            case Holds(), Holds():
                assert paths.size.exact in (None, words.size.exact), seed
                if paths.margin is not None and words.margin is not None:
                    close = abs(paths.margin - words.margin) <= 1e-9 * max(1, abs(words.margin))
                    assert close, seed
            case Fails(), Fails():
                assert words.count is None or {*paths.failing} <= {*words.failing}, seed
                assert len({*paths.failing}) == len(paths.failing), seed
            case Empty(), Empty():
                assert paths.reason == words.reason, seed
            case Stuck(), _:
                pass
            case _:
                pytest.fail(f"claim {seed}: {paths} but {words}")


@pytest.mark.slow
def test_claims_are_worth_asking() -> None:
    """Of the claims on which both are held to agree enough are false, and by little.

    Half of those that are decided are false; of those, half fail on few words or by a small margin.
    And paths decide all but a few.
    """
    seen, rare = Counter[str](), 0
    for seed in range(100):
        paths, words = both(seed)
        seen[type(paths).__name__] += 1
        if isinstance(words, Fails) and isinstance(paths, Fails) and words.count is not None:
            rare += words.count <= 3
    assert seen["Stuck"] <= 2, seen
    assert seen["Fails"] >= 45, seen
    assert rare >= 20, rare
