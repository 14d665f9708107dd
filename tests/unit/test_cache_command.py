"""Kept verdicts on the command line: what is said of them, and who does without."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from circ.runtime.cache import recall
from circ.runtime.cache.recall import Keeping
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests.unit.kept import Desk, desk
from tests.unit.specs import DETECTOR, command, write_spec

__all__ = ["desk"]


def test_a_recalled_verdict_says_so(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """The time is that of the first look; all else is told as then, and so is the exit code."""
    codes = [command("prove", desk.spec, "fails") for _ in range(2)]
    said = capsys.readouterr()
    lines = said.out.splitlines()
    first, second = lines[: len(lines) // 2], lines[len(lines) // 2 :]

    assert codes == [1, 1]
    assert desk.decided == ["fails"]
    assert second[0].startswith("✗ fails: refuted  (from the cache, first decided in ")
    assert len(first) > 3
    assert second[1:] == first[1:]
    assert said.err == ""


def test_data_say_so_too(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` has `cached`, and the seconds of the first look."""
    found: list[dict[str, object]] = []
    for _ in range(2):
        assert command("prove", desk.spec, "holds", "--json") == 0
        found += json.loads(capsys.readouterr().out)["claims"]
    first, second = found
    took = first.pop("seconds")

    assert first.pop("cached") is False
    assert second.pop("cached") is True
    assert second.pop("decided_in") == took
    del second["seconds"]
    assert first == second


def test_verdicts_lie_beside_the_spec(desk: Desk) -> None:
    """In a folder that git leaves alone."""
    command("prove", desk.spec, "holds")

    assert desk.file.exists()
    assert (desk.folder / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_is_not_hidden(desk: Desk, tmp_path: Path) -> None:
    """Only a folder that is made for verdicts is hidden from git."""
    mine = tmp_path / "mine"
    mine.mkdir()
    command("prove", desk.spec, "holds", "--cache", mine)

    assert [path.name for path in mine.iterdir()] == [desk.file.name]


@pytest.mark.parametrize("how", ["option", "variable"])
def test_they_may_lie_elsewhere(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """`--cache DIR`, or CIRC_CACHE."""
    there, words = tmp_path / "deep" / "there", list[str | Path]()
    if how == "option":
        words = ["--cache", there]
    else:
        monkeypatch.setenv("CIRC_CACHE", str(there))
    for _ in range(2):
        command("prove", desk.spec, "holds", *words)

    assert desk.decided == ["holds"]
    assert there.is_dir()
    assert not desk.folder.exists()


@pytest.mark.parametrize("how", ["option", "variable"])
def test_one_may_do_without(desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """`--no-cache`, or CIRC_NO_CACHE: verdicts are neither believed nor kept."""
    command("prove", desk.spec, "holds")
    before = desk.file.read_bytes()
    words = ["--no-cache", "--cache", str(desk.folder)] if how == "option" else []
    if how == "variable":
        monkeypatch.setenv("CIRC_NO_CACHE", "1")
    command("prove", desk.spec, "holds", "found", *words)

    assert desk.decided == ["holds", "holds", "found"]
    assert desk.file.read_bytes() == before


def test_what_goes_wrong_is_a_note(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """One for all claims, apart from the answer; the exit code is that of the claims."""
    desk.folder.write_text("mine")
    assert command("prove", desk.spec, "holds", "found") == 0
    said = capsys.readouterr()

    assert "note" not in said.out
    assert said.err.count("note: no verdict is kept: ") == 1


def test_a_recalled_proof_has_its_certificate(desk: Desk, tmp_path: Path) -> None:
    """A certificate is made when it is asked for, whoever decided the claim."""
    proofs = tmp_path / "proofs"
    command("prove", desk.spec, "holds", "short")
    assert command("prove", desk.spec, "holds", "short", "--certificate", proofs) == 0

    assert desk.decided == ["holds", "short"]
    assert command("audit", desk.spec, proofs, "holds", "short", "--strict") == 0


def test_a_patch_is_proved_anew(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written to a checkpoint is proved then and there, and nothing of it is kept."""

    def asked(*_: object) -> None:
        raise AssertionError("a patch asked for kept verdicts")

    monkeypatch.setattr(recall, "slot_of", asked)
    spec = write_spec(desk.spec.parent, DETECTOR)
    out = spec.parent / "patched.safetensors"

    assert command("patch", spec, "sink", "--out", out) == 0
    assert out.exists()
    assert not desk.folder.exists()


class TestSessions:
    """The REPL keeps verdicts as well."""

    def session(self, desk: Desk) -> Session:
        """A new one."""
        request = Request()
        return Session(desk.spec, request, checked(desk.spec, request), keeping=Keeping())

    def test_recall_claims_and_formulas(self, desk: Desk) -> None:
        """A claim by its name, or one that is typed; also what `circ prove` decided."""
        command("prove", desk.spec, "holds")
        typed = "prove forall s in Words: votes(s)[inside] <= 3"
        said = [self.session(desk).run(line) for line in ("prove holds", typed, typed)]

        assert desk.decided == ["holds", "forall s in Words: votes(s)[inside] <= 3"]
        assert ["from the cache" in text for text in said] == [True, False, True]

    def test_recall_what_was_found(self, desk: Desk) -> None:
        """An input that was found is a running example again."""
        line = "find s in Words where votes(s)[inside] >= 3"
        first, second = self.session(desk), self.session(desk)

        assert first.run(line) == second.run(line)
        assert "exact    [quote, quote, quote]" in second.run("s")
        assert len(desk.decided) == 1

    def test_tell_what_goes_wrong(self, desk: Desk) -> None:
        """A note stands below the verdict."""
        desk.folder.write_text("mine")

        assert "note: no verdict is kept: " in self.session(desk).run("prove holds")

    def test_keep_them_from_a_pipe(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """`circ repl` has the options of `circ prove`."""
        for words in ([], [], ["--no-cache"]):
            lines = io.TextIOWrapper(io.BytesIO(b"prove holds\n"))
            monkeypatch.setattr("sys.stdin", lines)
            assert command("repl", desk.spec, *words) == 0

        assert desk.decided == ["holds", "holds"]
        assert capsys.readouterr().out.count("from the cache") == 1
