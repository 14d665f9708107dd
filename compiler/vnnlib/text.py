"""The text of a property as nested lists, each with its place; and numbers, exactly.

A file is untrusted: its size, the depth of its parentheses and the length of its numbers are bounded,
and nothing here recurs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from circ.compiler.checkpoint import opened
from circ.compiler.header import Place
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import not_vnnlib, too_deep, too_large
from circ.lang.span import Source, Span

LARGEST_TEXT = 1 << 26
"""Bytes of a property."""

DEEPEST = 100
"""Parentheses around anything."""

LONGEST_NUMBER = 4000
"""Characters of a number; a double has up to 1,100 of them."""

LARGEST_POWER = 400
"""The largest power of ten in a number: a few characters make no long one. A double has one of 324 at most."""

PIECE = re.compile(r";[^\n]*|[()]|[^\s();]+")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE]([+-]?\d{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a number."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in parentheses."""

    items: tuple[Piece, ...]
    start: int
    end: int

    @property
    def head(self) -> str:
        """The word it starts with, or nothing."""
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, Word) else ""


Piece = Word | Group


def read_text(path: Path) -> Source:
    """The text of a file; raises `CircError` (E0401-E0403, E0805, E0811)."""
    with opened(path, Place(str(path), None), ".vnnlib") as file:
        data = file.read(LARGEST_TEXT + 1)
    if len(data) > LARGEST_TEXT:
        raise CircError(too_large(str(path), "it is a large file", f"{LARGEST_TEXT:,} bytes"))
    try:
        return Source(str(path), data.decode("utf-8"))
    except UnicodeDecodeError as error:
        source = Source(str(path), data[: error.start].decode("utf-8"))
        end = Span(source, len(source.text), len(source.text))
        raise CircError(not_vnnlib(end, "it is not text in UTF-8")) from error


def groups(source: Source) -> Iterator[Group]:
    """What stands in parentheses at the top, in order; raises `CircError` (E0811, E0815)."""
    waiting: list[tuple[int, list[Piece]]] = []
    for found in PIECE.finditer(source.text):
        text, start = found.group(), found.start()
        here = Span(source, start, start + len(text))
        if text[0] == ";":
            continue
        if text == "(":
            if len(waiting) == DEEPEST:
                raise CircError(too_deep(here, DEEPEST))
            waiting.append((start, []))
        elif not waiting:
            raise CircError(not_vnnlib(here, "everything stands in parentheses"))
        elif text == ")":
            first, items = waiting.pop()
            group = Group(tuple(items), first, start + 1)
            if waiting:
                waiting[-1][1].append(group)
            else:
                yield group
        else:
            waiting[-1][1].append(Word(text, start))
    if waiting:
        here = Span(source, waiting[-1][0], waiting[-1][0] + 1)
        raise CircError(not_vnnlib(here, "this parenthesis is not closed"))


def number(text: str) -> Fraction | None:
    """The number that a word writes, if it writes one, and one of bounded length."""
    found = NUMBER.fullmatch(text)
    if found is None or len(text) > LONGEST_NUMBER:
        return None
    return None if abs(int(found.group(3) or 0)) > LARGEST_POWER else Fraction(text)
