"""Hard choices inside a network: the words in parts, one for each index chosen and each letter there.

The words on which index j is a largest, with the letter a there, are those that have a there and
nowhere a letter of a larger score: a regular language again. Parts on which the same is read are put
together. Words with a tie are in the part of every index that may be chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from circ.compiler.builder import Builder
from circ.compiler.ir import Circuit, Wire
from circ.compiler.positions import NOWHERE
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.rewrite import copy_live
from circ.compiler.words.automaton import DEAD, Automaton
from circ.compiler.words.cases import Cases, Options
from circ.compiler.words.chosen import (
    WORD,
    Choice,
    Chosen,
    chosen,
    direct,
    first_choice,
    with_letter,
)
from circ.compiler.words.narrower import with_letter_at, with_letters_of
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.one_word import Late
from circ.runtime.engines.phases import Network, Piece
from circ.runtime.engines.scores import Scores, finite, scored
from circ.runtime.engines.shortest import Graph, graph


def by_choice(
    network: Network, options: Options, language: Automaton, paths: Graph
) -> Iterator[Piece]:
    """The pieces of a class of words in which every hard choice is known, each of which has to hold.

    Raises `NotSeparable`, and `Late` when the time is up.
    """
    fixed = network.alphabet.fixed
    choice = first_choice(network.circuit, options, network.word, fixed)
    if choice is None:
        yield Piece(network, options, language, paths)
        return
    finite(network, (*choice.tables, choice.scores))
    for piece in pieces(network, options, choice, language, paths):
        inner = by_choice(piece.network, piece.options, piece.language, piece.paths)
        yield from (replace(part, sure=part.sure and piece.sure) for part in inner)


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """What each index makes of the options: `ways[j]`, a number that is alike where that is alike.

    `circuit` and `options[way]` are as in `Chosen`; the scores are in `scores`, that of index j is
    number `kinds[j]`. Index j reads the position `places[j]`, or the last of an array, for none.
    """

    circuit: Circuit
    options: tuple[Options, ...]
    ways: IntArray
    scores: Scores
    kinds: IntArray
    places: IntArray


def ways_of(network: Network, options: Options, choice: Choice) -> Ways:
    """Every index put in."""
    b = Builder()
    b.add(network.circuit.ops[network.word])
    found: dict[Options, int] = {}
    scores: dict[Wire, int] = {}
    ways, kinds = list[int](), list[int]()
    for index in range(len(choice.places)):
        if monotonic() > network.until:
            raise Late
        one = chosen(network.circuit, options, network.word, choice, index, network.alphabet.fixed)
        kept, score = put_in(one, b)
        ways.append(found.setdefault(kept, len(found)))
        kinds.append(scores.setdefault(score, len(scores)))
    circuit = b.circuit({})
    numbers = scored(replace(network, circuit=circuit, word=WORD), tuple(scores))
    return Ways(
        circuit,
        tuple(found),
        np.array(ways, np.int64),
        numbers,
        np.array(kinds, np.int64),
        np.array(choice.places, np.int64),
    )


def put_in(one: Chosen, b: Builder) -> tuple[Options, Wire]:
    """The options with an index put in, and its score, as wires of `b`.

    They are cut down to what is read, so that they are the same wires where the same is read.
    """
    (score,) = cut_down(one.circuit, [one.score], b)
    kept = cut_down(one.circuit, [wire for wire, _ in one.options], b)
    return tuple(zip(kept, (wanted for _, wanted in one.options), strict=True)), score


def cut_down(circuit: Circuit, roots: Sequence[Wire], b: Builder) -> list[Wire]:
    """Some wires with what they read of a circuit, and no more, as wires of `b`."""
    outputs = {str(k): wire for k, wire in enumerate(roots)}
    cut = narrowed(replace(circuit, outputs=outputs), list(outputs))
    moved = copy_live(cut, b, lambda _, op: direct(b, op), list(cut.outputs.values()))
    return [moved[cut.outputs[name]] for name in outputs]


def first_of(found: Cases, fixed: Sequence[int], choice: Choice) -> Cases:
    """The first class, where a choice takes its first index, with the first letter there."""
    one = chosen(found.circuit, found.options[0], found.word, choice, 0, fixed)
    b = Builder()
    b.add(found.circuit.ops[found.word])
    kept, _ = put_in(one, b)
    circuit, options = with_letter(b.circuit({}), kept, 0)
    return replace(found, circuit=circuit, word=WORD, options=(options,))


# --- the parts ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read on a part: the way of its index, and the letter."""

    way: int
    letter: int


@dataclass(frozen=True, slots=True)
class Level:
    """The letters allowed at each position, as bytes of truths; `sure`: nothing read otherwise ties."""

    allowed: bytes
    sure: bool


Places = dict[int, list[int]]
"""For each fixing, by its place in a graph, the positions at one of which the letter stands."""


def pieces(
    network: Network, options: Options, choice: Choice, language: Automaton, paths: Graph
) -> Iterator[Piece]:
    """The parts of some words, a choice put to what it is there."""
    known = ways_of(network, options, choice)
    found: dict[Reading, dict[Level, Places]] = {}
    for place in range(paths.fixings.size):
        if monotonic() > network.until:
            raise Late
        letters = occurring(network, language, int(paths.fixings[place]))
        for reading, level, position in levels(known, letters, int(paths.fixings[place])):
            there = found.setdefault(reading, {}).setdefault(level, {})
            there.setdefault(place, []).append(position)
    for reading, groups in found.items():
        circuit, kept = with_letter(known.circuit, known.options[reading.way], reading.letter)
        inside = replace(network, circuit=circuit, word=WORD)
        for level, there in groups.items():
            for part, some in parts(network, reading, level, there, language):
                if monotonic() > network.until:
                    raise Late
                if not part.empty:
                    within = graph(part, network.alphabet, paths.fixings[some])
                    yield Piece(inside, kept, part, within, level.sure)


def occurring(network: Network, language: Automaton, fixing: int) -> BoolArray:
    """Whether a letter occurs at a position: [position, letter], where fixed ones have their letter.

    The last row stands for no position, and has one letter.
    """
    alive = [(step != DEAD).any(axis=0) for step in language.steps]
    found = np.stack([*alive, np.arange(network.alphabet.size) == 0])
    letters = network.alphabet.fixings[:, fixing]
    for position, letter in zip(network.alphabet.fixed, letters.tolist(), strict=True):
        found[position] &= np.arange(network.alphabet.size) == letter
    return found


def levels(known: Ways, letters: BoolArray, fixing: int) -> Iterator[tuple[Reading, Level, int]]:
    """Every index and letter that may be chosen under a fixing: what is read, where, at what level."""
    size = letters.shape[1]
    occurs = np.zeros((known.scores.low.shape[0], size), np.bool_)
    np.logical_or.at(occurs, known.kinds, letters[known.places])
    above = known.scores.above(fixing, occurs)
    for way, kind, place in zip(known.ways, known.kinds, known.places, strict=True):
        for letter in np.flatnonzero(letters[place]).tolist():
            beyond = above[:, :, kind, letter][known.kinds]
            allowed = np.ones_like(letters)
            np.logical_and.at(allowed, known.places, ~beyond)
            allowed |= ~letters
            if not allowed[place, letter] or not (allowed & letters).any(axis=1).all():
                continue
            below = above[kind, letter][known.kinds] | ~(allowed & letters)[known.places]
            below[known.ways == way, letter] = True
            level = Level(allowed.tobytes(), bool(below.all()))
            yield Reading(int(way), letter), level, int(place)


def parts(
    network: Network, reading: Reading, level: Level, there: Places, language: Automaton
) -> Iterator[tuple[Automaton, IntArray]]:
    """The words of a level that have the letter where it is read, with the fixings of each."""
    size = network.alphabet.size
    allowed = np.frombuffer(level.allowed, np.bool_).reshape(-1, size)[:-1]
    alike: dict[tuple[int, ...], list[int]] = {}
    for place, found in there.items():
        alike.setdefault(tuple(found), []).append(place)
    for positions, some in alike.items():
        yield read_at(language, allowed, positions, reading.letter), np.array(some, np.int64)


def read_at(
    language: Automaton, allowed: BoolArray, positions: Sequence[int], letter: int
) -> Automaton:
    """The words of letters allowed that have a letter at one of these positions, if they are any."""
    if NOWHERE in positions:
        return with_letters_of(language, allowed)
    if len(positions) == 1:
        known = allowed.copy()
        known[positions[0]] &= np.arange(allowed.shape[1]) == letter
        return with_letters_of(language, known)
    below = with_letters_of(language, allowed)
    return below if below.empty else with_letter_at(below, positions, letter)
