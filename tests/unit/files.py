"""safetensors files as their own library reads and writes them: the tests' door to it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import safetensors.torch as library
from safetensors import safe_open
from torch import Tensor


def save(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a checkpoint."""
    library.save_file(tensors, path, metadata)  # pyright: ignore[reportUnknownMemberType]


def load(path: Path) -> dict[str, Tensor]:
    """All tensors of a checkpoint, in its order."""
    return library.load_file(path)  # pyright: ignore[reportUnknownMemberType]


def metadata(path: Path) -> dict[str, str]:
    """A checkpoint's own metadata."""
    with safe_open(path, "pt") as opened:  # pyright: ignore[reportUnknownVariableType]
        return cast("dict[str, str]", opened.metadata())  # pyright: ignore[reportUnknownMemberType]
