"""Columns of Python's whole numbers: numbers in units of 2^-bits, with one bound on how far off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from operator import mul

from circ.compiler.audit.code_lists import CodeLists, aligned, gathered, plus, weighted
from circ.compiler.audit.fixed import (
    GUARD,
    LARGEST,
    exp_bounds,
    inverse_bounds,
    log_two,
    root_bounds,
    series,
)
from circ.compiler.audit.rejected import within
from circ.compiler.audit.vectors import OPEN
from circ.compiler.ir import SmoothName

COARSE, FINE = 96, 512
"""After the point: for many inputs at once, and where that is too coarse."""

FINER = 128
"""More bits after the point, for powers of e."""

HIGHEST = 70
"""Of a score, or its negative: then a power has more bits than are asked for."""

Flags = list[bool] | None
"""Which entries are open; None for none."""


@dataclass(frozen=True, eq=False)
class Whole:
    """Numbers at most `rad` from `mid`, both in units.

    Those with a `rel` are powers, in finer units: off by at most `rel` units for each 1 of `mid`.
    """

    mid: list[int]
    rad: int
    open: Flags = None
    rel: int = 0

    @cached_property
    def size(self) -> int:
        """A bound on `mid`."""
        return max(max(self.mid, default=0), -min(self.mid, default=0))


@dataclass(frozen=True, slots=True)
class WholeVectors(CodeLists):
    """So many bits after the point."""

    bits: int

    @property
    def room(self) -> int:
        """For how many numbers there is room; most of a batch is dropped before its end."""
        return 1 << 24

    def number(self, value: Fraction) -> Whole:
        """A known number."""
        low, rest = divmod(value.numerator << self.bits, value.denominator)
        return Whole([low], 1 if rest else 0)

    def combined(self, terms: Sequence[tuple[Fraction | int, Whole]]) -> Whole:
        """A sum with known coefficients."""
        if any(c.denominator != 1 for c, _ in terms):
            return self.dot([(self.number(Fraction(c)), x) for c, x in terms])
        factors = [c.numerator for c, _ in terms]
        parts = [x for _, x in terms]
        rad = sum(abs(c) * x.rad for c, x in zip(factors, parts, strict=True))
        return Whole(weighted(factors, [x.mid for x in parts]), rad, opened(parts))

    def dot(self, pairs: Sequence[tuple[Whole, Whole]]) -> Whole:
        """A sum of products."""
        factors: list[int] = []
        columns: list[list[int]] = []
        total, rad = [0], 0
        for x, y in pairs:
            if len(y.mid) == 1:
                x, y = y, x
            if x.rad or y.rad:
                rad += x.size * y.rad + x.rad * (y.size + y.rad)
            if len(x.mid) == 1:
                factors.append(x.mid[0])
                columns.append(y.mid)
            else:
                total = plus(total, list(map(mul, x.mid, y.mid)))
        flags = opened([x for pair in pairs for x in pair])
        if total == [0]:
            spare = min(zeros_of(factors), self.bits)
            short = [factor >> spare for factor in factors]
            return self.shifted(weighted(short, columns), rad, flags, self.bits - spare)
        return self.shifted(plus(total, weighted(factors, columns)), rad, flags, self.bits)

    def shifted(self, total: list[int], rad: int, flags: Flags, bits: int) -> Whole:
        """Sums of products with so many bits too many; `rad` has as many too many as there are after the
        point. Exact ones stay so where no bit is lost."""
        last = (1 << bits) - 1
        mid = [z >> bits for z in total]
        exact = rad == 0 and not any(z & last for z in total)
        return Whole(mid, 0 if exact else (rad >> self.bits) + 2, flags)

    def largest(self, parts: Sequence[Whole]) -> Whole:
        """The largest."""
        rows = aligned([x.mid for x in parts])
        return Whole(list(map(max, zip(*rows, strict=True))), most(parts), opened(parts))

    def curve(self, name: SmoothName, x: Whole) -> Whole:
        """A smooth function; open where it may not be defined."""
        match name:
            case "exp":
                limit = LARGEST << self.bits
                return self.enclosed(x, exp_bounds, lambda a, b: -limit <= a and b <= limit)
            case "sqrt":
                return self.enclosed(x, root_bounds, lambda a, _: a >= 0)
            case "recip":
                return self.enclosed(x, inverse_bounds, lambda a, b: a > 0 or b < 0)

    def enclosed(
        self,
        x: Whole,
        bounds: Callable[[int, int], tuple[int, int]],
        defined: Callable[[int, int], bool],
    ) -> Whole:
        """A function that rises or falls, by what it is at the ends."""
        low: list[int] = []
        spread = 0
        flags = [False] * len(x.mid) if x.open is None else list(x.open)
        for k, value in enumerate(x.mid):
            if flags[k] or not defined(value - x.rad, value + x.rad):
                flags[k] = True
                low.append(0)
                continue
            first = bounds(value - x.rad, self.bits)
            last = bounds(value + x.rad, self.bits) if x.rad else first
            low.append(min(first[0], last[0]))
            spread = max(spread, max(first[1], last[1]) - low[-1])
        return Whole(low, spread, flags if any(flags) else None)

    def power(self, x: Whole) -> Whole:
        """e^x, known up to a share of it; open where x is too large."""
        within(x.rad < 1 << (self.bits - 8), "a score is not known well enough")
        flags = [False] * len(x.mid) if x.open is None else list(x.open)
        found: list[int] = []
        for k, value in enumerate(x.mid):
            flags[k] = flags[k] or abs(value) > HIGHEST << self.bits
            found.append(1 if flags[k] else power_of(value, self.bits))
        return Whole(found, 0, flags if any(flags) else None, 2 * x.rad + 2)

    def total(self, powers: Sequence[Whole]) -> Whole:
        """A sum of powers, known up to a share of it."""
        mid = weighted([1] * len(powers), [x.mid for x in powers])
        return Whole(mid, 0, opened(powers), max(x.rel for x in powers))

    def ratio(self, part: Whole, whole: Whole) -> Whole:
        """A power divided by a sum that it is part of."""
        bits = self.bits
        assert part.rel and whole.rel, "powers"
        within(part.rel + whole.rel < 1 << (bits - 4), "a score is not known well enough")
        pairs = zip(*aligned([part.mid, whole.mid]), strict=True)
        rad = 2 * (part.rel + whole.rel) + 2
        return Whole([(x << bits) // y for x, y in pairs], rad, opened([part, whole]))

    def picked(self, index: list[int], parts: Sequence[Whole]) -> Whole:
        """The part that an index picks."""
        if len(index) == 1 and index[0] != OPEN:
            return parts[index[0]]
        sure = [max(k, 0) for k in index]
        mid = gathered(sure, [x.mid for x in parts])
        flags = gathered(sure, [as_codes(x) for x in parts])
        rows = zip(*aligned([mid, flags, index]), strict=True)
        found = [flag == 1 or k == OPEN for _, flag, k in rows]
        return Whole(mid, most(parts), found if any(found) else None)

    def take(self, x: Whole, index: list[int]) -> Whole:
        """Entries of a column."""
        if len(x.mid) == 1:
            return x
        flags = x.open
        if flags is not None and len(flags) > 1:
            flags = list(map(flags.__getitem__, index))
        return Whole(list(map(x.mid.__getitem__, index)), x.rad, flags, x.rel)

    # --- codes ----------------------------------------------------------------------------------

    def below(self, x: Whole, y: Whole, *, strict: bool) -> list[int]:
        """Whether x is smaller than y, or at most y."""
        gap = x.rad + y.rad
        least, never = (gap + 1, -gap) if strict else (gap, -gap - 1)
        rises = [b - a for a, b in zip(*aligned([x.mid, y.mid]), strict=True)]
        found = [1 if rise >= least else 0 if rise <= never else OPEN for rise in rises]
        return masked(found, opened([x, y]))

    def equal(self, x: Whole, y: Whole) -> list[int]:
        """Whether two numbers are the same."""
        gap = x.rad + y.rad
        pairs = zip(*aligned([x.mid, y.mid]), strict=True)
        found = [0 if abs(a - b) > gap else OPEN if gap else 1 for a, b in pairs]
        return masked(found, opened([x, y]))

    def leader(self, row: Sequence[Whole]) -> list[int]:
        """The index of the largest; `OPEN` where two may be."""
        gap = 2 * most(row)
        found: list[int] = []
        for scores in zip(*aligned([x.mid for x in row]), strict=True):
            best = max(scores)
            at = scores.index(best)
            others = scores[:at] + scores[at + 1 :]
            found.append(at if not others or best - max(others) > gap else OPEN)
        return masked(found, opened(row))

    def keys(self, x: Whole, count: int) -> list[object]:
        """What tells the enclosures of a column of so many entries apart."""
        found: list[object] = list(
            zip(self.wide(x.mid, count), self.wide(as_codes(x), count), strict=True)
        )
        return found

    def laid(self, parts: Sequence[tuple[Whole, int]]) -> Whole:
        """Columns of so many entries, end to end."""
        mid = [value for x, count in parts for value in self.wide(x.mid, count)]
        flags = [flag == 1 for x, count in parts for flag in self.wide(as_codes(x), count)]
        return Whole(mid, most([x for x, _ in parts]), flags if any(flags) else None)


def zeros_of(factors: Sequence[int]) -> int:
    """With how many zero bits all factors end: of weights, which have few bits, it is most of them."""
    joined = 0
    for factor in factors:
        joined |= abs(factor)
    return (joined & -joined).bit_length() - 1 if joined else 0


def power_of(x: int, bits: int) -> int:
    """e^x, x in units of 2^-bits and not above `HIGHEST`, in units of 2^-(bits + FINER); off by less than
    a unit for each 1 of it.

    x = n ln 2 + r with 0 <= r < 3/4. What is known of n ln 2 and of e^r, 2^GUARD times finer, is off by
    less than 5 |n| + 4 times the number of terms.
    """
    wide = bits + GUARD
    low, high = log_two(wide)
    n, r = divmod(x << GUARD, low)
    found, terms = series(r, wide)
    assert 5 * abs(n) * (high - low) + 4 * terms < 1 << (GUARD - 1), "the bits suffice"
    return found << (FINER - GUARD + n)


# --- which entries are open -----------------------------------------------------------------------


def most(parts: Sequence[Whole]) -> int:
    """A bound on how far off any of these is."""
    return max((x.rad for x in parts), default=0)


def opened(parts: Sequence[Whole]) -> Flags:
    """The entries that are open in one of these."""
    some = [x.open for x in parts if x.open is not None]
    if not some:
        return None
    count = max(len(x.mid) for x in parts)
    return [any(row) for row in zip(*(widened(flags, count) for flags in some), strict=True)]


def widened(flags: list[bool], count: int) -> list[bool]:
    """So many entries."""
    return flags if len(flags) == count else flags * count


def masked(found: list[int], flags: Flags) -> list[int]:
    """Codes, `OPEN` where they rest on what is open."""
    if flags is None:
        return found
    count = max(len(found), len(flags))
    codes, wide = found if len(found) == count else found * count, widened(flags, count)
    return [OPEN if flag else code for code, flag in zip(codes, wide, strict=True)]


def as_codes(x: Whole) -> list[int]:
    """Which entries are open, as 0 and 1."""
    return [0] if x.open is None else [int(flag) for flag in x.open]
