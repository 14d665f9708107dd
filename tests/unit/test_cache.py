"""Verdicts that are kept: an unchanged claim is not decided twice, and any change is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from circ.compiler.finding import Limits
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.verdict import Example, Proved, Refuted, Replay, Size, Unknown, outcome
from circ.runtime import answer
from circ.runtime.cache import engine, recall, table
from circ.runtime.cache.recall import answered
from circ.runtime.cache.refused import NotKept
from circ.runtime.session import Request, checked
from tests.unit import specs
from tests.unit.kept import CLAIMS, SPEC, WEIGHTS, Desk, always, desk

__all__ = ["desk"]


class TestWhatIsUnchanged:
    """The second time, a claim costs a look."""

    @pytest.mark.parametrize("claim", CLAIMS)
    def test_is_recalled_as_it_was(self, desk: Desk, claim: str) -> None:
        """Every kind of verdict comes back with all its evidence, and no engine is asked."""
        first, second = desk.ask(claim), desk.ask(claim)

        assert desk.decided == [claim]
        assert second.verdict == first.verdict
        assert second.obligation.length == first.obligation.length
        assert (first.first, second.first) == (None, first.seconds)
        assert first.notes == second.notes == ()

    def test_has_verdicts_of_all_kinds(self, desk: Desk) -> None:
        """What is recalled here are proofs, refutations and claims about nothing."""
        assert {outcome(desk.ask(claim).verdict) for claim in CLAIMS} == {
            *("proved", "refuted", "vacuous"),
        }

    def test_may_lie_elsewhere(self, desk: Desk) -> None:
        """Nothing says where the files are: a folder that was moved still has its verdicts."""
        desk.ask("longer")
        moved = desk.spec.parent.rename(desk.spec.parent.with_name("elsewhere"))
        desk.spec = moved / desk.spec.name
        desk.ask("longer")

        assert desk.decided == ["longer"]

    def test_may_stand_elsewhere_in_the_spec(self, desk: Desk) -> None:
        """Other claims, comments and places say nothing of a claim."""
        desk.ask("fails")
        desk.write("# More.\n\n" + SPEC.replace("claim none:     exists", "claim none: forall"))
        desk.ask("fails")

        assert desk.decided == ["fails"]

    def test_is_asked_of_another_time_limit(self, desk: Desk) -> None:
        """What was decided on the whole domain stays so, however much time there is."""
        for seconds in (120.0, 0.0, 500.0):
            desk.ask("fails", Limits(timeout=seconds))

        assert desk.decided == ["fails"]

    def test_is_decided_anew_where_more_time_may_show_more(self, desk: Desk) -> None:
        """A refutation that does not count what fails may find worse inputs in more time."""
        for seconds in (60.0, 30.0, 90.0, 90.0):
            desk.ask("boxed", Limits(timeout=seconds))

        assert desk.decided == ["boxed", "boxed"]


CHANGES: dict[str, tuple[str, Callable[[Desk], None]]] = {
    "a weight": ("holds", lambda desk: desk.write(score=[[0.25, 0.0], [0.0, 1.5]])),
    "a weight of what is counted": (
        "counted",
        lambda desk: desk.write(score=[[0.25, 2.0], [0.0, 1.0]]),
    ),
    "a weight's sign of zero": ("holds", lambda desk: desk.write(score=[[0.25, -0.0], [0.0, 1.0]])),
    "the claim": ("holds", lambda desk: swap(desk, "[inside] <= most", "[inside] < most")),
    "its name": ("holds", lambda desk: swap(desk, "holds:", "holds_so: ")),
    "its quantifier": ("none", lambda desk: swap(desk, "none:     exists", "none: forall")),
    "what it expects": ("holds", lambda desk: swap(desk, "holds:", "holds expects refuted:")),
    "a bound of its domain": ("boxed", lambda desk: swap(desk, "-1 <= x <= 1", "-1 <= x <= 2")),
    "the length of a word": (
        "holds",
        lambda desk: swap(desk, "Words  = { s: Char[3]", "Words = { s: Char[4]"),
    ),
    "the longest word": ("short", lambda desk: swap(desk, "Char[1..4]", "Char[1..5]")),
    "all lengths to some": ("endless", lambda desk: swap(desk, "Char[1..]", "Char[1..8]")),
    "a member's name": ("holds", lambda desk: swap(desk, "quote }", "dash }")),
    "a param": ("holds", lambda desk: swap(desk, "most = 3", "most = 2")),
    "what is counted": ("counted", lambda desk: swap(desk, "[inside] >= 2 }", "[inside] > 1 }")),
    "the number of what is counted": ("counted", lambda desk: swap(desk, "} == 4", "} == 5")),
    "the place of an arm": ("armed", lambda desk: swap(desk, "param most", "\nparam most")),
}


def swap(desk: Desk, old: str, new: str) -> None:
    """Change one place of the spec."""
    assert SPEC.count(old) == 1
    desk.write(SPEC.replace(old, new))


class TestWhatChanged:
    """A verdict is that of one question, one set of tensors and one engine."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_is_decided_anew(self, desk: Desk, change: str) -> None:
        """Whatever changes, the verdict is the one that a first look gives; and back again."""
        claim, make = CHANGES[change]
        before = desk.ask(claim).verdict
        make(desk)
        name = "holds_so" if change == "its name" else claim
        after = desk.ask(name)
        program = checked(desk.spec, Request())
        _, right = answer.answer(program.question(name), program.weights, Limits())
        desk.write()
        again = desk.ask(claim)

        assert desk.decided == [claim, name]
        assert after.verdict == right
        assert again.verdict == before

    def test_is_a_param_that_the_command_line_sets(self, desk: Desk) -> None:
        """Each value has its own verdict."""
        found = [outcome(desk.ask("holds", most=value).verdict) for value in (3, 2, 3, 2)]

        assert found == ["proved", "refuted", "proved", "refuted"]
        assert desk.decided == ["holds", "holds"]

    def test_is_another_checkpoint(self, desk: Desk) -> None:
        """A file that is put in a checkpoint's place is known by its tensors, not by its name."""
        other = specs.write_spec(
            folder_in(desk, "other"), SPEC, WEIGHTS | {"score": [[0, 0], [0, 2]]}
        )
        for file in ("model.safetensors", "model.safetensors"):
            program = checked(desk.spec, Request({}, {"m": other.parent / file}))
            question = program.question("holds")
            desk.ask("holds")
            found = answered(question, program.weights, Limits(), folder=desk.folder)

            assert outcome(found.verdict) == "refuted"
        assert desk.decided == ["holds", "holds"]

    @pytest.mark.parametrize(
        "limits", [Limits(words=7), Limits(few=7), Limits(listed=2), Limits(first=True)]
    )
    def test_is_a_limit_other_than_time(self, desk: Desk, limits: Limits) -> None:
        """Limits say which engine is asked, and how much is listed."""
        desk.ask("fails")
        desk.ask("fails", limits)

        assert desk.decided == ["fails", "fails"]

    def test_is_a_length_that_was_asked_on_the_way(self, desk: Desk) -> None:
        """A claim about several lengths rests on each that was looked at, not on the shortest alone."""
        program = checked(desk.spec, Request())
        asked, other = (program.question(name) for name in ("short", "longer"))

        def at(length: int | None) -> Obligation:
            return replace(other.at(length), name="short") if length == 3 else asked.at(length)

        mixed = replace(asked, at=at)
        for question in (asked, mixed):
            found = answered(question, program.weights, Limits(), folder=desk.folder)

        assert desk.decided == ["short", "short"]
        assert outcome(found.verdict) == "refuted"

    def test_is_the_source_of_circ(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """No verdict of another engine is believed."""
        desk.ask("holds")
        for name in ("own_version", "engine_version"):
            monkeypatch.setattr(recall, name, always("another"))
        desk.ask("holds")

        assert desk.decided == ["holds", "holds"]


def folder_in(desk: Desk, name: str) -> Path:
    """A new folder beside the spec."""
    found = desk.spec.parent / name
    found.mkdir()
    return found


class TestWhatIsNotKept:
    """Only what is decided, by the Circ that says so."""

    def test_is_the_unknown(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """A claim that was given up is decided when there is time."""
        obligation = checked(desk.spec, Request()).claim("holds")
        with monkeypatch.context() as stuck:
            open_still = obligation, Unknown("time ran out", "an engine")
            stuck.setattr(recall, "answer", always(open_still))
            desk.ask("holds")

        assert not desk.file.exists()
        assert outcome(desk.ask("holds").verdict) == "proved"

    def test_is_a_refutation_that_somebody_stopped(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever asks again wants the rest of what fails."""
        found = desk.ask("fails", folder=folder_in(desk, "other"))
        assert isinstance(found.verdict, Refuted)
        stopped = replace(found.verdict, interrupted=True)
        monkeypatch.setattr(recall, "answer", always((found.obligation, stopped)))
        desk.ask("fails")

        assert not desk.file.exists()

    def test_is_what_a_changed_source_decided(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where files change after they were loaded, nobody knows which of them decided."""
        monkeypatch.setattr(recall, "engine_version", always("another"))
        found = desk.ask("holds")

        assert outcome(found.verdict) == "proved"
        assert found.notes == (
            "no verdict is kept: the source of Circ has changed since it was loaded",
        )
        assert not desk.file.exists()

    def test_is_what_nobody_asked_to_keep(self, desk: Desk) -> None:
        """Without a folder nothing is read or written."""
        program = checked(desk.spec, Request())
        for _ in range(2):
            answered(program.question("holds"), program.weights, Limits())

        assert desk.decided == ["holds", "holds"]
        assert not desk.folder.exists()


class TestWhatIsShownAgain:
    """An input is put to exact arithmetic each time that it is shown."""

    def test_refutes_again(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """A kept refutation whose input does not refute is dropped, and the claim decided."""
        self.keep_wrongly(desk, "holds", Refuted(*self.lie((0, 0, 0))), monkeypatch)
        found = desk.ask("holds")

        assert outcome(found.verdict) == "proved"
        assert found.notes == ("decided anew: a kept input does not show what it is said to show",)
        assert desk.ask("holds").first is not None

    def test_is_a_witness_again(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """So is the proof of an `exists` whose witness is none."""
        method, trusted, size, example = self.lie((0, 0, 0))
        wrong = Proved(method, trusted, size, example=example)
        self.keep_wrongly(desk, "none", wrong, monkeypatch)
        found = desk.ask("none")

        assert outcome(found.verdict) == "refuted"
        assert found.notes == ("decided anew: a kept input does not show what it is said to show",)

    def lie(self, word: tuple[int, ...]) -> tuple[str, tuple[str, ...], Size, Example]:
        """What an engine might say of an input."""
        replay = Replay(exact=True, torch=True, shown=())
        return "a lie", (), Size(8), Example(Witness((("s", word),)), replay)

    def keep_wrongly(
        self,
        desk: Desk,
        claim: str,
        verdict: Proved | Refuted,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Have a wrong verdict kept, sealed and all."""
        obligation = checked(desk.spec, Request()).claim(claim)
        with monkeypatch.context() as lying:
            lying.setattr(recall, "answer", always((obligation, verdict)))
            assert desk.ask(claim).verdict == verdict
        assert len(desk.rows()) == 1


class TestTheEngineVersion:
    """What decides is known by its source."""

    def test_is_the_same_twice(self) -> None:
        """It depends on nothing that changes by itself."""
        assert engine.engine_version() == engine.engine_version() == engine.own_version()

    def test_knows_every_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that is added, renamed, changed or removed makes another version."""
        monkeypatch.setattr(engine, "folder_of", always(tmp_path))
        (tmp_path / "inner").mkdir()
        (tmp_path / "notes.txt").write_text("no source")
        file = tmp_path / "inner" / "one.py"
        file.write_text("1")
        versions = [engine.engine_version()]
        file.write_text("2")
        versions.append(engine.engine_version())
        file.rename(file.with_name("two.py"))
        versions.append(engine.engine_version())
        (tmp_path / "inner.py").write_text("")
        versions.append(engine.engine_version())

        assert len(set(versions)) == 4
        (tmp_path / "notes.txt").write_text("changed")
        assert engine.engine_version() == versions[-1]

    def test_knows_the_libraries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another z3 may answer otherwise."""
        before = engine.engine_version()
        versions = {name: engine.installed(name) for name in engine.LIBRARIES}

        def newer(name: str) -> str:
            return f"{versions[name]}.1" if name == "z3" else versions[name]

        monkeypatch.setattr(engine, "installed", newer)

        assert all(versions.values())
        assert engine.engine_version() != before

    def test_is_not_that_of_no_source(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where there is no source to know it by, nothing is kept."""
        empty = folder_in(desk, "empty")
        monkeypatch.setattr(engine, "folder_of", always(empty))
        engine.own_version.cache_clear()
        found = desk.ask("holds")

        assert found.notes == ("no verdict is kept: the source of `circ.lang` is not there",)
        with pytest.raises(NotKept):
            engine.engine_version()


def test_the_oldest_verdicts_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file does not grow for ever: beyond its bound what was kept first is dropped."""
    monkeypatch.setattr(table, "LARGEST", 2000)
    for most in range(3, 20):
        desk.ask("holds", most=most)
    sizes = [len(body) for _, body, _ in desk.rows()]

    assert len(sizes) > 1
    assert sum(sizes) <= 2000
    assert desk.ask("holds", most=19).first is not None
    assert desk.ask("holds", most=3).first is None
