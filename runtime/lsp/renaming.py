"""Renaming: every place where a name means the same, if afterwards all names mean what they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lsprotocol.types import Position, Range, TextEdit, WorkspaceEdit

from circ.lang.diagnostic import Diagnostics
from circ.lang.meanings import BuiltIn, Field, Occurrence, Stored, Whole, defined_at
from circ.lang.parser import parse
from circ.lang.span import Span
from circ.lang.words import is_name
from circ.runtime.lsp.documents import Documents, Reading
from circ.runtime.lsp.pointing import places_of


class NotRenamed(Exception):
    """Why a name stays as it is, in words."""


def renameable(reading: Reading, position: Position) -> Range:
    """The range of the name at a position; raises `NotRenamed` where it cannot be another."""
    return reading.places.of(declared_here(reading, position).span)


def declared_here(reading: Reading, position: Position) -> Occurrence:
    """The name at a position, declared in this text; raises `NotRenamed`."""
    name = reading.name_at(reading.places.offset(position))
    if name is None:
        raise NotRenamed("no name that is declared stands here")
    match name.means:
        case Stored():
            raise NotRenamed(f"`{name.span.text}` is a name in a checkpoint's file")
        case Field():
            raise NotRenamed(f"`{name.span.text}` is the name of tensors that stand for it")
        case BuiltIn():
            raise NotRenamed(f"`{name.span.text}` is a function of the language")
        case Whole():
            raise NotRenamed(f"`{name.span.text}` is a module")
        case _:
            pass
    at = defined_at(name.means)
    if at is None or at.source != reading.source:
        where = "elsewhere" if at is None else f"in `{at.source.name}`"
        raise NotRenamed(f"`{name.span.text}` is declared {where}")
    return name


def renamed(documents: Documents, reading: Reading, position: Position, new: str) -> WorkspaceEdit:
    """The edits of a renaming; raises `NotRenamed` where the text would say something else."""
    if not is_name(new):
        raise NotRenamed(f"`{new}` is no name: it starts with a letter and is no reserved word")
    declared_here(reading, position)
    require_read(reading)
    spans = places_of(reading, position)
    text = replaced(reading.source.text, spans, new)
    after = documents.read(reading.uri, text)
    require_same(reading, after, new)
    edits = [TextEdit(reading.places.of(span), new) for span in spans]
    return WorkspaceEdit(changes={reading.uri: edits})


def require_read(reading: Reading) -> None:
    """Raise `NotRenamed` where parts of the text could not be read: the name may stand there."""
    found = Diagnostics()
    parse(reading.source, found)
    if found.failed:
        raise NotRenamed("the spec has errors of syntax, and what they spoil cannot be looked at")


def require_same(before: Reading, after: Reading, new: str) -> None:
    """Raise `NotRenamed` unless each name means what it meant, and nothing new is wrong."""
    known = Counter(found.code for found in before.program.diagnostics)
    for found in after.program.diagnostics:
        if not known[found.code]:
            raise NotRenamed(f"`{new}` will not do: {found.headline}")
        known[found.code] -= 1
    if meanings(before) != meanings(after):
        raise NotRenamed(f"`{new}` would stand for something else in some places")


def meanings(reading: Reading) -> list[object]:
    """For each name in turn, the number of the name that declares it, or what it is elsewhere."""
    first: dict[Span, int] = {}
    for number, name in enumerate(reading.names):
        first.setdefault(name.span, number)
    found: list[object] = []
    for name in reading.names:
        at = defined_at(name.means)
        here = at is not None and at.source == reading.source and at in first
        if here and at is not None and not isinstance(name.means, Stored | Field):
            found.append(first[at])
        else:
            found.append(name.span.text)
    return found


def replaced(text: str, spans: Sequence[Span], new: str) -> str:
    """The text with a name for each of the spans."""
    for span in sorted(spans, key=lambda each: each.start, reverse=True):
        text = text[: span.start] + new + text[span.end :]
    return text
