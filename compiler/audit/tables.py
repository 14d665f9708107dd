"""Blends in float64, on the words of one row: what each letter adds, and how large its parts are.

Every number here is off by at most `OFF` of what is called its size: the same sum of products, each
part without its sign. That is far more than rounding makes it, so that no operation has to be followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.blends import Blend, Unit
from circ.compiler.audit.columns import Head, Total
from circ.compiler.audit.floats import Ball, Floats
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import require

OFF = 2.0**-36
"""More than 2^16 roundings in a row, and 2^6 factors that are read, are off by, as a share of the size."""

READ = 2.0**44
"""What is read is off by at most one part in so many of its size."""

WIDEST = 2.0**400
"""Above every e^score, and every inverse of one: so that what underflows is beyond counting."""

MOST_PARTS = 1 << 10
"""Numbers, or positions, that are added up: each adds a rounding."""

MOST_LAYERS = 16
"""Of ReLUs, one behind the other: each adds what its operand's sum rounds."""

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Sized:
    """Numbers and their sizes."""

    value: Floats
    size: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """K numbers over H heads, R ReLUs and n positions, on the words of one row.

    A head's denominator is the sum of `powers` [H, n + 1, letter] along a word, what it adds to a
    number the sum of `tops` [H, K, n + 1, letter] over it; `plain` [K, n + 1, letter] is added as it is, and so
    is each ReLU times its entry of `bends` [K, R]. What no letter changes stands at position n.
    """

    powers: Sized
    tops: Sized
    plain: Sized
    bends: Sized

    @property
    def count(self) -> int:
        """K."""
        return int(self.bends.value.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The heads and ReLUs that numbers may read, and of which row they are asked.

    None stands for a head that they do not read. A ReLU reads only ReLUs before it.
    """

    heads: Sequence[Head[Ball] | None]
    relus: Sequence[Unit]
    row: int
    length: int
    letters: int


def tables_of(blends: Sequence[Blend[Ball]], layout: Layout) -> Tables:
    """Numbers in one row; raises `Rejected` where float64 is not wide enough, or they are too many."""
    parts = len(blends), len(layout.relus), len(layout.heads), layout.length
    require(max(parts) < MOST_PARTS, "there are too many parts")
    shape, heads = (layout.length + 1, layout.letters), layout.heads
    powers = blank(len(heads), *shape)
    tops, plain = blank(len(heads), len(blends), *shape), blank(len(blends), *shape)
    bends = blank(len(blends), len(layout.relus))
    for h, head in enumerate(heads):
        for place, power in () if head is None else zip(head.places, head.powers, strict=True):
            low, high = float(power.low.min()), float(power.high.max())
            require(low > 1 / WIDEST and high < WIDEST, "a score is too large for float64")
            put(powers, (h,), place, [power], layout.row)
    numbers = {id(head): h for h, head in enumerate(heads) if head is not None}
    for k, blend in enumerate(blends):
        for total in blend.totals:
            if total.head is None:
                put_plain(plain, k, total, layout.row)
            else:
                put_head(tops, (numbers[id(total.head)], k), total, layout.row)
        for at, c in blend.bends.items():
            put(bends, (k,), layout.relus.index(at), [c], layout.row)
    for part in (powers, tops, plain, bends):
        require(bool(np.isfinite(part.size).all()), "a number overflows")
    return Tables(powers, tops, plain, bends)


def blank(*shape: int) -> Sized:
    """Zeros."""
    return Sized(np.zeros(shape), np.zeros(shape))


def put_plain(into: Sized, at: int, total: Total[Ball], row: int) -> None:
    """Add a sum over the positions."""
    put(into, (at,), None, [total.rest], row)
    for place, term in total.terms.items():
        put(into, (at,), place, [term], row)


def put_head(into: Sized, at: tuple[int, ...], total: Total[Ball], row: int) -> None:
    """Add what a head says, times its denominator."""
    assert total.head is not None
    for slot, (place, power) in enumerate(zip(total.head.places, total.head.powers, strict=True)):
        if slot in total.terms:
            put(into, at, place, [power, total.terms[slot]], row)
        put(into, at, place, [power, total.rest], row)


def put(
    into: Sized, at: tuple[int, ...], place: int | None, factors: Sequence[Ball], row: int
) -> None:
    """Add a product of columns at a position, or to what no letter changes."""
    value, size = np.ones(1), np.ones(1)
    for x in factors:
        line = row if x.mid.shape[0] > 1 else 0
        value = value * x.mid[line]
        size = size * (np.abs(x.mid[line]) + x.rad[line] * READ)
    if into.value.ndim == len(at) + 1:  # entries without an axis of letters
        value, size = value[0], size[0]
    where = (*at, -1 if place is None else place)
    into.value[where] += value
    into.size[where] += size


# --- along the words of a region ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """An automaton: for each position, for each state the state after it by letter, or `DEAD`."""

    steps: tuple[npt.NDArray[np.int64], ...]

    @property
    def alone(self) -> bool:
        """Whether it is in one state all the way, so that letters are free."""
        return all(step.shape[0] == 1 and bool((step <= 0).all()) for step in self.steps)


def ways_of(region: Region) -> Ways:
    """The automaton of a region."""
    return Ways(tuple(np.array(step, np.int64) for step in region.steps))


def alive_in(region: Region) -> Truths:
    """The letters [position, letter] that a region of one row has."""
    found: Truths = np.zeros((len(region.steps), region.letters), np.bool_)
    for position in range(len(region.steps)):
        found[position, region.letters_at(position, region.rows[0])] = True
    return found


def least_sums(ways: Ways, weights: Floats) -> Floats:
    """Least sums along the words of `ways`: [...] of weights [..., position, letter].

    A weight is infinite where a letter is not allowed.
    """
    if ways.alone:
        dead = np.array([step[0] == DEAD for step in ways.steps])
        found: Floats = (np.where(dead, inf, weights) if dead.any() else weights).min(-1).sum(-1)
        return found
    last = 1 + max(int(ways.steps[-1].max()), 0)
    ahead = np.zeros((*weights.shape[:-2], last))
    for position in reversed(range(len(ways.steps))):
        ahead = onwards(ways.steps[position], weights[..., position, :], ahead).min(-1)
    return ahead[..., 0]


def onwards(step: npt.NDArray[np.int64], weights: Floats, ahead: Floats) -> Floats:
    """Sums from each state on by the letter next: [..., state, letter]."""
    after = np.where(step == DEAD, ahead.shape[-1], step)
    padded = np.concatenate([ahead, np.full((*ahead.shape[:-1], 1), inf)], axis=-1)
    found: Floats = padded[..., after] + weights[..., None, :]
    return found
