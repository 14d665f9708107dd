"""Ties on more words than anyone goes through: sums that are exactly zero, in every state."""

from __future__ import annotations

from pathlib import Path

import pytest

from circ.compiler.verdict import Proved, Refuted, Verdict
from circ.runtime.prover import prove
from tests.unit.small_spec import program

SPEC = """
enum Char = { a, b, c, x }
circuit shift() -> real[24] = [
  0.5, 0.5, 0, 0, 0.1, 0.1, 0.5, 0.5, 0.2, 0.2, 0.3, 0.3, 1, 1, 2, 2, 0.7, 0.7, 0.9, 0.9, 3, 3, 4, 4
]
circuit read(s: Char[24]) -> real = dot(
  softmax([ [0.5, 0.5, 0.25, 0.125][y] for y in s ]DIVIDED + shift()),
  [ [1, 0 - 1, 0, 0 - TINY][y] for y in s ]
)
domain Even = { s: Char[24] | s matches (a b | b a | c c)* }
domain More = { s: Char[24] | s matches (a b | b a | c c | a a | a c)* }
domain Last = { s: Char[24] | s matches (a b | c c)* (a b | b a | c b) }
domain OneEnd = { s: Char[24] | s matches (a b)* (a b c c | c c c x) }
domain Other = { s: Char[24] | s matches (a b)* (a b c x | c c c c) }
claim one_end: forall s in OneEnd: read(s) >= 0
claim other:   forall s in Other: read(s) >= 0
claim zero:   forall s in Even: read(s) == 0
claim weak:   forall s in More: read(s) >= 0
claim strict: forall s in More: read(s) > 0
claim less:   forall s in Last: read(s) >= 0
claim either: forall s in Even: read(s) >= 0 or read(s) >= 1
claim best:   forall s in Even: argmax([read(s), 0]) == 0
"""


def verdict(folder: Path, claim: str, divided: str) -> Verdict:
    """What is said of a claim about 24 letters."""
    text = SPEC.replace("DIVIDED", divided).replace("TINY", f"0.{59 * '0'}1")
    found = program(folder, text)
    return prove(found.claim(claim), found.weights)


@pytest.mark.parametrize("divided", ["", " / sqrt(12)"])
class TestTies:
    """Letters that cancel in pairs, with scores that are rational, or over a root."""

    @pytest.mark.parametrize("claim", ["zero", "weak", "either"])
    def test_weak_claims_are_proved(self, tmp_path: Path, claim: str, divided: str) -> None:
        """The sum is zero on 3^12 words and positive elsewhere."""
        found = verdict(tmp_path, claim, divided)
        assert isinstance(found, Proved)
        assert found.margin == (None if claim == "either" else 0)

    @pytest.mark.parametrize("claim", ["strict", "less", "best", "one_end", "other"])
    def test_others_are_refuted(self, tmp_path: Path, claim: str, divided: str) -> None:
        """By a word that ties, or one below zero that few others look like; it fails exactly.

        Of two beginnings with equal sums one alone goes on to a sum of about -10^-60: either may be it.
        """
        found = verdict(tmp_path, claim, divided)
        assert isinstance(found, Refuted)
        assert found.example is not None and found.example.replay.exact
