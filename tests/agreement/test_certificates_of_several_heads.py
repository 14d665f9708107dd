"""Certificates beyond one head are written for what is true, and an audit takes nothing else."""

from __future__ import annotations

import pytest

from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.finding import Empty, Holds, Limits, silent
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.runtime.engines import enumeration
from tests.agreement.deep_heads import claim_beyond_one_head
from tests.agreement.test_certificates import (
    HARMLESS,
    Records,
    accepted,
    certificate,
    changed,
    false_weights,
    joined,
    name_of,
    records,
    unordered,
)

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


def true_claim(seed: int) -> tuple[Obligation, Weights, Records]:
    """A claim with its certificate, which has lines."""
    claim, weights = claim_beyond_one_head(seed)
    data = certificate(claim, weights)
    assert data is not None
    assert b'"lines"' in data
    assert accepted(claim, weights, data)
    return claim, weights, records(data)


@pytest.mark.parametrize("seed", FORMS)
def test_every_change_of_a_certificate_is_caught(seed: int) -> None:
    """Whatever field is changed, left out, doubled or swapped: the audit rejects it, or the proof stands."""
    claim, weights, lines = true_claim(seed)
    caught = 0
    for (path, new), data in changed(lines, 40):
        if accepted(claim, weights, data):
            in_another_order = unordered(records(data)) == unordered(lines)
            assert name_of(path) in ALSO_HARMLESS or in_another_order, (path, new)
            assert accepted(claim, weights, data, exact=False), (path, new)
        else:
            caught += 1
    assert caught > 20


@pytest.mark.parametrize("seed", FORMS)
def test_no_change_of_a_certificate_proves_what_is_false(seed: int) -> None:
    """The certificate of a true claim, given the hashes of a false one of the same form, is rejected,
    as it is and after any change."""
    claim, weights, lines = true_claim(seed)
    false = false_weights(claim, weights)
    stamped: dict[str, object] = {
        **lines[0],
        "obligation": obligation_digest(claim),
        "tensors": tensor_digests(claim, false),
    }
    lines = [stamped, *lines[1:]]
    assert not accepted(claim, false, joined(lines))
    for change, data in changed(lines, 20):
        assert not accepted(claim, false, data), change
        assert not accepted(claim, false, data, exact=False), change
