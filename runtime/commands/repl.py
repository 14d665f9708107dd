"""`circ repl`: questions about a spec, at a terminal or from a pipe."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from circ.runtime.cache.engine import own_version
from circ.runtime.cache.recall import Keeping
from circ.runtime.cache.refused import NotKept
from circ.runtime.repl.terminal import run_terminal
from circ.runtime.session import Opened, settings


def run_repl(spec: Path | None, opened: Opened, keeping: Keeping, as_json: bool) -> int:
    """Talk until the input ends."""
    with suppress(NotKept):
        own_version()  # while the files are those that have just been loaded
    return run_terminal(spec, settings(*opened), keeping, as_json)
