"""The lines that were typed before, in a file that only the user can read."""

# pyright: reportMissingModuleSource=false

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

FILE = "history"


class OwnHistory(FileHistory):
    """A file to which a line is added; where that cannot be, the session goes on without."""

    def store_string(self, string: str) -> None:
        with suppress(OSError, UnicodeError):
            super().store_string(string)


def own_history() -> Path | None:
    """Where the user's lines are kept; None for a user without a home."""
    given = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (Path(given) if given else Path.home() / ".local" / "state") / "circ" / FILE
    except RuntimeError:
        return None


def history_in(path: Path | None) -> History:
    """The lines in a file, made for the user alone; lines of this session where there can be none."""
    try:
        if path is None:
            return InMemoryHistory()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("rb+"):
            return OwnHistory(str(path))
    except OSError:
        return InMemoryHistory()
