"""Deciding a claim at all lengths of a word from some length on, where it treats positions alike.

The goal is, class by class, comparisons of sums over positions. What a letter adds is the same at
every place but the first and the last, whatever the length of the word, so it is read off words of
two lengths, which must agree; and the discrete part is a machine with loops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import inf
from time import monotonic
from typing import TypeVar

import numpy as np

from circ.compiler.finding import Stuck
from circ.compiler.ir import Circuit
from circ.compiler.lower.environment import deep_stack
from circ.compiler.obligation import Obligation, Words
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.closed import NotClosed
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.tensor import Weights
from circ.compiler.trial import PRECISIONS
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.cases import (
    Division,
    Options,
    divided,
    few_enough,
    formula_of,
)
from circ.compiler.words.formula import Clause, Formula
from circ.compiler.words.layers import Blown
from circ.compiler.words.loops import SHORT, Loops, loops, unrolled
from circ.compiler.words.separable import NotSeparable
from circ.compiler.words.separated import Separated, split
from circ.compiler.words.straight import first_relus
from circ.compiler.words.unscaled import unscaled
from circ.runtime.engines.amounts import Amount
from circ.runtime.engines.exact_sums import letter_sums
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.one_word import OBSTACLES, Late, reason_of
from circ.runtime.engines.precise import ExactQuestion, weighed
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.rivals import Field, Rivals, field_of, one_by_one, rivals
from circ.runtime.engines.turns import Sums, TooLarge, Turn, least_lengths
from circ.runtime.engines.words import members

METHOD = "shortest paths through loops"
TRUSTED = (
    "the front end",
    "that all positions are treated alike",
    "the machine and the float reading",
    "IEEE arithmetic of numpy",
)


@dataclass(frozen=True, slots=True)
class Always:
    """The claim holds at every length; `empty` where no word is of such a length."""

    empty: bool
    conditional: bool


@dataclass(frozen=True, slots=True)
class Doubtful:
    """The claim holds at every length below this one, where some comparison is not proved."""

    length: int


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """A claim about words of one length: its parts, and what its formulas compare, in numbers."""

    parts: Division
    circuit: Circuit
    options: Sequence[Options]
    formulas: tuple[Formula, ...]
    alphabet: Alphabet
    split: Separated
    field: Field


def made_ready(
    short: Obligation, long: Obligation, weights: Weights, until: float
) -> LengthSearch | Stuck:
    """A claim about words of any length, given it at the two lengths of `loops`.

    `until` is in seconds of `time.monotonic`.
    """
    if len(short.binders) != 1 or not isinstance(short.binders[0].values, Words):
        return Stuck("it is not about one word", METHOD)
    return guarded(lambda: set_up(short, long, weights, until))


def decide_beyond(
    search: LengthSearch, start: int, *, precisely: bool = False
) -> Always | Doubtful | Stuck:
    """The claim about words of `start` letters and more.

    What float64 does not prove is looked at in exact arithmetic where that is asked for.
    """
    return guarded(lambda: gone_through(replace(search, start=start, precisely=precisely)))


Found = TypeVar("Found")


def guarded(work: Callable[[], Found]) -> Found | Stuck:
    """What some work finds, or what stands in its way."""
    try:
        with deep_stack(), np.errstate(all="ignore"):
            return work()
    except (*OBSTACLES, TooLarge, Late) as obstacle:
        return Stuck(reason_of(obstacle), METHOD)
    except KeyboardInterrupt:
        return Stuck("interrupted", METHOD, interrupted=True)


def set_up(short: Obligation, long: Obligation, weights: Weights, until: float) -> LengthSearch:
    """The machine of a claim, and what letters add at both lengths; raises what is in the way."""
    both = [
        divided(
            unscaled(narrowed(x.circuit, [*x.conditions, "goal"]), weights).circuit, x.conditions
        )
        for x in (short, long)
    ]
    machine = loops(*(unrolled(parts, weights) for parts in both))
    few_enough(machine.outputs)
    (bound,) = short.binders
    near, far = sides(both, machine, weights, members(bound))
    if not same_form(near.formulas, far.formulas):
        raise Blown("what is claimed differs from length to length")
    return LengthSearch(machine, near, far, weights, lambda: monotonic() > until)


def gone_through(search: LengthSearch) -> Always | Doubtful:
    """All classes of words, each with its comparisons."""
    kinds = range(len(search.machine.outputs))
    lengths = [n for kind in kinds for n in search.lengths(kind) if n]
    if lengths:
        return Doubtful(min(lengths))
    return Always(not search.machine.accepts(search.start), bool(search.near.parts.weighed))


def same_form(near: Sequence[Formula], far: Sequence[Formula]) -> bool:
    """Whether formulas have as many clauses of as many comparisons."""
    return [list(map(len, x)) for x in near] == [list(map(len, x)) for x in far]


def sides(
    both: Sequence[Division], machine: Loops, weights: Weights, letters: int
) -> tuple[Side, Side]:
    """The two lengths with the same position fixed, none, the last or the first."""
    reasons: list[NotSeparable] = []
    for fixed in ((), (-1,), (0,)):
        try:
            near, far = (side(parts, machine, weights, letters, fixed) for parts in both)
            return near, far
        except NotSeparable as obstacle:
            reasons.append(obstacle)
    raise reasons[1]  # of the last position, which most often queries


def side(
    parts: Division, machine: Loops, weights: Weights, letters: int, fixed: Sequence[int]
) -> Side:
    """A claim about words of one length, one of its ends fixed or none; raises `NotSeparable`."""
    length = parts.circuit.types[parts.word].entries
    alphabet = Alphabet(letters, length, tuple(place % length for place in fixed))
    circuit, options = parts.options(machine.outputs)
    (word,) = circuit.inputs.values()
    for some in options:
        if first_relus(circuit, some, word, alphabet.fixed):
            raise NotSeparable("a ReLU reads several positions")
    formulas = tuple(formula_of(circuit, some) for some in options)
    clauses = [clause for formula in formulas for clause in formula]
    found = split(circuit, word, clauses, alphabet.fixed)
    field = field_of(found, weights, word, alphabet)
    return Side(parts, circuit, options, formulas, alphabet, found, field)


Exact = Fraction | Amount

Weighing = Callable[[ExactQuestion, Weights], Sequence[Sequence[Exact]]]
"""What each letter adds at each place, and last what none changes: `[letter][place]`."""


@dataclass(frozen=True, slots=True, eq=False)
class LengthSearch:
    """Asks of each clause from which length on it is not proved, of words of `start` letters or more."""

    machine: Loops
    near: Side
    far: Side
    weights: Weights
    late: Callable[[], bool]
    start: int = SHORT
    precisely: bool = False

    def lengths(self, kind: int) -> Iterator[int]:
        """For each clause of a class the least length at which it is not proved: see `Reached`."""
        near, far = self.near.formulas[kind], self.far.formulas[kind]
        single = [(x, y) for x, y in zip(near, far, strict=True) if len(x) == 1]
        groups = rivals(self.near.field, [x for x, _ in single])
        again = rivals(self.far.field, [y for _, y in single])
        for one, other in zip(groups, again, strict=True):
            yield worst(self.reached(one, other, kind))
        for x, y in zip(near, far, strict=True):
            if len(x) != 1:
                yield self.alternatives(x, y, kind)

    def alternatives(self, near: Clause, far: Clause, kind: int) -> int:
        """The same for a clause of which one comparison has to hold under each fixing, at all lengths."""
        best = self.possible_from(kind)
        pairs = zip(one_by_one(self.near.field, near), one_by_one(self.far.field, far), strict=True)
        for one, other in pairs:
            best = longer(best, self.reached(one, other, kind))
        return worst(best)

    def possible_from(self, kind: int) -> IntArray:
        """[1, fixing]: the least length of a word of a class, 0 where it has none."""
        sides = self.near.alphabet
        nothing = np.zeros((1, sides.size, sides.fixings.shape[1]))
        begin = np.where(self.allowed(0)[None], nothing, inf)
        turn = Turn(begin, nothing, nothing, nothing[:, 0], self.final(kind))
        return least_lengths(self.machine, turn, self.start, True, self.late).length

    def reached(self, asked: Rivals, again: Rivals, kind: int) -> IntArray:
        """[comparison, fixing]: the least length at which each is not proved in a class."""
        turn = self.turn(asked, again, kind)
        found = least_lengths(self.machine, turn, self.start, asked.strict, self.late).length
        if self.precisely:
            for row, fixing in np.argwhere(found).tolist():
                found[row, fixing] = self.exactly(asked, again, row, fixing, kind)
        return found

    def exactly(self, asked: Rivals, again: Rivals, row: int, fixing: int, kind: int) -> int:
        """The same of one comparison under one fixing, in exact arithmetic."""
        found = self.start
        rounded: list[Weighing] = [partial(least_weights, bits=bits) for bits in PRECISIONS]
        for weigh in (*rounded, exact_weights):
            with suppress(NotClosed):
                turn = self.exact_turn(asked, again, row, fixing, kind, weigh)
                reached = least_lengths(self.machine, turn, self.start, asked.strict, self.late)
                found = int(reached.length[0, 0])
            if not found:
                break
        return found

    def possible(self, kind: int) -> BoolArray:
        """[state, letter]: whether a word of the class may end so."""
        ends: BoolArray = self.machine.end == kind
        return ends

    def allowed(self, place: int) -> BoolArray:
        """[letter, fixing]: whether a letter may stand there under each fixing."""
        alphabet = self.near.alphabet
        if place in alphabet.fixed:
            return np.eye(alphabet.size, dtype=np.bool_)
        return np.ones((alphabet.size, alphabet.fixings.shape[1]), np.bool_)

    def final(self, kind: int) -> BoolArray:
        """[state, letter, fixing]: whether a word of the class may end so under each fixing."""
        last = self.allowed(self.near.alphabet.length - 1)
        return self.possible(kind)[:, :, None] & last[None]

    def turn(self, asked: Rivals, again: Rivals, kind: int) -> Turn:
        """What letters add to a comparison, the same at both lengths; raises `Blown` where not."""
        length = self.near.alphabet.length
        near = [spans(asked, place) for place in range(length + 1)]
        far = [spans(again, place) for place in range(length + 2)]
        for one, other in [
            *((near[1], near[place]) for place in range(1, length - 1)),
            *((near[1], far[place]) for place in range(1, length)),
            *((near[-k], far[-k]) for k in (1, 2)),
            (near[0], far[0]),
        ]:
            if not ((one[0] <= other[1]) & (other[0] <= one[1])).all():
                raise Blown("what a letter adds differs from place to place")
        first, each, last, rest = near[0], near[1], near[length - 1], near[length]
        begin = np.where(self.allowed(0)[None], first[0], inf)
        return Turn(begin, each[0], last[0], rest[0][:, 0], self.final(kind))

    def each_place(
        self, side: Side, asked: Rivals, row: int, fixing: int, weigh: Weighing
    ) -> list[list[Exact]]:
        """What each letter adds at each place, and last what none changes, at least."""
        nothing = Automaton((), ())
        literal = asked.literals[row]
        question = ExactQuestion(side.split, side.alphabet, nothing, literal, asked.over, fixing)
        return [list(place) for place in zip(*weigh(question, self.weights), strict=True)]

    def exact_turn(
        self, asked: Rivals, again: Rivals, row: int, fixing: int, kind: int, weigh: Weighing
    ) -> Turn:
        """The same turn under one fixing in exact numbers; raises `Blown` like `turn`."""
        near, far = (
            self.each_place(side, comparisons, row, fixing, weigh)
            for side, comparisons in ((self.near, asked), (self.far, again))
        )
        length = len(near) - 1
        same = [near[1] == near[place] for place in range(2, length - 1)]
        same += [near[1] == far[place] for place in range(1, length)]
        if not all([*same, near[0] == far[0], near[-1] == far[-1], near[-2] == far[-2]]):
            raise Blown("what a letter adds differs from place to place")
        first, each, last = (column(near[place]) for place in (0, 1, length - 1))
        rest = np.array([[near[length][0]]], object)
        begin = np.where(self.allowed(0)[None, :, [fixing]], first, inf)
        return Turn(begin, each, last, rest, self.final(kind)[:, :, [fixing]])


def worst(lengths: IntArray) -> int:
    """The least length of all that are not proved, 0 if all are."""
    return int(lengths[lengths > 0].min()) if lengths.any() else 0


def least_weights(asked: ExactQuestion, weights: Weights, bits: int) -> Sequence[Sequence[Exact]]:
    """What each letter adds at each place, at least: in Fractions."""
    return weighed(asked, weights, bits)


def exact_weights(asked: ExactQuestion, weights: Weights) -> Sequence[Sequence[Exact]]:
    """What each letter adds at each place, exactly; raises `NotClosed`."""
    found = letter_sums(asked, weights, PRECISIONS[0])
    return [[Amount(form) for form in places] for places in found]


def column(place: Sequence[Exact]) -> Sums:
    """[1, letter, 1]: what each letter adds at a place."""
    found: Sums = np.array(place, object)[None, :, None]
    return found


def longer(x: IntArray, y: IntArray) -> IntArray:
    """Of two comparisons the one that holds at more lengths; 0 stands for all of them."""
    return np.where((x == 0) | ((y != 0) & (x >= y)), x, y)


def spans(asked: Rivals, place: int) -> tuple[Sums, Sums]:
    """What each letter adds at a place: [comparison, letter, fixing], at least and at most."""
    low = asked.more.low[asked.first, place] - asked.less.high[asked.second, place]
    high = asked.more.high[asked.first, place] - asked.less.low[asked.second, place]
    return low, high
