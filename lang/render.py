"""Diagnostics for readers: as plain text with the source beneath, and as data for `--json`."""

from __future__ import annotations

import unicodedata
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from circ.lang.diagnostic import CircError, Diagnostic, Label
from circ.lang.span import Source, Span

WIDEST_EXCERPT = 100
"""Columns of a source line that are shown; a longer line is shown around its first mark."""

TAB = "    "

Json = str | int | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Mark:
    """A span to underline, with its words; the primary one says what, the others why."""

    span: Span
    text: str
    primary: bool


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as lines of plain text, without a line break at the end.

    A headline; for every source line with a mark, that line and its marks beneath; the help.
    """
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {visible(diagnostic.headline)}"]
    if diagnostic.span is not None:
        lines.extend(excerpts(diagnostic.span, marks(diagnostic)))
    if diagnostic.help:
        lines.append(f"help: {visible(diagnostic.help)}")
    return "\n".join(lines)


@contextmanager
def explained() -> Generator[None]:
    """Have `str` of a `CircError`, and so a traceback of Python, say what is wrong as the command does."""
    try:
        yield
    except CircError as error:
        error.args = ("\n\n".join(map(render, error.diagnostics)),)
        raise


def marks(diagnostic: Diagnostic) -> list[Mark]:
    """What is to be underlined, the primary span first."""
    primary = [Mark(diagnostic.span, diagnostic.label, True)] if diagnostic.span else []
    return [*primary, *(Mark(label.span, label.text, False) for label in diagnostic.why)]


# --- excerpts ----------------------------------------------------------------------------------


def excerpts(primary: Span, all_marks: Sequence[Mark]) -> Iterator[str]:
    """The excerpt of the primary span's source, then those of other sources."""
    sources = list(dict.fromkeys([primary.source.name, *(m.span.source.name for m in all_marks)]))
    gutter = max(len(str(line_of(mark))) for mark in all_marks)
    for name in sources:
        here = [mark for mark in all_marks if mark.span.source.name == name]
        arrow = "-->" if name == primary.source.name else ":::"
        yield f"{' ' * gutter}{arrow} {visible(here[0].span.place)}"
        yield f"{' ' * gutter} |"
        yield from excerpt(here, gutter)


def excerpt(here: Sequence[Mark], gutter: int) -> Iterator[str]:
    """Each marked line of one source with the marks beneath; `...` for lines left out."""
    before: int | None = None
    for number in sorted({line_of(mark) for mark in here}):
        if before is not None and number > before + 1:
            yield "..."
        on_line = sorted((m for m in here if line_of(m) == number), key=lambda m: m.span.start)
        shown, *beneath = underlined(on_line[0].span.source, number, on_line)
        yield f"{number:>{gutter}} | {shown}".rstrip()
        yield from (f"{' ' * gutter} | {line}".rstrip() for line in beneath)
        before = number


def line_of(mark: Mark) -> int:
    """The line on which the span of a mark starts."""
    return mark.span.source.position(mark.span.start)[0]


def underlined(source: Source, number: int, on_line: Sequence[Mark]) -> Iterator[str]:
    """A source line; its marks, with the words of the last; and the other words, last first."""
    line = source.line(number).rstrip("\r")
    begins = source.start_of(number)
    columns = [bounds(line, mark.span, begins) for mark in on_line]
    left = max(0, columns[0][0] - WIDEST_EXCERPT // 2) if width(line) > WIDEST_EXCERPT else 0
    columns = [clipped(column, left) for column in columns]
    yield window(visible(line), left)
    row = ""
    for mark, (start, end) in zip(on_line, columns, strict=True):
        sign = "^" if mark.primary else "-"
        row = row.ljust(start)[:start] + sign * (end - start) + row[end:]
    yield f"{row}  {visible(on_line[-1].text)}"
    for mark, (start, _) in reversed(list(zip(on_line[:-1], columns[:-1], strict=True))):
        if mark.text:
            yield f"{' ' * start}{visible(mark.text)}"


def bounds(line: str, span: Span, begins: int) -> tuple[int, int]:
    """The columns of a span on the line where it starts; an empty span is one column wide."""
    start, end = span.start - begins, min(span.end - begins, len(line))
    first = width(line[:start])
    return first, max(first + 1, width(line[:end]))


def clipped(column: tuple[int, int], left: int) -> tuple[int, int]:
    """Columns as they stand in a window that starts at `left`."""
    start, end = (min(max(0, edge - left), WIDEST_EXCERPT) for edge in column)
    return start, max(end, start + 1)


def window(line: str, left: int) -> str:
    """The columns of a line that are shown, with `…` where it goes on."""
    shown = line[left : left + WIDEST_EXCERPT]
    opening = "…" + shown[1:] if left else shown
    return opening[:-1] + "…" if len(line) > left + WIDEST_EXCERPT else opening


def visible(text: str) -> str:
    """`text` with tabs as spaces and nothing that a terminal would obey."""
    return "".join(glyph(char) for char in text)


def glyph(char: str) -> str:
    """How one character is shown."""
    if char == "\t":
        return TAB
    return char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"


def width(text: str) -> int:
    """The columns that `text` takes: two for a wide character, none for one that combines."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in visible(text)
    )


# --- data --------------------------------------------------------------------------------------


def as_data(diagnostic: Diagnostic) -> dict[str, Json]:
    """The diagnostic as a dictionary that JSON can hold; offsets count characters from 0."""
    fix = diagnostic.fix
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "headline": diagnostic.headline,
        "place": None if diagnostic.span is None else place(diagnostic.span),
        "label": diagnostic.label,
        "why": [reason(label) for label in diagnostic.why],
        "help": diagnostic.help,
        "fix": None if fix is None else {**place(fix.span), "replacement": fix.replacement},
    }


def reason(label: Label) -> Json:
    """A second place with its words."""
    return {**place(label.span), "text": label.text}


def place(span: Span) -> dict[str, Json]:
    """A span by file, by line and column from 1, and by offsets."""
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
    }
