"""How far numbers have moved: the norms of a change, which patches, receipts and `circ diff` all tell."""

from __future__ import annotations

from math import isfinite

import numpy as np
import numpy.typing as npt

from circ.compiler.patching import Norm

Steps = npt.NDArray[np.float64]


def norms(steps: Steps) -> dict[Norm, float]:
    """Those of a change, each `inf` or no number where no double holds it."""
    absolute = np.abs(steps)
    largest = float(absolute.max(initial=0.0))
    with np.errstate(over="ignore"):
        return {"l1": float(absolute.sum()), "l2": length(steps, largest), "linf": largest}


def length(steps: Steps, largest: float) -> float:
    """The l2 norm, by numbers at most 1, so that no square is too large or too small."""
    if not (largest > 0 and isfinite(largest)):
        return largest
    return largest * float(np.linalg.norm(steps / largest))
