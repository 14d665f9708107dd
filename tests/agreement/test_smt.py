"""The SMT reading is held to the exact reference, its engine to brute force, its text to cvc5."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.finding import Fails, Finding, Limits, Stuck, silent
from circ.compiler.ir import Bool, Wire, WireType
from circ.compiler.obligation import Bound, Obligation, Reals, Witness, Words
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.reference import Value as Exact
from circ.compiler.readings.reference import at_point
from circ.compiler.readings.ties import every_choice
from circ.compiler.smt.encode import encode
from circ.compiler.smt.encoding import Codes, Numbers, Truths, Value, entries_at
from circ.compiler.smt.formula import (
    Formula,
    Sign,
    conjunction,
    constant,
    difference,
    negation,
)
from circ.compiler.smt.smtlib import to_smt2
from circ.compiler.smt.terms import Satisfied, Solver, Unsatisfiable
from circ.compiler.trial import trial
from circ.runtime.engines.smt import decide
from tests.agreement.circuits import (
    BILINEAR,
    PIECEWISE,
    Point,
    Sample,
    binders_of,
    circuits,
    points,
)
from tests.agreement.networks import networks
from tests.agreement.solvers import cvc5_says, z3_says
from tests.unit.obligations import NOWHERE

SAMPLES = {
    "piecewise": st.one_of(circuits(PIECEWISE), networks()),
    "bilinear": st.one_of(circuits(BILINEAR), networks(bilinear=True)),
}
every_sample = pytest.mark.parametrize("samples", SAMPLES.values(), ids=SAMPLES.keys())
SECONDS = 60.0
FEW_SECONDS = 3.0
MOST_OUTCOMES = 64

Entries = tuple[Fraction | int, ...]


def outcomes(sample: Sample, point: Point) -> list[Entries]:
    """What `out` may be at a point: one for each way to break ties."""
    inputs = at_point(sample.circuit, point)
    cases = every_choice(sample.circuit, inputs, sample.weights, outputs=["out"])
    return [entries(case.outputs["out"]) for case in islice(cases, MOST_OUTCOMES + 1)]


def entries(value: Exact) -> Entries:
    """The entries of an exact value."""
    assert value.exact
    if isinstance(value, Choices):
        return tuple(code for options in value.sets for code in options)
    return tuple(low for low, _ in value.box)


def equal(value: Value, wanted: Entries) -> Formula:
    """That a tensor has these entries."""
    match value:
        case Numbers(entries=terms):
            pairs = zip(terms, wanted, strict=True)
            return conjunction(Sign("==", difference(t, constant(w))) for t, w in pairs)
        case Truths(entries=truths):
            return conjunction(t if w else negation(t) for t, w in zip(truths, wanted, strict=True))
        case Codes(entries=codes):
            return conjunction(hot[int(w)] for hot, w in zip(codes, wanted, strict=True))


@every_sample
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_its_outputs_are_those_of_the_reference(
    samples: st.SearchStrategy[Sample], data: st.DataObject
) -> None:
    """With its inputs fixed, the script has as many solutions for the output as there are ways to
    break ties, and they have exactly the reference's values."""
    sample = data.draw(samples)
    binders = data.draw(binders_of(sample.circuit))
    point = data.draw(points(binders))
    expected = outcomes(sample, point)
    assume(len(expected) <= MOST_OUTCOMES)

    encoding = encode(sample.circuit, binders, sample.weights, ["out"])
    solver = Solver(encoding.commands, nonlinear=encoding.multiplied > 0)
    for name, wanted in point.items():
        solver.hold(equal(encoding.inputs[name], wanted))
    for formula in encoding.agreements():
        solver.hold(formula)
    found: list[Entries] = []
    while isinstance(answer := solver.check(SECONDS, lambda: None), Satisfied):
        assert answer.values.exact
        found.append(entries_at(encoding.outputs["out"], answer.values))
        solver.hold(negation(equal(encoding.outputs["out"], found[-1])))

    assert answer == Unsatisfiable()
    assert set(found) == set(expected)


# --- the engine -----------------------------------------------------------------------------


@st.composite
def obligations(draw: st.DrawFn, sample: Sample) -> Obligation:
    """A claim about a sample; some truth in its circuit is the `where`, now and then."""
    binders = draw(binders_of(sample.circuit))
    circuit = sample.circuit
    truths = [Wire(i) for i, t in enumerate(circuit.types) if t == WireType(Bool(), ())]
    outputs = {"goal": circuit.outputs["goal"]}
    if draw(st.booleans()):
        outputs["where"] = draw(st.sampled_from(truths))
    claim = type(circuit)(circuit.ops, circuit.types, outputs)
    return Obligation("claim", "forall", claim, binders, NOWHERE)


def decided(sample: Sample, obligation: Obligation, seconds: float = SECONDS) -> Finding:
    """What the engine finds."""
    return decide(obligation, sample.weights, Limits(timeout=seconds), silent)


def words(binders: tuple[Bound, ...]) -> Iterator[Witness]:
    """Every input, where all are words."""
    spaces: list[list[tuple[int, ...]]] = []
    for bound in binders:
        assert isinstance(bound.values, Words)
        spaces.append([*product(range(len(bound.values.members)), repeat=bound.type.entries)])
    for rows in product(*spaces):
        yield Witness(tuple((b.name, row) for b, row in zip(binders, rows, strict=True)))


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_its_verdict_is_that_of_brute_force(data: st.DataObject) -> None:
    """On a finite domain it refutes exactly what some input refutes under some choice function, and
    proves the rest unless no input meets the condition."""
    sample = data.draw(st.one_of(circuits(PIECEWISE, inputs="words"), networks("words")))
    obligation = data.draw(obligations(sample))

    refuted = any(trial(obligation, sample.weights, w).refutes for w in words(obligation.binders))
    found = decided(sample, obligation)

    assert isinstance(found, Fails) == refuted
    assert not isinstance(found, Stuck)


@every_sample
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_it_proves_only_what_no_point_refutes(
    samples: st.SearchStrategy[Sample], data: st.DataObject
) -> None:
    """On boxes and words, a claim that it says holds has no counterexample among random points, and
    a counterexample that it gives is one."""
    sample = data.draw(samples)
    obligation = data.draw(obligations(sample))
    found = decided(sample, obligation, FEW_SECONDS)

    match found:
        case Fails(witness=witness):
            assert trial(obligation, sample.weights, witness).refutes
            assert within(obligation, witness)
        case _:
            for point in data.draw(st.lists(points(obligation.binders), min_size=5, max_size=5)):
                witness = Witness(tuple(point.items()))
                assert not trial(obligation, sample.weights, witness).refutes


def within(obligation: Obligation, witness: Witness) -> bool:
    """Whether a witness lies within the binders' values."""
    return all(
        low <= entry <= high
        for bound in obligation.binders
        if isinstance(bound.values, Reals)
        for entry, (low, high) in zip(witness[bound.name], bound.values.box, strict=True)
    )


# --- the text -------------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_its_text_is_answered_alike_by_others(data: st.DataObject) -> None:
    """The SMT-LIB text is strict enough for cvc5, and cvc5, z3's parser and the engine agree."""
    sample = data.draw(SAMPLES["piecewise"])
    obligation = data.draw(obligations(sample))
    text = to_smt2(obligation, sample.weights)
    expected = "sat" if isinstance(decided(sample, obligation), Fails) else "unsat"

    assert z3_says(text) == expected
    assert cvc5_says(text) == expected


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_its_nonlinear_text_is_contradicted_by_none(data: st.DataObject) -> None:
    """Where there are products, each may give up, but no two give different answers."""
    sample = data.draw(circuits(BILINEAR, inputs="reals"))
    obligation = data.draw(obligations(sample))
    text = to_smt2(obligation, sample.weights)
    found = decided(sample, obligation, FEW_SECONDS)
    assume(not isinstance(found, Stuck))

    expected = "sat" if isinstance(found, Fails) else "unsat"
    assert z3_says(text) in {expected, "unknown"}
    assert cvc5_says(text) in {expected, "unknown"}
