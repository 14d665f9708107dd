"""Affine functions of a box's entries: their bounds, and few of which many are combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from circ.compiler.linear_forms import Linear, total
from circ.compiler.obligation import Box

MOST_DIRECTIONS = 16
"""Functions that others are written in; beyond these each is one of its own."""

ZERO = Linear({}, Fraction(0))


def scaled(factor: Fraction, row: Linear) -> Linear:
    """factor · row."""
    return total([(factor, row)])


def plus(row: Linear, constant: Fraction) -> Linear:
    """row + constant."""
    return Linear(row.coefficients, row.constant + constant)


def difference(row: Linear, other: Linear) -> Linear:
    """row - other."""
    return total([(Fraction(1), row), (Fraction(-1), other)])


def vanishes(row: Linear) -> bool:
    """Whether it is 0 everywhere."""
    return not row.coefficients and not row.constant


def extent(row: Linear, box: Box) -> tuple[Fraction, Fraction]:
    """The least and the greatest value on the box."""
    low = high = row.constant
    for entry, c in row.coefficients.items():
        ends = [c * end for end in box[entry]]
        low, high = low + min(ends), high + max(ends)
    return low, high


def largest(row: Linear, box: Box) -> Fraction:
    """The largest absolute value on the box."""
    return max(map(abs, extent(row, box)))


def power_at_least(value: Fraction) -> Fraction:
    """The least power of two that is not below a positive value; products with it are exact in floats."""
    top, below = value.as_integer_ratio()
    exponent = top.bit_length() - below.bit_length() - 1
    while Fraction(2) ** exponent < value:
        exponent += 1
    return Fraction(2) ** exponent


@dataclass(frozen=True, slots=True)
class Directions:
    """Rows as combinations of some of them: row j is Σ shares[j][r] · row places[r]."""

    places: tuple[int, ...]
    shares: tuple[Mapping[int, Fraction], ...]
    """By the number of the direction, what is not 0."""


def directions(rows: Sequence[Linear]) -> Directions:
    """As few directions as there can be, where these are not many: elimination with the largest entry as pivot."""
    left, places = list(rows), list[int]()
    shares = [dict[int, Fraction]() for _ in rows]
    while True:
        found = largest_entry(left)
        if found is None:
            return Directions(tuple(places), tuple(shares))
        place, entry = found
        if len(places) >= MOST_DIRECTIONS:
            rest = [j for j, row in enumerate(left) if not vanishes(row)]
            for number, j in enumerate(rest, len(places)):
                shares[j] = {number: Fraction(1)}
            return Directions((*places, *rest), tuple(shares))
        eliminate(left, shares, place, entry, len(places))
        places.append(place)


def eliminate(
    left: list[Linear], shares: list[dict[int, Fraction]], place: int, entry: int, number: int
) -> None:
    """Take off all rows what they have of the one at `place`, which becomes the direction `number`."""
    pivot, own = left[place], dict(shares[place])
    for j, row in enumerate(left):
        factor = at(row, entry) / at(pivot, entry)
        if factor:
            left[j] = total([(Fraction(1), row), (-factor, pivot)])
            for r, share in own.items():
                shares[j][r] = shares[j].get(r, Fraction(0)) - factor * share
            shares[j][number] = factor
    shares[place] = {number: Fraction(1)}
    for j, found in enumerate(shares):
        shares[j] = {r: c for r, c in found.items() if c}


def largest_entry(rows: Sequence[Linear]) -> tuple[int, int] | None:
    """The row and the entry of the largest coefficient, -1 standing for the constant; None where all are 0."""
    entries = (
        (abs(c), -j, -entry)
        for j, row in enumerate(rows)
        for entry, c in [(-1, row.constant), *row.coefficients.items()]
        if c
    )
    found = max(entries, default=None)
    return None if found is None else (-found[1], -found[2])


def at(row: Linear, entry: int) -> Fraction:
    """A coefficient, or the constant at -1."""
    return row.constant if entry == -1 else row.coefficients.get(entry, Fraction(0))
