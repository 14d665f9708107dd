"""Columns in float64: numbers with one bound on how far off they are, as a number or as a share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import inf, isfinite, ldexp

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.code_arrays import CodeArrays, Codes, gathered
from circ.compiler.audit.floats import EXP, TINY, UNIT, Floats, exponential
from circ.compiler.audit.floats import LARGEST as LARGEST_SCORE
from circ.compiler.audit.rejected import NotKnown, within
from circ.compiler.audit.vectors import OPEN
from circ.compiler.ir import SmoothName

UPWARDS = 1 + 2.0**-20
"""Makes up for the rounding of the bounds themselves, which are sums of at most `MOST_TERMS`."""

MOST_TERMS = 1 << 24

EXACT = 2.0**52
"""Sums of multiples of a number are exact up to so many times it."""

ALIKE = 2.0**500
"""The most that a number is said to be a multiple of."""

NEAR_ZERO = 2.0**-400
"""What is divided by, and what a root is taken of, is at least so large."""

CELLS = 1 << 22
"""Entries of columns put together that are kept, for all the sums over them."""

Flags = npt.NDArray[np.bool_] | None


@dataclass(frozen=True, eq=False)
class Real:
    """Numbers at most `rad` from `mid`, or above zero and off by at most the share `rel` of it.

    Where `grain` is not zero, they are exactly `mid`, and multiples of it.
    """

    mid: Floats
    rad: float
    rel: float = 0.0
    grain: float = 0.0
    open: Flags = None

    @cached_property
    def size(self) -> float:
        """A bound on `mid`."""
        return max(float(self.mid.max()), -float(self.mid.min()))

    @property
    def off(self) -> float:
        """How far off they are at most."""
        return self.rad + self.rel * self.size * UPWARDS if self.rel else self.rad


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Columns one below the other, and the sizes, bounds and grains of each."""

    columns: Sequence[Real]
    mids: Floats
    sizes: Floats
    offs: Floats
    grains: Floats
    open: Flags


@dataclass(frozen=True, slots=True)
class FloatVectors(CodeArrays):
    """Arithmetic in float64, all rounding accounted for."""

    stacks: dict[tuple[int, ...], Stack] = field(default_factory=dict[tuple[int, ...], Stack])

    @property
    def room(self) -> int:
        """For how many numbers there is room; most of a batch is dropped before its end."""
        return 1 << 26

    def number(self, value: Fraction) -> Real:
        """A known number."""
        try:
            mid = float(value)
        except OverflowError as error:
            raise NotKnown("a number overflows") from error
        if Fraction(mid) == value:
            return Real(np.array([mid]), 0.0, grain=grain_of(mid))
        return Real(np.array([mid]), abs(mid) * UNIT * UPWARDS + TINY)

    def combined(self, terms: Sequence[tuple[Fraction | int, Real]]) -> Real:
        """A sum with known coefficients."""
        return self.dot([(self.number(Fraction(c)), x) for c, x in terms])

    def dot(self, pairs: Sequence[tuple[Real, Real]]) -> Real:
        """A sum of products."""
        within(len(pairs) < MOST_TERMS, "a sum is too long")
        sides = [(x, y) if x.mid.size == 1 else (y, x) for x, y in pairs]
        if len(sides) > 2 and all(x.mid.size == 1 and y.mid.size > 1 for x, y in sides):
            row, columns = (self.stacked(side) for side in zip(*sides, strict=True))
            mid = row.mids[:, 0] @ columns.mids
            total = float(row.sizes @ columns.sizes)
            off = float(row.sizes @ columns.offs + row.offs @ (columns.sizes + columns.offs))
            grain = float((row.grains * columns.grains).min())
            flags = columns.open if row.open is None else either(columns.open, row.open)
            return summed(mid, total, off, grain, len(sides), flags)
        mid, total, off, grain = np.zeros(1), 0.0, 0.0, ALIKE
        for x, y in sides:
            mid = mid + x.mid * y.mid
            total += x.size * y.size
            off += x.size * y.off + x.off * (y.size + y.off)
            grain = min(grain, x.grain * y.grain)
        flags = opened([x for pair in sides for x in pair])
        return summed(mid, total, off, grain, len(sides), flags)

    def stacked(self, columns: Sequence[Real]) -> Stack:
        """Columns one below the other."""
        key = tuple([id(x) for x in columns])
        if key not in self.stacks:
            kept = sum(some.mids.size for some in self.stacks.values())
            if kept > CELLS:
                self.stacks.clear()
            self.stacks[key] = Stack(
                columns,
                np.array(np.broadcast_arrays(*(x.mid for x in columns))),
                np.array([x.size for x in columns]),
                np.array([x.off for x in columns]),
                np.array([x.grain for x in columns]),
                opened(columns),
            )
        return self.stacks[key]

    def largest(self, parts: Sequence[Real]) -> Real:
        """The largest."""
        mid = parts[0].mid
        for x in parts[1:]:
            mid = np.maximum(mid, x.mid)
        grain = min(x.grain for x in parts)
        return Real(mid, max(x.off for x in parts), grain=grain, open=opened(parts))

    def curve(self, name: SmoothName, x: Real) -> Real:
        """A smooth function; open where it may not be defined."""
        off = x.off
        match name:
            case "exp":
                power = self.power(x)
                return Real(power.mid, power.off + TINY, open=power.open)
            case "sqrt":
                bad = x.mid <= off
                inner = np.where(bad, 1.0, x.mid)
                found = np.sqrt(inner)
                least = float(inner.min()) - off
                slope = 1 / max(least, NEAR_ZERO) ** 0.5
            case "recip":
                bad = np.abs(x.mid) <= off
                inner = np.where(bad, 1.0, x.mid)
                found = 1 / inner
                least = float(np.abs(inner).min()) - off
                slope = 1 / max(least, NEAR_ZERO) ** 2
        within(least >= NEAR_ZERO, "a number may be zero")
        rad = (off * slope + 4 * UNIT * float(np.abs(found).max())) * UPWARDS + TINY
        return checked(Real(found, rad, open=either(x.open, bad)))

    def power(self, x: Real) -> Real:
        """e^x, known up to a share of it; open where x is too large."""
        bad = np.abs(x.mid) > LARGEST_SCORE - 1
        off = x.off
        within(off < 2.0**-8, "a score is not known well enough")
        found = exponential(np.where(bad, 0.0, x.mid))
        return Real(found, 0.0, (2 * off + 2 * EXP * UNIT) * UPWARDS, open=either(x.open, bad))

    def total(self, powers: Sequence[Real]) -> Real:
        """A sum of powers, known up to a share of it."""
        mid = powers[0].mid
        for x in powers[1:]:
            mid = mid + x.mid
        rel = (max(x.rel for x in powers) + (len(powers) + 4) * UNIT) * UPWARDS
        return checked(Real(mid, 0.0, rel, open=opened(powers)))

    def ratio(self, part: Real, whole: Real) -> Real:
        """A power divided by a sum that it is part of."""
        assert part.rel and whole.rel, "powers"
        rad = (2 * (part.rel + whole.rel) + 4 * UNIT) * UPWARDS
        return checked(Real(part.mid / whole.mid, rad, open=opened([part, whole])))

    def picked(self, index: Codes, parts: Sequence[Real]) -> Real:
        """The part that an index picks."""
        if index.size == 1 and index[0] != OPEN:
            return parts[int(index[0])]
        sure = np.maximum(index, 0)
        mid = gathered(sure, [x.mid for x in parts])
        flags = gathered(sure, [no_flags(x) for x in parts])
        off, grain = max(x.off for x in parts), min(x.grain for x in parts)
        return Real(mid, off, grain=grain, open=either(either(None, flags), index == OPEN))

    def take(self, x: Real, index: Codes) -> Real:
        """Entries of a column."""
        if x.mid.size == 1:
            return x
        flags = None
        if x.open is not None:
            flags = either(None, x.open[index] if x.open.size > 1 else x.open)
        return Real(x.mid[index], x.rad, x.rel, x.grain, flags)

    # --- codes ----------------------------------------------------------------------------------

    def below(self, x: Real, y: Real, *, strict: bool) -> Codes:
        """Whether x is smaller than y, or at most y."""
        if x.grain and y.grain:
            found = x.mid < y.mid if strict else x.mid <= y.mid
            return masked(found.astype(np.int64), opened([x, y]))
        gap = (x.off + y.off) * UPWARDS + TINY
        rise = y.mid - x.mid
        return masked(np.where(rise > gap, 1, np.where(rise < -gap, 0, OPEN)), opened([x, y]))

    def equal(self, x: Real, y: Real) -> Codes:
        """Whether two numbers are the same."""
        if x.grain and y.grain:
            return masked((x.mid == y.mid).astype(np.int64), opened([x, y]))
        gap = (x.off + y.off) * UPWARDS + TINY
        return masked(np.where(np.abs(x.mid - y.mid) > gap, 0, OPEN), opened([x, y]))

    def leader(self, row: Sequence[Real]) -> Codes:
        """The index of the largest; `OPEN` where two may be."""
        if len(row) == 1:
            return np.zeros(1, np.int64)
        gap = 0.0
        if not all(x.grain for x in row):
            gap = 2 * max(x.off for x in row) * UPWARDS + TINY
        scores: Floats = np.array(np.broadcast_arrays(*(x.mid for x in row)))
        found = scores.argmax(axis=0)
        best = scores.max(axis=0)
        np.put_along_axis(scores, found[None], -inf, axis=0)
        return masked(np.where(best - scores.max(axis=0) > gap, found, OPEN), opened(row))

    def keys(self, x: Real, count: int) -> list[object]:
        """What tells the enclosures of a column of so many entries apart."""
        mids: list[float] = np.broadcast_to(x.mid, count).tolist()
        flags: list[bool] = np.broadcast_to(no_flags(x), count).tolist()
        found: list[object] = list(zip(mids, flags, strict=True))
        return found

    def laid(self, parts: Sequence[tuple[Real, int]]) -> Real:
        """Columns of so many entries, end to end."""
        mid = np.concatenate([np.broadcast_to(x.mid, count) for x, count in parts])
        flags = np.concatenate([np.broadcast_to(no_flags(x), count) for x, count in parts])
        off, grain = max(x.off for x, _ in parts), min(x.grain for x, _ in parts)
        return Real(mid, off, grain=grain, open=either(None, flags))


def summed(mid: Floats, total: float, off: float, grain: float, terms: int, flags: Flags) -> Real:
    """A sum of products of so many terms; `total` bounds their sizes, `off` what their parts lack."""
    if grain > 0 and total <= EXACT * grain:
        return checked(Real(mid, 0.0, grain=min(grain, ALIKE), open=flags))
    rad = (off + total * ((terms + 4) * UNIT)) * UPWARDS + TINY
    return checked(Real(mid, rad, open=flags))


def grain_of(value: float) -> float:
    """The largest power of two that a number is a multiple of; as large as can be for zero."""
    above, below = value.as_integer_ratio()
    if value == 0:
        return ALIKE
    return min(ldexp(1.0, (above & -above).bit_length() - below.bit_length()), ALIKE)


# --- what holds of several ------------------------------------------------------------------------


def checked(x: Real) -> Real:
    """A column; raises `Rejected` where it has no bound."""
    within(isfinite(x.size) and isfinite(x.off), "a number overflows")
    return x


def no_flags(x: Real) -> npt.NDArray[np.bool_]:
    """Which entries are open."""
    return np.zeros(1, np.bool_) if x.open is None else x.open


def opened(parts: Sequence[Real]) -> Flags:
    """The entries that are open in one of these."""
    found: Flags = None
    for x in parts:
        if x.open is not None:
            found = x.open if found is None else found | x.open
    return found


def either(some: Flags, others: npt.NDArray[np.bool_]) -> Flags:
    """The entries that are open in one of these; None for none."""
    found = others if some is None else some | others
    return found if found.any() else None


def masked(found: Codes, flags: Flags) -> Codes:
    """Codes, `OPEN` where they rest on what is open."""
    return found if flags is None else np.where(flags, OPEN, found)
