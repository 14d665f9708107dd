"""Pages whose consoles are run: what a command prints there is what it prints.

The `circ` blocks of a page are one spec, `<page>.circ`; other files stand in blocks as `tests/mdtest.py` has them. A
`console` block has commands behind `$`, each with what it prints. `pytest --update-golden` writes that.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from tests import mdtest

TIME = re.compile(r"\b\d+(?:\.\d+)? s(?=[,)])")
"""How long something took, which no test asserts."""

Command = Callable[[str], str]
"""From the words of a command to what it prints, in the folder of the page's files."""


def prepare(page: Path, folder: Path) -> None:
    """Write the files that a page describes, and its spec."""
    text = page.read_text()
    found = mdtest.blocks(text, 0, len(text))
    mdtest.write_files([block for block in found if block.kind], folder)
    spec = "\n".join(block.body for block in found if block.tag == "circ" and not block.kind)
    (folder / f"{page.stem}.circ").write_text(spec)


def printed(console: str, run: Command) -> str:
    """A console block, with what its commands print now."""
    commands = [line for line in console.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{run(line.removeprefix('$ '))}" for line in commands)


def consoles(page: Path) -> list[mdtest.Block]:
    """The console blocks of a page, in order."""
    text = page.read_text()
    return [b for b in mdtest.blocks(text, 0, len(text)) if b.tag == "console"]


def update(page: Path, run: Command) -> None:
    """Rewrite every console block of a page."""
    text = page.read_text()
    found = [(block, printed(block.body, run)) for block in consoles(page)]
    for block, actual in reversed(found):
        text = text[: block.start] + actual + text[block.end :]
    page.write_text(text)


def comparable(console: str) -> str:
    """A console block without what differs from run to run and from machine to machine."""
    return mdtest.comparable(TIME.sub("… s", console))


def words(line: str) -> list[str]:
    """The words behind `circ` in a line of a console."""
    name, *rest = shlex.split(line)
    assert name == "circ"
    return rest
