"""The file of kept verdicts: one SQLite table in a folder of its own.

Nothing in it is believed: rows are sealed, and a file that is anything else is replaced. So writes need
not survive a crash, and leave no journal behind.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from circ.runtime.cache.refused import Damaged, NotKept

FILE = "verdicts.sqlite"
JOURNALS = ("-journal", "-wal", "-shm")

TABLE = "CREATE TABLE verdicts (key TEXT PRIMARY KEY, body BLOB NOT NULL, seal BLOB NOT NULL)"
SCHEMA = [("table", "verdicts", TABLE), ("index", "sqlite_autoindex_verdicts_1", None)]

LARGEST = 64 << 20
"""Bytes of all rows together; beyond them the oldest go."""

WAITING = 2.0
"""Seconds to wait for another process that writes."""

PASSING = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY),
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR),
        *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT),
    }
)
"""Failures that say nothing of the file's content."""

OLDEST = """
DELETE FROM verdicts WHERE rowid IN (
  SELECT rowid FROM (
    SELECT rowid, sum(length(body)) OVER (ORDER BY rowid DESC) AS newer FROM verdicts
  ) WHERE newer > ?
)"""


def read(folder: Path, key: str) -> tuple[object, object] | None:
    """The body and the seal kept under a key; raises `Damaged` and `NotKept`."""
    if not (folder / FILE).exists():
        return None
    with opened(folder) as table:
        found = table.execute("SELECT body, seal FROM verdicts WHERE key = ?", (key,)).fetchone()
    return None if found is None else (found[0], found[1])


def write(folder: Path, key: str, body: bytes, seal: bytes) -> None:
    """Keep a row in place of any other under its key; raises `Damaged` and `NotKept`."""
    if len(body) > LARGEST:
        raise NotKept("the verdict is too long")
    make_folder(folder)
    with opened(folder) as table:
        table.execute("BEGIN IMMEDIATE")
        table.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", (key, body, seal))
        table.execute(OLDEST, (LARGEST,))
        table.execute("COMMIT")


def drop(folder: Path, key: str) -> None:
    """Forget a row; raises `Damaged` and `NotKept`."""
    with opened(folder) as table:
        table.execute("DELETE FROM verdicts WHERE key = ?", (key,))


def begin_anew(folder: Path) -> None:
    """Remove the file, whatever it is; raises `NotKept`."""
    try:
        (folder / FILE).unlink(missing_ok=True)
    except OSError as error:
        raise NotKept(f"{folder / FILE} cannot be removed: {error.strerror}") from error


def make_folder(folder: Path) -> None:
    """Make the folder, which git is told to leave alone; raises `NotKept`."""
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True)
            (folder / ".gitignore").write_text("*\n")
    except OSError as error:
        raise NotKept(f"{folder} cannot be made: {error.strerror}") from error


@contextmanager
def opened(folder: Path) -> Generator[sqlite3.Connection]:
    """The table, made where there is none; raises `Damaged` and `NotKept`."""
    path = folder / FILE
    try:
        require_file(path)
        with closing(sqlite3.connect(path, WAITING, isolation_level=None)) as table:
            for setting in ("trusted_schema = OFF", "journal_mode = MEMORY", "synchronous = OFF"):
                table.execute(f"PRAGMA {setting}")
            require_schema(table)
            yield table
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code & 0xFF in PASSING:
            raise NotKept(f"{path}: {error}") from error
        raise Damaged(f"{path}: {error}") from error
    except (MemoryError, UnicodeError) as error:  # of sizes and names that a damaged file has
        raise Damaged(f"{path}: its content makes no sense") from error
    except OSError as error:
        raise NotKept(f"{path}: {error.strerror}") from error


def require_file(path: Path) -> None:
    """Raise `NotKept` where something other than a file stands in its place.

    Journals are none of ours, and SQLite would do as they say: they go.
    """
    for ending in JOURNALS:
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(kind):
        raise NotKept(f"{path} is not a regular file")


def require_schema(table: sqlite3.Connection) -> None:
    """Make the table in an empty file; raise `Damaged` where a file has anything else."""
    query = "SELECT type, name, sql FROM sqlite_master"
    if not table.execute(query).fetchall():
        table.execute(TABLE.replace("TABLE", "TABLE IF NOT EXISTS", 1))
    if table.execute(query).fetchall() != SCHEMA:
        raise Damaged("it is no file of verdicts")
