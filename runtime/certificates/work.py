"""What a certificate is made from: a claim, read in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from circ.compiler.audit.clauses import Clause
from circ.compiler.audit.columns import Chosen, Codes, Head, Total
from circ.compiler.audit.divided import Claim
from circ.compiler.audit.entries import Known
from circ.compiler.audit.floats import Ball, FloatPoint, float_point
from circ.compiler.audit.proofs import MOST_WORDS, Audit
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.sums import Reading

Data = dict[str, object]


class NoCertificate(Exception):
    """There is no certificate; the message is the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is known in a class of words, which phases ReLUs have, and other ways to be right.

    `doubts` counts the phases that are assumed, and `chosen` says among which entries leaders are.
    """

    given: Mapping[int, Known]
    phases: Mapping[tuple[int, int], bool]
    besides: Clause
    doubts: int
    chosen: Mapping[int, Chosen]
    reading: Reading[Ball]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A claim to be certified, as it will be audited; `until` is in seconds of `time.monotonic`.

    `leaders` are those by which something is looked up. `several`: its numbers are put together of
    several heads.
    """

    audit: Audit
    until: float
    leaders: tuple[int, ...] = ()
    several: bool = False
    math: FloatPoint = field(default_factory=float_point)
    shared: dict[int, Total[Ball] | Codes] = field(default_factory=dict[int, "Total[Ball] | Codes"])
    heads: dict[tuple[int, ...], Head[Ball]] = field(
        default_factory=dict[tuple[int, ...], "Head[Ball]"]
    )

    @property
    def claim(self) -> Claim:
        """The claim."""
        return self.audit.claim

    def require_time(self) -> None:
        """Raise `NoCertificate` when the time is up."""
        if monotonic() > self.until:
            raise NoCertificate("time ran out")

    def case_of(self, values: Sequence[Known]) -> Case:
        """A class of words."""
        given = dict(zip(self.claim.values, values, strict=True))
        return Case(given, {}, (), 0, {}, self.reading(given, {}, {}))

    def reading(
        self,
        given: Mapping[int, Known],
        phases: Mapping[tuple[int, int], bool],
        chosen: Mapping[int, Chosen],
    ) -> Reading[Ball]:
        """The numbers of a case."""
        return self.audit.reading(self.math, self.shared, self.heads, given, phases, chosen)

    def by_words(self, case: Case, clause: Clause, region: Region) -> Data:
        """A proof by going through the words one by one; raises `NoCertificate` where one fails."""
        try:
            words = region.words(MOST_WORDS)
            self.audit.one_by_one(case.given, clause, words, case.chosen)
        except Rejected as reason:
            raise NoCertificate(str(reason)) from reason
        return {"words": len(words)}

    def with_phases(
        self, case: Case, phases: Mapping[tuple[int, int], bool], besides: Clause = ()
    ) -> Case:
        """A case in which more ReLUs have a phase; assumed, where something else would do too."""
        known = {**case.phases, **phases}
        doubts = case.doubts + bool(besides)
        reading = self.reading(case.given, known, case.chosen)
        return Case(case.given, known, (*case.besides, *besides), doubts, case.chosen, reading)

    def with_choice(
        self, case: Case, leader: int, chosen: Chosen, asked: Mapping[int, int]
    ) -> Case:
        """A case in which a leader is one of some entries, on words with the letters `asked` for."""
        given = self.audit.leaders.settled(case.given, leader, chosen, asked)
        known = {**case.chosen, leader: chosen}
        reading = self.reading(given, case.phases, known)
        return Case(given, case.phases, case.besides, case.doubts, known, reading)
