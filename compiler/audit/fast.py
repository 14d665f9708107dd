"""Potentials in float64: checked with every rounding accounted for, and made.

Comparisons over one head are taken together: weights are [comparison, row, kind of letter].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.columns import Head, Total
from circ.compiler.audit.floats import TINY, Ball, Floats, IntArray
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.region import Kind, Region
from circ.compiler.audit.rejected import require

BEYOND = {"f4": 2.0**100, "f8": 2.0**600}
"""The potential of a state from which no word goes on."""

FAR = 2.0**900
"""What a potential may be where no letter leads on."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The kinds of letters at a position, and a lower bound of what each adds: [comparison, row, kind].

    At the fixed position there is a kind for each row, and `kinds` has one for each of them.
    """

    kinds: list[Kind]
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """Numbers times their denominator as sums along the words of a region, from below.

    `rest` [comparison, row] is what no position changes.
    """

    region: Region
    layers: list[Layer]
    rest: Floats


SLACK = 2.0**-50
"""More than what the few operations behind a weight are off by, as a share of it."""

SPARE = 2.0**-44
"""What potentials are made smaller by, as a share: so that they hold where sums are rounded otherwise."""


def down(values: Floats, share: float = SLACK) -> Floats:
    """Below whatever was rounded to these, by a few operations."""
    room = np.abs(values)
    room *= share
    room += TINY
    found: Floats = np.subtract(values, room, out=room)
    require(bool(np.isfinite(found).all()), "a number overflows")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What is to be positive: `more`, less another number if there is one, over one head."""

    more: Total[Ball]
    less: Total[Ball] | None = None

    @property
    def head(self) -> Head[Ball] | None:
        """The head that one of them has, or both."""
        return self.more.head or (self.less.head if self.less else None)

    @property
    def alike(self) -> bool:
        """Whether they can be subtracted term by term."""
        sides = [side for side in (self.more, self.less) if side is not None]
        return all(side.head is self.head or side.known for side in sides)


def weighed(totals: Sequence[Difference], region: Region) -> Weighed:
    """Numbers over one head on the words of a region."""
    rows: IntArray = np.array(region.rows)
    count, length = len(totals), len(region.steps)
    rest: Floats = np.zeros((count, rows.size))
    kinds = [kinds_of(region, position) for position in range(length)]
    weights = [np.zeros((count, rows.size, max(len(some), 1))) for some in kinds]
    several = doubled(totals[0].head, region)
    parts: dict[int, Floats] = {}
    for summand in summands(totals):
        if summand.place is None:
            rest = down(rest + added(summand, rows, None)[:, :, 0])
            continue
        some = kinds[summand.place]
        if not some:
            continue
        letters: IntArray = np.array([c for _, members in some for c in members], np.int64)
        part, share = gross(summand, rows, letters)
        part = np.broadcast_to(part, (count, rows.size, letters.size))
        if summand.place in several:
            before = parts.get(summand.place)
            part = down(part, share)
            parts[summand.place] = part if before is None else down(before + part)
        else:
            # The others of a kind are above it when rounded down, or positive: then less would do.
            weights[summand.place] = down(least_of(part, some), share)
    for place, part in parts.items():
        weights[place] = least_of(part, kinds[place])
    layers = [Layer(some, least) for some, least in zip(kinds, weights, strict=True)]
    return Weighed(region, layers, rest)


def least_of(part: Floats, kinds: Sequence[Kind]) -> Floats:
    """The least weight of each kind of letters, which stand one kind after the other."""
    starts = np.cumsum([0, *(len(members) for _, members in kinds[:-1])])
    return np.minimum.reduceat(part, starts, axis=2)


def doubled(head: Head[Ball] | None, region: Region) -> set[int]:
    """The positions that several summands read."""
    places = [] if head is None else [p for p in head.places if p is not None]
    return {p for p in range(len(region.steps)) if places.count(p) > 1}


def kinds_of(region: Region, position: int) -> list[Kind]:
    """Letters that lead on alike; at the fixed position, the one of each row by itself."""
    step = region.steps[position]
    if position == region.fixed:
        return [(tuple(s[row] for s in step), [row]) for row in region.rows]
    letters, kinds = region.kinds_at(position, region.rows[0])
    return [(column, [letters[place] for place in members]) for column, members in kinds]


@dataclass(frozen=True, slots=True, eq=False)
class Summand:
    """What letters add at `place`: a positive `power`, or 1, times a term and what is `rest`.

    Terms and rest are lower bounds, [comparison, row, letter].
    """

    place: int | None
    power: Ball | None
    term: Floats
    rest: Floats


def summands(totals: Sequence[Difference]) -> list[Summand]:
    """The summands of all numbers."""
    head = totals[0].head
    rest = less(
        stacked([x.more.rest.low for x in totals]),
        [None if x.less is None else x.less.rest.high for x in totals],
    )
    if head is None:
        nothing = np.zeros((1, 1, 1))
        places = sorted({at for x in totals for s in (x.more, x.less) if s for at in s.terms})
        terms = [Summand(place, None, term_of(totals, place), nothing) for place in places]
        return [*terms, Summand(None, None, rest, nothing)]
    pairs = zip(head.places, head.powers, strict=True)
    return [
        Summand(place, power, term_of(totals, slot), rest)
        for slot, (place, power) in enumerate(pairs)
    ]


def term_of(totals: Sequence[Difference], slot: int) -> Floats:
    """A term of all numbers, from below."""
    none = np.zeros((1, 1))
    mores = [x.more.terms[slot].low if slot in x.more.terms else none for x in totals]
    lesses = [
        x.less.terms[slot].high if x.less is not None and slot in x.less.terms else None
        for x in totals
    ]
    return less(stacked(mores), lesses)


def less(more: Floats, sides: Sequence[Floats | None]) -> Floats:
    """The difference, from below, where there is something to subtract."""
    if all(side is None for side in sides):
        return more
    nothing = np.zeros((1, 1))
    return down(more - stacked([nothing if side is None else side for side in sides]))


def stacked(parts: Sequence[Floats]) -> Floats:
    """Bounds of all numbers: [comparison, row, letter]."""
    shape = np.broadcast_shapes(*{part.shape for part in parts})
    return np.array(
        [part if part.shape == shape else np.broadcast_to(part, shape) for part in parts]
    )


def added(summand: Summand, rows: IntArray, letters: IntArray | None) -> Floats:
    """What a summand adds, from below, for some rows and letters."""
    return down(*gross(summand, rows, letters))


def gross(summand: Summand, rows: IntArray, letters: IntArray | None) -> tuple[Floats, float]:
    """What a summand adds, before it is rounded `down` by the share that goes with it."""
    value = chosen(summand.term, rows, letters) + chosen(summand.rest, rows, letters)
    if summand.power is None:
        return value, SLACK
    below = chosen(np.maximum(summand.power.low, 0), rows, letters)
    above = chosen(summand.power.high, rows, letters)
    if (below > 0).all():
        # A power from above is at most `wide` more, as a share, than from below.
        wide = float((above / below - 1).max())
        value = value * below
        return value, SLACK + 2 * wide
    return value * np.where(value >= 0, below, above), SLACK


def chosen(values: Floats, rows: IntArray, letters: IntArray | None) -> Floats:
    """The entries of some rows and letters, where they are not alike along an axis."""
    if values.shape[-2] > 1:
        values = values[..., rows, :]
    if letters is not None and values.shape[-1] > 1:
        values = values[..., letters]
    return values


# --- potentials -----------------------------------------------------------------------------------


def proved(paths: Weighed, potentials: Floats, strict: Sequence[bool]) -> list[bool]:
    """Which numbers potentials [comparison, row, state] show to be positive, or not negative."""
    region = paths.region
    ahead: Floats = np.zeros((*paths.rest.shape, region.states[-1]))
    end = potentials.shape[2]
    right = np.ones(len(strict), np.bool_)
    for position in reversed(range(len(region.steps))):
        start = end - region.states[position]
        mine = potentials[:, :, start:end]
        end = start
        right &= (mine <= behind(paths, position, ahead, FAR)).all(axis=(1, 2))
        ahead = mine
    return list(map(bool, right & positive(paths, ahead, strict)))


def proved_onwards(
    paths: Weighed,
    potentials: Floats,
    strict: Sequence[bool],
    start: int,
    ending: npt.NDArray[np.bool_],
) -> list[bool]:
    """As `proved`, of words of `start` letters and more, with a loop: see `circ.compiler.audit.around`.

    `ending` [row, state]: the states of the loop from which words go on.
    """
    states = paths.region.states
    right = np.ones(len(strict), np.bool_)
    end = potentials.shape[2]
    ahead = potentials[:, :, end - states[2] :]
    last: Floats = np.zeros((*paths.rest.shape, 1))
    for position, after in ((3, last), (2, np.where(ending, ahead, FAR))):
        right &= (ahead <= behind(paths, position, after, FAR)).all(axis=(1, 2))
    end -= states[2]
    for position in [2] * (start - 3) + [1, 0]:
        mine = potentials[:, :, end - states[position] : end]
        end -= states[position]
        right &= (mine <= behind(paths, position, ahead, FAR)).all(axis=(1, 2))
        ahead = mine
    return list(map(bool, right & positive(paths, ahead, strict)))


def positive(paths: Weighed, begin: Floats, strict: Sequence[bool]) -> npt.NDArray[np.bool_]:
    """Whether the potentials of the start, and what no position changes, are enough in all rows."""
    least = down(begin[:, :, 0] + paths.rest)
    sure: npt.NDArray[np.bool_] = np.where(np.array(strict)[:, None], least > 0, least >= 0)
    found: npt.NDArray[np.bool_] = np.logical_and.reduce(sure, axis=1)
    return found


def behind(paths: Weighed, position: int, ahead: Floats, beyond: float) -> Floats:
    """The largest potentials [comparison, row, state] that those of the next layer allow."""
    region, layer = paths.region, paths.layers[position]
    shape = (*paths.rest.shape, region.states[position])
    found: Floats = np.full(shape, beyond)
    if position == region.fixed:
        for row, (column, _) in enumerate(layer.kinds):
            for state, after in enumerate(column):
                if after != DEAD:
                    found[:, row, state] = ahead[:, row, after]
        return found
    for kind, (column, _) in enumerate(layer.kinds):
        for state, after in enumerate(column):
            if after != DEAD:
                way = ahead[:, :, after] + layer.weights[:, :, kind]
                np.minimum(found[:, :, state], way, out=found[:, :, state])
    return down(found)


def potentials_for(paths: Weighed, kind: str) -> Floats:
    """About the largest potentials [comparison, row, state] that hold, in a format of the file."""
    region = paths.region
    ahead: Floats = np.zeros((*paths.rest.shape, region.states[-1]))
    found: list[Floats] = []
    for position in reversed(range(len(region.steps))):
        ahead = down(behind(paths, position, ahead, BEYOND[kind]), SPARE)
        ahead = np.minimum(ahead, BEYOND[kind])
        if kind == "f4":
            rounded = ahead.astype(np.float32)
            over = rounded > ahead
            rounded[over] = np.nextafter(rounded[over], np.float32(-inf))
            ahead = rounded.astype(np.float64)
        found.append(ahead)
    return np.concatenate(found[::-1], axis=2)


def starts(paths: Weighed, potentials: Floats) -> Floats:
    """What the potentials of the start show each number to be at least: [comparison, row]."""
    return down(potentials[:, :, 0] + paths.rest)
