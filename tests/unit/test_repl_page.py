"""The page of the session shows what a session says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests import mdtest

PAGE = Path(__file__).parents[2] / "docs" / "repl.md"
PROMPT, MORE = "circ> ", "  ... "
SECONDS = re.compile(r"\([\d.]+ s\)")


def questions(body: str) -> Iterator[str]:
    """What is typed in a console, each with the lines that it goes on in."""
    waiting: list[str] = []
    for line in [*body.splitlines(), PROMPT]:
        if line.startswith(PROMPT) and waiting:
            yield "\n".join(waiting)
            waiting = []
        if line.startswith(PROMPT):
            waiting.append(line.removeprefix(PROMPT))
        elif line.startswith(MORE) and waiting:
            waiting.append(line.removeprefix(MORE))


def answered(session: Session, body: str) -> str:
    """A console as it is printed."""
    shown = list[str]()
    for question in questions(body):
        first, *rest = question.split("\n")
        shown += [f"{PROMPT}{first}", *(f"{MORE}{line}" for line in rest)]
        shown += session.run(question).split("\n")
    return "".join(f"{line}\n" for line in shown)


def test_the_page_shows_what_a_session_says(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Its consoles are one session about its spec; `--update-golden` writes what that says."""
    text = PAGE.read_text()
    blocks = mdtest.blocks(text, 0, len(text))
    mdtest.write_files([block for block in blocks if block.kind], tmp_path)
    (spec,) = (block.body for block in blocks if block.tag == "circ")
    path = tmp_path / "detector.circ"
    path.write_text(spec)
    session = Session(path, Request(), checked(path, Request()))
    consoles = [block for block in blocks if block.tag == "console"]

    printed = [answered(session, block.body).replace(f"{tmp_path}/", "") for block in consoles]
    if request.config.getoption("--update-golden"):
        for block, actual in reversed([*zip(consoles, printed, strict=True)]):
            text = text[: block.start] + actual + text[block.end :]
        PAGE.write_text(text)

    assert len(consoles) > 5
    assert not session.failed
    assert [SECONDS.sub("", each) for each in printed] == [
        SECONDS.sub("", block.body)
        for block in mdtest.blocks(text, 0, len(text))
        if block.tag == "console"
    ]
