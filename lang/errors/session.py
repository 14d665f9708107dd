"""E075x: lines of an interactive session that are not understood."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.errors.names import suggestion
from circ.lang.errors.spelling import nearest
from circ.lang.span import Span


def unknown_command(span: Span, word: str, known: Sequence[str]) -> Diagnostic:
    """A word with a colon that is no command."""
    help, fix = suggestion(span, nearest(word, known))
    help = help or "`:help` lists the commands"
    return Diagnostic("E0751", f"there is no command `{word}`", span, "", help=help, fix=fix)


def needs_argument(span: Span, word: str, what: str, example: str) -> Diagnostic:
    """A command without what it is about."""
    help = f"as in `{example}`"
    return Diagnostic("E0752", f"`{word}` needs {what}", span, "", help=help)


def name_is_taken(span: Span, name: str, what: str, why: tuple[Label, ...] = ()) -> Diagnostic:
    """An example under a name that means something else."""
    headline = f"`{name}` is {what}, so no example can have that name"
    return Diagnostic("E0753", headline, span, "taken", why, "choose another name")


def belongs_in_spec(span: Span, word: str, path: str) -> Diagnostic:
    """A declaration typed into a session that only a file may have."""
    headline = f"`{word}` stands in a spec, not in a session"
    help = (
        f"write it into {path}, then `:reload`" if path else "write it into a file, and `:load` it"
    )
    return Diagnostic("E0754", headline, span, "", help=help)


def lost_example(name: str, why: str, what: str = "example") -> Diagnostic:
    """An example, or a declaration of the session, that means nothing in the spec as it is now."""
    headline = f"the {what} `{name}` does not fit the spec any more, and is dropped: {why}"
    return Diagnostic("E0755", headline, None, severity="warning")


def type_changed(kind: str) -> Diagnostic:
    """A value that was found, of a type that the spec no longer declares so."""
    return Diagnostic("E0756", f"the spec has another `{kind}` now", None)


def goes_through_no_call(span: Span) -> Diagnostic:
    """A trace of what has no sites."""
    help = "name a circuit and its arguments, as in `trace model(s)`"
    return Diagnostic(
        "E0757", "only a call of a circuit is traced", span, "no such call", help=help
    )


def trace_of_counts(span: Span) -> Diagnostic:
    """A trace of a call that counts the inputs of a domain."""
    headline = "a call that counts the inputs of a domain is not traced"
    help = "its value can be asked for by itself"
    return Diagnostic("E0758", headline, span, "counts", help=help)


def no_file(span: Span, word: str) -> Diagnostic:
    """A command about the spec of a session that has none."""
    headline = f"`{word}` reads the spec again, and this session has none"
    return Diagnostic("E0759", headline, span, "", help="`:load quote.circ` opens one")
