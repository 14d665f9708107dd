"""The texts that a spec is made of: its own, files that it uses, and the standard library."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files as resources
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from circ.compiler.checkpoint import opened
from circ.compiler.header import Place
from circ.compiler.stored import Files
from circ.lang.diagnostic import CircError
from circ.lang.errors.files import unknown_module
from circ.lang.errors.syntax import not_text, too_large
from circ.lang.span import Source
from circ.lang.syntax import Use

STANDARD = "std"
ENDING = ".circ"

LARGEST = 4 << 20
"""A text of more bytes than this is refused."""


@dataclass(slots=True)
class Sources:
    """Opens what a `use` names; a file that is named twice is one text."""

    spec: Source
    files: Files
    opened: dict[Path, Source] = field(default_factory=dict[Path, Source])

    def __post_init__(self) -> None:
        self.opened[(self.files.folder / Path(self.spec.name).name).resolve()] = self.spec

    def open(self, use: Use) -> Source:
        """The text of a module; raises `CircError` (E0010, E0011, E0401-E0403, E0411, E0414)."""
        return self.beside(use) if use.is_file else standard(use)

    def beside(self, use: Use) -> Source:
        """The text of a file in the spec's folder."""
        path = self.files.inside(use.module)
        at = path.resolve()
        if at not in self.opened:
            route = Path(relpath(at, self.files.folder.resolve()))
            name = str(Path(self.spec.name).parent / route)
            text = self.files.texts.get(at)
            if text is None:
                text = read_text(path, Place(name, use.module.span))
            key = key_of(route)
            self.files.folders[key] = path.parent
            self.opened[at] = Source(name, text, key)
        return self.opened[at]


def key_of(route: Path) -> str:
    """What the keys of a file's declarations start with: its path, with `:` for `/`."""
    return "".join(f"{quote(part, safe='')}:" for part in route.parts)


def read_text(path: Path, place: Place) -> str:
    """The text of a file; raises `CircError` where it is missing, too large or not UTF-8."""
    with opened(path, place, ENDING) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise CircError(too_large(place.path, path.stat().st_size, LARGEST))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise CircError(not_text(place.path, error.start)) from error


# --- the standard library ---------------------------------------------------------------------


def standard(use: Use) -> Source:
    """The text of a module of the standard library, which lies in the package `circ.stdlib`."""
    module = use.module.text
    known = standard_modules()
    if module not in known:
        raise CircError(unknown_module(use.module.span, module, known))
    return standard_source(module)


def standard_source(module: str) -> Source:
    """The text of `std.attention`."""
    file = resources("circ.stdlib").joinpath(module.removeprefix(f"{STANDARD}.") + ENDING)
    return Source(module, file.read_text(encoding="utf-8"), f"{module}:")


def standard_modules() -> tuple[str, ...]:
    """The modules of the standard library, in order."""
    names = (entry.name for entry in resources("circ.stdlib").iterdir())
    stems = sorted(name.removesuffix(ENDING) for name in names if name.endswith(ENDING))
    return tuple(f"{STANDARD}.{stem}" for stem in stems)
