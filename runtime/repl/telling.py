"""Diagnostics and remarks as lines of an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from circ.compiler.query import Defined
from circ.lang.diagnostic import Diagnostic
from circ.lang.render import render
from circ.runtime.cache.recall import Answered
from circ.runtime.repl.reply import plain
from circ.runtime.report import Line, Style


def diagnostic_lines(found: Diagnostic) -> list[Line]:
    """A diagnostic with its source beneath."""
    first, *rest = (line.text for line in plain(render(found)))
    style: Style = "bad" if found.severity == "error" else "doubt"
    return [Line(style, first), *(Line("plain", text) for text in rest)]


def told_lines(found: Iterable[Diagnostic]) -> Iterator[Line]:
    """Several of them."""
    return (line for each in found for line in diagnostic_lines(each))


def noted_lines(reply: Answered) -> Iterator[Line]:
    """Why a verdict was not kept, or not believed."""
    return (Line("faint", f"note: {note}") for note in reply.notes)


def warned(defined: Defined) -> Iterator[Line]:
    """The warnings about an expression."""
    return told_lines(defined.warnings)
