"""How long an editor waits for `circ lsp`, for each spec of the examples and the standard library.

    OMP_NUM_THREADS=1 python benchmarks/editor.py

The server is a process of its own, and each question is asked over its standard input and output, right
after a keystroke: the time counts what the change costs, too. Shown are the median and the worst of 20
keystrokes, in milliseconds, the first few left out.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

ROOT = Path(__file__).resolve().parents[1]
SPECS = sorted(path for part in ("examples", "stdlib") for path in (ROOT / part).rglob("*.circ"))

WARM, KEYSTROKES = 5, 20

Ask = Callable[[], Awaitable[object]]


def questions(client: LanguageClient, uri: str, text: str) -> dict[str, Ask]:
    """What is asked, at a name near the end of the text."""
    at = lsp.TextDocumentIdentifier(uri)
    before = next(word for word in ("forall ", "circuit ") if word in text)
    place = position(text, text.rindex(before) + len(before))
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    return {
        "hover": lambda: client.text_document_hover_async(lsp.HoverParams(at, place)),
        "definition": lambda: client.text_document_definition_async(
            lsp.DefinitionParams(at, place)
        ),
        "complete": lambda: client.text_document_completion_async(lsp.CompletionParams(at, place)),
        "rename": lambda: client.text_document_rename_async(
            lsp.RenameParams(at, place, "brand_new")
        ),
        "outline": lambda: client.text_document_document_symbol_async(lsp.DocumentSymbolParams(at)),
        "layout": lambda: client.text_document_formatting_async(
            lsp.DocumentFormattingParams(at, options)
        ),
    }


def position(text: str, offset: int) -> lsp.Position:
    """The position of an offset, in a text of plain characters."""
    line = text.count("\n", 0, offset)
    return lsp.Position(line, offset - text.rfind("\n", 0, offset) - 1)


async def waited(client: LanguageClient, uri: str, texts: list[str], ask: Ask) -> list[float]:
    """Milliseconds from a keystroke to the answer, for each of the texts it leads to."""
    found: list[float] = []
    for version, text in enumerate(texts, start=2):
        start = perf_counter()
        at = lsp.VersionedTextDocumentIdentifier(version, uri)
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        client.text_document_did_change(lsp.DidChangeTextDocumentParams(at, [whole]))
        await ask()
        found.append(1000 * (perf_counter() - start))
    return found[WARM:]


async def measured(client: LanguageClient, path: Path) -> None:
    """A line for one spec."""
    text, uri = path.read_text(encoding="utf-8"), path.as_uri()
    item = lsp.TextDocumentItem(uri, "circ", 1, text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
    texts = [f"{text}\nparam typed = {count}\n" for count in range(WARM + KEYSTROKES)]
    cells: list[str] = []
    for ask in questions(client, uri, text).values():
        times = await waited(client, uri, texts, ask)
        cells.append(f"{median(times):5.0f} /{max(times):4.0f}")
    client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))
    print(f"{path.name:<18} {len(text):>6}  " + "  ".join(cells), flush=True)


async def main() -> None:
    """Print the table."""
    client = LanguageClient("benchmark", "0")
    client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda _: None)
    await client.start_io(sys.executable, "-m", "circ", "lsp")
    await client.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities()))
    client.initialized(lsp.InitializedParams())
    heads = ("hover", "definition", "complete", "rename", "outline", "layout")
    print(f"{'spec':<18} {'bytes':>6}  " + "  ".join(f"{head:>11}" for head in heads))
    for path in SPECS:
        await measured(client, path)
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


if __name__ == "__main__":
    asyncio.run(main())
