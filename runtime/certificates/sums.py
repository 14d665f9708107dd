"""Multipliers of a clause's rows, and of the phases of a part, with which their sum is above zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.audit.parts.arrays import BoolArray, FloatArray, IntArray
from circ.compiler.audit.parts.many import Many
from circ.compiler.audit.parts.planes import FloatParts, all_lines
from circ.compiler.audit.parts.planes import Halves as Sums
from circ.compiler.boxes.judge import Halves, weighed
from circ.runtime.certificates.skeleton import Told

ROOM = 1e-9
"""By so much, of its size, a sum has to be above zero, and ends have to cross: then whole numbers see it
too."""

LARGEST = 2.0**20
"""A phase's multiplier is at most so many times the largest of a row: whole numbers know the small ones beside
it to few digits."""

DIGITS = 9
"""Bits of a multiplier behind the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """A sum for each clause of a part: multipliers [sums, rows], and [sums, phases] those of phases.

    `phases` says whose, by row of all layers; -1 for none.
    """

    many: Many
    parts: FloatParts
    at: IntArray = field(repr=False)
    clause: IntArray = field(repr=False)
    by: FloatArray = field(repr=False)
    phases: IntArray = field(repr=False)
    by_phase: FloatArray = field(repr=False)

    def together(self) -> Sums:
        """What is below the sums."""
        phases = np.zeros((len(self.at), self.parts.under.shape[1]))
        for row, by in zip(self.phases.T, self.by_phase.T, strict=True):
            there = np.flatnonzero(row >= 0)
            own = row[there]
            phases[there, own] -= self.parts.phase[self.at[there], own] * by[there]
        used, place = np.unique(self.at, return_inverse=True)
        lines = all_lines(self.many.floats, self.parts.take(used))
        return self.many.halves(lines, place, self.clause, self.by, phases)

    def above(self) -> BoolArray:
        """Whether they are above zero, by enough."""
        found, low, high = self.together(), self.parts.low[self.at], self.parts.high[self.at]
        mass = np.abs(found.slopes * np.maximum(np.abs(low), np.abs(high))).sum(1)
        return np.asarray(found.least(low, high) > ROOM * (mass + np.abs(found.consts)))

    def said(self, place: int) -> list[object]:
        """One as a certificate has it."""
        size = len(self.many.floats.clauses[int(self.clause[place])].const)
        names = self.many.named_rows
        phases = [
            [*names[int(row)], plain(factor)]
            for row, factor in zip(self.phases[place], self.by_phase[place], strict=True)
            if row >= 0 and factor > 0
        ]
        return [int(self.clause[place]), [plain(x) for x in self.by[place, :size]], phases]


def told(many: Many, parts: FloatParts, pairs: Sequence[tuple[int, Told]]) -> Weighted:
    """The sums that a search found, each about a part."""
    rows = max(len(rows.const) for rows in many.floats.clauses)
    by = np.zeros((len(pairs), rows))
    phases = np.full((len(pairs), max((len(x.phases) for _, x in pairs), default=0)), -1)
    by_phase = np.zeros(phases.shape)
    for k, (part, x) in enumerate(pairs):
        by[k, : len(x.rows)] = x.rows
        known = [(row, much) for row, much in x.phases if parts.phase[part, row]]
        for place, (row, much) in enumerate(known):
            phases[k, place], by_phase[k, place] = row, much
    at = np.array([part for part, _ in pairs], np.int64)
    clause = np.array([x.clause for _, x in pairs], np.int64)
    by_phase = np.minimum(by_phase, LARGEST * by.max(1, keepdims=True))
    return Weighted(many, parts, at, clause, short(by), phases, short(by_phase))


def sought(many: Many, parts: FloatParts, at: IntArray, clause: IntArray) -> Weighted:
    """Sums that are as far above zero as was found: of one row alone where that does."""
    phases = phases_of(parts, at)
    halves = each_half(many, parts, at, clause, phases)
    rows = halves.consts.shape[1] - phases.shape[1]
    by = simplest(halves, parts.low[at], parts.high[at], rows)
    return Weighted(many, parts, at, clause, by[:, :rows], phases, by[:, rows:])


def phases_of(parts: FloatParts, at: IntArray) -> IntArray:
    """The phases of parts [parts, phases], by row of all layers; -1 for none."""
    known = [np.flatnonzero(parts.phase[k]) for k in at]
    found = np.full((len(at), max(map(len, known))), -1)
    for k, own in enumerate(known):
        found[k, : len(own)] = own
    return found


def each_half(
    many: Many, parts: FloatParts, at: IntArray, clause: IntArray, phases: IntArray
) -> Halves:
    """The half-spaces of the clauses' rows, then those of the phases."""
    most = max(len(rows.const) for rows in many.floats.clauses)
    sizes = np.array([len(many.floats.clauses[k].const) for k in map(int, clause)])
    count = most + phases.shape[1]
    halves = Halves.none(len(at), count, many.floats.width)
    used, place = np.unique(at, return_inverse=True)
    lines = all_lines(many.floats, parts.take(used))
    for k in range(count):
        there = np.flatnonzero(sizes > k if k < most else phases[:, k - most] >= 0)
        by, rows = np.zeros((len(there), most)), np.zeros((len(there), parts.under.shape[1]))
        if k < most:
            by[:, k], asked = 1.0, clause[there]
        else:
            row, asked = phases[there, k - most], np.full(len(there), -1)
            rows[np.arange(len(there)), row] = -parts.phase[at[there], row]
        found = many.halves(lines, place[there], asked, by, rows)
        halves.slopes[there, k], halves.consts[there, k] = found.slopes, found.consts
    return halves


def simplest(halves: Halves, low: FloatArray, high: FloatArray, rows: int) -> FloatArray:
    """Multipliers: of one of the first `rows` alone where that does, else those of the largest sum found."""
    each = np.arange(len(low))
    reach = np.maximum(np.abs(low), np.abs(high))
    size = np.abs(halves.consts) + np.einsum("prk,pk->pr", np.abs(halves.slopes), reach)
    corner = np.where(halves.slopes > 0, low[:, None], high[:, None])
    least = (corner * halves.slopes).sum(2) + halves.consts
    best = least[:, :rows].argmax(1)
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
