"""The specs that an editor has open: their texts, saved or not, and what is known of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pygls.uris import from_fs_path, to_fs_path

from circ.compiler.driver import Program, completed, typed_program
from circ.compiler.header import Header
from circ.compiler.shards import is_index
from circ.compiler.stored import Files
from circ.lang.meanings import Occurrence
from circ.lang.occurrences import occurrences
from circ.lang.span import Source, Span
from circ.runtime.lsp.places import Encoding, Places
from circ.runtime.stamps import Stamp, stamp

if TYPE_CHECKING:
    from circ.compiler.imported import Imported

NOWHERE = Path(os.devnull)
"""The folder of a text that is in no file: nothing can lie in it."""

Content = TypeVar("Content")
Kept: TypeAlias = dict[Path, tuple[Stamp, Content]]
"""What was read of files, with the stamps they had."""


@dataclass(frozen=True)
class Reading:
    """One state of a document, with its names and types."""

    uri: str
    version: int | None
    program: Program
    encoding: Encoding

    @property
    def source(self) -> Source:
        """The text, its lines ended by `\\n`."""
        return self.program.source

    @cached_property
    def places(self) -> Places:
        """Positions in the text."""
        return Places(self.source.text, self.encoding)

    @cached_property
    def names(self) -> tuple[Occurrence, ...]:
        """Every name in the text that means something, in order."""
        found = (
            each for each in occurrences(self.program.typed) if each.span.source == self.source
        )
        return tuple(sorted(found, key=lambda each: (each.span.start, each.span.end)))

    def name_at(self, offset: int) -> Occurrence | None:
        """The name that an offset lies in, or directly behind."""
        around = [each for each in self.names if each.span.start <= offset <= each.span.end]
        return max(around, key=lambda each: each.span.start, default=None)

    def own(self, span: Span | None) -> bool:
        """Whether a span lies in this text."""
        return span is not None and span.source == self.source


@dataclass(slots=True)
class Documents:
    """The open texts by URI, what was read of each, and of the checkpoints and networks that they name."""

    encoding: Encoding = "utf-16"
    texts: dict[str, tuple[str, int | None]] = field(
        default_factory=dict[str, tuple[str, "int | None"]]
    )
    readings: dict[str, Reading] = field(default_factory=dict[str, Reading])
    headers: Kept[Header] = field(default_factory=dict[Path, tuple[Stamp, Header]])
    networks: Kept[Imported] = field(default_factory=dict[Path, "tuple[Stamp, Imported]"])

    def put(self, uri: str, text: str, version: int | None) -> None:
        """Take over a text."""
        self.texts[uri] = (text.replace("\r\n", "\n"), version)
        self.forget(uri)

    def drop(self, uri: str) -> None:
        """Forget a text: its file's own stands again."""
        self.texts.pop(uri, None)
        self.forget(uri)

    def forget(self, uri: str) -> None:
        """Read a document again when it is next asked for, and all that may use it."""
        for each, reading in [*self.readings.items()]:
            if each == uri or any(use.is_file for use in reading.program.typed.module.uses):
                del self.readings[each]

    def forget_all(self) -> None:
        """Read everything again when it is next asked for: a file has changed."""
        self.readings.clear()

    def reading(self, uri: str) -> Reading | None:
        """What is known of an open text."""
        if uri not in self.texts:
            return None
        if uri not in self.readings:
            self.readings[uri] = self.read(uri, self.texts[uri][0])
        return self.readings[uri]

    def read(self, uri: str, text: str) -> Reading:
        """What is known of a text that stands for that of a document."""
        path = path_of(uri)
        files = self.files(path)
        program = typed_program(Source(uri if path is None else str(path), text), files)
        whole = {path: header for path, header in files.opened.items() if not is_index(path)}
        keep(self.headers, whole)
        keep(self.networks, files.networks)
        return Reading(uri, self.texts.get(uri, (text, None))[1], program, self.encoding)

    def lowering(self, reading: Reading) -> Callable[[], Program]:
        """Finds the errors that only lowering can see, in another thread: it reads all anew."""
        files = self.files(path_of(reading.uri))
        return lambda: completed(typed_program(reading.source, files), {})

    def files(self, path: Path | None) -> Files:
        """The files that a spec may name: those in its own folder, as the editor has them."""
        folder = NOWHERE if path is None else path.parent
        opened, networks = fresh(self.headers), fresh(self.networks)
        return Files(folder, opened=opened, networks=networks, texts=self.unsaved())

    def unsaved(self) -> Mapping[Path, str]:
        """The open texts by the files they stand for."""
        paths = ((resolved(path_of(uri)), text) for uri, (text, _) in self.texts.items())
        return {path: text for path, text in paths if path is not None}


def fresh(kept: Kept[Content]) -> dict[Path, Content]:
    """What was read of those files that have not changed since."""
    return {path: content for path, (at, content) in kept.items() if at == stamp(path)}


def keep(kept: Kept[Content], read: Mapping[Path, Content]) -> None:
    """Keep what was read of files for the next time."""
    for path, content in read.items():
        at = stamp(path)
        if at is not None and (path not in kept or kept[path][1] is not content):
            kept[path] = (at, content)


def path_of(uri: str) -> Path | None:
    """The file of a document; None for one that is in no file."""
    if not uri.startswith("file:"):
        return None
    try:
        name = to_fs_path(uri)
    except ValueError:
        return None
    usable = name is not None and "\0" not in name and Path(name).name
    return Path(name) if name is not None and usable else None


def resolved(path: Path | None) -> Path | None:
    """A path without links in it; None where they lead nowhere."""
    with suppress(OSError, RuntimeError):
        return None if path is None else path.resolve()
    return None


def uri_of(path: Path) -> str:
    """The URI of a file."""
    return from_fs_path(str(path)) or path.as_uri()
