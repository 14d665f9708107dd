"""Definitions at the prompt, their values on running examples, traces, interventions, files that change."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from circ.compiler.finding import Progress
from circ.runtime.cache.recall import NOWHERE
from circ.runtime.repl.completion import completions
from circ.runtime.repl.history import history_in
from circ.runtime.repl.opening import empty_program, watch_files
from circ.runtime.repl.session import Session
from circ.runtime.repl.terminal import run_terminal, tell_data
from circ.runtime.session import Request, checked
from tests.unit.small_spec import SPEC, WEIGHTS, write_spec
from tests.unit.specs import save

GUARDED = """
guard opened(x: real[2]) = x[0] > 0.5

circuit rule(x: real[2]) -> real = cases {
  opened(x)  => x[0] - 0.5
  x[1] > 0.5 => x[1] - 0.5
  else       => 0
}

circuit twice(x: real[2]) -> real {
  let first = rule(x)
  return 2 * first
}
"""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session about the small spec, which sees when that changes."""
    path = write_spec(tmp_path, SPEC + GUARDED)
    found = Session(path, Request(), checked(path, Request()))
    watch_files(found)
    return found


def rewrite(session: Session, text: str) -> None:
    """Write another spec, as an editor does."""
    assert session.path is not None
    before = session.path.stat().st_mtime_ns
    session.path.write_text(text)
    os.utime(session.path, ns=(before + 10**9, before + 10**9))


class TestDefinitions:
    """What is declared in a session stands beside its spec."""

    def test_a_circuit_is_shown_on_the_example_of_that_name(self, session: Session) -> None:
        """Exact and PyTorch's value, below what it was given."""
        session.run("t = [letter, letter, letter]")
        session.run("s = [quote, letter, letter]")

        assert session.run("circuit last(s: Char[3]) -> Side = side(s)").split("\n") == [
            "circuit last(s: Char[3]) -> Side",
            "  at s = [quote, letter, letter]",
            "  exact    inside",
            "  PyTorch  inside",
        ]

    def test_else_on_one_that_fits_its_type(self, session: Session) -> None:
        """The last that was set; one of another type is none."""
        session.run("w = [quote, letter, letter]")
        session.run("z = [1, 2]")

        assert "  at word = [quote, letter" in session.run(
            "circuit first[n](word: Char[n]) -> Side = side(word)"
        )

    def test_else_on_an_input_of_a_domain(self, session: Session) -> None:
        """Which is named, and the same for each circuit."""
        answer = session.run("circuit half_of(p: real[2]) -> real = p[0] / 2")

        assert "(of Square)" in answer
        assert "of Square: [" in session.run(":example")

    def test_without_one_it_says_how_to_set_one(self, session: Session) -> None:
        """And the circuit is there."""
        answer = session.run("circuit cut(v: real[7]) -> real = v[0]")

        assert answer.endswith("no example: `:example v = …` sets one")
        assert "v[0]" in session.run(":doc cut")

    def test_a_guard_shows_its_margin(self, session: Session) -> None:
        """The truth alone does not say how close it is."""
        session.run("x = [0.75, 0]")

        assert session.run("guard wide(x: real[2]) = x[0] > 0.5 and x[1] < 2").endswith(
            "margin there: 0.25   (PyTorch: 0.25)"
        )

    def test_a_definition_takes_the_place_of_an_earlier_one(self, session: Session) -> None:
        """And what was defined by that means the new one."""
        session.run("circuit one(x: real) -> real = 1")
        session.run("circuit two(x: real) -> real = 2 * one(x)")
        session.run("circuit one(x: real) -> real = 5")

        assert "exact              10" in session.run("two(3)")

    def test_one_with_an_error_changes_nothing(self, session: Session) -> None:
        """It is shown in the line that was typed, wherever that stands in the program."""
        session.run("circuit one(x: real) -> real = 1")
        answer = session.run("circuit one(x: real) ->\n  real = wrong")

        assert answer.startswith("error[E0101]: `wrong` is not declared\n --> <line 2>:2:10")
        assert "exact              1" in session.run("one(3)")

    def test_a_claim_with_an_error_is_not_declared(self, session: Session) -> None:
        """As it would be a warning in a file, whose other items can be used."""
        assert session.run("claim own: forall s in Words: lost(s)").startswith("error[E0101]")
        assert "own" not in session.run(":claims")

    def test_the_spec_keeps_its_own_names(self, session: Session) -> None:
        """A circuit of the file is changed in the file."""
        assert "error[E0102]" in session.run("circuit model(x: real) -> real = x")

    def test_an_error_later_on_is_told_in_its_line(self, session: Session) -> None:
        """Also where only a call can see it."""
        session.run("circuit inverse(x: real) -> real = 1 / x")

        assert "<line 1>" in session.run("inverse(2 - 2)")

    def test_a_claim_is_proved_by_its_name(self, session: Session) -> None:
        """Like one of the spec."""
        session.run("domain Quoted = { s: Char[3] | s[0] == quote }")
        session.run(
            "claim own: forall s in Quoted where s[1] == letter and s[2] == letter: side(s) == inside"
        )

        assert session.run("prove own").startswith("✓ own: proved")
        assert "claim own:" in session.run(":claims")

    def test_every_circuit_has_its_value(self, session: Session) -> None:
        """On the examples, in one table."""
        session.run(":example s = [quote, letter, letter]")
        session.run(":example x = [1, 0]")
        answer = session.run(":values")

        assert [line.split()[0] for line in answer.split("\n")[1:7]] == [
            "side(s)", "model(s)", "affine(x)", "opened(x)", "rule(x)", "twice(x)",
        ]  # fmt: skip
        assert ["rule(x)", "0.5", "0.5"] in [line.split() for line in answer.split("\n")]
        assert answer.endswith("  at x = [1, 0]")

    def test_a_value_that_is_computed_is_shown(self, session: Session) -> None:
        """One that is written out is not."""
        assert session.run("a = [-1, 2]") == "a: real[2] = [-1, 2]"
        assert session.run("b = a[0] + 1").split("\n")[1] == "  exact              0"

    def test_an_example_may_be_looked_for(self, session: Session) -> None:
        """By a condition, as `find` does."""
        session.run(
            ":example s in Words where side(s) == inside and s[2] == quote and s[1] == quote"
        )

        assert session.run("s").split("\n")[1].startswith("  exact    [quote, quote, quote]")

    @pytest.mark.parametrize("text", [":example 1 + 1", ":example s", ":timeout 0", ":timeout nan"])
    def test_what_sets_nothing_says_how(self, session: Session, text: str) -> None:
        """An error, with an example."""
        assert session.run(text).startswith("error[E0752]")

    def test_the_time_is_set(self, session: Session) -> None:
        """For what comes after."""
        assert session.run(":timeout 1/2").endswith("0.5 s")
        assert session.limits.timeout == 0.5


class TestTraces:
    """What a call goes through."""

    def test_sites_stand_in_the_order_of_computation(self, session: Session) -> None:
        """Those of an inner call below its name."""
        lines = session.run("trace twice([0.75, 1])").split("\n")

        assert [line.split()[0] for line in lines[1:5]] == ["x", "first.x", "first", "the"]
        assert lines[3].split() == ["first", "0.25", "0.25"]

    def test_a_circuit_is_traced_on_running_examples(self, session: Session) -> None:
        """By its name alone; it says which they are, or which is missing."""
        session.run(":example x = [0.75, 1]")
        assert session.run("trace twice").startswith("  at x = [0.75, 1]\n")
        session.run("circuit cut(v: real[7]) -> real = v[0]")
        assert session.run("trace cut").startswith(
            "error[E0752]: `trace cut` needs an example for `v`"
        )

    def test_one_arm_fires(self, session: Session) -> None:
        """The first that holds; margins are signed, exact and PyTorch's."""
        lines = session.run("trace rule([0.75, 1])").split("\n")
        where = [line.split("  ")[1:] for line in lines if "spec.circ" in line]
        cells = [[cell.strip() for cell in row if cell.strip()] for row in where]

        assert [(row[0], *row[2:]) for row in cells] == [
            ("opened(x)", "yes", "0.25", "0.25"),
            ("x[1] > 0.5", "no, an earlier one does", "0.5", "0.5"),
            ("else", "no"),
        ]

    def test_the_else_fires_where_no_guard_holds(self, session: Session) -> None:
        """And its guards have negative margins."""
        lines = [line for line in session.run("trace rule([0, 0.25])").split("\n") if ":" in line]

        assert [line.split()[-3:] for line in lines[:2]] == [
            ["no", "-0.5", "-0.5"],
            ["no", "-0.25", "-0.25"],
        ]
        assert lines[2].split()[0] == "else"
        assert lines[2].split()[-1] == "yes"

    def test_one_arm_alone_fires(self, session: Session) -> None:
        """However many guards before it held."""
        session.run(
            "circuit f(x: real[2]) -> real = "
            "cases { x[0] > 0 => 1, x[1] > 5 => 2, x[0] > -1 => 3, else => 4 }"
        )
        lines = [line for line in session.run("trace f([1, 0])").split("\n") if "<line" in line]

        assert ["yes" in line.split() for line in lines] == [True, False, False, False]

    def test_an_intervention_is_traced_with_its_wires(self, session: Session) -> None:
        """What is replaced has its new value, and all behind it."""
        answer = session.run("trace twice([0.75, 1]) do { first := 3 }")

        assert "first       3" in answer
        assert "the result  6" in answer

    def test_guards_outside_cases_are_met_too(self, session: Session) -> None:
        """They fire where they hold."""
        session.run("circuit both(x: real[2]) -> bool = opened(x) and not opened(2 * x)")
        answer = session.run("trace both([0.5, 0])")

        assert [line.split()[-3:] for line in answer.split("\n") if "opened(" in line] == [
            ["no", "0", "0"],
            ["yes", "0.5", "0.5"],
        ]

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("trace", "E0752"),
            ("trace 1 + 1", "E0757"),
            ("trace argmax([1, 2])", "E0757"),
            ("trace model(s).hidden", "E0757"),
            ("trace lost(1)", "E0101"),
            ("trace twice([count { s in Words | side(s) == inside }, 0])", "E0758"),
        ],
    )
    def test_what_is_no_call_is_refused(self, session: Session, text: str, code: str) -> None:
        """With its code."""
        session.run("s = [quote, letter, letter]")

        assert session.run(text).startswith(f"error[{code}]")


class TestInterventions:
    """`f(x) do { … }` beside `f(x)`."""

    def test_a_number_stands_beside_the_one_without(self, session: Session) -> None:
        """In both readings."""
        assert session.run("twice([1, 0]) do { first := 3 }").split("\n") == [
            "real",
            "                     with `do`  without `do`",
            "  exact              6          1",
            "  PyTorch (float64)  6          1",
        ]

    def test_a_named_vector_shows_each_change(self, session: Session) -> None:
        """With its sign; nothing where nothing changes."""
        session.run("s = [quote, letter, letter]")
        lines = session.run("model(s) do { hidden[0, inside] := 0.25 }").split("\n")

        assert lines[1].split()[-1] == "change"
        assert lines[2].split() == ["outside", "0.5", "0.5", "0.5"]
        assert lines[3].split() == ["inside", "0.25", "0.25", "1", "-0.75"]

    def test_so_does_what_is_said_of_one_call(self, session: Session) -> None:
        """A function of it, a part, a site."""
        session.run("s = [quote, letter, letter]")
        for text in (
            "argmax(model(s) do { hidden := 0 })",
            "(model(s) do { hidden := 0 })[0]",
            "(twice([1, 0]) do { x := [0, 0] }).first",
        ):
            assert "without `do`" in session.run(text), text

    def test_a_comparison_of_two_calls_does_not(self, session: Session) -> None:
        """It has both sides already."""
        session.run("s = [quote, letter, letter]")

        assert "without" not in session.run("(model(s) do { hidden := 0 }) - model(s)")


class TestFilesThatChange:
    """A spec is read again when its content is another."""

    def test_before_the_next_answer(self, session: Session) -> None:
        """What changed is named; examples and declarations go on."""
        session.run("s = [quote, letter, letter]")
        session.run("circuit last(s: Char[3]) -> Side = side(s)")
        rewrite(session, SPEC.replace("return sum(hidden)", "return 2 * sum(hidden)"))
        lines = session.run("model(s)").split("\n")

        assert lines[0].endswith("has changed, and was read again")
        assert lines[1] == "changed: model"
        assert lines[-1].split() == ["inside", "2", "2"]
        assert "inside" in session.run("last(s)")

    def test_only_the_content_counts(self, session: Session) -> None:
        """A file that is written again as it was is not read."""
        rewrite(session, SPEC + GUARDED)

        assert session.run("1 + 1").startswith("real")

    def test_errors_are_told_once(self, session: Session) -> None:
        """The session goes on with the spec before, and takes the mended one."""
        session.run("s = [quote, letter, letter]")
        rewrite(session, "circuit model(")

        assert "error[" in session.run("side(s)")
        assert session.run("side(s)").split("\n")[0] == "Side"
        rewrite(session, SPEC)
        assert "was read again" in session.run("side(s)")

    def test_a_checkpoint_counts_too(self, session: Session) -> None:
        """Its tensors are those of the file as it is."""
        assert session.path is not None
        session.run("x = [1, 0]")
        assert session.run("affine(x)").split("\n")[-1].endswith("[0.5, 0.1]")
        weights = {**WEIGHTS, "W": [[0.25, 0.25], [0.5, -1.0]]}
        save(weights, session.path.with_name("model.safetensors"), np.float32)

        answer = session.run("affine(x)")
        assert "was read again" in answer
        assert answer.endswith("[0.25, 0.5]")

    def test_a_checkpoint_may_be_declared_anew(self, session: Session) -> None:
        """Then its tensors are those of the other file, though others were read under that name."""
        assert session.path is not None
        save({"W": [[7.0, 7.0], [7.0, 7.0]]}, session.path.with_name("b.safetensors"), np.float32)
        session.run('checkpoint k from "model.safetensors"')
        assert "[0.5, 0.25]" in session.run("k.W[0]")
        session.run('checkpoint k from "b.safetensors"')

        assert "[7, 7]" in session.run("k.W[0]")

    def test_a_checkpoint_of_a_declaration_counts_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also in a session without a spec."""
        monkeypatch.chdir(tmp_path)
        save({"W": [1.0, 2.0]}, tmp_path / "k.safetensors", np.float32)
        session = Session(None, Request(), empty_program())
        session.run('checkpoint k from "k.safetensors"')
        assert "[1, 2]" in session.run("k.W")
        save({"W": [3.0, 4.0, 5.0]}, tmp_path / "k.safetensors", np.float32)

        answer = session.run("k.W")
        assert "a file has changed, and was read again" in answer
        assert "[3, 4, 5]" in answer

    def test_a_declaration_that_fits_no_more_is_dropped(self, session: Session) -> None:
        """And named; the others stay."""
        session.run("circuit ends(x: real[2]) -> real = twice(x)")
        session.run("circuit stays(x: real) -> real = x")
        rewrite(session, SPEC)
        answer = session.run(":reload")

        assert "warning[E0755]: the declaration `ends` does not fit" in answer
        assert "circuit stays" in session.run(":names")
        assert "circuit ends" not in session.run(":names")

    def test_a_session_without_a_spec_has_nothing_to_read(self) -> None:
        """It has declarations, and may load one."""
        session = Session(None, Request(), empty_program())

        assert session.run(":reload").startswith("error[E0759]")
        session.run("circuit one(x: real) -> real = 1")
        assert "exact              1" in session.run("one(2)")


class TestStopping:
    """Ctrl-C ends a question, and not the session."""

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("prove forall s in Long: slow(s) <= 30", ": unknown"),
            ("find s in Long where slow(s) >= 30", ": unknown"),
            ("range slow(s) over s in Long", "interrupted after"),
            ("count { s in Long | slow(s) >= 0.5 }", "it was interrupted"),
            ("regions affine on Square", "stopped"),
        ],
    )
    def test_what_was_reached_is_told(self, session: Session, text: str, said: str) -> None:
        """A claim is unknown then."""

        def stop(share: float, doing: str) -> None:
            raise KeyboardInterrupt

        @contextmanager
        def watch(what: str) -> Generator[Progress]:
            yield stop

        session.run(
            "circuit slow(s: Char[14]) -> real = relu(m.votes.score[s[0]][0] - m.votes.score[s[9]][1])"
            " * m.votes.score[s[3]][1] * relu(m.votes.score[s[5]][1] - 2 * m.votes.score[s[6]][0])"
        )
        session.run("domain Long = { s: Char[14] }")
        session.watch = watch
        assert said in session.run(text)
        assert session.run(":type 1 + 1") == "real"


class TestForPrograms:
    """`circ repl --json`."""

    def test_each_answer_is_an_object_on_a_line(
        self, session: Session, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With what was asked, what kind of answer it is, and its content."""
        asked = {
            "x = [0.75, 1]": "example",
            "rule(x)": "value",
            "twice(x) do { first := 1 }": "value",
            "trace rule(x)": "trace",
            ":values": "values",
            "circuit one(x: real[2]) -> real = x[0]": "declared",
            "prove few": "verdict",
            "find s in Words where side(s) == inside": "found",
            "range y[0] over y in Square": "range",
            "regions affine on Square": "regions",
            ":type x": "text",
            ":reload": "loaded",
            "nope": "error",
        }
        for text in (*asked, "# nothing", ":quit"):
            for reply in session.ask(text):
                tell_data(text, reply)
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        assert {each["asked"]: each["answer"] for each in found} == asked
        by_text = {each["asked"]: each for each in found}
        assert by_text["rule(x)"]["exact"] == "1/4"
        assert by_text["twice(x) do { first := 1 }"]["without"]["exact"] == "1/2"
        guards = by_text["trace rule(x)"]["guards"]
        assert [each["fires"]["exact"] for each in guards] == [True, False, False]
        assert guards[0]["margin"]["exact"] == "1/4"
        assert by_text["prove few"]["verdict"] == "proved"
        assert by_text["nope"]["diagnostics"][0]["code"] == "E0101"


class TestHistory:
    """Lines are remembered where they can be."""

    def test_from_one_session_to_the_next(self, tmp_path: Path) -> None:
        """In a file that is the user's alone."""
        file = tmp_path / "state" / "history"
        history_in(file).append_string("model(s)")
        history_in(file).append_string("two\nlines")

        assert [*history_in(file).load_history_strings()] == ["two\nlines", "model(s)"]
        assert file.stat().st_mode & 0o077 == 0

    def test_where_there_is_no_place_for_them(self, tmp_path: Path) -> None:
        """Nothing is said, and nothing fails."""
        (tmp_path / "file").write_text("")
        for place in (None, tmp_path / "file" / "history", tmp_path):
            history_in(place).append_string("model(s)")


class TestCompletion:
    """What only a session completes."""

    def test_files_behind_load(self, session: Session) -> None:
        """Specs, and folders."""
        assert session.path is not None
        folder = session.path.parent
        (folder / "specs").mkdir()

        found = completions(session, f":load {folder}/sp")
        assert [each.text for each in found] == [f"{folder}/spec.circ", f"{folder}/specs/"]

    def test_details_stand_beside(self, session: Session) -> None:
        """What is declared, with its head; examples with their value."""
        session.run("example = 1")
        found = {each.text: each.detail for each in completions(session, "e")}

        assert found["example"] == "example: real = 1"
        assert completions(session, "model(s).hid")[0].detail == "real[3, Side]"


def test_a_session_may_begin_without_a_spec(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From a pipe, too."""
    read_end, write_end = os.pipe()
    os.write(write_end, b"circuit one(x: real) -> real = 1\nx = 2\none(x)\n")
    os.close(write_end)
    with os.fdopen(read_end) as script:
        monkeypatch.setattr("sys.stdin", script)
        assert run_terminal(None, Request(), NOWHERE, as_json=False) == 0

    assert "exact              1" in capsys.readouterr().out
