"""Copies of the project, to be changed at will."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("circ", "lang", "compiler", "runtime", "stdlib", "docs", "tests", "pyproject.toml")


def copied(folder: Path) -> Path:
    """The project's code and tests, in a folder that is there."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, target)
    return folder
