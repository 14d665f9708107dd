"""Claims with a quantifier before their own: what the command tells, keeps and leaves, and what counts."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Literal

import pytest
import torch

from circ.compiler.driver import MOST_TRIED, check
from circ.compiler.finding import Limits
from circ.compiler.obligation import AtValue, Each, Question, Witness
from circ.compiler.stored import Files
from circ.compiler.verdict import Outcome, Proved, Refuted, Size, Unknown, Vacuous, Verdict, outcome
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.span import Source
from circ.runtime.cache.recall import Answered, Valued
from circ.runtime.claims import Claims
from circ.runtime.each import answered_each, overall
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests.unit.kept import Desk, desk
from tests.unit.obligations import always, obligation, word
from tests.unit.specs import command, write_spec
from tests.unit.test_torch_text_hostile import run_script

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


@pytest.mark.parametrize("units", [MOST_TRIED, MOST_TRIED + 1])
def test_what_is_wrong_at_a_value_is_told_with_it(units: int, tmp_path: Path) -> None:
    """Before anything is decided, where there are few values; else where that value is."""
    text = f"""
circuit net(x: real[{units}]) -> real {{
  let hidden = relu(x)
  return sum(hidden)
}}
claim c: forall i in fin[{units}]: exists x in {{ x: real[{units}] | 0 <= x <= 1 }}:
  net(x) do {{ hidden[i] := 0, hidden[30] := 1 }} > 2
"""
    program = check(Source("spec.circ", text), Files(tmp_path), {})
    found = [*program.diagnostics]
    if units > MOST_TRIED:
        each = program.each("c")
        assert found == []
        assert each is not None
        with pytest.raises(CircError) as raised:
            each.values[30].question.at(None)
        found = [*raised.value.diagnostics]
    assert [one.code for one in found] == ["E0503"]
    assert [label.text for label in found[0].why] == ["also edits it", "at i = 30"]


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
    """By name, which a claim may be given there too; a formula by itself has one quantifier."""
    path = write_spec(tmp_path, SPEC)
    session = Session(path, Request(), checked(path, Request()))
    assert "forall over 3 values: proved at 2, refuted at 1" in session.run("prove first")
    asked = "forall i in fin[2]: exists s in D: s[i] == single"
    for line in (asked, f"prove {asked}"):
        said = session.run(line)
        assert "error[E0015]: only a claim with a name has a quantifier before another" in said
        assert "`claim c: forall i in fin[2]: exists …`" in said
    assert "inside a condition" in session.run(
        "forall i in fin[2]: not exists s in D: s[i] == single"
    )
    session.run(f"claim found: {asked}")
    assert "✓ found: proved" in session.run("prove found")


NET = """
circuit net(x: real[3]) -> real {
  let hidden = relu(x)
  return hidden[0] - hidden[1]
}
domain Box = { x: real[3] | 0 <= x <= 1 }
claim needed: forall i in fin[3] where i != 1: exists x in Box: (net(x) do { hidden[i] := 2 }) >= net(x) + 1
claim kept:   forall i in fin[3]: forall x in Box: net(x) do { hidden[i] := 0 } == net(x) within 2
claim none:   forall i in fin[3] where i != i: forall x in Box: net(x) == 0
"""


@pytest.mark.parametrize("form", ["smt2", "vnnlib", "vnnlib2", "onnx", "torch"])
def test_it_is_written_value_by_value(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One value has the text that it has among all of them; they keep their numbers where some are left out."""
    spec, folder = write_spec(tmp_path, NET), tmp_path / "all" / "of them"
    assert command("compile", spec, "needed", "--to", form, "--out", folder) == 0
    there = sorted(folder.iterdir())
    assert [path.stem for path in there] == ["needed[0]", "needed[2]"]
    for path in there:
        one = tmp_path / path.name
        assert command("compile", spec, path.stem, "--to", form, "--out", one) == 0
        if form != "torch":  # which names the files of tensors as seen from its own
            assert one.read_bytes() == path.read_bytes()
    assert there[0].read_bytes() != there[1].read_bytes()
    capsys.readouterr()
    assert command("compile", spec, "needed", "--to", form, "--out", folder) == 4
    assert "E0650" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "needed",
            "name a folder for all 2 of them (`--out`), or one: `needed[0]` is that at i = 0",
        ),
        ("needed[1]", "it has `needed[0]` to `needed[2]`"),
        ("needed[02]", "the claim `needed` has no value `needed[02]`"),
        ("needed[0, 2]", "the claim `needed` has no value `needed[0, 2]`"),
        ("none", "it is a claim for each of several values"),
    ],
)
def test_one_file_is_of_one_value(
    words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is one that it goes through, by its number."""
    assert command("compile", write_spec(tmp_path, NET), words, "--to", "smt2") == 4
    assert said in capsys.readouterr().err


def test_a_module_is_that_of_its_value(tmp_path: Path) -> None:
    """With its edit at the place of the value, and not at that of the first."""
    spec = write_spec(tmp_path, NET)
    command("compile", spec, "needed", "--to", "torch", "--out", tmp_path)
    x = torch.tensor([[0.0, 0.0, 0.0]], dtype=torch.float64)
    found = [
        runpy.run_path(str(tmp_path / f"needed[{i}].py"))["Needed"]()(x)["goal"] for i in (0, 2)
    ]
    assert [bool(goal) for goal in found] == [True, False]


def test_each_input_that_is_shown_has_a_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the values where one was found; it is of the claim at that value."""
    spec, folder = write_spec(tmp_path, NET), tmp_path / "scripts"
    assert command("prove", spec, "needed", "--repro", folder) == 1
    assert "replayed with PyTorch alone by" in capsys.readouterr().out
    assert names(folder) == ["needed[0].py"]
    assert run_script(folder / "needed[0].py").endswith("\nas Circ found\n")
    assert "at i = 0." in (folder / "needed[0].py").read_text()
    assert command("prove", spec, "needed", "--repro", folder) == 4
    assert "E0650" in capsys.readouterr().err
    assert command("prove", spec, "--repro", folder, "--force", "--json") == 1
    told = {claim["claim"]: claim for claim in json.loads(capsys.readouterr().out)["claims"]}
    first, second = told["needed"]["values"]
    assert (first["repro"], first["reproduced"]) == (str(folder / "needed[0].py"), True)
    assert "repro" not in second
    assert first["claim"] == "needed[0]"


def test_several_scripts_are_told_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A witness of each value, in files that other claims have no names for."""
    spec = write_spec(tmp_path, SPEC)
    assert command("prove", spec, "last", "--repro", tmp_path / "scripts") == 0
    assert "by 3 files, " in capsys.readouterr().out
    assert names(tmp_path / "scripts") == ["last[0].py", "last[1].py", "last[2].py"]
    for path in (tmp_path / "scripts").iterdir():
        assert run_script(path).endswith("\nas Circ found\n")


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


PLACED = """
enum Unit = { first, second }
circuit place(u: Unit) -> Unit = match u { first => first, second => second }
circuit net(x: real[2]) -> real {
  let hidden = relu(x)
  return hidden[0]
}
domain Box = { x: real[2] | 0 <= x <= 1 }
claim needed: forall u in Unit: exists x in Box: net(x) do { hidden[place(u)] := 2 } >= 2
"""


def test_a_verdict_is_kept_with_the_place_of_its_edit(desk: Desk) -> None:
    """Where the edit is made is a part of what is asked, though the claim is written alike."""

    def outcomes(text: str) -> list[str]:
        desk.write(text)
        claims = Claims(checked(desk.spec, Request()), Limits(), desk.folder)
        return [one.outcome for one in claims.answer("needed").values]

    assert outcomes(PLACED) == outcomes(PLACED) == ["proved", "refuted"]
    assert desk.decided == ["needed[0]", "needed[1]"]
    moved = PLACED.replace("first => first, second => second", "first => second, second => first")
    assert outcomes(moved) == ["refuted", "proved"]


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
    assert command("audit", spec, certs, "same") == 1


def test_what_is_refuted_leaves_none(tmp_path: Path) -> None:
    """Not of the values either at which it was proved, nor what an earlier proof left."""
    spec, certs = write_spec(tmp_path, SPEC.replace("D: s[0] == c", "D: s[1] == c")), tmp_path / "c"
    command("prove", spec, "first", "--certificate", certs)
    assert len(names(certs)) == 3
    spec.write_text(SPEC)
    command("prove", spec, "first", "--certificate", certs)
    assert names(certs) == []
