"""Literate tests: in a `tests/spec/**/*.md` file, every `##` heading is one test.

Under a heading stand blocks in fences; the first word of a fence says what its block is.

    ```circ                                   the source; several blocks are one text
    ```<view>                                 what that view of the source prints
    ```json checkpoint model.safetensors      a checkpoint for the source, as tensors by name
    ```<anything> file prompts.json           any other file beside the source
    ```text                                   for the reader alone

Views are the keys of `tests.views.VIEWS`. Files before the first heading are there for every test.
Numbers of PyTorch's are compared to twelve digits. `pytest --update-golden` rewrites what the views print,
so that an update is a diff to be reviewed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
SUMMED = re.compile(r"(?P<kept>PyTorch: -?(?:0\.0*)?[\d.]{12})\d+")
"""A number of PyTorch's: its last digits depend on the order in which a machine adds."""

HEADING = re.compile(r"^##\s+(?P<title>.+)$", re.MULTILINE)

View = Callable[[str, Path], str]
"""From a source, and the folder that holds its files, to what is printed."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what its fence says, its text, and where that stands in the file."""

    tag: str
    kind: str
    argument: str
    body: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """One test: a source, the files it needs, and what views of it print."""

    title: str
    line: int
    source: str
    files: tuple[Block, ...]
    expectations: tuple[Block, ...]


class Mismatch(AssertionError):
    """A view that prints something other than the block says."""

    def __init__(self, view: str, expected: str, actual: str) -> None:
        super().__init__(view)
        self.view, self.expected, self.actual = view, expected, actual


def blocks(text: str, start: int, end: int) -> tuple[Block, ...]:
    """The fenced blocks of a range of `text`."""
    return tuple(
        Block(*info(match["info"]), match["body"], match.start("body"), match.end("body"))
        for match in FENCE.finditer(text, start, end)
    )


def info(fence: str) -> tuple[str, str, str]:
    """The three words after a fence: a tag, a kind of file, and its name."""
    tag, kind, name, *_ = [*fence.split(), "", "", ""]
    return tag, kind, name


def sections(text: str) -> Iterator[Section]:
    """The tests of a file; a heading without a source is none."""
    heads = headings(text)
    shared = blocks(text, 0, heads[0].start()) if heads else ()
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=True):
        here = blocks(text, head.end(), end)
        source = "".join(block.body for block in here if block.tag == "circ")
        if source:
            yield Section(
                head["title"].strip(),
                text.count("\n", 0, head.start()) + 1,
                source,
                tuple(block for block in (*shared, *here) if block.kind),
                tuple(b for b in here if not b.kind and b.tag not in ("", "circ", "text")),
            )


def headings(text: str) -> list[re.Match[str]]:
    """The headings; a line of a block that looks like one is none."""
    fenced = [match.span() for match in FENCE.finditer(text)]
    found = HEADING.finditer(text)
    return [h for h in found if not any(start < h.start() < end for start, end in fenced)]


def printed(section: Section, views: Mapping[str, View]) -> list[tuple[Block, str]]:
    """What each view that the section asks for prints."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_files(section.files, folder)
        return [(block, views[block.tag](section.source, folder)) for block in section.expectations]


def check(section: Section, views: Mapping[str, View]) -> None:
    """Raise `Mismatch` for the first view that prints something else than the section says."""
    for block, actual in printed(section, views):
        if comparable(actual) != comparable(block.body):
            raise Mismatch(block.tag, block.body, actual)


def comparable(text: str) -> str:
    """What a view prints, without the digits that differ from machine to machine."""
    return SUMMED.sub(r"\g<kept>", text)


def update(path: Path, views: Mapping[str, View]) -> None:
    """Rewrite every block of `path` that a view prints."""
    text = path.read_text()
    found = [pair for section in sections(text) for pair in printed(section, views)]
    for block, actual in reversed(found):
        text = text[: block.start] + actual + text[block.end :]
    path.write_text(text)


# --- files beside a source ---------------------------------------------------------------------


def write_files(files: Sequence[Block], folder: Path) -> None:
    """Make the files that the blocks describe."""
    for block in files:
        if block.kind == "checkpoint":
            write_checkpoint(folder / block.argument, block.body)
        elif block.kind == "file":
            (folder / block.argument).write_text(block.body)
        else:
            raise ValueError(f"a block describes a `checkpoint` or a `file`, not a `{block.kind}`")


def write_checkpoint(path: Path, description: str) -> None:
    """Write tensors as safetensors: nested lists by name, float32 unless said otherwise.

    `{"W": [[1, 0]], "b": {"dtype": "float16", "data": [0.5]}}`.
    """
    described = cast("dict[str, object]", json.loads(description))
    save_file({name: tensor(value) for name, value in described.items()}, path)


def tensor(value: object) -> np.ndarray:
    """One tensor of a checkpoint block."""
    if isinstance(value, dict):
        typed = cast("dict[str, object]", value)
        return np.array(typed["data"], dtype=str(typed["dtype"]))
    return np.array(value, dtype="float32")
