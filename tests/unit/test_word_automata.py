"""Discrete functions of words as automata: the right words, the right classes, counted exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from circ.compiler.builder import Builder, codes, combine, number, reals, take, truth
from circ.compiler.ir import Compare, Index, Input, Lookup, Select, Wire, WireType
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.words.alike import FACTORS, alike
from circ.compiler.words.automaton import Automaton, automaton
from circ.compiler.words.layers import Blown
from circ.runtime.engines.alternatives import parted
from circ.runtime.engines.climbing import allowed, climbed
from circ.runtime.engines.sides import Sides
from tests.agreement.heads import claim_about_a_head, word


def accepted(machine: Automaton, letters: tuple[int, ...]) -> tuple[int, ...] | None:
    """The outputs for one word, None where the machine does not accept it."""
    state = 0
    if machine.empty:
        return None
    for step, letter in zip(machine.steps, letters, strict=True):
        state = int(step[state, letter])
        if state < 0:
            return None
    return machine.outputs[state]


@pytest.mark.parametrize("seed", range(40))
def test_a_machine_does_what_the_circuit_does(seed: int) -> None:
    """Word by word it accepts what meets the domain, in the class that the reference computes.

    And its count is that of the words it accepts, in all and class by class.
    """
    claim, weights = claim_about_a_head(seed)
    circuit, (bound,) = claim.circuit, claim.binders
    folds = [
        Wire(number)
        for number, op in enumerate(circuit.ops)
        if isinstance(op, Lookup) and circuit.types[number] == WireType(Index(3), ())
    ][-2:]
    domain = circuit.outputs["in s"]
    machine = automaton(circuit, weights, circuit.inputs["s"], [domain], folds)
    outputs = {"in": domain, **{str(wire): wire for wire in folds}}
    asked = type(circuit)(circuit.ops, circuit.types, outputs)
    kinds: dict[tuple[int, ...], int] = {}
    assert isinstance(bound.type.sort, Index)
    for letters in product(range(bound.type.sort.size), repeat=bound.type.entries):
        found = enclose(asked, at_point(asked, {"s": letters}), weights)
        entries = [known.sets[0] for known in found.values() if isinstance(known, Choices)]
        inside, *values = [min(options) for options in entries]
        expected = tuple(values) if inside else None
        assert accepted(machine, letters) == expected
        if expected is not None:
            kinds[expected] = kinds.get(expected, 0) + 1
    assert machine.count() == sum(kinds.values())
    counted = {out: machine.of_class(k).count() for k, out in enumerate(machine.outputs)}
    assert counted == kinds


def counting(length: int, letters: int, most: int) -> tuple[Builder, Wire, Wire]:
    """Words in which letter 0 occurs at most so often."""
    b = Builder()
    s = b.add(Input("s", word(letters, length).type))
    same = [
        b.add(Compare("==", take(b, s, [p]), codes(b, [0], letters, ()))) for p in range(length)
    ]
    count = combine(b, *((1, b.add(Select(x, number(b, 1), number(b, 0)))) for x in same))
    return b, s, b.add(Compare("<=", count, number(b, most)))


def test_a_machine_is_as_small_as_can_be() -> None:
    """Of words with at most two letters 0 a prefix has to remember how many it has.

    That is 0, 1 or 2, and before the last letter only whether one more may come.
    """
    b, s, few = counting(30, 5, 2)
    machine = automaton(b.circuit({}), {}, s, [few], [])
    assert [step.shape[0] for step in machine.steps] == [1, 2, *[3] * 27, 2]
    assert machine.count() == sum(c * 4 ** (30 - k) for k, c in enumerate((1, 30, 435)))


def test_words_with_given_letters() -> None:
    """Narrowing a position to some letters leaves the words that have one of them there."""
    b, s, few = counting(4, 3, 1)
    machine = automaton(b.circuit({}), {}, s, [few], [])
    narrowed = machine.with_letters(2, np.array([0]))
    for letters in product(range(3), repeat=4):
        inside = letters[2] == 0 and letters.count(0) <= 1
        assert (accepted(narrowed, letters) is not None) == inside
    assert narrowed.with_letters(1, np.array([0])).empty
    assert accepted(narrowed, narrowed.some_word()) is not None


def test_an_empty_language_is_empty() -> None:
    """Where no word meets the condition there is no state, no class and no word."""
    b, s, _ = counting(4, 3, 1)
    never = truth(b, False)
    machine = automaton(b.circuit({}), {}, s, [never], [])
    assert machine.empty
    assert machine.count() == 0


def test_too_many_states_are_refused() -> None:
    """A fold that remembers the whole word has no automaton of reasonable size; it says where."""
    length, letters = 20, 4
    b = Builder()
    s = b.add(Input("s", word(letters, length).type))
    scores = b.add(Lookup(reals(b, map(Fraction, range(letters)), (letters,)), (s,)))
    total = combine(b, *((4**p, take(b, scores, [p])) for p in range(length)))
    condition = b.add(Compare("<=", total, number(b, 5)))
    with pytest.raises(Blown, match="states after"):
        automaton(b.circuit({}), {}, s, [condition], [])
    with pytest.raises(Blown, match="time ran out at letter 6 "):
        automaton(b.circuit({}), {}, s, [condition], [], until=0.0)


def test_rows_that_hash_alike_are_told_apart() -> None:
    """Equal rows are one kind, others are not, even where their hashes collide."""
    rows = np.random.default_rng(1).integers(0, 3, (500, 4))
    first, kinds = alike(rows)
    for i, row in enumerate(rows.tolist()):
        assert rows[first[kinds[i]]].tolist() == row
    assert first.size == len({tuple(row) for row in rows.tolist()})
    collide = np.array([[FACTORS[1], 0], [0, FACTORS[0]]])
    assert alike(collide)[0].size == 2


def test_a_largest_letter_needs_one_state_for_each_letter() -> None:
    """`max` over a word is a machine whose classes are the letters."""
    b = Builder()
    s = b.add(Input("s", word(4, 5).type))
    larger = codes(b, [max(i, j) for i in range(4) for j in range(4)], 4, (4, 4))
    best = take(b, s, [0])
    for p in range(1, 5):
        best = b.add(Lookup(larger, (best, take(b, s, [p]))))
    machine = automaton(b.circuit({}), {}, s, [], [best])
    assert sorted(machine.outputs) == [(0,), (1,), (2,), (3,)]
    assert [step.shape[0] for step in machine.steps] == [1, 4, 4, 4, 4]
    counts = {out: machine.of_class(k).count() for k, out in enumerate(machine.outputs)}
    assert counts == {(k,): (k + 1) ** 5 - k**5 for k in range(4)}


def test_words_are_parted_in_two() -> None:
    """Divided by the letters at a position, every word is in one half and none in both.

    The position is the one where the weights of its letters differ most, and none that is kept.
    """
    b, s, few = counting(4, 3, 1)
    machine = automaton(b.circuit({}), {}, s, [few], [])
    weights = np.array([[0.0, 0, 0], [0, 5, 2], [0, 9, 1], [0, 0, 3]])
    for kept, position in (((), 2), ((2,), 1)):
        low, high = parted(machine, weights, kept)
        assert low.count() + high.count() == machine.count()
        for letters in product(range(3), repeat=4):
            first = accepted(low, letters) is not None
            second = accepted(high, letters) is not None
            assert (first or second) == (accepted(machine, letters) is not None)
            assert not (first and letters[position] == 1)
            assert not (second and letters[position] == 0)


def test_one_word_is_not_parted() -> None:
    """Where no position has two letters there is nothing to divide."""
    b, s, few = counting(2, 2, 2)
    machine = automaton(b.circuit({}), {}, s, [few], [])
    one = machine.with_letters(0, np.array([1])).with_letters(1, np.array([0]))
    assert parted(one, np.zeros((2, 2))) == []
    assert parted(machine, np.zeros((2, 2)), (0, 1)) == []


def test_words_are_parted_at_the_widest_gap() -> None:
    """A letter that outweighs all others stands alone, however many others there are."""
    b, s, few = counting(3, 5, 3)
    machine = automaton(b.circuit({}), {}, s, [few], [])
    weights = np.zeros((3, 5))
    weights[1] = [0.1, 0.3, 90, 0.2, 0]
    low, high = parted(machine, weights)
    assert accepted(high, (0, 2, 0)) is not None
    assert accepted(low, (0, 2, 0)) is None
    assert all(accepted(high, (0, letter, 0)) is None for letter in (0, 1, 3, 4))


def test_words_climb_inside_their_language() -> None:
    """A letter may be changed where the machine accepts what comes of it; the best change is made.

    So the greatest margin never rises, and where the climb ends no single change lowers it.
    """
    b, s, few = counting(4, 3, 2)
    machine = automaton(b.circuit({}), {}, s, [few], [])
    rng = np.random.default_rng(0)
    low = rng.normal(size=(2, 5, 3))
    weight = np.append(rng.uniform(1, 2, (4, 3)), np.zeros((1, 3)), axis=0)
    sides = Sides(low, low, weight)
    language = [w for w in product(range(3), repeat=4) if accepted(machine, w) is not None]
    words = np.array(language).T
    open_to = allowed(machine, words)
    ends = climbed(sides, machine, words)
    for k, letters in enumerate(language):
        for position, letter in product(range(4), range(3)):
            other = (*letters[:position], letter, *letters[position + 1 :])
            assert open_to[position, letter, k] == (other in language)
    value = {w: float(sides.values(np.array([w]).T).max()) for w in language}
    reached: list[list[int]] = ends.T.tolist()
    for start, end in zip(language, map(tuple, reached), strict=True):
        assert value[end] <= value[start]
        for position, letter in product(range(4), range(3)):
            other = (*end[:position], letter, *end[position + 1 :])
            assert value.get(other, np.inf) >= value[end] - 1e-12
