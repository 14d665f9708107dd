"""Specs that are opened from Python answer as the command does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import circ
from circ.compiler.verdict import Proved, Refuted, Unknown

SPEC = """enum Letter = { a, b }
circuit number(s: Letter[3]) -> real = count { c in s | c == a }
claim few expects refuted: forall s in Letter[3]: number(s) <= 2
claim all: forall s in Letter[3]: number(s) <= 3
claim resting using all: forall s in Letter[3]: number(s) <= 4
claim fewer: forall s in Letter[3]: number(s) <= 1
claim unfounded using fewer: forall s in Letter[3]: number(s) <= 4
claim each: forall i in fin[3]: exists s in Letter[3]: s[i] == a and number(s) == 1
claim not_each: forall i in fin[3]: exists s in Letter[3]: number(s) == 3 and s[0] == b
"""


def opened(tmp_path: Path) -> circ.Spec:
    """The spec."""
    (tmp_path / "s.circ").write_text(SPEC)
    return circ.load(tmp_path / "s.circ")


def test_a_claim_rests_on_its_lemmas(tmp_path: Path) -> None:
    """Where a lemma is not proved nothing is known of the claim, true as it is by itself."""
    spec = opened(tmp_path)
    assert isinstance(spec.prove("resting").verdict, Proved)
    assert "using `all`" in str(spec.prove("resting"))
    found = spec.prove("unfounded").verdict
    assert isinstance(found, Unknown)
    assert found.reason == "the lemma `fewer` is refuted"


def test_a_claim_is_asked_at_each_value(tmp_path: Path) -> None:
    """The answer has the table of values; the input that is shown is that of the value that decides."""
    spec = opened(tmp_path)
    answer = spec.prove("each")
    assert isinstance(answer.verdict, Proved)
    assert "forall over 3 values: proved at 3" in str(answer)
    assert isinstance(spec.prove("not_each").verdict, Refuted)


def test_each_value_has_its_input(tmp_path: Path) -> None:
    """Proved of all values, a claim shows no one input; each value has its own, and may be asked alone."""
    spec = opened(tmp_path)
    answer = spec.prove("each")
    assert answer.inputs() == {}
    assert list(answer.values) == ["each[0]", "each[1]", "each[2]"]
    for name, at in answer.values.items():
        alone = spec.prove(name)
        place = int(name[-2])
        assert int(at.inputs()["s"][place]) == 0
        assert np.array_equal(alone.inputs()["s"], at.inputs()["s"])
        assert f"at i = {place}" in str(alone)
    assert spec.prove("all").values == {}


def test_a_value_that_is_not_gone_through_is_no_claim(tmp_path: Path) -> None:
    """Neither one past the last, nor one of a claim without values."""
    spec = opened(tmp_path)
    with pytest.raises(circ.CircError, match=r"no value `each\[3\]`"):
        spec.prove("each[3]")
    with pytest.raises(circ.CircError, match=r"no claim `all\[0\]`"):
        spec.prove("all[0]")


def test_the_input_of_a_refutation_is_given(tmp_path: Path) -> None:
    """As codes: `a` is the first member."""
    answer = opened(tmp_path).prove("few")
    assert [int(code) for code in answer.inputs()["s"]] == [0, 0, 0]


WRONG = """enum Letter = { a, b }
domain Words = { s: Letter[3] }
claim right: forall s in Words: s == s
claim wrong: forall s in Words: s[0] == 1
claim lost: forall s in Word: s == s
"""


def test_a_spec_is_opened_without_errors_or_not_at_all(tmp_path: Path) -> None:
    """All errors are raised at once, those of single claims too; `str`, and so a traceback, shows them with
    their lines and helps, where the command would."""
    (tmp_path / "s.circ").write_text(WRONG)
    with pytest.raises(circ.CircError) as caught:
        circ.load(tmp_path / "s.circ")
    assert [each.code for each in caught.value.diagnostics] == ["E0202", "E0101"]
    first, second = str(caught.value).split("\n\n")
    assert first.startswith("error[E0202]: the two sides of `==`")
    assert "4 | claim wrong: forall s in Words: s[0] == 1" in first
    assert first.endswith("help: a member of `Letter` is called by its name: write `b`")
    assert "did you mean `Words`?" in second
    assert "\x1b" not in str(caught.value)


def test_what_is_asked_wrongly_is_shown_in_its_text(tmp_path: Path) -> None:
    """Of an expression too, and of a claim that is not there."""
    spec = opened(tmp_path)
    with pytest.raises(circ.CircError, match=r"1 \| number\(\[a, a\]\)\n"):
        spec.run("number([a, a])")
    with pytest.raises(circ.CircError, match="help: "):
        spec.prove("al")
