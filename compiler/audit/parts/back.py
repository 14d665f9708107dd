"""Lower bounds of rows in whole numbers, taken back to the inputs layer by layer.

A row Σ c_u · u over the units of a layer is at least Σ P_r · r + T for the functions r that the units
are of: any whole numbers P will do, and T is what they leave at the ends of r (CROWN, Zhang et al.,
arXiv:1811.00866). So nothing is lost but where sums of products are rounded down to whole numbers; what
that takes is at most what the units' values can be below zero.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import assert_never

from circ.compiler.audit.parts.layers import SLOT, TOP, VALUE, Layer, Net, Packed, Rows, signs_of
from circ.compiler.audit.rejected import within

LEAN = 20
LEANING = (1 << LEAN) + 1
"""Where two lines are as good, the first one is taken, even if numbers are off by 2^-20 of them: so that
rounding seldom makes other lines of the same proof."""

STEEPEST = 1 << VALUE - 20
"""A step is taken to be steep only where it is not undecided over less than 2^-20."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of the box: the ends of each input and of what each layer's units are of.

    `low[0]`, `high[0]` are the inputs'; a step's end of -1 stands for all that is below zero. `phases`
    are of units by layer and place, 1 where what they are of is at least 0, -1 where it is at most 0 (of
    a step: below 0). `left` are the clauses that an input of the part may still break.
    """

    low: tuple[list[int], ...] = field(repr=False)
    high: tuple[list[int], ...] = field(repr=False)
    phases: dict[tuple[int, int], int]
    left: frozenset[int]
    depth: int = 0


@dataclass(slots=True)
class Sum:
    """A sum of rows under way, in multiples of 2^-`fine`: by layer, numbers packed as in `Packed`, and what
    none of them is above; `extra` are multiples of what units are of; `total` is what is known."""

    fine: int
    packed: dict[int, int] = field(default_factory=dict[int, int])
    most: dict[int, int] = field(default_factory=dict[int, int])
    extra: dict[int, dict[int, int]] = field(default_factory=dict[int, dict[int, int]])
    total: int = 0

    def add(self, part: Packed, factors: Sequence[int], largest: int) -> None:
        """Rows over one layer, times factors that are at most `largest` in size together."""
        j = part.layer
        self.packed[j] = self.packed.get(j, 0) + sum(map(mul, factors, part.rows))
        self.most[j] = self.most.get(j, 0) + largest * part.most
        within(self.most[j] < TOP, "numbers are too large")

    def rows(self, rows: Rows, factors: Sequence[int]) -> None:
        """Rows, each times a factor."""
        largest = sum(map(abs, factors))
        for part in rows.parts:
            self.add(part, factors, largest)
        self.total += sum(map(mul, factors, rows.const))
        if rows.loose:
            self.total -= sum(map(mul, map(abs, factors), rows.slack))

    def row(self, rows: Rows, place: int, sign: int) -> None:
        """One row, or its negative."""
        factor = sign << self.fine
        for part in rows.parts:
            self.add(
                Packed(part.layer, part.rows[place : place + 1], part.most), [factor], abs(factor)
            )
        self.total += factor * rows.const[place] - (rows.slack[place] << self.fine)

    def taken(self, layer: int, size: int) -> tuple[list[int], bool]:
        """The numbers of one layer, rounded down, and whether any was not whole."""
        self.most.pop(layer, None)
        packed = self.packed.pop(layer, 0)
        return unpacked(packed, size) if packed else ([0] * size, False)


def unpacked(packed: int, size: int) -> tuple[list[int], bool]:
    """The numbers in slots, their last 64 bits cut off, and whether any of these was set."""
    signs = signs_of(size)
    # 2^127 in each slot makes all of them positive; two's complement is what is left without it.
    words: array[int] = array("q", ((packed + signs) ^ signs).to_bytes(size * SLOT // 8, "little"))
    if sys.byteorder == "big":
        words.byteswap()
    return words[1::2].tolist(), any(words[::2])


@dataclass(frozen=True, slots=True)
class Half:
    """What is nowhere above a sum of rows on a part: slopes of the inputs, and what is known."""

    slopes: Sequence[int]
    const: int

    def least(self, part: Part) -> int:
        """Its least value on the part."""
        ends = zip(self.slopes, part.low[0], part.high[0], strict=True)
        return self.const + sum([by * (low if by > 0 else high) for by, low, high in ends])


def taken_back(net: Net, part: Part, rows: Sum, behind: int) -> Half:
    """A sum of rows over layers up to `behind`, taken back to the inputs."""
    for number in range(behind, 0, -1):
        if number not in rows.packed and number not in rows.extra:
            continue
        layer = net.layers[number - 1]
        low, high = part.low[number], part.high[number]
        factors, cut_off = rows.taken(number, layer.units)
        rows.total += fallen(layer, low, high) if cut_off else 0
        over, known = through(layer, factors, low, high)
        rows.total += known
        for place, by in rows.extra.pop(number, {}).items():
            over[place] += by
        rows.rows(layer.rows, over)
    slopes, cut_off = rows.taken(0, len(net.box[0]))
    lost = sum([min(low, 0) for low in part.low[0]]) if cut_off else 0
    return Half(slopes, rows.total + lost)


def fallen(layer: Layer, low: Sequence[int], high: Sequence[int]) -> int:
    """The least that units may add, each times a number from 0 to 1."""
    match layer.kind:
        case "relu" | "step":
            return 0
        case "linear":
            return sum([min(x, 0) for x in low])
        case "product":
            half = layer.units
            sides = zip(low[:half], high[:half], low[half:], high[half:], strict=True)
            return sum([min(0, a * c, a * d, b * c, b * d) for a, b, c, d in sides]) >> VALUE
        case _:
            assert_never(layer.kind)


def through(
    layer: Layer, factors: list[int], low: Sequence[int], high: Sequence[int]
) -> tuple[list[int], int]:
    """Factors of units made factors of what they are of, and what is known besides."""
    match layer.kind:
        case "linear":
            return factors, 0
        case "relu":
            return through_relus(factors, low, high)
        case "step":
            return through_steps(factors, low, high)
        case "product":
            return through_products(factors, low, high)
        case _:
            assert_never(layer.kind)


def through_relus(
    factors: list[int], low: Sequence[int], high: Sequence[int]
) -> tuple[list[int], int]:
    """Of a positive factor all or nothing is kept, of a negative one the slope of the chord."""
    known = 0
    for k, by in enumerate(factors):
        begin, end = low[k], high[k]
        if begin >= 0 or not by:
            continue
        if end <= 0:
            factors[k] = 0
        elif by > 0:
            if end << LEAN <= -begin * LEANING:
                factors[k] = 0
        else:
            kept = factors[k] = by * end // (end - begin)
            known += min(-kept * begin, (by - kept) * end)
    return factors, known


def through_steps(
    factors: list[int], low: Sequence[int], high: Sequence[int]
) -> tuple[list[int], int]:
    """A positive factor takes the line from (0, 0) to (high, 1), a negative one from (low, 0) to (0, 1)."""
    known = 0
    for k, by in enumerate(factors):
        begin, end = low[k], high[k]
        kept = 0
        if begin >= 0:
            known += by << VALUE
        elif end < 0 or not by:
            pass
        elif by > 0:
            if end > STEEPEST:
                kept = (by << VALUE) // end
            known += min(0, (by << VALUE) - kept * end)
        else:
            if -begin > STEEPEST:
                kept = -((-by << VALUE) // -begin)
            known += min(by << VALUE, -kept * begin)
        factors[k] = kept
    return factors, known


def through_products(
    factors: list[int], low: Sequence[int], high: Sequence[int]
) -> tuple[list[int], int]:
    """McCormick's planes (1976): of two the one that touches nearer to zero."""
    half, known = len(factors), 0
    first, second = [0] * half, [0] * half
    for k, by in enumerate(factors):
        if not by:
            continue
        a, b, c, d = low[k], high[k], low[half + k], high[half + k]
        p, q = (c, d) if by > 0 else (d, c)
        near, far = max(abs(a), abs(p)), max(abs(b), abs(q))
        p, q = (p, a) if near << LEAN <= far * LEANING else (q, b)
        kept, beside = by * p >> VALUE, by * q >> VALUE
        known += min((by * x * y >> VALUE) - kept * x - beside * y for x in (a, b) for y in (c, d))
        first[k], second[k] = kept, beside
    return [*first, *second], known
