"""What a certificate is made from: a claim, read in float64."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from time import monotonic

from circ.compiler.audit.clauses import Beats, Clause
from circ.compiler.audit.divided import Claim
from circ.compiler.audit.entries import Known
from circ.compiler.audit.fast import Difference
from circ.compiler.audit.floats import Ball, FloatPoint
from circ.compiler.audit.sums import Codes, Head, Reading, Total
from circ.compiler.tensor import Weights

Data = dict[str, object]


class NoCertificate(Exception):
    """There is no certificate; the message is the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What is known in a class of words, which phases ReLUs have, and other ways to be right.

    `doubts` counts the phases that are assumed.
    """

    given: Mapping[int, Known]
    phases: Mapping[tuple[int, int], bool]
    besides: Clause
    doubts: int
    reading: Reading[Ball]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A claim to be certified; `until` is in seconds of `time.monotonic`."""

    claim: Claim
    weights: Weights
    fixed: int | None
    apart: list[bool]
    relus: Mapping[tuple[int, int], int]
    zero: int
    until: float
    math: FloatPoint
    shared: dict[int, Total[Ball] | Codes] = field(default_factory=dict[int, "Total[Ball] | Codes"])
    heads: dict[tuple[int, ...], Head[Ball]] = field(
        default_factory=dict[tuple[int, ...], "Head[Ball]"]
    )

    def require_time(self) -> None:
        """Raise `NoCertificate` when the time is up."""
        if monotonic() > self.until:
            raise NoCertificate("time ran out")

    def case_of(self, values: Sequence[Known]) -> Case:
        """A class of words."""
        given = dict(zip(self.claim.values, values, strict=True))
        return Case(given, {}, (), 0, self.reading(given, {}))

    def reading(
        self, given: Mapping[int, Known], phases: Mapping[tuple[int, int], bool]
    ) -> Reading[Ball]:
        """The numbers of a case."""
        rows = {} if self.fixed is None else {self.fixed: range(self.claim.word.letters)}
        return Reading(
            self.math, self.claim.nodes, self.weights, self.claim.word.letters, rows, given,
            phases, self.apart, self.shared, self.heads,
        )  # fmt: skip

    def with_phases(
        self, case: Case, phases: Mapping[tuple[int, int], bool], besides: Clause = ()
    ) -> Case:
        """A case in which more ReLUs have a phase; assumed, where something else would do too."""
        known = {**case.phases, **phases}
        doubts = case.doubts + bool(besides)
        return Case(
            case.given, known, (*case.besides, *besides), doubts, self.reading(case.given, known)
        )


def total(
    reading: Reading[Ball], clause: Clause, factors: Iterable[float | Fraction]
) -> Total[Ball]:
    """The weighted sum of how far each comparison holds; raises `Rejected` and `Bent`."""
    math = reading.math
    parts: list[tuple[Ball, Total[Ball]]] = []
    for beats, factor in zip(clause, factors, strict=True):
        if factor:
            more, less = reading.total(beats.more), reading.total(beats.less)
            parts.append((math.number(Fraction(factor)), more))
            parts.append((math.number(-Fraction(factor)), less))
    return reading.added(parts)


def difference(reading: Reading[Ball], beats: Beats) -> Difference:
    """How far one comparison holds; raises `Rejected` and `Bent`."""
    found = Difference(reading.total(beats.more), reading.total(beats.less))
    return found if found.alike else Difference(total(reading, (beats,), [1]))
