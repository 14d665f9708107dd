"""What a session answers: for people, for programs, and for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from circ.runtime.as_data import Data
from circ.runtime.columns import Shown, shown_lines
from circ.runtime.displays import shown_html, shown_text
from circ.runtime.report import Line

if TYPE_CHECKING:
    from rich.text import Text

Kind = Literal[
    "nothing", "value", "example", "verdict", "found", "range", "regions", "trace", "declared",
    "values", "text", "loaded", "stopped", "error", "bug", "over", "several",
]  # fmt: skip
"""What an answer is about."""


class Printer(Protocol):
    """What is used of IPython's printer for a terminal."""

    def text(self, obj: str) -> object:
        """Print a text."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `data` is what `--json` says of it beyond its kind."""

    kind: Kind
    shown: tuple[Shown, ...]
    data: Data

    @property
    def lines(self) -> list[Line]:
        """The answer in lines, each with its style."""
        return shown_lines(self.shown)

    @property
    def text(self) -> str:
        """The answer as plain text."""
        return "\n".join(line.text for line in self.lines)

    def __str__(self) -> str:
        return self.text

    def __rich__(self) -> Text:
        return shown_text(self.shown)

    def _repr_pretty_(self, printer: Printer, cycle: bool) -> None:
        printer.text(self.text)

    def _repr_html_(self) -> str:
        return shown_html(self.shown)


NOTHING = Reply("nothing", (), {})


def plain(text: str) -> tuple[Line, ...]:
    """The lines of a text, without emphasis."""
    return tuple(Line("plain", line) for line in text.split("\n"))


def text_reply(text: str) -> Reply:
    """An answer that is words alone."""
    return Reply("text", plain(text), {"text": text})
