"""Certificates of claims about a head that reads one position: of true ones, and of no others."""

from __future__ import annotations

from functools import partial

import pytest

from circ.compiler.finding import Empty, Holds, Limits, silent
from circ.runtime.engines import automata, enumeration
from tests.agreement.certified import accepted, certificate, proves_nothing_false, written
from tests.agreement.corruption import HARMLESS, rejected
from tests.agreement.hard_heads import claim_about_a_hard_head

CLAIMS = 15
"""In one test."""

MORE = [pytest.param(start, marks=pytest.mark.slow) for start in range(CLAIMS, 12 * CLAIMS, CLAIMS)]


@pytest.mark.parametrize("start", [0, *MORE])
def test_what_has_a_certificate_is_true(start: int) -> None:
    """A claim that is false has none; one that shortest paths prove has one, which holds, fast and
    exactly. A third of the claims have ties on purpose."""
    certified = 0
    for seed in range(start, start + CLAIMS):
        claim, weights = claim_about_a_hard_head(seed)
        engines = (enumeration.decide, automata.decide)
        found = [decide(claim, weights, Limits(), silent) for decide in engines]
        data = certificate(claim, weights)
        if any(isinstance(one, Empty) for one in found):
            assert data is None or not accepted(claim, weights, data), seed
        elif data is None:
            assert not isinstance(found[1], Holds), seed
        else:
            assert any(isinstance(one, Holds) for one in found), seed
            assert accepted(claim, weights, data), seed
            assert accepted(claim, weights, data, exact=False), seed
            certified += 1
    assert certified >= 1


FORMS = {
    78: "rows together, positions together, and what no letter says",
    97: "phases of ReLUs behind a choice",
    104: "a choice behind a choice, and a word that meets a condition",
}
"""Claims by the form of their certificates."""


@pytest.mark.parametrize("seed", FORMS)
def test_every_change_of_a_certificate_is_caught(seed: int) -> None:
    """Whatever field is changed, left out, doubled or swapped: the audit rejects it, or the proof still
    stands. What is chosen among may not be changed at all."""
    claim = claim_about_a_hard_head(seed)
    assert rejected(written(*claim), 200, partial(accepted, *claim), HARMLESS) > 50


@pytest.mark.parametrize("seed", FORMS)
def test_no_change_of_a_certificate_proves_what_is_false(seed: int) -> None:
    """The certificate of a true claim, given the hashes of a false one of the same form, is rejected,
    as it is and after any change."""
    proves_nothing_false(*claim_about_a_hard_head(seed), 50)
