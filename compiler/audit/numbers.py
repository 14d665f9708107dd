"""The numbers that a class compares, in float64: what ReLUs are applied to, then the differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from circ.compiler.audit.blends import Blend, Blends, Unit, rows_of
from circ.compiler.audit.clauses import Beats, Formula
from circ.compiler.audit.floats import Ball
from circ.compiler.audit.region import Region
from circ.compiler.audit.slopes import require_shallow
from circ.compiler.audit.tables import Layout, Tables, tables_of


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The clauses of a class, their comparisons `beats`, and the ReLUs `units` behind these.

    A ReLU stands before those that read it. `numbers` are their operands, then the differences.
    """

    blends: Blends[Ball]
    formula: Formula
    beats: Sequence[Beats]
    units: Sequence[Unit]
    numbers: Sequence[Blend[Ball]]

    def tables(self, region: Region) -> Tables:
        """All numbers in the one row of a region; raises `Rejected` where float64 is not enough."""
        blends = self.blends
        own, shared = blends.reading.own_heads, blends.reading.heads
        heads = [own.get(key) or shared.get(key) for key in rows_of(blends.reading.nodes)]
        (row,) = region.rows
        layout = Layout(heads, self.units, row, len(region.steps), region.letters)
        found = tables_of(self.numbers, layout)
        require_shallow(found)
        return found


def numbers_of(blends: Blends[Ball], formula: Formula, relus: Mapping[Unit, int]) -> Numbers:
    """What a class compares; raises `Rejected` and `Bent` where that is not read."""
    beats = list(dict.fromkeys(beats for clause in formula for beats in clause))
    waiting: list[Unit] = []
    for one in beats:
        for place in (one.more, one.less):
            waiting.extend(blends.blend(place).bends)
    units = set[Unit]()
    while waiting:
        at = waiting.pop()
        if at not in units:
            units.add(at)
            waiting.extend(blends.blend(relus[at]).bends)
    first = sorted(units, key=relus.__getitem__)
    math, minus = blends.reading.math, blends.reading.math.number(Fraction(-1))
    numbers = [blends.blend(relus[at]) for at in first]
    for one in beats:
        pairs = [(math.one, blends.blend(one.more)), (minus, blends.blend(one.less))]
        numbers.append(blends.added(pairs))
    return Numbers(blends, formula, beats, first, numbers)
