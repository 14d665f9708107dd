"""`circ lsp`: the server that editors talk to."""

from __future__ import annotations

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
    serve()
    return Exit.AS_CLAIMED
