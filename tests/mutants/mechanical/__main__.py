"""Do the tests notice small wrong changes of a file that is trusted?

    python -m tests.mutants.mechanical [--only FILE]... [--sample N] [--seed S] [--jobs N]
        [--limit SECONDS] [--first N] [--log FILE] [--again]

Each change (`changes.py`) is made by itself in a copy of the project; then the tests that are named for
the file (`named.py`) run up to the first that fails. A change that none notices survives, and `harmless.py`
may say why that is no bug. A run out of time is noticed too. With a log a run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.util import cache_from_source
from itertools import groupby
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.mutants.copies import ROOT, copied
from tests.mutants.mechanical.changes import Change, changes
from tests.mutants.mechanical.harmless import WHY
from tests.mutants.mechanical.named import asked_of
from tests.mutants.mechanical.tested import Run, begun, load
from tests.mutants.mechanical.trusted import TRUSTED


@dataclass(frozen=True, slots=True)
class Tried:
    """A change, and the test that noticed it; none where `by` is empty."""

    file: str
    where: str
    line: int
    old: str
    new: str
    by: str
    seconds: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        """As of the change."""
        return self.file, self.where, self.old, self.new


def main(words: Sequence[str] | None = None) -> None:
    """Try what is asked for, and print a table of that and of what the log has."""
    given = arguments(words)
    every = {change.key: change for file in given.only or TRUSTED for change in of(file)}
    known = {tried.key: tried for tried in logged(given.log) if tried.key in every}
    left = [change for change in sampled(every.values(), given) if change.key not in known]
    if given.again:
        left += [every[key] for key, tried in known.items() if survived(tried)]
    load()
    with TemporaryDirectory() as folder:
        for tried in all_tried(left, Path(folder), given):
            known[tried.key] = tried
            if given.log is not None:
                with given.log.open("a") as file:
                    file.write(json.dumps(asdict(tried)) + "\n")
            if sys.stderr.isatty():
                print(f"\r{len(known)}", end=" ", file=sys.stderr, flush=True)
    print("\n".join(report([*known.values()])))


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.mutants.mechanical", description="Change, test.")
    parser.add_argument("--only", action="append", metavar="FILE", help="else all that are listed")
    parser.add_argument("--sample", type=int, default=20, metavar="N", help="changes of each file")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which changes")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes")
    parser.add_argument("--limit", type=float, default=300, metavar="SECONDS", help="for a change")
    parser.add_argument("--again", action="store_true", help="also try what survived in the log")
    parser.add_argument("--first", type=int, metavar="N", help="only so many files of tests")
    parser.add_argument("--log", type=Path, metavar="FILE", help="kept as it comes, a line each")
    return parser.parse_args(words)


def of(file: str) -> list[Change]:
    """All changes of a file."""
    return changes(file, (ROOT / file).read_text())


def sampled(every: Iterable[Change], given: argparse.Namespace) -> list[Change]:
    """Some changes of each file: those whose hash with the seed is least, so that few others change places
    when the file does, and more of them begin with the same ones."""

    def lot(change: Change) -> str:
        return sha256(f"{given.seed} {change.key}".encode()).hexdigest()

    files = groupby(every, key=lambda change: change.file)
    return [change for _, own in files for change in sorted(own, key=lot)[: given.sample]]


def logged(log: Path | None) -> list[Tried]:
    """What an earlier run has tried."""
    if log is None or not log.exists():
        return []
    return [Tried(**json.loads(line)) for line in log.read_text().splitlines()]


def all_tried(left: Sequence[Change], folder: Path, given: argparse.Namespace) -> Iterator[Tried]:
    """Try changes, each copy having one at a time; ends the program where unchanged files fail."""
    asked = {change.file: asked_of(change.file)[: given.first] for change in left}
    copies = [copied(made(folder / str(job))) for job in range(given.jobs)]
    for tests in dict.fromkeys(asked.values()):
        require_passing(begun(copies[0], tests, 4 * given.limit))
    running: dict[Path, tuple[Change, Run]] = {}
    waiting = [*reversed(left)]
    while waiting or running:
        for copy in copies:
            if copy not in running and waiting:
                change = waiting.pop()
                put(copy, change.file, change.text)
                running[copy] = change, begun(copy, asked[change.file], given.limit)
        wait([run.process.sentinel for _, run in running.values()], 1)
        for copy, (change, run) in [*running.items()]:
            if run.over():
                del running[copy]
                put(copy, change.file, (ROOT / change.file).read_text())
                yield Tried(*change.key[:2], change.line, *change.key[2:], run.failed, taken(run))


def made(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    return folder


def require_passing(run: Run) -> None:
    """End the program unless tests pass."""
    while not run.over():
        wait([run.process.sentinel], 1)
    if run.failed:
        raise SystemExit(f"without any change {run.failed} fails")


def put(copy: Path, file: str, text: str) -> None:
    """Write a file of a copy; what Python kept of the text before could be taken for it."""
    (copy / file).write_text(text)
    Path(cache_from_source(str(copy / file))).unlink(missing_ok=True)


def taken(run: Run) -> float:
    """The seconds since tests began."""
    return round(monotonic() - run.began, 1)


def report(found: Sequence[Tried]) -> Iterator[str]:
    """A row for each file, and what survived without a reason."""
    yield f"{'file':44} {'made':>5} {'killed':>6} {'harmless':>8} {'left':>5} {'killed of harmful':>18}"
    for file in dict.fromkeys(tried.file for tried in found):
        yield row(file, [tried for tried in found if tried.file == file])
    yield row("all", found)
    for tried in found:
        if survived(tried):
            yield f"\n{tried.file}:{tried.line} in {tried.where}\n  - {tried.old}\n  + {tried.new}"


def row(name: str, found: Iterable[Tried]) -> str:
    """Of one file."""
    every = [*found]
    killed = sum(bool(tried.by) for tried in every)
    left = sum(map(survived, every))
    share = f"{killed / (killed + left):.1%}" if killed + left else "-"
    harmless = len(every) - killed - left
    return f"{name:44} {len(every):5} {killed:6} {harmless:8} {left:5} {share:>18}"


def survived(tried: Tried) -> bool:
    """Whether a change was not noticed, and nothing says that it is no bug."""
    return not tried.by and tried.key not in WHY


if __name__ == "__main__":
    main()
