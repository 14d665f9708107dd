"""The items of a spec as an editor's outline has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from lsprotocol.types import DocumentSymbol, SymbolKind

from circ.lang.span import Span
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DomainDecl,
    EnumDecl,
    Item,
    Name,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
)
from circ.lang.words import quoted
from circ.runtime.lsp.documents import Reading
from circ.runtime.repl.about import item_line


def outline(reading: Reading) -> list[DocumentSymbol]:
    """A symbol for each item that could be read, with those inside it."""
    return [
        DocumentSymbol(
            name=item.name.text,
            kind=kind_of(item),
            range=reading.places.of(item.span),
            selection_range=reading.places.of(item.name.span),
            detail=item_line(item),
            children=[*inner(item, reading)],
        )
        for item in reading.program.typed.module.items
    ]


def part(name: Name, kind: SymbolKind, whole: Span, reading: Reading) -> DocumentSymbol:
    """A symbol inside an item; an editor refuses one without a name."""
    around, at = reading.places.of(whole), reading.places.of(name.span)
    return DocumentSymbol(name.text.strip() or quoted(name.text), kind, around, at)


def kind_of(item: Item) -> SymbolKind:
    """What comes nearest in the protocol's own list."""
    match item:
        case EnumDecl():
            return SymbolKind.Enum
        case SpaceDecl():
            return SymbolKind.Struct
        case SubspaceDecl():
            return SymbolKind.Struct
        case RecordDecl():
            return SymbolKind.Class
        case CheckpointDecl():
            return SymbolKind.File
        case NetworkDecl():
            return SymbolKind.Interface
        case ParamDecl():
            return SymbolKind.Constant
        case CircuitDecl():
            return SymbolKind.Function
        case DomainDecl():
            return SymbolKind.Namespace
        case ClaimDecl():
            return SymbolKind.Boolean
        case PatchDecl():
            return SymbolKind.Event
        case _:
            assert_never(item)


def inner(item: Item, reading: Reading) -> Iterator[DocumentSymbol]:
    """The members of an enum, the sites of a circuit."""
    match item:
        case EnumDecl(members=members):
            for name in members:
                yield part(name, SymbolKind.EnumMember, name.span, reading)
        case CircuitDecl(lets=lets):
            for let in lets:
                yield part(let.name, SymbolKind.Variable, let.span, reading)
        case SpaceDecl() | SubspaceDecl() | RecordDecl() | CheckpointDecl() | ParamDecl():
            pass
        case NetworkDecl() | DomainDecl() | ClaimDecl() | PatchDecl():
            pass
        case _:
            assert_never(item)
