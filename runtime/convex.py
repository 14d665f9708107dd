"""The smallest change under linear constraints: the one door to the convex solver (DAQP).

The solver is not trusted: what it returns is rounded, written into the weights and proved.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import daqp  # type: ignore[import-untyped, import-not-found, unused-ignore]
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SOLVED = 1


def least_change(rows: Floats, at_least: Floats) -> Floats | None:
    """The x of least l2 norm with `rows @ x >= at_least`; None when there is none.

    rows: [constraints, unknowns], at_least: [constraints]. Rows are scaled to length one first.
    Goldfarb and Idnani's dual active-set method (Math. Programming 27, 1983) as DAQP has it.
    """
    unknowns = rows.shape[1]
    length = np.maximum(np.linalg.norm(rows, axis=1), np.finfo(np.float64).tiny)
    with np.errstate(over="ignore"):  # a row of zeros asks for the impossible
        low = at_least / length
    high = np.full(len(low), 1e30)
    sense = np.zeros(len(low), dtype=np.int32)
    scaled = np.ascontiguousarray(rows / length[:, None])
    x, _, flag, _ = daqp.solve(np.eye(unknowns), np.zeros(unknowns), scaled, high, low, sense)
    return np.asarray(x, dtype=np.float64) if flag == SOLVED else None
