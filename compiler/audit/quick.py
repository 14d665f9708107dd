"""The fast path of an audit: potentials are checked in float64 first, many comparisons at once.

What float64 does not confirm is left to whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from circ.compiler.audit.blends import Blends
from circ.compiler.audit.clauses import Beats, Formula, places_of
from circ.compiler.audit.columns import Bent, Codes, Head, Total
from circ.compiler.audit.entries import Known
from circ.compiler.audit.fast import Difference, proved, weighed
from circ.compiler.audit.floats import Ball, FloatPoint, Floats, float_point
from circ.compiler.audit.numbers import Numbers, numbers_of
from circ.compiler.audit.potentials import Case, Path, weighted_sum
from circ.compiler.audit.proofs import Audit
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.sums import Reading
from circ.compiler.audit.swift import Swift
from circ.compiler.audit.tables import ways_of

MOST_EDGES = 1 << 16
"""Edges of a layer along which the sums of all that a step says are taken at once."""


@dataclass(frozen=True, slots=True, eq=False)
class QuickPaths:
    """Reads an audit's claim in float64."""

    audit: Audit
    math: FloatPoint = field(default_factory=float_point)
    shared: dict[int, Total[Ball] | Codes] = field(default_factory=dict[int, "Total[Ball] | Codes"])
    heads: dict[tuple[int, ...], Head[Ball]] = field(
        default_factory=dict[tuple[int, ...], "Head[Ball]"]
    )
    last: list[tuple[Mapping[int, Known], Numbers]] = field(
        default_factory=list[tuple[Mapping[int, Known], Numbers]]
    )

    def __call__(self, case: Case, paths: Sequence[Path], region: Region) -> list[bool]:
        """Which of some proofs by potentials float64 confirms."""
        reading = self.reading(case)
        reading.ready(places_of(path.clause for path in paths))
        found = [False] * len(paths)
        groups: dict[int, list[tuple[int, Difference]]] = {}
        for place, path in enumerate(paths):
            try:
                number = shown_by(path, reading)
            except (Rejected, Bent):
                continue
            if path.sized(region):
                groups.setdefault(id(number.head), []).append((place, number))
        for group in groups.values():
            totals = [number for _, number in group]
            asked = [paths[place] for place, _ in group]
            potentials: Floats = np.array([path.potentials for path in asked], np.float64)
            shape = len(group), len(region.rows), -1
            strict = [path.strict for path in asked]
            try:
                with np.errstate(all="ignore"):  # what overflows is refused
                    sure = proved(weighed(totals, region), potentials.reshape(shape), strict)
            except Rejected:
                continue
            for (place, _), yes in zip(group, sure, strict=True):
                found[place] = yes
        return found

    def steps(self, case: Case, formula: Formula, region: Region) -> Swift | None:
        """What checks steps about the row of a region; None where float64 cannot read it, or has no room."""
        if max(region.states) * region.letters > MOST_EDGES:
            return None
        try:
            with np.errstate(all="ignore"):  # what overflows is refused
                if not self.last or self.last[-1][0] is not case.given:
                    blends = Blends(self.reading(replace(case, phases={})))
                    numbers = numbers_of(blends, formula, self.audit.relus)
                    self.last[:] = [(case.given, numbers)]
                numbers = self.last[-1][1]
                return Swift(numbers, numbers.tables(region), ways_of(region))
        except (Rejected, Bent):
            return None

    def reading(self, case: Case) -> Reading[Ball]:
        """The numbers of a case."""
        given, phases, chosen = case.given, case.phases, case.chosen
        return self.audit.reading(self.math, self.shared, self.heads, given, phases, chosen)


def shown_by(path: Path, reading: Reading[Ball]) -> Difference:
    """What a proof shows to be positive; raises `Rejected` and `Bent`."""
    if len(path.clause) == 1:
        return difference(reading, path.clause[0], path.factors[0])
    return Difference(path.weighed(reading))


def difference(reading: Reading[Ball], beats: Beats, factor: Fraction | float = 1) -> Difference:
    """How far one comparison holds, times a positive factor where it is not left as it is.

    Raises `Rejected` and `Bent`.
    """
    found = Difference(reading.total(beats.more), reading.total(beats.less))
    return found if found.alike else Difference(weighted_sum(reading, (beats,), [factor]))


def quick_paths(audit: Audit) -> QuickPaths:
    """The fast path of an audit."""
    return QuickPaths(audit)
