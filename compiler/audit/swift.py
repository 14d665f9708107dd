"""Steps about several heads checked in float64, all that a step says at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.blends import Blends, Unit, rows_of
from circ.compiler.audit.clauses import Beats, Formula
from circ.compiler.audit.floats import Ball, Floats
from circ.compiler.audit.lines import Bounds
from circ.compiler.audit.region import Region
from circ.compiler.audit.slopes import Limits, require_shallow, straightened
from circ.compiler.audit.steps import Lines, Step
from circ.compiler.audit.tables import (
    OFF,
    Layout,
    Sized,
    Tables,
    Ways,
    alive_in,
    least,
    tables_of,
)

Truths = npt.NDArray[np.bool_]

LARGE = 2.0**400
"""What a number of a proof is at most, to be checked in float64."""

UNDER = 2.0**-400
"""Above all that underflows, LARGE times."""

JUST = 2.0**-48
"""More than a product of two numbers is off by, as a share of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """What is compared in a class, one number after those that ReLUs are applied to."""

    blends: Blends[Ball]
    formula: Formula
    relus: Mapping[Unit, int]

    @property
    def units(self) -> list[Unit]:
        """The ReLUs, each before those that read it."""
        return sorted(self.used(), key=self.relus.__getitem__)

    @property
    def beats(self) -> list[Beats]:
        """The comparisons."""
        return list(dict.fromkeys(beats for clause in self.formula for beats in clause))

    def used(self) -> set[Unit]:
        """The ReLUs of several positions that comparisons read, themselves or by others."""
        found, waiting = set[Unit](), list[Unit]()
        for beats in self.beats:
            for place in (beats.more, beats.less):
                waiting.extend(self.blends.blend(place).bends)
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting.extend(self.blends.blend(self.relus[at]).bends)
        return found

    def tables(self, row: int, region: Region) -> Tables:
        """All numbers in one row; raises `Rejected`."""
        blends, math = self.blends, self.blends.reading.math
        units, minus = self.units, math.number(-1)
        numbers = [blends.blend(self.relus[at]) for at in units]
        for beats in self.beats:
            more, less = blends.blend(beats.more), blends.blend(beats.less)
            numbers.append(blends.added([(math.one, more), (minus, less)]))
        own, shared = blends.reading.own_heads, blends.reading.heads
        heads = [own.get(key) or shared.get(key) for key in rows_of(blends.reading.nodes)]
        layout = Layout(heads, units, row, len(region.steps), region.letters)
        found = tables_of(numbers, layout)
        require_shallow(found)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Swift:
    """Checks the steps about one row of a class."""

    tables: Tables
    units: Sequence[Unit]
    beats: Sequence[Beats]
    formula: Formula
    ways: Ways

    def __call__(self, step: Step, bounds: Bounds, region: Region) -> bool:
        """Whether the step holds, as far as float64 can tell."""
        if not {*bounds} <= {*self.units}:
            return False
        with np.errstate(all="ignore"):  # what is no number shows nothing
            return bool(self.shown(self.asked(step), limits_of(self.units, bounds), region).all())

    def asked(self, step: Step) -> Asked:
        """What has to be positive."""
        rows: list[tuple[Floats, float, bool, Lines]] = []
        for at, bound in step.bounds.items():
            unit = np.zeros(self.tables.count)
            unit[self.units.index(at)] = 1
            rows.append((unit, -bound.low, False, bound.below))
            rows.append((-unit, bound.high, False, bound.above))
        for proof in step.shown:
            mix, strict = np.zeros(self.tables.count), False
            for beats, factor in zip(self.formula[proof.clause], proof.factors, strict=True):
                mix[len(self.units) + self.beats.index(beats)] += float(factor)
                strict |= bool(factor) and beats.strict
            rows.append((mix, 0.0, strict, proof.lines))
        heads = self.tables.powers.value.shape[0]
        given = np.array([[line or (np.nan, np.nan) for line in row[3]] for row in rows])
        given = given.reshape(len(rows), heads, 2).transpose(2, 1, 0)
        return Asked(
            np.array([row[0] for row in rows]).reshape(len(rows), self.tables.count),
            np.array([row[1] for row in rows]), given[0], given[1],
        )  # fmt: skip

    def shown(self, asked: Asked, limits: Limits, region: Region) -> Truths:
        """Which sums are above zero, whatever is rounded."""
        tables, n = self.tables, len(region.steps)
        mixed = straightened(tables, asked.mix, limits)
        total, rest = times(mixed.mix, tables.plain), mixed.rest
        rest = Sized(rest.value + asked.more, rest.size + np.abs(asked.more))
        bars = np.where(alive_in(region), 0.0, inf)
        sure = np.ones(asked.more.shape, np.bool_)
        for h in range(asked.c.shape[0]):
            top = times(mixed.mix, Sized(tables.tops.value[h], tables.tops.size[h]))
            read = (top.size > 0).any(axis=(-1, -2))
            c, q = np.where(read, asked.c[h], 0.0), np.where(read, asked.q[h], 0.0)
            powers = Sized(tables.powers.value[h], tables.powers.size[h])
            short = less(top, c[:, None, None], powers)
            sign = self.room(powers, q, bars)
            low = lowest(self.ways, Sized(sign[:, None, None] * short.value, short.size), bars)
            sure &= ~read | ((low >= 0) & (np.abs(c) < LARGE) & (np.abs(q) < LARGE))
            total = less(total, -q[:, None, None], short)
            rest = Sized(rest.value + c, rest.size + np.abs(c))
        found = lowest(self.ways, total, bars) + rest.value - OFF * rest.size
        assert n == len(self.ways.steps)
        return sure & (found > UNDER)

    def room(self, powers: Sized, q: Floats, bars: Floats) -> Floats:
        """The sign that 1 - qZ has on all words, where it has one."""
        most = -lowest(self.ways, Sized(-powers.value, powers.size), bars)
        fewest = lowest(self.ways, powers, bars)
        under = (q >= 0) & (q * most <= 1 - JUST)
        return np.where(under, 1.0, np.where(q * fewest >= 1 + JUST, -1.0, np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
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
    found: Floats = least(ways, low[..., :-1, :] + bars) + low[..., -1, 0]
    return found


def limits_of(units: Sequence[Unit], bounds: Bounds) -> Limits:
    """Bounds of ReLUs as arrays; infinite where nothing is known."""
    found = [bounds.get(at) for at in units]
    low = [-inf if x is None else x.low for x in found]
    high = [inf if x is None else x.high for x in found]
    slope = [0.0 if x is None else x.slope for x in found]
    return Limits(np.array(low), np.array(high), np.array(slope))
