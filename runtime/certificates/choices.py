"""Hard choices taken out of a proof: index by index and letter by letter, those together that read alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.audit.chosen import Entry, Scores, asking, scores_of, words_of
from circ.compiler.audit.columns import Chosen
from circ.compiler.audit.entries import Known, Pick
from circ.compiler.audit.fixed import Fixed
from circ.compiler.audit.floats import Floats
from circ.compiler.audit.region import Region
from circ.compiler.audit.sums import Reading
from circ.runtime.certificates.work import Case, Data, NoCertificate, Work

MOST_PARTS = 1 << 13
"""Of one choice in one class of words."""

Prove = Callable[[Work, Case, Region, int], Data]

Truths = tuple[tuple[int, Known], ...]
"""Discrete nodes, and their values."""

Key = tuple[int, "int | None", tuple[int, int], "bytes | int", Truths]
"""A row, a letter, bounds of the score, and what is looked up."""


def next_choice(work: Work, case: Case) -> int | None:
    """The first leader that is still open."""
    taken = case.given.keys() | case.chosen.keys()
    return next((leader for leader in work.leaders if leader not in taken), None)


def tried(work: Work, case: Case) -> Case:
    """A case in which each leader is its first entry, with the first letter; raises `Rejected`."""
    while (leader := next_choice(work, case)) is not None:
        place = scores_of(exact(work, case), leader).places[0]
        first = Chosen((0,), (place,), None if place is None else 0)
        asked = {} if work.audit.fixed is None else {work.audit.fixed: 0}
        case = work.with_choice(case, leader, first, asked)
    return case


def exact(work: Work, case: Case) -> Reading[Fixed]:
    """A case as whole numbers read it, by which the audit compares scores."""
    known = work.audit.case(case.given, case.phases, case.besides, case.chosen, None)
    return known.readings[-1]


# --- the parts ------------------------------------------------------------------------------------


def by_choice(
    work: Work, case: Case, region: Region, depth: int, leader: int, prove: Prove
) -> Data:
    """A proof for each way to lead; raises `NoCertificate`."""
    scores = scores_of(exact(work, case), leader)
    parts: list[object] = []
    for chosen, rows in grouped(work, case, region, leader, scores):
        work.require_time()
        inside = words_of(scores, region, rows, chosen)
        proof: Data | None = None
        if inside.has_words:
            inner = work.with_choice(case, leader, chosen, asking(inside))
            proof = prove(work, inner, inside, depth + 1)
        parts.append([rows, list(chosen.slots), chosen.letter, proof])
    return {"choice": work.audit.leaders.places.index(leader), "parts": parts}


def grouped(
    work: Work, case: Case, region: Region, leader: int, scores: Scores
) -> Iterator[tuple[Chosen, list[int]]]:
    """The ways to lead, those together of which the same is read on words of the same letters."""
    nodes = work.claim.nodes.nodes
    picks = [node for node in nodes if isinstance(node, Pick) and node.indices == (leader,)]
    alike = Alike(work, case, leader, scores, picks)
    slots: dict[Key, list[int]] = {}
    for entry in scores.possible(region):
        slots.setdefault(alike.key(entry), []).append(entry[1])
    found: dict[object, tuple[Chosen, list[int]]] = {}
    for (row, letter, *_), some in slots.items():
        chosen = Chosen(tuple(some), tuple(scores.places[slot] for slot in some), letter)
        left = scores.below(region.with_rows([row]), some, letter).allowed
        apart = row if alike.asks(row, some[0], letter) else None
        key = (chosen, apart, *sorted(left.items()))
        found.setdefault(key, (chosen, []))[1].append(row)
        if len(found) > MOST_PARTS:
            raise NoCertificate(f"a hard choice has more than {MOST_PARTS:,} parts")
    yield from found.values()


@dataclass(slots=True, eq=False)
class Alike:
    """Tells the ways to lead apart, by what is looked up in each.

    `picks` are what is looked up. Of an index, `tables` has it as [number, row, letter], None where it
    reads another position.
    """

    work: Work
    case: Case
    leader: int
    scores: Scores
    picks: list[Pick]
    tables: dict[int, Floats | None] = field(default_factory=dict[int, "Floats | None"])
    truths: dict[tuple[int | None, int, int | None], Truths] = field(
        default_factory=dict[tuple["int | None", int, "int | None"], Truths]
    )

    def key(self, entry: Entry) -> Key:
        """What has to agree; the row and the letter come first."""
        row, slot, letter = entry
        reach = self.scores.low(slot, row, letter), self.scores.high(slot, row, letter)
        if slot not in self.tables:
            self.tables[slot] = self.table(slot)
        table = self.tables[slot]
        if table is None:
            return row, letter, reach, slot, ()
        at = row if table.shape[1] > 1 else 0, (letter or 0) if table.shape[2] > 1 else 0
        return row, letter, reach, table[:, at[0], at[1]].tobytes(), self.truth(row, slot, letter)

    def asks(self, row: int, slot: int, letter: int | None) -> bool:
        """Whether something is known because the row is."""
        return self.truth(row, slot, letter) != self.truth(None, slot, letter)

    def truth(self, row: int | None, slot: int, letter: int | None) -> Truths:
        """What is discrete behind an index, and known."""
        key = row, slot, letter
        if key not in self.truths:
            leaders, fixed = self.work.audit.leaders, self.work.audit.fixed
            chosen = Chosen((slot,), (self.scores.places[slot],), letter)
            asked = {} if row is None or fixed is None else {fixed: row}
            known = leaders.settled(self.case.given, self.leader, chosen, asked)
            behind = (k for k in leaders.discrete(self.leader) if k != self.leader)
            self.truths[key] = tuple((k, known[k]) for k in behind if k in known)
        return self.truths[key]

    def table(self, slot: int) -> Floats | None:
        """The numbers looked up at an index."""
        nodes, reading = self.work.claim.nodes, self.case.reading
        columns: list[Floats] = []
        for node in self.picks:
            if not nodes.real[node.parts[slot]]:
                continue
            number = reading.total(node.parts[slot])
            if number.head is not None or not number.terms.keys() <= {self.scores.places[slot]}:
                return None
            columns.append(reading.table(number)[1].mid)
        shape = np.broadcast_shapes((1, 1), *{column.shape for column in columns})
        return np.array([np.broadcast_to(column, shape) for column in columns]).reshape(-1, *shape)
