"""Multipliers of a clause's rows, and of the phases of a part, with which their sum is above zero."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from circ.compiler.audit.parts.arrays import BoolArray, FloatArray, IntArray
from circ.compiler.audit.parts.many import Many
from circ.compiler.audit.parts.planes import FloatParts
from circ.compiler.audit.parts.planes import Halves as Sums
from circ.compiler.boxes.judge import Halves, weighed

ROOM = 1e-9
"""By so much, of its size, a sum has to be above zero, and ends have to cross: then whole numbers see it
too."""

DIGITS = 9
"""Bits of a multiplier behind the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Sought:
    """Clauses of parts, a pair each: half-spaces of the clause's rows, then those of the part's phases.

    `rows` [pairs, phases] says whose phases, by row of all layers; -1 for none.
    """

    many: Many
    parts: FloatParts
    at: IntArray = field(repr=False)
    clause: IntArray = field(repr=False)
    halves: Halves
    rows: IntArray = field(repr=False)

    @property
    def most(self) -> int:
        """The most rows of a clause."""
        both, phases = self.halves.consts.shape[1], self.rows.shape[1]
        return int(both - phases)

    def together(self, by: FloatArray) -> Sums:
        """What is below the sums with some multipliers [pairs, rows and phases]."""
        phases = np.zeros((len(self.at), self.parts.under.shape[1]))
        for k, factors in enumerate(by[:, self.most :].T):
            there = np.flatnonzero(self.rows[:, k] >= 0)
            row = self.rows[there, k]
            phases[there, row] -= self.parts.phase[self.at[there], row] * factors[there]
        return self.many.halves(self.parts, self.at, self.clause, by[:, : self.most], phases)

    def above(self, by: FloatArray) -> BoolArray:
        """Whether the sums are above zero, by enough."""
        found, low, high = self.together(by), self.parts.low[self.at], self.parts.high[self.at]
        mass = np.abs(found.slopes * np.maximum(np.abs(low), np.abs(high))).sum(1)
        least = found.least(low, high)
        return np.asarray(least > ROOM * (mass + np.abs(found.consts)))

    def said(self, pair: int, by: FloatArray) -> list[object]:
        """A weighted sum as a certificate has it."""
        size = len(self.many.floats.clauses[self.clause[pair]].const)
        names = self.many.named_rows()
        phases = [
            [*names[int(row)], plain(factor)]
            for row, factor in zip(self.rows[pair], by[pair, self.most :], strict=True)
            if row >= 0 and factor > 0
        ]
        return [int(self.clause[pair]), [plain(x) for x in by[pair, :size]], phases]


def sought(many: Many, parts: FloatParts, at: IntArray, clause: IntArray) -> Sought:
    """The half-spaces of clauses of parts."""
    most = max(len(rows.const) for rows in many.floats.clauses)
    sizes = np.array([len(many.floats.clauses[k].const) for k in clause])
    known = [np.flatnonzero(parts.phase[k]) for k in at]
    rows = np.full((len(at), max(map(len, known))), -1)
    for k, own in enumerate(known):
        rows[k, : len(own)] = own
    count = most + rows.shape[1]
    halves = Halves.none(len(at), count, many.floats.width)
    for k in range(count):
        there = np.flatnonzero(sizes > k if k < most else rows[:, k - most] >= 0)
        by, phases = np.zeros((len(there), most)), np.zeros((len(there), parts.under.shape[1]))
        if k < most:
            by[:, k], asked = 1.0, clause[there]
        else:
            row, asked = rows[there, k - most], np.full(len(there), -1)
            phases[np.arange(len(there)), row] = -parts.phase[at[there], row]
        found = many.halves(parts, at[there], asked, by, phases)
        halves.slopes[there, k], halves.consts[there, k] = found.slopes, found.consts
    return Sought(many, parts, at, clause, halves, rows)


def simplest(pairs: Sought) -> FloatArray:
    """Multipliers: of one row alone where that does, else those of the largest sum found."""
    halves, each = pairs.halves, np.arange(len(pairs.at))
    low, high = pairs.parts.low[pairs.at], pairs.parts.high[pairs.at]
    reach = np.maximum(np.abs(low), np.abs(high))
    size = np.abs(halves.consts) + np.einsum("prk,pk->pr", np.abs(halves.slopes), reach)
    corner = np.where(halves.slopes > 0, low[:, None], high[:, None])
    least = (corner * halves.slopes).sum(2) + halves.consts
    best = least[:, : pairs.most].argmax(1)
    alone = least[each, best] > 2 * ROOM * size[each, best]
    by = short(weighed(halves, low, high).weights)
    by[alone] = 0.0
    by[alone, best[alone]] = 2.0 ** -np.round(np.log2(size[alone, best[alone]]))
    return by


def short(weights: FloatArray) -> FloatArray:
    """Multipliers to a few digits."""
    unit = 2.0 ** (np.floor(np.log2(np.maximum(weights, 2.0**-500))) - DIGITS)
    return np.asarray(np.round(weights / unit) * unit)


def plain(value: float) -> float | int:
    """A number in few characters."""
    whole = int(value) if abs(value) < 2.0**53 else 0
    return whole if whole == value else float(value)
