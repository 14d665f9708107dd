"""Claims by lemmas: what the command tells of them, and what it keeps and leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from circ.compiler.aided import ASSUMED, aided
from circ.compiler.builder import Builder
from circ.compiler.finding import Fails, Finding, Limits, Progress
from circ.compiler.ir import Wire
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Refuted, Size, Unknown, outcome
from circ.runtime import prover
from circ.runtime.claims import Claims
from circ.runtime.prover import prove
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from circ.runtime.shares import Engine
from tests.unit.kept import Desk, desk
from tests.unit.obligations import box, less, obligation, pick
from tests.unit.specs import command, write_spec

__all__ = ["desk"]

SPEC = """
circuit f(x: real) -> real = relu(x) + relu(x - 1)
domain Box  = { x: real | -2 <= x <= 2 }
domain Part = { x in Box | x >= 0 }
claim low:            forall x in Box: f(x) >= -1
claim more using low: forall x in Part: f(x) >= -1.5
"""


def test_the_claim_is_asked_by_itself_but_for_its_proof(tmp_path: Path) -> None:
    """What other tools, replays and whoever asks for the claim get is the claim as it is written."""
    program = checked(write_spec(tmp_path, SPEC), Request())
    assert ASSUMED not in program.question("more").at(None).circuit.outputs
    assert ASSUMED in program.aided("more").at(None).circuit.outputs


# --- what engines are asked, and what is believed of them -------------------------------------


def assuming(known: float) -> Obligation:
    """`forall x in [0, 1]: x <= 0.5`, where `x <= known` is assumed."""

    def at_most(bound: float) -> Wire:
        return less(b, pick(b, Wire(0), 0), bound)

    asked = obligation([box("x", (0, 1))], lambda b, wires: less(b, pick(b, wires["x"], 0), 0.5))
    b = Builder(list(asked.circuit.ops), list(asked.circuit.types))
    circuit = b.circuit({**asked.circuit.outputs, ASSUMED: at_most(known)})
    return Obligation(asked.name, "forall", circuit, asked.binders, asked.span)


def test_what_is_assumed_helps_to_prove() -> None:
    """The goal follows from what is assumed, or it does not."""
    assert isinstance(prove(assuming(0.25), {}), Proved)
    assert isinstance(prove(assuming(0.75), {}), Refuted)


def test_an_input_that_denies_a_lemma_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lemma was proved: an input at which the claim fails, and the lemma too, says that something is wrong."""

    def engines(asked: Obligation, *_: object) -> Iterator[Engine]:
        assert ASSUMED not in asked.circuit.outputs
        yield liar

    def liar(_o: Obligation, _w: Weights, _l: Limits, _p: Progress) -> Finding:
        return Fails("liar", (), Size(None, 1), Witness((("x", (1,)),)))

    monkeypatch.setattr(prover, "engines", engines)
    found = prove(assuming(0.25), {})
    assert isinstance(found, Unknown)
    assert "a lemma that was proved is not shown to hold" in found.reason


def test_nothing_is_assumed_of_a_claim_without_lemmas() -> None:
    """It is asked as it is."""
    asked = obligation([box("x", (0, 1))], lambda b, wires: less(b, pick(b, wires["x"], 0), 0.5))
    assert aided(asked) is asked


# --- the command ------------------------------------------------------------------------------


def test_lemmas_are_told_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its verdict, what that trusts, and the same of the inclusion."""
    spec = write_spec(tmp_path, SPEC)
    assert command("prove", spec, "more", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    (lemma,) = found["lemmas"]
    assert (lemma["lemma"], lemma["verdict"], lemma["covers"]["verdict"]) == (
        *("low", "proved", "proved"),
    )
    assert {*lemma["trusted"], *lemma["covers"]["trusted"]} <= {*found["trusted"]}


def test_a_lemma_that_fails_is_not_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The claim is unknown (2), whatever it is; asked together with its lemma, that decides (1)."""
    spec = write_spec(tmp_path, SPEC.replace(">= -1\n", ">= 1\n"))
    assert command("prove", spec, "more") == 2
    assert "the lemma `low` is refuted" in capsys.readouterr().out
    assert command("prove", spec) == 1


def test_a_session_asks_for_lemmas_too(tmp_path: Path) -> None:
    """`prove more` says what it rests on, or what it lacks."""
    path = write_spec(tmp_path, SPEC.replace("Part: f(x)", "{ x: real | 0 <= x <= 3 }: f(x)"))
    session = Session(path, Request(), checked(path, Request()))
    assert "? more: unknown" in session.run("prove more")


@pytest.mark.parametrize("form", ["smt2", "vnnlib", "torch"])
def test_other_tools_get_the_claim_itself(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written is what is written for the same claim without its lemma."""
    spec = write_spec(tmp_path, SPEC)
    assert command("compile", spec, "more", "--to", form) == 0
    aided_text = capsys.readouterr().out
    spec.write_text(SPEC.replace(" using low", " " * len(" using low")))
    assert command("compile", spec, "more", "--to", form) == 0
    told = aided_text.replace("claim more using low:", "claim more :")
    assert capsys.readouterr().out == told


# --- kept verdicts ----------------------------------------------------------------------------


def kept_outcomes(desk: Desk) -> dict[str, str]:
    """The verdict on each claim, from the cache where it is there."""
    program = checked(desk.spec, Request())
    claims = Claims(program, Limits(), desk.folder)
    return {name: outcome(claims.answer(name).verdict) for name in program.typed.scope.claims}


def test_an_unchanged_claim_is_recalled(desk: Desk) -> None:
    """The lemma, the inclusion and what follows are kept each by itself."""
    desk.write(SPEC)
    assert kept_outcomes(desk) == kept_outcomes(desk) == {"low": "proved", "more": "proved"}
    assert desk.decided == ["low", "more in low", "more"]


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("f(x) >= -1\n", "f(x) >= 1\n", ("refuted", "unknown")),
        (
            "low:            forall x in Box",
            "low: forall x in { x in Box | x > 0 }",
            ("proved", "unknown"),
        ),
        ("using low", "using low expects refuted", ("proved", "proved")),
    ],
    ids=["what it says", "where it speaks", "what is expected"],
)
def test_a_changed_lemma_is_asked_again(
    desk: Desk, old: str, new: str, again: tuple[str, str]
) -> None:
    """No verdict that is kept outlives the lemma that it rests on; and back again."""
    desk.write(SPEC)
    before = kept_outcomes(desk)
    assert SPEC.count(old) == 1
    desk.write(SPEC.replace(old, new))
    assert tuple(kept_outcomes(desk).values()) == again
    desk.write(SPEC)
    assert kept_outcomes(desk) == before


# --- certificates -----------------------------------------------------------------------------


def test_a_certificate_is_that_of_all_parts(tmp_path: Path) -> None:
    """The lemma, the inclusion and what follows each leave one, and an audit asks for them all."""
    spec, certs = write_spec(tmp_path, SPEC), tmp_path / "certs"
    assert command("prove", spec, "more", "--certificate", certs) == 0
    assert {path.name for path in certs.iterdir()} == {"low.cert", "more in low.cert", "more.cert"}
    for exact in ([], ["--exact"]):
        assert command("audit", spec, certs, "more", *exact) == 0


@pytest.mark.parametrize("gone", ["low.cert", "more in low.cert"])
def test_none_of_them_may_be_missing(
    gone: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without one of its parts a claim is not shown, which is said of it; others are audited all the same."""
    other = "claim other: forall x in Part: f(x) >= 0 or x < 0.5\n"
    spec, certs = write_spec(tmp_path, SPEC + other), tmp_path / "certs"
    command("prove", spec, "more", "other", "--certificate", certs)
    (certs / gone).unlink()
    capsys.readouterr()
    assert command("audit", spec, certs, "more") == 1
    assert f"{certs / gone}: there is no such file" in capsys.readouterr().out
    assert command("audit", spec, certs) == 1
    said = capsys.readouterr().out
    assert "✗ more: rejected" in said
    assert "✓ other: the certificate holds" in said
    (certs / gone).mkdir()
    assert command("audit", spec, certs, "more") == 1
    assert f"{certs / gone}: it cannot be read" in capsys.readouterr().out


def test_its_own_may_not_be_missing(tmp_path: Path) -> None:
    """A claim that is named has to have one."""
    spec, certs = write_spec(tmp_path, SPEC), tmp_path / "certs"
    command("prove", spec, "more", "--certificate", certs)
    (certs / "more.cert").unlink()
    assert command("audit", spec, certs, "more") == 4
    assert command("audit", spec, certs) == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [("f(x) >= -1\n", "f(x) >= -1.25\n"), (" using low", ""), ("x >= 0 }", "x >= 0.5 }")],
    ids=["the lemma", "that there is one", "the domain"],
)
def test_they_are_about_the_claim_as_it_was(old: str, new: str, tmp_path: Path) -> None:
    """A certificate of what followed from a lemma is none of the claim by itself, nor of another lemma."""
    spec, certs = write_spec(tmp_path, SPEC), tmp_path / "certs"
    command("prove", spec, "more", "--certificate", certs)
    spec.write_text(SPEC.replace(old, new))
    assert command("audit", spec, certs, "more") == 1


def test_no_certificate_is_left_where_a_lemma_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bound that is met exactly has none, and neither has what rests on it."""
    spec, certs = write_spec(tmp_path, SPEC.replace(">= -1\n", ">= 0\n")), tmp_path / "certs"
    assert command("prove", spec, "more", "--certificate", certs) == 0
    assert "no certificate: by the lemma `low`" in capsys.readouterr().out
    assert not certs.exists() or [*certs.iterdir()] == []
