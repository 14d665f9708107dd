"""Truths and indices that may be undecided: the set of the values that each entry may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from circ.compiler.ir import Shape
from circ.compiler.readings.intervals import Reals, Scores, along


@dataclass(frozen=True, slots=True)
class Choices:
    """The values that each entry, a truth or an index, may take: one where it is decided."""

    shape: Shape
    sets: tuple[frozenset[int], ...]

    @property
    def exact(self) -> bool:
        """Whether every entry is decided."""
        return all(len(options) == 1 for options in self.sets)


TRUE: frozenset[int] = frozenset({True})
FALSE: frozenset[int] = frozenset({False})
EITHER = TRUE | FALSE
NEGATED = {TRUE: FALSE, FALSE: TRUE, EITHER: EITHER}

Choose = Callable[[Scores, frozenset[int]], int | None]
"""Asked for the index where known scores tie, of the scores and the tied indices; None leaves it
open. It must depend on the scores alone to be a choice function."""


def decided(shape: Shape, values: Iterable[int]) -> Choices:
    """Known entries."""
    return Choices(shape, tuple(frozenset({value}) for value in values))


def union(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    """Every value that one of the sets allows."""
    return frozenset[int]().union(*sets)


def merged(values: Sequence[Choices]) -> Choices:
    """What any of several tensors of one type allows."""
    columns = zip(*(value.sets for value in values), strict=True)
    return Choices(values[0].shape, tuple(map(union, columns)))


def rearranged(operands: Sequence[Choices], source: Sequence[int], shape: Shape) -> Choices:
    """Entries of the operands, laid end to end, in a new order."""
    sets = [*chain(*(value.sets for value in operands))]
    return Choices(shape, tuple(sets[k] for k in source))


def picked(table: Choices, starts: Sequence[Sequence[int]], width: int, shape: Shape) -> Choices:
    """For each entry, what the runs of `width` entries at any of its starts allow."""
    sets = [
        union(column)
        for entry in starts
        for column in zip(*(table.sets[k : k + width] for k in entry), strict=True)
    ]
    return Choices(shape, tuple(sets))


def coincide(left: Choices, right: Choices) -> Choices:
    """Entrywise equality."""
    pairs = zip(left.sets, right.sets, strict=True)
    return Choices(left.shape, tuple(equal(a, b) for a, b in pairs))


def equal(a: frozenset[int], b: frozenset[int]) -> frozenset[int]:
    """Whether two values are the same."""
    if a.isdisjoint(b):
        return FALSE
    return TRUE if len(a) == len(b) == 1 else EITHER


def negated(x: Choices) -> Choices:
    """Entrywise negation."""
    return Choices(x.shape, tuple(NEGATED[entry] for entry in x.sets))


def conjunction(x: Choices) -> Choices:
    """Whether every entry along the last axis holds."""
    return Choices(x.shape[:-1], tuple(map(conjoined, along(x.sets, x.shape))))


def disjunction(x: Choices) -> Choices:
    """Whether some entry along the last axis holds."""
    return negated(conjunction(negated(x)))


def conjoined(entries: Sequence[frozenset[int]]) -> frozenset[int]:
    """Whether all of these hold; of none, yes."""
    if FALSE in entries:
        return FALSE
    return EITHER if EITHER in entries else TRUE


def compared(sure: Sequence[bool], possible: Sequence[bool], shape: Shape) -> Choices:
    """A truth for each entry, from whether it must hold and whether it may."""
    pairs = zip(sure, possible, strict=True)
    return Choices(shape, tuple(TRUE if must else EITHER if may else FALSE for must, may in pairs))


def leaders(x: Reals, choose: Choose | None) -> Choices:
    """The indices that a choice function may pick along the last axis."""
    lows, highs = along(x.lo, x.shape), along(x.hi, x.shape)
    sets = (chosen(low, high, x.den, choose) for low, high in zip(lows, highs, strict=True))
    return Choices(x.shape[:-1], tuple(sets))


def chosen(
    low: Sequence[int], high: Sequence[int], den: int, choose: Choose | None
) -> frozenset[int]:
    """The indices whose score may be the largest; one of them where `choose` says which."""
    best = max(low)
    tied = frozenset(k for k, top in enumerate(high) if top >= best)
    if choose is None or len(tied) == 1 or low != high:
        return tied
    return taken(tuple(Fraction(score, den) for score in low), tied, choose)


def taken(scores: Scores, tied: frozenset[int], choose: Choose) -> frozenset[int]:
    """The one index of those tied that is chosen; all of them where that is left open."""
    index = choose(scores, tied)
    if index is None:
        return tied
    if index not in tied:
        raise ValueError(f"the choice of {index} is not among the tied {sorted(tied)}")
    return frozenset({index})
