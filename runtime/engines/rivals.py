"""The comparisons of one class of words as weights on paths, and what the least sums say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circ.compiler.ir import Wire
from circ.compiler.readings.arrays import IntArray, Where, stepped
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.tensor import Weights
from circ.compiler.words.formula import Clause, Exceeds
from circ.compiler.words.separated import Key, Separated
from circ.runtime.engines.readouts import Alphabet, Readout, readouts
from circ.runtime.engines.shortest import Graph, Weigh, least


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """Every read-out and denominator of the clauses, in numbers."""

    alphabet: Alphabet
    readouts: Mapping[Key, Readout]
    denominators: Mapping[Wire, Readout]
    over: Mapping[Clause, Wire | None]


def field_of(split: Separated, weights: Weights, word: Wire, alphabet: Alphabet) -> Field:
    """The read-outs of clauses that were split."""
    terms = [*split.terms.values(), *split.denominators.values()]
    found = readouts(split.circuit, weights, word, alphabet, terms)
    count = len(split.terms)
    return Field(
        alphabet,
        dict(zip(split.terms, found[:count], strict=True)),
        dict(zip(split.denominators, found[count:], strict=True)),
        split.over,
    )


CACHED = 1 << 15
"""Numbers that are added up fastest together: a quarter of a megabyte."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some comparisons next to each other: their entries of both sides, and which of them are meant."""

    first: Where
    second: Where
    kept: Where


@dataclass(frozen=True, slots=True, eq=False)
class Rivals:
    """Comparisons that read the same wires: entry `first[r]` of `more` against `second[r]` of `less`.

    Both are over the wire `over`, whose terms are `denominator`.
    """

    literals: tuple[Exceeds, ...]
    over: Wire | None
    more: Readout
    less: Readout
    first: IntArray
    second: IntArray
    strict: bool
    denominator: Readout | None

    def weigh(self, fixings: IntArray, rows: Rows, margin: FloatArray | None = None) -> Weigh:
        """What each letter adds to the difference, at least; less `margin[f]` times its denominator."""
        kept = stepped(fixings)

        def weights(position: int, letters: IntArray) -> FloatArray:
            some = stepped(letters)
            more = self.more.low[:, position][rows.first][:, some][:, :, kept]
            less = self.less.high[:, position][rows.second][:, some][:, :, kept]
            difference: FloatArray = more - less
            if margin is not None and self.denominator is not None:
                weight = self.denominator.high[:, position][:, some][:, :, kept]
                difference -= margin * weight
            return difference

        return weights

    def least(self, paths: Graph, margin: FloatArray | None = None) -> FloatArray:
        """A lower bound of each difference times its denominator, over all words: [r, fixing].

        With a margin, about the least of what is left when `margin[f]` is taken off the difference.
        """
        parts: list[FloatArray] = []
        for rows in self.pieces(self.more.low.shape[2] * paths.fixings.size):
            weigh = self.weigh(paths.fixings, rows, margin)
            known = weigh(self.more.low.shape[1] - 1, np.zeros(1, np.int64))[:, 0]
            parts.append((least(paths, weigh) + known)[rows.kept])
        return np.concatenate(parts)

    def pieces(self, size: int) -> Iterator[Rows]:
        """All rows, so many together that their weights, `size` for each, fit in a cache."""
        step, count = max(1, CACHED // max(size, 1)), len(self.literals)
        first, second = one_or_all(self.first), self.second
        start, stop = int(second.min()), int(second.max()) + 1
        dense = isinstance(first, slice) and stop - start <= 2 * count
        if dense and bool((np.diff(second) > 0).all()):
            for at in range(start, stop, step):
                end = min(at + step, stop)
                inside = second[(second >= at) & (second < end)]
                yield Rows(first, slice(at, end), inside - at)
            return
        for at in range(0, count, step):
            each = first if isinstance(first, slice) else first[at : at + step]
            yield Rows(each, second[at : at + step], slice(None))

    def holds(self, bound: FloatArray) -> BoolArray:
        """Where a lower bound shows that the difference is as it should be."""
        return bound > 0 if self.strict else bound >= 0

    def columns(self, rows: IntArray, fixings: IntArray) -> tuple[FloatArray, FloatArray]:
        """Lower and upper weights [position, letter, k] of row k under fixing k."""
        first, second = self.first[rows], self.second[rows]
        low = self.more.low[first, :, :, fixings] - self.less.high[second, :, :, fixings]
        high = self.more.high[first, :, :, fixings] - self.less.low[second, :, :, fixings]
        return low.transpose(1, 2, 0), high.transpose(1, 2, 0)


def one_or_all(rows: IntArray) -> Where:
    """The one row that all are, or all of them."""
    first = int(rows[0])
    return slice(first, first + 1) if (rows == first).all() else rows


def rivals(field: Field, clauses: Sequence[Clause]) -> Iterator[Rivals]:
    """Clauses of one comparison each, those together that read the same wires."""
    groups: dict[tuple[Key, Key, bool], list[Exceeds]] = {}
    for clause in clauses:
        (literal,) = clause
        over = field.over[clause]
        key = (literal.more.wire, over), (literal.less.wire, over), literal.strict
        groups.setdefault(key, []).append(literal)
    for (more, _, _), literals in groups.items():
        yield compared(field, literals, more[1])


def one_by_one(field: Field, clause: Clause) -> list[Rivals]:
    """The comparisons of one clause, each by itself."""
    return [compared(field, [literal], field.over[clause]) for literal in clause]


def compared(field: Field, literals: Sequence[Exceeds], over: Wire | None) -> Rivals:
    """Comparisons of the same wires over one denominator."""
    one = literals[0]
    return Rivals(
        tuple(literals),
        over,
        field.readouts[one.more.wire, over],
        field.readouts[one.less.wire, over],
        np.array([x.more.place for x in literals], np.int64),
        np.array([x.less.place for x in literals], np.int64),
        one.strict,
        None if over is None else field.denominators[over],
    )
