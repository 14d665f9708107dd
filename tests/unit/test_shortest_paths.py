"""Claims about one attention head over long words: ties, conditions, what is discrete."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from fractions import Fraction

from circ.compiler.builder import (
    Builder,
    both,
    codes,
    combine,
    either,
    matmul,
    number,
    reals,
    take,
    truth,
)
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import (
    Argmax,
    Compare,
    Input,
    Lookup,
    Not,
    Softmax,
    Weight,
    Wire,
)
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor
from circ.compiler.verdict import Refuted
from circ.runtime.engines import automata
from circ.runtime.prover import prove
from tests.agreement.heads import word
from tests.unit.obligations import NOWHERE

LENGTH, LETTERS = 30, 3
Goal = Callable[[Builder, Wire, Wire], Wire]


def claim(
    goal: Goal, where: Goal | None = None, mean: bool = False
) -> tuple[Obligation, dict[str, Tensor]]:
    """A claim about the three logits of a head; those of letters 0 and 1 are always equal."""
    b = Builder()
    weights: dict[str, Tensor] = {}

    def tensor(*rows: tuple[float, ...]) -> Wire:
        key, shape = f"m/{len(weights)}", (len(rows), len(rows[0]))
        weights[key] = Tensor(shape, "F32", array("d", [x for row in rows for x in row]))
        return b.add(Weight(key, shape))

    s = b.add(Input("s", word(LETTERS, LENGTH).type))
    x = b.add(Lookup(tensor((1.0, 0.5), (-0.25, 1.0), (0.5, -1.0)), (s,)))
    query = matmul(b, tensor((0.5, 1.0), (-1.0, 0.25)), take(b, x, [LENGTH - 1]))
    alike = reals(b, [Fraction(1, LENGTH)] * LENGTH, (LENGTH,))
    read = matmul(b, alike if mean else b.add(Softmax(matmul(b, x, query))), x)
    logits = matmul(b, tensor((1.0, 0.0), (1.0, 0.0), (0.0, 0.25)), read)
    outputs = {
        "in s": truth(b, True),
        "where": truth(b, True) if where is None else where(b, s, logits),
        "goal": goal(b, s, logits),
    }
    bound = word(LETTERS, LENGTH)
    return Obligation("c", "forall", b.circuit(outputs), (bound,), NOWHERE), weights


def found(goal: Goal, where: Goal | None = None, mean: bool = False) -> Finding:
    """What shortest paths say of it."""
    return automata.decide(*claim(goal, where, mean), Limits(), silent)


def below(entry: int, bound: float) -> Goal:
    """Whether a logit is at most so large."""

    def goal(b: Builder, _s: Wire, logits: Wire) -> Wire:
        return b.add(Compare("<=", take(b, logits, [entry]), number(b, Fraction(bound))))

    return goal


def first_is(letter: int) -> Goal:
    """Whether the word starts with a letter."""

    def goal(b: Builder, s: Wire, _logits: Wire) -> Wire:
        return b.add(Compare("==", take(b, s, [0]), codes(b, [letter], LETTERS, ())))

    return goal


def best_is(letter: int) -> Goal:
    """Whether a letter's logit is the largest, as the unknown choice has it."""

    def goal(b: Builder, _s: Wire, logits: Wire) -> Wire:
        best = b.add(Argmax(combine(b, (1, logits), (1, bonus(b)))))
        return b.add(Compare("==", best, codes(b, [letter], LETTERS, ())))

    return goal


def bonus(b: Builder) -> Wire:
    """It lets letters 0 and 1 lead on every word."""
    return reals(b, [Fraction(9), Fraction(9), Fraction(0)], (LETTERS,))


def above(entry: int, bound: float) -> Goal:
    """Whether a logit is larger than that."""

    def goal(b: Builder, s: Wire, logits: Wire) -> Wire:
        return b.add(Not(below(entry, bound)(b, s, logits)))

    return goal


def test_a_tie_is_never_a_proof() -> None:
    """Two letters lead together on every word: that one of them is chosen is not proved."""
    for letter in (0, 1):
        assert not isinstance(found(best_is(letter)), Holds)
        assert not isinstance(found(best_is(letter), mean=True), Holds)
    assert isinstance(found(best_is(2)), Fails)


def test_a_bound_that_is_reached_holds_weakly() -> None:
    """The largest logit there can be is 1, on the word that has letter 0 alone: `<=` holds."""
    assert isinstance(found(below(0, 1.0)), Holds)
    least = found(below(0, 1.0 - 1e-9))
    assert isinstance(least, Fails)
    assert set(least.witness["s"]) == {0}


def test_an_empty_domain_is_empty() -> None:
    """Nothing meets a condition that the network never meets, though every word could."""
    empty = found(below(0, 5.0), where=above(0, 1.0))
    assert isinstance(empty, Empty)
    assert empty.reason == "nothing meets the `where`"


def test_a_condition_on_the_network_narrows_the_claim() -> None:
    """Where the logit is above a half it is not below a quarter; elsewhere it may be."""
    assert isinstance(found(above(0, 0.25), where=above(0, 0.5)), Holds)
    assert isinstance(found(above(0, 0.25)), Fails)


def test_what_is_discrete_needs_no_network() -> None:
    """A claim about letters alone is decided by the automaton: which words fail, and how many."""
    refuted = found(first_is(1), where=first_is(2))
    assert isinstance(refuted, Fails)
    assert refuted.witness["s"][0] == 2
    assert refuted.size.exact == LETTERS ** (LENGTH - 1)
    assert isinstance(found(first_is(2), where=first_is(2)), Holds)


def test_the_prover_asks_for_paths() -> None:
    """Among 3^30 words it finds the one that fails, which exact arithmetic confirms."""
    few = Limits(words=100)  # neither words nor their count vectors are gone through
    verdict = prove(*claim(below(0, 1.0 - 1e-9)), few)
    assert isinstance(verdict, Refuted)
    assert verdict.example is not None
    assert verdict.example.replay.exact
    assert verdict.classes is not None


def test_a_word_that_overflows_meets_no_condition_unreplayed() -> None:
    """A letter whose score overflows `exp` has weights without bounds; no word is made up for it.

    Both words of the domain have that letter, and on both the read-out is about 2: nothing meets a
    condition that it be negative.
    """
    b = Builder()
    s = b.add(Input("s", word(3, 3).type))
    weights = {
        "m/E": Tensor((3,), "F32", array("d", [1.0, 800.0, 1.0])),
        "m/V": Tensor((3,), "F32", array("d", [-1.0, 2.0, -1.0])),
    }
    scores, values = (b.add(Lookup(b.add(Weight(key, (3,))), (s,))) for key in weights)
    read = matmul(b, b.add(Softmax(scores)), values)

    def is_word(*letters: int) -> Wire:
        same = [
            b.add(Compare("==", take(b, s, [p]), codes(b, [c], 3, ())))
            for p, c in enumerate(letters)
        ]
        return both(b, *same)

    outputs = {
        "in s": either(b, is_word(0, 1, 0), is_word(2, 0, 1)),
        "where": b.add(Compare("<", read, number(b, 0))),
        "goal": b.add(Not(is_word(2, 0, 1))),
    }
    asked = Obligation("c", "forall", b.circuit(outputs), (word(3, 3),), NOWHERE)
    found = automata.decide(asked, weights, Limits(), silent)
    assert isinstance(found, Empty | Stuck)
