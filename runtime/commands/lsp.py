"""`circ lsp`: the server that editors talk to."""

from __future__ import annotations

import os
import signal
from types import FrameType

import click

from circ.runtime.exits import Exit


def run_lsp() -> int:
    """Serve until the editor says that it is done."""
    try:
        from circ.runtime.lsp.server import serve
    except ModuleNotFoundError as error:
        lacking = (error.name or "").partition(".")[0]
        if lacking not in ("pygls", "lsprotocol"):
            raise
        raise click.UsageError("`circ lsp` needs pip install 'circ-lang[lsp]'") from error
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, stop)
    serve()
    return Exit.AS_CLAIMED


def stop(_signal: int, _frame: FrameType | None) -> None:
    """End at once: the thread that waits for standard input cannot be woken, and nothing is being written."""
    os._exit(Exit.UNKNOWN)
