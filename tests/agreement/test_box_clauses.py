"""The clauses of a claim are held to the exact reference: what refutes it meets one of them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.boxes.clauses import Atom, Beyond, Clause, Ends, refuting
from circ.compiler.builder import Builder, codes, combine, number
from circ.compiler.ir import Argmax, Compare, Comparison, Weight, Wire
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Tensor
from circ.compiler.trial import refuted
from tests.agreement.box_claims import box_claims
from tests.agreement.circuits import PIECEWISE, circuits, points
from tests.agreement.networks import networks
from tests.agreement.test_boxes import witnesses
from tests.agreement.test_smt import obligations
from tests.unit.obligations import box, less, obligation, pick

MOST_OUTCOMES = 32


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_what_refutes_a_claim_meets_a_clause(data: st.DataObject) -> None:
    """At any input and for any way to break ties, if the conditions hold and the goal does not, all
    inequalities of some clause hold; so nothing that matters was left out."""
    sample = data.draw(st.one_of(circuits(PIECEWISE, inputs="reals"), networks("reals")))
    claim = data.draw(obligations(sample))
    try:
        clauses = refuting(claim, sample.weights)
    except Beyond:
        assume(False)
        raise
    for _ in range(3):
        point = data.draw(points(claim.binders))
        for outputs in outcomes(claim, Witness(tuple(point.items())), clauses, sample.weights):
            if refuted(outputs, claim):
                assert any(met(clause, outputs) for clause in clauses)


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_only_what_refutes_a_claim_meets_a_clause(data: st.DataObject) -> None:
    """Without indices there is nothing to choose, and the clauses say just when a claim fails, those
    that the box decides left out."""
    claim = data.draw(box_claims())
    clauses = refuting(claim, {})
    for witness in data.draw(st.lists(witnesses(claim), min_size=3, max_size=3)):
        for outputs in outcomes(claim, witness, clauses, {}):
            assert any(met(clause, outputs) for clause in clauses) == refuted(outputs, claim)


def outcomes(
    claim: Obligation, witness: Witness, clauses: tuple[Clause, ...], weights: Mapping[str, object]
) -> list[Mapping[str, Value]]:
    """The outputs, and every compared wire as `<its number>`, for each way to break ties."""
    circuit = claim.circuit
    wires = {wire for clause in clauses for a in clause for wire in (a.left, a.right)}
    shown = {f"{wire}": wire for wire in wires}
    larger = replace(circuit, outputs={**circuit.outputs, **shown})
    inputs = at_point(larger, dict(witness.values))
    cases = every_choice(larger, inputs, weights, outputs=list(larger.outputs))  # type: ignore[arg-type]
    return [case.outputs for case in islice(cases, MOST_OUTCOMES)]


def met(clause: Clause, outputs: Mapping[str, Value]) -> bool:
    """Whether all inequalities hold."""
    return all(holds(atom, outputs) for atom in clause)


def holds(atom: Atom, outputs: Mapping[str, Value]) -> bool:
    """Whether one does."""
    left, right = entry(outputs, atom.left, atom.entry), entry(outputs, atom.right, atom.other)
    return left < right if atom.strict else left <= right


def entry(outputs: Mapping[str, Value], wire: Wire, place: int) -> Fraction:
    """One entry of a wire."""
    value = outputs[f"{wire}"]
    assert isinstance(value, Reals)
    assert value.exact
    return value.box[place][0]


# --- by hand ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "end", "expected"),
    [("<=", 1, True), ("<", 1, None), ("<", 2, True), ("<=", 0, None), ("<", 0, False)],
)
def test_the_box_decides_what_its_ends_do(op: Comparison, end: int, expected: bool | None) -> None:
    """x <= 1 holds on all of [0, 1], x < 1 does not; x <= 0 holds somewhere, x < 0 nowhere."""
    claim = obligation([box("x", (0, 1))], lambda b, w: less(b, pick(b, w["x"], 0), end))
    compare = next(o for o in claim.circuit.ops if isinstance(o, Compare))
    atom = Atom(compare.left, 0, compare.right, 0, strict=op == "<")
    assert Ends(claim, {}).holds(atom) is expected


def test_every_rival_of_a_choice_may_win() -> None:
    """That the largest of three scores is the first fails where another one is at least as large."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        return b.add(Compare("==", b.add(Argmax(w["x"])), codes(b, (0,), 3, ())))

    clauses = refuting(obligation([box("x", (0, 1), (0, 1), (0, 1))], goal), {})
    told = {(a.entry, a.other, a.strict) for clause in clauses for a in clause}
    assert told == {(0, 1, False), (0, 2, False)}
    assert all(len(clause) == 1 for clause in clauses)


def test_what_holds_on_the_box_is_left_out() -> None:
    """A claim that the ends of the box decide has no clause."""
    claim = obligation(
        [box("x", (0, 1))], lambda b, w: b.add(Compare("<=", number(b, 0), pick(b, w["x"], 0)))
    )
    assert refuting(claim, {}) == ()


def test_a_box_around_weights_leaves_nothing_of_itself() -> None:
    """Conditions that its ends were made of hold on it: they are exact, decimals and floats mixed."""
    weights = {"m.low": Tensor((1,), "F64", array("d", [0.1]))}
    end = Fraction(0.1) - Fraction(1, 3)

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        low = b.add(Weight("m.low", (1,)))
        moved = combine(b, (1, low), (-1, number(b, Fraction(1, 3))))
        return b.add(Compare("<=", pick(b, moved, 0), pick(b, w["x"], 0)))

    assert refuting(obligation([box("x", (end, 1))], goal), weights) == ()
    (clause,) = refuting(obligation([box("x", (end - Fraction(1, 2**99), 1))], goal), weights)
    assert len(clause) == 1
