"""The words that a claim is about, listed where its conditions leave few, however many their type has.

What the conditions say of one word alone is an automaton, as far as no network says it. A word that the
automaton has may still be outside of the domain; one that it has not is surely outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import inf, prod

import numpy as np

from circ.compiler.builder import Builder, take
from circ.compiler.ir import All, Circuit, Reindex, Wire, taken_from
from circ.compiler.lower.environment import deep_stack
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.positions import Masks, marked, places
from circ.compiler.readings.elementary import Undefined
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import DEAD, Automaton, automaton
from circ.compiler.words.cases import learned
from circ.compiler.words.layers import Blown
from circ.runtime.engines.words import members, total, words_of

Word = dict[str, tuple[int, ...]]
"""The codes of each binder that ranges over words."""

Entry = tuple[Wire, int]
"""One entry of a wire, row-major."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """So many words of all binders that range over words; `words` has them, where they are few.

    `sifted`: whether automata may have left some out.
    """

    count: int
    words: tuple[Word, ...]
    sifted: bool


def admitted(obligation: Obligation, weights: Weights, most: int, until: float = inf) -> Admitted:
    """The words of a claim, at most so many; `until` is in seconds of `time.monotonic`."""
    bounds = [bound for bound in obligation.binders if isinstance(bound.values, Words)]
    count = total(bounds)
    if count <= most:
        return Admitted(count, combined(bounds, [every(bound) for bound in bounds]), sifted=False)
    kept = [(bound, language(obligation, weights, bound, until)) for bound in bounds]
    count = prod(words_of(bound) if known is None else known.count() for bound, known in kept)
    if count > most:
        return Admitted(count, (), sifted=True)
    choices = [every(bound) if known is None else accepted(known) for bound, known in kept]
    return Admitted(count, combined(bounds, choices), sifted=True)


def every(bound: Bound) -> Iterator[tuple[int, ...]]:
    """Each word of a binder, conditions aside."""
    return product(range(members(bound)), repeat=bound.type.entries)


def combined(bounds: list[Bound], choices: list[Iterator[tuple[int, ...]]]) -> tuple[Word, ...]:
    """Each word of each binder, with each of the others."""
    names = [bound.name for bound in bounds]
    return tuple(dict(zip(names, word, strict=True)) for word in product(*choices))


def accepted(language: Automaton) -> Iterator[tuple[int, ...]]:
    """The words of an automaton, in lexicographic order."""
    begun: list[tuple[tuple[int, ...], int]] = [] if language.empty else [((), 0)]
    for step in language.steps:
        begun = [
            ((*word, letter), int(step[state, letter]))
            for word, state in begun
            for letter in np.flatnonzero(step[state] != DEAD).tolist()
        ]
    return (word for word, _ in begun)


# --- what is said of one word -----------------------------------------------------------------


def language(
    obligation: Obligation, weights: Weights, bound: Bound, until: float
) -> Automaton | None:
    """The words of a binder that meet what is said of it alone; None where that is too large."""
    circuit, wires = told(obligation, bound)
    word = circuit.inputs[bound.name]
    network = learned(circuit, places(circuit, wires, word))
    plain = [wire for wire in wires if wire not in network]
    if not plain:
        return None
    try:
        with deep_stack(), np.errstate(all="ignore"):
            return automaton(circuit, weights, word, plain, [], until)
    except (Blown, Undefined):
        return None


def told(obligation: Obligation, bound: Bound) -> tuple[Circuit, list[Wire]]:
    """The conditions' parts that read this binder and no other, as scalar truths of a circuit."""
    circuit = obligation.circuit
    roots = [circuit.outputs[name] for name in obligation.conditions]
    reads = readers(circuit, roots, bound)
    parts = [part for root in roots for part in conjuncts(circuit, root, 0)]
    alone = [(wire, place) for wire, place in parts if reads[wire].reshape(-1)[place] == OWN]
    b = Builder(list(circuit.ops), list(circuit.types))
    wires = [taken(b, entry) for entry in dict.fromkeys(alone)]
    return b.circuit(circuit.outputs), wires


OWN, OTHERS = 1, 2
"""Marks of what reads the binder that is asked about, and of what reads another one."""


def readers(circuit: Circuit, roots: list[Wire], bound: Bound) -> dict[Wire, Masks]:
    """Which binders each entry reads: this one, others, both or none."""
    marks = {
        wire: np.full(
            circuit.types[wire].shape, OWN if name == bound.name else OTHERS, dtype=np.int64
        )
        for name, wire in circuit.inputs.items()
    }
    return marked(circuit, roots, marks)


def conjuncts(circuit: Circuit, wire: Wire, place: int) -> Iterator[Entry]:
    """The truths that all have to hold where this entry does."""
    match circuit.ops[wire]:
        case All(operand=x):
            side = circuit.types[x].shape[-1]
            for k in range(side):
                yield from conjuncts(circuit, x, place * side + k)
        case Reindex() as op:
            yield from conjuncts(circuit, *taken_from(op, place, circuit.types))
        case _:
            yield wire, place


def taken(b: Builder, entry: Entry) -> Wire:
    """An entry as a scalar."""
    wire, place = entry
    index = np.unravel_index(place, b.shape(wire))
    return take(b, wire, [int(i) for i in index])
