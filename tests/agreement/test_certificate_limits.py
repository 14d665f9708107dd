"""A limit that is reached leaves a claim without a certificate, or a certificate without an audit.

Where it is one of the fast path alone, whole numbers decide instead. None makes an answer wrong.
"""

from __future__ import annotations

from functools import partial
from io import BytesIO
from time import monotonic
from types import ModuleType

import pytest

from circ.compiler.audit import proofs, record, several, slopes, tables
from circ.compiler.audit.audit import audited
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.lines import Bounds, Exact
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.steps import Step
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.runtime.certificates import choices, goal, work
from circ.runtime.certificates import several as several_writer
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.certificates.write import write_certificate
from tests.agreement.certified import (
    accepted,
    certificate,
    false_weights,
    stamped,
    written,
)
from tests.agreement.corruption import joined, records
from tests.agreement.deep_heads import claim_beyond_one_head
from tests.agreement.hard_heads import claim_about_a_hard_head
from tests.agreement.heads import claim_about_a_head

Asked = tuple[Obligation, Weights]

BY_WORDS = partial(claim_about_a_head, 222)
"""Words are gone through one by one."""

BY_CHOICES = partial(claim_about_a_hard_head, 78)
"""A head reads one position, found by its score."""

BY_SPLITS = partial(claim_beyond_one_head, 101)
"""Letters are split, and lines stand for what heads read."""

BY_BOUNDS = partial(claim_beyond_one_head, 313)
"""ReLUs are bounded."""

WRITING = [
    (several_writer, "DEEPEST", 0, BY_SPLITS, "split too often"),
    (goal, "DEEPEST", 0, BY_CHOICES, "split too often"),
    (choices, "MOST_PARTS", 1, BY_CHOICES, "more than 1 parts"),
    (work, "MOST_WORDS", 1, BY_WORDS, "too many words"),
    (tables, "MOST_PARTS", 1, BY_SPLITS, "too many parts"),
    (slopes, "MOST_LAYERS", 0, BY_BOUNDS, "too many layers"),
]
"""Limits of what is written, how low they are made here, a claim that reaches them, and what is said."""

READING = [
    (several, "DEEPEST", 1, BY_SPLITS, "splits too deep"),
    (proofs, "DEEPEST", 1, BY_CHOICES, "splits too deep"),
    (proofs, "MOST_WORDS", 1, BY_WORDS, "too many words"),
]
"""The same of what an audit reads."""

FAST = [(tables, "MOST_PARTS", 1, BY_SPLITS), (slopes, "MOST_LAYERS", 0, BY_BOUNDS)]
"""The same of what an audit computes in float64."""


@pytest.mark.parametrize(("module", "name", "value", "claim", "reason"), WRITING)
def test_what_takes_too_much_has_no_certificate(
    module: ModuleType,
    name: str,
    value: int,
    claim: partial[Asked],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A claim that has a certificate has none once a limit is lower, and the reason names it."""
    assert certificate(*claim()) is not None
    monkeypatch.setattr(module, name, value)
    with pytest.raises(NoCertificate, match=reason):
        write_certificate(*claim(), monotonic() + 60, BytesIO())


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("module", "name", "value", "claim", "reason"), READING)
def test_a_proof_that_takes_too_much_is_rejected(
    module: ModuleType,
    name: str,
    value: int,
    claim: partial[Asked],
    reason: str,
    exact: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A certificate that holds is rejected once a limit is lower, fast and exactly."""
    asked, data = claim(), joined(written(*claim()))
    monkeypatch.setattr(module, name, value)
    with pytest.raises(Rejected, match=reason):
        audited(*asked, BytesIO(data), None if exact else QUICK)


@pytest.mark.parametrize(("module", "name", "value", "claim"), FAST)
def test_what_floats_do_not_hold_whole_numbers_decide(
    module: ModuleType,
    name: str,
    value: int,
    claim: partial[Asked],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where float64 refuses, each step is checked exactly: what is true is accepted, what is false is not."""
    asked, data = claim(), joined(written(*claim()))
    asking: list[Step] = []
    check = Exact.check

    def watched(self: Exact, step: Step, bounds: Bounds, region: Region) -> None:
        asking.append(step)
        check(self, step, bounds, region)

    monkeypatch.setattr(Exact, "check", watched)
    assert accepted(*asked, data, exact=False)
    assert not asking
    monkeypatch.setattr(module, name, value)
    assert accepted(*asked, data, exact=False)
    assert asking, "the limit is not reached"
    false = asked[0], false_weights(*asked)
    assert not accepted(*false, joined(stamped(records(data), *false)), exact=False)


def test_a_line_has_some_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's lines are read up to a limit: a longer one is none."""
    asked, data = BY_WORDS(), joined(written(*BY_WORDS()))
    longest = max(map(len, data.splitlines(keepends=True)))
    monkeypatch.setattr(record, "LONGEST_LINE", longest)
    assert accepted(*asked, data)
    monkeypatch.setattr(record, "LONGEST_LINE", longest - 1)
    with pytest.raises(Rejected, match="a line is too long"):
        audited(*asked, BytesIO(data))
