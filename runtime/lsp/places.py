"""Places in a text as editors count them: lines, and units of an encoding, both from 0."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from lsprotocol.types import Position, PositionEncodingKind, Range

from circ.lang.span import Span

Encoding = Literal["utf-8", "utf-16", "utf-32"]

ENCODINGS: Mapping[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}

LINE_BREAK = re.compile(r"\r\n|\n|\r")


def encoding_named(kind: PositionEncodingKind | str | None) -> Encoding:
    """The encoding that editor and server agreed on; UTF-16 is what the protocol falls back on."""
    name = kind.value if isinstance(kind, PositionEncodingKind) else kind
    return ENCODINGS.get(name or "", "utf-16")


@dataclass(frozen=True)
class Places:
    """Offsets of a text, and the positions they have in an editor."""

    text: str
    encoding: Encoding = "utf-16"

    @cached_property
    def starts(self) -> list[int]:
        """Offset of the first character of each line."""
        return [0, *(found.end() for found in LINE_BREAK.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """The position of an offset."""
        line = bisect_right(self.starts, offset) - 1
        before = self.text[self.starts[line] : offset]
        return Position(line, sum(width(char, self.encoding) for char in before))

    def offset(self, position: Position) -> int:
        """The offset of a position, the nearest one where there is none such."""
        if position.line >= len(self.starts):
            return len(self.text)
        start, units = self.starts[position.line], 0
        for at in range(start, len(self.text)):
            if units >= position.character or self.text[at] in "\r\n":
                return at
            units += width(self.text[at], self.encoding)
        return len(self.text)

    def range(self, start: int, end: int) -> Range:
        """The range between two offsets."""
        return Range(self.position(start), self.position(end))

    def of(self, span: Span) -> Range:
        """The range of a span of this text."""
        return self.range(span.start, span.end)

    @property
    def all(self) -> Range:
        """The range of the whole text."""
        return self.range(0, len(self.text))


def width(char: str, encoding: Encoding) -> int:
    """How many units a character takes."""
    code = ord(char)
    match encoding:
        case "utf-8":
            return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        case "utf-16":
            return 1 if code < 0x10000 else 2
        case "utf-32":
            return 1
