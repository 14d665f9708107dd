"""Functions that are affine but for hinges, relu(h) of affine h: what a hidden layer of relu can be.

A function is a `Linear` whose entries are those of the box, and behind them the hinges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from circ.compiler.linear_forms import Linear, total
from circ.compiler.obligation import Box
from circ.compiler.units.affine import (
    ZERO,
    difference,
    directions,
    extent,
    largest,
    plus,
    power_at_least,
    scaled,
)
from circ.compiler.units.hidden import NotOneLayer

MOST_HINGES = 1 << 14

Direction = tuple[tuple[int, Fraction], ...]
"""The coefficients of a function that is not constant, the first of them 1."""


@dataclass(slots=True)
class Hinges:
    """The hinges so far, over a box; `margin` is the slack from which on a guard must be followed, if there is one."""

    box: Box
    margin: Fraction | None
    rows: list[Linear] = field(default_factory=list[Linear])
    """What each is relu of: affine, and not constant."""
    known: dict[tuple[Direction, Fraction], int] = field(
        default_factory=dict[tuple["Direction", Fraction], int]
    )

    def bounds(self, row: Linear) -> tuple[Fraction, Fraction]:
        """Bounds on a function, hinges included."""
        if not self.bent(row):
            return extent(row, self.box)
        nothing = Fraction(0)
        each = [(max(low, nothing), max(high, nothing)) for low, high in self.ranges(row)]
        return extent(renumbered(row, self.used(row), len(self.box)), (*self.box, *each))

    def ranges(self, row: Linear) -> list[tuple[Fraction, Fraction]]:
        """The bounds of what the hinges of a function are relu of."""
        return [extent(self.rows[k], self.box) for k in self.used(row)]

    def used(self, row: Linear) -> list[int]:
        """The hinges of a function."""
        first = len(self.box)
        return sorted(entry - first for entry in row.coefficients if entry >= first)

    def bent(self, row: Linear) -> bool:
        """Whether a function has hinges."""
        return any(entry >= len(self.box) for entry in row.coefficients)

    # --- relu and max -------------------------------------------------------------------------

    def positive(self, row: Linear) -> Linear:
        """relu of a function; raises `NotOneLayer` where it takes a second layer."""
        low, high = self.bounds(row)
        if low >= 0:
            return row
        if high <= 0:
            return ZERO
        if not self.bent(row):
            return self.hinge(row)
        line = self.line_of(row)
        if line is None:
            raise NotOneLayer("a relu or a max of what has a relu, a max or a guard in it")
        return self.positive_along(row, line)

    def greatest(self, rows: Sequence[Linear]) -> Linear:
        """The largest of several; raises as `positive`."""
        found, *rest = self.undominated(rows)
        for row in rest:
            found = total(
                [(Fraction(1), found), (Fraction(1), self.positive(difference(row, found)))]
            )
        return found

    def undominated(self, rows: Sequence[Linear]) -> list[Linear]:
        """Without those that another one is nowhere below; at least one."""
        kept = list(rows)
        for row in rows:
            others = [other for other in kept if other is not row]
            if any(self.bounds(difference(other, row))[0] >= 0 for other in others):
                kept = others
        return kept

    def hinge(self, row: Linear) -> Linear:
        """relu of an affine function; those of its multiples are one hinge, since relu(-h) is relu(h) - h."""
        entry, lead = next(iter(sorted(row.coefficients.items())))
        direction = normal(row, lead)
        place = self.known.setdefault(direction, len(self.rows))
        if place == len(self.rows):
            self.add(row)
        factor = lead / self.rows[place].coefficients[entry]
        hinge = Linear({len(self.box) + place: abs(factor)}, Fraction(0))
        if factor > 0:
            return hinge
        return total([(Fraction(1), hinge), (factor, self.rows[place])])

    def add(self, row: Linear) -> Linear:
        """A hinge of its own."""
        if len(self.rows) >= MOST_HINGES:
            raise NotOneLayer(f"more than {MOST_HINGES:,} bends")
        self.rows.append(row)
        return Linear({len(self.box) + len(self.rows) - 1: Fraction(1)}, Fraction(0))

    # --- along one direction ------------------------------------------------------------------

    def line_of(self, row: Linear) -> Linear | None:
        """The direction, without a constant, that a function with hinges depends on alone; None where there are several."""
        affine, parts = self.parts(row)
        varying = [part for part in (affine, *(self.rows[k] for k in parts)) if part.coefficients]
        _, lead = min(varying[0].coefficients.items())
        found, _ = normal(varying[0], lead)
        same = all(normal(part, min(part.coefficients.items())[1])[0] == found for part in varying)
        return Linear(dict(found), Fraction(0)) if same else None

    def parts(self, row: Linear) -> tuple[Linear, dict[int, Fraction]]:
        """The affine part of a function, and the coefficients of its hinges."""
        first = len(self.box)
        affine = {e: c for e, c in row.coefficients.items() if e < first}
        bends = {e - first: c for e, c in row.coefficients.items() if e >= first}
        return Linear(affine, row.constant), bends

    def positive_along(self, row: Linear, line: Linear) -> Linear:
        """relu of a function of one direction: linear between its bends and its zeros."""
        start, end = extent(line, self.box)
        affine, parts = self.parts(row)
        entry = min(line.coefficients)
        bends = {-self.rows[k].constant / self.rows[k].coefficients[entry] for k in parts}
        inner = sorted(t for t in bends if start < t < end)
        slope = affine.coefficients.get(entry, Fraction(0))

        def value(t: Fraction) -> Fraction:
            held = ((c, self.rows[k]) for k, c in parts.items())
            bent = sum(
                c * max(h.coefficients[entry] * t + h.constant, Fraction(0)) for c, h in held
            )
            return affine.constant + slope * t + bent

        points = with_zeros([(t, value(t)) for t in (start, *inner, end)])
        return self.through([(t, max(y, Fraction(0))) for t, y in points], line)

    def through(self, points: Sequence[tuple[Fraction, Fraction]], line: Linear) -> Linear:
        """The function of a direction that goes straight from point to point."""
        start, first = points[0]
        slopes = [(y - v) / (t - u) for (u, v), (t, y) in pairwise(points)]
        terms = [(slopes[0], plus(line, -start)), (Fraction(1), Linear({}, first))]
        for (t, _), before, after in zip(points[1:], slopes, slopes[1:], strict=False):
            if after != before:
                terms.append((after - before, self.hinge(plus(line, -t))))
        return total(terms)

    # --- guards -------------------------------------------------------------------------------

    def guarded(
        self, slack: Linear, then: Sequence[Linear], otherwise: Sequence[Linear]
    ) -> list[Linear]:
        """`then` where the slack is at least the margin, `otherwise` where it is at most its negative.

        Each direction of the difference e takes two hinges, relu(K·slack + e) - relu(K·slack). With
        K >= max |e| / margin both are open on the one side, and both shut on the other.
        """
        apart = [difference(a, b) for a, b in zip(then, otherwise, strict=True)]
        if any(map(self.bent, apart)):
            raise NotOneLayer("a relu, a max or another guard behind a guard")
        if self.margin is None:
            raise NotOneLayer("a jump at a guard: say how wide its band is, `margin 0.05`")
        found = directions(apart)
        steps = [self.step(slack, apart[place], self.margin) for place in found.places]
        return [
            total([(Fraction(1), row), *((c, steps[r]) for r, c in share.items())])
            for row, share in zip(otherwise, found.shares, strict=True)
        ]

    def step(self, slack: Linear, row: Linear, margin: Fraction) -> Linear:
        """A function where the slack is at least the margin, and 0 where it is at most its negative."""
        gain = power_at_least(largest(row, self.box) / margin)
        both = total([(gain, slack), (Fraction(1), row)])
        if not both.coefficients:
            gain, both = 2 * gain, total([(2 * gain, slack), (Fraction(1), row)])
        return difference(self.add(both), self.add(scaled(gain, slack)))


def normal(row: Linear, lead: Fraction) -> tuple[Direction, Fraction]:
    """The coefficients, in order, and the constant, over the first coefficient."""
    coefficients = tuple((entry, c / lead) for entry, c in sorted(row.coefficients.items()))
    return coefficients, row.constant / lead


def renumbered(row: Linear, used: Sequence[int], first: int) -> Linear:
    """A function whose hinges are numbered one after the other."""
    place = {first + k: first + i for i, k in enumerate(used)}
    coefficients = {place.get(entry, entry): c for entry, c in row.coefficients.items()}
    return Linear(coefficients, row.constant)


def with_zeros(
    points: Sequence[tuple[Fraction, Fraction]],
) -> list[tuple[Fraction, Fraction]]:
    """The points of a line of straight pieces, and those between at which it is 0."""
    found = [points[0]]
    for (u, v), (t, y) in pairwise(points):
        if v * y < 0:
            found.append((u + (t - u) * v / (v - y), Fraction(0)))
        found.append((t, y))
    return found
