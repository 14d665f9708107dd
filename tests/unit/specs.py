"""Small specs with their checkpoints, for tests that drive the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from circ.runtime.cli import circ, outcome

Rows = Sequence[Sequence[float]] | Sequence[float]

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

WEIGHTS: Mapping[str, Rows] = {"W": [[1, 2], [-1, 0.5]], "b": [0.0, 0.0], "other": [1.5, -2.5]}


def write_spec(folder: Path, text: str = DETECTOR, weights: Mapping[str, Rows] = WEIGHTS) -> Path:
    """A spec and its float32 checkpoint in a folder; the path of the spec."""
    tensors = {name: np.array(rows, dtype=np.float32) for name, rows in weights.items()}
    save_file(tensors, folder / "model.safetensors")
    spec = folder / "spec.circ"
    spec.write_text(text)
    return spec


def command(*words: str | Path) -> int:
    """The exit code of `circ` with these words."""
    return outcome(lambda: circ.main([str(word) for word in words], standalone_mode=False) or 0)
