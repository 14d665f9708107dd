"""What people see: lines in colour on standard output, progress on standard error."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from circ.compiler.finding import Progress
from circ.lang.diagnostic import Diagnostic
from circ.lang.render import render
from circ.runtime.displays import line_text
from circ.runtime.report import Line
from circ.runtime.show import printable

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


def show_lines(lines: Iterable[Line]) -> None:
    """Print lines, each in its style."""
    for line in lines:
        OUT.print(line_text(line))


def show_data(data: object, *, on_one_line: bool = False) -> None:
    """Print data as JSON; what cannot be printed, as half a character, as its escape."""
    text = json.dumps(data, indent=None if on_one_line else 2, ensure_ascii=False)
    OUT.print(Text("".join(map(escaped, text))))


def escaped(char: str) -> str:
    """A character of JSON; one that cannot be printed, as its escape."""
    return char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1]


def show_text(text: str) -> None:
    """Print a text as it is; on a terminal without what that would obey."""
    OUT.print(Text(seen(text.rstrip("\n"))))


def seen(text: str) -> str:
    """A text of several lines for where it goes: into a file as it is, for people what can be printed."""
    return "\n".join(map(printable, text.split("\n"))) if OUT.is_terminal else text


def show_source(text: str) -> None:
    """Print a spec, or a part of one, in colour where there is colour."""
    from rich.syntax import Syntax

    from circ.runtime.highlighting import CircLexer

    coloured = Syntax("", CircLexer(), theme="ansi_dark").highlight(seen(text))
    coloured.rstrip()
    OUT.print(coloured)


def show_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings with their source, apart from what a command answers."""
    for diagnostic in diagnostics:
        style = "red" if diagnostic.severity == "error" else "yellow"
        head, _, rest = render(diagnostic).partition("\n")
        ERR.print(Text(head, style=f"bold {style}"))
        if rest:
            ERR.print(Text(rest))


def show_notes(notes: Iterable[str]) -> None:
    """Print remarks that are no part of an answer."""
    for note in notes:
        ERR.print(Text(f"note: {printable(note)}", style="dim"))


@contextmanager
def progress(what: str, quiet: bool) -> Generator[Progress]:
    """A bar on standard error while work goes on; nothing where nobody watches."""
    if quiet or not ERR.is_terminal:
        yield lambda share, doing: None
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task(printable(what), total=1.0)

        def move(share: float, doing: str) -> None:
            bar.update(task, completed=share, description=printable(f"{what}: {doing}"))

        yield move
