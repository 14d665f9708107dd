"""An obligation as SMT-LIB text: what a reader of the file sees."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from circ.compiler.builder import Builder, combine, times
from circ.compiler.ir import Relu, Wire
from circ.compiler.obligation import Words
from circ.compiler.smt.formula import Declare, Sign, constant, difference, variable
from circ.compiler.smt.smtlib import to_smt2
from circ.compiler.smt.text import command_text, formula_text, number_text
from circ.lang.span import Source, Span
from tests.unit.obligations import always, box, known, less, obligation, pick, weighted, word

TEXT = "claim small:\n  forall x in D: kink(x) <= 1"
PLACE = Span(Source("kink.circ", TEXT), 15, len(TEXT))


def kink_is_small(b: Builder, wires: dict[str, Wire]) -> Wire:
    """max(0, x - 1/2) <= 1."""
    hidden = b.add(Relu(combine(b, (1, wires["x"]), (Fraction(-1, 2), known(b, 1)))))
    return less(b, weighted(b, hidden, 1), 1)


def test_it_can_be_read() -> None:
    """The claim and its place, the meaning of the answer, the input's bounds, the one open phase,
    and the question."""
    claim = obligation([box("x", (-1, 2))], kink_is_small)
    claim = replace(claim, name="small", span=PLACE)

    assert (
        to_smt2(claim, {})
        == """\
; small (kink.circ:2:3)
; forall x in D: kink(x) <= 1
; unsat: proved, if some input meets the conditions at all
; sat: refuted, and the model is a counterexample
(set-logic QF_LRA)

(declare-const |x[0]| Real)
(assert (>= |x[0]| (- 1.0)))
(assert (<= |x[0]| 2.0))
(declare-const relu.1 Real) ; wire 4
(assert (>= relu.1 0.0))
(assert (>= (+ relu.1 (- |x[0]|)) (- (/ 1.0 2.0))))
(assert (or (<= relu.1 0.0) (<= (+ relu.1 (- |x[0]|)) (- (/ 1.0 2.0)))))
(assert true) ; condition: where
(assert (> relu.1 1.0)) ; not the goal
(check-sat)
"""
    )


def test_an_exists_asks_for_the_goal() -> None:
    """Its `sat` is the proof."""
    claim = replace(obligation([box("x", (-1, 2))], kink_is_small), quantifier="exists")
    text = to_smt2(claim, {})

    assert "; sat: proved, and the model is a witness\n" in text
    assert "(assert (<= relu.1 1.0)) ; the goal\n" in text


def test_numbers_are_exact_and_have_no_sign_of_their_own() -> None:
    """Quotients of decimals, negated from outside, as the standard has them."""
    assert number_text(Fraction(3)) == "3.0"
    assert number_text(Fraction(-3)) == "(- 3.0)"
    assert number_text(Fraction(1, 3)) == "(/ 1.0 3.0)"
    assert number_text(Fraction(-1, 3)) == "(- (/ 1.0 3.0))"


def test_products_make_the_logic_nonlinear() -> None:
    """Solvers are told what to expect."""

    def square_is_small(b: Builder, wires: dict[str, Wire]) -> Wire:
        x = pick(b, wires["x"], 0)
        return less(b, times(b, x, x), 4)

    text = to_smt2(obligation([box("x", (-1, 3))], square_is_small), {})

    assert "(set-logic QF_NRA)" in text
    assert "(assert (= product.1 (* |x[0]| |x[0]|)))" in text


def test_letters_are_told_in_comments() -> None:
    """A member's name can be any string, so that it is not part of a symbol; nor can it end the
    comment that tells it."""
    claim = obligation([word("s", 1, 2)], always)
    members = Words(("|", "new\nline"))
    text = to_smt2(replace(claim, binders=(replace(claim.binders[0], values=members),)), {})

    assert "(declare-const |s[0]=0| Bool) ; |\n" in text
    assert "(declare-const |s[0]=1| Bool) ; new line\n" in text


def test_equality_and_order_are_written_as_they_are() -> None:
    """The constant stands on the right."""
    gap = difference(variable("y"), constant(Fraction(1, 2)))

    assert formula_text(Sign("==", gap)) == "(= y (/ 1.0 2.0))"
    assert formula_text(Sign("<", gap)) == "(< y (/ 1.0 2.0))"
    assert command_text(Declare("b", "Bool")) == "(declare-const b Bool)"
