"""Which entries are among the largest of a row: surely, possibly, or as ties are broken.

An entry is surely among the `count` largest where fewer than `count` others may reach it, and may be
where fewer than `count` surely exceed it. Between known scores that leaves open just those equal to
the last one that is kept. A choice takes as many of these as are still missing, one after the other,
the lowest first. Standard library only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from circ.compiler.readings.choices import Choose, taken
from circ.compiler.readings.intervals import Reals, Scores, along, between

Marks = list[tuple[int, int]]
"""For each entry of a row the least and the most that it may be, of 0 and 1."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Stands behind scores of which `count` are kept, those at `places` being taken already."""

    count: int
    places: tuple[int, ...]


def largest(x: Reals, count: int, choose: Choose | None) -> Reals:
    """1 for each entry among the `count` largest along the last axis, else 0."""
    pairs = zip(along(x.lo, x.shape), along(x.hi, x.shape), strict=True)
    return marked(x, (kept(low, high, x.den, count, choose) for low, high in pairs))


def marked(x: Reals, rows: Iterable[Marks]) -> Reals:
    """The marks of all rows as a tensor of the shape of `x`."""
    marks = [*chain(*rows)]
    return between(x.shape, [low for low, _ in marks], [high for _, high in marks], 1)


def kept(
    low: Sequence[int], high: Sequence[int], den: int, count: int, choose: Choose | None
) -> Marks:
    """One row; ties of known scores are broken where `choose` says how."""
    lows, highs, size = sorted(low), sorted(high), len(low)
    marks = [
        (
            int(size - bisect_left(highs, bottom) <= count),
            int(size - bisect_right(lows, top) < count),
        )
        for bottom, top in zip(low, high, strict=True)
    ]
    if choose is None or low != high:
        return marks
    return broken_ties(tuple(Fraction(score, den) for score in low), marks, count, choose)


def by_order(exceeds: Sequence[Sequence[bool]], count: int) -> Marks:
    """One row of which it is known whether entry i exceeds entry j."""
    below, above = map(sum, exceeds), map(sum, zip(*exceeds, strict=True))
    pairs = zip(below, above, strict=True)
    return [(int(len(exceeds) - less <= count), int(more < count)) for less, more in pairs]


def broken_ties(scores: Scores, marks: Marks, count: int, choose: Choose) -> Marks:
    """The marks of scores that are known, those that tie marked as far as the choice says."""
    tied = [k for k, mark in enumerate(marks) if mark == (0, 1)]
    missing = count - sum(low for low, _ in marks)
    found, places = [*marks], tuple[int, ...]()
    while tied and missing:
        able = frozenset(tied[: len(tied) - missing + 1])
        if len(able) > 1:
            asked = scores if count == 1 else (*scores, Kept(count, places))
            able = taken(asked, able, choose)
        if len(able) > 1:
            return found
        (place,) = able
        for k in tied[: tied.index(place)]:
            found[k] = (0, 0)
        found[place] = (1, 1)
        tied, missing, places = tied[tied.index(place) + 1 :], missing - 1, (*places, place)
    for k in tied:
        found[k] = (0, 0)
    return found
