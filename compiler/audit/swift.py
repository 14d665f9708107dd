"""Steps about several heads checked in float64, all that a step says at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from circ.compiler.audit.blends import Unit
from circ.compiler.audit.floats import Floats
from circ.compiler.audit.lines import Bounds
from circ.compiler.audit.numbers import Numbers
from circ.compiler.audit.region import Region
from circ.compiler.audit.slopes import Limits, straightened
from circ.compiler.audit.steps import Lines, Step
from circ.compiler.audit.tables import OFF, Sized, Tables, Truths, Ways, alive_in, least_sums

LARGE = 2.0**200
"""What a number of a proof is at most, to be checked in float64, and what numbers are multiplied by."""

UNDER = 2.0**-400
"""Above all that underflows, LARGE times, and divided by a denominator, which is above 1 / `WIDEST`."""

JUST = 2.0**-48
"""More than a product of two numbers is off by, as a share of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Swift:
    """Checks the steps about one row of a class."""

    numbers: Numbers
    tables: Tables
    ways: Ways

    def __call__(self, step: Step, bounds: Bounds, region: Region) -> bool:
        """Whether the step holds, as far as float64 can tell."""
        units = self.numbers.units
        factors = [factor for proof in step.shown for factor in proof.factors]
        if not {*bounds} <= {*units} or max(factors, default=0) > LARGE:
            return False
        with np.errstate(all="ignore"):  # what is no number shows nothing
            return bool(self.shown(self.wanted(step), limits_of(units, bounds), region).all())

    def wanted(self, step: Step) -> Wanted:
        """What has to be positive."""
        numbers, count = self.numbers, self.tables.count
        rows: list[tuple[Floats, float, Lines]] = []
        for at, bound in step.bounds.items():
            unit = np.zeros(count)
            unit[numbers.units.index(at)] = 1
            rows.append((unit, -bound.low, bound.below))
            rows.append((-unit, bound.high, bound.above))
        for proof in step.shown:
            mix = np.zeros(count)
            for beats, factor in zip(numbers.formula[proof.clause], proof.factors, strict=True):
                mix[len(numbers.units) + numbers.beats.index(beats)] += float(factor)
            rows.append((mix, 0.0, proof.lines))
        heads = self.tables.powers.value.shape[0]
        given = np.array([[line or (np.nan, np.nan) for line in row[2]] for row in rows])
        given = given.reshape(len(rows), heads, 2).transpose(2, 1, 0)
        return Wanted(
            np.array([row[0] for row in rows]).reshape(len(rows), count),
            np.array([row[1] for row in rows]), given[0], given[1],
        )  # fmt: skip

    def shown(self, wanted: Wanted, limits: Limits, region: Region) -> Truths:
        """Which sums are above zero, whatever is rounded."""
        tables = self.tables
        mixed = straightened(tables, wanted.mix, limits)
        total, rest = times(mixed.mix, tables.plain), mixed.rest
        rest = Sized(rest.value + wanted.more, rest.size + np.abs(wanted.more))
        bars = np.where(alive_in(region), 0.0, inf)
        sure = (mixed.mix.size < LARGE).all(axis=-1)
        for h in range(wanted.c.shape[0]):
            top = times(mixed.mix, Sized(tables.tops.value[h], tables.tops.size[h]))
            read = (top.size > 0).any(axis=(-1, -2))
            c, q = np.where(read, wanted.c[h], 0.0), np.where(read, wanted.q[h], 0.0)
            powers = Sized(tables.powers.value[h], tables.powers.size[h])
            short = less(top, c[:, None, None], powers)
            sign = self.room(powers, q, bars)
            low = lowest(self.ways, Sized(sign[:, None, None] * short.value, short.size), bars)
            sure &= ~read | ((low >= 0) & (np.abs(c) < LARGE) & (np.abs(q) < LARGE))
            total = less(total, -q[:, None, None], short)
            rest = Sized(rest.value + c, rest.size + np.abs(c))
        found = lowest(self.ways, total, bars) + rest.value - OFF * rest.size
        return sure & (found > UNDER)

    def room(self, powers: Sized, q: Floats, bars: Floats) -> Floats:
        """The sign that 1 - qZ has on all words, where it has one."""
        most = -lowest(self.ways, Sized(-powers.value, powers.size), bars)
        fewest = lowest(self.ways, powers, bars)
        under = (q >= 0) & (q * most <= 1 - JUST)
        return np.where(under, 1.0, np.where(q * fewest >= 1 + JUST, -1.0, np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """X weighted sums of numbers [X, K], what is added to each, and lines for heads: [H, X]."""

    mix: Floats
    more: Floats
    c: Floats
    q: Floats


def times(mix: Sized, tables: Sized) -> Sized:
    """Weighted sums [X, position, letter] of tables [K, position, letter]."""
    shape = *mix.value.shape[:-1], *tables.value.shape[1:]
    flat = (part.reshape(part.shape[0], -1) for part in (tables.value, tables.size))
    value, size = (a @ b for a, b in zip((mix.value, mix.size), flat, strict=True))
    return Sized(value.reshape(shape), size.reshape(shape))


def less(x: Sized, factor: Floats, y: Sized) -> Sized:
    """x - factor·y."""
    return Sized(x.value - factor * y.value, x.size + np.abs(factor) * y.size)


def lowest(ways: Ways, weights: Sized, bars: Floats) -> Floats:
    """Lower bounds of sums along words, with what no letter changes."""
    low = weights.value - OFF * weights.size
    found: Floats = least_sums(ways, low[..., :-1, :] + bars) + low[..., -1, 0]
    return found


def limits_of(units: Sequence[Unit], bounds: Bounds) -> Limits:
    """Bounds of ReLUs as arrays; infinite where nothing is known."""
    found = [bounds.get(at) for at in units]
    low = [-inf if x is None else x.low for x in found]
    high = [inf if x is None else x.high for x in found]
    slope = [0.0 if x is None else x.slope for x in found]
    return Limits(np.array(low), np.array(high), np.array(slope))
