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

    def weigh(self, fixings: IntArray, margin: FloatArray | None = None) -> Weigh:
        """What each letter adds to the difference, at least; less `margin[f]` times its denominator."""
        kept = stepped(fixings)
        first, second = one_or_all(self.first), stepped(self.second)

        def weights(position: int, letters: IntArray) -> FloatArray:
            some = stepped(letters)
            more = self.more.low[:, position][:, some][:, :, kept][first]
            less = self.less.high[:, position][:, some][:, :, kept][second]
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
        weigh = self.weigh(paths.fixings, margin)
        known = weigh(self.more.low.shape[1] - 1, np.zeros(1, np.int64))[:, 0]
        found: FloatArray = least(paths, weigh) + known
        return found

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
    """The rows, or the one that they all are."""
    return rows[:1] if rows.size and (rows == rows[0]).all() else stepped(rows)


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
