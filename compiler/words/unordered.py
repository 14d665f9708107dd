"""Whether a claim about a word depends on the order of its letters, one position perhaps aside.

A circuit is tested on the word with two free positions swapped, and with all free positions rotated by
one: these two generate every permutation, so that what neither changes depends on the counts of the
letters there alone. It is not changed if its fingerprints are the same
(`circ.compiler.readings.fingerprints`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np

from circ.compiler.ir import Circuit, Real, Smooth, Wire, operands
from circ.compiler.positions import SEVERAL, places
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.fingerprints import NotSigned, fingerprints, of_all
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import DEAD, Automaton

MOST_PAIRS = 1 << 24
"""States times pairs of letters."""

Fixed = tuple[int, ...]
"""The positions that keep their letters: one, or none."""


def unordered(
    circuit: Circuit,
    weights: Weights,
    word: Wire,
    wanted: Sequence[Wire],
    ways: Sequence[Fixed],
    alike: Collection[Wire] = (),
) -> Fixed | None:
    """The first of these ways such that the order of all other letters changes nothing wanted, if it
    does not change the wires that are `alike`."""
    length = circuit.types[word].entries
    asked = [as_read(length, ()), *(x for fixed in ways for x in generators(length, fixed))]
    try:
        found = fingerprints(circuit, weights, wanted, word, np.stack(asked), alike)
    except NotSigned:
        return None
    roots = [found[wire] for wire in wanted] + partial_operands(circuit, wanted, found)
    for place, fixed in enumerate(ways):
        if all(unchanged(root, [2 * place + 1, 2 * place + 2]) for root in roots):
            return fixed
    return None


def folds(circuit: Circuit, wanted: Sequence[Wire], word: Wire) -> list[Wire]:
    """What is computed of several letters and no number, where a number or nothing more is made of it."""
    reads = places(circuit, wanted, word)
    discrete: set[Wire] = set()
    found = {*wanted}
    for wire in sorted(reads):
        read = operands(circuit.ops[wire])
        if circuit.types[wire].sort != Real() and discrete.issuperset(read):
            discrete.add(wire)
        else:
            found.update(read)
    return sorted(wire for wire in found & discrete if bool((reads[wire] == SEVERAL).any()))


def unordered_classes(language: Automaton, fixed: Fixed) -> bool:
    """Whether the order of all letters, but those that are fixed at an end, changes no word's class.

    The automaton is minimal: two letters in turn lead to one state in both orders, or some way to go on
    tells the orders apart. Every order comes of swaps of neighbours.
    """
    for position, (first, second) in enumerate(pairwise(language.steps)):
        if position in fixed or position + 1 in fixed:
            continue
        if first.size * first.shape[1] > MOST_PAIRS:
            return False
        dead = np.full((1, second.shape[1]), DEAD)  # where DEAD leads, as the last row
        both = np.concatenate([second, dead])[first]
        if not np.array_equal(both, both.transpose(0, 2, 1)):
            return False
    return True


def as_read(length: int, moved: Sequence[int]) -> IntArray:
    """Which letter is read at each position where these take the place of one another in a circle."""
    found = np.arange(length, dtype=np.int64)
    found[list(moved)] = found[[*moved[1:], *moved[:1]]]
    return found


def generators(length: int, fixed: Fixed) -> list[IntArray]:
    """The swap of the first two free positions, and the rotation of all."""
    free = [position for position in range(length) if position not in fixed]
    return [as_read(length, free[:2]), as_read(length, free)]


def unchanged(root: IntArray, places: Sequence[int]) -> bool:
    """Whether these fingerprints of a batch are those of the word as it is."""
    return root.shape[-1] == 1 or bool((root[..., places] == root[..., :1]).all())


def partial_operands(
    circuit: Circuit, wanted: Sequence[Wire], found: dict[Wire, IntArray]
) -> list[IntArray]:
    """What 1/x and √x are taken of, in whatever order: whether that is defined may not change either."""
    operands = [
        found[op.operand]
        for op in (circuit.ops[wire] for wire in sorted(live(circuit, wanted)))
        if isinstance(op, Smooth) and op.function != "exp"
    ]
    return [of_all("defined", x.reshape(x.shape[0], -1, x.shape[-1])) for x in operands]
