"""An editor without a window: it starts `circ lsp` and talks to it as editors do."""

# mypy: disable-error-code="untyped-decorator, no-untyped-call"
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

PATIENCE = 60.0
"""Seconds that an answer may take before a test gives up; no test measures how long it took."""


class Client(LanguageClient):
    """The library's client, which keeps what the server wrote on standard error."""

    errors: bytes = b""

    async def server_exit(self, server: asyncio.subprocess.Process) -> None:
        """Called by the library once the server has ended."""
        if server.stderr is not None:
            self.errors = await server.stderr.read()


@dataclass(slots=True)
class Editor:
    """Documents of one folder, and what the server has published about them."""

    client: Client
    folder: Path
    published: dict[str, list[lsp.Diagnostic]] = field(
        default_factory=dict[str, "list[lsp.Diagnostic]"]
    )
    versions: dict[str, int] = field(default_factory=dict[str, int])
    logged: list[str] = field(default_factory=list[str])
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def uri(self, name: str) -> str:
        """The URI of a file in the folder."""
        return (self.folder / name).as_uri()

    def at(self, name: str) -> lsp.TextDocumentIdentifier:
        """The same as the protocol wants it."""
        return lsp.TextDocumentIdentifier(self.uri(name))

    def open(self, name: str, text: str, version: int = 1) -> None:
        """Open a document; nothing is written to its file."""
        item = lsp.TextDocumentItem(self.uri(name), "circ", version, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def change(self, name: str, text: str, version: int) -> None:
        """Replace the text of a document."""
        at = lsp.VersionedTextDocumentIdentifier(version, self.uri(name))
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(at, [whole]))

    def close(self, name: str) -> None:
        """Close a document."""
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(self.at(name)))

    async def found(self, name: str, version: int = 1) -> list[lsp.Diagnostic]:
        """What the server says of a version of a document, once it says anything of it."""
        async with asyncio.timeout(PATIENCE):
            while self.versions.get(self.uri(name), 0) < version:
                self.news.clear()
                await self.news.wait()
        return self.published[self.uri(name)]

    async def codes(self, name: str, version: int = 1) -> list[object]:
        """The codes of what is found."""
        return [each.code for each in await self.found(name, version)]

    async def until(self, name: str, codes: list[str]) -> None:
        """Wait until a document has just these findings."""
        async with asyncio.timeout(PATIENCE):
            while [d.code for d in self.published.get(self.uri(name), [])] != codes:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def editing(folder: Path) -> AsyncGenerator[Editor]:
    """An editor with a server, which has to end well and without a word on standard error."""
    client = Client("test", "0")
    editor = Editor(client, folder)

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def _(params: lsp.PublishDiagnosticsParams) -> None:
        editor.published[params.uri] = [*params.diagnostics]
        editor.versions[params.uri] = params.version or 0
        editor.news.set()

    @client.feature(lsp.WINDOW_LOG_MESSAGE)
    def _(params: lsp.LogMessageParams) -> None:
        editor.logged.append(params.message)

    await client.start_io(sys.executable, "-m", "circ", "lsp")
    capabilities = lsp.ClientCapabilities()
    await client.initialize_async(lsp.InitializeParams(capabilities, root_uri=folder.as_uri()))
    client.initialized(lsp.InitializedParams())
    try:
        yield editor
    finally:
        async with asyncio.timeout(PATIENCE):
            await client.shutdown_async(None)
            client.exit(None)
            await client.stop()
    assert editor.logged == []
    assert client.errors == b""
