"""Certificates of claims about a position that is chosen: ties, what is left out, what is forged."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import cast

import numpy as np
import pytest

from circ.compiler.audit.chosen import Scores
from circ.compiler.audit.fixed import Fixed, column, fixed_point
from circ.compiler.audit.floats import Ball, IntArray, float_point
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.region import Region, whole
from circ.compiler.audit.somewhere import somewhere
from circ.compiler.builder import combine, number, take, times
from circ.compiler.finding import Fails, Limits, silent
from circ.compiler.ir import Compare, Lookup, Smooth
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.engines import enumeration
from tests.agreement.certified import accepted, certificate, stamped
from tests.agreement.corruption import Records, joined, put, records
from tests.unit.test_hard_attention import VALUES, Claim

Question = tuple[Obligation, Weights]


def certified(question: Question) -> Records:
    """The lines of a claim's certificate, which holds, fast and exactly."""
    data = certificate(*question)
    assert data is not None
    assert accepted(*question, data)
    assert accepted(*question, data, exact=False)
    return records(data)


def holds(question: Question, lines: Records) -> bool:
    """Whether an audit takes some lines; fast and exactly it says the same."""
    exact = accepted(*question, joined(lines))
    assert accepted(*question, joined(lines), exact=False) == exact
    return exact


def is_false(question: Question) -> bool:
    """Whether some word fails."""
    return isinstance(enumeration.decide(*question, Limits(), silent), Fails)


def with_tensor(question: Question, key: str, values: Sequence[float]) -> Question:
    """A claim about other weights."""
    claim, weights = question
    tensor = Tensor((len(values),), "F64", array("d", values))
    return claim, {**weights, key: tensor}


# --- what has one ---------------------------------------------------------------------------------


def test_very_many_words_have_a_short_certificate() -> None:
    """On 8^32 words the letter of the largest score that occurs is read: a part for each letter."""
    claim = Claim([k / 4 for k in range(8)])
    lines = certified(claim.made(claim.at_most(1.5, claim.read([k / 5 for k in range(8)]))))
    assert lines[0]["words"] == str(8**32)
    (parts,) = parts_in(lines)
    assert [part[1] for part in parts] == [[*range(32)]] * 8
    assert len(joined(lines)) < 100_000


def test_the_letter_that_is_read_may_be_a_state_s() -> None:
    """A word that has a letter of the largest score has it read, wherever it stands."""
    claim = Claim((0.0, 1.0, 0.5)).starting_with(1)
    letter = claim.b.add(Lookup(claim.word, (claim.place,)))
    first = take(claim.b, claim.word, [0])
    certified(claim.made(claim.b.add(Compare("==", letter, first))))


@pytest.mark.parametrize("exponent", [17, 40])
def test_scores_that_are_close_are_told_apart(exponent: int) -> None:
    """Letter 1 scores 10^-40 more than letter 0, or less: only one of two claims has a certificate."""
    more = Fraction(1, 10**exponent)
    for added, wanted in (((Fraction(0), more), True), ((more, Fraction(0)), False)):
        claim = Claim((1.0, 1.0), added, length=4).starting_with(1)
        question = claim.made(claim.at_most(1.0, claim.read((2.0, 1.0))))
        assert (certificate(*question) is not None) == wanted


# --- ties -----------------------------------------------------------------------------------------


def test_a_tie_is_never_taken_as_one_would_like() -> None:
    """Letters 0 and 1 tie. That 1 is read, which is so of the first of them, has no certificate; and
    what was written where letter 0 scores more does not hold of the tie."""
    lone = tied_claim((1.5, 1.0, 0.0))
    tied = with_tensor(lone, "m/0", (1.0, 1.0, 0.0))
    lines = certified(lone)
    assert is_false(tied)
    assert certificate(*tied) is None
    assert not holds(tied, stamped(lines, *tied))


def tied_claim(scores: Sequence[float]) -> Question:
    """That on words of three letters that start with the first, what is read is at most 1."""
    claim = Claim(scores, length=3).starting_with(0)
    return claim.made(claim.at_most(1.0, claim.read(VALUES)))


def test_the_word_of_a_tie_is_in_the_part_of_each() -> None:
    """Letters 0 and 1 tie, and a word that starts with 0 may be read at a 1 that comes later."""
    for scores, wanted in (((1.5, 1.0), True), ((1.0, 1.0), False)):
        claim = Claim(scores, length=3)
        letter = claim.b.add(Lookup(claim.word, (claim.place,)))
        first = take(claim.b, claim.word, [0])
        claim.starting_with(0)
        question = claim.made(claim.b.add(Compare("==", letter, first)))
        assert (certificate(*question) is not None) == wanted
        assert is_false(question) != wanted


def test_roots_that_may_be_equal_are_a_tie() -> None:
    """√3 and √12/2 are equal, but no enclosure says so: either may be read."""
    for bound, wanted in ((2.0, True), (1.5, False)):
        claim = Claim((3.0, 12.0), length=4).starting_with(1)
        roots = claim.b.add(Smooth("sqrt", claim.scores))
        halves = claim.b.add(Lookup(claim.tensor((1.0, 0.5)), (claim.word,)))
        claim.scores = times(claim.b, roots, halves)
        question = claim.made(claim.at_most(bound, claim.read((2.0, 1.0))))
        assert (certificate(*question) is not None) == wanted


def test_what_is_not_read_must_be_defined() -> None:
    """Letter 1 is never read, but 1/0 stands there."""
    claim = Claim((1.0, 0.0), length=4).starting_with(0)
    row = claim.b.add(Lookup(claim.tensor((1.0, 0.0)), (claim.word,)))
    value = claim.b.add(Lookup(claim.b.add(Smooth("recip", row)), (claim.place,)))
    assert certificate(*claim.made(claim.at_most(5.0, value))) is None


def test_a_word_meets_a_condition_whichever_way_ties_break() -> None:
    """Words on which 2 is read have to start with letter 1. A word on which 2 is read by one choice
    only does not show that some word meets the condition."""
    question = conditional()
    lines = certified(question)
    for word, wanted in (((1, 1, 1), True), ((1, 0, 0), False), ((0, 1, 1), False)):
        assert holds(question, [{**lines[0], "witness": list(word)}, *lines[1:]]) == wanted


def conditional() -> Question:
    """That words of which at least 2 is read have a letter 1; letters 0 and 1 tie."""
    claim = Claim((1.0, 1.0, 0.0), length=3)
    read = claim.read((1.0, 2.0, 0.0))
    met = claim.b.add(Compare("<=", number(claim.b, 2), read))
    found = claim.read((1.0, 3.0, 0.0))
    goal = claim.b.add(Compare("<=", number(claim.b, 3), found))
    question, weights = claim.made(goal)
    circuit = replace(question.circuit, outputs={**question.circuit.outputs, "where": met})
    return replace(question, circuit=circuit), weights


# --- what is left out -----------------------------------------------------------------------------

Part = list[object]
Parts = list[Part]


def parts_in(lines: Records) -> list[Parts]:
    """The parts of the choice in each class."""
    return [cast("Parts", cast("dict[str, object]", line["proof"])["parts"]) for line in lines[1:]]


def without_some(lines: Records) -> Iterator[Records]:
    """A certificate without one part, or one row, one index, the letter or the proof of one."""
    for k, parts in enumerate(parts_in(lines), 1):
        path = (k, "proof", "parts")
        for n, part in enumerate(parts):
            yield replaced(lines, path, parts[:n] + parts[n + 1 :])
            for field in (0, 1):
                entries = cast("list[int]", part[field])
                for entry in entries:
                    left = [x for x in entries if x != entry]
                    yield replaced(lines, (*path, n, field), left)
            yield replaced(lines, (*path, n, 2), 0 if part[2] is None else None)
            if part[3] is not None:
                yield replaced(lines, (*path, n, 3), None)


def replaced(lines: Records, path: tuple[object, ...], new: object) -> Records:
    """A certificate with one part replaced."""
    return cast("Records", put(lines, path, new))


@pytest.mark.parametrize("asked", [False, True])
def test_no_choice_can_be_left_out(asked: bool) -> None:
    """Every letter that may be read, at each position, under each letter that asks, is in a part."""
    question = asking_claim() if asked else small_claim()
    lines = certified(question)
    found = list(without_some(lines))
    assert len(found) > 20
    assert not any(holds(question, changed) for changed in found)


def small_claim() -> Question:
    """That of three letters, by whose scores one of four positions is chosen, 1 is read at most."""
    claim = Claim((0.0, 1.0, 0.5), length=4)
    return claim.made(claim.at_most(1.0, claim.read((1.0, 0.5, 0.75))))


def asking_claim() -> Question:
    """As `small_claim`, but the last letter says whether high scores are wanted, or low ones."""
    claim = Claim((0.0, 1.0, 0.5), length=4)
    asks = claim.b.add(Lookup(claim.tensor((1.0, -1.0, 0.25)), (take(claim.b, claim.word, [3]),)))
    claim.scores = times(claim.b, claim.scores, asks)
    return claim.made(claim.at_most(1.0, claim.read((1.0, 0.5, 0.75))))


def test_indices_that_read_otherwise_stay_apart() -> None:
    """What is read at several positions is proved of whatever they say: where the last one says more,
    the proof that took all positions for one does not hold."""
    question, key = placed_claim()
    false = with_tensor(question, key, (0.0, 0.0, 0.0, 1.0))
    lines = certified(question)
    (parts,) = parts_in(lines)
    assert [part[1] for part in parts] == [[0, 1, 2, 3]] * 3
    assert is_false(false)
    assert not holds(false, stamped(lines, *false))


def placed_claim() -> tuple[Question, str]:
    """As `small_claim`, where a number of its own is added at each position, so far 0."""
    claim = Claim((0.0, 1.0, 0.5), length=4)
    row = claim.b.add(Lookup(claim.tensor((1.0, 0.5, 0.75)), (claim.word,)))
    there = claim.tensor((0.0,) * 4)
    value = claim.b.add(Lookup(combine(claim.b, (1, row), (1, there)), (claim.place,)))
    return claim.made(claim.at_most(1.0, value)), f"m/{len(claim.weights) - 1}"


def test_a_proof_of_a_letter_is_of_no_other() -> None:
    """What is shown of the letter that is read does not hold of one of which more is read."""
    question = small_claim()
    lines = certified(question)
    for values in ((1.0, 1.5, 0.75), (1.5, 0.5, 0.75), (1.0, 0.5, 1.25)):
        false = with_tensor(question, "m/1", values)
        assert is_false(false)
        assert not holds(false, stamped(lines, *false))


# --- what the audit makes of scores ---------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_words_with_a_letter_somewhere(seed: int) -> None:
    """Those of an automaton that have the letter at one of the places, no more and no less."""
    region = some_region(seed)
    found = somewhere(region, [1, 3], 1)
    words = {*region.words(1 << 10)}
    assert {*found.words(1 << 10)} == {word for word in words if 1 in (word[1], word[3])}
    assert words


def some_region(seed: int) -> Region:
    """Words of four positions and three letters."""
    chance = np.random.default_rng(seed)
    states = [1, 3, 2, 3, 1]
    steps = [
        chance.integers(DEAD, after, (before, 3)).tolist() for before, after in pairwise(states)
    ]
    steps[0] = [[0, 1, 2]]
    steps[-1] = [[0, 0, 0]] * 3
    return whole(steps, states, 3, None)


@pytest.mark.parametrize("seed", range(12))
def test_every_index_that_may_lead_is_possible(seed: int) -> None:
    """Whatever the scores are within their bounds: the index of a largest is possible, with its letter,
    and the word is left by what is taken from it for this index."""
    chance = np.random.default_rng(seed)
    region = some_region(seed)
    low = chance.integers(0, 4, (4, 3))
    high = low + chance.integers(0, 2, (4, 3))
    scores = Scores((0, 1, 2, 3), tuple(between(low[j], high[j]) for j in range(4)))
    possible = {*scores.possible(region)}
    for word in region.words(1 << 10):
        for taken in product((0, 1), repeat=4):
            score = [(low, high)[up][j][word[j]] for j, up in enumerate(taken)]
            for slot in (j for j in range(4) if score[j] == max(score)):
                assert (0, slot, word[slot]) in possible
                left = scores.below(region, [slot], word[slot])
                assert word in left.words(1 << 10)


def between(low: IntArray, high: IntArray) -> Fixed:
    """Bounds by letter."""
    return column([low.tolist()], [high.tolist()])


def test_what_several_indices_say_is_enclosed() -> None:
    """Of one letter, and between the lowest and the highest: in whole numbers and in float64."""
    whole_numbers, floats = fixed_point(8), float_point()
    one, other = Fixed([[1, 5]], [[2, 6]]), Fixed([[3, 4]], [[3, 9]])
    found = whole_numbers.hull([whole_numbers.at_letter(x, 1) for x in (one, other)])
    assert (found.lo, found.hi) == ([[4]], [[9]])
    balls = [Ball(np.array([[1.0, mid]]), np.full((1, 2), 0.5)) for mid in (5.0, 2.0)]
    hull = floats.hull([floats.at_letter(x, 1) for x in balls])
    assert hull.low.item() <= 1.5
    assert hull.high.item() >= 5.5
