"""The least sum over the words of a language in exact arithmetic, for comparisons float64 leaves open.

`exp` is enclosed as closely as asked for, all else is rational: so a sum that is not zero gets its
sign, however small it is. Whether one is zero, `exact_sums.py` finds out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from circ.compiler.builder import Builder, reindex
from circ.compiler.ir import Circuit, Wire
from circ.compiler.positions import NOWHERE
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, constants, intervals
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.formula import Exceeds
from circ.compiler.words.separable import Terms
from circ.compiler.words.separated import Separated
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.readouts import Alphabet


@dataclass(frozen=True, slots=True)
class Paths:
    """A lower bound of the sum over all words, None where there is no word, and the word `least` of it.

    `words` are those whose sum may be zero or less: all of them, if they are not more than asked for.
    """

    low: Fraction | None
    least: tuple[int, ...]
    words: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExactQuestion:
    """A comparison of read-outs over the words of a language with these letters at the fixed places.

    `over` is the denominator that its terms are written over.
    """

    split: Separated
    alphabet: Alphabet
    language: Automaton
    literal: Exceeds
    over: Wire | None
    fixing: int


def least_exactly(asked: ExactQuestion, weights: Weights, bits: int, most: int) -> Paths:
    """The least difference times its denominator, and the words where it may not be positive."""
    return lowest(asked, weighed(asked, weights, bits), most)


def weighed(asked: ExactQuestion, weights: Weights, bits: int) -> list[list[Fraction]]:
    """What each letter adds to the difference, at least: `[letter][position]`, and what none changes."""
    both = compared(asked)
    return [
        difference([found[wire] for wire in both.wires], both.at, asked.alphabet.length)
        for found in each_letter(asked, both.circuit, weights, bits)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """The terms of both sides of a comparison, what is more first, as outputs of a circuit.

    `at` has the position that each term reads, or `NOWHERE`.
    """

    circuit: Circuit
    at: Sequence[Sequence[int]]

    @property
    def wires(self) -> tuple[Wire, Wire]:
        """The terms of each side."""
        return self.circuit.outputs["more"], self.circuit.outputs["less"]


def compared(asked: ExactQuestion) -> Both:
    """What is compared, and nothing else."""
    more, less = asked.literal.more, asked.literal.less
    terms = [asked.split.terms[(entry.wire, asked.over)] for entry in (more, less)]
    b = Builder(list(asked.split.circuit.ops), list(asked.split.circuit.types))
    sides = {
        name: column(b, x, entry.place)
        for name, x, entry in zip(("more", "less"), terms, (more, less), strict=True)
    }
    circuit = narrowed(b.circuit(sides), list(sides))
    places = [x.places.reshape(x.places.shape[0], -1) for x in terms]
    at = [rows[:, entry.place].tolist() for rows, entry in zip(places, (more, less), strict=True)]
    return Both(circuit, at)


def column(b: Builder, terms: Terms, place: int) -> Wire:
    """The terms of one entry."""
    shape = b.shape(terms.wire)
    size = prod(shape[1:])
    return reindex(b, [terms.wire], [t * size + place for t in range(shape[0])], shape[:1])


def each_letter(
    asked: ExactQuestion, circuit: Circuit, weights: Weights, bits: int
) -> Iterator[Mapping[Wire, Value]]:
    """The circuit's wires for each letter, repeated but at the fixed positions."""
    alphabet = asked.alphabet
    words = alphabet.words()[:, asked.fixing :: alphabet.fixings.shape[1]]
    known = constants(circuit, weights, bits)
    for letter in range(alphabet.size):
        point = {name: words[:, letter].tolist() for name in circuit.inputs}
        yield intervals(circuit, at_point(circuit, point), weights, bits, known=known)


def difference(
    sides: Sequence[Value], places: Sequence[Sequence[int]], length: int
) -> list[Fraction]:
    """What each position adds to the first side less the second, at least; last what none changes."""
    found = [Fraction(0)] * (length + 1)
    for value, at, sign in zip(sides, places, (1, -1), strict=True):
        assert isinstance(value, Reals)
        for (low, high), place in zip(value.box, at, strict=True):
            found[length if place == NOWHERE else place] += low if sign > 0 else -high
    return found


def lowest(asked: ExactQuestion, weighed: Sequence[Sequence[Fraction]], most: int) -> Paths:
    """The words whose sum may be zero or less, by lower bounds; `weighed[letter][position]`."""
    ways = ways_of(asked, weighed)
    if 0 not in ways.ahead[0]:
        return Paths(None, (), ())
    rest = weighed[0][asked.alphabet.length]
    return Paths(rest + ways.ahead[0][0], ways.least(), tuple(ways.not_above(-rest, most)))


def ways_of(asked: ExactQuestion, weighed: Sequence[Sequence[Fraction]]) -> Routes:
    """The ways through the automaton, with the least sums ahead of every state."""
    ways = Routes(asked, weighed)
    for position in reversed(range(asked.alphabet.length)):
        onward = {s: ways.onward(position, s) for s in range(len(ways.steps[position]))}
        ways.ahead.insert(0, {state: found[0][0] for state, found in onward.items() if found})
    return ways


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """The ways through an automaton; `ahead` has the least sum from each state of the last layers."""

    asked: ExactQuestion
    weighed: Sequence[Sequence[Fraction]]
    ahead: list[dict[int, Fraction]] = field(default_factory=list[dict[int, Fraction]])
    steps: list[list[list[int]]] = field(default_factory=list[list[list[int]]])

    def __post_init__(self) -> None:
        self.ahead.append(dict.fromkeys(range(len(self.asked.language.outputs)), Fraction(0)))
        self.steps.extend(step.tolist() for step in self.asked.language.steps)

    def letters(self, position: int) -> Sequence[int]:
        """Those that may stand there."""
        alphabet = self.asked.alphabet
        if position not in alphabet.fixed:
            return range(alphabet.size)
        column = alphabet.fixings[:, self.asked.fixing]
        return [int(column[alphabet.fixed.index(position)])]

    def onward(self, position: int, state: int) -> list[tuple[Fraction, int]]:
        """The letters that lead on, each with the least sum by way of it; the least first."""
        row = self.steps[position][state]
        beyond = self.ahead[position - self.asked.alphabet.length]
        return sorted(
            (self.weighed[letter][position] + beyond[row[letter]], letter)
            for letter in self.letters(position)
            if row[letter] in beyond
        )

    def least(self) -> tuple[int, ...]:
        """The word of least sum."""
        word, state = list[int](), 0
        for position in range(self.asked.alphabet.length):
            word.append(self.onward(position, state)[0][1])
            state = self.steps[position][state][word[-1]]
        return tuple(word)

    def not_above(self, bound: Fraction, most: int) -> Iterator[tuple[int, ...]]:
        """The words whose sum is at most that; one more than `most`, if there are so many."""
        waiting: list[tuple[tuple[int, ...], int, Fraction]] = [((), 0, Fraction(0))]
        found = 0
        while waiting and found <= most:
            word, state, total = waiting.pop()
            position = len(word)
            if position == self.asked.alphabet.length:
                found += 1
                yield word
                continue
            for least, letter in self.onward(position, state):
                if total + least <= bound:
                    sofar = total + self.weighed[letter][position]
                    after = self.steps[position][state][letter]
                    waiting.append(((*word, letter), after, sofar))
