"""The words of a session that start with a colon."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from circ.compiler.query import define
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.errors.session import needs_argument, no_file, unknown_command
from circ.lang.format import format_item
from circ.lang.render import as_data
from circ.lang.syntax import CircuitDecl
from circ.runtime.as_data import Data
from circ.runtime.repl import about
from circ.runtime.repl.asking import bind, find
from circ.runtime.repl.lines import Bind, Command, Find, read
from circ.runtime.repl.opening import open_spec_in
from circ.runtime.repl.reply import NOTHING, Reply, text_reply
from circ.runtime.repl.state import State
from circ.runtime.repl.telling import told_lines
from circ.runtime.repl.values import values_reply
from circ.runtime.report import Line
from circ.runtime.session import Request, rational


def command(state: State, line: Command) -> Reply:
    """One of the words with a colon; raises `CircError`."""
    source = line.source
    match line.word.text:
        case ":type":
            needs(line, "an expression", ":type s[0]")
            defined = define(state.program, source, state.names)
            return text_reply(about.typed_text(state.program, defined))
        case ":doc":
            needs(line, "a name", ":doc argmax")
            return text_reply(about.doc_text(state.program, state.names, source))
        case ":claims":
            return text_reply(about.claims_text(state.program))
        case ":names":
            return text_reply(about.names_text(state.program, state.names))
        case ":values":
            return values_reply(state)
        case ":example":
            return example(state, line)
        case ":timeout":
            return timeout(state, line)
        case ":load":
            needs(line, "a file", ":load quote.circ")
            return load(state, Path(source.text))
        case ":reload":
            return reload(state, line)
        case ":help":
            return text_reply(about.help_text())
        case ":quit":
            state.over = True
            return replace(NOTHING, kind="over")
        case word:
            raise CircError(unknown_command(line.word, word, list(about.COMMANDS)))


def needs(line: Command, what: str, example: str) -> None:
    """Raises `CircError` for a command that says nothing further."""
    if not line.source.text:
        raise CircError(needs_argument(line.word, line.word.text, what, example))


def example(state: State, line: Command) -> Reply:
    """Set a running example, `s = …` or `s in D where …`; alone, those that there are."""
    text = line.source.text
    if not text:
        return text_reply(about.examples_text(state.names, state.chosen))
    for asked in (read(line.source), read(replace(line.source, text=f"find {text}"))):
        match asked:
            case Bind():
                return bind(state, asked)
            case Find() if " in " in f" {text} ":
                return find(state, asked)
            case _:
                pass
    raise CircError(needs_argument(line.word, ":example", "a name and a value", ":example s = […]"))


def timeout(state: State, line: Command) -> Reply:
    """Set how many seconds a claim, a range or a count may take; alone, how many it may."""
    text = line.source.text
    if text:
        try:
            seconds = float(rational(text))
        except (ValueError, ZeroDivisionError, OverflowError):
            seconds = 0.0
        if seconds <= 0:
            raise CircError(needs_argument(line.word, ":timeout", "seconds", ":timeout 30"))
        state.limits = replace(state.limits, timeout=seconds)
    return text_reply(f"a claim, a range or a count may take {state.limits.timeout:g} s")


# --- specs ------------------------------------------------------------------------------------


def load(state: State, path: Path) -> Reply:
    """Go over to another spec."""
    with suppress(RuntimeError):  # a user without a home
        path = path.expanduser()
    found = open_spec_in(state, path, Request(outside=state.request.outside))
    return opened(state, found, ())


def reload(state: State, line: Command) -> Reply:
    """Read the spec again."""
    if state.path is None:
        raise CircError(no_file(line.word, line.word.text))
    before = heads(state)
    found = open_spec_in(state, state.path, state.request)
    return opened(state, found, differing(before, state))


def read_again(state: State) -> Reply:
    """Read a spec whose files have changed."""
    before = heads(state)
    found = open_spec_in(state, state.path, state.request)
    reply = opened(state, found, differing(before, state))
    note = Line("faint", f"{state.path or 'a file'} has changed, and was read again")
    return replace(reply, shown=(note, *reply.shown[:-1]))


def opened(state: State, found: list[Diagnostic], names: tuple[str, ...]) -> Reply:
    """That a spec was read, and which circuits are others than before."""
    told = (Line("faint", f"changed: {', '.join(names)}"),) if names else ()
    shown = (*told_lines(found), *told, Line("good", f"✓ {state.path}"))
    data: Data = {
        "spec": state.spec_name,
        "changed": [*names],
        "diagnostics": [as_data(each) for each in found],
    }
    return Reply("loaded", shown, data)


def heads(state: State) -> dict[str, str]:
    """The circuits of the spec as text."""
    items = state.program.typed.module.items
    return {i.name.text: format_item(i) for i in items if isinstance(i, CircuitDecl)}


def differing(before: dict[str, str], state: State) -> tuple[str, ...]:
    """The circuits that were written otherwise, or not at all."""
    return tuple(name for name, text in heads(state).items() if before.get(name) != text)
