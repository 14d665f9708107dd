"""Bounds of what ReLUs are applied to, on parts of the words of a row, with their proofs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circ.compiler.audit.blends import Unit
from circ.compiler.audit.floats import Floats
from circ.compiler.audit.slopes import Limits
from circ.compiler.audit.tables import Tables
from circ.runtime.certificates.bounds import FAR, Best, Parts, bounded, rounded

Records = list[list[object]]
"""For each part, the proofs of its bounds as data."""


def limited(
    parts: Parts, units: Sequence[Unit], low: Floats, high: Floats
) -> tuple[Limits, Records]:
    """Bounds of ReLUs: those given [Z, R] where they settle a ReLU's phase, and else new ones.

    The second part has the proofs of the new ones.
    """
    records: Records = [[] for _ in low]
    limits = Limits(low, high, slopes(low, high))
    for own in levels(parts.row.tables):
        size = len(own)
        wanted = np.zeros((low.shape[0], 2 * size, parts.row.tables.count))
        wanted[:, range(size), own] = 1
        wanted[:, range(size, 2 * size), own] = -1
        best = bounded(parts, wanted, limits)
        floor = rounded(best.bound[:, :size], up=False)
        ceiling = -rounded(best.bound[:, size:], up=False)
        fresh = (low[:, own] < 0) & (high[:, own] > 0) & (floor > -FAR) & (ceiling < FAR)
        low[:, own] = np.where(fresh, floor, low[:, own])
        high[:, own] = np.where(fresh, ceiling, high[:, own])
        limits = Limits(low, high, slopes(low, high))
        for z in range(low.shape[0]):
            for k in np.flatnonzero(fresh[z]).tolist():
                unit = own[k]
                sides = [float(side[z, unit]) for side in (low, high, limits.slope)]
                proofs = lines_at(best, z, k), lines_at(best, z, size + k)
                records[z].append([*units[unit], *sides, *proofs])
    return limits, records


def slopes(low: Floats, high: Floats) -> Floats:
    """Slopes of the lines below ReLUs that leave the least area."""
    return np.where(high > -low, 1.0, 0.0)


def levels(tables: Tables) -> list[list[int]]:
    """The ReLUs by how many stand before them, one behind the other."""
    sizes, found = tables.bends.size, list[int]()
    for i in range(sizes.shape[1]):
        found.append(1 + max((found[j] for j in np.flatnonzero(sizes[i]).tolist()), default=-1))
    deepest = max(found, default=-1)
    return [[i for i, own in enumerate(found) if own == k] for k in range(deepest + 1)]


def lines_at(best: Best, z: int, x: int) -> list[list[float]]:
    """The lines behind a bound."""
    pairs = zip(best.c[:, z, x].tolist(), best.q[:, z, x].tolist(), strict=True)
    return [list(pair) for pair in pairs]
