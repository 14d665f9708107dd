"""Deciding over all words where the order of their letters says nothing, one position perhaps aside.

What sees a word only through how often each letter occurs (mean attention, sums over positions, and
whatever is computed of them) is decided on one word for each *count vector*: the sorted one. It stands
for all its arrangements, whose number is a multinomial coefficient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb
from time import monotonic

import numpy as np
import numpy.typing as npt

from circ.compiler.finding import Finding, Limits, Progress, Stuck
from circ.compiler.ir import Circuit, Wire
from circ.compiler.lower.environment import deep_stack
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import Discrete
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import automaton
from circ.compiler.words.layers import Blown
from circ.compiler.words.unordered import Fixed, folds, unordered, unordered_classes
from circ.runtime.engines import enumeration
from circ.runtime.engines.batches import batch_size
from circ.runtime.engines.enumeration import Tried, asked, concluded
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.words import Source, codes, members, spelled

METHOD = "enumeration of count vectors"
TRUSTED = (*enumeration.TRUSTED, "the fingerprints of circuits")

MOST = 1 << 62
"""Count vectors have numbers that int64 holds."""


def unordered_vectors(obligation: Obligation, weights: Weights, limits: Limits) -> Vectors | None:
    """The count vectors that a claim about one word sees of it, with one position told apart if need
    be; None where it sees more, or there are more of them than may be gone through."""
    if len(obligation.binders) != 1 or not isinstance(obligation.binders[0].values, Words):
        return None
    (bound,) = obligation.binders
    length, most = bound.type.entries, min(limits.words, MOST)
    ways = [fixed for fixed in ((), (length - 1,), (0,)) if length - len(fixed) > 1]
    ways = [fixed for fixed in ways if vectors(bound, fixed).count <= most]
    if not ways:
        return None
    circuit = narrowed(obligation.circuit, [*obligation.conditions, "goal", *watched(obligation)])
    wanted, word = [*circuit.outputs.values()], circuit.inputs[bound.name]
    with deep_stack():
        fixed = unordered(circuit, weights, word, wanted, ways)
        if fixed is None:
            fixed = beside_classes(circuit, weights, word, ways, limits)
    return None if fixed is None else vectors(bound, fixed)


def beside_classes(
    circuit: Circuit, weights: Weights, word: Wire, ways: Sequence[Fixed], limits: Limits
) -> Fixed | None:
    """As `unordered`, where folds and the like read the letters in turn and still only count them."""
    wanted = [*circuit.outputs.values()]
    known = folds(circuit, wanted, word)
    kept = [x for x in ways if unordered(circuit, weights, word, wanted, [x], known) == x]
    if not kept:
        return None
    until = monotonic() + limits.timeout / 8
    try:
        language = automaton(circuit, weights, word, [], known, until)
    except Blown:
        return None
    return next((fixed for fixed in kept if unordered_classes(language, fixed)), None)


def watched(obligation: Obligation) -> Iterator[str]:
    """What a claim is also asked about: whether its premise ever holds, and its arms are reached."""
    names = obligation.circuit.outputs
    return (name for name in names if name == "premise" or name[:4] == "arm ")


def decide(
    some: Vectors, obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Finding:
    """Whether every word that meets the conditions meets the goal, as by enumeration of all words.

    `some` are the claim's `unordered_vectors`. One word is listed of each that fails; `count` and
    `size` are numbers of words.
    """
    step = batch_size(obligation.circuit, [*obligation.conditions, "goal"])
    source = representatives(some, step)
    try:
        report = asked(obligation, weights, source, limits, progress)
    except KeyboardInterrupt:
        return Stuck("interrupted before any word was decided", METHOD, interrupted=True)
    how = f"enumeration of {source.count:,} count vectors, one word of each,"
    return concluded(obligation, Tried(source, report, how, trusted=TRUSTED), limits)


# --- count vectors ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Vectors:
    """Count vectors of the positions that are not `fixed`, with each way to fill those that are."""

    bound: Bound
    size: int
    fixed: Fixed

    @property
    def length(self) -> int:
        """How many positions a word has."""
        return self.bound.type.entries

    @property
    def free(self) -> int:
        """How many positions are counted."""
        return self.length - len(self.fixed)

    @property
    def fillings(self) -> int:
        """How many ways there are to fill the fixed positions."""
        return int(self.size ** len(self.fixed))

    @property
    def count(self) -> int:
        """How many there are."""
        return comb(self.free + self.size - 1, self.free) * self.fillings


def vectors(bound: Bound, fixed: Fixed) -> Vectors:
    """The count vectors of a binder's words."""
    return Vectors(bound, members(bound), fixed)


def counts_of(some: Vectors, ranks: IntArray) -> IntArray:
    """How often each letter occurs in the sorted words of these ranks, [letter, word].

    Of the letters from v on, those after v fill s positions or fewer in C(s + k, k) ways, k being how
    many letters come after v: so s is found by looking the rank up.
    """
    found = np.zeros((some.size, ranks.size), np.int64)
    left, rank = np.full(ranks.size, some.free), ranks
    for letter in range(some.size - 1):
        after = some.size - 1 - letter
        ways = np.array([0, *(comb(s + after, after) for s in range(some.free + 1))], np.int64)
        rest = np.searchsorted(ways, rank, side="right") - 1
        found[letter], left, rank = left - rest, rest, rank - ways[rest]
    found[-1] = left
    return found


def words_for(some: Vectors, numbers: IntArray) -> IntArray:
    """The words that stand for these count vectors, [position, word]."""
    ranks, filling = np.divmod(numbers, some.fillings)
    counts = counts_of(some, ranks)
    letters = np.tile(np.arange(some.size), numbers.size)
    found = np.empty((some.length, numbers.size), np.int64)
    free = [position for position in range(some.length) if position not in some.fixed]
    found[free] = np.repeat(letters, counts.T.reshape(-1)).reshape(numbers.size, -1).T
    found[list(some.fixed)] = codes(filling, some.size, len(some.fixed))
    return found


def arrangements(some: Vectors, numbers: IntArray) -> int:
    """How many words have one of these count vectors: a sum of multinomial coefficients."""
    rows = [[comb(n, k) for k in range(some.free + 1)] for n in range(some.free + 1)]
    choices: npt.NDArray[np.object_] = np.array(rows, np.object_)  # integers of any size
    left, ways = np.full(numbers.size, some.free), np.ones(numbers.size, np.object_)
    for count in counts_of(some, numbers // some.fillings):
        ways, left = np.multiply(ways, choices[left, count]), left - count
    return int(ways.sum())


def representatives(some: Vectors, step: int) -> Source:
    """A word for each count vector, in batches of `step`."""
    bound = some.bound

    def batch(start: int, stop: int) -> dict[str, Discrete]:
        words = words_for(some, np.arange(start, stop))
        return {bound.name: Discrete(words.reshape(*bound.type.shape, stop - start))}

    def point(number: int) -> dict[str, list[int]]:
        return {bound.name: words_for(some, np.array([number]))[:, 0].tolist()}

    return Source(
        count=some.count,
        step=step,
        batch=batch,
        point=point,
        witnesses=lambda numbers: spelled({bound.name: words_for(some, numbers)}),
        stands_for=lambda numbers: arrangements(some, numbers),
        noun="count vectors",
    )
