"""Statements as lines: shapes behind, breaks where there is no room, and the spec's own words above."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from circ.compiler.pytorch.literals import WIDTH, comment
from circ.lang.span import Span


def looped(variables: Mapping[str, str]) -> str:
    """The `for` of a comprehension, without the word."""
    if len(variables) == 1:
        ((name, over),) = variables.items()
        return f"{name} in {over}"
    overs = ", ".join(variables.values())
    return f"{', '.join(variables)} in zip({overs}, strict=True)"


def statement(text: str, shape: str) -> list[str]:
    """A statement with a shape behind it, or above where the line has no room; broken where it must be."""
    if len(text) + len(shape) + 2 <= WIDTH:
        return [f"{text}  {shape}"]
    return [shape, *broken(text)]


def broken(text: str) -> list[str]:
    """A statement in lines: what a call is given on a line of its own, or broken after commas.

    One that holds the name of a tensor stays one line.
    """
    if len(text) <= WIDTH or "self.tensor(" in text:
        return [text]
    start = text.find("(") + 1
    if closes_at_end(text, start) and len(text) - start < WIDTH - 4:
        return [text[:start], f"    {text[start:-1]}", ")"]
    lines, line = list[str](), ""
    for piece in text.split(", "):
        more = f"{line}, {piece}" if line else piece
        if line and len(more) > WIDTH - 1:
            lines.append(f"{line},")
            more = f"    {piece}"
        line = more
    return [*lines, line]


def closes_at_end(text: str, start: int) -> bool:
    """Whether the bracket before `start` is closed by the last character."""
    depth = 1
    for place, char in enumerate(text[start:], start):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0:
            return place == len(text) - 1
    return False


def remark(span: Span) -> str:
    """The first line of what a span holds, cut off where it is long, with its file and line."""
    first, _, rest = span.text.partition("\n")
    line, _ = span.source.position(span.start)
    text, where = comment(first), f"({PurePath(span.source.name).name}:{line})"
    room = WIDTH - len(where) - 2
    text = f"{text[:room]}…" if len(text) > room else f"{text} …" if rest else text
    return f"{text}  {comment(where)[2:]}"
