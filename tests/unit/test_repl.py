"""Sessions: a line goes in, an answer comes out, and nothing ends them but `:quit`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from circ.lang.span import Source
from circ.runtime.repl import about, terminal
from circ.runtime.repl.completion import completions
from circ.runtime.repl.lines import (
    Bind,
    Command,
    Declaration,
    Evaluate,
    Find,
    Line,
    Nothing,
    Prove,
    is_open,
    questions,
    read,
)
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked, usable
from tests.unit.small_spec import SPEC, write_spec


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session about the small spec."""
    path = write_spec(tmp_path)
    return Session(path, Request(), checked(path, Request()))


def spec_of(session: Session) -> Path:
    """The file of its spec."""
    assert session.path is not None
    return session.path


def error_code(answer: str) -> str:
    """The code that an answer starts with."""
    head = answer.split("]", 1)[0]
    assert head.startswith(("error[", "warning[")), answer
    return head.split("[", 1)[1]


class TestLines:
    """The language of a session."""

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("", Nothing),
            ("  # a remark", Nothing),
            ("a + b", Evaluate),
            ("a == b", Evaluate),
            ("x = a == b", Bind),
            ("  s = [a]  # an example", Bind),
            ("prove few", Prove),
            ("forall s in D: p(s)", Prove),
            ("exists s in D: p(s)", Prove),
            ("prove", Prove),
            ("find s in D where p(s)", Find),
            ("circuit f(x: real) -> real = x", Declaration),
            ("claim c: 1 < 2", Declaration),
            (":type a", Command),
            (":", Command),
        ],
    )
    def test_a_line_is_of_one_kind(self, text: str, kind: type[Line]) -> None:
        """By its first word, or by the `=` after it."""
        assert type(read(Source("<line>", text))) is kind

    @pytest.mark.parametrize(
        ("rest", "formula"),
        [
            ("s in D where p(s)", "exists s in D: p(s)"),
            ("s, t in D where s != t", "exists s, t in D: s != t"),
            ("s in { s in D | f(s) } where p", "exists s in { s in D | f(s) }: p"),
            ('s in D where s[0] == "where"', 'exists s in D: s[0] == "where"'),
            ("s in D", "exists s in D: 0 == 0"),
            ("s in D: p(s)", "exists s in D: p(s)"),
            ("s in { s: Char[2] }", "exists s in { s: Char[2] }: 0 == 0"),
        ],
    )
    def test_find_asks_for_a_witness(self, rest: str, formula: str) -> None:
        """`where` stands for the colon of an `exists`; without it, any input will do."""
        line = read(Source("<line>", f"find {rest}"))

        assert isinstance(line, Find)
        assert line.source.text == formula

    @pytest.mark.parametrize(
        "text", ["f(", "[a,", "match q {", "f(x) +", "prove forall s in D:", "s =", ":type ["]
    )
    def test_an_unfinished_line_goes_on(self, text: str) -> None:
        """While a bracket is open, or after an operator, a comma or a colon."""
        assert is_open(text)

    @pytest.mark.parametrize(
        "text",
        [
            "f(x)",
            "",
            "f(x) # (",
            '"("',
            ":help",
            ":",
            ":load a(b",
            "f(\n",
            "f(\n  \n",
            "a # +",
            ")",
            "f([x)",
        ],
    )
    def test_a_finished_line_does_not(self, text: str) -> None:
        """Brackets in strings and comments do not count; a blank line ends what is open."""
        assert not is_open(text)

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("find s in D where\nfind t in D", ["find s in D where", "find t in D"]),
            ("f(\n  :type x\n  exit", ["f(", "  :type x", "  exit"]),
            ("1 +\nlet a = [\n1]", ["1 +", "let a = [\n1]"]),
            ("find s in D where\n  p(s)", ["find s in D where\n  p(s)"]),
            ("prove forall s in D\n: exits(s)", ["prove forall s in D\n: exits(s)"]),
            ("1 +\nfind + exit", ["1 +\nfind + exit"]),
            ("\n:help", ["", ":help"]),
        ],
    )
    def test_what_asks_anew_ends_what_is_unfinished(self, text: str, parts: list[str]) -> None:
        """A question swallows no other; what no question starts with goes on with it."""
        assert questions(text) == parts
        assert not is_open(text)


class TestValues:
    """Expressions and running examples."""

    def test_an_expression_is_evaluated(self, session: Session) -> None:
        """Its type, its exact value, and PyTorch's."""
        assert session.run("side([quote, letter])").split("\n") == [
            "Side",
            "  exact    inside",
            "  PyTorch  inside",
        ]

    def test_an_example_is_kept(self, session: Session) -> None:
        """It is used by its name, and listed with its type and its own words."""
        answer = session.run("s = [quote, letter,\n  letter]")

        assert answer == "s: Char[3] = [quote, letter, letter]"
        assert "exact    inside" in session.run("side(s)")
        assert session.run(":names").endswith(answer)

    @pytest.mark.parametrize("name", ["model", "quote", "max", "few", "m", "it", "find"])
    def test_an_example_takes_no_name_that_means_something(
        self, session: Session, name: str
    ) -> None:
        """Neither of the spec nor of the language nor of the session."""
        assert error_code(session.run(f"{name} = 1")) == "E0753"
        assert name not in session.names

    @pytest.mark.parametrize("text", ["wrong", "m.votes", "(1, 2)", "1 / (half - 0.5)"])
    def test_an_example_with_an_error_is_not_kept(self, session: Session, text: str) -> None:
        """Nor one without a value; the one before keeps its meaning."""
        session.run("a = 1")
        assert error_code(session.run(f"a = {text}")).startswith("E0")

        assert "exact              1" in session.run("a")

    def test_an_intervention_is_an_expression(self, session: Session) -> None:
        """Sites are read and replaced as in a spec."""
        session.run("s = [quote, letter, letter]")

        assert "  inside   0" in session.run("model(s) do { hidden := 0 }")
        assert "real[3, Side]" in session.run("model(s).hidden")

    def test_a_group_of_tensors_shows_what_is_in_it(self, session: Session) -> None:
        """It has no value of its own."""
        assert session.run("m.votes").split("\n")[1:] == ["  m.votes.score: real[3, 2] (F32)"]


class TestQuestions:
    """Claims, formulas and searches."""

    def test_a_claim_is_decided_by_its_name(self, session: Session) -> None:
        """As `circ prove` decides it."""
        assert session.run("prove few").startswith("✓ few: proved")
        assert session.run("prove right").startswith("✓ right: refuted, as expected")

    def test_a_formula_is_decided(self, session: Session) -> None:
        """With or without `prove` before it, and with the names of the session."""
        session.run("bad = [quote, quote, letter]")
        claim = "forall s in Words where s == bad: argmax(model(s)) == side(s)"

        for line in (claim, f"prove {claim}"):
            answer = session.run(line)
            assert ": refuted" in answer.split("\n")[0]
            assert "s = [quote, quote, letter]" in answer

    def test_a_condition_without_binders_is_decided(self, session: Session) -> None:
        """A closed formula is true or false."""
        session.run("s = [quote, letter, letter]")

        assert "proved" in session.run("prove side(s) == inside")
        assert "refuted" in session.run("prove side(s) == outside")

    def test_find_binds_the_input_it_finds(self, session: Session) -> None:
        """The witness is shown, and is an example from then on."""
        answer = session.run("find s in Words where argmax(model(s)) != side(s)")

        assert answer.startswith("s = [")
        assert "false" in session.run("argmax(model(s)) == side(s)")
        shown = answer.split("\n")[0].removeprefix("s = ")
        assert session.run(":names").endswith(f"s: Char[3] = {shown}")

    def test_find_binds_a_point_exactly(self, session: Session) -> None:
        """Reals are kept as the rationals that were found."""
        session.run("find x in Square where affine(x)[0] >= 0.7 and x[0] + x[1] == 1.9")

        assert "true" in session.run("affine(x)[0] >= 0.7 and x[0] + x[1] == 1.9")

    def test_find_binds_a_position(self, session: Session) -> None:
        """Of which no expression says the value."""
        session.run("find i in Places where [1, 5, 2, 3][i] == 5")

        assert session.run("i").split("\n")[1:] == ["  exact    1", "  PyTorch  1"]

    def test_find_says_when_there_is_nothing(self, session: Session) -> None:
        """No input of the whole domain."""
        answer = session.run("find s in Words where side(s) == inside and side(s) == outside")

        assert answer.startswith("none: all 27 inputs were decided")
        assert "s" not in session.names

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("prove", "E0752"),
            ("prove nothing", "E0704"),
            ("prove forall s in Nowhere: side(s) == inside", "E0101"),
            ("prove forall x in { x: real }: x <= 1", "E0301"),
            ("find", "E0752"),
            ("find model in Words", "E0753"),
            ("find s in Words where s[0] = quote", "E0012"),
        ],
    )
    def test_a_question_that_means_nothing_is_an_error(
        self, session: Session, line: str, code: str
    ) -> None:
        """And says so in the words of any other."""
        assert error_code(session.run(line)) == code


class TestCommands:
    """The words with a colon."""

    def test_a_type_is_told_without_a_value(self, session: Session) -> None:
        """Of an expression, or of a part of a checkpoint."""
        assert session.run(":type argmax(model([quote, quote, quote]))") == "Side"
        assert "m.W: real[2, 2] (F32)" in session.run(":type m")

    def test_claims_and_names_are_listed(self, session: Session) -> None:
        """A line each."""
        assert session.run(":claims").split("\n")[1].startswith("claim right expects refuted: ")
        assert "circuit side[n](s: Char[n]) -> Side" in session.run(":names").split("\n")

    @pytest.mark.parametrize(
        ("name", "part"),
        [
            ("few", "## One letter decides nothing."),
            ("side", "## Which side of the quotes a word ends on."),
            ("argmax", "the place of a largest entry along the last axis (1 argument)"),
            ("quote", "member 1 of the enum `Char`"),
            (":type", "the type of an expression"),
        ],
    )
    def test_documentation_is_shown(self, session: Session, name: str, part: str) -> None:
        """Of what the spec declares, and of what the language and the session know."""
        assert part in session.run(f":doc {name}")

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            (":doc nothing", "E0101"),
            (":doc", "E0752"),
            (":type", "E0752"),
            (":load", "E0752"),
            (":tpe s", "E0751"),
            (":load nowhere.circ", "E0701"),
            ("use std.attention: attention", "E0754"),
            ("patch mend of model { edit m.W }", "E0754"),
        ],
    )
    def test_a_command_that_means_nothing_is_an_error(
        self, session: Session, line: str, code: str
    ) -> None:
        """With its code, like any other."""
        assert error_code(session.run(line)) == code

    def test_a_claim_with_an_error_stops_no_other(self, tmp_path: Path) -> None:
        """Whoever asks about it is told; the rest of the spec is there."""
        path = write_spec(tmp_path, f"{SPEC}\nclaim bad: forall s in Words: side(s) == lost\n")
        session = Session(path, Request(), usable(path, Request()))

        assert session.run("prove few").startswith("✓ few: proved")
        assert session.run("prove bad").startswith("error[E0101]: `lost` is not declared")
        assert session.run(":reload").startswith("warning[E0101]")
        assert "bad" in session.run(":claims")

    def test_every_command_is_in_the_help_and_known(self, session: Session) -> None:
        """None is forgotten on either side."""
        text = session.run(":help")

        for word in about.COMMANDS:
            assert word in text
            assert "E0751" not in session.run(word)

    def test_the_spec_is_read_again(self, session: Session) -> None:
        """Examples go on where they fit; others are dropped by name."""
        session.run('s = [quote, letter, "two words"]')
        session.run("t = [quote]")
        session.run("find i in Places")
        spec_of(session).write_text(SPEC.replace('"two words"', '"three"'), encoding="utf-8")

        answer = session.run(":reload")

        assert error_code(answer) == "E0755"
        assert "`s`" in answer
        assert list(session.names) == ["t", "i"]

    def test_a_spec_with_errors_changes_nothing(self, session: Session) -> None:
        """Its errors are shown, and the session goes on with the spec before."""
        session.run("s = [quote, letter, letter]")
        spec_of(session).write_text("circuit model(x: rael) -> real = x\n", encoding="utf-8")

        assert "E0" in session.run(":reload")
        assert "inside" in session.run("side(s)")

    def test_another_spec_is_loaded(self, session: Session) -> None:
        """It takes the place of the one before."""
        other = spec_of(session).with_name("other.circ")
        other.write_text("param two = 2\n", encoding="utf-8")

        assert session.run(f":load {other}").endswith(str(other))
        assert "4" in session.run("two + two")
        assert error_code(session.run("side([quote])")) == "E0101"

    def test_quit_ends_the_session(self, session: Session) -> None:
        """And says nothing."""
        assert session.run(":quit") == ""
        assert session.over

    @pytest.mark.parametrize("word", ["quit", "exit"])
    def test_so_does_the_word_without_its_colon(self, session: Session, word: str) -> None:
        """What other tools say to leave leaves; and `help` helps."""
        assert session.run("help") == session.run(":help")
        assert "so do `exit`, `quit`" in session.run("help")
        assert "let s = " in session.run("help")
        assert session.run(word) == ""
        assert session.over

    def test_let_may_stand_before_a_running_example(self, session: Session) -> None:
        """As inside a circuit."""
        session.run("let half = 1/2")
        assert "0.25" in session.run("half * half")


class TestNothingEndsASession:
    """Errors, interruptions and our own faults are answers."""

    @pytest.mark.parametrize(
        "line", ["(", ")", '"', "'a'", "\x00", "a b", "§", "=", "find where", "x = ", "[1, 2][7]"]
    )
    def test_nonsense_is_answered(self, session: Session, line: str) -> None:
        """With an error of the language, not of Circ."""
        assert error_code(session.run(line)).startswith("E0")

    def test_ctrl_c_stops_the_command(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And only that."""

        def interrupted(*_: object) -> NoReturn:
            raise KeyboardInterrupt

        monkeypatch.setattr("circ.runtime.evaluate.evaluate", interrupted)

        assert session.run("1 + 1") == "stopped"
        assert session.run(":type 1 + 1") == "real"

    def test_a_fault_of_ours_is_said_to_be(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With what happened and where; the session goes on."""

        def broken(*_: object) -> NoReturn:
            raise ZeroDivisionError("oh no")

        monkeypatch.setattr("circ.runtime.evaluate.evaluate", broken)
        answer = session.run("1 + 1")

        assert answer.startswith(
            "this is a bug in Circ, not in your spec: ZeroDivisionError: oh no"
        )
        assert "test_repl.py" in answer
        assert session.run(":type 1 + 1") == "real"


class TestCompletion:
    """What the last word may become."""

    @pytest.mark.parametrize(
        ("before", "found"),
        [
            ("argmax(mod", ["model"]),
            ("side([quo", ["quote"]),
            ("x + m.vo", ["votes"]),
            ("m.votes.", ["score"]),
            ("model(s).", ["hidden", "s"]),
            ("model(s).hi", ["hidden"]),
            ("Side.in", ["inside"]),
            ("tra", ["trace"]),
            ("prove fe", ["few"]),
            ("exam", ["example"]),
            (":re", [":reload"]),
            ('[ "tw', ['"two words"']),
            ("f(", []),
            ("# mod", []),
        ],
    )
    def test_names_are_completed(self, session: Session, before: str, found: list[str]) -> None:
        """Declarations, members, tensors, claims, examples and commands."""
        session.run("example = 1")

        assert [each.text for each in completions(session, before)] == found


class TestTerminal:
    """Where lines come from."""

    def test_a_line_is_edited(self, session: Session) -> None:
        """prompt_toolkit reads it, and goes on while a bracket is open."""
        with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
            read_line = terminal.read_edited(session)
            keys.send_text("affine([1,\r 2])\r")

            assert read_line("> ") == "affine([1,\n 2])"

    def test_names_are_completed_in_place(self, session: Session) -> None:
        """What is typed of a name is replaced by the whole name."""
        complete = terminal.completer(session).get_completions
        found = complete(Document("1 + affi"), CompleteEvent(completion_requested=True))

        assert [(each.text, each.start_position) for each in found] == [("affine", -4)]

    def test_a_line_is_read_plainly_without_prompt_toolkit(
        self, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is an optional library."""
        monkeypatch.setitem(sys.modules, "prompt_toolkit", None)

        assert terminal.read_typed(session) is input

    def test_ctrl_c_drops_what_is_typed(
        self, session: Session, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Ctrl-D ends the session, after what was still open."""
        typed: Iterator[str | type[BaseException]] = iter(
            ["f(", KeyboardInterrupt, ":type", "(1", EOFError, EOFError]
        )

        def read_line(prompt: str) -> str:
            found = next(typed)
            if isinstance(found, str):
                return found
            raise found

        terminal.talk(session, read_line, terminal.tell_lines)
        said = capsys.readouterr().out

        assert "dropped" in said
        assert "E0752" in said
        assert "E0005" in said


SCRIPT = """\
find s in Words where
let a = 1
# A script of a session.
s = [
  quote, letter,
  letter
]
side(s)
wrong
prove forall s in Words:
  side(s) == side(s)
find t in Words where side(t) == inside and t[0] == letter
argmax(model(t)) == side(t)
:type t
f(

:quit
never
"""


def test_a_script_is_answered_from_a_pipe(tmp_path: Path) -> None:
    """Each line as if it were typed, its answer below it, errors among them; no colours. Errors make the code 4."""
    command = [sys.executable, "-m", "circ", "repl", str(write_spec(tmp_path))]
    done = subprocess.run(command, input=SCRIPT, capture_output=True, encoding="utf-8", check=False)
    lines = done.stdout.split("\n")

    assert (done.returncode, done.stderr) == (4, "")
    assert lines[:2] == ["circ> find s in Words where", "  ... let a = 1"]
    assert lines[2].startswith("error[E0001]: expected an expression, found the end of the item")
    lines = lines[lines.index("a: real = 1") + 1 :]
    assert lines[:11] == [
        "circ> # A script of a session.",
        "circ> s = [",
        "  ...   quote, letter,",
        "  ...   letter",
        "  ... ]",
        "s: Char[3] = [ quote, letter, letter ]",
        "circ> side(s)",
        "Side",
        "  exact    inside",
        "  PyTorch  inside",
        "circ> wrong",
    ]
    assert lines[11].startswith("error[E0101]: `wrong` is not declared")
    assert any(line.startswith("✓ forall s in Words: side(s) == side(s): proved") for line in lines)
    assert any(line.startswith("t = [letter, ") for line in lines)
    assert "Char[3]" in lines
    assert any(line.startswith("error[E0005]: `(` is not closed") for line in lines)
    assert "never" not in done.stdout

    done = subprocess.run(
        command, input="1 + 1", capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0
