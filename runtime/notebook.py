"""Circ in a notebook: `%load_ext circ`, then `%circ` for a line and `%%circ` for a cell.

IPython gives the shell that it wants extended, so that nothing of it is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeGuard, runtime_checkable

from circ.runtime.cache.recall import Answered, Keeping
from circ.runtime.claim_lines import claim_lines
from circ.runtime.columns import Shown
from circ.runtime.displays import shown_html
from circ.runtime.evaluate import Evaluated
from circ.runtime.ranges import Nowhere, Range
from circ.runtime.regions import Parted
from circ.runtime.repl.lines import is_open, questions
from circ.runtime.repl.opening import empty_program
from circ.runtime.repl.reply import Reply
from circ.runtime.repl.session import Session
from circ.runtime.session import Request
from circ.runtime.trace import Trace, trace_columns

AS_TYPED = "_ipython_magic_no_var_expand"
"""Set on a magic that takes its line as it stands: braces are Circ's own, and not Python's."""


class Formatter(Protocol):
    """IPython's formatter of one kind of display."""

    def for_type(self, typ: type, func: Callable[[object], str]) -> object:
        """Show values of a type by a function."""
        ...


class Displays(Protocol):
    """IPython's formatters, by the kind of display."""

    @property
    def formatters(self) -> dict[str, Formatter]:
        """`text/html` and others."""
        ...


@runtime_checkable
class Shell(Protocol):
    """What is used of IPython's shell."""

    @property
    def display_formatter(self) -> Displays:
        """How values are shown."""
        ...

    @property
    def execution_count(self) -> int:
        """The number of the cell that runs, as in `In[5]`."""
        ...

    def register_magic_function(
        self, func: Callable[..., object], magic_kind: str, magic_name: str
    ) -> None:
        """Have `%name` call a function."""
        ...


def is_shell(found: object) -> TypeGuard[Shell]:
    """Whether an object has what a shell is needed for here."""
    return isinstance(found, Shell)


def extend(shell: Shell) -> None:
    """Add the magic to a shell, with a session of its own, and the displays of what Circ finds."""
    session = Session(None, Request(), empty_program(), keeping=Keeping())

    def circ(line: str, cell: str | None = None) -> Reply:
        """Ask Circ: `%circ :load quote.circ`, `%circ prove faithful`; `%%circ` takes several lines."""
        text = line if cell is None else f"{line}\n{cell}"
        return together(asked(session, text, f"<In[{shell.execution_count}]>"))

    setattr(circ, AS_TYPED, True)
    shell.register_magic_function(circ, "line_cell", "circ")
    html = shell.display_formatter.formatters["text/html"]
    for kind in (Answered, Evaluated, Range, Nowhere, Parted, Trace):
        html.for_type(kind, found_html)


def asked(session: Session, text: str, cell: str) -> list[Reply]:
    """The answers to the lines of a cell, each with those that it goes on in."""
    found = list[Reply]()
    first = 1
    for question in asked_in(text):
        found += session.ask(question, cell, first)
        first += question.count("\n") + 1
    return found


def asked_in(text: str) -> Iterator[str]:
    """The questions of a cell in order; each of its lines is in one of them."""
    waiting = list[str]()
    lines = text.split("\n")
    for place, line in enumerate(lines):
        waiting.append(line)
        whole = "\n".join(waiting)
        if place == len(lines) - 1 or not is_open(whole):
            yield from questions(whole)
            waiting.clear()


def together(replies: Sequence[Reply]) -> Reply:
    """Several answers as one."""
    told = [reply for reply in replies if reply.kind not in ("nothing", "over")]
    if len(told) == 1:
        return told[0]
    shown = tuple(part for reply in told for part in reply.shown)
    return Reply("several", shown, {"answers": [{"answer": r.kind, **r.data} for r in told]})


def found_html(found: object) -> str:
    """What Circ finds, as HTML."""
    return shown_html(shown(found))


def shown(found: object) -> Sequence[Shown]:
    """What is shown of a result."""
    from circ.runtime.range_lines import range_lines
    from circ.runtime.region_lines import region_lines
    from circ.runtime.value_lines import value_lines

    match found:
        case Answered():
            return claim_lines(found)
        case Evaluated():
            return value_lines(found)
        case Range() | Nowhere():
            return [*range_lines(found)]
        case Parted():
            return [*region_lines(found)]
        case Trace():
            return [*trace_columns(found)]
        case _:
            raise TypeError(f"{type(found).__name__} is no result of Circ's")
