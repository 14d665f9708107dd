"""No text that is nearly a spec makes Circ raise: what is wrong with it is a diagnostic.

`make fuzz` asks the same about as many texts as one likes.
"""

from __future__ import annotations

from collections import Counter

import pytest

from circ.lang.diagnostic import Diagnostic
from circ.lang.render import render
from tests import fuzz
from tests.edited_specs import corpus, words_of


def test_no_edited_spec_makes_the_checker_raise() -> None:
    """Hundreds of texts, the same ones every time."""
    codes, raised = tried(300, decide=False)
    assert not raised
    assert len(codes) > 50


@pytest.mark.slow
def test_engines_agree_about_edited_specs_that_are_right() -> None:
    """Claims that an edit leaves sound to ask, but which nobody meant, are answered twice."""
    codes, raised = tried(500, decide=True)
    assert not raised
    assert codes["none"] > 20


@pytest.mark.slow
def test_none_of_many_edited_specs_makes_the_checker_raise() -> None:
    """Thousands more, which reach nearly every code that a text can earn."""
    codes, raised = tried(10_000, decide=False)
    assert not raised
    assert len(codes) > 85


def test_what_raises_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzing can fail: a checker that raises for one finding is noticed, with the number of a text."""
    shown = render

    def fragile(diagnostic: Diagnostic) -> str:
        if diagnostic.code == "E0201":
            raise ValueError("a type that nobody thought of")
        return shown(diagnostic)

    monkeypatch.setattr(fuzz, "render", fragile)
    _, raised = tried(100, decide=False)
    assert any("nobody thought of" in error for error in raised.values())


def test_words_are_all_of_a_text() -> None:
    """Taking a text apart loses nothing, so that an edit is all that is wrong with it."""
    for written in corpus():
        text = "".join(written.words)
        assert words_of(text) == written.words
    assert words_of('x := 1.5e-3 "a b" # c\n') == (
        "x",
        " ",
        ":=",
        " ",
        "1.5e-3",
        " ",
        '"a b"',
        " ",
        "# c",
        "\n",
    )


def tried(total: int, *, decide: bool) -> tuple[Counter[str], dict[int, str]]:
    """The first texts of a seed."""
    codes, raised = Counter[str](), dict[int, str]()
    for first in range(0, total, fuzz.CHUNK):
        found, failed = fuzz.tried(first, seed=1, total=total, decide=decide)
        codes += found
        raised |= failed
    return codes, raised
