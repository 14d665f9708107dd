"""Whether potentials show that a sum over positions is positive on every word of a region, exactly.

The potential of a state is a lower bound of what is added from there to the end of the word. That is
so where, for each letter, it is at most what the letter adds and the potential of the state after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ldexp
from operator import itemgetter

from circ.compiler.audit.columns import Total
from circ.compiler.audit.fixed import Fixed, FixedPoint, line
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected, require


class TooClose(Rejected):
    """A bound fails, which it might not do with more bits."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a letter at `place` adds: a positive `power`, or 1, times a `term` and the `rest`."""

    place: int | None
    power: Fixed | None
    term: Fixed | None
    rest: Fixed | None


def slots(total: Total[Fixed]) -> list[Slot]:
    """A number times its denominator, as a sum of slots."""
    if total.head is None:
        terms = [Slot(place, None, term, None) for place, term in total.terms.items()]
        return [*terms, Slot(None, None, None, total.rest)]
    pairs = zip(total.head.places, total.head.powers, strict=True)
    return [
        Slot(place, power, total.terms.get(slot), total.rest)
        for slot, (place, power) in enumerate(pairs)
    ]


def least(slot: Slot, row: int, letters: Sequence[int], bits: int) -> list[int]:
    """A lower bound of what a slot adds for each letter, in units of 2^-2bits."""
    low: Sequence[int] = [0] * len(letters)
    if slot.term is not None:
        low = some(line(slot.term.lo, row), letters)
    if slot.rest is not None:
        (rest,) = line(slot.rest.lo, row)
        low = [x + rest for x in low]
    if slot.power is None:
        return [x << bits for x in low]
    below = some(line(slot.power.lo, row), letters)
    above = some(line(slot.power.hi, row), letters)
    return [(a if x >= 0 else b) * x for x, a, b in zip(low, below, above, strict=True)]


def some(values: Sequence[int], letters: Sequence[int]) -> Sequence[int]:
    """The values of some letters, of a row that may be alike for all."""
    if len(values) == 1:
        return [values[0]] * len(letters)
    if len(letters) == 1:
        return [values[letters[0]]]
    found: tuple[int, ...] = itemgetter(*letters)(values)
    return found


def shown(
    total: Total[Fixed], math: FixedPoint, region: Region, potentials: Sequence[float], strict: bool
) -> None:
    """Raise `Rejected` unless a number is positive on all words, or not negative if not `strict`.

    `potentials` has those of each row, layer after layer, the last layer aside.
    """
    count = sum(region.states[:-1])
    require(len(potentials) == count * len(region.rows), "potentials are missing, or too many")
    parts = by_position(total)
    for k, row in enumerate(region.rows):
        mine = whole_numbers(potentials[k * count : (k + 1) * count], 2 * math.bits)
        require_positive(walked(parts, math, region, mine, row), parts, math, row, strict)


ByPosition = dict[int | None, list[Slot]]
"""Slots by the position that they read."""


def by_position(total: Total[Fixed]) -> ByPosition:
    """The slots of a number."""
    found: ByPosition = {}
    for slot in slots(total):
        found.setdefault(slot.place, []).append(slot)
    return found


def require_positive(
    start: int, parts: ByPosition, math: FixedPoint, row: int, strict: bool
) -> None:
    """Raise `Rejected` unless the potential of the start, and what no position changes, are enough."""
    start += sum(least(slot, row, [0], math.bits)[0] for slot in parts.get(None, []))
    if start < 0 or (start == 0 and strict):
        raise TooClose("potentials do not show that a number is positive")


def walked(
    parts: ByPosition, math: FixedPoint, region: Region, potentials: Sequence[int], row: int
) -> int:
    """The potential of the start, all of them checked edge by edge."""
    ahead: Sequence[int] = [0] * region.states[-1]
    end = len(potentials)
    for position in reversed(range(len(region.steps))):
        mine = potentials[end - region.states[position] : end]
        end -= region.states[position]
        require_below(mine, ways(parts, math, region, position, row), ahead)
        ahead = mine
    return ahead[0]


Way = tuple[tuple[int, ...], int]
"""Letters that lead on alike: the state after each state, and the least that any of them adds."""


def ways(parts: ByPosition, math: FixedPoint, region: Region, position: int, row: int) -> list[Way]:
    """What the letters at a position lead to, and add."""
    letters, kinds = region.kinds_at(position, row)
    weights = [0] * len(letters)
    for slot in parts.get(position, []) if letters else []:
        weights = list(map(int.__add__, weights, least(slot, row, letters, math.bits)))
    found: list[Way] = []
    for column, members in kinds:
        found.append((column, min([weights[place] for place in members])))
    return found


def require_below(potentials: Sequence[int], ways: Sequence[Way], ahead: Sequence[int]) -> None:
    """Raise `Rejected` where a potential is more than an edge adds and the potential behind it."""
    for column, weight in ways:
        for potential, after in zip(potentials, column, strict=True):
            if after != DEAD and potential > weight + ahead[after]:
                raise TooClose("a potential is too high")


def whole_numbers(potentials: Sequence[float], bits: int) -> list[int]:
    """Potentials in units of 2^-bits; whatever rounding makes of them is checked in their place."""
    try:
        return [int(ldexp(value, bits)) for value in potentials]
    except OverflowError:
        ratios = (value.as_integer_ratio() for value in potentials)
        return [(above << bits) // below for above, below in ratios]
