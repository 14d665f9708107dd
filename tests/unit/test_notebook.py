"""Circ in a notebook: the magic, and what is shown as HTML."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from IPython.core.interactiveshell import InteractiveShell
from rich.console import Console

from circ.compiler.finding import Limits
from circ.compiler.query import expression
from circ.lang.span import Source
from circ.runtime.cache.recall import answered
from circ.runtime.columns import Columns
from circ.runtime.displays import shown_html
from circ.runtime.evaluate import evaluate
from circ.runtime.repl.reply import Reply
from circ.runtime.report import Line
from tests.unit.small_spec import program, write_spec

HOSTILE = '<script>alert("x")</script> & \'<img src=x onerror=y>'


class Notebook(Protocol):
    """What the tests use of IPython's shell, of which little is typed."""

    user_ns: dict[str, object]
    execution_count: int
    display_formatter: Any

    def run_line_magic(self, magic_name: str, line: str) -> object: ...

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> object: ...

    def run_cell(self, raw_cell: str) -> object: ...


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Notebook]:
    """A shell in which `%load_ext circ` was run and the small spec was loaded."""
    InteractiveShell.clear_instance()
    found = cast(Notebook, InteractiveShell.instance())
    found.run_line_magic("load_ext", "circ")
    found.run_line_magic("circ", f":load {write_spec(tmp_path)}")
    yield found
    InteractiveShell.clear_instance()


def html_of(found: object) -> str:
    """An answer as a notebook shows it."""
    return str(getattr(found, "_repr_html_")())  # noqa: B009


class Texts(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style", "class"}

    def handle_data(self, data: str) -> None:
        self.text += data


class TestTheMagic:
    """`%circ` and `%%circ`."""

    def test_a_line_is_answered(self, shell: Notebook) -> None:
        """With what can be shown, and with data."""
        found = shell.run_line_magic("circ", "prove few")

        assert isinstance(found, Reply)
        assert found.data["verdict"] == "proved"
        assert str(found).startswith("✓ few: proved")

    def test_a_cell_is_answered_line_by_line(self, shell: Notebook) -> None:
        """Each with those that it goes on in; the session is the same for every cell."""
        found = shell.run_cell_magic(
            "circ", "", "s = [\n  quote, letter, letter\n]\n\n# a remark\nside(s)\n"
        )

        assert isinstance(found, Reply)
        assert found.kind == "several"
        assert str(found).split("\n")[1:] == ["Side", "  exact    inside", "  PyTorch  inside"]
        assert "[quote, letter, letter]" in str(shell.run_line_magic("circ", "s"))

    def test_braces_are_not_those_of_python(self, shell: Notebook) -> None:
        """Python's variables are put into no line."""
        shell.user_ns["hidden"] = 3
        shell.run_cell("found = %circ model([quote, letter, letter]) do { hidden := 0 }")

        assert "without `do`" in str(shell.user_ns["found"])

    def test_an_error_is_an_answer(self, shell: Notebook) -> None:
        """Nothing is raised into the notebook."""
        assert str(shell.run_line_magic("circ", "1 +")).startswith("error[")

    def test_a_message_tells_the_line_of_the_cell(self, shell: Notebook) -> None:
        """`%%circ` itself is the first one, whatever stands between it and what is wrong."""
        cell = "# a remark\nside([quote,\n  quote, letter])\n\nprove forall s in Words:\n  nope(s)\n1 + (\n  2 + half +)\n"
        found = str(shell.run_cell_magic("circ", "", cell))
        count = shell.execution_count

        assert f"<In[{count}]>:7:3\n" in found and "7 |   nope(s)" in found
        assert f"<In[{count}]>:9:13\n" in found

    def test_loading_the_extension_alone_needs_no_ipython(self) -> None:
        """`import circ` imports neither IPython nor torch."""
        script = "import circ, sys; print({'IPython', 'torch', 'numpy'} & {*sys.modules})"
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )

        assert done.stdout == "set()\n"


class TestDisplays:
    """What is found, as HTML."""

    def test_answers_have_tables(self, shell: Notebook) -> None:
        """And the text of each line."""
        found = shell.run_line_magic("circ", "trace model([quote, letter, letter])")
        shown = Texts(html_of(found))

        assert {"table", "td", "th"} <= shown.tags
        assert "hidden" in shown.text

    def test_results_are_shown_where_the_extension_is_loaded(
        self, shell: Notebook, tmp_path: Path
    ) -> None:
        """Verdicts and values that Python asked for."""
        asked = program(tmp_path)
        html = shell.display_formatter.formatters["text/html"]
        value = evaluate(expression(asked, Source("<q>", "1 + half"), {}), asked.weights)
        verdict = answered(asked.question("few"), asked.weights, Limits())

        assert "1.5" in str(html(value))
        assert "✓ few: proved" in str(html(verdict))

    def test_what_a_spec_says_is_escaped(self) -> None:
        """Names and strings are text, in lines and in tables."""
        parts = (Line("good", HOSTILE), Columns((HOSTILE, "b"), ((HOSTILE, "1"),)))
        shown = Texts(shown_html(parts))

        assert shown.tags == {"div", "pre", "span", "table", "thead", "tbody", "tr", "th", "td"}
        assert shown.text.count(HOSTILE) == 3

    def test_so_is_what_is_answered_about_it(self, shell: Notebook) -> None:
        """A member of an enum may have any name."""
        asked = 'enum Bad = { "<script>alert(1)</script>", "&lt;b" }\n"&lt;b"\nnope("<b>")\n:names'
        found = shell.run_cell_magic("circ", "", asked)
        shown = Texts(html_of(found))

        assert shown.tags <= {"div", "pre", "span"}
        assert '"<script>alert(1)</script>"' in shown.text
        assert '"&lt;b"' in shown.text

    def test_rich_shows_the_text_in_colour(self) -> None:
        """Without reading any of it as markup."""
        console = Console(record=True, width=200, file=StringIO())
        console.print(Reply("text", (Line("bad", "[red]no markup[/red]"),), {}))

        assert console.export_text() == "[red]no markup[/red]\n"
