"""What one step of a proof about several heads says, well-formed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import cast

from circ.compiler.audit.blends import Unit
from circ.compiler.audit.clauses import Formula
from circ.compiler.audit.record import Data, a_list, a_number, an_object, multipliers_of, only
from circ.compiler.audit.rejected import Rejected, require

Line = tuple[float, float]
"""c and q: what a head reads, N/Z, is at least c + q(N - cZ)."""

Lines = tuple[Line | None, ...]
"""A line for each head; none for one that a number does not read."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a ReLU is applied to is between `low` and `high`; a slope of a line below the ReLU."""

    low: float
    high: float
    slope: float
    below: Lines
    above: Lines


@dataclass(frozen=True, slots=True)
class Shown:
    """A weighted sum of how far the comparisons of a clause hold is positive."""

    clause: int
    factors: tuple[Fraction, ...]
    lines: Lines


@dataclass(frozen=True, slots=True)
class Step:
    """What is shown of some words: bounds, and clauses by them."""

    bounds: Mapping[Unit, Bound]
    shown: Sequence[Shown]


def step_of(bounds: object, shown: object, formula: Formula, heads: int) -> Step:
    """A step about some clauses and so many heads."""
    found: dict[Unit, Bound] = {}
    for entry in a_list(bounds):
        wire, place, low, high, slope, below, above = of_length(entry, 7)
        at = a_number(wire, 1 << 63), a_number(place, 1 << 63)
        require(at not in found, "a ReLU is bounded twice")
        inside = Bound(
            a_float(low), a_float(high), a_float(slope), lines_of(below, heads),
            lines_of(above, heads),
        )  # fmt: skip
        require(0 <= inside.slope <= 1, "a line below a ReLU is too steep, or falls")
        found[at] = inside
    proofs = [shown_of(an_object(entry), formula, heads) for entry in a_list(shown)]
    once = len({proof.clause for proof in proofs}) == len(proofs)
    require(once, "a clause is shown twice")
    return Step(found, proofs)


def shown_of(data: Data, formula: Formula, heads: int) -> Shown:
    """That a clause holds."""
    clause, multipliers, lines = only(data, "clause", "multipliers", "lines")
    k = a_number(clause, len(formula))
    return Shown(k, multipliers_of(multipliers, len(formula[k])), lines_of(lines, heads))


def lines_of(value: object, heads: int) -> Lines:
    """A line for each head."""
    found = a_list(value)
    require(len(found) == heads, "there is a line for each head")
    return tuple(None if line is None else line_of(line) for line in found)


def line_of(value: object) -> Line:
    """One line."""
    c, q = of_length(value, 2)
    return a_float(c), a_float(q)


def of_length(value: object, length: int) -> Sequence[object]:
    """A list of so many entries."""
    found = a_list(value)
    require(len(found) == length, f"{length} entries are expected")
    return found


def a_float(value: object) -> float:
    """A number that a double holds exactly."""
    if type(value) not in (int, float):
        raise Rejected("a number is expected")
    number = cast("float", value)
    require(abs(number) < 2.0**1000, "a number is too large")
    found = float(number)
    require(isfinite(found) and found == number, "a double is expected")
    return found
