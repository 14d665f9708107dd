"""Potentials in float64: checked with every rounding accounted for, and made.

Comparisons over one head are taken together: weights are [comparison, row, kind of letter].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from circ.compiler.audit.floats import Ball, Floats
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.paths import Kind
from circ.compiler.audit.region import Region
from circ.compiler.audit.sums import Total

BEYOND = {"f4": 2.0**100, "f8": 2.0**600}
"""The potential of a state from which no word goes on."""


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


def down(values: Floats) -> Floats:
    """Below what was rounded to these."""
    return np.nextafter(values, -inf)


def weighed(totals: Sequence[Total[Ball]], region: Region) -> Weighed:
    """Numbers of one form over the words of a region."""
    rows = np.array(region.rows)
    count, length = len(totals), len(region.steps)
    rest: Floats = np.zeros((count, rows.size))
    found: list[Floats | None] = [None] * length
    kinds = [kinds_of(region, position) for position in range(length)]
    for place, power, low in lows(totals):
        if place is not None and not kinds[place]:
            continue
        if place is None:
            rest = down(rest + times(power, low, rows, None)[:, :, 0])
        else:
            letters = np.array([c for _, members in kinds[place] for c in members], np.int64)
            part = times(power, low, rows, letters)
            part = np.broadcast_to(part, (*part.shape[:2], letters.size))
            before = found[place]
            found[place] = part if before is None else down(before + part)
    layers: list[Layer] = []
    for position, some in enumerate(kinds):
        part = found[position]
        starts = np.cumsum([0, *(len(members) for _, members in some[:-1])])
        if part is None or position == region.fixed:
            layers.append(Layer(some, np.zeros((count, rows.size, max(len(some), 1)))))
        else:
            least = np.minimum.reduceat(part, starts, axis=2)
            shape = (count, rows.size, least.shape[2])
            layers.append(Layer(some, np.broadcast_to(least, shape)))
    return Weighed(region, layers, rest)


def kinds_of(region: Region, position: int) -> list[Kind]:
    """Letters that lead on alike; at the fixed position, the one of each row by itself."""
    step = region.steps[position]
    if position == region.fixed:
        return [(tuple(s[row] for s in step), [row]) for row in region.rows]
    kinds: dict[tuple[int, ...], list[int]] = {}
    for letter in region.letters_at(position, region.rows[0]):
        kinds.setdefault(tuple(s[letter] for s in step), []).append(letter)
    return list(kinds.items())


Low = tuple[int | None, Ball | None, Floats]
"""A position or none, a positive factor or 1, and a lower bound of what it is multiplied by."""


def lows(totals: Sequence[Total[Ball]]) -> list[Low]:
    """The slots of all numbers: [comparison, row, letter]."""
    head = totals[0].head
    rest = np.stack([x.rest.low() for x in totals])
    if head is None:
        places = sorted({place for x in totals for place in x.terms})
        terms = [(place, None, stacked(totals, place)) for place in places]
        return [*terms, (None, None, rest)]
    return [
        (place, power, down(stacked(totals, slot) + rest))
        for slot, (place, power) in enumerate(zip(head.places, head.powers, strict=True))
    ]


def stacked(totals: Sequence[Total[Ball]], slot: int) -> Floats:
    """A term of all numbers, from below."""
    parts = [x.terms[slot].low() if slot in x.terms else np.zeros((1, 1)) for x in totals]
    shape = np.broadcast_shapes(*{part.shape for part in parts})
    return np.stack([np.broadcast_to(part, shape) for part in parts])


def times(power: Ball | None, low: Floats, rows: Floats, letters: Floats | None) -> Floats:
    """What a slot adds, from below, for some rows and letters."""
    some = chosen(low, rows, letters)
    if power is None:
        return some
    below, above = np.maximum(power.low(), 0), power.high()
    factor = np.where(some >= 0, chosen(below, rows, letters), chosen(above, rows, letters))
    return down(some * factor)


def chosen(values: Floats, rows: Floats, letters: Floats | None) -> Floats:
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
        right &= (mine <= behind(paths, position, ahead, inf)).all(axis=(1, 2))
        ahead = mine
    least = down(ahead[:, :, 0] + paths.rest)
    sure = np.where(np.array(strict)[:, None], least > 0, least >= 0)
    return (right & sure.all(axis=1)).tolist()


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
        ahead = behind(paths, position, ahead, BEYOND[kind])
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
