"""Certificates are written for what is true, and an audit takes nothing else."""

from __future__ import annotations

import json
from array import array
from dataclasses import replace
from functools import partial
from io import BytesIO
from time import monotonic
from typing import cast

import pytest

from circ.compiler.audit.audit import audited
from circ.compiler.audit.rejected import Rejected
from circ.compiler.finding import Empty, Holds, Limits, silent
from circ.runtime.certificates import alternatives
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.certificates.write import write_certificate
from circ.runtime.engines import enumeration
from tests.agreement.certified import accepted, certificate, proves_nothing_false, written
from tests.agreement.corruption import (
    HARMLESS,
    Records,
    at,
    changes,
    joined,
    nudged,
    put,
    rejected,
)
from tests.agreement.heads import claim_about_a_head

CLAIMS = 40
"""In one test."""


@pytest.mark.parametrize("start", [0, pytest.param(CLAIMS, marks=pytest.mark.slow)])
def test_what_has_a_certificate_is_true(start: int) -> None:
    """A claim that is false has none; that of a true one is accepted, fast and exactly.

    All but a few true claims have one: those that a tie decides have none.
    """
    true, certified = 0, 0
    for seed in range(start, start + CLAIMS):
        claim, weights = claim_about_a_head(seed)
        found = enumeration.decide(claim, weights, Limits(), silent)
        data = certificate(claim, weights)
        if data is None or isinstance(found, Empty):
            true += isinstance(found, Holds)
            continue
        assert isinstance(found, Holds), seed
        assert accepted(claim, weights, data), seed
        assert accepted(claim, weights, data, exact=False), seed
        true, certified = true + 1, certified + 1
    assert certified >= 0.7 * true > 5


# --- corruption -----------------------------------------------------------------------------------

FORMS = {
    187: "two classes, each of single comparisons",
    222: "letters split, words gone through one by one",
    116: "conditions about the network, with a word that meets them",
    233: "phases of ReLUs known and assumed",
}
"""Claims by the form of their certificates."""


SOME = [187, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (116, 222, 233))]


@pytest.mark.parametrize("seed", SOME)
def test_every_change_of_a_certificate_is_caught(seed: int) -> None:
    """Whatever field is changed, left out, doubled or swapped: the audit rejects it.

    It takes a change only where the proof still stands, and raising a potential leaves no proof.
    """
    claim = claim_about_a_head(seed)
    assert rejected(written(*claim), 400, partial(accepted, *claim), HARMLESS) > 100


@pytest.mark.parametrize("seed", SOME)
def test_no_change_of_a_certificate_proves_what_is_false(seed: int) -> None:
    """The certificate of a true claim, given the hashes of a false one of the same form, is rejected,
    as it is and after any change."""
    proves_nothing_false(*claim_about_a_head(seed), 100)


def test_a_raised_potential_is_caught() -> None:
    """Each potential is as high as it can be, but for rounding: raised a little, it is no bound."""
    claim, weights = claim_about_a_head(187)
    lines = written(claim, weights)
    raised = 0
    for path, new in changes(cast("object", lines)):
        if path and path[-1] in ("f4", "f8"):
            before = cast("str", at(lines, path))
            for text in nudged(before, str(path[-1])):
                data = joined(cast("Records", put(lines, path, text)))
                assert not accepted(claim, weights, data)
                assert not accepted(claim, weights, data, exact=False)
                raised += 1
            assert new != before
            if raised > 40:
                return
    pytest.fail("there are potentials")


@pytest.mark.parametrize("seed", [187, 222])
def test_an_edge_left_out_is_caught(seed: int) -> None:
    """An automaton accepts every word of its class: none of its edges can be missed."""
    claim, weights = claim_about_a_head(seed)
    lines = written(claim, weights)
    missed = 0
    for k, line in enumerate(lines[1:], 1):
        steps = cast("list[list[list[int]]]", line["steps"])
        for p, step in enumerate(steps):
            for q, row in enumerate(step):
                for c in range(len(row)):
                    if row[c] >= 0:
                        data = joined(cast("Records", put(lines, (k, "steps", p, q, c), -1)))
                        assert not accepted(claim, weights, data)
                        missed += 1
    assert missed > 5


# --- hostile files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b"\xff\xfe\n",
        b'{"format": NaN}\n',
        b"[" * 100_000 + b"\n",
        b'{"a":' * 100_000 + b"\n",
        b'{"format": ' + b"9" * 10_000 + b"}\n",
        b'{"format": "circ certificate 1", "format": "circ certificate 1"}\n',
        b'{"format": "circ certificate 2"}\n',
        b'{"format": 1e999}\n',
    ],
)
def test_a_file_that_is_no_certificate_is_rejected(data: bytes) -> None:
    """Whatever stands in a file, the audit ends with a reason."""
    claim, weights = claim_about_a_head(187)
    with pytest.raises(Rejected):
        audited(claim, weights, BytesIO(data))


def test_splits_without_end_are_rejected() -> None:
    """Splits in splits are followed to some depth only."""
    claim, weights = claim_about_a_head(187)
    lines = written(claim, weights)
    head, tail = joined(lines[:1]), joined(lines[2:])
    text = '{"rows":[[[0],' * 20_000 + "{}" + "]]}" * 20_000
    fields = f'"class":{json.dumps(lines[1]["class"])},"steps":{json.dumps(lines[1]["steps"])}'
    record = f'{{{fields},"proof":{text}}}\n'.encode()
    assert not accepted(claim, weights, head + record + tail)


def test_a_certificate_is_of_one_claim_and_its_weights() -> None:
    """Another claim, another tensor, another expectation: none is what was proved."""
    claim, weights = claim_about_a_head(187)
    lines = written(claim, weights)
    data = joined(lines)
    key = next(iter(weights))
    moved = array("d", [value + 2**-40 for value in weights[key].values])
    others = {**weights, key: replace(weights[key], values=moved)}

    assert accepted(claim, weights, data)
    assert not accepted(claim, others, data)
    assert not accepted(replace(claim, name="d"), weights, data)
    assert not accepted(replace(claim, expects="refuted"), weights, data)


def test_a_writer_gives_up_where_too_many_sets_of_words_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sets of words are split so often and no more, and the reason says so, well before time is up."""
    claim, weights = claim_about_a_head(222)
    assert certificate(claim, weights) is not None
    monkeypatch.setattr(alternatives, "PARTS", 1)
    with pytest.raises(NoCertificate, match="more than 1 sets of words"):
        write_certificate(claim, weights, monotonic() + 60, BytesIO())
