"""Certificates about several heads and the ReLUs behind them: parts of the words, and lines on them.

Words are parted where a bound is not positive, at the position to which most of what it loses is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.audit.blends import Blends
from circ.compiler.audit.clauses import Formula
from circ.compiler.audit.columns import Bent
from circ.compiler.audit.floats import Floats
from circ.compiler.audit.numbers import Numbers, numbers_of
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.slopes import Limits
from circ.compiler.audit.tables import Truths, alive_in, ways_of
from circ.runtime.certificates.blame import blamed, chosen
from circ.runtime.certificates.bounds import Best, Parts, Row, bounded, parts_of
from circ.runtime.certificates.limits import limited, lines_at
from circ.runtime.certificates.work import Case, Data, NoCertificate, Work

AT_ONCE = 32
"""Parts that are bounded at once."""

DEEPEST = 100
"""Parts of parts."""

FEW = 4
"""Words that are rather gone through one by one than parted."""


def several_proof(work: Work, case: Case, region: Region) -> Data:
    """A proof that the goal holds on all words of a class; raises `NoCertificate` and `Rejected`."""
    formula = work.claim.formula(case.given)
    if not formula:
        return {"clauses": []}
    if not all(formula):
        raise NoCertificate("the goal does not hold in a class")
    numbers = compared(work, case, formula)
    parts: list[object] = []
    for row in region.rows:
        inside = region.with_rows([row])
        tables = numbers.tables(inside)
        search = RowSearch(work, case, formula, numbers, inside, Row(tables, ways_of(inside)))
        parts.append([[row], {"lines": search.proof()}])
    return {"rows": parts}


def compared(work: Work, case: Case, formula: Formula) -> Numbers:
    """What a class compares; raises `Rejected` where that is not read."""
    try:
        return numbers_of(Blends(case.reading), formula, work.audit.relus)
    except Bent as bent:
        raise Rejected(str(bent)) from bent


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A weighted sum of how far comparisons hold, and of which clauses it is one, with what weights."""

    mix: Floats
    clauses: dict[int, list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Words whose clauses are still open, what is known of ReLUs there, and the proof, to be filled in."""

    alive: Truths
    left: Truths
    low: Floats
    high: Floats
    depth: int
    proof: Data = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, eq=False)
class RowSearch:
    """The proof for one row."""

    work: Work
    case: Case
    formula: Formula
    numbers: Numbers
    region: Region
    row: Row

    def proof(self) -> Data:
        """A proof for all words of the row; raises `NoCertificate`."""
        units, count = len(self.numbers.units), len(self.formula)
        unknown = np.full(units, np.inf)
        every: Truths = np.ones(count, np.bool_)
        first = Part(alive_in(self.region), every, -unknown, unknown, 0)
        waiting = [first]
        candidates = self.candidates()
        while waiting:
            self.work.require_time()
            some = [waiting.pop() for _ in range(min(AT_ONCE, len(waiting)))]
            waiting.extend(self.advanced(some, candidates))
        return first.proof

    def candidates(self) -> list[Candidate]:
        """Each comparison by itself, and the mean of each clause of several."""
        beats, first = self.numbers.beats, len(self.numbers.units)
        count = self.row.tables.count
        found: list[Candidate] = []
        for k, beat in enumerate(beats):
            mix = np.zeros(count)
            mix[first + k] = 1
            of = {
                place: [int(other == beat) for other in clause]
                for place, clause in enumerate(self.formula)
                if beat in clause
            }
            found.append(Candidate(mix, of))
        for place, clause in enumerate(self.formula):
            if len(clause) > 1:
                mix = np.zeros(count)
                for beat in clause:
                    mix[first + beats.index(beat)] += 1
                found.append(Candidate(mix, {place: [1] * len(clause)}))
        return found

    # --- a few parts at once --------------------------------------------------------------------

    def advanced(self, some: Sequence[Part], candidates: Sequence[Candidate]) -> list[Part]:
        """Write down what is shown of some parts; the parts of those that are left open."""
        parts = parts_of(self.row, np.stack([part.alive for part in some]))
        low, high = np.stack([x.low for x in some]), np.stack([x.high for x in some])
        limits, records = limited(parts, self.numbers.units, low, high)
        asked = [x for x in candidates if any(part.left[k] for part in some for k in x.clauses)]
        wanted = np.stack([x.mix for x in asked])[None].repeat(len(some), 0)
        best = bounded(parts, wanted, limits)
        found: list[Part] = []
        for z, part in enumerate(some):
            own = Limits(limits.low[z], limits.high[z], limits.slope[z])
            settled = ((part.low < 0) & (part.high > 0)) & ((own.low >= 0) | (own.high <= 0))
            shown = shown_by(part, asked, best, z)
            left = part.left.copy()
            left[[*shown]] = False
            inner = part.proof
            if shown or settled.any():
                inner = dict[str, object]()
                then = inner if left.any() else None
                part.proof.update(bounds=records[z], shown=[*shown.values()], then=then)
            if left.any():
                known = np.where(settled, own.low, part.low), np.where(settled, own.high, part.high)
                after = Part(part.alive, left, *known, part.depth, inner)
                worst = worst_of(after, asked, best, z)
                blame = blamed(parts, best, z, worst, asked[worst].mix, own)
                found.extend(self.divided(parts, z, after, blame))
        return found

    def divided(self, parts: Parts, z: int, part: Part, blame: Floats) -> list[Part]:
        """A part in two, its proof a split; or gone through, where it has few words."""
        split = chosen(parts, z, blame)
        if split is None or part.alive.sum(-1).prod() <= FEW:
            self.by_words(part)
            return []
        if part.depth >= DEEPEST:
            raise NoCertificate("the words would have to be split too often")
        position, letters = split
        found: list[Part] = []
        for some in letters:
            alive = part.alive.copy()
            alive[position] = False
            alive[position, some] = True
            found.append(Part(alive, part.left, part.low, part.high, part.depth + 1))
        pairs = [[some, x.proof] for some, x in zip(letters, found, strict=True)]
        part.proof.update(position=position, parts=pairs)
        return found

    def by_words(self, part: Part) -> None:
        """Go through the words of a part; raises `NoCertificate` where one is not shown to be right."""
        region = self.region
        for position, alive in enumerate(part.alive):
            if position != region.fixed:
                region = region.with_letters(position, np.flatnonzero(alive).tolist())
        for k in np.flatnonzero(part.left).tolist():
            part.proof.update(self.work.by_words(self.case, self.formula[k], region))


def shown_by(part: Part, asked: Sequence[Candidate], best: Best, z: int) -> dict[int, Data]:
    """The open clauses that some sum shows to hold."""
    found: dict[int, Data] = {}
    for x in np.flatnonzero(best.bound[z] > 0).tolist():
        for k, weights in asked[x].clauses.items():
            if part.left[k] and k not in found:
                lines = lines_at(best, z, x)
                found[k] = {"clause": k, "multipliers": weights, "lines": lines}
    return found


def worst_of(part: Part, asked: Sequence[Candidate], best: Best, z: int) -> int:
    """The sum that comes closest to showing the clause that is furthest from being shown."""
    bounds: dict[int, tuple[float, int]] = {}
    for x, candidate in enumerate(asked):
        for k in candidate.clauses:
            if part.left[k]:
                mine = float(best.bound[z, x]), x
                bounds[k] = max(bounds.get(k, mine), mine)
    return min(bounds.values())[1]
