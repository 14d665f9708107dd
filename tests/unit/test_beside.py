"""Claims about words beside boxes, decided at each word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise, product

from circ.compiler.builder import (
    Builder,
    both,
    codes,
    combine,
    implies,
    reals,
    reindex,
    times,
    truth,
)
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import All, Compare, Lookup, Not, Smooth, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.trial import trial
from circ.compiler.verdict import Proved, Refuted
from circ.runtime.engines import automata, beside
from circ.runtime.engines.admitted import admitted
from circ.runtime.prover import prove
from tests.unit.obligations import always, box, less, obligation, pick, word

Truth = Callable[[Builder, dict[str, Wire]], Wire]


def decided(claim: Obligation, seconds: float = 20.0) -> Finding:
    """What the engine finds."""
    return beside.decide(claim, {}, Limits(timeout=seconds), silent)


def grown(b: Builder, w: dict[str, Wire]) -> Wire:
    """e^x times a number for the letter: 1, 2 or 3."""
    table = reals(b, [Fraction(k) for k in (1, 2, 3)], (3,))
    factor = b.add(Lookup(table, (pick(b, w["w"], 0),)))
    return times(b, factor, b.add(Smooth("exp", pick(b, w["x"], 0))))


def letter(b: Builder, w: dict[str, Wire], code: int) -> Wire:
    """Whether the first letter is this one."""
    return b.add(Compare("==", pick(b, w["w"], 0), codes(b, (code,), 3, ())))


def claim(most: float, where: Truth = always, length: int = 1) -> Obligation:
    """That e^x times the letter's number is at most some number on [0, 1]."""
    binders = [word("w", length, 3), box("x", (0, 1))]
    return obligation(binders, lambda b, w: less(b, grown(b, w), most), where)


def test_it_holds_where_it_does_at_every_word() -> None:
    """3e is 8.1548…: at most 8.16 at all three letters, and by no more than that."""
    found = decided(claim(8.16))
    assert isinstance(found, Holds)
    assert "each of 3 words" in found.method
    assert beside.FOLDING in found.trusted


def test_a_failing_input_has_its_word() -> None:
    """Only the last letter fails, somewhere in the box; exact arithmetic says that it does."""
    question = claim(8.15)
    found = decided(question)
    assert isinstance(found, Fails)
    assert found.witness["w"] == (2,)
    assert trial(question, {}, found.witness).refutes


def test_words_outside_of_the_domain_do_not_count() -> None:
    """Without the last letter, 2e is the most; without any, the domain is empty."""

    def others(b: Builder, w: dict[str, Wire]) -> Wire:
        return b.add(Not(letter(b, w, 2)))

    assert isinstance(decided(claim(5.5, others)), Holds)
    assert isinstance(decided(claim(5.5, lambda b, _: truth(b, False))), Empty)


def test_an_empty_box_at_each_word_is_an_empty_domain() -> None:
    """Where nothing meets the condition at any word, nothing is proved."""
    found = decided(claim(5.0, lambda b, w: less(b, grown(b, w), 0.5)))
    assert isinstance(found, Empty)
    assert found.reason == "nothing meets the `where`"


def test_too_many_words_are_said_to_be() -> None:
    """So many words are not tried one by one."""
    found = decided(claim(9.0, length=6))
    assert isinstance(found, Stuck)
    assert "729 words" in found.reason


def upwards(name: str, length: int, b: Builder, w: dict[str, Wire]) -> Wire:
    """Whether the letters of a word go upwards, in their order as numbers."""
    order = reals(b, [Fraction(k) for k in range(3)], (3,))
    numbers = [b.add(Lookup(order, (pick(b, w[name], k),))) for k in range(length)]
    return both(b, *(b.add(Compare("<=", x, y)) for x, y in pairwise(numbers)))


def test_only_the_words_that_the_conditions_admit_are_counted() -> None:
    """Of 729 words 28 go upwards: these are tried, and one that fails is found among them."""
    found = decided(claim(8.16, partial(upwards, "w", 6), length=6))
    assert isinstance(found, Holds)
    assert "each of 28 words" in found.method
    assert set(automata.TRUSTED) <= set(found.trusted)
    failing = decided(claim(8.15, partial(upwards, "w", 6), length=6))
    assert isinstance(failing, Fails)
    assert failing.witness["w"] == (2,) * 6


def test_what_is_said_of_the_box_admits_every_word() -> None:
    """Beside `x[0] <= 0.5` the order of letters leaves out words; what reads both leaves out none."""

    def joined(b: Builder, w: dict[str, Wire]) -> Wire:
        return both(b, less(b, pick(b, w["x"], 0), 0.5), upwards("w", 6, b, w))

    def mixed(b: Builder, w: dict[str, Wire]) -> Wire:
        return implies(b, less(b, pick(b, w["x"], 0), 0.5), upwards("w", 6, b, w))

    assert admitted(claim(9.0, joined, length=6), {}, 512).count == 28
    assert admitted(claim(9.0, mixed, length=6), {}, 512).count == 3**6


def test_truths_in_rows_are_said_one_by_one() -> None:
    """That all of a matrix's entries hold says each: here that six letters are no `0`, three in each of two rows."""

    def where(b: Builder, w: dict[str, Wire]) -> Wire:
        zero = codes(b, (0,), 3, ())
        others = [b.add(Not(b.add(Compare("==", pick(b, w["w"], k), zero)))) for k in range(6)]
        rows = reindex(b, others, range(6), (2, 3))
        return b.add(All(b.add(All(rows))))

    assert admitted(claim(9.0, where, length=6), {}, 512).count == 2**6


def test_the_words_that_are_admitted_are_those_of_brute_force() -> None:
    """Of two binders each is narrowed by what is said of it alone, the rest is left to the question."""

    def where(b: Builder, w: dict[str, Wire]) -> Wire:
        same = b.add(Compare("==", pick(b, w["v"], 0), pick(b, w["u"], 0)))
        return both(b, upwards("v", 4, b, w), same, upwards("u", 4, b, w))

    binders = [word("v", 4, 3), box("x", (0, 1)), word("u", 4, 3)]
    found = admitted(obligation(binders, always, where), {}, 300)
    rising = [w for w in product(range(3), repeat=4) if list(w) == sorted(w)]
    assert found.words == tuple({"v": v, "u": u} for v, u in product(rising, repeat=2))


def test_a_word_that_is_undecided_leaves_the_claim_open() -> None:
    """A margin of 0 at the last letter is beyond bounds: the words that are decided prove nothing."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        power = b.add(Smooth("exp", pick(b, w["x"], 0)))
        square = times(b, power, power)
        double = b.add(Smooth("exp", combine(b, (2, pick(b, w["x"], 0)))))
        same = b.add(Compare("<=", square, double))
        return implies(b, letter(b, w, 2), same)

    found = decided(obligation([word("w", 1, 3), box("x", (0, 1))], goal), 2.0)
    assert isinstance(found, Stuck)
    assert found.reason.startswith("1 of 3 words are undecided")
    assert found.hardest is not None
    assert found.hardest["w"] == (2,)


def test_only_a_premise_that_holds_at_no_word_is_warned_of() -> None:
    """What never holds at one word may hold at another one."""
    for most, warned in ((0.5, True), (1.5, False)):
        binders = [word("w", 1, 3), box("x", (0, 1))]

        def small(b: Builder, w: dict[str, Wire], most: float = most) -> Wire:
            return less(b, grown(b, w), most)

        made = obligation(binders, lambda b, w: less(b, grown(b, w), 9), show={"premise": small})
        named = {name.removeprefix("show "): x for name, x in made.circuit.outputs.items()}
        found = decided(replace(made, circuit=replace(made.circuit, outputs=named)))
        assert isinstance(found, Holds)
        assert bool(found.warnings) == warned


def test_the_prover_asks_word_by_word() -> None:
    """Smooth functions beside words are decided, either way."""
    assert isinstance(prove(claim(8.16), {}), Proved)
    verdict = prove(claim(8.15), {})
    assert isinstance(verdict, Refuted)
    assert verdict.example is not None
