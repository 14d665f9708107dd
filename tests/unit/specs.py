"""Small specs with their checkpoints, for tests that drive the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy as library
from numpy.typing import NDArray

from circ.runtime.cli import circ, outcome

Rows = Sequence[Sequence[float]] | Sequence[float]
"""A tensor as nested lists."""

DETECTOR = """
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[2] = m.W @ relu(x) + m.b
domain Box = { x: real[2] | -1 <= x <= 1 }
claim bounded: forall x in Box: f(x)[0] <= 3
claim negative: forall x in Box: f(x)[1] < 0
patch sink of f {
  edit     m.b
  require  forall x in Box: f(x)[1] <= -0.25
  preserve forall x in Box: f(x)[0] == old f(x)[0] within 0.01
}
"""

WEIGHTS: Mapping[str, Rows] = {
    "W": [[1.0, 2.0], [-1.0, 0.5]],
    "b": [0.0, 0.0],
    "other": [1.5, -2.5],
}


def write_spec(folder: Path, text: str = DETECTOR, weights: Mapping[str, Rows] = WEIGHTS) -> Path:
    """A spec and its float32 checkpoint in a folder; the path of the spec."""
    save(weights, folder / "model.safetensors", np.float32)
    spec = folder / "spec.circ"
    spec.write_text(text)
    return spec


def save(weights: Mapping[str, Rows], path: Path, dtype: type[np.floating[Any]]) -> None:
    """A checkpoint as the format's own library writes it."""
    tensors = {name: np.array(rows, dtype=dtype) for name, rows in weights.items()}
    library.save_file(tensors, path)  # pyright: ignore[reportUnknownMemberType]


def stored(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors of a checkpoint, read by the format's own library."""
    return library.load_file(path)  # pyright: ignore[reportUnknownMemberType]


def command(*words: str | Path) -> int:
    """The exit code of `circ` with these words."""
    return outcome(lambda: circ.main([str(word) for word in words], standalone_mode=False) or 0)
