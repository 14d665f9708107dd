"""Files that a command writes where its user says: never over what it read, nor unasked over others."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import refuse_existing, replacing
from circ.runtime.terminal import show_text


@dataclass(frozen=True, slots=True)
class Output:
    """A file to write, or the screen, and whether a file that is there already may be replaced."""

    path: Path | None = None
    force: bool = False

    def require_free(self, read: Iterable[Path]) -> None:
        """Raise `CircError` (E0650, E0651, E0653) where this is not to be written after such reading."""
        if self.path is not None:
            require_unread(self.path, read)
            refuse_existing(self.path, self.force)

    def write_text(self, text: str, read: Iterable[Path]) -> None:
        """Show a text, or write it; raises as `require_free`."""
        if self.path is None:
            show_text(text)
        else:
            data = (text.rstrip("\n") + "\n").encode(errors="backslashreplace")
            write_bytes(data, self.path, self.force, read)


def make_folder(folder: Path) -> None:
    """Make a folder, if it is not there; raises `CircError` (E0653) where there can be none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CircError(writing.cannot_write(str(folder), error.strerror or str(error))) from error


def write_bytes(data: bytes, path: Path, force: bool, read: Iterable[Path]) -> None:
    """Write a file, whole or not at all; raises `CircError` (E0650, E0651, E0653)."""
    require_unread(path, read)
    with replacing(path, overwrite=force) as stream:
        stream.write(data)


def require_unread(target: Path, read: Iterable[Path]) -> None:
    """Raise E0651 where the target is one of the files that were read, by its name or another."""
    if any(same(target, file) for file in read):
        raise CircError(writing.writes_over_read(str(target)))


def same(a: Path, b: Path) -> bool:
    """Whether two names lead to one file that is there."""
    with suppress(OSError):
        return a.samefile(b)
    return False
