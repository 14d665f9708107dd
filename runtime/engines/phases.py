"""ReLUs behind the head: their phases on a class of words, found by shortest paths.

Where a ReLU's operand has one sign on all words of a class under a fixing, the ReLU is linear there.
Where few have not, both phases of each are gone through: in each way, the goal holds or some phase is
another. Where many have not, the words are divided by their letters at some position.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from time import monotonic

import numpy as np

from circ.compiler.builder import Builder, number
from circ.compiler.ir import Circuit, Relu, Wire
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.cases import Options
from circ.compiler.words.formula import Clause, Entry, Exceeds
from circ.compiler.words.separable import NotSeparable
from circ.compiler.words.separated import split
from circ.compiler.words.straight import Phases, first_relus, straightened
from circ.runtime.engines.alternatives import parted
from circ.runtime.engines.one_word import Late
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.rivals import field_of, rivals
from circ.runtime.engines.shortest import Graph, graph, narrowed_to

MOST_DOUBTFUL = 3
"""ReLUs of both phases on some words under one fixing that are gone through; with more, the words
are divided first."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A circuit about one word, with what it reads; `until` is in seconds of `time.monotonic`."""

    circuit: Circuit
    word: Wire
    weights: Weights
    alphabet: Alphabet
    until: float


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Options to be decided on the words of a language under some fixings, all ReLUs taken out.

    `sure`: on each of its words the hard choices taken out are surely as was put in, or as good as.
    """

    network: Network
    options: Options
    language: Automaton
    paths: Graph
    sure: bool = True


def pieces(
    network: Network, options: Options, language: Automaton, paths: Graph
) -> Iterator[Piece]:
    """The pieces of a class of words, each of which has to hold.

    Raises `NotSeparable`, and `Late` when the time is up.
    """
    if monotonic() > network.until:
        raise Late
    bent = first_relus(network.circuit, options, network.word, network.alphabet.fixed)
    if not bent:
        yield Piece(network, options, language, paths)
        return
    found = signs(network, bent, paths)
    for places in same_signs(found):
        some = narrowed_to(paths, places)
        known = replace(found, active=found.active[:, places], idle=found.idle[:, places])
        if known.doubtful.size > MOST_DOUBTFUL:
            for half in halves(known, language, network.alphabet):
                inside = graph(half, network.alphabet, some.fixings)
                yield from pieces(network, options, half, inside)
            continue
        for phases, assumed in assumptions(network.circuit, bent, known):
            straight = straightened(network.circuit, options, phases, assumed)
            (word,) = straight.circuit.inputs.values()
            inner = replace(network, circuit=straight.circuit, word=word)
            yield from pieces(inner, straight.options, language, some)


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """For each entry of some ReLUs, end to end, and each fixing: what is known of its operand.

    `active`: it is never below zero, `idle`: never above; `weights` [entry, position, letter, fixing]
    is what each letter adds to it, denominators aside.
    """

    active: BoolArray
    idle: BoolArray
    weights: FloatArray

    @property
    def doubtful(self) -> IntArray:
        """The entries that are neither, under the first fixing."""
        return np.flatnonzero(~self.active[:, 0] & ~self.idle[:, 0])


def signs(network: Network, bent: Sequence[Wire], paths: Graph) -> Signs:
    """What shortest paths say of the operands of ReLUs."""
    clauses, wider = operand_signs(network.circuit, bent)
    sums = split(wider, network.word, clauses, network.alphabet.fixed)
    field = field_of(sums, network.weights, network.word, network.alphabet)
    held: dict[Clause, BoolArray] = {}
    weights: dict[Clause, FloatArray] = {}
    for asked in rivals(field, clauses):
        known = asked.holds(asked.least(paths))
        for row, literal in enumerate(asked.literals):
            held[(literal,)] = known[row]
            weights[(literal,)] = asked.more.low[literal.more.place][:, :, paths.fixings]
    half = len(clauses) // 2
    rows = np.stack([held[clause] for clause in clauses])
    return Signs(rows[:half], rows[half:], np.stack([weights[x] for x in clauses[:half]]))


def halves(known: Signs, language: Automaton, alphabet: Alphabet) -> list[Automaton]:
    """The words parted by what letters stand where it matters most to the doubtful operands.

    Raises `NotSeparable` where there is one word, some of whose operands are about zero.
    """
    weights = known.weights[known.doubtful][..., 0].sum(axis=0)[:-1]
    found = parted(language, weights, alphabet.fixed)
    if not found:
        raise NotSeparable("a ReLU is too close to zero to tell its phase")
    return found


def operand_signs(circuit: Circuit, bent: Sequence[Wire]) -> tuple[list[Clause], Circuit]:
    """That each entry of the ReLUs' operands is not below zero, then that it is not above."""
    b = Builder(list(circuit.ops), list(circuit.types))
    zero = Entry(number(b, 0), 0)
    entries = [
        Entry(op.operand, place)
        for op in (circuit.ops[wire] for wire in bent)
        if isinstance(op, Relu)
        for place in range(circuit.types[op.operand].entries)
    ]
    above = [(Exceeds(x, zero, strict=False),) for x in entries]
    below = [(Exceeds(zero, x, strict=False),) for x in entries]
    return [*above, *below], b.circuit({})


def same_signs(found: Signs) -> list[IntArray]:
    """The places of the fixings, those together under which all ReLUs are alike."""
    columns = np.concatenate([found.active, found.idle]).T
    kinds = np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)
    return [np.flatnonzero(kinds == kind) for kind in range(int(kinds.max(initial=-1)) + 1)]


def assumptions(
    circuit: Circuit, bent: Sequence[Wire], known: Signs
) -> Iterator[tuple[Mapping[Wire, Phases], Mapping[Wire, Phases]]]:
    """Every way in which the ReLUs may be under a fixing, with those phases that are assumed."""
    for chosen in product((False, True), repeat=int(known.doubtful.size)):
        phases, assumed = known.active[:, 0].copy(), np.zeros(len(known.active), np.bool_)
        phases[known.doubtful], assumed[known.doubtful] = chosen, True
        yield cut_up(circuit, bent, phases), cut_up(circuit, bent, assumed)


def cut_up(circuit: Circuit, bent: Sequence[Wire], entries: BoolArray) -> dict[Wire, Phases]:
    """The entries of each ReLU."""
    found: dict[Wire, Phases] = {}
    start = 0
    for wire in bent:
        end = start + circuit.types[wire].entries
        found[wire] = tuple(map(bool, entries[start:end]))
        start = end
    return found
