"""`circ repl`: questions about a spec, at a terminal or from a pipe."""

from __future__ import annotations

from pathlib import Path

from circ.runtime.repl.terminal import run_terminal
from circ.runtime.session import Opened, settings


def run_repl(spec: Path, opened: Opened) -> int:
    """Talk until the input ends."""
    return run_terminal(spec, settings(*opened))
