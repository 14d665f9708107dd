"""Diagnostics as an editor shows them, and the edits that mend them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files as resources
from pathlib import Path

from lsprotocol.types import (
    CodeAction,
    CodeActionKind,
    DiagnosticRelatedInformation,
    DiagnosticSeverity,
    Location,
    Range,
    TextEdit,
    WorkspaceEdit,
)
from lsprotocol.types import Diagnostic as Shown

from circ.compiler.sources import ENDING, STANDARD
from circ.lang.diagnostic import Diagnostic, Fix
from circ.lang.span import Source, Span
from circ.lang.syntax import Use
from circ.runtime.lsp.documents import Reading, uri_of
from circ.runtime.lsp.places import Places

MOST_SHOWN = 200
"""Findings of one text that are sent to the editor."""


def shown(reading: Reading, found: Iterable[Diagnostic]) -> list[Shown]:
    """The findings of a document; those of a file that it uses stand at the `use`."""
    return [one(each, reading) for each in list(found)[:MOST_SHOWN]]


def one(found: Diagnostic, reading: Reading) -> Shown:
    """One finding, with its reasons as related places."""
    reasons = [(label.span, label.text) for label in found.why]
    words = [found.headline if not found.label else f"{found.headline} ({found.label})"]
    if found.span is not None and not reading.own(found.span):
        reasons.insert(0, (found.span, found.headline))
        words = [f"in `{found.span.source.name}`: {found.headline}"]
    words += [f"help: {found.help}"] if found.help else []
    return Shown(
        range=place_of(found, reading),
        message="\n".join(words),
        severity=severity(found),
        code=found.code,
        source="circ",
        related_information=[
            DiagnosticRelatedInformation(where, text)
            for span, text in reasons
            if (where := location(span, reading)) is not None
        ],
    )


def severity(found: Diagnostic) -> DiagnosticSeverity:
    """How bad it is."""
    is_error = found.severity == "error"
    return DiagnosticSeverity.Error if is_error else DiagnosticSeverity.Warning


def place_of(found: Diagnostic, reading: Reading) -> Range:
    """Where a finding is marked: at its span, at the `use` it came by, or at the top."""
    if found.span is None:
        return reading.places.range(0, 0)
    if found.span.source == reading.source:
        return reading.places.of(found.span)
    uses = reading.program.typed.module.uses
    origin = next((use for use in uses if is_of(use, found.span.source, reading)), None)
    spans = [use.module.span for use in ((origin,) if origin else uses)]
    return reading.places.of(spans[0]) if spans else reading.places.range(0, 0)


def is_of(use: Use, source: Source, reading: Reading) -> bool:
    """Whether a `use` names this text."""
    if not use.is_file:
        return source.name == use.module.text
    return Path(source.name) == Path(reading.source.name).parent / use.module.text


def location(span: Span, reading: Reading) -> Location | None:
    """Where a span is, in this document or in the file of another text."""
    if span.source == reading.source:
        return Location(reading.uri, reading.places.of(span))
    path = file_of(span.source)
    if path is None:
        return None
    places = Places(span.source.text, reading.encoding)
    return Location(uri_of(path), places.of(span))


def file_of(source: Source) -> Path | None:
    """The file of a text: one of the standard library lies with Circ."""
    if source.key == f"{source.name}:" and source.name.startswith(f"{STANDARD}."):
        name = source.name.removeprefix(f"{STANDARD}.") + ENDING
        found = resources("circ.stdlib").joinpath(name)
        return found if isinstance(found, Path) else None
    path = Path(source.name)
    return path if path.is_absolute() else None


# --- mends -------------------------------------------------------------------------------------


def mends(reading: Reading, around: Range) -> Iterator[CodeAction]:
    """The edits that diagnostics in a range propose."""
    start, end = reading.places.offset(around.start), reading.places.offset(around.end)
    for found in reading.program.diagnostics:
        span, fix = found.span, found.fix
        if fix is None or span is None or not reading.own(fix.span) or not reading.own(span):
            continue
        if span.start <= end and start <= span.end:
            edit = TextEdit(reading.places.of(fix.span), fix.replacement)
            yield CodeAction(
                title=title(found, fix),
                kind=CodeActionKind.QuickFix,
                diagnostics=[one(found, reading)],
                edit=WorkspaceEdit(changes={reading.uri: [edit]}),
                is_preferred=True,
            )


def title(found: Diagnostic, fix: Fix) -> str:
    """What a mend does, in words."""
    if found.help:
        return found.help
    if not fix.replacement:
        return f"remove `{fix.span.text}`"
    return f"write `{fix.replacement}`" if fix.span.text else f"insert `{fix.replacement}`"
