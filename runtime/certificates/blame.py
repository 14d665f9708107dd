"""Where to part words: which position's letters make a bound lose most, and how they differ.

What a line loses at a word is a product, (N - cZ)(1 - qZ)/Z, and each factor is a sum over the positions
of how far the letter there is from one at which the factor is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circ.compiler.audit.floats import Floats, IntArray
from circ.compiler.audit.slopes import Limits, straightened
from circ.runtime.certificates.bounds import Best, Parts, along, best_words


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A number of a part, and the word behind its bound."""

    parts: Parts
    best: Best
    part: int
    number: int
    word: IntArray

    def read(self, tables: Floats) -> Floats:
        """Sums along the word of tables [..., n + 1, letter]."""
        return along(tables, np.broadcast_to(self.word, (*tables.shape[:-2], self.word.size)))


def blamed(parts: Parts, best: Best, part: int, number: int, mix: Floats, limits: Limits) -> Floats:
    """What each letter at each position costs the bound of a number: [position, letter]."""
    weights = best.tables[part, number, : parts.row.length] + parts.bars[part]
    place = Place(parts, best, part, number, best_words(parts.row.ways, weights))
    found = by_relus(place, mix, limits)
    for head in range(best.c.shape[0]):
        found = found + by_head(place, head)
    return np.nan_to_num(found, posinf=1e300, neginf=0)


def by_head(place: Place, head: int) -> Floats:
    """What a line in place of a head costs."""
    at = head, place.part, place.number
    powers, top = place.parts.row.tables.powers.value[head], place.best.tops[at]
    c, q = place.best.c[at], place.best.q[at]
    short, whole = place.read(top - c * powers), place.read(powers)
    sign = 1 if q * whole <= 1 else -1
    lost = abs(short * (1 - q * whole) / whole)
    shares = apart(place, sign * (top - c * powers)) + apart(place, -sign * powers)
    found: Floats = shares * (lost / 2)
    return found


def apart(place: Place, tables: Floats) -> Floats:
    """How far each letter is from the lowest at its position, as a share of how far the word is."""
    alive, n = place.parts.alive[place.part], place.word.size
    low = np.where(alive, tables[:n], np.inf).min(-1, keepdims=True)
    found: Floats = np.where(alive, tables[:n] - low, 0)
    whole = found[np.arange(n), place.word].sum()
    return found / max(float(whole), 1e-300)


def by_relus(place: Place, mix: Floats, limits: Limits) -> Floats:
    """What lines in place of ReLUs cost."""
    tables, word = place.parts.row.tables, place.word
    units = tables.bends.value.shape[1]
    found: Floats = np.zeros((word.size, tables.powers.value.shape[-1]))
    mixed = straightened(tables, mix[None], limits)
    factors = (mixed.mix.value @ tables.bends.value)[0]
    wholes, values = place.read(tables.powers.value), place.read(tables.plain.value)
    values = values + (place.read(tables.tops.value) / wholes[:, None]).sum(0)
    for i in range(units):
        values = values + tables.bends.value[:, i] * max(float(values[i]), 0.0)
    lost = np.nan_to_num(lost_by_lines(factors, values[:units], limits))
    for i in np.flatnonzero(lost > 0).tolist():
        table = tables.plain.value[i] + np.einsum("hpv,h->pv", tables.tops.value[:, i], 1 / wholes)
        ratios = place.read(tables.tops.value[:, i]) / wholes**2
        table = table - np.einsum("hpv,h->pv", tables.powers.value, ratios)
        spread = apart(place, table)
        found += lost[i] * spread / max(float(spread.max(-1).sum()), 1e-300)
    return found


def lost_by_lines(factors: Floats, operands: Floats, limits: Limits) -> Floats:
    """What each ReLU's line is off by, times its factor."""
    below, above, zeros = limits.lines()
    passed = np.maximum(operands, 0)
    under, over = passed - below * operands, above * (operands - zeros) - passed
    found: Floats = np.where(factors > 0, factors * under, -factors * over)
    return found


def chosen(parts: Parts, part: int, blame: Floats) -> tuple[int, list[list[int]]] | None:
    """The position to part at, and its letters in two, low and high; None where no position is open."""
    alive = parts.alive[part]
    open_at = alive.sum(-1) > 1
    if not open_at.any():
        return None
    worth = np.where(alive, blame, 0).max(-1)
    position = int(np.where(open_at, worth, -1).argmax())
    letters = np.flatnonzero(alive[position])
    order = letters[blame[position, letters].argsort(kind="stable")]
    middle = order.size // 2
    return position, [order[:middle].tolist(), order[middle:].tolist()]
