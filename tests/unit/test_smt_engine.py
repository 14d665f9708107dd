"""The SMT engine: verdicts at the very edge, ties, empty domains, warnings, and giving up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from circ.compiler.builder import (
    Builder,
    codes,
    combine,
    either,
    every,
    implies,
    matmul,
    number,
    reals,
    reindex,
    some,
    times,
)
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import (
    Argmax,
    Compare,
    Comparison,
    Lookup,
    Not,
    Relu,
    Smooth,
    TopK,
    Wire,
)
from circ.compiler.obligation import Obligation
from circ.compiler.trial import trial
from circ.compiler.verdict import Size
from circ.lang.span import Source, Span
from circ.runtime.engines.smt import decide
from tests.unit.obligations import Truth, always, box, known, less, obligation, pick, weighted, word

Wires = dict[str, Wire]
ENDS = (("x", 0), ("y", 1))
TINY = Fraction(1, 10**12)
INTERVAL = box("x", (-1, 1))
PLANE = box("x", (-1, 1), (-1, 1))


def found(claim: Obligation, seconds: float = 60.0) -> Finding:
    """What the engine finds."""
    return decide(claim, {}, Limits(timeout=seconds), silent)


def refuted(claim: Obligation) -> Fails:
    """The engine's refutation, which replays."""
    finding = found(claim)
    assert isinstance(finding, Fails)
    assert trial(claim, {}, finding.witness).refutes
    return finding


# --- the edge -------------------------------------------------------------------------------


def bump(b: Builder, wires: Wires) -> Wire:
    """max(0, x) + max(0, y) - max(0, x + y - 1), which is at most 1 on the unit square's double."""
    (x,) = wires.values()
    rows = reals(b, [Fraction(n) for n in (1, 0, 0, 1, 1, 1)], (3, 2))
    shifted = combine(b, (1, matmul(b, rows, x)), (1, known(b, 0, 0, -1)))
    return weighted(b, b.add(Relu(shifted)), 1, 1, -1)


def bump_is(op: Comparison, bound: Fraction) -> Truth:
    """That the bump stands so to a bound."""
    return lambda b, wires: less(b, bump(b, wires), bound, op)


def test_a_claim_that_is_true_by_a_trillionth_is_proved() -> None:
    """The largest value is exactly 1."""
    finding = found(obligation([PLANE], bump_is("<", 1 + TINY)))

    assert isinstance(finding, Holds)
    assert finding.trusted == ("z3", "the encoder", "the front end")
    assert "3 of 3 ReLUs undecided" in finding.method


def test_a_claim_that_is_false_by_a_trillionth_is_refuted() -> None:
    """Where a tolerance or a double would call it equal."""
    refuted(obligation([PLANE], bump_is("<=", 1 - TINY)))


def test_strictness_decides_at_the_boundary() -> None:
    """At most 1 is true, less than 1 is not."""
    assert isinstance(found(obligation([PLANE], bump_is("<=", Fraction(1)))), Holds)
    refuted(obligation([PLANE], bump_is("<", Fraction(1))))


@pytest.mark.parametrize(("op", "holds"), [("<", True), ("<=", False)])
def test_a_boundary_outside_an_open_condition_refutes_nothing(op: Comparison, holds: bool) -> None:
    """x != 1 wherever x < 1, but not wherever x <= 1."""

    def not_one(b: Builder, wires: Wires) -> Wire:
        return b.add(Not(less(b, pick(b, wires["x"], 0), 1, "==")))

    def below_one(b: Builder, wires: Wires) -> Wire:
        return less(b, pick(b, wires["x"], 0), 1, op)

    finding = found(obligation([INTERVAL], not_one, below_one))

    assert isinstance(finding, Holds) == holds
    assert isinstance(finding, Fails) != holds


# --- ties -----------------------------------------------------------------------------------


def test_a_tie_is_broken_alike_each_time() -> None:
    """argmax(f(x)) == argmax(g(x)) where g is f written differently: proved, ties and all."""

    def agree(b: Builder, wires: Wires) -> Wire:
        (x,) = wires.values()
        shown = matmul(b, x, reals(b, [Fraction(n) for n in (1, -1, 1, -1)], (2, 2)))
        positive, negative = (b.add(Relu(combine(b, (sign, shown)))) for sign in (1, -1))
        other = combine(b, (1, positive), (-1, negative))
        return b.add(Compare("==", b.add(Argmax(shown)), b.add(Argmax(other))))

    assert isinstance(found(obligation([PLANE], agree)), Holds)


def test_a_choice_follows_the_scores_alone() -> None:
    """If the scores of x and y are equal, so are their choices; otherwise they need not be."""

    def same_choice(b: Builder, wires: Wires) -> Wire:
        return b.add(Compare("==", b.add(Argmax(wires["x"])), b.add(Argmax(wires["y"]))))

    def same_scores(b: Builder, wires: Wires) -> Wire:
        pairs = (
            b.add(Compare("==", pick(b, wires["x"], i), pick(b, wires["y"], i))) for i in (0, 1)
        )
        return b.add(Not(either(b, *(b.add(Not(pair)) for pair in pairs))))

    binders = [PLANE, replace(PLANE, name="y")]
    assert isinstance(found(obligation(binders, same_choice, same_scores)), Holds)
    refuted(obligation(binders, same_choice))


def test_choices_of_one_and_of_two_need_not_agree() -> None:
    """The largest entry need not be among the two largest, where there are equal ones."""

    def is_among_two(b: Builder, wires: Wires) -> Wire:
        one, two = (b.add(TopK(count, wires["x"])) for count in (1, 2))
        return every(b, b.add(Compare("<=", one, two)))

    claim = obligation([box("x", (0, 1), (0, 1), (0, 1))], is_among_two)
    assert trial(claim, {}, refuted(claim).witness).tie


@pytest.mark.parametrize("index", [0, 1])
def test_no_tie_is_broken_for_the_claim(index: int) -> None:
    """argmax([0, 0]) == 0 is not proved, nor is argmax([0, 0]) == 1."""

    def is_index(b: Builder, wires: Wires) -> Wire:
        return b.add(Compare("==", b.add(Argmax(known(b, 0, 0))), codes(b, [index], 2, ())))

    claim = obligation([INTERVAL], is_index)
    finding = refuted(claim)
    assert trial(claim, {}, finding.witness).tie


def test_scores_that_differ_for_sure_are_no_tie() -> None:
    """Score vectors with one entry equal and another apart are not the same, so that their choices
    may differ: [x, 0] is led by its first entry where [y, 1], with y = x, is by its second."""

    def same_choice(b: Builder, wires: Wires) -> Wire:
        x, y = (reindex(b, [wires[name], known(b, last)], (0, 1), (2,)) for name, last in ENDS)
        return b.add(Compare("==", b.add(Argmax(x)), b.add(Argmax(y))))

    def same_entry(b: Builder, wires: Wires) -> Wire:
        return b.add(Compare("==", pick(b, wires["x"], 0), pick(b, wires["y"], 0)))

    binders = [box("x", (-1, 2)), box("y", (-1, 2))]
    refuted(obligation(binders, same_choice, same_entry))


# --- words and boxes ------------------------------------------------------------------------


def test_words_and_boxes_mix() -> None:
    """A letter chooses the slope: at most 3 for all letters and points, less only without `m2`."""

    def sloped(op: Comparison) -> Truth:
        def goal(b: Builder, wires: Wires) -> Wire:
            slope = b.add(Lookup(known(b, -1, 2, 3), (pick(b, wires["s"], 0),)))
            return less(b, times(b, slope, pick(b, wires["x"], 0)), 3, op)

        return goal

    binders = [word("s", 1, 3), INTERVAL]
    finding = found(obligation(binders, sloped("<=")))
    assert isinstance(finding, Holds)
    assert finding.size == Size(None, 1)
    witness = refuted(obligation(binders, sloped("<"))).witness
    assert (witness["s"], witness["x"]) == ((2,), (1,))


def test_all_words_are_counted() -> None:
    """Without conditions the domain's size is exact; with one it is not known."""

    def same(b: Builder, wires: Wires) -> Wire:
        first, second = (pick(b, wires["s"], i) for i in range(2))
        return either(b, *(b.add(Compare("==", first, other)) for other in (first, second)))

    def starts_with_two(b: Builder, wires: Wires) -> Wire:
        return b.add(Compare("==", pick(b, wires["s"], 0), codes(b, [2], 3, ())))

    every = found(obligation([word("s", 4, 3)], same))
    some_words = found(obligation([word("s", 4, 3)], same, starts_with_two))

    assert isinstance(every, Holds) and every.size == Size(81)
    assert isinstance(some_words, Holds) and some_words.size == Size(None)


def test_a_binder_that_nothing_reads_has_a_value_in_the_witness() -> None:
    """A counterexample is a whole input."""

    def negative(b: Builder, wires: Wires) -> Wire:
        return less(b, pick(b, wires["x"], 0), 0)

    finding = refuted(obligation([INTERVAL, box("y", (5, 6)), word("s", 2, 3)], negative))

    assert len(finding.witness["s"]) == 2
    (y,) = finding.witness["y"]
    assert 5 <= y <= 6


# --- products -------------------------------------------------------------------------------


def test_products_of_inputs_are_decided() -> None:
    """x² + y² >= 2xy, everywhere and with nothing to spare; and the method says it is nonlinear."""

    def squares(op: Comparison) -> Truth:
        def goal(b: Builder, wires: Wires) -> Wire:
            x, y = (pick(b, wires["x"], i) for i in range(2))
            gap = combine(b, (1, times(b, x, x)), (1, times(b, y, y)), (-2, times(b, x, y)))
            return b.add(Compare(op, number(b, 0), gap))

        return goal

    finding = found(obligation([PLANE], squares("<=")))
    assert isinstance(finding, Holds)
    assert "3 products" in finding.method
    refuted(obligation([PLANE], squares("<")))


def test_a_product_may_be_negative() -> None:
    """x y >= -2 fails for x = -1 and y = 3: the range of a product comes from all four corners."""

    def bounded(b: Builder, wires: Wires) -> Wire:
        x, y = (pick(b, wires["x"], i) for i in range(2))
        return b.add(Compare("<=", number(b, -2), times(b, x, y)))

    refuted(obligation([box("x", (-1, 1), (2, 3))], bounded))
    assert isinstance(found(obligation([box("x", (-1, 1), (1, 2))], bounded)), Holds)


def test_a_product_by_cases_counts_the_constant() -> None:
    """(t + 5) x is at most 6 where t, out of a table, is at most 1, and reaches it."""

    def bounded(op: Comparison) -> Truth:
        def goal(b: Builder, wires: Wires) -> Wire:
            told = b.add(Lookup(known(b, -1, 1), (pick(b, wires["s"], 0),)))
            raised = combine(b, (1, told), (5, number(b, 1)))
            return less(b, times(b, raised, pick(b, wires["x"], 0)), 6, op)

        return goal

    binders = [word("s", 1, 2), INTERVAL]
    assert isinstance(found(obligation(binders, bounded("<="))), Holds)
    refuted(obligation(binders, bounded("<")))


def test_an_irrational_counterexample_refutes_nothing() -> None:
    """x² != 1/2 fails only at √½, which is no rational: unknown, with the nearest input tried."""

    def not_half(b: Builder, wires: Wires) -> Wire:
        x = pick(b, wires["x"], 0)
        return b.add(Not(less(b, times(b, x, x), Fraction(1, 2), "==")))

    finding = found(obligation([INTERVAL], not_half))

    assert isinstance(finding, Stuck)
    assert "irrational" in finding.reason
    assert finding.hardest is not None


def test_a_smooth_function_is_not_for_this_engine() -> None:
    """The finding names the function."""

    def small(b: Builder, wires: Wires) -> Wire:
        return less(b, pick(b, b.add(Smooth("exp", wires["x"])), 0), 3)

    finding = found(obligation([INTERVAL], small))

    assert isinstance(finding, Stuck)
    assert "`exp`" in finding.reason


# --- empty domains and idle parts -----------------------------------------------------------


def above(bound: float) -> Truth:
    """x > bound."""
    return lambda b, wires: b.add(Not(less(b, pick(b, wires["x"], 0), bound)))


def with_output(
    claim: Obligation, name: str, build: Callable[[Builder, Wires], Wire]
) -> Obligation:
    """The claim with an output more."""
    b = Builder(list(claim.circuit.ops), list(claim.circuit.types))
    outputs = {**claim.circuit.outputs, name: build(b, claim.circuit.inputs)}
    return replace(claim, circuit=b.circuit(outputs))


def test_an_empty_where_is_vacuous() -> None:
    """Nothing is proved of no inputs, however true it would be."""
    finding = found(obligation([INTERVAL], always, above(1)))

    assert isinstance(finding, Empty)
    assert finding.reason == "nothing meets the `where`"


def test_an_empty_domain_is_named() -> None:
    """The binder whose own condition nothing meets is the reason, though `where` fails as well."""
    claim = obligation([INTERVAL, box("y", (0, 1))], always, above(1))

    def impossible(b: Builder, wires: Wires) -> Wire:
        return less(b, pick(b, wires["y"], 0), -1)

    finding = found(with_output(claim, "in y", impossible))

    assert isinstance(finding, Empty)
    assert finding.reason == "the domain of `y` is empty"


def test_a_box_with_no_point_is_empty() -> None:
    """Bounds the wrong way round."""
    assert isinstance(found(obligation([box("x", (1, -1))], always)), Empty)


@pytest.mark.parametrize(("bound", "warned"), [(1, True), (0.5, False)])
def test_an_implication_that_says_nothing_is_warned_of(bound: float, warned: bool) -> None:
    """`x > 1 implies …` holds on [-1, 1], but there is something to say."""

    def goal(b: Builder, wires: Wires) -> Wire:
        return implies(b, above(bound)(b, wires), above(bound)(b, wires))

    finding = found(with_output(obligation([INTERVAL], goal), "premise", above(bound)))

    assert isinstance(finding, Holds)
    expected = ("the left side of `implies` never holds on the domain",)
    assert finding.warnings == (expected if warned else ())


@pytest.mark.parametrize("goal", [always, above(0)], ids=["proved", "refuted"])
def test_an_arm_that_nothing_reaches_is_warned_of(goal: Truth) -> None:
    """By the place where it is written, whatever the verdict is."""
    span = Span(Source("guard.circ", "cases {\n  x > 1 => 0\n  else => 1\n}"), 10, 15)
    claim = with_output(obligation([INTERVAL], goal), "arm 0", above(1))
    claim = with_output(claim, "arm 1", always)

    finding = found(replace(claim, arms=(span, span)))

    assert isinstance(finding, Holds | Fails)
    assert finding.warnings == ("arm at guard.circ:2:3 is never reached",)


# --- giving up ------------------------------------------------------------------------------


def pigeons(holes: int) -> Obligation:
    """Two of so many and one letters are equal: true, and hard to find out by resolution."""

    def two_alike(b: Builder, wires: Wires) -> Wire:
        pairs = [(i, j) for i in range(holes + 1) for j in range(i)]
        left, right = (
            reindex(b, [wires["s"]], [pair[side] for pair in pairs], (len(pairs),))
            for side in (0, 1)
        )
        return some(b, b.add(Compare("==", left, right)))

    return obligation([word("s", holes + 1, holes)], two_alike)


def test_a_question_that_is_too_hard_is_unknown() -> None:
    """When time runs out the finding says so, and what helps; the same question for fewer pigeons
    is decided."""
    finding = found(pigeons(14), seconds=0.5)

    assert isinstance(finding, Stuck)
    assert finding.reason == "time ran out"
    assert finding.hint
    assert isinstance(found(pigeons(4)), Holds)


def test_no_time_is_no_verdict() -> None:
    """With no time left nothing is claimed."""
    assert isinstance(found(obligation([INTERVAL], always), seconds=0.0), Stuck)


def test_an_interrupt_ends_the_search() -> None:
    """Ctrl-C gives a finding that says so, and the engine works on afterwards."""

    def interrupt(share: float, doing: str) -> None:
        if doing.startswith("z3"):
            raise KeyboardInterrupt

    finding = decide(pigeons(14), {}, Limits(timeout=60.0), interrupt)

    assert finding == Stuck("interrupted", finding.method, interrupted=True)
    assert isinstance(found(obligation([INTERVAL], always)), Holds)


def test_what_a_progress_raises_comes_out() -> None:
    """A caller can stop the search in its own way."""

    class Enough(Exception):
        pass

    def stop(share: float, doing: str) -> None:
        raise Enough

    with pytest.raises(Enough):
        decide(pigeons(14), {}, Limits(timeout=60.0), stop)
