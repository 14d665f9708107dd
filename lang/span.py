"""Where something stands in a source text."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Source:
    """A text and the name its reader knows it by (a path, or `<repl>`).

    `key` tells what is declared in it from what other texts of one program declare: it is empty for
    the spec that was asked for, `rules.circ:` for a file that it uses. `first` is the number of its
    first line, where its reader sees it as a part of a longer text.
    """

    name: str
    text: str = field(repr=False)
    key: str = ""
    first: int = 1

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first character of each line."""
        breaks = (i + 1 for i, char in enumerate(self.text) if char == "\n")
        return (0, *breaks)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of `offset`, counted from `first` and from 1."""
        line = bisect_right(self.line_starts, offset)
        return line + self.first - 1, offset - self.line_starts[line - 1] + 1

    def start_of(self, number: int) -> int:
        """Offset of the first character of line `number` (from `first`)."""
        return self.line_starts[number - self.first]

    def line(self, number: int) -> str:
        """The text of line `number` (from `first`) without its line break."""
        start = self.start_of(number)
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `start <= i < end` of a source."""

    source: Source = field(repr=False)
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def place(self) -> str:
        """`file:line:column`, as editors and terminals link it."""
        line, column = self.source.position(self.start)
        return f"{self.source.name}:{line}:{column}"

    def __contains__(self, other: Span) -> bool:
        """Whether all of `other` lies within this span."""
        same = self.source == other.source
        return same and self.start <= other.start and other.end <= self.end

    def to(self, other: Span) -> Span:
        """The span from the start of this one to the end of `other`."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))
