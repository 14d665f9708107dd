"""Whether files have changed since they were read: by their content, which is only read again where
their size or their time says that it may be another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

Stamp = tuple[int, int, int]
"""What changes with a file: its number, its size and when it was written."""

LARGEST = 32 << 20
"""A file of more bytes is another as soon as its stamp is."""


def stamp(path: Path) -> Stamp | None:
    """When a file last changed; None where it cannot be asked."""
    with suppress(OSError, ValueError):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was: its stamp, and the hash of its content unless it is large or cannot be read."""

    stamp: Stamp | None
    digest: bytes | None


def file_state(path: Path) -> FileState:
    """A file as it is."""
    at = stamp(path)
    if at is None or at[1] > LARGEST:
        return FileState(at, None)
    try:
        return FileState(at, sha256(path.read_bytes()).digest())
    except OSError:
        return FileState(at, None)


def file_states(paths: Iterable[Path]) -> dict[Path, FileState]:
    """Files as they are."""
    return {path: file_state(path) for path in paths}


def changed(before: Mapping[Path, FileState]) -> dict[Path, FileState]:
    """The files whose stamp is another now, as they are now."""
    return {path: file_state(path) for path, was in before.items() if stamp(path) != was.stamp}


def is_other(now: FileState, before: FileState) -> bool:
    """Whether the content is another."""
    return now.digest is None or now.digest != before.digest
