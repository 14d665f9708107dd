"""What stands beneath each other on neighbouring lines: the `=` and `:` of short items, comments.

The columns follow from the lines themselves, never from the blanks of a source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import assert_never

from circ.lang.comments import comments_in
from circ.lang.format_expressions import LONGEST_LINE
from circ.lang.format_types import maybe_type
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DataSet,
    DomainDecl,
    EnumDecl,
    Item,
    Name,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
)

WIDEST_START = 40
"""Starts of lines up to this width have what follows them aligned."""

WIDEST_GAP = 10
"""The starts of items are aligned only where this many blanks are enough."""


def even(starts: Sequence[str]) -> list[str]:
    """Starts of lines, as wide as the widest where all are short."""
    widest = max(map(len, starts))
    return [f"{start:<{widest}}" if widest <= WIDEST_START else start for start in starts]


def in_columns(items: Sequence[Item], lines: Sequence[str]) -> list[str]:
    """Items of one kind on a line each, with no line between them, their values beneath each other.

    They stay as they are where one has no such place, where starts differ much, or where a line
    would get too long.
    """
    widths = [len(start) for start in map(start_of, items) if start]
    if len(widths) < len(items) or max(widths) > WIDEST_START:
        return [*lines]
    widest = max(widths)
    if widest - min(widths) > WIDEST_GAP:
        return [*lines]
    spread = [
        f"{line[:width]:<{widest}}{line[width:]}" for width, line in zip(widths, lines, strict=True)
    ]
    return spread if max(map(len, spread)) <= LONGEST_LINE else [*lines]


def start_of(item: Item) -> str:
    """The text behind which blanks may stand: up to the `=`, or behind the `:`; empty for none."""
    match item:
        case EnumDecl(file=Name()) | DomainDecl(value=DataSet()):
            return ""
        case EnumDecl(name=name):
            return f"enum {name.text}"
        case SpaceDecl(name=name):
            return f"space {name.text}"
        case SubspaceDecl(name=name, space=space):
            return f"subspace {name.text} of {space.text}"
        case ParamDecl(name=name, type=kind):
            return f"param {name.text}{maybe_type(kind)}"
        case DomainDecl(name=name):
            return f"domain {name.text}"
        case ClaimDecl():
            return claim_start(item)
        case CircuitDecl() | RecordDecl() | CheckpointDecl() | NetworkDecl() | PatchDecl():
            return ""
        case _:
            assert_never(item)


def claim_start(item: ClaimDecl) -> str:
    """`claim faithful using a, b over float32 expects refuted:`."""
    using = f" using {', '.join(name.text for name in item.using)}" if item.using else ""
    over = "" if item.over is None else f" over {item.over.text}"
    expects = " expects refuted" if item.expects == "refuted" else ""
    return f"claim {item.name.text}{using}{over}{expects}:"


# --- comments ----------------------------------------------------------------------------------


def comments_in_columns(text: str) -> str:
    """`text` with the comments at the ends of lines that follow each other beneath each other.

    A comment has two blanks before it at least, and only these where a line would get too long.
    """
    lines = text.split("\n")
    parts = [(line, "") for line in lines]
    for comment in comments_in(text):
        if not comment.alone:
            at = text.count("\n", 0, comment.start)
            column = comment.start - text.rfind("\n", 0, comment.start) - 1
            parts[at] = lines[at][:column].rstrip(), comment.text
    return "\n".join(with_column(parts))


def with_column(parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Lines of code and comments, one column for the comments of lines that follow each other."""
    for has_comment, group in groupby(parts, key=lambda part: bool(part[1])):
        together = [*group]
        widest = max(len(code) for code, _ in together)
        longest = max(len(comment) for _, comment in together)
        width = widest if widest + 2 + longest <= LONGEST_LINE else 0
        for code, comment in together:
            yield f"{code:<{width}}  {comment}" if has_comment else code
