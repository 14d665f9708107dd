"""A session without its terminal: a line of text goes in, an answer comes out.

Errors, interruptions and faults of Circ itself are answers like any other; none ends a session.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.render import as_data
from circ.lang.span import Source
from circ.runtime.bug import bug_text
from circ.runtime.repl import asking
from circ.runtime.repl.commands import command, read_again
from circ.runtime.repl.lines import (
    Bind,
    Command,
    Declaration,
    Evaluate,
    Find,
    Nothing,
    Prove,
    Range,
    Regions,
    Trace,
    read,
)
from circ.runtime.repl.lines import Line as Asked
from circ.runtime.repl.opening import declare, has_changed
from circ.runtime.repl.reply import NOTHING, Reply
from circ.runtime.repl.state import State
from circ.runtime.repl.telling import told_lines
from circ.runtime.repl.values import declared
from circ.runtime.report import Line

ANEW = (":load", ":reload")
"""Commands that read a spec in any case."""


@dataclass(slots=True)
class Session(State):
    """A spec, and the running examples of whoever asks about it."""

    def run(self, text: str) -> str:
        """The answer to a line, or to several that belong together, as text."""
        return "\n".join(reply.text for reply in self.ask(text) if reply.shown)

    def answer(self, text: str) -> list[Line]:
        """The same in lines, each with its style."""
        return [line for reply in self.ask(text) for line in reply.lines]

    def ask(self, text: str, cell: str = "", first: int = 1) -> list[Reply]:
        """The answer, after that of a spec which is read again because its files have changed.

        Messages call the text a line of the session, or the lines from `first` on of a `cell`. Nothing is
        raised.
        """
        line = read(Source(cell or f"<line {self.asked + 1}>", text, first=first))
        if isinstance(line, Nothing):
            return [NOTHING]
        self.asked += 1
        again = isinstance(line, Command) and line.word.text in ANEW
        fresh = [] if again or not has_changed(self) else [self.guarded(None)]
        return [*fresh, self.guarded(line)]

    def guarded(self, line: Asked | None) -> Reply:
        """The answer to a line, or to a change of files, whatever happens on the way."""
        try:
            return read_again(self) if line is None else self.dispatch(line)
        except CircError as error:
            self.failed = True
            return failure(self.told(error.diagnostics))
        except KeyboardInterrupt:
            return Reply("stopped", (Line("doubt", "stopped"),), {})
        except Exception as error:  # noqa: BLE001 - a fault of Circ is told, not raised
            self.failed = True
            text = bug_text(error)
            return Reply(
                "bug", (Line("bad", text), Line("plain", "the session goes on")), {"text": text}
            )

    def dispatch(self, line: Asked) -> Reply:
        """What a line asks for; raises `CircError`."""
        match line:
            case Nothing():
                return NOTHING
            case Evaluate(source=source):
                return asking.evaluate(self, source)
            case Bind():
                return asking.bind(self, line)
            case Prove():
                return asking.prove(self, line)
            case Find():
                return asking.find(self, line)
            case Range():
                return asking.range_over(self, line)
            case Regions():
                return asking.regions(self, line)
            case Trace():
                return asking.trace(self, line)
            case Declaration(word=word, source=source):
                piece, found = declare(self, word, source)
                return declared(self, piece, found)
            case Command():
                return command(self, line)
            case _:
                assert_never(line)


def failure(found: Iterable[Diagnostic]) -> Reply:
    """What is said of errors."""
    kept = list(found)
    return Reply(
        "error", tuple(told_lines(kept)), {"diagnostics": [as_data(each) for each in kept]}
    )
