"""Certificates beyond one head are written for what is true, and an audit takes nothing else."""

from __future__ import annotations

import json
from functools import partial

import pytest

from circ.compiler.finding import Empty, Holds, Limits, silent
from circ.runtime.engines import enumeration
from tests.agreement.certified import accepted, certificate, proves_nothing_false, written
from tests.agreement.corruption import HARMLESS, rejected
from tests.agreement.deep_heads import claim_beyond_one_head

FORMS = {
    101: "letters split",
    313: "ReLUs bounded, in two classes",
    324: "words gone through one by one, and a word that meets the conditions",
    326: "letters split, ReLUs bounded, and words gone through one by one",
}
"""Claims by the form of their certificates."""

ALSO_HARMLESS = HARMLESS | {"bounds", "lines", "shown"}
"""Lower lines and wider bounds may do as well, and what is shown may be shown twice."""


@pytest.mark.parametrize("start", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in (20, 40))])
def test_what_has_a_certificate_is_true(start: int) -> None:
    """A claim that is false has none; that of a true one is accepted, fast and exactly."""
    by_lines = 0
    for seed in range(start, start + 20):
        claim, weights = claim_beyond_one_head(seed)
        found = enumeration.decide(claim, weights, Limits(), silent)
        data = certificate(claim, weights)
        if data is None or isinstance(found, Empty):
            continue
        assert isinstance(found, Holds), seed
        assert accepted(claim, weights, data), seed
        assert accepted(claim, weights, data, exact=False), seed
        by_lines += b'"lines"' in data
    assert by_lines > 0


@pytest.mark.parametrize("seed", FORMS)
def test_every_change_of_a_certificate_is_caught(seed: int) -> None:
    """Whatever field is changed, left out, doubled or swapped: the audit rejects it, or the proof stands."""
    claim = claim_beyond_one_head(seed)
    lines = written(*claim)
    assert "lines" in json.dumps(lines)
    assert rejected(lines, 40, partial(accepted, *claim), ALSO_HARMLESS) > 20


@pytest.mark.parametrize("seed", FORMS)
def test_no_change_of_a_certificate_proves_what_is_false(seed: int) -> None:
    """The certificate of a true claim, given the hashes of a false one of the same form, is rejected,
    as it is and after any change."""
    proves_nothing_false(*claim_beyond_one_head(seed), 20)
