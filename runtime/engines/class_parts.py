"""Some words of one class, and whether a formula is sure to hold on all of them.

Only the least sum of each comparison is asked for, in float64 and rounded down: that says less than
`one_class.py` does, and is found sooner.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from circ.compiler.ir import Wire
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.formula import Clause, Exceeds, Formula
from circ.runtime.engines.one_class import Sums
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.rivals import Rivals, compared
from circ.runtime.engines.shortest import Graph, graph


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Words of one class: those of a language, under each fixing of its graph apart."""

    kind: int
    language: Automaton
    paths: Graph

    def words(self, alphabet: Alphabet, chosen: BoolArray) -> int:
        """How many of them are under the fixings chosen."""
        if chosen.all():
            return self.language.count()
        places = np.flatnonzero(chosen).tolist()
        return sum(self.under(alphabet, place).language.count() for place in places)

    def under(self, alphabet: Alphabet, place: int) -> Region:
        """Those under one fixing."""
        language, letters = self.language, alphabet.fixings[:, self.paths.fixings[place]]
        for position, letter in zip(alphabet.fixed, letters, strict=True):
            language = language.with_letters(position, np.array([letter]))
        return self.narrowed(alphabet, language)

    def narrowed(self, alphabet: Alphabet, language: Automaton) -> Region:
        """Fewer words of the class, but some."""
        return Region(self.kind, language, graph(language, alphabet))


def whole_class(language: Automaton, alphabet: Alphabet, kind: int) -> Region:
    """All words of a class."""
    words = language.of_class(kind)
    return Region(kind, words, graph(words, alphabet))


# --- formulas on a region ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A formula in numbers: its comparisons by the wires they read, and for each clause which are its.

    `places[i]` has the number of each comparison of clause i, counted through all of `rivals`.
    """

    rivals: tuple[Rivals, ...]
    places: tuple[IntArray, ...]
    never: bool

    def sums(self, paths: Graph) -> FloatArray:
        """A lower bound of each comparison's least sum: [comparison, fixing]."""
        found = [asked.least(paths) for asked in self.rivals]
        return np.concatenate([*found, np.zeros((0, paths.fixings.size))])

    def holds(self, bound: FloatArray) -> BoolArray:
        """Under which fixings every clause has a comparison that holds on all words.

        That is enough for the formula to hold there.
        """
        start, known = 0, np.zeros(bound.shape, np.bool_)
        for asked in self.rivals:
            end = start + len(asked.literals)
            known[start:end] = asked.holds(bound[start:end])
            start = end
        held = np.full(bound.shape[1], not self.never)
        for places in self.places:
            held &= known[places].any(axis=0)
        return held

    def hardest(self, bound: FloatArray, fixing: int) -> FloatArray:
        """The weights [position, letter] of the comparison with the least sum."""
        row = int(np.nan_to_num(bound[:, 0], nan=-np.inf).argmin())
        for asked in self.rivals:
            if row < len(asked.literals):
                low, _ = asked.columns(np.array([row]), np.array([fixing]))
                weights: FloatArray = low[:-1, :, 0]
                return weights
            row -= len(asked.literals)
        raise AssertionError("a formula that is open compares something")


def asked_of(sums: Sums, formula: Formula) -> Asked:
    """A formula made ready; its clauses were split into `sums`."""
    groups: dict[Group, dict[Exceeds, int]] = {}
    for clause in formula:
        for literal in clause:
            rows = groups.setdefault(group_of(sums, clause, literal), {})
            rows.setdefault(literal, len(rows))
    found = tuple(
        compared(sums.field, list(rows), over) for (_, _, over, _), rows in groups.items()
    )
    starts = dict(zip(groups, accumulate(map(len, groups.values()), initial=0), strict=False))
    places = [
        np.array([starts[key] + groups[key][x] for key, x in rows_of(sums, clause)], np.int64)
        for clause in formula
        if clause
    ]
    return Asked(found, tuple(places), () in formula)


Group = tuple[Wire, Wire, Wire | None, bool]
"""What comparisons that are worked out together have in common."""


def rows_of(sums: Sums, clause: Clause) -> Iterator[tuple[Group, Exceeds]]:
    """The comparisons of a clause, each with its group."""
    return ((group_of(sums, clause, literal), literal) for literal in clause)


def group_of(sums: Sums, clause: Clause, literal: Exceeds) -> Group:
    """The wires that a comparison reads, what they are over, and whether it is strict."""
    over = sums.field.over[clause]
    return literal.more.wire, literal.less.wire, over, literal.strict
