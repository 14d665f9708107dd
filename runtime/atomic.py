"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from circ.lang.diagnostic import CircError
from circ.lang.errors import writing


@contextlib.contextmanager
def replacing(target: Path, *, overwrite: bool) -> Generator[BinaryIO]:
    """A stream whose content becomes `target` at once when the block ends.

    Until then, and for good if anything is raised, whatever stood at `target` still does: the
    stream is a temporary file in the same folder, moved over `target` only when it is on the disk.
    A `target` that is a link is replaced, and not what it points to; the permissions of a file that
    is replaced are kept. Raises `CircError` (E0650, E0653).
    """
    refuse_existing(target, overwrite)
    with telling(target), temporary(target) as path:
        with path.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        refuse_existing(target, overwrite)
        if target.exists():
            shutil.copymode(target, path)
        os.replace(path, target)
        settle(target.parent)


@contextlib.contextmanager
def locked(folder: Path) -> Generator[None]:
    """One writer at a time: others that lock this folder wait. A process that ends, however it does, lets go.

    Where the system has no such locks nothing is waited for.
    """
    try:
        import fcntl

        number = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


@contextlib.contextmanager
def telling(target: Path) -> Generator[None]:
    """Turn what the system says against writing `target` into a `CircError` (E0653)."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise CircError(writing.cannot_write(str(target), reason)) from error


@contextlib.contextmanager
def temporary(target: Path) -> Generator[Path]:
    """A name in the folder of `target`; a file left there is removed at the end."""
    path = target.with_name(f".circ-{secrets.token_hex(8)}.part")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def refuse_existing(target: Path, overwrite: bool) -> None:
    """Raise E0650 if there is a file to lose, E0653 if there is something that is no file."""
    if not overwrite and os.path.lexists(target):
        raise CircError(writing.target_exists(str(target)))
    with telling(target):
        if target.exists() and not target.is_file():
            raise CircError(writing.cannot_write(str(target), "it is not a regular file"))


def settle(folder: Path) -> None:
    """Put the folder's own entry on the disk, where the system can: the file is whole either way."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
