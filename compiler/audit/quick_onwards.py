"""The fast path of an audit of all lengths: potentials are checked in float64 first.

What float64 does not confirm is left to whole numbers: among others, loops that add exactly zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from circ.compiler.audit.around import ending, layers
from circ.compiler.audit.both import Both, Readings, both_of
from circ.compiler.audit.columns import Bent
from circ.compiler.audit.entries import Known
from circ.compiler.audit.fast import Difference, proved_onwards, weighed
from circ.compiler.audit.floats import Ball, Floats, float_point
from circ.compiler.audit.onwards import Onwards, Turned
from circ.compiler.audit.rejected import Rejected


@dataclass(frozen=True, slots=True, eq=False)
class QuickOnwards:
    """Reads an audit's claim in float64, at both lengths."""

    audit: Onwards
    both: Both[Ball]

    def __call__(self, values: tuple[Known, ...], proofs: Sequence[Turned]) -> list[bool]:
        """Which of some proofs in a class float64 confirms."""
        readings = self.both.readings(values)
        with np.errstate(all="ignore"):  # what overflows is refused
            found = [self.holds(turned, readings) for turned in proofs]
            try:
                readings.require_alike()
            except Rejected:
                return [False] * len(found)
        return found

    def holds(self, turned: Turned, readings: Readings[Ball]) -> bool:
        """Whether float64 confirms one proof."""
        region, path, start = turned.region, turned.near, self.audit.start
        shape = len(region.rows), sum(layers(region, start))
        if len(path.potentials) != shape[0] * shape[1]:
            return False
        potentials: Floats = np.array(path.potentials, np.float64).reshape(1, *shape)
        alive = np.array([ending(region, row) for row in region.rows])
        try:
            paths = weighed([Difference(turned.total(readings))], region)
            (sure,) = proved_onwards(paths, potentials, [path.strict], start, alive)
        except (Rejected, Bent):
            return False
        return sure


def quick_onwards(audit: Onwards) -> QuickOnwards:
    """The fast path of an audit."""
    return QuickOnwards(audit, both_of(audit.sides, float_point()))
