"""Random claims about what `topk` keeps of scores along a line, and the most that any choice makes of it.

Scores are small whole multiples of the input, so that ties abound; some are equal everywhere. The asked number is
linear wherever the same ones are kept: so it is largest at an end or where two scores are equal, under some choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from random import Random

from circ.compiler.builder import Builder, combine, matmul, number, reals, times
from circ.compiler.ir import Argmax, Compare, Lookup, TopK, Wire
from circ.compiler.obligation import Obligation
from tests.agreement import naive
from tests.unit.obligations import box, obligation, weighted

ENDS = Fraction(-2), Fraction(2)


@dataclass(frozen=True, slots=True)
class Kept:
    """Of scores slope · x + start the `count` largest; each that is kept adds reads[0] · its score + reads[1].

    `first`: instead of `topk(1)`, an index says where a row of a table is read.
    """

    slopes: tuple[int, ...]
    start: tuple[int, ...]
    count: int
    reads: tuple[tuple[int, ...], tuple[int, ...]]
    first: bool = False

    def scores(self, x: Fraction) -> tuple[Fraction, ...]:
        """The scores at an input."""
        return tuple(a * x + c for a, c in zip(self.slopes, self.start, strict=True))

    def values(self, x: Fraction) -> list[Fraction]:
        """What each choice makes of an input."""
        scores = self.scores(x)
        by, alone = self.reads
        each = [by[k] * score + alone[k] for k, score in enumerate(scores)]
        return [
            sum((each[k] for k in kept), Fraction(0)) for kept in naive.tops(scores, self.count)
        ]

    def most(self) -> Fraction:
        """The most that some choice makes of some input."""
        crossed = [*ENDS]
        for i, j in combinations(range(len(self.slopes)), 2):
            if apart := self.slopes[i] - self.slopes[j]:
                crossed.append(Fraction(self.start[j] - self.start[i], apart))
        low, high = ENDS
        return max(max(self.values(x)) for x in crossed if low <= x <= high)

    def claim(self, bound: Fraction) -> Obligation:
        """That it is at most so much."""

        def holds(b: Builder, wires: dict[str, Wire]) -> Wire:
            scores = combine(
                b, (1, matmul(b, column(b, self.slopes), wires["x"])), (1, vector(b, self.start))
            )
            by, alone = self.reads
            each = combine(b, (1, times(b, vector(b, by), scores)), (1, vector(b, alone)))
            if self.first:
                found = b.add(Lookup(each, (b.add(Argmax(scores)),)))
            else:
                kept = times(b, b.add(TopK(self.count, scores)), each)
                found = weighted(b, kept, *[1] * len(by))
            return b.add(Compare("<=", found, number(b, bound)))

        return obligation([box("x", ENDS)], holds)


def vector(b: Builder, values: Sequence[int]) -> Wire:
    """A constant vector."""
    return reals(b, map(Fraction, values), (len(values),))


def column(b: Builder, values: Sequence[int]) -> Wire:
    """A constant matrix of one column."""
    return reals(b, map(Fraction, values), (len(values), 1))


def drawn(seed: int, *, first: bool = False) -> Kept:
    """Random numbers, of which every third row reads the marks alone."""
    chance = Random(seed)
    size = chance.randint(2, 5)
    count = (
        1
        if first
        else chance.randint(0, size)
        if chance.random() < 0.2
        else chance.randint(1, size - 1)
    )

    def row(most: int) -> tuple[int, ...]:
        return tuple(chance.randint(-most, most) for _ in range(size))

    by = (0,) * size if seed % 3 == 0 else row(2)
    return Kept(row(2), row(2), count, (by, row(3)), first)
