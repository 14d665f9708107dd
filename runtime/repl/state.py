"""What a session knows: its spec, what was declared beside it, and its running examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from circ.compiler.driver import Program
from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.query import Known, Named
from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Source, Span
from circ.runtime.cache.recall import NOWHERE, Keeping
from circ.runtime.session import Request
from circ.runtime.stamps import FileState

Watch = Callable[[str], AbstractContextManager[Progress]]
"""Shows the progress of what is named while it lasts."""


def unwatched(what: str) -> AbstractContextManager[Progress]:
    """Progress that nobody sees."""
    return nullcontext(silent)


@dataclass(frozen=True, slots=True)
class Piece:
    """What was declared at one line, and where that stands in the text that the program was read from."""

    source: Source
    names: frozenset[str]
    start: int = 0


@dataclass(slots=True)
class State:
    """A spec (`path`, if it is in a file), and what whoever asks about it has said so far.

    The program is read from the spec's text with the `pieces` behind it. `chosen` has an input of each
    domain that one was looked for in, and `files` what was read, as it was then. `over` after `:quit`;
    `failed`: some line could not be answered.
    """

    path: Path | None
    request: Request
    program: Program
    limits: Limits = field(default_factory=Limits)
    watch: Watch = unwatched
    keeping: Keeping = NOWHERE
    names: dict[str, Named] = field(default_factory=dict[str, Named])
    pieces: tuple[Piece, ...] = ()
    chosen: dict[str, Known | None] = field(default_factory=dict[str, "Known | None"])
    files: dict[Path, FileState] = field(default_factory=dict[Path, FileState])
    asked: int = 0
    over: bool = False
    failed: bool = False

    @property
    def spec_name(self) -> str:
        """What the spec is called; empty for a session without one."""
        return "" if self.path is None else str(self.path)

    @property
    def spec_text(self) -> str:
        """The spec's own text."""
        text = self.program.source.text
        return text[: self.pieces[0].start] if self.pieces else text

    def placed(self, span: Span) -> Span:
        """A place in the program's text as the user knows it: in the spec, or in a line of the session."""
        if not self.pieces or span.source != self.program.source:
            return span
        return in_piece(span, self.pieces)

    def told(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Findings with their places as the user knows them."""
        return [relocated(each, self.placed) for each in found]


def in_piece(span: Span, pieces: tuple[Piece, ...]) -> Span:
    """A span of the joined text in the piece that it starts in, if it is in one."""
    for piece in reversed(pieces):
        if span.start >= piece.start:
            start = min(span.start - piece.start, len(piece.source.text))
            return Span(piece.source, start, min(span.end - piece.start, len(piece.source.text)))
    return span


def relocated(found: Diagnostic, placed: Callable[[Span], Span]) -> Diagnostic:
    """A finding with all its places mapped."""
    return replace(
        found,
        span=None if found.span is None else placed(found.span),
        why=tuple(replace(label, span=placed(label.span)) for label in found.why),
        fix=None if found.fix is None else replace(found.fix, span=placed(found.fix.span)),
    )
