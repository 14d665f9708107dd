"""Claims about one position that a head reads, over long words: ties, close scores, what is read."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product
from time import monotonic

import numpy as np
import pytest

from circ.compiler.builder import Builder, codes, combine, number, reals, take, times, truth
from circ.compiler.finding import Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import Argmax, Compare, Input, Lookup, Smooth, Weight, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.verdict import Refuted
from circ.compiler.words.automaton import DEAD, Automaton, minimal
from circ.compiler.words.narrower import with_letter_at, with_letters_of
from circ.runtime.engines import automata
from circ.runtime.prover import prove
from tests.agreement.heads import word
from tests.unit.obligations import NOWHERE

LENGTH = 32


class Claim:
    """A claim about the position of the largest score, made letter by letter.

    A letter has a `score`, to which what is `added` is added in exact arithmetic.
    """

    def __init__(
        self, scores: Sequence[float], added: Sequence[Fraction] = (), length: int = LENGTH
    ) -> None:
        self.b, self.letters, self.length = Builder(), len(scores), length
        self.weights: dict[str, Tensor] = {}
        self.word = self.b.add(Input("s", word(self.letters, length).type))
        table = self.tensor(scores)
        if added:
            table = combine(self.b, (1, table), (1, reals(self.b, added, (self.letters,))))
        self.scores = self.b.add(Lookup(table, (self.word,)))
        self.domain = truth(self.b, True)

    def tensor(self, values: Sequence[float]) -> Wire:
        """A tensor of the checkpoint."""
        key = f"m/{len(self.weights)}"
        self.weights[key] = Tensor((len(values),), "F64", array("d", values))
        return self.b.add(Weight(key, (len(values),)))

    @property
    def place(self) -> Wire:
        """The position that is read."""
        return self.b.add(Argmax(self.scores))

    def read(self, values: Sequence[float]) -> Wire:
        """What is read, where each letter has a value."""
        row = self.b.add(Lookup(self.tensor(values), (self.word,)))
        return self.b.add(Lookup(row, (self.place,)))

    def starting_with(self, letter: int) -> Claim:
        """The claim about words that start so."""
        first, wanted = take(self.b, self.word, [0]), codes(self.b, [letter], self.letters, ())
        self.domain = self.b.add(Compare("==", first, wanted))
        return self

    def at_most(self, bound: float, x: Wire) -> Wire:
        """Whether a number is no larger."""
        return self.b.add(Compare("<=", x, number(self.b, Fraction(bound))))

    def made(self, goal: Wire) -> tuple[Obligation, Weights]:
        """The claim, and the weights it is about."""
        circuit = self.b.circuit({"in s": self.domain, "goal": goal})
        bound = word(self.letters, self.length)
        return Obligation("c", "forall", circuit, (bound,), NOWHERE), self.weights


def found(claim: Claim, goal: Wire) -> Finding:
    """What shortest paths say."""
    return automata.decide(*claim.made(goal), Limits(), silent)


VALUES = (1.0, 2.0, -1.0)


# --- ties ----------------------------------------------------------------------------------------


def test_what_one_choice_makes_true_is_not_proved() -> None:
    """Letters 0 and 1 tie. Whoever chooses the first of them reads 1 off a word that starts with 0;
    who chooses another may read 2. So that 1 is read is refuted, and the replay says by a tie."""
    claim = Claim((1.0, 1.0, 0.0)).starting_with(0)
    claim_of_one = claim.at_most(1.0, claim.read(VALUES))
    verdict = prove(*claim.made(claim_of_one))
    assert isinstance(verdict, Refuted)
    assert verdict.example is not None
    assert verdict.example.replay.tie


def test_what_every_choice_makes_true_is_proved() -> None:
    """Neither of the letters that tie is read as more than 2, or as -1: on no word, by no choice."""
    claim = Claim((1.0, 1.0, 0.0)).starting_with(0)
    assert isinstance(found(claim, claim.at_most(2.0, claim.read(VALUES))), Holds)
    claim = Claim((1.0, 1.0, 0.0)).starting_with(0)
    least = found(claim, claim.at_most(-1.0, claim.read((-1.0, -2.0, 5.0))))
    assert isinstance(least, Holds)
    assert least.margin == pytest.approx(0, abs=1e-9)


def test_the_position_chosen_is_one_of_those_that_tie() -> None:
    """A word that starts with a letter of the largest score need not be read there, nor elsewhere."""
    for place in (0, 1, LENGTH - 1):
        claim = Claim((1.0, 1.0, 0.0)).starting_with(0)
        here = claim.b.add(Compare("==", claim.place, codes(claim.b, [place], LENGTH, ())))
        assert isinstance(found(claim, here), Fails)


# --- scores that are close ----------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [17, 40])
def test_scores_that_float64_does_not_tell_apart(exponent: int) -> None:
    """Letter 1 scores 10^-17 more than letter 0: where it occurs, it is read. Not the other way."""
    more = Fraction(1, 10**exponent)
    for added, wanted in (((Fraction(0), more), Holds), ((more, Fraction(0)), Fails)):
        claim = Claim((1.0, 1.0), added).starting_with(1)
        letter = claim.b.add(Lookup(claim.word, (claim.place,)))
        one = claim.b.add(Compare("==", letter, codes(claim.b, [1], 2, ())))
        assert isinstance(found(claim, one), wanted)


@pytest.mark.slow
def test_what_exact_arithmetic_does_not_tell_apart_is_open() -> None:
    """√e² and √e⁴ e⁻¹ are equal, but no closed form says so: which of the two is read is not known."""
    claim = Claim((3.0, 12.0)).starting_with(1)
    powers = (
        claim.b.add(Smooth("exp", claim.b.add(Lookup(claim.tensor(some), (claim.word,)))))
        for some in ((2.0, 4.0), (0.0, -1.0))
    )
    claim.scores = times(claim.b, claim.b.add(Smooth("sqrt", next(powers))), next(powers))
    unknown = found(claim, claim.at_most(1.5, claim.read((2.0, 1.0))))
    assert isinstance(unknown, Stuck)
    assert isinstance(found(claim, claim.at_most(2.0, claim.read((2.0, 1.0)))), Holds)


def test_roots_that_are_equal_tie() -> None:
    """√3 and √12/2 are equal, which their closed forms say: either may be read, so that 2 may be."""
    claim = Claim((3.0, 12.0)).starting_with(1)
    roots = claim.b.add(
        Smooth("sqrt", claim.b.add(Lookup(claim.tensor((3.0, 12.0)), (claim.word,))))
    )
    halves = claim.b.add(Lookup(claim.tensor((1.0, 0.5)), (claim.word,)))
    claim.scores = times(claim.b, roots, halves)
    failing = found(claim, claim.at_most(1.5, claim.read((2.0, 1.0))))
    assert isinstance(failing, Fails)
    assert isinstance(found(claim, claim.at_most(2.0, claim.read((2.0, 1.0)))), Holds)


# --- what is read -------------------------------------------------------------------------------


def test_the_largest_score_that_occurs_is_read() -> None:
    """On 8^32 words the letter of the largest score that occurs is read: the margin is the gap."""
    claim = Claim([k / 4 for k in range(8)]).starting_with(3)
    proof = found(
        claim, claim.at_most(0.5, claim.read([3.0, 2.0, 1.0, 0.25, 0.0, -1.0, 0.25, 0.0]))
    )
    assert isinstance(proof, Holds)
    assert proof.size.exact == 8**31
    assert proof.margin == pytest.approx(0.25)
    claim = Claim([k / 4 for k in range(8)])
    failing = found(
        claim, claim.at_most(0.5, claim.read([3.0, 0.0, 0.0, 0.25, 0.0, -1.0, 0.25, 0.0]))
    )
    assert isinstance(failing, Fails)
    assert set(failing.witness["s"]) == {0}


def test_a_number_that_is_known_has_a_margin_too() -> None:
    """What stands for letter 1 is written in the claim, so that it is known where that is read: the
    least margin is the one there."""
    claim = Claim((1.0, 0.0))
    values = reals(claim.b, (Fraction(2), Fraction(3)), (2,))
    row = claim.b.add(Lookup(values, (claim.word,)))
    proof = found(claim, claim.at_most(3.5, claim.b.add(Lookup(row, (claim.place,)))))
    assert isinstance(proof, Holds)
    assert proof.margin == pytest.approx(0.5)


def test_a_number_that_is_not_read_must_be_defined_all_the_same() -> None:
    """Letter 1 is never read, but a value of 1/0 stands there: nothing is proved."""
    claim = Claim((1.0, 0.0)).starting_with(0)
    row = claim.b.add(Lookup(claim.tensor((1.0, 0.0)), (claim.word,)))
    value = claim.b.add(Lookup(claim.b.add(Smooth("recip", row)), (claim.place,)))
    assert isinstance(found(claim, claim.at_most(5.0, value)), Stuck)


def test_a_score_must_be_defined() -> None:
    """Whatever is read is small enough, but 1/0 is no score."""
    claim = Claim((1.0, 0.0)).starting_with(1)
    claim.scores = claim.b.add(Smooth("recip", claim.scores))
    assert isinstance(found(claim, claim.at_most(5.0, claim.read((1.0, 2.0)))), Stuck)


def test_positions_that_read_alike_are_one_part() -> None:
    """Without positions there is one part for each letter, however long the word is."""
    claim = Claim([k / 4 for k in range(5)])
    question, weights = claim.made(claim.at_most(0.5, claim.read([0.0] * 5)))
    setup = automata.set_up(question, weights, monotonic() + 60)
    assert len(list(automata.parts_of(setup, 0))) == 5


# --- fewer words ----------------------------------------------------------------------------------


def members(language: Automaton, letters: int) -> set[tuple[int, ...]]:
    """The words of a language."""
    words = set[tuple[int, ...]]()
    for some in product(range(letters), repeat=len(language.steps)):
        state = 0 if not language.empty else DEAD
        for step, letter in zip(language.steps, some, strict=True):
            state = DEAD if state == DEAD else int(step[state, letter])
        if state != DEAD:
            words.add(some)
    return words


@pytest.mark.parametrize("seed", range(20))
def test_languages_with_letters_allowed_or_somewhere(seed: int) -> None:
    """The words left are those with letters allowed everywhere, or the letter at one of the places."""
    chance = np.random.default_rng(seed)
    rows = [1, 3, 2, 3, 2]
    steps = [chance.integers(-1, after, (before, 3)) for before, after in pairwise(rows)]
    language = minimal(steps, np.array([0, DEAD]), [()])
    allowed = chance.random((4, 3)) < 0.7
    words = members(language, 3)
    kept = {w for w in words if all(allowed[p, c] for p, c in enumerate(w))}
    assert members(with_letters_of(language, allowed), 3) == kept
    some = {w for w in words if 1 in (w[1], w[3])}
    assert members(with_letter_at(language, [1, 3], 1), 3) == some
