"""Verdicts as text: what is read is what was written, whatever it is."""

from __future__ import annotations

import json
from fractions import Fraction
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.obligation import Witness
from circ.compiler.verdict import Proved, Refuted, Size, Vacuous, Verdict
from circ.runtime.cache.records import Asked, Row, row_of, text_of
from circ.runtime.cache.refused import Damaged, NotKept


def kept(verdict: Verdict) -> Row:
    """A row with this verdict."""
    return Row((Asked(False, None, "a"), Asked(True, 5, "b")), None, verdict, 120.0, 0.25)


@settings(max_examples=40)
@given(st.one_of([st.from_type(kind) for kind in (Proved, Refuted, Vacuous)]))
def test_any_verdict_comes_back(verdict: Verdict) -> None:
    """Every field, of every type that it may have: fractions, floats to the last bit, nothing at all.

    Compared as text, in which 1 is not `True`, 0.0 not -0.0, and a fraction not a number.
    """
    assert repr(row_of(text_of(kept(verdict)))) == repr(kept(verdict))


@pytest.mark.parametrize(
    "verdict",
    [
        Proved("m", (), Size(7**2000), margin=5e-324, closest=Witness((("s", (1, 0)),))),
        Proved("m", ("a", "é", "\ud800", '"\n'), Size(None, 3), margin=-0.0),
        Proved("m", (), Size(None), margin=inf),
        Refuted(
            "m",
            (),
            Size(0),
            None,
            failing=(Witness((("x", (Fraction(-1, 3), 2, Fraction(2))),)),),
        ),
        Vacuous("", ""),
    ],
)
def test_so_do_strange_ones(verdict: Verdict) -> None:
    """Huge numbers, the least float, half a character, a fraction that is whole."""
    assert repr(row_of(text_of(kept(verdict)))) == repr(kept(verdict))


def test_a_number_that_python_does_not_write_is_not_kept() -> None:
    """Python refuses to write whole numbers of more than 4,300 digits."""
    with pytest.raises(NotKept):
        text_of(kept(Proved("m", (), Size(10**5000))))


WRONG = [
    b"",
    b"{",
    b"[]",
    b'{"is":"Size","exact":1,"dimensions":0}',
    b'{"is":"Row"}',
    b'{"is":"Unknown","reason":"","method":""}',
    b'{"is":"Path"}',
    b'{"q":"1/0"}',
    b'{"q":"1/2","is":"Size"}',
    b"[" * 100_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("text", WRONG)
def test_another_text_is_damaged(text: bytes) -> None:
    """What is no verdict that decides is not read as one, and nothing else is raised."""
    with pytest.raises(Damaged):
        row_of(text)


@pytest.mark.parametrize("field", ["asked", "length", "verdict", "timeout", "seconds"])
def test_a_field_is_not_left_out(field: str) -> None:
    """A row says everything, and nothing besides."""
    row = json.loads(text_of(kept(Vacuous("r", "m"))))
    del row[field]
    with pytest.raises(Damaged):
        row_of(json.dumps(row).encode())
    with pytest.raises(Damaged):
        row_of(json.dumps(row | {field: None, "more": 1}).encode())
