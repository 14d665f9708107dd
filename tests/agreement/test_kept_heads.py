"""A head that reads the largest scores: engines for words say what going through every word says."""

from __future__ import annotations

from functools import cache

import pytest

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.runtime.engines import automata, enumeration, token_sets
from tests.agreement.kept_heads import claim_about_kept_positions

CLAIMS = 24


@cache
def findings(seed: int) -> tuple[Finding, Finding, Finding]:
    """What enumeration finds, then shortest paths and branch and bound."""
    claim, weights = claim_about_kept_positions(seed)
    limits = Limits()
    return (
        enumeration.decide(claim, weights, limits, silent),
        automata.decide(claim, weights, limits, silent),
        token_sets.decide(claim, weights, limits, silent),
    )


@pytest.mark.parametrize(
    "start", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(CLAIMS, 96, CLAIMS))]
)
def test_engines_for_words_agree_with_enumeration(start: int) -> None:
    """Whichever of them decides a claim says the same, of the same number of words.

    Half of the claims have ties on purpose. A word that is listed fails for some way to break them.
    """
    for seed in range(start, start + CLAIMS):
        words, *others = findings(seed)
        for found in others:
            match found, words:
                case Holds(), Holds():
                    assert found.size.exact in (None, words.size.exact), seed
                case Fails(), Fails():
                    assert words.count is None or {*found.failing} <= {*words.failing}, seed
                case Empty(), Empty():
                    assert found.reason == words.reason, seed
                case (Stuck(), _) | (_, Stuck()):
                    pass
                case _:
                    pytest.fail(f"claim {seed}: {found} but {words}")


def test_a_row_of_a_table_goes_by_paths_and_an_op_by_words() -> None:
    """`hardmax` is a hard choice, which shortest paths take out; what `topk` keeps of several positions
    they leave to enumeration, which decides every claim."""
    kinds = {"row": [0, 0], "op": [0, 0]}
    for seed in range(CLAIMS):
        words, paths, _ = findings(seed)
        assert not isinstance(words, Stuck), seed
        kinds["op" if seed % 3 else "row"][isinstance(paths, Stuck)] += 1
    decided, left = kinds["row"]
    assert decided >= 3 * left, kinds
    assert kinds["op"][1] > 0, kinds
