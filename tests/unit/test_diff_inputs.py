"""`circ diff` of circuits that take several inputs: on domains of several variables, and on several domains."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.unit.specs import Rows, command, save

SPEC = """
enum Char = { a, b, c }
checkpoint m from "model.safetensors" { W: real[Char, 3] }
circuit both(s: Char[2], t: Char[2]) -> real[Char] = m.W @ (m.E[s[0]] + m.E[s[1]] + m.E[t[1]])
circuit moved(s: Char[2], x: real[3]) -> real[Char] = m.W @ (m.E[s[0]] + m.E[s[1]] + x)
circuit named(before: Char[2], alike: Char[2]) -> real[Char] = both(before, alike)
circuit sized[n](s: Char[n], x: real[n]) -> real[Char] = m.W @ m.E[s[0]] * sum(x)
circuit apart(x: real[3]) -> real[3] = x
circuit chosen(x: real[3]) -> Char = argmax(m.W @ x)
circuit constant() -> real[Char] = m.W @ [1, 2, 3]
domain Words = { s: Char[2] }
domain Equal = { s: Char[2], t: Char[2] | s[0] == t[1] }
domain Box = { x: real[3] | 0 <= x <= 0.0625 }
domain Beside = { s: Char[2], x in Box | s[0] != c and x[0] + x[1] <= 0.0625 }
domain Reading = { s: Char[2], t: Char[2] | m.E[s[0]][0] >= m.E[t[0]][1] }
domain Half = { x: real[3] | 0 <= x }
"""

OLD: dict[str, Rows] = {
    "E": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "W": [[1.0, 0.0, 0.25], [0.0, 1.13, 0.0], [0.0, 0.0, 1.27]],
}
NEW: dict[str, Rows] = {**OLD, "W": [[1.0, 0.0, 0.25], [0.0, 1.13, 0.0], [0.0, 0.0, 0.5]]}
"""Another score of `c` for what is in the third place."""

Word = tuple[int, ...]
Compare = Callable[..., tuple[int, str]]


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Compare:
    """The exit code, and what is printed, of the command with these words behind its files."""
    old, new, spec = (tmp_path / name for name in ("old.safetensors", "new.safetensors", "s.circ"))
    save(OLD, old, np.float32)
    save(NEW, new, np.float32)
    spec.write_text(SPEC)

    def run(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = command("diff", old, new, "--spec", spec, *words)
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def largest(weights: dict[str, Rows], features: Any) -> int:
    """What numpy decides."""
    return int(np.argmax(np.array(weights["W"], dtype=np.float32).astype(float) @ features))


def others(*, equal: bool) -> Iterator[tuple[Word, Word]]:
    """The pairs of words that `both` decides otherwise, of all or of those of `Equal`."""
    words = [*product(range(3), repeat=2)]
    for s, t in product(words, words):
        features = np.eye(3)[list(s)].sum(0) + np.eye(3)[t[1]]
        if (not equal or s[0] == t[1]) and largest(OLD, features) != largest(NEW, features):
            yield s, t


@pytest.mark.parametrize("words", [("Equal",), ("Words", "Words")])
@pytest.mark.parametrize("circuit", ["both", "named"])
def test_pairs_of_words_are_counted(compare: Compare, words: tuple[str, ...], circuit: str) -> None:
    """On a domain of two variables, and on two domains: as many as numpy finds, and one of them is shown.

    Whatever a circuit calls its parameters: names that the claim needs itself are no obstacle.
    """
    expected = {*others(equal=words == ("Equal",))}
    on = [word for name in words for word in ("--on", name)]
    code, told = compare("--of", circuit, *on, "--json")
    found = json.loads(told)
    assert (code, found["domain"]) == (1, " × ".join(words))
    assert 0 < found["decisions"]["count"] == len(expected)
    pair = cast("dict[str, list[str]]", found["decisions"]["example"]["input"])
    assert tuple(tuple("abc".index(x) for x in word) for word in pair.values()) in expected


def test_words_stand_beside_boxes(compare: Compare) -> None:
    """What is shown lies in the domain and is decided otherwise; where the third place is never read, all is alike."""
    code, told = compare("--of", "moved", "--on", "Beside", "--json")
    shown = json.loads(told)["decisions"]["example"]["input"]
    s, x = ["abc".index(letter) for letter in shown["s"]], [float(each) for each in shown["x"]]
    assert code == 1
    assert s[0] != 2 and all(0 <= each <= 0.0625 for each in x) and x[0] + x[1] <= 0.0625
    features = np.eye(3)[s].sum(0) + np.array(x)
    assert largest(OLD, features) != largest(NEW, features)
    assert compare("--of", "moved", "--on", "Words", "--on", "Box", "--within", "2")[0] == 0


def test_what_fits_alone_need_not_be_named(compare: Compare) -> None:
    """A circuit of two inputs fits the one domain whose inputs have its variables; several that fit are told."""
    code, told = compare("--of", "moved")
    assert (code, "`moved` on `Beside`" in told) == (1, True)
    code, told = compare()
    assert (code, "E0711" in told) == (4, True)
    assert "`--of moved --on Beside`, or `--of named --on Equal`" in told


WRONG = [
    (
        ("both", "Words"),
        "E0204",
        "`both` takes 2 arguments, and an input of `Words` has 1 variable",
    ),
    (("chosen", "Equal"), "E0204", "takes 1 argument, and an input of `Equal` has 2 variables"),
    (("both", "Equal", "Words"), "E0204", "and inputs of `Equal` and `Words` have 3 variables"),
    (("constant", "Box"), "E0204", "`constant` takes 0 arguments"),
    (("moved", "Box", "Words"), "E0201", "argument `s` of `moved` is `Char[2]`, but this is"),
    (("moved", "Equal"), "E0201", "argument `x` of `moved` is `real[3]`, but this is `Char[2]`"),
    (("sized", "Words", "Box"), "E0201", "the parameter `s` of `sized` is `Char[3]`"),
    (("apart", "Box"), "E0502", "replacing it cannot change `apart`"),
    (("chosen", "Half"), "E0301", "`x` is unbounded"),
    (("both", "Reading"), "E0712", "the domain `Reading` reads `m`, too"),
    (("both", "Words", "Nowhere"), "E0703", "the spec has no domain `Nowhere`"),
]


@pytest.mark.parametrize(("words", "code", "headline"), WRONG)
def test_what_does_not_fit_is_told_of_what_was_given(
    compare: Compare, words: tuple[str, ...], code: str, headline: str
) -> None:
    """Once, with lines of the spec alone: the claim that is written for the question is nobody's text."""
    circuit, *domains = words
    exit, told = compare("--of", circuit, *(word for name in domains for word in ("--on", name)))
    assert exit == 4
    assert f"error[{code}]" in told and headline in told
    assert told.count("error[") == 1
    shown = [
        line.split("|", 1)[1].strip() for line in told.splitlines() if line[:3].strip().isdigit()
    ]
    assert all(line in SPEC.splitlines() for line in shown)
    assert "before" not in told


def test_numbers_of_what_has_none_are_an_error(compare: Compare) -> None:
    """`--within` goes with reals, and the circuit that has none is pointed at."""
    code, told = compare("--of", "chosen", "--on", "Box", "--within", "0.1")
    assert code == 4
    assert "error[E0201]: `within` needs reals, but this is `Char`" in told
    assert "circuit chosen" in told and "claim alike" not in told
