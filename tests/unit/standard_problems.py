"""Small standard problems: a network of one layer, and a property of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.unit.onnx_models import model, node, saved
from tests.unit.vnnlib_texts import boxed, declared

UNSAT, SAT = "(assert (>= Y_0 3.001))", "(assert (>= Y_0 2.5))"
EITHER = """(assert (or
  (and (<= X_0 0) (>= X_0 -1) (<= X_1 1) (>= X_1 -1) (>= Y_0 2.001))
  (and (<= X_0 1) (>= X_0 0) (<= X_1 1) (>= X_1 -1) (>= Y_0 3.001))))
"""


def network(folder: Path, *weights: float, last: str = "Relu") -> Path:
    """max(0, w0 x0 + w1 x1), or another function of the sum."""
    w = np.array([[x] for x in weights], np.float32)
    return saved(
        folder, model([node("MatMul", ["x", "w"], "h"), node(last, ["h"])], [1, 2], {"w": w})
    )


def wanted(folder: Path, sought: str) -> Path:
    """What is looked for with inputs from -1 to 1, or in boxes of its own."""
    path = folder / "safe.vnnlib"
    ends = "" if sought == EITHER else boxed([("-1", "1"), ("-1", "1")])
    path.write_text(declared(2, 1) + ends + sought)
    return path
