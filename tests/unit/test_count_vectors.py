"""One word for each count vector says what all words say, and how many of them fail."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import comb

import numpy as np
import pytest

from circ.compiler.builder import (
    Builder,
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
from circ.compiler.ir import Argmax, Compare, Input, Lookup, Not, Weight, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.verdict import Proved, Refuted, Unknown
from circ.runtime import report
from circ.runtime.engines import count_vectors, counting, enumeration
from circ.runtime.engines.batches import batch_size
from circ.runtime.engines.count_vectors import (
    Vectors,
    arrangements,
    decide,
    representatives,
    unordered_vectors,
    vectors,
    words_for,
)
from circ.runtime.prover import prove
from tests.agreement.heads import word
from tests.agreement.orderless import claim_without_order
from tests.unit.obligations import NOWHERE

CLAIMS = 40
"""In one test."""


def taken_on(claim: Obligation, weights: Weights, limits: Limits | None = None) -> Vectors:
    """The count vectors of a claim that the engine takes on."""
    some = unordered_vectors(claim, weights, limits or Limits())
    assert some is not None
    return some


def by_counts(claim: Obligation, weights: Weights, limits: Limits | None = None) -> Finding:
    """What the engine finds of such a claim."""
    return decide(taken_on(claim, weights), claim, weights, limits or Limits(), silent)


Letters = tuple[Fraction | int, ...]


def sorted_letters(some: Vectors, letters: Letters) -> tuple[Letters, Letters]:
    """The letter told apart, if one is, and the others in order."""
    apart = tuple(letters[position] for position in some.fixed)
    return apart, tuple(sorted(x for p, x in enumerate(letters) if p not in some.fixed))


@pytest.mark.parametrize(
    "start", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(CLAIMS, 160, CLAIMS))]
)
def test_count_vectors_and_enumeration_agree(start: int) -> None:
    """The same verdict on random claims, on the same number of words, with the same margin and the same
    number of failing words; those listed are one for each count vector that has a failing word."""
    seen = Counter[str]()
    for seed in range(start, start + CLAIMS):
        claim, weights = claim_without_order(seed)
        some = taken_on(claim, weights)
        counts = decide(some, claim, weights, Limits(), silent)
        words = enumeration.decide(claim, weights, Limits(), silent)
        seen[type(counts).__name__] += 1
        match counts, words:
            case Holds(), Holds():
                assert counts.size == words.size, seed
                assert (counts.margin is None) == (words.margin is None), seed
                margins = counts.margin or 0.0, words.margin or 0.0
                assert abs(margins[0] - margins[1]) <= 1e-9 * max(1, *map(abs, margins)), seed
            case Fails(), Fails():
                assert (counts.size, counts.count) == (words.size, words.count), seed
                ours = [sorted_letters(some, x["s"]) for x in counts.failing]
                theirs = [sorted_letters(some, x["s"]) for x in words.failing]
                assert {*counts.failing} <= {*words.failing}, seed
                assert Counter(ours) == Counter({*theirs}), seed
                assert words.count == len(words.failing), seed
            case Empty(), Empty():
                assert counts.reason == words.reason, seed
            case Stuck(), Stuck():
                pass
            case _:
                pytest.fail(f"claim {seed}: {counts} but {words}")
    assert min(seen["Holds"], seen["Fails"]) >= CLAIMS // 4, seen


@pytest.mark.parametrize("start", (200,))
def test_words_that_meet_a_condition_are_counted_so(start: int) -> None:
    """The same numbers, and the same bounds, by count vectors as by all words one by one; without time
    for any batch but the first, every word is counted that is left."""
    for seed in range(start, start + CLAIMS):
        claim, weights = claim_without_order(seed)
        some = taken_on(claim, weights)
        ours = counting.enumerated(claim, weights, Limits(), silent, some)
        theirs = counting.enumerated(claim, weights, Limits(), silent)
        late = counting.enumerated(claim, weights, Limits(timeout=-1), silent, some)

        assert (ours.low, ours.high) == (theirs.low, theirs.high), seed
        assert late.low <= ours.low <= ours.high <= late.high, seed


def test_counting_is_asked_so_where_words_are_many() -> None:
    """How many of 4^24 words a condition on a network's mean holds for: those that have letter 0 at
    least 7 times. Where the time is up, all words not looked at are between the bounds."""
    claim, weights = often(24)
    found = counting.count(claim, weights, Limits(), silent)
    late = counting.enumerated(claim, weights, Limits(timeout=-1), silent, taken_on(claim, weights))

    known = sum(comb(24, k) * 3 ** (24 - k) for k in range(7, 25))
    assert (found.low, found.high) == (known, known)
    assert "2,925 count vectors" in found.method
    assert late.low <= known <= late.high


def test_every_word_that_is_not_looked_at_is_counted() -> None:
    """Ctrl-C after the first batch: the bounds are as far apart as there are other words."""
    claim, weights = often(40)
    some = taken_on(claim, weights)

    def interrupting(_share: float, _doing: str) -> None:
        raise KeyboardInterrupt

    found = counting.enumerated(claim, weights, Limits(), interrupting, some)
    step = batch_size(claim.circuit, ["in s", "goal"])
    assert step < some.count
    assert found.interrupted
    assert found.high - found.low == arrangements(some, np.arange(step, some.count))


# --- built claims -------------------------------------------------------------------------------

LENGTH, LETTERS = 64, 4
"""2^128 words, and 47,905 count vectors of them."""

Truth = Callable[[Builder, Wire], Wire]


def about(
    goal: Truth, where: Truth | None = None, length: int = LENGTH, **more: Truth
) -> Obligation:
    """A claim about a word."""
    b, bound = Builder(), word(LETTERS, length)
    s = b.add(Input("s", bound.type))
    always = truth(b, True)
    outputs = {"in s": always, "where": where(b, s) if where else always, "goal": goal(b, s)}
    outputs |= {name.replace("_", " "): build(b, s) for name, build in more.items()}
    return Obligation("c", "forall", b.circuit(outputs), (bound,), NOWHERE, arms=(NOWHERE,) * 2)


def occurs(letter: int, most: int) -> Truth:
    """Whether a letter occurs so often, at most."""

    def build(b: Builder, s: Wire) -> Wire:
        marks = reals(b, [Fraction(int(k == letter)) for k in range(LETTERS)], (LETTERS,))
        length = b.shape(s)[0]
        ones = reals(b, [Fraction(1)] * length, (length,))
        count = matmul(b, ones, b.add(Lookup(marks, (s,))))
        return b.add(Compare("<=", count, number(b, most)))

    return build


def often(length: int) -> tuple[Obligation, dict[str, Tensor]]:
    """Whether a network's count of letter 0 is above 6.5, the network being a tensor of a checkpoint."""
    b, bound = Builder(), word(LETTERS, length)
    s = b.add(Input("s", bound.type))
    marks = b.add(Lookup(b.add(Weight("m/marks", (LETTERS,))), (s,)))
    counted = matmul(b, reals(b, [Fraction(1)] * length, (length,)), marks)
    outputs = {
        "in s": truth(b, True),
        "goal": b.add(Compare("<", number(b, Fraction(13, 2)), counted)),
    }
    tensor = Tensor((LETTERS,), "F32", array("d", [1, 0, 0, 0]))
    claim = Obligation("c", "forall", b.circuit(outputs), (bound,), NOWHERE)
    return claim, {"m/marks": tensor}


def last_is(letter: int) -> Truth:
    """Whether the word ends on a letter."""
    return lambda b, s: b.add(
        Compare("==", take(b, s, [b.shape(s)[0] - 1]), codes(b, [letter], LETTERS, ()))
    )


def one_of(one: Truth, other: Truth) -> Truth:
    """Whether one of them holds."""
    return lambda b, s: either(b, one(b, s), other(b, s))


def test_each_count_vector_has_one_word() -> None:
    """The sorted words at the free positions, each with every letter at the fixed one; and together they
    stand for all words."""
    for fixed in ((), (0,), (4,)):
        some = vectors(word(LETTERS, 5), fixed)
        found = words_for(some, np.arange(some.count)).T.tolist()
        free = [tuple(x for p, x in enumerate(letters) if p not in fixed) for letters in found]
        apart = [tuple(letters[p] for p in fixed) for letters in found]
        known = combinations_with_replacement(range(LETTERS), 5 - len(fixed))
        expected = set(product(known, product(range(LETTERS), repeat=len(fixed))))
        assert len(found) == len(expected)
        assert {*zip(free, apart, strict=True)} == expected
        assert arrangements(some, np.arange(some.count)) == LETTERS**5


def test_words_are_counted_beyond_what_any_float_holds() -> None:
    """At most 20 of 64 letters are 0 in as many words as binomial coefficients say; of those that end on
    letter 0, those with 20 others fail."""
    few = occurs(0, 20)
    finding = by_counts(about(one_of(occurs(0, 19), last_is(1)), where=few), {})

    assert isinstance(finding, Fails)
    assert finding.size.exact == sum(comb(64, k) * 3 ** (64 - k) for k in range(21))
    assert finding.count == comb(64, 20) * 3**44 - comb(63, 20) * 3**43
    assert "183,040 count vectors" in finding.method
    assert all(sum(x == 0 for x in w["s"]) == 20 and w["s"][-1] != 1 for w in finding.failing)


def test_ties_are_counted_in_words() -> None:
    """Two scores that are equal where letters 0 and 1 occur equally often: as many words fail for some
    choice as have such counts."""

    def leads(b: Builder, s: Wire) -> Wire:
        rows = reals(b, map(Fraction, (2, 0, 0, 1, 0, 0, 0, 0)), (LETTERS, 2))
        length = b.shape(s)[0]
        total = matmul(b, reals(b, [Fraction(1)] * length, (length,)), b.add(Lookup(rows, (s,))))
        best = b.add(Argmax(combine(b, (1, total), (1, reals(b, map(Fraction, (1, 0)), (2,))))))
        return b.add(Compare("==", best, codes(b, [0], 2, ())))

    claim = about(leads, length=7)
    counts = by_counts(claim, {})
    words = enumeration.decide(claim, {}, Limits(), silent)

    assert isinstance(counts, Fails)
    assert isinstance(words, Fails)
    assert counts.count == words.count
    assert counts.warnings == words.warnings
    assert "fail only for some way of breaking ties" in counts.warnings[0]


def test_what_is_idle_is_told() -> None:
    """A `where` that nothing meets is vacuous; a premise that never holds and an arm that is never
    reached are warned about; a premise that depends on the order is not answered for."""
    never, always = occurs(0, -1), occurs(0, LENGTH)
    empty = by_counts(about(always, where=never), {})
    warned = by_counts(about(always, premise=never, arm_0=always, arm_1=never), {})

    assert isinstance(empty, Empty)
    assert "`where`" in empty.reason
    assert isinstance(warned, Holds)
    assert len(warned.warnings) == 2
    both_ends = one_of(last_is(0), lambda b, s: b.add(Not(last_is(1)(b, take(b, s, [range(1)])))))
    assert unordered_vectors(about(always, premise=both_ends), {}, Limits()) is None


def test_the_prover_asks_it_where_words_are_many() -> None:
    """A claim and its denial as `exists`, on 2^128 words; few words are gone through one by one, and
    with more count vectors than may be tried it is not asked."""
    claim = about(one_of(occurs(0, 62), last_is(0)))
    found = prove(claim, {})
    asked = prove(replace(claim, quantifier="exists"), {})

    assert isinstance(found, Refuted)
    assert found.count == 64 * 3 + 1 - 63 * 3 - 1
    assert found.size.exact == 4**64
    assert isinstance(asked, Proved)
    lines = [line.text for line in report.verdict_lines(claim, found)]
    assert any("fails on 3 of 340,282," in line for line in lines), lines
    few = prove(about(occurs(0, 4), length=4), {})
    assert isinstance(few, Proved)
    assert "count vectors" not in few.method
    assert unordered_vectors(claim, {}, Limits(words=183_039)) is None


def test_it_stops_when_asked_to() -> None:
    """At the time limit nothing is decided; Ctrl-C in the midst is an interruption; the first failing
    word is enough where that is asked for."""
    claim = about(one_of(occurs(0, 62), last_is(0)))
    holds = about(one_of(occurs(0, 64), last_is(0)))
    some = taken_on(claim, {})

    def interrupting(_share: float, _doing: str) -> None:
        raise KeyboardInterrupt

    late = decide(some, holds, {}, Limits(timeout=0), silent)
    stopped = decide(some, holds, {}, Limits(), interrupting)
    first = decide(some, claim, {}, Limits(first=True), silent)

    assert isinstance(late, Stuck)
    assert "count vectors, none of which decides it" in late.reason
    assert isinstance(stopped, Stuck)
    assert stopped.interrupted
    assert isinstance(first, Fails)
    assert first.count is None


def test_it_may_be_interrupted_while_order_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before any engine is asked is an answer too."""

    def interrupted(_claim: Obligation, _weights: Weights, _limits: Limits) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(count_vectors, "unordered_vectors", interrupted)
    found = prove(about(occurs(0, 64)), {})

    assert isinstance(found, Unknown)
    assert found.interrupted


def test_claims_about_two_words_are_not_taken_on() -> None:
    """It is asked about one word."""
    claim = about(occurs(0, 64))
    twice = replace(claim, binders=(*claim.binders, *claim.binders))

    assert unordered_vectors(twice, {}, Limits()) is None


def test_batches_are_the_words_in_order() -> None:
    """Whatever the size of a batch, and one by one."""
    some = vectors(word(LETTERS, 6), (5,))
    source = representatives(some, 7)
    whole = words_for(some, np.arange(some.count))
    batches = [
        source.batch(k, min(k + source.step, source.count))["s"].values
        for k in range(0, source.count, source.step)
    ]

    assert (np.concatenate(batches, axis=1) == whole).all()
    assert [source.point(k)["s"] for k in range(some.count)] == whole.T.tolist()
