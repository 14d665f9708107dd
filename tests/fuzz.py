"""Does any text make Circ raise? `make fuzz FUZZ=100000` asks about that many.

    python -m tests.fuzz 100000 --seed 7 --jobs 2

Each text is a right spec with a few words changed (`tests.edited_specs`). It is parsed, checked and lowered, and
every finding is shown, and with `--decide` the claims of those without errors
are answered twice, by different engines where there are several; what raises, or takes longer than a text
of a page may, is printed with its number, and `python -m tests.fuzz --show NUMBER` prints it again.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.verdict import Proved, Refuted, Vacuous, Verdict
from circ.lang.diagnostic import CircError
from circ.lang.render import as_data, render
from circ.runtime.claim_lines import claim_lines
from circ.runtime.claims import Claims
from tests.edited_specs import edited
from tests.mdtest import write_files
from tests.views import checked

SECONDS = 60
"""For checking a text, on a busy machine."""

CHUNK = 50
LIMITS = (Limits(timeout=1, words=10_000), Limits(timeout=1, words=0, few=0))


class TooLong(Exception):
    """A text took more than `SECONDS`."""


def text_of(number: int, seed: int) -> str:
    """The text of a number."""
    return edited(random.Random(f"{seed}/{number}"))[0]


def codes_of(number: int, seed: int, *, decide: bool) -> tuple[str, ...]:
    """The codes of what is found in the text of a number, each shown once; raises what Circ raises."""
    text, files = edited(random.Random(f"{seed}/{number}"))
    with TemporaryDirectory() as name:
        write_files(files, Path(name))
        with within(SECONDS):
            program = checked(text, Path(name))
        found = program.diagnostics
        for diagnostic in found:
            assert render(diagnostic).startswith((f"error[{diagnostic.code}", "warning"))
            assert as_data(diagnostic)["code"] == diagnostic.code
            assert diagnostic.span is None or diagnostic.span.start <= diagnostic.span.end
        if decide and not found.failed:
            answers_agree(program)
        return tuple(diagnostic.code for diagnostic in found)


def answers_agree(program: Program) -> None:
    """Answer every claim of a spec without errors, twice: with words gone through one by one, and without."""
    desks = [Claims(program, limits) for limits in LIMITS]
    for name in program.typed.scope.claims:
        kinds = {kind_of(claims, name) for claims in desks}
        assert not {Proved, Refuted} <= kinds, name
        assert not {Proved, Vacuous} <= kinds, name


def kind_of(claims: Claims, name: str) -> type[Verdict] | None:
    """What the answer to a claim is; none where it cannot be asked after all."""
    try:
        found = claims.answer(name)
    except CircError as error:
        assert all(render(diagnostic) for diagnostic in error.diagnostics)
        return None
    assert not any("bug in Circ" in line.text for line in claim_lines(found))
    return type(found.verdict)


@contextmanager
def within(seconds: int) -> Generator[None]:
    """Raise `TooLong` in what takes longer."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def tried(
    first: int, *, seed: int, total: int, decide: bool
) -> tuple[Counter[str], dict[int, str]]:
    """How often each code is found in a chunk of texts, and what was raised, by number."""
    codes, raised = Counter[str](), dict[int, str]()
    for number in range(first, min(first + CHUNK, total)):
        try:
            codes.update(set(codes_of(number, seed, decide=decide)) or {"none"})
        except Exception:  # noqa: BLE001  (whatever it is, it is what is looked for)
            raised[number] = traceback.format_exc(limit=-6)
    return codes, raised


def fuzz(total: int, *, seed: int, jobs: int, decide: bool) -> dict[int, str]:
    """Try the texts of the numbers below `total`, with progress on stderr; what was raised."""
    codes, raised = Counter[str](), dict[int, str]()
    with ProcessPoolExecutor(jobs) as pool:
        chunks = range(0, total, CHUNK)
        for n, (found, failed) in enumerate(
            pool.map(partial(tried, seed=seed, total=total, decide=decide), chunks), 1
        ):
            codes += found
            raised |= failed
            done = min(n * CHUNK, total)
            print(
                f"\r{done} texts, {len(codes)} codes, {len(raised)} raised", end="", file=sys.stderr
            )
            for number, error in failed.items():
                print(f"\n{number}: {error}", flush=True)
    print(f"\n{total} texts; texts with each code: {dict(codes.most_common())}")
    return raised


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Does any text make Circ raise?")
    parser.add_argument("total", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--decide", action="store_true", help="answer what is right, too")
    parser.add_argument("--show", type=int, metavar="NUMBER")
    given = parser.parse_args()
    if given.show is not None:
        print(text_of(given.show, given.seed))
    else:
        sys.exit(bool(fuzz(given.total, seed=given.seed, jobs=given.jobs, decide=given.decide)))


if __name__ == "__main__":
    main()
