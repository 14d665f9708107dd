"""What may stand at a place of a text, as an editor wants it."""

from __future__ import annotations

from lsprotocol.types import CompletionItem, CompletionItemKind, Position

from circ.runtime.completing import Proposal, proposals
from circ.runtime.lsp.documents import Reading


def completions(reading: Reading, position: Position) -> list[CompletionItem]:
    """What may stand at a position, each thing once."""
    before = reading.source.text[: reading.places.offset(position)]
    return [item(each) for each in proposals(reading.program, before)]


def item(found: Proposal) -> CompletionItem:
    """A proposal in the words of the protocol."""
    kind = CompletionItemKind[found.what]
    return CompletionItem(found.label, kind=kind, detail=found.detail, documentation=found.doc)
