"""Bounds of blends on many parts of the words of one row at once, as an audit will see them.

What they rest on is said in `circ/compiler/audit/slopes.py`. Of all lines below what a head reads, N/Z,
two touch it: that of the least N/Z and the largest Z, and that of the largest N/Z and the least Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import inf

import numpy as np

from circ.compiler.audit.floats import Floats, IntArray
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.slopes import Limits, Mixed, straightened
from circ.compiler.audit.tables import Sized, Tables, Truths, Ways, least_sums, onwards

ROUNDS = 4
"""Steps towards the least of what a head says: each is a word at which it is less (Dinkelbach)."""

MOST_WAYS = 4
"""Heads for which every combination of lines is tried."""

SLACK = 2.0**-34
"""Of the size of a number: more than what an audit in float64 wants of a bound."""

DIGITS = 6
"""Of the numbers that are written."""

FAR = 1e100
"""A bound that says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The numbers of one row, on the words of an automaton."""

    tables: Tables
    ways: Ways

    @property
    def length(self) -> int:
        """How many positions there are."""
        return len(self.ways.steps)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Z parts of the words of a row: which letters they have, [Z, position, letter].

    `most` and `fewest` bound the denominators [H, Z]; sizes are of these, of what heads add to numbers
    [H, Z, K], and of what is plain in them [Z, K].
    """

    row: Row
    alive: Truths
    bars: Floats
    most: Floats
    fewest: Floats
    powers: Floats
    tops: Floats
    plain: Floats


def parts_of(row: Row, alive: Truths) -> Parts:
    """Parts by their letters."""
    tables, n = row.tables, row.length
    bars, off = np.where(alive, 0.0, inf), SLACK * tables.powers.size
    below, above = ((tables.powers.value + sign * off)[:, None] for sign in (-1, 1))
    low = least_sums(row.ways, below[:, :, :n] + bars) + below[:, :, n, 0]
    high = above[:, :, n, 0] - least_sums(row.ways, bars - above[:, :, :n])
    sizes = [largest(x, alive) for x in (tables.powers, tables.tops, tables.plain)]
    sizes[1] = np.moveaxis(sizes[1], 1, 2)
    return Parts(row, alive, bars, high, low, sizes[0], sizes[1], sizes[2].T)


def largest(x: Sized, alive: Truths) -> Floats:
    """The size [..., Z] of any sum along a part's words of tables [..., n + 1, letter]."""
    n = alive.shape[1]
    found: Floats = np.stack(
        [np.where(mine, x.size[..., :n, :], 0).max(-1).sum(-1) for mine in alive], axis=-1
    )
    return found + x.size[..., n, 0][..., None]


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The best bounds [Z, X] of numbers from below, by lines c and q for each head: [H, Z, X].

    `tables` [Z, X, n + 1, letter] is what is least along the words, `tops` [H, Z, X, n + 1, letter] what
    the heads say.
    """

    bound: Floats
    c: Floats
    q: Floats
    tables: Floats
    tops: Floats


def bounded(parts: Parts, wanted: Floats, limits: Limits) -> Best:
    """Sums of numbers, times `wanted` [Z, X, K], bounded from below."""
    mixed = straightened(parts.row.tables, wanted, limits)
    sides = [both_sides(parts, h, mixed) for h in range(parts.most.shape[0])]
    plain = summed(mixed.mix.value, parts.row.tables.plain.value)
    tops = np.array([below.top for below, _ in sides]).reshape(len(sides), *plain.shape)
    size = of_size(mixed, parts.plain) + mixed.rest.size
    best: Best | None = None
    for way in ways(len(sides)):
        chosen = [sides[h][k] for h, k in enumerate(way)]
        best = better(best, joined(parts, chosen, mixed, plain, size, tops))
    assert best is not None
    return best


def joined(
    parts: Parts, sides: list[Side], mixed: Mixed, plain: Floats, size: Floats, tops: Floats
) -> Best:
    """A bound by one line for each head."""
    n = parts.row.length
    c = np.array([side.c for side in sides]).reshape(len(sides), *size.shape)
    q = np.array([side.q for side in sides]).reshape(c.shape)
    total, whole = plain, size
    for side in sides:
        total = total + side.q[..., None, None] * side.rest
        whole = whole + np.abs(side.q) * side.size + np.abs(side.c)
    bound = least_sums(parts.row.ways, total[..., :n, :] + parts.bars[:, None]) + total[..., n, 0]
    bound = bound + mixed.rest.value + c.sum(0) - whole * SLACK
    return Best(np.where(np.isnan(bound), -inf, bound), c, q, total, tops)


def better(x: Best | None, y: Best) -> Best:
    """The larger bound of each number, and what belongs to it."""
    if x is None:
        return y
    more = y.bound > x.bound
    c, q = np.where(more, y.c, x.c), np.where(more, y.q, x.q)
    tables = np.where(more[..., None, None], y.tables, x.tables)
    return Best(np.where(more, y.bound, x.bound), c, q, tables, x.tops)


def ways(count: int) -> list[tuple[int, ...]]:
    """Which line to take of each head."""
    if count <= MOST_WAYS:
        return list(product((0, 1), repeat=count))
    return [(k,) * count for k in (0, 1)]


# --- one head -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A line below what a head says: c + q·`rest`, with `rest` = N - cZ [Z, X, n + 1, letter]."""

    c: Floats
    q: Floats
    rest: Floats
    size: Floats
    top: Floats


def both_sides(parts: Parts, head: int, mixed: Mixed) -> tuple[Side, Side]:
    """The lines that touch what a head says where it is least, and where it is most."""
    tables = parts.row.tables
    top = summed(mixed.mix.value, tables.tops.value[head])
    size = of_size(mixed, parts.tops[head])
    off = SLACK * summed(mixed.mix.size, tables.tops.size[head])
    found: list[Side] = []
    for sign, scale in ((1.0, parts.most[head]), (-1.0, parts.fewest[head])):
        c = sign * rounded(lowest(parts, head, sign * top, off), up=False)
        c = np.where(size > 0, c, 0.0)
        q = rounded(1 / scale, up=sign < 0)[:, None] + np.zeros_like(c)
        rest = top - c[..., None, None] * tables.powers.value[head]
        found.append(Side(c, q, rest, size + np.abs(c) * parts.powers[head][:, None], top))
    return found[0], found[1]


def lowest(parts: Parts, head: int, top: Floats, off: Floats) -> Floats:
    """About the least of N/Z on the words of each part, from below; N is known but for `off`."""
    row, bars = parts.row, parts.bars[:, None]
    n, powers = row.length, row.tables.powers.value[head]
    share = parts.alive / np.maximum(parts.alive.sum(-1, keepdims=True), 1)
    above = np.einsum("zpv,zxpv->zx", share, top[..., :n, :]) + top[..., n, 0]
    c = above / (np.einsum("zpv,pv->z", share, powers[:n]) + powers[n, 0])[:, None]
    for _ in range(ROUNDS):
        words = best_words(row.ways, top[..., :n, :] - c[..., None, None] * powers[:n] + bars)
        c = along(top, words) / along(powers, words)
    whole = powers + np.copysign(SLACK, c)[..., None, None] * row.tables.powers.size[head]
    weights = top - off - c[..., None, None] * whole
    short = least_sums(row.ways, weights[..., :n, :] + bars) + weights[..., n, 0]
    found = c + np.minimum(short, 0) / parts.fewest[head][:, None]
    return np.where(np.isfinite(found), found, -inf)


def summed(mix: Floats, tables: Floats) -> Floats:
    """Weighted sums [Z, X, position, letter] of tables [K, position, letter]."""
    found: Floats = mix @ tables.reshape(tables.shape[0], -1)
    return found.reshape(*mix.shape[:-1], *tables.shape[1:])


def of_size(mixed: Mixed, sizes: Floats) -> Floats:
    """The sizes [Z, X] of weighted sums of numbers of sizes [Z, K]."""
    found: Floats = np.einsum("zxk,zk->zx", mixed.mix.size, sizes)
    return found


def along(tables: Floats, words: IntArray) -> Floats:
    """Sums along words [..., position] of tables [..., n + 1, letter]."""
    n = words.shape[-1]
    mine = np.broadcast_to(tables[..., :n, :], (*words.shape, tables.shape[-1]))
    found: Floats = np.take_along_axis(mine, words[..., None], -1)[..., 0].sum(-1)
    return found + tables[..., n, 0]


def best_words(ways: Ways, weights: Floats) -> IntArray:
    """The words [..., position] of least sums."""
    if ways.alone:
        dead = np.array([step[0] == DEAD for step in ways.steps])
        return np.asarray(np.where(dead, inf, weights).argmin(-1))
    ahead = np.zeros((*weights.shape[:-2], 1 + max(int(ways.steps[-1].max()), 0)))
    choices: list[IntArray] = []
    for position in reversed(range(len(ways.steps))):
        onward = onwards(ways.steps[position], weights[..., position, :], ahead)
        choices.append(onward.argmin(-1))
        ahead = onward.min(-1)
    state: IntArray = np.zeros(weights.shape[:-2], np.int64)
    found: list[IntArray] = []
    for step, choice in zip(ways.steps, reversed(choices), strict=True):
        letter = np.take_along_axis(choice, state[..., None], -1)[..., 0]
        state = np.maximum(step[state, letter], 0)
        found.append(letter)
    return np.stack(found, axis=-1)


def rounded(x: Floats, *, up: bool) -> Floats:
    """A number beside x that is short in decimal."""
    size = np.where(np.isfinite(x) & (x != 0), np.abs(x), 1.0)
    power = DIGITS - 1 - np.floor(np.log10(size))
    # A whole number over a power of ten, or times one, is the double nearest to that decimal.
    scale = 10.0 ** np.abs(power)
    found = np.where(power >= 0, x * scale, x / scale)
    whole = np.ceil(found) if up else np.floor(found)
    short = np.where(power >= 0, whole / scale, whole * scale)
    safe = (short >= x) if up else (short <= x)
    return np.where(safe & np.isfinite(short), short, x)
