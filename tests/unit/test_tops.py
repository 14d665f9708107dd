"""Which entries are among the largest: of enclosures, under every choice, in floats and in scripts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.audit.entries import entries
from circ.compiler.audit.rejected import Rejected
from circ.compiler.builder import Builder, combine, reals, take, times
from circ.compiler.ir import Argmax, Circuit, Input, Lookup, Real, Smooth, TopK, WireType
from circ.compiler.readings import balls
from circ.compiler.readings.balls import Ball, radius
from circ.compiler.readings.decisions import compared
from circ.compiler.readings.fingerprints import fingerprints
from circ.compiler.readings.floats import deviation
from circ.compiler.readings.reference import at_point, constants, enclose
from circ.compiler.readings.roundoff import execution
from circ.compiler.readings.ties import every_choice
from circ.compiler.readings.tops import kept
from circ.compiler.smt.encode import encode
from circ.compiler.smt.encoding import entries_at, numbers
from circ.compiler.smt.formula import Declare, Sign, conjunction, constant, difference, negation
from circ.compiler.smt.terms import Satisfied, Solver, Unsatisfiable
from circ.runtime.engines.narrowing import narrowed
from tests.agreement import naive
from tests.agreement.heads import word
from tests.unit.lowered import lowered
from tests.unit.obligations import box

SCORES = st.lists(st.integers(-1, 2), min_size=1, max_size=4)


def marks_of(scores: Sequence[Fraction | int], count: int) -> set[tuple[int, ...]]:
    """The marks that some choice gives, by brute force."""
    found = naive.tops(tuple(map(Fraction, scores)), count)
    return {tuple(int(k in places) for k in range(len(scores))) for places in found}


def marking(count: int, size: int) -> Circuit:
    """The marks of a real vector."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (size,))))
    return b.circuit({"y": b.add(TopK(count, x))})


# --- the exact reading ------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(0, 2)), min_size=1, max_size=4))
def test_what_enclosures_leave_open_is_what_some_scores_and_choice_leave(
    rows: list[tuple[int, int]],
) -> None:
    """An entry is marked 1 if it is among the largest whatever the scores are within their bounds and
    however ties are broken, 0 if it never is, and is open otherwise."""
    low, high = [a for a, _ in rows], [a + width for a, width in rows]
    for count in range(len(rows) + 1):
        every = product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))
        seen = [marks for scores in every for marks in marks_of(scores, count)]
        expected = [(min(column), max(column)) for column in zip(*seen, strict=True)]
        assert kept(low, high, 1, count, None) == expected


@given(SCORES, st.integers(0, 4))
def test_every_set_of_largest_entries_is_chosen_once(scores: list[int], count: int) -> None:
    """Going through the choices gives each set that leaves no larger entry out, and none twice."""
    count = min(count, len(scores))
    circuit = marking(count, len(scores))
    found = [
        tuple(naive.known(case.outputs["y"]))
        for case in every_choice(circuit, at_point(circuit, {"x": scores}), {})
    ]
    assert len(found) == len(set(found))
    assert set(found) == marks_of(scores, count)


def test_one_is_where_argmax_is_and_two_are_wherever() -> None:
    """`TopK` of one and `Argmax` share their choice; of two it is another, the same for equal scores."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (3,))))
    again = combine(b, (2, x), (-1, x))
    best = b.add(Argmax(x))
    outputs = {
        "first": b.add(Lookup(b.add(TopK(1, again)), (best,))),
        "other": b.add(Lookup(b.add(TopK(2, x)), (best,))),
        "alike": combine(b, (1, b.add(TopK(2, x))), (-1, b.add(TopK(2, again)))),
    }
    circuit = b.circuit(outputs)
    cases = list(every_choice(circuit, at_point(circuit, {"x": [1, 1, 1]}), {}))
    seen = {name: {tuple(naive.known(case.outputs[name])) for case in cases} for name in outputs}
    assert seen == {"first": {(1,)}, "other": {(0,), (1,)}, "alike": {(0, 0, 0)}}


def test_irrational_scores_are_ranked_by_their_closed_forms() -> None:
    """√8 / 2 and √2 are equal, so that either may be kept beside √3, and no other."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (4,))))
    scale = reals(b, map(Fraction, ("1", "1", "1/2", "1")), (4,))
    circuit = b.circuit({"y": b.add(TopK(2, times(b, scale, b.add(Smooth("sqrt", x)))))})
    inputs = at_point(circuit, {"x": [2, 3, 8, 1]})
    cases = list(every_choice(circuit, inputs, {}))
    assert [naive.known(case.outputs["y"]) for case in cases] == [[1, 1, 0, 0], [0, 1, 1, 0]]


def test_a_tie_of_constants_is_not_settled_beforehand() -> None:
    """What reads no input is evaluated once for all, but not what a choice may change."""
    b = Builder()
    tied, apart = ([Fraction(k) for k in row] for row in ([1, 1, 0], [2, 1, 0]))
    wires = {name: b.add(TopK(1, reals(b, row, (3,)))) for name, row in (("t", tied), ("a", apart))}
    circuit = b.circuit(wires)
    known = constants(circuit, {})
    assert wires["a"] in known
    assert wires["t"] not in known
    cases = every_choice(circuit, {}, {}, outputs=["t"], known=known)
    assert [naive.known(case.outputs["t"]) for case in cases] == [[1, 0, 0], [0, 1, 0]]


# --- the float reading ------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2)), min_size=1, max_size=4))
def test_balls_hold_every_choice(rows: list[tuple[int, int]]) -> None:
    """For scores anywhere in their balls, the marks of each choice are within those of the float
    reading; without radii and ties these are exact."""
    mid, rad = (np.array(column, np.float64)[:, None] for column in zip(*rows, strict=True))
    exact = not rad.any()
    x = Ball(mid, None if exact else rad, np.abs(mid) + rad)
    for count in range(len(rows) + 1):
        y = balls.largest(count, x)
        every = list(product(*({a - r, a, a + r} for a, r in rows)))
        for marks in (marks for scores in every for marks in marks_of(scores, count)):
            assert (np.abs(y.mid[:, 0] - marks) <= radius(y)[:, 0]).all()
        if exact:
            assert (y.rad is None) == (len(marks_of(every[0], count)) == 1)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_score_that_is_not_known_leaves_open_what_it_may_change(bad: float) -> None:
    """Overflow and NaN may be any number: of three entries it takes the place of the second or not."""
    x = Ball(np.array([[3.0], [bad], [1.0]]), np.array([[0.0], [inf], [0.0]]), np.full((3, 1), inf))
    with np.errstate(invalid="ignore"):
        two, three = balls.largest(2, x), balls.largest(3, x)
    assert (two.mid - radius(two)).reshape(-1).tolist() == [1, 0, 0]
    assert (two.mid + radius(two)).reshape(-1).tolist() == [1, 1, 1]
    assert (three.mid + radius(three)).reshape(-1).tolist() == [1, 1, 1]


def test_one_ulp_apart_is_told_apart_where_nothing_was_rounded() -> None:
    """Exact scores are compared as they are; with a radius of that size they are not."""
    mid = np.array([[1.0], [1 + 2.0**-52]])
    assert balls.largest(1, Ball(mid, None, mid)).mid.reshape(-1).tolist() == [0, 1]
    wide = balls.largest(1, Ball(mid, np.full((2, 1), 2.0**-52), mid + 1))
    assert radius(wide).reshape(-1).tolist() == [0.5, 0.5]


def test_what_is_known_is_compared_beside_what_is_open() -> None:
    """A tie of one input leaves the marks of the others as they are: 0 and 1, which have no radius."""
    scores = np.array([[1.0, 2.0, 2.0], [2.0, 1.0, 2.0]])
    marks = balls.largest(1, Ball(scores, None, scores))
    one = Ball(np.ones((2, 1)), None, np.ones((2, 1)))
    found = compared("==", marks, one)
    assert found.slack is not None
    assert (found.slack > 0).tolist() == [[True, True, False]] * 2
    assert found.values[:, :2].tolist() == [[False, True], [True, False]]


def test_a_program_may_keep_another_entry_where_its_rounding_reaches() -> None:
    """Scores that float32 cannot tell apart may be ranked otherwise by a program, others not."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2,))))
    third = reals(b, [Fraction(1, 3), Fraction(0)], (2,))
    circuit = b.circuit({"y": b.add(TopK(1, combine(b, (1, x), (1, third))))})
    points = {"x": np.array([[0.0, 0.0], [1 / 3, 1.0]])}
    (wanted,) = circuit.outputs.values()
    found = deviation(circuit, {}, points, wanted, execution("F32"))
    assert found[0] >= 0.5
    assert found[1] <= 1e-6


# --- scripts, fingerprints, other parts -------------------------------------------------------


@given(SCORES, st.integers(0, 4))
def test_a_script_has_a_solution_for_each_choice(scores: list[int], count: int) -> None:
    """Of scores that are somewhere in a box and then put to a point, all sets of largest entries are
    solutions, and no other."""
    count = min(count, len(scores))
    circuit = marking(count, len(scores))
    encoding = encode(circuit, [box("x", *((-2, 3) for _ in scores))], {}, ["y"])
    solver = Solver(encoding.commands, nonlinear=False)
    for term, score in zip(numbers(encoding.inputs["x"]), scores, strict=True):
        solver.hold(Sign("==", difference(term, constant(score))))
    found: set[tuple[Fraction | int, ...]] = set()
    while isinstance(answer := solver.check(60.0, lambda: None), Satisfied):
        marks = entries_at(encoding.outputs["y"], answer.values)
        pairs = zip(numbers(encoding.outputs["y"]), marks, strict=True)
        solver.hold(negation(conjunction(Sign("==", difference(t, constant(m))) for t, m in pairs)))
        assert marks not in found
        found.add(marks)
    assert answer == Unsatisfiable()
    assert found == marks_of(scores, count)


def test_ranges_that_decide_leave_nothing_to_choose() -> None:
    """Where boxes lie apart, what is kept is known, and the script has no variable for it."""
    encoding = encode(marking(2, 3), [box("x", (2, 3), (-1, 0), (1, 2))], {}, ["y"])
    assert numbers(encoding.outputs["y"]) == (constant(1), constant(0), constant(1))
    assert {c.name for c in encoding.commands if isinstance(c, Declare)} == {"x[0]", "x[1]", "x[2]"}


def test_fingerprints_tell_places_and_counts_apart() -> None:
    """The same vector has the same marks; another place, count or order of the scores has others."""
    b = Builder()
    s = b.add(Input("s", word(3, 2).type))
    scores = b.add(Lookup(reals(b, map(Fraction, range(3)), (3,)), (s,)))
    swapped = b.add(
        Lookup(reals(b, map(Fraction, range(3)), (3,)), (take(b, s, [range(1, -1, -1)]),))
    )
    shifted = combine(b, (2, scores), (-1, scores))
    wires = [b.add(TopK(1, x)) for x in (scores, shifted, swapped)] + [b.add(TopK(2, scores))]
    circuit = b.circuit({str(wire): wire for wire in wires})
    found = fingerprints(circuit, {}, wires, s, np.array([[0, 1]]))
    one, same, turned, two = (found[wire][..., 0] for wire in wires)
    assert (one == same).all()
    apart = [one[:, 0], one[:, 1], turned[:, 0], turned[:, 1], two[:, 0], two[:, 1]]
    assert len({tuple(x.tolist()) for x in apart}) == len(apart)


def test_one_mark_needs_the_whole_row() -> None:
    """Where one entry is read, all scores of its row stay, and those of other rows go."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (2, 3))))
    doubled = combine(b, (2, x))
    circuit = b.circuit({"y": take(b, b.add(TopK(2, doubled)), [1, 2])})
    cut = narrowed(circuit, ["y"])
    (row,) = (op.operand for op in cut.ops if isinstance(op, TopK))
    assert cut.types[row].shape == (1, 3)
    inputs = at_point(circuit, {"x": [5, 5, 5, 3, 2, 1]})
    assert naive.known(enclose(cut, inputs, {})["y"]) == [0]
    assert naive.known(enclose(circuit, inputs, {})["y"]) == [0]


def test_a_wide_row_is_marked_by_the_op(tmp_path: Path) -> None:
    """A table of all rows would be large: `hardmax` is then the op, and still where `argmax` is."""
    claim = "claim c: forall x in { x: real[300] | 0 <= x <= 1 }: hardmax(x)[argmax(x)] == 1"
    obligation = lowered(claim, tmp_path).claim("c")
    assert [op.count for op in obligation.circuit.ops if isinstance(op, TopK)] == [1]
    inputs = at_point(obligation.circuit, {"x": [1, *[0] * 298, 1]})
    cases = [*every_choice(obligation.circuit, inputs, {}, outputs=["goal"])]
    assert [naive.known(case.outputs["goal"]) for case in cases] == [[1], [1]]


def test_an_audit_refuses_it() -> None:
    """No certificate can be about what `topk` keeps: the reason is given, and nothing is guessed."""
    circuit = marking(2, 3)
    with pytest.raises(Rejected, match="what `topk` keeps is not audited here"):
        entries(circuit, circuit.outputs.values())
