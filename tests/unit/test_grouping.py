"""Claims about several words are decided without trying every pair, and as if every pair were."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, both, combine, either, number, reals, total, truth
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import Argmax, Compare, Index, Input, Lookup, Not, Wire, WireType
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Vacuous
from circ.runtime.engines.enumeration import decide
from circ.runtime.prover import prove
from tests.agreement.circuits import BILINEAR, SMOOTH, Sample, circuits
from tests.agreement.claims import claim, claims, gone_through, size_of
from tests.unit.lowered import lowered

MOST = 150
"""Inputs that the reference goes through in one example."""


def decided(obligation: Obligation, weights: Weights, limits: Limits | None = None) -> Finding:
    """The engine's finding."""
    return decide(obligation, weights, limits or Limits(), silent)


@pytest.mark.parametrize(
    "kinds", [BILINEAR, pytest.param(SMOOTH, marks=pytest.mark.slow)], ids=["exact", "smooth"]
)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_it_agrees_with_every_combination(data: st.DataObject, kinds: Sequence[str]) -> None:
    """On random claims about two or three words: the reference's verdict on every combination.

    The numbers of inputs and of failing ones are those of all combinations, from classes or not; a
    witness fails. Where ties decide what a word is like, only the verdict is known.
    """
    sample: Sample = data.draw(circuits(SMOOTH if kinds == SMOOTH else BILINEAR, inputs="words"))
    assume(len(sample.circuit.inputs) > 1)
    obligation = data.draw(claims(sample))
    assume(size_of(obligation) <= MOST)
    finding = decided(obligation, sample.weights)
    exactly = gone_through(obligation, sample.weights)
    failing = {*exactly.failing, *exactly.tied}

    match finding:
        case Holds(size=size):
            assert not failing
            assert exactly.inside
            assert size.exact in {len(exactly.inside), None}
        case Fails(size=size, witness=witness, count=count, failing=listed):
            assert witness in failing
            assert {*listed} <= failing
            assert count in {len(failing), None}
            assert size.exact in {len(exactly.inside), None}
        case Empty():
            assert not exactly.inside
        case Stuck(reason=reason):
            assert "too close" in reason
            assert not failing


LENGTH, MEMBERS = 9, 3
WORD = WireType(Index(MEMBERS), (LENGTH,))
WORDS = MEMBERS**LENGTH


def weighed(b: Builder, s: Wire, weights: Sequence[Fraction | int]) -> Wire:
    """The sum over positions of a weight for each member."""
    table = reals(b, map(Fraction, weights), (MEMBERS,))
    return total(b, b.add(Lookup(table, (s,))))


def marked(b: Builder, s: Wire) -> Wire:
    """How many positions hold member 0."""
    return weighed(b, s, (1, 0, 0))


def about_pairs(b: Builder, goal: Wire, where: Wire | None = None) -> Obligation:
    """A claim about all `s, t`."""
    always = truth(b, True)
    outputs = {"in s": always, "in t": always, "goal": goal}
    return claim(b.circuit(outputs if where is None else {**outputs, "where": where}))


def pair(b: Builder, known: WireType = WORD) -> tuple[Wire, Wire]:
    """The two words."""
    return b.add(Input("s", known)), b.add(Input("t", known))


def many(b: Builder, s: Wire, least: int) -> Wire:
    """Whether at least so many positions hold member 0, as a comparison that has to be rounded."""
    tenths = weighed(b, s, (Fraction(1, 10), 0, 0))
    return b.add(Compare("<=", number(b, Fraction(2 * least - 1, 20)), tenths))


def marks(number_of: int) -> int:
    """How many words have so many marks."""
    others: int = (MEMBERS - 1) ** (LENGTH - number_of)
    return comb(LENGTH, number_of) * others


class TestClasses:
    """Words that the rest of a claim cannot tell apart are one class."""

    def test_pairs_are_never_gone_through(self) -> None:
        """400 million pairs of words fall into 4 classes of pairs, and are all decided by these."""
        b = Builder()
        s, t = pair(b)
        where = both(b, many(b, s, 2), many(b, t, 2))
        finding = decided(about_pairs(b, either(b, many(b, s, 1), many(b, t, 4)), where), {})

        assert isinstance(finding, Holds)
        assert finding.method.startswith(f"grouping of {WORDS:,} × {WORDS:,} words into ")
        assert finding.size.exact == sum(marks(k) for k in range(2, LENGTH + 1)) ** 2
        assert finding.margin == pytest.approx(0.15)

    def test_failing_pairs_are_counted_by_products(self) -> None:
        """One witness a class of pairs is listed; the count is of all pairs in failing classes."""
        b = Builder()
        s, t = pair(b)
        where = b.add(Compare("==", marked(b, s), marked(b, t)))
        finding = decided(
            about_pairs(b, b.add(Not(both(b, many(b, s, 5), many(b, t, 3)))), where), {}
        )

        assert isinstance(finding, Fails)
        assert finding.count == sum(marks(k) ** 2 for k in range(5, LENGTH + 1))
        assert finding.size.exact == sum(marks(k) ** 2 for k in range(LENGTH + 1))
        assert len(finding.failing) == LENGTH - 4
        for witness in finding.failing:
            assert witness["s"].count(0) == witness["t"].count(0) >= 5

    def test_whole_numbers_are_seen_as_such(self) -> None:
        """Counts may be compared between words: there are as many classes as counts."""
        b = Builder()
        s, t = pair(b)
        below = combine(b, (1, marked(b, s)), (1, marked(b, t)))
        finding = decided(about_pairs(b, b.add(Compare("<=", below, number(b, 2 * LENGTH)))), {})

        assert isinstance(finding, Holds)
        assert f"into {LENGTH + 1} × {LENGTH + 1} classes" in finding.method
        assert finding.size.exact == WORDS**2

    def test_a_word_that_nothing_reads_is_one_class(self) -> None:
        """A binder that matters to neither goal nor `where` only multiplies the count."""
        b = Builder()
        s, _ = pair(b)
        finding = decided(about_pairs(b, many(b, s, 1)), {})

        assert isinstance(finding, Fails)
        assert finding.count == marks(0) * WORDS


class TestRealValues:
    """Real values that are compared between words cannot be grouped."""

    def closer(self, known: WireType) -> Obligation:
        """No two words' weights differ by 100."""
        b = Builder()
        s, t = pair(b, known)
        third = (Fraction(1, 3), 1, -1)
        apart = combine(b, (1, weighed(b, s, third)), (-1, weighed(b, t, third)))
        return about_pairs(b, b.add(Compare("<=", apart, number(b, 100))))

    def test_few_pairs_are_gone_through(self) -> None:
        """Nine words of two positions: 81 pairs."""
        finding = decided(self.closer(WireType(Index(MEMBERS), (2,))), {})

        assert isinstance(finding, Holds)
        assert finding.size.exact == 81

    def test_many_pairs_are_left_open_with_the_reason(self) -> None:
        """What stands in the way is said, after some random pairs."""
        finding = decided(self.closer(WORD), {})

        assert isinstance(finding, Stuck)
        assert (
            "real values of `s` and `t` are compared, so words cannot be grouped" in finding.reason
        )
        assert "none of 65,536 random ones decides it" in finding.reason


class TestTies:
    """A choice between equal scores is one choice, in whichever word the scores arise."""

    def leaders(self, second: Sequence[int]) -> Obligation:
        """The leader of the scores of one word is that of the other's; the first has a tie."""
        b = Builder()
        s, t = pair(b, WireType(Index(2), ()))
        tables = [reals(b, map(Fraction, rows), (2, 2)) for rows in ((1, 1, 3, 2), second)]
        best = [b.add(Argmax(b.add(Lookup(x, (w,))))) for x, w in zip(tables, (s, t), strict=True)]
        where = b.add(Compare("==", s, t))
        return about_pairs(b, b.add(Compare("==", *best)), where)

    def test_equal_scores_are_broken_alike(self) -> None:
        """(1, 1) in both words: whichever is chosen, it is chosen twice."""
        assert isinstance(decided(self.leaders((1, 1, 5, 0)), {}), Holds)

    def test_other_scores_are_broken_as_they_please(self) -> None:
        """(1, 1) and (2, 2) may be broken differently, so the claim fails for some choice."""
        finding = decided(self.leaders((2, 2, 5, 0)), {})

        assert isinstance(finding, Fails)
        assert finding.witness == Witness((("s", (0,)), ("t", (0,))))
        assert finding.warnings


@pytest.mark.parametrize("empty", ["s", "t"])
def test_an_empty_domain_is_named(empty: str) -> None:
    """The binder without words is said, whichever it is."""
    b = Builder()
    pair(b)
    outputs = {f"in {name}": truth(b, name != empty) for name in ("s", "t")}
    finding = decided(claim(b.circuit({**outputs, "goal": truth(b, False)})), {})

    assert isinstance(finding, Empty)
    assert finding.reason == f"the domain of `{empty}` is empty"


COUNTED = """
enum C = { a, b, c }
circuit f(s: C[4]) -> real[C] =
  [ count { x in s | x == a }, count { x in s | x == b }, count { x in s | x == c } ]
claim false: forall s, t in { u: C[4] } where f(s) == f(t):
  argmax(f(s)) == argmax(f(t)) and not (s == [b, b, a, a] and t == [b, b, a, a])
claim there: exists s, t in { u: C[4] }:
  ((f(s) == f(t) and argmax(f(s)) != argmax(f(t))) or (s == [a, a, a, a] and t == [a, a, a, a]))
  and exp(f(s)[a] + f(t)[a]) > 0
"""
"""Two words with equal scores break their ties alike, so that only the words spelt out matter."""


@pytest.mark.parametrize("listed", [2, 10, 100_000])
def test_a_short_list_of_failing_pairs_hides_none(listed: int, tmp_path: Path) -> None:
    """Pairs that would fail only if ties broke differently crowd the list; one fails for good."""
    program = lowered(COUNTED, tmp_path)
    finding = decided(program.claim("false"), {}, Limits(listed=listed))
    assert isinstance(finding, Fails)
    assert dict(finding.witness.values) == {"s": (1, 1, 0, 0), "t": (1, 1, 0, 0)}


def test_a_pair_that_ties_break_alike_is_no_example(tmp_path: Path) -> None:
    """The search for an example goes on past pairs that only different choices would make one."""
    program = lowered(COUNTED, tmp_path)
    verdict = prove(program.claim("there"), {})
    assert isinstance(verdict, Proved)
    assert verdict.example is not None
    assert dict(verdict.example.witness.values) == {"s": (0, 0, 0, 0), "t": (0, 0, 0, 0)}


APART = """
enum Q = { p, q }
circuit f(s: Q[1]) -> real[Q] = match s[0] { p => [1, 1], q => [1, 1] }
domain A = { s: Q[1] | argmax(f(s)) == p }
domain B = { s: Q[1] | argmax(f(s)) == q }
claim both: forall s in A, t in B: s[0] == t[0] and s[0] != t[0]
claim same: forall s in A, t in B where s[0] == t[0]: 1 == 0
claim some: exists s in A, t in B: 1 == 1
claim none: exists s in A, t in B: 1 == 0
claim twice: forall s in A, t in A: argmax(f(s)) == argmax(f(t))
"""
"""Equal scores are broken alike, so A and B are never both inhabited."""


@pytest.mark.parametrize("name", ["both", "same", "some", "none"])
def test_domains_that_need_a_tie_broken_both_ways_are_empty(name: str, tmp_path: Path) -> None:
    """Every word is in A for one choice and in B for another, and no pair is in both."""
    assert isinstance(prove(lowered(APART, tmp_path).claim(name), {}), Vacuous)


def test_domains_that_need_a_tie_broken_one_way_are_not(tmp_path: Path) -> None:
    """Where the first member is chosen, all pairs are inside."""
    assert isinstance(prove(lowered(APART, tmp_path).claim("twice"), {}), Proved)
