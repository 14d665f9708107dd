"""Answers in colour: as HTML for notebooks, and for rich."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from rich.text import Text

from circ.runtime.columns import Columns, Shown, shown_lines
from circ.runtime.report import Line, Style

COLOURS: dict[Style, str] = {
    "good": "bold green",
    "bad": "bold red",
    "doubt": "yellow",
    "plain": "",
    "faint": "dim",
}
"""In rich's words."""

STYLES: dict[Style, str] = {
    "good": "color:#18794e;font-weight:bold",
    "bad": "color:#c62a2f;font-weight:bold",
    "doubt": "color:#946800",
    "plain": "",
    "faint": "opacity:0.65",
}
"""In CSS's words, legible on light and on dark."""

TABLE = "font-family:monospace;white-space:pre-wrap"
CELL = "text-align:left"


def line_text(line: Line) -> Text:
    """A line for rich."""
    return Text(line.text, style=COLOURS[line.style])


def shown_text(shown: Sequence[Shown]) -> Text:
    """An answer for rich."""
    return Text("\n").join(map(line_text, shown_lines(shown)))


def shown_html(shown: Sequence[Shown]) -> str:
    """An answer as HTML that stands by itself; every word of a spec or a file in it is escaped."""
    return f'<div class="circ">{"".join(parts(shown))}</div>'


def parts(shown: Sequence[Shown]) -> Iterator[str]:
    """Lines that follow each other in one block, tables as tables."""
    for table, group in groupby(shown, key=lambda part: isinstance(part, Columns)):
        if table:
            yield from (table_html(part) for part in group if isinstance(part, Columns))
        else:
            lines = (line_html(part) for part in group if isinstance(part, Line))
            yield f'<pre style="margin:0">{chr(10).join(lines)}</pre>'


def line_html(line: Line) -> str:
    """A line in its style."""
    style, text = STYLES[line.style], escape(line.text)
    return f'<span style="{style}">{text}</span>' if style else text


def table_html(table: Columns) -> str:
    """A table."""
    head = "".join(cell_html("th", cell) for cell in table.head)
    body = "".join(f"<tr>{row_html(row)}</tr>" for row in table.rows)
    return f'<table style="{TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def row_html(row: Sequence[str]) -> str:
    """The cells of a row."""
    return "".join(cell_html("td", cell) for cell in row)


def cell_html(tag: str, text: str) -> str:
    """One cell."""
    return f'<{tag} style="{CELL}">{escape(text)}</{tag}>'
