"""Where a session is typed: prompt_toolkit if it is there, else plain lines; or a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from circ.runtime.cache.recall import Keeping
from circ.runtime.exits import Exit
from circ.runtime.repl.completion import completions
from circ.runtime.repl.lines import is_open, questions
from circ.runtime.repl.opening import empty_program, watch_files
from circ.runtime.repl.reply import Reply
from circ.runtime.repl.session import Session
from circ.runtime.report import Line
from circ.runtime.session import Request, noted, usable
from circ.runtime.terminal import progress, show_data, show_diagnostics, show_lines

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

PROMPT = "circ> "
MORE = "  ... "
"""Before a line that goes on with the one above it."""

DROPPED = Reply("stopped", (Line("faint", "dropped; Ctrl-D or `:quit` leaves"),), {})
"""Said of a line that is not asked after all."""


ReadLine = Callable[[str], str]
"""One line of input after a prompt; raises `EOFError` at the end, `KeyboardInterrupt` on Ctrl-C."""


Tell = Callable[[str, Reply], None]
"""Shows what was asked, where that is not seen already, and an answer."""


def run_terminal(path: Path | None, request: Request, keeping: Keeping, as_json: bool) -> int:
    """A session on standard input until it ends; raises `CircError` for a spec with errors.

    The exit code of a pipe says whether every line could be answered; a terminal's is 0.
    """
    session = begun(path, request, keeping, quiet=as_json)
    show_diagnostics(noted(session.program))
    tell = tell_data if as_json else tell_lines
    if sys.stdin.isatty() and not as_json:
        about = session.spec_name or "no spec yet, `:load FILE` opens one"
        show_lines([Line("faint", f"{about}: `:help` shows what can be asked, Ctrl-D leaves")])
        talk(session, read_typed(session) if sys.stdout.isatty() else input, tell)
        return Exit.AS_CLAIMED
    talk(session, read_piped if as_json else read_shown, tell)
    return Exit.INPUT if session.failed else Exit.AS_CLAIMED


def begun(path: Path | None, request: Request, keeping: Keeping, *, quiet: bool) -> Session:
    """A session about a spec, or about none yet."""
    program = empty_program() if path is None else usable(path, request)
    watch = partial(progress, quiet=quiet)
    session = Session(path, request, program, watch=watch, keeping=keeping)
    watch_files(session)
    return session


def talk(session: Session, read_line: ReadLine, tell: Tell) -> None:
    """Answer what is read until the input ends or the session is over."""
    while not session.over:
        try:
            text = read_whole(read_line)
        except KeyboardInterrupt:
            tell("", DROPPED)
            continue
        if text is None:
            return
        for question in questions(text):
            for reply in [] if session.over else session.ask(question):
                tell(question, reply)


def tell_lines(question: str, reply: Reply) -> None:
    """Show an answer to people."""
    show_lines(reply.lines)


def tell_data(question: str, reply: Reply) -> None:
    """Show an answer to a program: an object on a line."""
    if reply.kind not in ("nothing", "over"):
        data = {"asked": question.strip(), "answer": reply.kind, **reply.data}
        show_data(data, on_one_line=True)


def read_whole(read_line: ReadLine) -> str | None:
    """A line, with those that it goes on in; None at the end of the input."""
    lines: list[str] = []
    while not lines or is_open("\n".join(lines)):
        try:
            lines.append(read_line(MORE if lines else PROMPT))
        except EOFError:
            break
    return "\n".join(lines) if lines else None


def read_piped(prompt: str) -> str:
    """A line of a script, which is not prompted for; bytes that are not UTF-8 become `�`."""
    try:
        line = sys.stdin.buffer.readline()
    except KeyboardInterrupt:
        raise EOFError from None
    if not line:
        raise EOFError
    return line.decode("utf-8", errors="replace").rstrip("\r\n")


def read_shown(prompt: str) -> str:
    """A line of a script, shown as if it were typed, so that each answer stands below what was asked."""
    line = read_piped(prompt)
    show_lines([Line("faint", f"{prompt}{line}".rstrip())])
    return line


def read_typed(session: Session) -> ReadLine:
    """Lines with history and completion, where prompt_toolkit is installed."""
    try:
        return read_edited(session)
    except ImportError:
        return input


def read_edited(session: Session, history: Path | None = None) -> ReadLine:
    """Lines edited by prompt_toolkit; raises `ImportError` where that is missing."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.lexers import PygmentsLexer

    from circ.runtime.highlighting import CircLexer
    from circ.runtime.repl.history import history_in, own_history

    editor: PromptSession[str] = PromptSession(
        history=history_in(own_history() if history is None else history),
        completer=completer(session),
        lexer=PygmentsLexer(CircLexer),
        complete_while_typing=False,
        multiline=Condition(lambda: is_open(get_app().current_buffer.text)),
        prompt_continuation=MORE,
    )
    return editor.prompt


def completer(session: Session) -> Completer:
    """The names of the session, as it stands whenever it is asked."""
    from prompt_toolkit.completion import Completer, Completion

    class Names(Completer):
        """Completes the last word."""

        def get_completions(
            self, document: Document, complete_event: CompleteEvent
        ) -> Iterable[Completion]:
            for found in completions(session, document.text_before_cursor):
                yield Completion(found.text, -found.replaces, display_meta=found.detail)

    return Names()
