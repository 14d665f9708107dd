"""What an edit may change, as one vector: entries of tensors, or a factor of the change of a whole matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

import numpy as np

from circ.compiler.patching import Norm
from circ.runtime.convex import Floats, Indices

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """The factor of a change that is held fixed, with orthonormal columns; the unknowns are the other one.

    On the left it is [rows, rank], and the unknowns [rank, columns]; on the right [columns, rank], and they are [rows, rank].
    """

    side: Side
    columns: Floats

    def product(self, unknowns: Floats) -> Floats:
        """The change of the matrix, from the unknowns in a row; it is as long as they are."""
        rank = self.columns.shape[1]
        if self.side == "left":
            return self.columns @ unknowns.reshape(rank, -1)
        return unknowns.reshape(-1, rank) @ self.columns.T

    def gradients(self, rows: Floats, shape: tuple[int, ...]) -> Floats:
        """[rows, unknowns], from [rows, entries of the matrix]."""
        each = rows.reshape(len(rows), *shape)
        left = self.side == "left"
        found = self.columns.T @ each if left else each @ self.columns
        return found.reshape(len(rows), -1)


@dataclass(frozen=True, slots=True, eq=False)
class Unknowns:
    """The entries of the edited tensors that may change, as one vector; `norm` is what is made small."""

    start: Mapping[str, Floats]
    free: Mapping[str, Indices]
    """By tensor, the offsets of the entries that may change, in order."""
    norm: Norm = "l2"
    factors: Mapping[str, Factor] = field(default_factory=dict[str, Factor])
    """Of those matrices whose change is a product with one factor fixed."""

    @property
    def size(self) -> int:
        """How many numbers are unknown."""
        return sum(map(self.count, self.free))

    def count(self, key: str) -> int:
        """How many numbers of one tensor are unknown."""
        factor = self.factors.get(key)
        if factor is None:
            return len(self.free[key])
        side, rank = map(int, factor.columns.shape)
        return self.start[key].size // side * rank

    @property
    def free_places(self) -> dict[str, frozenset[int]]:
        """The same offsets as sets."""
        return {key: frozenset(offsets.tolist()) for key, offsets in self.free.items()}

    @property
    def places(self) -> dict[str, slice]:
        """Where each tensor's unknowns stand in the vector."""
        ends = accumulate(map(self.count, self.free))
        sized = zip(self.free, ends, strict=True)
        return {key: slice(end - self.count(key), end) for key, end in sized}

    def at(self, change: Floats) -> dict[str, Floats]:
        """The tensors after a change."""
        places, moved = self.places, {key: t.copy() for key, t in self.start.items()}
        for key, tensor in moved.items():
            factor = self.factors.get(key)
            if factor is None:
                tensor.reshape(-1)[self.free[key]] += change[places[key]]
            else:
                tensor += factor.product(change[places[key]])
        return moved

    def spread(self, keys: Sequence[str], rows: Floats) -> Floats:
        """[rows, size], from [rows, entries]: of all entries of these tensors, end to end, the slopes by the unknowns."""
        ends = accumulate((self.start[key].size for key in keys), initial=0)
        found, places = np.zeros((len(rows), self.size)), self.places
        for key, begin in zip(keys, ends, strict=False):
            factor, tensor = self.factors.get(key), self.start[key]
            if factor is None:
                found[:, places[key]] = rows[:, begin + self.free[key]]
            else:
                own = rows[:, begin : begin + tensor.size]
                found[:, places[key]] = factor.gradients(own, tensor.shape)
        return found
