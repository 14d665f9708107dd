"""Room for rounding: where an edit fails at an input once it is rounded, the next one is sought with more slack there.

Nobody is asked for room at first, so that an edit that survives is as small as it can be. What an instance lacked is added to what it is asked for, which
doubles each time, until it holds of the rounded edit; where so much room leaves no edit, less is asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.rounding import round_to_dtype
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.convex import Floats
from circ.runtime.patches.edited import as_array
from circ.runtime.patches.edits import LEAST_SLACK, Begun, Late, Solution
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.ranks import Ranks, solve
from circ.runtime.patches.unknowns import Unknowns

RAISES = 40
"""How often more room is asked for, at most."""

EASED = 0.25
"""Which part of the room is kept where all of it leaves no edit."""


@dataclass(slots=True)
class Seeker:
    """What edits are sought with, and where that search stands."""

    unknowns: Unknowns
    ranks: Ranks
    groups: Sequence[Instances]
    deadline: float
    begun: Begun = field(default_factory=Begun)
    raised: int = 0

    def change(self) -> Solution:
        """As `edits.solve`; with less room for rounding, or none, where there is no edit with it."""
        while True:
            found = solve(self.unknowns, self.ranks, self.groups, self.deadline, self.begun)
            if isinstance(found, np.ndarray | Late) or not eased(self.groups):
                return found
            self.begun = Begun()

    def more_room(self, tensors: Mapping[str, Tensor]) -> bool:
        """Ask for more room at the instances that fail of these tensors; whether there are any, and another edit is to be sought."""
        self.raised += 1
        return self.raised <= RAISES and raised(self.groups, tensors) > 0

    def stored(self, change: Floats, weights: Weights) -> dict[str, Tensor]:
        """A change as the files hold it; once room was asked for, another one where an instance fails of it.

        Raises `OverflowError` where the files do not hold it.
        """
        tensors = rounded(self.unknowns, change, weights)
        while self.raised and self.more_room(tensors):
            found = self.change()
            if not isinstance(found, np.ndarray):
                break
            tensors = rounded(self.unknowns, found, weights)
        return tensors


def raised(groups: Sequence[Instances], tensors: Mapping[str, Tensor]) -> int:
    """Ask for more room at the instances that fail of these tensors; how many do."""
    stored = {key: as_array(tensor) for key, tensor in tensors.items()}
    failing = 0
    for group in groups:
        slacks = group.slacks(stored)
        for row in np.flatnonzero(slacks <= 0).tolist():
            group.room[row] = 2 * group.room[row] + LEAST_SLACK - float(slacks[row])
            failing += 1
    return failing


def eased(groups: Sequence[Instances]) -> bool:
    """Ask for less room everywhere, and for none where it was next to none; whether any was asked for."""
    had = any(any(group.room) for group in groups)
    for group in groups:
        group.room[:] = [EASED * room if room > LEAST_SLACK else 0.0 for room in group.room]
    return had


def rounded(unknowns: Unknowns, change: Floats, weights: Weights) -> dict[str, Tensor]:
    """The edited tensors as their files can hold them; raises `OverflowError` where they cannot."""
    tensors: dict[str, Tensor] = {}
    for key, values in unknowns.at(change).items():
        stored = weights[key]
        kept: array[float] = round_to_dtype(values.ravel().tolist(), stored.dtype)
        tensors[key] = Tensor(stored.shape, stored.dtype, kept)
    return tensors
