"""Claims with a quantifier before their own: what the command tells, keeps and leaves, and what counts."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Literal

import pytest

from circ.compiler.finding import Limits
from circ.compiler.obligation import AtValue, Each, Question, Witness
from circ.compiler.verdict import Outcome, Proved, Refuted, Size, Unknown, Vacuous, Verdict, outcome
from circ.lang.diagnostic import CircError, Diagnostic
from circ.runtime.cache.recall import Answered, Valued
from circ.runtime.claims import Claims
from circ.runtime.each import answered_each, overall
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests.unit.kept import Desk, desk
from tests.unit.obligations import always, obligation, word
from tests.unit.specs import command, write_spec

__all__ = ["desk"]

SPEC = """
enum Char = { letter, single, "/" }
domain D = { s: Char[2] | s[0] != "/" }
claim last:  forall c in Char: exists s in D: s[1] == c
claim first: forall c in Char: exists s in D: s[0] == c
claim same:  forall c in Char: forall s in D: s == s
claim apart: exists c in Char: forall s in D: s[0] != c
"""

EVERY: tuple[Outcome, ...] = ("refuted", "error", "unknown", "vacuous", "proved")

BEST: tuple[Outcome, ...] = ("proved", "error", "unknown", "vacuous", "refuted")

VERDICTS: dict[Outcome, Verdict] = {
    "refuted": Refuted("by hand", (), Size(1), None),
    "unknown": Unknown("open", "by hand"),
    "vacuous": Vacuous("empty", "by hand"),
    "proved": Proved("by hand", (), Size(1)),
}

WRONG = CircError(Diagnostic("E0301", "wrong at this value", None))


def each_of(
    words: tuple[Outcome, ...], quantifier: Literal["forall", "exists"]
) -> tuple[Each, list[Valued]]:
    """A claim whose values have these verdicts."""
    head = replace(obligation([word("i", 1, len(words))], always), quantifier=quantifier)
    asked = Question("c", lambda _: head, lambda _: head)
    values = [Witness((("i", (number,)),)) for number in range(len(words))]
    found = [
        Valued(value, WRONG if each == "error" else Answered(head, VERDICTS[each], 0.0))
        for value, each in zip(values, words, strict=True)
    ]
    return Each(head, tuple(AtValue(value, "", asked) for value in values)), found


@pytest.mark.parametrize("words", [*permutations(EVERY, 2), *permutations(EVERY, 3)])
@pytest.mark.parametrize(("quantifier", "order"), [("forall", EVERY), ("exists", BEST)])
def test_the_first_verdict_of_an_order_counts(
    quantifier: Literal["forall", "exists"], order: tuple[Outcome, ...], words: tuple[Outcome, ...]
) -> None:
    """Wherever it stands. After `forall` the worst does; after `exists` a proof, and the claim is refuted only
    where each value is: what is open at one leaves all open."""
    each, found = each_of(words, quantifier)
    first = min(words, key=order.index)
    if first == "error":
        with pytest.raises(CircError):
            overall("c", each, found)
    else:
        assert outcome(overall("c", each, found)[1]) == first


TIES = """
domain B = { x: real[2] | -1 <= x <= 1 }
claim every:  forall i in fin[2]: exists x in B: argmax(0 * x) == i
claim single: forall i in fin[2] where i == 1: exists x in B: argmax(0 * x) == i
claim clear:  forall i in fin[2]: exists x in B: argmax(x) == i
claim none:   exists i in fin[2]: forall x in B: argmax(0 * x) == i
claim neither: exists i in fin[2]: forall x in B: argmax(x) == i
"""


def test_values_share_one_choice(tmp_path: Path) -> None:
    """[0, 0] has one argmax, whichever it is: not both, and not neither. Inputs without a tie, and one input
    with a tie, do decide."""
    claims = Claims(checked(write_spec(tmp_path, TIES), Request()), Limits())
    found = {
        name: outcome(claims.answer(name).verdict) for name in claims.program.typed.scope.claims
    }
    assert found == {
        "every": "unknown",
        "single": "proved",
        "clear": "proved",
        "none": "unknown",
        "neither": "refuted",
    }


def test_no_value_is_no_claim() -> None:
    """Where all are left out, nothing is claimed."""
    each, found = each_of((), "forall")
    assert isinstance(overall("c", each, found)[1], Vacuous)


def test_what_is_open_is_asked_again_with_the_time_that_is_left() -> None:
    """The first time each value has an even share; what decides sooner leaves its time to others."""
    each, _ = each_of(("unknown", "proved"), "forall")
    given: list[float] = []

    def ask(question: Question, limits: Limits) -> Answered:
        given.append(limits.timeout)
        verdict = VERDICTS["unknown" if len(given) == 1 else "proved"]
        return Answered(question.at(None), verdict, 0.0)

    found = answered_each(each, ask, Limits(timeout=100))
    assert [one.outcome for one in found] == ["proved", "proved"]
    assert given[0] <= 50 < given[1]
    assert given[2] > 50


def test_a_stop_ends_it() -> None:
    """No value is looked at after the one at which the user stopped, nor asked again."""
    each, _ = each_of(("unknown", "proved", "proved"), "forall")
    asked: list[Question] = []

    def ask(question: Question, _limits: Limits) -> Answered:
        asked.append(question)
        return Answered(question.at(None), Unknown("stopped", "by hand", interrupted=True), 0.0)

    found = answered_each(each, ask, Limits())
    assert len(asked) == 1
    assert [one.outcome for one in found] == ["unknown"] * 3


# --- the command ------------------------------------------------------------------------------


def test_every_value_is_told_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the names of members, each with its verdict and evidence; and the value whose evidence is shown."""
    spec = write_spec(tmp_path, SPEC)
    assert command("prove", spec, "first", "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    assert (found["verdict"], found["outer"], found["at"]) == ("refuted", "forall", {"c": ["/"]})
    told = [(one["at"]["c"][0], one["verdict"]) for one in found["values"]]
    assert told == [("letter", "proved"), ("single", "proved"), ("/", "refuted")]
    assert found["values"][0]["example"]["input"]["s"][0] == "letter"


def test_it_is_expected_as_a_whole(tmp_path: Path) -> None:
    """`expects refuted` is met by one value that is."""
    spec = write_spec(tmp_path, SPEC.replace("first:", "first expects refuted:"))
    assert command("prove", spec, "first") == 0
    assert command("prove", spec) == 0


def test_a_session_decides_it(tmp_path: Path) -> None:
    """By name; a formula of a session has one quantifier."""
    path = write_spec(tmp_path, SPEC)
    session = Session(path, Request(), checked(path, Request()))
    assert "forall over 3 values: proved at 2, refuted at 1" in session.run("prove first")
    assert "E0015" in session.run("forall i in fin[2]: exists s in D: s[i] == single")


@pytest.mark.parametrize("form", ["smt2", "vnnlib", "torch"])
def test_it_is_not_one_claim_of_another_format(form: str, tmp_path: Path) -> None:
    """It is as many as there are values, and refused."""
    assert command("compile", write_spec(tmp_path, SPEC), "same", "--to", form) == 4


def test_its_witness_has_no_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A script is of one claim; that is told, and the verdict stands."""
    spec = write_spec(tmp_path, SPEC)
    assert command("prove", spec, "last", "--repro", tmp_path / "scripts") == 0
    assert "no script: it is a claim for each of several values" in capsys.readouterr().out


# --- kept verdicts ----------------------------------------------------------------------------


def test_verdicts_are_kept_value_by_value(desk: Desk) -> None:
    """An unchanged value is not decided again; one that is another is."""

    def outcomes() -> list[str]:
        claims = Claims(checked(desk.spec, Request()), Limits(), desk.folder)
        return [one.outcome for one in claims.answer("first").values]

    desk.write(SPEC)
    assert outcomes() == outcomes() == ["proved", "proved", "refuted"]
    assert desk.decided == ["first[0]", "first[1]", "first[2]"]
    desk.write(SPEC.replace("s[0] == c", "s[0] == c and s[0] != letter"))
    assert outcomes() == ["refuted", "proved", "refuted"]
    desk.write(SPEC)
    assert outcomes() == ["proved", "proved", "refuted"]


# --- certificates -----------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    """The files of a folder, if it is there."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_each_value_leaves_a_certificate(tmp_path: Path) -> None:
    """Numbered as the values are, and asked for by an audit; after `exists` that of one value."""
    spec, certs = write_spec(tmp_path, SPEC), tmp_path / "certs"
    assert command("prove", spec, "same", "apart", "--certificate", certs) == 0
    assert names(certs) == ["apart[2].cert", "same[0].cert", "same[1].cert", "same[2].cert"]
    for exact in ([], ["--exact"]):
        assert command("audit", spec, certs, "same", "apart", *exact) == 0


def test_no_value_goes_without(tmp_path: Path) -> None:
    """One that has none, or that of another value, is not shown."""
    spec, certs = write_spec(tmp_path, SPEC), tmp_path / "certs"
    command("prove", spec, "same", "apart", "--certificate", certs)
    (certs / "apart[2].cert").rename(certs / "apart[0].cert")
    assert command("audit", spec, certs, "apart") == 1
    (certs / "same[1].cert").write_bytes((certs / "same[0].cert").read_bytes())
    assert command("audit", spec, certs, "same") == 1
    (certs / "same[1].cert").unlink()
    assert command("audit", spec, certs, "same") == 4


def test_what_is_refuted_leaves_none(tmp_path: Path) -> None:
    """Not of the values either at which it was proved, nor what an earlier proof left."""
    spec, certs = write_spec(tmp_path, SPEC.replace("D: s[0] == c", "D: s[1] == c")), tmp_path / "c"
    command("prove", spec, "first", "--certificate", certs)
    assert len(names(certs)) == 3
    spec.write_text(SPEC)
    command("prove", spec, "first", "--certificate", certs)
    assert names(certs) == []
