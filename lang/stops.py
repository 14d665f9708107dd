"""A place where a text leaves the grammar, with what stands around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from circ.lang.grammar import Failure
from circ.lang.span import Source, Span

LEXEME = re.compile(r'"(?:[^"\\\n]|\\.)*"?|\w+|:=|=>|->|==|!=|<=|>=|\+=|\.\.|.', re.DOTALL)
BRACKETS = re.compile(r'"(?:[^"\\\n]|\\.)*"?|#[^\n]*|[()\[\]{}]')
CLOSERS = {"(": ")", "[": "]", "{": "}"}

LOOK_BACK = 40


@dataclass(frozen=True, slots=True)
class Stop:
    """A failure in its source: the lexeme there, and the brackets still open before it."""

    span: Span
    failure: Failure
    open_brackets: tuple[Span, ...]

    @property
    def text(self) -> str:
        """What stands there; nothing at the end of a line or of the text."""
        return self.span.text if self.failure.found == "text" else ""

    @property
    def before(self) -> str:
        """What stands before it, as far as a message looks back."""
        start = self.span.start
        return self.span.source.text[max(0, start - LOOK_BACK) : start]

    @property
    def words(self) -> str:
        """What stands there, for a sentence."""
        if self.failure.found == "text":
            return f"`{self.text}`"
        return "the end of the line" if self.failure.found == "newline" else "the end of the item"

    def expects(self, *words: str) -> bool:
        """Whether one of `words` could have stood there."""
        return not self.failure.expected.isdisjoint(words)

    def expects_only(self, *words: str) -> bool:
        """Whether just `words` could have stood there."""
        return self.failure.expected == frozenset(words)


def stop_at(source: Source, offset: int, failure: Failure) -> Stop:
    """The failure with its surroundings."""
    at = offset + failure.start
    lexeme = LEXEME.match(source.text, at) if failure.found == "text" else None
    span = Span(source, at, lexeme.end() if lexeme else at)
    return Stop(span, failure, tuple(open_brackets(source, offset, at)))


def open_brackets(source: Source, start: int, end: int) -> list[Span]:
    """The brackets that are open at `end`, outermost first."""
    waiting: list[Span] = []
    for found in BRACKETS.finditer(source.text, start, end):
        if found[0] in CLOSERS:
            waiting.append(Span(source, found.start(), found.end()))
        elif found[0] in CLOSERS.values() and waiting:
            waiting.pop()
    return waiting
