"""The least sum over the words of a language in exact arithmetic, for comparisons float64 leaves open.

`exp` is enclosed as closely as asked for, all else is rational: so a sum that is not zero gets its
sign, however small it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from circ.compiler.builder import Builder, reindex
from circ.compiler.ir import Circuit, Wire
from circ.compiler.positions import NOWHERE
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, constants, enclose
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.formula import Exceeds
from circ.compiler.words.separable import Terms
from circ.compiler.words.separated import Separated
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.readouts import Alphabet

Bounds = tuple[Fraction, Fraction]

NOTHING: Bounds = Fraction(0), Fraction(0)


@dataclass(frozen=True, slots=True)
class Paths:
    """A lower bound of the sum over all words, None where there is none; and words of such sums.

    `words` are those whose sum may be zero or less: all of them, if they are not more than asked for.
    """

    low: Fraction | None
    words: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A comparison of read-outs over the words of a language with these letters at the fixed places.

    `over` is the denominator that its terms are written over.
    """

    split: Separated
    alphabet: Alphabet
    language: Automaton
    literal: Exceeds
    over: Wire | None
    fixing: int


def least_exactly(asked: Question, weights: Weights, bits: int, most: int) -> Paths:
    """The least difference times its denominator, and the words where it may not be positive."""
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
    weighed = [
        difference([found["more"], found["less"]], at, asked.alphabet.length)
        for found in each_letter(asked, circuit, weights, bits)
    ]
    return lowest(asked, weighed, most)


def column(b: Builder, terms: Terms, place: int) -> Wire:
    """The terms of one entry."""
    shape = b.shape(terms.wire)
    size = prod(shape[1:])
    return reindex(b, [terms.wire], [t * size + place for t in range(shape[0])], shape[:1])


def each_letter(
    asked: Question, circuit: Circuit, weights: Weights, bits: int
) -> Iterator[Mapping[str, Value]]:
    """What the circuit gives for each letter, repeated but at the fixed positions."""
    alphabet = asked.alphabet
    words = alphabet.words()[:, asked.fixing :: alphabet.fixings.shape[1]]
    known = constants(circuit, weights, bits)
    for letter in range(alphabet.size):
        point = {name: words[:, letter].tolist() for name in circuit.inputs}
        yield enclose(circuit, at_point(circuit, point), weights, bits, known=known)


def difference(
    sides: Sequence[Value], places: Sequence[Sequence[int]], length: int
) -> list[Bounds]:
    """What each position adds to the first side less the second; last what none changes."""
    found = [NOTHING] * (length + 1)
    for value, at, sign in zip(sides, places, (1, -1), strict=True):
        assert isinstance(value, Reals)
        for (low, high), place in zip(value.box, at, strict=True):
            position = length if place == NOWHERE else place
            before, after = found[position]
            ends = (low, high) if sign > 0 else (-high, -low)
            found[position] = before + ends[0], after + ends[1]
    return found


def lowest(asked: Question, weighed: Sequence[Sequence[Bounds]], most: int) -> Paths:
    """The words whose sum may be zero or less, by lower bounds; `weighed[letter][position]`."""
    alphabet, steps = asked.alphabet, [step.tolist() for step in asked.language.steps]
    only = dict(zip(alphabet.fixed, alphabet.fixings[:, asked.fixing].tolist(), strict=True))
    letters = [[only[p]] if p in only else range(alphabet.size) for p in range(alphabet.length)]
    ahead: list[dict[int, Fraction]] = [
        dict.fromkeys(range(len(asked.language.outputs)), Fraction(0))
    ]
    for position in reversed(range(alphabet.length)):
        beyond = ahead[-1]
        least: dict[int, Fraction] = {}
        for state, row in enumerate(steps[position]):
            ways = [
                weighed[letter][position][0] + beyond[row[letter]]
                for letter in letters[position]
                if row[letter] in beyond
            ]
            if ways:
                least[state] = min(ways)
        ahead.append(least)
    ahead.reverse()
    rest = weighed[0][alphabet.length][0]
    if 0 not in ahead[0]:
        return Paths(None, ())
    found: list[tuple[int, ...]] = []
    waiting: list[tuple[tuple[int, ...], int, Fraction]] = [((), 0, rest)]
    while waiting and len(found) <= most:
        word, state, total = waiting.pop()
        position = len(word)
        if position == alphabet.length:
            found.append(word)
            continue
        for letter in letters[position]:
            after = steps[position][state][letter]
            if after in ahead[position + 1]:
                sofar = total + weighed[letter][position][0]
                if sofar + ahead[position + 1][after] <= 0:
                    waiting.append(((*word, letter), after, sofar))
    return Paths(rest + ahead[0][0], tuple(found))
