"""A fold that only counts letters reads them in turn, and still their order says nothing."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product
from pathlib import Path
from random import Random

import numpy as np
import pytest

from circ.compiler.builder import Builder, codes
from circ.compiler.finding import Empty, Fails, Holds, Limits, silent
from circ.compiler.ir import Compare, Index, Input, Not, WireType
from circ.compiler.obligation import Obligation
from circ.compiler.readings.fingerprints import fingerprints
from circ.runtime.engines import count_vectors, enumeration
from circ.runtime.engines.count_vectors import Vectors, unordered_vectors
from tests.unit.lowered import lowered

Table = dict[tuple[str, str], str]

LETTERS, STATES, LENGTH = "abc", "pqr", 5

SPEC = """
enum L = {{ a, b, c }}
enum Q = {{ p, q, r }}
circuit state(s: L[5]) -> Q = fold z = p over x in s: match (z, x) {{ {arms} }}
circuit g(s: L[5]) -> real = mean([ [1, -0.5, 0.3][x] for x in s ]) + [0, 0.1, 0.2][s[{place}]]
domain D = {{ s: L[5] | state(s) != r }}
claim one: forall s in D: g(s) < {bound} or state(s) == q
"""


def counting(chance: Random) -> Table:
    """A counter of one letter or of two, modulo 3 or up to 2."""
    counted = chance.choice(["a", "ab", "c"])
    last = chance.choice(["p", "r"])
    after = {"p": "q", "q": "r", "r": last}
    return {(z, x): after[z] if x in counted else z for z, x in product(STATES, LETTERS)}


def any_table(chance: Random) -> Table:
    """A machine of three states."""
    return {key: chance.choice(STATES) for key in product(STATES, LETTERS)}


def claim_beside(table: Table, place: str, bound: str, folder: Path) -> Obligation:
    """A claim about a mean, on the words that a fold accepts; the letter at a place counts more."""
    arms = ", ".join(f"({z}, {x}) => {to}" for (z, x), to in table.items())
    text = SPEC.format(arms=arms, place=place, bound=bound)
    return lowered(text, folder).claim("one")


def state_after(table: Table, word: tuple[str, ...]) -> str:
    """Where a machine ends."""
    state = "p"
    for letter in word:
        state = table[state, letter]
    return state


def blind(table: Table, some: Vectors) -> bool:
    """Whether it ends alike on all orders of the letters that are counted."""
    free = slice(some.fixed == (0,), LENGTH - (some.fixed == (LENGTH - 1,)))
    for word in product(LETTERS, repeat=LENGTH):
        for order in permutations(word[free]):
            other = (*word[: free.start], *order, *word[free.stop :])
            if state_after(table, other) != state_after(table, word):
                return False
    return True


def taken_on(seed: int, folder: Path) -> str:
    """What becomes of a random claim: whether count vectors take it on, and with which answer."""
    chance = Random(seed)
    table = counting(chance) if seed % 2 else any_table(chance)
    place, bound = chance.choice(["0", "-1"]), chance.choice(["0.4", "0.9", "1.5"])
    claim = claim_beside(table, place, bound, folder)
    some = unordered_vectors(claim, {}, Limits())
    if some is None:
        assert not seed % 2, f"claim {seed} counts, and is not seen to"
        return "ordered"
    counts = count_vectors.decide(some, claim, {}, Limits(), silent)
    words = enumeration.decide(claim, {}, Limits(), silent)
    assert isinstance(counts, Holds | Fails | Empty), seed
    assert type(counts) is type(words), seed
    if isinstance(counts, Holds | Fails) and isinstance(words, Holds | Fails):
        assert counts.size == words.size, seed
    if isinstance(counts, Fails) and isinstance(words, Fails):
        assert counts.count == words.count, seed
    if isinstance(counts, Fails) and len(set(table.values())) == len(STATES):
        return "fails, blind" if blind(table, some) else "fails"
    return type(counts).__name__


@pytest.mark.parametrize("start", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in (40, 80))])
def test_a_fold_that_counts_is_decided_by_count_vectors(start: int, tmp_path: Path) -> None:
    """Every counter is seen to be one; what is taken on has the verdict, and the numbers of words, that
    going through all words has. Machines that read an order are left to others."""
    seen = Counter(taken_on(seed, tmp_path) for seed in range(start, start + 40))
    assert seen["ordered"] >= 8, seen
    assert seen["fails, blind"] >= 3, seen


def test_the_letter_that_a_fold_begins_with_may_count(tmp_path: Path) -> None:
    """A machine that tells the first letter from all others is blind to the order of these alone."""
    table = {(z, x): z for z, x in product(STATES, LETTERS)}
    table |= {("p", "a"): "q", ("p", "b"): "r", ("p", "c"): "r"}
    claim = claim_beside(table, "0", "0.9", tmp_path)
    some = unordered_vectors(claim, {}, Limits())
    assert some is not None
    assert some.fixed == (0,)
    assert blind(table, some)


def test_values_that_are_not_known_are_all_different() -> None:
    """Two folds of several entries are not taken for one another, whatever wires they are."""
    b = Builder()
    word = b.add(Input("s", WireType(Index(3), (5,))))
    wires = [b.add(Compare("==", word, codes(b, [k] * 5, 3, (5,)))) for k in range(3)]
    wires += [b.add(Not(wire)) for wire in wires]
    labels = np.zeros((1, 5), np.int64)
    found = fingerprints(b.circuit({}), {}, wires, word, labels, wires)
    every = np.concatenate([found[wire].reshape(4, -1) for wire in wires], axis=1)
    assert np.unique(every, axis=1).shape[1] == 5 * len(wires)
