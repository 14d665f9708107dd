"""What is known of the place somebody points at: its type, its words, where it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from lsprotocol.types import Hover, Location, MarkupContent, MarkupKind, Position

from circ.lang.check.context import Context
from circ.lang.check.functions import FUNCTIONS
from circ.lang.check.tensors import path_type
from circ.lang.docs import module_doc
from circ.lang.format_types import format_type
from circ.lang.meanings import (
    Bound,
    BuiltIn,
    Declared,
    Field,
    Meaning,
    OneMember,
    Stored,
    Whole,
    Wire,
    defined_at,
)
from circ.lang.scope import key
from circ.lang.span import Span
from circ.lang.syntax import Expr
from circ.lang.types import Invalid
from circ.lang.types import show as type_text
from circ.lang.words import written_name, written_part
from circ.runtime.lsp.documents import Reading
from circ.runtime.lsp.findings import location
from circ.runtime.repl.about import item_line, membership

MOST_TENSORS = 20
"""Tensors of a group that a hover lists."""


def hover(reading: Reading, position: Position) -> Hover | None:
    """What the name at a position means, or the type of the expression there."""
    offset = reading.places.offset(position)
    name = reading.name_at(offset)
    if name is not None:
        code, words = described(name.means, reading)
        return card(code, words, name.span, reading)
    found = expression_at(reading, offset)
    if found is None:
        return None
    text = type_text(reading.program.typed.facts.types[found])
    return card(text, "", found.span, reading)


def card(code: str, words: str, span: Span, reading: Reading) -> Hover:
    """Code above words."""
    text = f"```circ\n{code}\n```" + (f"\n\n{words}" if words else "")
    return Hover(MarkupContent(MarkupKind.Markdown, text), reading.places.of(span))


def expression_at(reading: Reading, offset: int) -> Expr | None:
    """The smallest expression around an offset that has a type."""
    known = reading.program.typed.facts.types.items()
    around = [
        e
        for e, t in known
        if not isinstance(t, Invalid)
        and e.span.start <= offset <= e.span.end
        and reading.own(e.span)
    ]
    return min(around, key=lambda e: e.span.end - e.span.start, default=None)


def described(means: Meaning, reading: Reading) -> tuple[str, str]:
    """A meaning as code, and what is written about it."""
    match means:
        case Declared(item=item):
            return item_line(item), item.doc
        case OneMember(enum=enum, name=name):
            return membership(name.text, enum), enum.doc
        case Wire(name=name, type=kind):
            return f"{written_name(name.text)}: {type_text(kind)}", "a site of its circuit"
        case Bound(name=name, type=kind):
            return f"{written_name(name.text)}: {type_text(kind)}", ""
        case Stored():
            return "\n".join(tensors(means, reading)), ""
        case Field(record=record, path=path):
            kinds = [
                f"{'.'.join(p.text for p in e.path)}: {format_type(e.type)}" for e in means.entries
            ]
            start = f"{record.name.text}.{'.'.join(path)}"
            return "\n".join(kinds) if kinds else start, f"of the record `{record.name.text}`"
        case BuiltIn(name=name):
            return f"{name}(…)", f"{FUNCTIONS[name].doc} ({FUNCTIONS[name].arguments})"
        case Whole(source=source):
            return f"use {source.name}", module_doc(source)
        case _:
            assert_never(means)


def tensors(means: Stored, reading: Reading) -> Iterator[str]:
    """A tensor with its type, or those of a group, with what the file says of each."""
    facts, at = reading.program.typed.facts, key(means.checkpoint)
    start = ".".join((means.checkpoint.name.text, *map(written_part, means.path)))
    header = facts.headers.get(at)
    if header is None:
        yield start
        return
    name = ".".join(means.path)
    if name in header:
        kind = path_type(at, means.path, means.checkpoint.span, Context(facts))
        yield f"{start}: {type_text(kind)}   ({header[name].dtype})"
        return
    below = [each for each in header if each.startswith(f"{name}.")]
    yield f"{start}: {len(below)} tensors" if below else start
    for each in below[:MOST_TENSORS]:
        yield f"  {each[len(name) + 1 :]}: {list(header[each].shape)}"
    if len(below) > MOST_TENSORS:
        yield f"  … {len(below) - MOST_TENSORS} more"


def definition(reading: Reading, position: Position) -> Location | None:
    """Where the name at a position is declared, in this text or another."""
    name = reading.name_at(reading.places.offset(position))
    span = None if name is None else defined_at(name.means)
    return None if span is None else location(span, reading)


def places_of(reading: Reading, position: Position) -> list[Span]:
    """Every place of this text where the name at a position means the same."""
    name = reading.name_at(reading.places.offset(position))
    if name is None:
        return []
    found = (each.span for each in reading.names if alike(each.means, name.means))
    return [*dict.fromkeys(found)]


def alike(a: Meaning, b: Meaning) -> bool:
    """Whether two names mean the same: one tensor, or what is declared at one place."""
    apart = Stored | Field | BuiltIn | Whole
    if isinstance(a, apart) or isinstance(b, apart):
        return a == b
    return defined_at(a) == defined_at(b)
