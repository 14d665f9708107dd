"""The version of what decides: the source of Circ, and the libraries that engines compute with."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from circ.runtime.cache.refused import NotKept

PACKAGES = ("circ.lang", "circ.compiler", "circ.runtime")

LIBRARIES = {
    "daqp": "daqp",
    "highspy": "highspy",
    "numpy": "numpy",
    "torch": "torch",
    "z3": "z3_solver",
}
"""Libraries, by the names they are imported and installed under."""


@cache
def own_version() -> str:
    """The version of what is running: that of the files when they were first asked for.

    A session outlives changes of its source, which it has loaded. Raises `NotKept`.
    """
    return engine_version()


def engine_version() -> str:
    """SHA-256 of every source file, the versions of libraries and Python, and the machine's kind.

    All files count, so that no list of those that matter can be wrong. Raises `NotKept` where there is
    no source to read.
    """
    found = hashlib.sha256()
    python = [sys.version, str(__debug__), sys.platform, platform.machine()]
    for text in (*python, *map(installed, LIBRARIES)):
        found.update(f"{text}\n".encode())
    try:
        for package in PACKAGES:
            sources = list(sources_below(str(folder_of(package))))
            if not sources:
                raise NotKept(f"the source of `{package}` is not there")
            for name, path in sources:
                content = Path(path).read_bytes()
                found.update(f"{package} {name} {len(content)}\n".encode())
                found.update(content)
    except OSError as error:
        raise NotKept(f"the source of Circ cannot be read: {error.strerror}") from error
    return found.hexdigest()


def folder_of(package: str) -> Path:
    """Where a package lies, which is not imported for that; raises `NotKept`."""
    return place_of(package).parent


def place_of(library: str) -> Path:
    """The file that is run when a library is imported; raises `NotKept`."""
    found = find_spec(library)
    if found is None or found.origin is None:
        raise NotKept(f"`{library}` is not there")
    return Path(found.origin)


def sources_below(folder: str, name: str = "") -> Iterator[tuple[str, str]]:
    """The Python files below a folder, each by its name there, always in the same order."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir():
            yield from sources_below(entry.path, f"{name}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{name}{entry.name}", entry.path


def installed(library: str) -> str:
    """A library's version, by the folder that its installer left beside it.

    `importlib.metadata` says the same, and takes longer to load than all else here.
    """
    pattern = re.compile(rf"{LIBRARIES[library]}-(.+)\.(dist|egg)-info", re.IGNORECASE)
    place = place_of(library)
    names = sorted(os.listdir(place.parents[1] if place.stem == "__init__" else place.parent))
    versions = [found[0] for found in map(pattern.fullmatch, names) if found]
    if not versions:
        raise NotKept(f"the version of `{library}` is not known")
    return " ".join(versions)
