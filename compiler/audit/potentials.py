"""What a proof by potentials says of a class of words, and with how many bits it is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from circ.compiler.audit.clauses import Clause, Formula
from circ.compiler.audit.columns import C, Chosen, Codes, Head, Total
from circ.compiler.audit.entries import Known
from circ.compiler.audit.fixed import Fixed, FixedPoint, fixed_point
from circ.compiler.audit.record import Data, multipliers_of, only, potentials_of
from circ.compiler.audit.region import Region
from circ.compiler.audit.several import Holds
from circ.compiler.audit.sums import Reading

BITS = (128, 512)
"""After the point; the second where the first are too few."""


@dataclass(frozen=True, slots=True)
class Level:
    """So many bits, and what was read with them that all classes share."""

    math: FixedPoint
    shared: dict[int, Total[Fixed] | Codes]
    heads: dict[tuple[int, ...], Head[Fixed]]


def fresh_levels() -> tuple[Level, ...]:
    """Every number of bits, nothing read yet."""
    return tuple(Level(fixed_point(bits), {}, {}) for bits in BITS)


@dataclass(frozen=True, slots=True)
class Case:
    """A class of words: what is known there, which phase ReLUs have, and other ways to be right.

    `chosen` says among which entries leaders are.
    """

    given: Mapping[int, Known]
    phases: Mapping[tuple[int, int], bool]
    besides: Clause
    chosen: Mapping[int, Chosen]
    readings: tuple[Reading[Fixed], ...]
    confirm: Confirm | None


@dataclass(frozen=True, slots=True)
class Path:
    """A proof by potentials: that a weighted sum of how far each comparison holds is positive."""

    clause: Clause
    factors: tuple[Fraction, ...]
    potentials: Sequence[float]

    @property
    def strict(self) -> bool:
        """Whether the sum has to be more than zero."""
        pairs = zip(self.clause, self.factors, strict=True)
        return any(beats.strict for beats, factor in pairs if factor)

    def sized(self, region: Region) -> bool:
        """Whether there are as many potentials as states."""
        return len(self.potentials) == sum(region.states[:-1]) * len(region.rows)

    def weighed(self, reading: Reading[C]) -> Total[C]:
        """The sum; raises `Rejected` and `Bent`."""
        return weighted_sum(reading, self.clause, self.factors)


def path_of(clause: Clause, data: Data) -> Path:
    """A proof by potentials, well-formed."""
    kind = "f4" if "f4" in data else "f8"
    multipliers, text = only(data, "multipliers", kind)
    return Path(clause, multipliers_of(multipliers, len(clause)), potentials_of(text, kind))


def weighted_sum(
    reading: Reading[C], clause: Clause, factors: Iterable[Fraction | float]
) -> Total[C]:
    """The weighted sum of how far each comparison holds; raises `Rejected` and `Bent`."""
    number, parts = reading.math.number, list[tuple[C, Total[C]]]()
    for beats, factor in zip(clause, factors, strict=True):
        if factor:
            one = reading.math.one if factor == 1 else number(Fraction(factor))
            parts.append((one, reading.total(beats.more)))
            parts.append((number(-Fraction(factor)), reading.total(beats.less)))
    return reading.added(parts)


class Confirm(Protocol):
    """What can be told fast."""

    def __call__(self, case: Case, paths: Sequence[Path], region: Region) -> list[bool]:
        """Which of some proofs by potentials hold on a region."""
        ...

    def steps(self, case: Case, formula: Formula, region: Region) -> Holds | None:
        """What checks steps about the row of a region, if there is anything."""
        ...
