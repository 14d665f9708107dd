"""Seals of what is kept, made with a number that the user alone can read.

A row that somebody else wrote has no seal, nor has one that was moved or altered: it says nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from circ.runtime.atomic import temporary
from circ.runtime.cache.refused import NotKept

SIZE = 32
FILE = "cache.key"


def seal(secret: bytes, key: str, body: bytes) -> bytes:
    """What only one who knows the secret can say of a row; it binds the body to its key."""
    return hmac.digest(secret, f"{key}\n".encode() + body, hashlib.sha256)


def own_secret() -> bytes:
    """The user's secret, made where there is none; raises `NotKept` where there can be none."""
    try:
        path = own_folder() / FILE
        found = read(path)
        if found is None:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write(path)
            found = read(path)
    except (OSError, RuntimeError) as error:
        raise NotKept(f"there is no place for the key of kept verdicts: {error}") from error
    if found is None:
        raise NotKept(f"{path} cannot be kept to yourself")
    return found


def own_folder() -> Path:
    """Where Circ keeps what belongs to the user; raises `RuntimeError` for a user without a home."""
    given = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(given) if given else Path.home() / ".cache") / "circ"


def read(path: Path) -> bytes | None:
    """The secret, if the file is one that only the user can read and write."""
    try:
        with path.open("rb") as stream:
            found, about = stream.read(SIZE + 1), os.fstat(stream.fileno())
    except FileNotFoundError:
        return None
    return found if len(found) == SIZE and is_private(about) else None


def is_private(about: os.stat_result) -> bool:
    """Whether nobody else may read or write a file; only POSIX says so."""
    if os.name != "posix":
        return True
    return about.st_uid == os.getuid() and not stat.S_IMODE(about.st_mode) & 0o077


def write(path: Path) -> None:
    """Put a new secret in a file's place, at once."""
    with temporary(path) as part:
        number = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(number, "wb") as stream:
            stream.write(secrets.token_bytes(SIZE))
        os.replace(part, path)
