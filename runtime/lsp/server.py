"""The server: what an editor sends, who answers it, and when a text is looked at anew.

Requests are answered from names and types, which take milliseconds. What only lowering can see takes
longer: it is looked for in a thread, once nobody has typed for a moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from threading import Thread
from typing import TypeVar

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from circ.compiler.driver import Program
from circ.lang.diagnostic import CircError
from circ.runtime.bug import bug_text
from circ.runtime.commands.fmt import canonical
from circ.runtime.lsp.completing import completions
from circ.runtime.lsp.documents import Documents, Reading
from circ.runtime.lsp.findings import mends, shown
from circ.runtime.lsp.outline import outline
from circ.runtime.lsp.places import encoding_named
from circ.runtime.lsp.pointing import definition, hover, places_of
from circ.runtime.lsp.renaming import NotRenamed, renameable, renamed

Answer = TypeVar("Answer")

SOON = 0.03
"""Seconds after the last change until names and types are looked at."""

LATER = 0.5
"""Seconds after that until the rest is, in a thread."""

REFUSED = -32803
"""The protocol's code for a request that is right and cannot be met."""


@dataclass(slots=True)
class Desk:
    """The open documents, and the looks at them that are still to come, by URI."""

    server: LanguageServer
    documents: Documents = field(default_factory=Documents)
    waiting: dict[str, asyncio.TimerHandle] = field(default_factory=dict[str, asyncio.TimerHandle])
    busy: bool = False

    def guarded(self, ask: Callable[[], Answer]) -> Answer | None:
        """An answer; None, with a word to the editor's log, where Circ fails."""
        try:
            return ask()
        except JsonRpcException:
            raise
        except Exception as error:  # noqa: BLE001
            self.failed(error)
            return None

    def failed(self, error: Exception) -> None:
        """Tell the editor's log of what is Circ's own fault."""
        told = lsp.LogMessageParams(lsp.MessageType.Error, bug_text(error))
        self.server.window_log_message(told)

    def about(self, uri: str, ask: Callable[[Reading], Answer]) -> Answer | None:
        """An answer about an open document."""

        def answer() -> Answer | None:
            reading = self.documents.reading(uri)
            return None if reading is None else ask(reading)

        return self.guarded(answer)

    def changed(self, uri: str, text: str, version: int | None) -> None:
        """Take over a text, and look at all open ones soon: they may use it."""
        self.documents.put(uri, text, version)
        self.look_soon()

    def look_soon(self) -> None:
        """Look at every open document of which nothing is known, once nobody types."""
        for uri in self.documents.texts.keys() - self.documents.readings.keys():
            self.wait(uri, SOON, self.look)

    def wait(self, uri: str, seconds: float, then: Callable[[str], None]) -> None:
        """Do the one thing next that is to be done about a document."""
        if uri in self.waiting:
            self.waiting.pop(uri).cancel()
        loop = asyncio.get_running_loop()
        self.waiting[uri] = loop.call_later(seconds, lambda: then(uri))

    def look(self, uri: str) -> None:
        """Publish what names and types say; the rest follows where they say nothing against it."""
        self.waiting.pop(uri, None)
        reading = self.about(uri, lambda found: found)
        if reading is not None:
            self.publish(reading, reading.program)
            if not reading.program.failed:
                self.wait(uri, LATER, self.look_closer)

    def look_closer(self, uri: str) -> None:
        """Look for what only lowering can see, one document at a time."""
        self.waiting.pop(uri, None)
        reading = self.about(uri, lambda found: found)
        if reading is None:
            return
        if self.busy:
            self.wait(uri, LATER, self.look_closer)
            return
        self.busy = True
        loop, lower = asyncio.get_running_loop(), self.documents.lowering(reading)

        def run() -> None:
            found = attempt(lower)
            loop.call_soon_threadsafe(self.looked, reading, found)

        Thread(target=run, daemon=True).start()

    def looked(self, reading: Reading, found: Program | Exception) -> None:
        """Publish what was found, if the document is still the one that was looked at."""
        self.busy = False
        if isinstance(found, Exception):
            self.failed(found)
        elif self.documents.readings.get(reading.uri) is reading:
            self.publish(reading, found)

    def publish(self, reading: Reading, program: Program) -> None:
        """Send the findings of a document."""
        found = self.guarded(lambda: shown(reading, program.diagnostics))
        self.tell(reading.uri, found or [], reading.version)

    def tell(self, uri: str, found: list[lsp.Diagnostic], version: int | None) -> None:
        """Send findings; none take those away that the editor still shows."""
        params = lsp.PublishDiagnosticsParams(uri, found, version)
        self.server.text_document_publish_diagnostics(params)

    def closed(self, uri: str) -> None:
        """A document is closed: nothing is shown of it any more."""
        if uri in self.waiting:
            self.waiting.pop(uri).cancel()
        self.documents.drop(uri)
        self.tell(uri, [], None)
        self.look_soon()


def attempt(ask: Callable[[], Answer]) -> Answer | Exception:
    """An answer, or what was raised instead."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001
        return error


def formatted(reading: Reading) -> list[lsp.TextEdit]:
    """One edit to the canonical text; none where the text has errors, or is canonical."""
    try:
        text = canonical(reading.source)
    except CircError:
        return []
    return [] if text == reading.source.text else [lsp.TextEdit(reading.places.all, text)]


def refusing(ask: Callable[[], Answer]) -> Answer:
    """An answer, or the protocol's own way to refuse one."""
    try:
        return ask()
    except NotRenamed as refused:
        raise JsonRpcException(str(refused), REFUSED) from None


def new_server() -> LanguageServer:
    """A server with all that it can be asked."""
    server = LanguageServer(
        "circ", version("circ-lang"), text_document_sync_kind=lsp.TextDocumentSyncKind.Full
    )
    desk = Desk(server)
    hear(server, desk)
    answer_about_places(server, desk)
    answer_about_texts(server, desk)
    return server


def hear(server: LanguageServer, desk: Desk) -> None:
    """What an editor tells."""

    @server.feature(lsp.INITIALIZED)
    def _(_params: lsp.InitializedParams) -> None:
        desk.documents.encoding = encoding_named(server.workspace.position_encoding)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def _(params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        desk.changed(opened.uri, opened.text, opened.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def _(params: lsp.DidChangeTextDocumentParams) -> None:
        at = params.text_document
        text = server.workspace.get_text_document(at.uri).source
        desk.changed(at.uri, text, at.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def _(_params: lsp.DidSaveTextDocumentParams) -> None:
        desk.documents.forget_all()
        desk.look_soon()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def _(params: lsp.DidCloseTextDocumentParams) -> None:
        desk.closed(params.text_document.uri)


def answer_about_places(server: LanguageServer, desk: Desk) -> None:
    """What an editor asks about a position."""

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def _(params: lsp.HoverParams) -> lsp.Hover | None:
        return desk.about(params.text_document.uri, lambda at: hover(at, params.position))

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def _(params: lsp.DefinitionParams) -> lsp.Location | None:
        return desk.about(params.text_document.uri, lambda at: definition(at, params.position))

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def _(params: lsp.ReferenceParams) -> list[lsp.Location] | None:
        uri = params.text_document.uri

        def found(at: Reading) -> list[lsp.Location]:
            return [lsp.Location(uri, at.places.of(s)) for s in places_of(at, params.position)]

        return desk.about(uri, found)

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=["."]))
    def _(params: lsp.CompletionParams) -> list[lsp.CompletionItem] | None:
        return desk.about(params.text_document.uri, lambda at: completions(at, params.position))

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def _(params: lsp.PrepareRenameParams) -> lsp.Range | None:
        uri, place = params.text_document.uri, params.position
        return desk.about(uri, lambda at: refusing(lambda: renameable(at, place)))

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def _(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        uri, place, new = params.text_document.uri, params.position, params.new_name
        documents = desk.documents
        return desk.about(uri, lambda at: refusing(lambda: renamed(documents, at, place, new)))


def answer_about_texts(server: LanguageServer, desk: Desk) -> None:
    """What an editor asks about a whole document, or a range."""

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def _(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        return desk.about(params.text_document.uri, formatted)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol] | None:
        return desk.about(params.text_document.uri, outline)

    kinds = lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def _(params: lsp.CodeActionParams) -> list[lsp.CodeAction] | None:
        return desk.about(params.text_document.uri, lambda at: [*mends(at, params.range)])


def serve() -> None:
    """Answer an editor on standard input and output until it has had enough.

    What the library has to say of broken messages goes nowhere: nobody reads it.
    """
    quiet = logging.getLogger("pygls")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    new_server().start_io()
