"""Enumeration says what going through every word in exact arithmetic says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import comb
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.builder import (
    Builder,
    codes,
    combine,
    implies,
    matmul,
    number,
    reals,
    stack,
    total,
    truth,
)
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import (
    Argmax,
    Compare,
    Index,
    Input,
    Lookup,
    Not,
    Smooth,
    Softmax,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Obligation, Witness, Words
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Unknown
from circ.runtime.engines.enumeration import decide
from circ.runtime.prover import prove
from tests.agreement.circuits import BILINEAR, SMOOTH, Sample, circuits
from tests.agreement.claims import claim, claims, gone_through, size_of
from tests.unit.lowered import lowered

MOST = 100
"""Inputs that the reference goes through in one example."""


def decided(obligation: Obligation, weights: Weights, limits: Limits | None = None) -> Finding:
    """The engine's finding."""
    return decide(obligation, weights, limits or Limits(), silent)


def agrees(obligation: Obligation, weights: Weights) -> None:
    """Assert that the finding is what the reference says of every input."""
    finding = decided(obligation, weights)
    exactly = gone_through(obligation, weights)
    failing = {*exactly.failing, *exactly.tied}
    match finding:
        case Holds(size=size):
            assert not failing
            assert exactly.inside
            assert size.exact == len(exactly.inside)
        case Fails(size=size, witness=witness, count=count, failing=listed):
            assert witness == listed[0]
            assert witness in failing
            assert exactly.failing == [] or witness in exactly.failing
            assert {*listed} == failing
            assert count == len(failing)
            assert size.exact == len(exactly.inside)
        case Empty():
            assert not exactly.inside
        case Stuck(reason=reason):
            assert "too close" in reason
            assert not failing


@pytest.mark.parametrize(
    "kinds", [BILINEAR, pytest.param(SMOOTH, marks=pytest.mark.slow)], ids=["exact", "smooth"]
)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_it_agrees_with_the_reference_on_every_word(
    data: st.DataObject, kinds: Sequence[str]
) -> None:
    """On random claims about one word: the same verdict, the same failing words, the same counts.

    A word counts as failing if it fails for some way of breaking ties; those come last.
    """
    sample: Sample = data.draw(circuits(SMOOTH if kinds == SMOOTH else BILINEAR, inputs="words"))
    assume(len(sample.circuit.inputs) == 1)
    obligation = data.draw(claims(sample))
    assume(size_of(obligation) <= MOST)

    agrees(obligation, sample.weights)


# --- built claims ---------------------------------------------------------------------------

LENGTH, MEMBERS = 4, 3
WORD = WireType(Index(MEMBERS), (LENGTH,))


def pattern(b: Builder, s: Wire) -> Wire:
    """A real number of a word that is no rational: attention from the last position."""
    table = reals(b, [Fraction(n, 8) for n in (3, -5, 7, 1, -2, 6)], (MEMBERS, 2))
    places = reals(b, [Fraction(n, 16) for n in (1, 5, -3, 2, 7, 4, -6, 3)], (LENGTH, 2))
    x = combine(b, (1, b.add(Lookup(table, (s,)))), (1, places))
    last = b.add(Lookup(x, (codes(b, [LENGTH - 1], LENGTH, ()),)))
    mixed = matmul(b, b.add(Softmax(matmul(b, x, last))), x)
    return matmul(b, mixed, reals(b, [Fraction(1), Fraction(2)], (2,)))


def marked(b: Builder, s: Wire) -> Wire:
    """How many positions hold member 0."""
    marks = reals(b, [Fraction(int(k == 0)) for k in range(MEMBERS)], (MEMBERS,))
    return total(b, b.add(Lookup(marks, (s,))))


def bounded(bound: Fraction, strict: bool = False) -> Obligation:
    """`pattern(s)` is at most (or below) a bound."""
    b = Builder()
    s = b.add(Input("s", WORD))
    goal = b.add(Compare("<" if strict else "<=", pattern(b, s), number(b, bound)))
    return claim(b.circuit({"in s": truth(b, True), "goal": goal}))


def values() -> dict[tuple[int, ...], Fraction]:
    """`pattern` of every word, to 250 bits."""
    b = Builder()
    wire = pattern(b, b.add(Input("s", WORD)))
    circuit = b.circuit({"value": wire})
    found: dict[tuple[int, ...], Fraction] = {}
    for word in product(range(MEMBERS), repeat=LENGTH):
        value = enclose(circuit, at_point(circuit, {"s": word}), {}, 250)["value"]
        assert isinstance(value, Reals)
        found[word] = value.box[0][0]
    return found


VALUES = values()
HIGHEST = max(VALUES, key=VALUES.__getitem__)


class TestCloseCalls:
    """Rounding never decides: what float64 cannot tell apart goes to the exact reference."""

    @pytest.mark.parametrize("digits", [6, 10, 13, 16, 19, 30])
    def test_a_bound_just_above_the_largest_value_holds(self, digits: int) -> None:
        """The claim is proved, with a margin below the true one, at the word that comes closest."""
        slack = Fraction(1, 10**digits)
        finding = decided(bounded(VALUES[HIGHEST] + slack), {})

        assert isinstance(finding, Holds)
        assert finding.size.exact == MEMBERS**LENGTH
        assert finding.margin is not None
        assert 0 <= finding.margin <= slack
        assert finding.margin >= slack - Fraction(1, 10**12)
        assert finding.closest == Witness((("s", HIGHEST),))

    @pytest.mark.parametrize("digits", [6, 10, 13, 16, 19, 30])
    def test_a_bound_just_below_the_largest_value_fails_there_alone(self, digits: int) -> None:
        """One word in all breaks the claim, by however little."""
        finding = decided(bounded(VALUES[HIGHEST] - Fraction(1, 10**digits)), {})

        assert isinstance(finding, Fails)
        assert finding.witness == Witness((("s", HIGHEST),))
        assert finding.count == 1
        assert finding.failing == (finding.witness,)

    def test_what_was_decided_exactly_is_said(self) -> None:
        """The method counts the words that went to the reference."""
        finding = decided(bounded(VALUES[HIGHEST] + Fraction(1, 10**19)), {})

        assert isinstance(finding, Holds)
        assert finding.method == (
            "enumeration of 81 words in float64 with rounding bounded; 1 decided exactly"
        )

    def test_what_the_reference_cannot_decide_is_not_guessed(self) -> None:
        """1 <= e^y · e^-y is true with equality for y = e^x, which has no closed form: stuck there."""
        b = Builder()
        s = b.add(Input("s", WireType(Index(2), (1,))))
        x = b.add(Smooth("exp", b.add(Lookup(reals(b, [Fraction(0), Fraction(1)], (2,)), (s,)))))
        up, down = b.add(Smooth("exp", x)), b.add(Smooth("exp", combine(b, (-1, x))))
        powers = matmul(b, up, down)
        goal = b.add(Compare("<=", number(b, 1), powers))
        finding = decided(claim(b.circuit({"in s": truth(b, True), "goal": goal})), {})

        assert isinstance(finding, Stuck)
        assert finding.reason == "an input is too close to a tie for 1024 bits"
        assert finding.hardest == Witness((("s", (1,)),))

    def test_counts_are_exact_at_their_bound(self) -> None:
        """At most 2 of 9 positions: equality is decided in float64, and the words are counted."""
        b = Builder()
        s = b.add(Input("s", WireType(Index(MEMBERS), (9,))))
        few = b.add(Compare("<=", marked(b, s), number(b, 2)))
        below = b.add(Compare("<", marked(b, s), number(b, 3)))
        finding = decided(claim(b.circuit({"in s": few, "goal": below})), {})

        assert isinstance(finding, Holds)
        assert finding.size.exact == sum(comb(9, k) * 2 ** (9 - k) for k in range(3))
        assert "exactly" not in finding.method


class TestTies:
    """Equal scores are broken by an unknown choice: a claim must hold for each."""

    def leader(self, wanted: int) -> Obligation:
        """The first of two equal scores, or of two that differ, is the largest."""
        b = Builder()
        s = b.add(Input("s", WireType(Index(2), ())))
        rows = reals(b, map(Fraction, (1, 1, 0, 2)), (2, 2))
        best = b.add(Argmax(b.add(Lookup(rows, (s,)))))
        goal = b.add(Compare("==", best, codes(b, [wanted], 2, ())))
        return claim(b.circuit({"in s": truth(b, True), "goal": goal}))

    def test_a_failure_by_choice_counts_and_comes_last(self) -> None:
        """`argmax == 0` fails outright on (0, 2), and for some choice on (1, 1)."""
        finding = decided(self.leader(0), {})

        assert isinstance(finding, Fails)
        assert finding.failing == (Witness((("s", (1,)),)), Witness((("s", (0,)),)))
        assert finding.count == 2
        assert finding.warnings == (
            "1 of the failing inputs fail only for some way of breaking ties",
        )

    def test_a_failure_may_be_by_choice_alone(self) -> None:
        """`argmax == 1` holds on (0, 2), so the tie is the only counterexample."""
        finding = decided(self.leader(1), {})

        assert isinstance(finding, Fails)
        assert finding.failing == (Witness((("s", (0,)),)),)

    def test_a_choice_is_the_same_wherever_the_scores_are(self) -> None:
        """`argmax(x) == argmax(y)` holds where x and y are always equal, ties and all."""
        b = Builder()
        s = b.add(Input("s", WireType(Index(2), ())))
        rows = [reals(b, map(Fraction, (1, 1, *rest)), (2, 2)) for rest in ((0, 2), (0, 4))]
        best = [b.add(Argmax(b.add(Lookup(table, (s,))))) for table in rows]
        goal = b.add(Compare("==", *best))

        assert isinstance(
            decided(claim(b.circuit({"in s": truth(b, True), "goal": goal})), {}), Holds
        )


class TestWhatIsReported:
    """A finding says which words fail, worst first, and what the claim says nothing about."""

    def test_the_worst_comes_first(self) -> None:
        """Failing words are listed by how far they miss the goal."""
        finding = decided(bounded(Fraction(0)), {})

        assert isinstance(finding, Fails)
        above = sorted((w for w in VALUES if VALUES[w] > 0), key=lambda w: -VALUES[w])
        assert finding.failing == tuple(Witness((("s", word),)) for word in above)
        assert finding.count == len(above)

    def test_the_list_is_cut_off_but_not_the_count(self) -> None:
        """`listed` words are kept, the worst ones."""
        finding = decided(bounded(Fraction(0)), {}, Limits(listed=3))

        assert isinstance(finding, Fails)
        assert finding.failing == tuple(
            Witness((("s", word),)) for word in sorted(VALUES, key=lambda w: -VALUES[w])[:3]
        )
        assert finding.count == sum(value > 0 for value in VALUES.values())

    def test_a_goal_of_discrete_values_has_no_margin(self) -> None:
        """Whole numbers are compared without rounding: there is nothing to be close to."""
        b = Builder()
        s = b.add(Input("s", WORD))
        goal = b.add(Not(b.add(Compare("<", number(b, LENGTH), marked(b, s)))))
        finding = decided(claim(b.circuit({"in s": truth(b, True), "goal": goal})), {})

        assert isinstance(finding, Holds)
        assert finding.margin is None

    def test_the_margin_of_an_argmax_is_the_gap_between_its_scores(self) -> None:
        """For a goal about an index, how far the closest word's best scores are apart."""
        b = Builder()
        s = b.add(Input("s", WORD))
        x = pattern(b, s)
        best = b.add(Argmax(stack(b, [x, number(b, 9)])))
        goal = b.add(Compare("==", best, codes(b, [1], 2, ())))
        finding = decided(claim(b.circuit({"in s": truth(b, True), "goal": goal})), {})

        assert isinstance(finding, Holds)
        assert finding.margin is not None
        gap = 9 - VALUES[HIGHEST]
        assert gap - Fraction(1, 10**12) <= finding.margin <= gap
        assert finding.closest == Witness((("s", HIGHEST),))

    def premised(self, least: int) -> Obligation:
        """Words with so many marks have at least one, and an arm for more marks than positions."""
        b = Builder()
        s = b.add(Input("s", WORD))
        premise = b.add(Compare("<=", number(b, least), marked(b, s)))
        goal = implies(b, premise, b.add(Compare("<=", number(b, 1), marked(b, s))))
        arms = [b.add(Compare("<=", number(b, n), marked(b, s))) for n in (LENGTH, LENGTH + 1)]
        outputs = {"in s": truth(b, True), "goal": goal, "premise": premise}
        return claim(b.circuit(outputs | {f"arm {i}": arm for i, arm in enumerate(arms)}))

    def test_an_arm_that_is_never_reached_is_named(self) -> None:
        """Proved, with a warning for the second arm alone."""
        finding = decided(self.premised(LENGTH), {})

        assert isinstance(finding, Holds)
        assert finding.warnings == ("arm at spec.circ:1:1 is never reached",)

    def test_a_premise_that_never_holds_is_named(self) -> None:
        """Proved, with a warning that the claim says nothing."""
        finding = decided(self.premised(LENGTH + 1), {})

        assert isinstance(finding, Holds)
        assert finding.warnings[0] == "the left side of `implies` never holds on the domain"

    @pytest.mark.parametrize(
        ("least", "reason"),
        [(LENGTH + 1, "the domain of `s` is empty"), (LENGTH, "nothing meets the `where`")],
    )
    def test_a_domain_without_words_is_empty(self, least: int, reason: str) -> None:
        """Which condition nothing meets is said: the domain's own, or the `where`."""
        b = Builder()
        s = b.add(Input("s", WORD))
        inside = b.add(Compare("<=", number(b, least), marked(b, s)))
        where = b.add(Compare("<", marked(b, s), number(b, least)))
        circuit = b.circuit({"in s": inside, "where": where, "goal": truth(b, True)})
        finding = decided(claim(circuit), {})

        assert isinstance(finding, Empty)
        assert finding.reason == reason


class TestLimits:
    """What is not gone through is not claimed."""

    def test_a_domain_that_is_too_large_is_not_started(self) -> None:
        """A true claim about more words than allowed is left open, with a way on."""
        finding = decided(bounded(Fraction(100)), {}, Limits(words=80))

        assert isinstance(finding, Stuck)
        assert finding.reason.startswith(
            "the domain has 81 words, more than the 80 that may be tried; none of "
        )
        assert finding.hint.startswith("narrow the domain with `where`")

    def test_a_false_claim_about_it_may_still_be_found_out(self) -> None:
        """Random words are tried, and a failing one settles it; how many there are is not known."""
        finding = decided(bounded(Fraction(0)), {}, Limits(words=80))

        assert isinstance(finding, Fails)
        assert finding.count is None
        assert finding.size.exact is None
        assert VALUES[word_of(finding.witness)] > 0

    def long(self, bound: int) -> Obligation:
        """A claim about 3^12 words: at most `bound` marks."""
        b = Builder()
        s = b.add(Input("s", WireType(Index(MEMBERS), (12,))))
        goal = b.add(Compare("<=", marked(b, s), number(b, bound)))
        return claim(b.circuit({"in s": truth(b, True), "goal": goal}))

    def test_when_the_time_is_up_it_says_how_far_it_got(self) -> None:
        """Without a failing word nothing is known."""
        finding = decided(self.long(12), {}, Limits(timeout=0.0))

        assert isinstance(finding, Stuck)
        assert "time ran out after" in finding.reason
        assert "of 531,441 words, none of which decides it" in finding.reason

    def test_what_failed_before_the_time_was_up_counts(self) -> None:
        """A failing word is one, however much was left."""
        finding = decided(self.long(0), {}, Limits(timeout=0.0))

        assert isinstance(finding, Fails)
        assert finding.count is None

    def test_ctrl_c_stops_it(self) -> None:
        """The progress report may raise: that is an interruption, not an error."""

        def stop(share: float, doing: str) -> None:
            raise KeyboardInterrupt

        finding = decide(self.long(12), {}, Limits(), stop)

        assert isinstance(finding, Stuck)
        assert finding.interrupted

    def test_it_stops_at_the_first_failing_word_if_one_will_do(self) -> None:
        """With `first` the rest is not gone through, so not counted."""
        finding = decided(self.long(0), {}, Limits(first=True))

        assert isinstance(finding, Fails)
        assert finding.count is None

    def test_progress_runs_from_nothing_to_all(self) -> None:
        """The share grows with each batch and ends at 1."""
        shares: list[float] = []
        decide(self.long(12), {}, Limits(), lambda share, doing: shares.append(share))

        assert shares == sorted(shares)
        assert len(shares) > 1
        assert shares[-1] == 1


def word_of(witness: Witness) -> tuple[int, ...]:
    """The one word of a witness."""
    return tuple(int(entry) for entry in witness["s"])


def test_a_claim_without_binders_is_one_question() -> None:
    """With nothing to range over there is one input, the empty one."""
    b = Builder()
    finding = decided(
        claim(b.circuit({"goal": b.add(Compare("<", number(b, 1), number(b, 2)))})), {}
    )

    assert isinstance(finding, Holds)
    assert finding.size.exact == 1


def test_a_word_that_the_circuit_never_reads_is_counted_all_the_same() -> None:
    """The circuit may have lost an input that nothing reads; its words are still the domain."""
    b = Builder()
    goal = b.add(Compare("<=", b.add(Smooth("exp", number(b, 0))), number(b, 1)))
    circuit = b.circuit({"in s": truth(b, True), "goal": goal})
    bound = Bound("s", WORD, Words(("a", "b", "c")))
    finding = decided(replace(claim(circuit), binders=(bound,)), {})

    assert isinstance(finding, Holds)
    assert finding.size.exact == MEMBERS**LENGTH
    assert finding.closest is not None


def test_conditions_too_close_to_tell_are_not_met(tmp_path: Path) -> None:
    """y·y < e^2e for y = e^e holds nowhere, and nothing shows it: neither empty nor proved of any input.

    Where some input surely meets the conditions, the claim is proved, of nobody knows how many.
    """
    text = """
enum C = { a, b }
circuit close(s: C[2]) -> real = exp(exp(1)) * exp(exp(1)) - exp(2 * exp(1))
claim one: forall s in { s: C[2] | close(s) < 0 }: s[0] == a or s[0] == b
claim two: forall s, t in { s: C[2] } where close(s) < close(t) - close(s): s[0] in [a, b]
claim some: exists s in { s: C[2] | close(s) < 0 }: s[0] != a and s[0] != b
claim part: forall s in { s: C[2] | close(s) < 0 or s[0] == a }: s[0] == a or s[0] == b
"""
    program = lowered(text, tmp_path)
    for name in ("one", "two", "some"):
        verdict = prove(program.claim(name), {})
        assert isinstance(verdict, Unknown)
        assert "too close" in verdict.reason
    verdict = prove(program.claim("part"), {})
    assert isinstance(verdict, Proved)
    assert verdict.size.exact is None
