"""A file of verdicts that anybody may have written to: it slows a claim down, and never decides it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from circ.compiler.finding import Limits
from circ.compiler.verdict import Verdict, outcome
from circ.runtime.cache import recall, secret, table
from circ.runtime.cache.recall import Answered, answered
from circ.runtime.session import Request, checked
from tests.unit.kept import Desk, desk

__all__ = ["desk"]


@pytest.fixture
def right(desk: Desk) -> Verdict:
    """The verdict on `fails`, which is kept."""
    found = desk.ask("fails")
    assert outcome(found.verdict) == "refuted"
    return found.verdict


def ask(desk: Desk) -> Answered:
    """The verdict on `fails` again."""
    return desk.ask("fails")


def put(desk: Desk, command: str, *values: object) -> None:
    """Have SQLite change the file."""
    with closing(sqlite3.connect(desk.file)) as opened, opened:
        opened.execute(command, values)


class TestAltered:
    """What was altered is never believed, wherever."""

    def test_anywhere_in_the_file(
        self, desk: Desk, right: Verdict, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whichever byte changes, the verdict is the one that was decided.

        Deciding is played here, by an answer that is told from the kept one: so each answer is either
        the row as it was, or decided.
        """
        whole, program = desk.file.read_bytes(), checked(desk.spec, Request())
        question, decided = program.question("fails"), [0]

        def again(*_: object) -> object:
            decided[0] += 1
            return program.claim("fails"), right

        monkeypatch.setattr(recall, "answer", again)
        places = [*range(100), *range(100, len(whole), 61)]
        for place in places:
            altered = bytearray(whole)
            altered[place] ^= 0xFF
            desk.file.write_bytes(altered)
            for _ in range(2):
                found = answered(question, program.weights, Limits(), folder=desk.folder)
                assert found.verdict == right
        body = whole.index(b'{"is":"Row"')
        inside = [p for p in places if body <= p < body + len(desk.rows()[0][1])]

        assert 0 < len(inside) <= decided[0]

    @pytest.mark.parametrize("size", [0, 1, 15, 16, 100, 512, 4095, 4096, 5000, 8192, -1])
    def test_in_its_length(self, desk: Desk, right: Verdict, size: int) -> None:
        """A file that was cut off is begun anew, and keeps verdicts again."""
        desk.file.write_bytes(desk.file.read_bytes()[:size])

        assert [ask(desk).verdict for _ in range(2)] == [right, right]
        assert ask(desk).first is not None

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("body", b""),
            ("body", b"{}"),
            ("body", "text"),
            ("body", 5),
            ("seal", b""),
            ("seal", b"\0" * 32),
            ("seal", "text"),
            ("seal", 0.5),
        ],
    )
    def test_in_one_column(
        self, desk: Desk, right: Verdict, column: str, value: bytes | str | float
    ) -> None:
        """Each column counts. The row is dropped with a note, and the next time there is one again."""
        put(desk, f"UPDATE verdicts SET {column} = ?", value)
        found, later = ask(desk), ask(desk)

        assert found.verdict == later.verdict == right
        assert found.notes == ("decided anew: the kept verdict was altered, or is somebody else's",)
        assert (found.first is None, later.first is None) == (True, False)

    def test_by_one_word(self, desk: Desk, right: Verdict) -> None:
        """A verdict that reads otherwise is not believed: here, one that fails on fewer inputs."""
        put(desk, "UPDATE verdicts SET body = replace(body, ?, ?)", b'"count":4', b'"count":1')
        put(desk, "UPDATE verdicts SET body = CAST(body AS BLOB)")
        assert b'"count":1' in desk.rows()[0][1]

        assert ask(desk).verdict == right
        assert desk.decided == ["fails", "fails"]

    def test_by_the_row_of_another_claim(self, desk: Desk, right: Verdict) -> None:
        """A seal binds a verdict to its claim: that of `holds` says nothing of `fails`."""
        ((key, _, _),) = desk.rows()
        desk.ask("holds")
        _, (_, body, seal) = desk.rows()
        put(desk, "UPDATE verdicts SET body = ?, seal = ? WHERE key = ?", body, seal, key)

        assert ask(desk).verdict == right
        assert desk.decided == ["fails", "holds", "fails"]

    def test_by_the_row_of_another_question(self, desk: Desk, right: Verdict) -> None:
        """Nor does one that was decided under other limits: it lists fewer inputs here."""
        ((key, _, _),) = desk.rows()
        desk.ask("fails", Limits(listed=2))
        _, (_, body, seal) = desk.rows()
        put(desk, "UPDATE verdicts SET body = ?, seal = ? WHERE key = ?", body, seal, key)
        found = ask(desk)

        assert found.verdict == right
        assert found.notes == ("decided anew: the kept verdict was altered, or is somebody else's",)

    def test_by_the_key_of_another_claim(self, desk: Desk, right: Verdict) -> None:
        """The same, where the rows stay and their keys change places."""
        ((key, _, _),) = desk.rows()
        desk.ask("holds")
        _, (other, _, _) = desk.rows()
        put(desk, "UPDATE verdicts SET key = 'x' WHERE key = ?", key)
        put(desk, "UPDATE verdicts SET key = ? WHERE key = ?", key, other)
        put(desk, "UPDATE verdicts SET key = ? WHERE key = 'x'", other)

        assert ask(desk).verdict == right
        assert outcome(desk.ask("holds").verdict) == "proved"
        assert desk.decided == ["fails", "holds", "fails", "holds"]


class TestNoFileOfVerdicts:
    """Something else in its place costs the verdicts, and nothing more."""

    @pytest.mark.parametrize(
        "content", [b"", b"garbage", b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 10_000]
    )
    def test_garbage(self, desk: Desk, right: Verdict, content: bytes) -> None:
        """A file that is none of SQLite's is begun anew."""
        desk.file.write_bytes(content)
        found = ask(desk)

        assert found.verdict == right
        assert desk.decided == ["fails", "fails"]
        assert ask(desk).first is not None

    @pytest.mark.parametrize(
        "command",
        [
            "CREATE TABLE other (x)",
            "CREATE TRIGGER t AFTER INSERT ON verdicts BEGIN DELETE FROM verdicts; END",
            "ALTER TABLE verdicts ADD COLUMN more",
            "DROP TABLE verdicts",
            "CREATE INDEX i ON verdicts (seal)",
        ],
    )
    def test_another_schema(self, desk: Desk, right: Verdict, command: str) -> None:
        """A table that is not ours, or has triggers, is not asked."""
        put(desk, command)

        assert ask(desk).verdict == right
        assert ask(desk).first is not None
        assert [row[1] for row in self.schema(desk)] == ["verdicts", "sqlite_autoindex_verdicts_1"]

    def schema(self, desk: Desk) -> list[tuple[str, str, str | None]]:
        """What the file has."""
        with closing(sqlite3.connect(desk.file)) as opened:
            return opened.execute("SELECT type, name, sql FROM sqlite_master").fetchall()

    def test_a_folder(self, desk: Desk, right: Verdict) -> None:
        """What is no file is left alone, and a note says so."""
        desk.file.unlink()
        desk.file.mkdir()
        found = ask(desk)

        assert found.verdict == right
        assert found.notes == (f"no verdict is kept: {desk.file} is not a regular file",)

    def test_a_link(self, desk: Desk, right: Verdict, tmp_path: Path) -> None:
        """A link may lead to any file of the user's: it is not followed."""
        precious = tmp_path / "precious"
        precious.write_bytes(b"")
        desk.file.unlink()
        desk.file.symlink_to(precious)

        assert ask(desk).verdict == right
        assert precious.read_bytes() == b""

    def test_a_journal_that_somebody_left(self, desk: Desk, right: Verdict) -> None:
        """SQLite would do what a journal says; there never is one of ours, so it goes."""
        journal = desk.file.with_name(f"{desk.file.name}-journal")
        journal.write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\xff" * 1000)

        assert ask(desk).first is not None
        assert not journal.exists()

    def test_a_file_for_its_folder(self, desk: Desk) -> None:
        """Where no folder can be, no verdict is kept."""
        desk.folder.write_text("mine")
        found = [ask(desk) for _ in range(2)]

        assert [outcome(each.verdict) for each in found] == ["refuted", "refuted"]
        assert all(each.notes for each in found)
        assert desk.folder.read_text() == "mine"

    def test_one_that_is_only_read(
        self, desk: Desk, right: Verdict, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file that cannot be written to gives its verdicts, and takes none."""
        connect = sqlite3.connect

        def readable(path: Path, timeout: float, isolation_level: None) -> sqlite3.Connection:
            where = f"{path.as_uri()}?mode=ro"
            return connect(where, timeout, isolation_level=isolation_level, uri=True)

        monkeypatch.setattr(sqlite3, "connect", readable)
        recalled, decided = ask(desk), desk.ask("holds")

        assert recalled.verdict == right
        assert recalled.first is not None
        assert outcome(decided.verdict) == "proved"
        assert decided.notes == (
            f"no verdict is kept: {desk.file}: attempt to write a readonly database",
        )


class TestTheSecret:
    """Verdicts that others decided are not believed: a spec may come with a folder of them."""

    def test_is_the_users_own(
        self, desk: Desk, right: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same files, looked at by somebody else, have the claim decided."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
        found = ask(desk)

        assert found.verdict == right
        assert found.notes == ("decided anew: the kept verdict was altered, or is somebody else's",)

    def test_is_kept_from_others(self, desk: Desk, right: Verdict) -> None:
        """It lies apart from the verdicts, and nobody else may read it; one that others could is
        not used again."""
        path = secret.own_folder() / secret.FILE
        before = path.read_bytes()
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)

        assert ask(desk).first is None
        assert path.read_bytes() != before
        assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
    def test_is_made_anew_where_it_is_broken(
        self, desk: Desk, right: Verdict, content: bytes
    ) -> None:
        """A secret that anybody could guess is none."""
        path = secret.own_folder() / secret.FILE
        path.write_bytes(content)

        assert ask(desk).first is None
        assert len(path.read_bytes()) == secret.SIZE
        assert ask(desk).first is not None

    def test_needs_a_place(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without one no verdict is kept."""
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        found = ask(desk)

        assert outcome(found.verdict) == "refuted"
        assert "there is no place for the key of kept verdicts" in found.notes[0]
        assert not desk.folder.exists()


HAMMER = """
import sys
from pathlib import Path
from circ.runtime.cache import table

folder, mine = Path(sys.argv[1]), sys.argv[2]
for number in range(150):
    table.write(folder, f"{mine}{number % 20}", mine.encode() * 500, mine.encode())
    for name in "ab":
        found = table.read(folder, f"{name}{number % 20}")
        assert found in (None, (name.encode() * 500, name.encode())), found
"""


class TestTwoAtOnce:
    """Two processes may keep verdicts in one file."""

    def test_keep_all_rows(self, tmp_path: Path) -> None:
        """Both begin with no folder, write and read at once, and each row is whole."""
        folder = tmp_path / "both"
        command = [sys.executable, "-c", HAMMER, str(folder)]
        running = [subprocess.Popen([*command, name], stderr=subprocess.PIPE) for name in "ab"]
        said = [process.communicate()[1].decode() for process in running]

        assert said == ["", ""]
        assert [process.returncode for process in running] == [0, 0]
        found = [table.read(folder, f"{name}{n}") for name in "ab" for n in range(20)]
        assert found == [(name.encode() * 500, name.encode()) for name in "ab" for _ in range(20)]

    def test_do_not_wait_for_ever(
        self, desk: Desk, right: Verdict, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where another process does not let go of the file, the claim is decided without it."""
        monkeypatch.setattr(table, "WAITING", 0.05)
        with closing(sqlite3.connect(desk.file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            found = ask(desk)
            other.execute("ROLLBACK")

        assert found.verdict == right
        assert found.notes == (f"no verdict is kept: {desk.file}: database is locked",)
        assert ask(desk).first is not None


@pytest.mark.parametrize("what", ["the file", "its folder"])
def test_verdicts_may_be_thrown_away(desk: Desk, right: Verdict, what: str) -> None:
    """Whoever removes them loses nothing that cannot be decided again."""
    shutil.rmtree(desk.folder) if what == "its folder" else desk.file.unlink()

    assert ask(desk).verdict == right
    assert ask(desk).first is not None
