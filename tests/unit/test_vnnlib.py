"""Properties in VNN-LIB become obligations that are refuted just where the property is met."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from circ.compiler.obligation import Reals, Witness
from circ.compiler.trial import trial
from circ.compiler.vnnlib.cases import MOST_CASES, MOST_PARTS, cases
from circ.compiler.vnnlib.formula import holds
from circ.compiler.vnnlib.problem import Problem, problem, read_property
from circ.compiler.vnnlib.text import DEEPEST
from circ.lang.diagnostic import CircError
from circ.lang.span import Source
from tests.unit.onnx_models import exactly, model, node, read
from tests.unit.vnnlib_texts import boxed, declared, meets, random_text

TWO = """
(vnnlib-version <2.0>)
(declare-network N
  (declare-input A float32 [1, 2])
  (declare-output B float32 [2])
)
"""


def small_problem(text: str, folder: Path) -> Problem:
    """A property about a network of two inputs and two outputs, its weights small whole numbers."""
    w = np.array([[1, -2, 0], [2, 1, -1]], np.float32)
    v = np.array([[1, 0], [-1, 2], [1, 1]], np.float32)
    nodes = [node("MatMul", ["x", "w"], "h"), node("Relu", ["h"], "r"), node("MatMul", ["r", "v"])]
    network = read(folder, model(nodes, ["batch", 2], {"w": w, "v": v}))
    return problem(network, read_property(Source("safe.vnnlib", text)))


def inside(found: Problem, x: tuple[Fraction, ...]) -> bool:
    """Whether some obligation is refuted at an input."""
    witness = Witness((("X", x),))
    return any(trial(o, found.weights, witness).refutes for o in found.obligations)


def error(text: str, folder: Path) -> str:
    """The code that a text earns."""
    with pytest.raises(CircError) as caught:
        small_problem(text, folder)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code


@pytest.mark.parametrize(
    "seed", [pytest.param(k, marks=pytest.mark.slow) if k % 3 else k for k in range(30)]
)
def test_an_obligation_is_refuted_just_where_the_property_is_met(seed: int, tmp_path: Path) -> None:
    """On a grid that hits all bounds, whatever the property joins by `and`, `or` and `not`.

    The property is evaluated a second time from its text, by code that shares nothing with the reader.
    """
    text = random_text(np.random.default_rng(seed), 2, 2)
    found = small_problem(text, tmp_path)
    for x in product([Fraction(k, 4) for k in (-9, -8, -3, 0, 2, 5, 8)], repeat=2):
        y = [low for low, _ in exactly(found.network, np.array([float(v) for v in x]))]
        wanted = meets(text, x, y)
        assert inside(found, x) == wanted
        assert holds(found.asked.formula, x, y) == wanted
        if wanted:
            assert any(within(o.binders[0].values, x) for o in found.obligations)


def within(values: object, x: tuple[Fraction, ...]) -> bool:
    """Whether an input lies in a binder's box."""
    assert isinstance(values, Reals)
    return all(low <= v <= high for v, (low, high) in zip(x, values.box, strict=True))


class TestNumbers:
    """Decimals are the rationals they write."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [("0.1", "1/10"), ("-2.5e-3", "-1/400"), (".5", "1/2"), ("3.", "3"), ("+1E2", "100"),
         ("(- 0.3)", "-3/10"), ("(/ 1 3)", "1/3"), ("(* 2 (- 1 0.75))", "1/2")],
    )  # fmt: skip
    def test_are_exact(self, text: str, value: str, tmp_path: Path) -> None:
        """As a bound, each is the end of the box."""
        written = declared(2, 2) + boxed([("-200", text), (0, 0)])
        (obligation,) = small_problem(written, tmp_path).obligations
        assert isinstance(values := obligation.binders[0].values, Reals)
        assert values.box[0] == (Fraction(-200), Fraction(value))

    @pytest.mark.parametrize("text", ["1e999999999", "1" * 5000, "0x10", "1/3", "nan", "--1", "１"])
    def test_others_are_not_read(self, text: str, tmp_path: Path) -> None:
        """Neither what is no decimal nor one that would fill the memory."""
        written = declared(2, 2) + boxed([(-1, text), (0, 1)])
        assert error(written, tmp_path) == "E0811"


class TestCases:
    """Disjunctions about inputs are divided into boxes."""

    def test_two_boxes_are_two_obligations(self, tmp_path: Path) -> None:
        """And a bound outside the disjunction holds in both."""
        arms = "(and (>= X_0 0) (<= X_0 1)) (and (>= X_0 2) (<= X_0 9))"
        written = f"{declared(2, 2)}{boxed([(-5, 3), (0, 1)])}(assert (or {arms}))"
        boxes = [o.binders[0].values for o in small_problem(written, tmp_path).obligations]
        firsts = [list(map(int, b.box[0])) for b in boxes if isinstance(b, Reals)]
        assert firsts == [[0, 1], [2, 3]]

    def test_what_agrees_about_inputs_is_one(self) -> None:
        """Arms with the same box are one obligation with a disjunction of outputs."""
        arms = "(and (<= X_0 1) (<= Y_0 0)) (and (<= X_0 1) (<= Y_1 0))"
        written = f"{declared(1, 2)}(assert (>= X_0 0))(assert (or {arms}))"
        assert len(cases(read_property(Source("p", written)))) == 1

    def test_an_empty_box_is_left_out(self, tmp_path: Path) -> None:
        """No input lies in it."""
        written = declared(2, 2) + boxed([(1, 0), (0, 1)])
        assert len(small_problem(written, tmp_path).obligations) == 0

    @pytest.mark.parametrize(
        ("strict", "end"),
        [("(< X_0 1)", 1), ("(> X_0 -1)", -1), ("(< (* 0.5 X_0) 0.5)", 1), ("(< (* 2 X_0) 2)", 1),
         ("(> (* 0.5 X_0) -0.5)", -1), ("(< (* -2 X_0) 2)", -1), ("(< (* -0.5 X_0) 0.5)", -1)],
    )  # fmt: skip
    def test_a_strict_bound_leaves_out_its_end(self, strict: str, end: int, tmp_path: Path) -> None:
        """The end of the box, and no other input; a bound beyond the end leaves out none."""
        written = declared(2, 2) + boxed([(-1, 1), (0, 1)]) + f"(assert {strict})"
        found = small_problem(written, tmp_path)
        for x, y in product((-1.0, -0.5, 0.5, 1.0), (0, 1)):
            assert inside(found, (Fraction(x), Fraction(y))) == (x != end)
        beyond = declared(2, 2) + boxed([(-1, 1), (0, 1)]) + "(assert (< X_0 2))"
        assert inside(small_problem(beyond, tmp_path), (Fraction(1), Fraction(0)))

    @pytest.mark.parametrize(("constant", "met"), [("(<= 1 0)", False), ("(<= 0 0)", True)])
    def test_what_reads_nothing_is_true_or_false(
        self, constant: str, met: bool, tmp_path: Path
    ) -> None:
        """Alone, and as one of several."""
        for sought in (constant, f"(or {constant} (<= 2 1))", f"(and {constant} (<= 1 2))"):
            written = declared(2, 2) + boxed([(-1, 1), (0, 1)]) + f"(assert {sought})"
            assert inside(small_problem(written, tmp_path), (Fraction(0), Fraction(0))) == met

    def test_they_are_bounded_in_number(self, tmp_path: Path) -> None:
        """A file of a few lines can have more boxes than anyone goes through."""
        arm = "(assert (or (<= X_0 0) (<= X_0 1)))\n"
        written = declared(2, 2) + boxed([(0, 1), (0, 1)]) + arm * MOST_CASES.bit_length()
        assert error(written, tmp_path) == "E0816"

    def test_so_is_what_they_ask_together(self, tmp_path: Path) -> None:
        """What is asserted once is asked in each of them."""
        arm = "(assert (or (<= X_0 0) (<= X_0 1)))\n"
        more = "(assert (<= Y_0 Y_1))\n" * (1 + MOST_PARTS // 2**12)
        written = declared(2, 2) + boxed([(0, 1), (0, 1)]) + arm * 12 + more
        assert error(written, tmp_path) == "E0816"


class TestErrors:
    """What cannot be read is a diagnostic that says where."""

    @pytest.mark.parametrize(
        "command",
        ["(", ")", "x", "()", "(assert)", "(assert X_0)", "(assert (<= X_0))", "(assert (+ 1 2))",
         "(declare-const X_0 Real)", "(declare-const Z Real)", "(declare-const X_5 Real)",
         "(assert (<= X_7 0))", "(assert (<= (f 1) 0))", "(assert (<= (/ X_0 0) 1))", "(push 1)",
         "(assert (<= (/ 1 X_0) 1))"],
    )  # fmt: skip
    def test_of_syntax(self, command: str, tmp_path: Path) -> None:
        """Text that the format does not allow."""
        written = declared(2, 2) + boxed([(0, 1), (0, 1)]) + command
        assert error(written, tmp_path) == "E0811"

    @pytest.mark.parametrize(
        "term",
        [
            "(* " + "1e400 " * 10000 + ")",
            "(+ " + " ".join(f"(/ 1 {10**40 + k})" for k in range(2000)) + ")",
            "(+ " + " ".join(f"(/ Y_0 {10**40 + k})" for k in range(2000)) + ")",
        ],
        ids=["product", "sum", "coefficient"],
    )
    def test_of_digits(self, term: str, tmp_path: Path) -> None:
        """A few bytes can ask for a number of millions of digits, which is not computed."""
        written = declared(2, 2) + boxed([(0, 1), (0, 1)]) + f"(assert (<= Y_0 {term}))"
        assert error(written, tmp_path) == "E0811"

    def test_of_products(self, tmp_path: Path) -> None:
        """A product of variables is not linear."""
        written = declared(2, 2) + boxed([(0, 1), (0, 1)]) + "(assert (<= (* X_0 Y_0) 1))"
        assert error(written, tmp_path) == "E0812"

    def test_of_bounds(self, tmp_path: Path) -> None:
        """An input without a bound is named, and where it is declared."""
        written = declared(2, 2) + "(assert (<= -1 X_0 ))(assert (<= X_1 1))"
        with pytest.raises(CircError, match="`X_0` has no bound above") as caught:
            small_problem(written, tmp_path)
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "E0813"
        assert diagnostic.span is not None
        assert diagnostic.span.text == "X_0"

    @pytest.mark.parametrize(("inputs", "outputs"), [(1, 2), (3, 2), (2, 3)])
    def test_of_another_network(self, inputs: int, outputs: int, tmp_path: Path) -> None:
        """A property with other inputs, or with outputs that the network has not."""
        written = declared(inputs, outputs) + boxed([(0, 1)] * inputs)
        assert error(written, tmp_path) == "E0814"

    @pytest.mark.parametrize("depth", [DEEPEST + 1, 200_000])
    def test_of_depth(self, depth: int, tmp_path: Path) -> None:
        """Parentheses deeper than are read do not exhaust the stack."""
        assert error("(and " * depth, tmp_path) == "E0815"
        assert error(TWO + "(assert " + "(and " * depth + ")" * depth, tmp_path) == "E0815"

    def test_of_depth_that_is_allowed(self, tmp_path: Path) -> None:
        """What is not too deep is read."""
        nested = "(and " * (DEEPEST - 2) + "(<= Y_0 0)" + ")" * (DEEPEST - 2)
        written = declared(2, 2) + boxed([(0, 1), (0, 1)]) + f"(assert {nested})"
        assert len(small_problem(written, tmp_path).obligations) == 1


class TestVersion2:
    """Properties of one network in VNN-LIB 2.0 mean the same."""

    def test_it_is_read_like_the_first(self, tmp_path: Path) -> None:
        """The same property in both versions makes the same obligation."""
        first = declared(2, 2) + boxed([("-0.1", "0.3"), (0, 1)])
        first += "(assert (or (and (< Y_0 Y_1) (>= (+ Y_0 (* 2.0 Y_1)) 0.5)) (= Y_0 (- 0.1))))"
        second = (
            TWO
            + """
          (assert (and (>= A[0,0] -0.1) (<= A[0,0] 0.3) (>= A[0,1] 0.0) (<= A[0,1] 1.0)))
          (assert (or (and (< B[0] B[1]) (>= (+ B[0] (* 2.0 B[1])) 0.5)) (== B[0] (- 0.1))))
        """
        )
        found = [small_problem(text, tmp_path).obligations for text in (first, second)]
        assert [o.circuit for o in found[0]] == [o.circuit for o in found[1]]
        assert [o.binders for o in found[0]] == [o.binders for o in found[1]]

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("(>= (- Y_0 Y_1 X_0) 0.5)", "(>= (- B[0] B[1] A[0,0]) 0.5)"),
            ("(> (* 2.0 (- X_1) 3.0) (+ Y_1 1.0))", "(> (* 2.0 (- A[0,1]) 3.0) (+ B[1] 1.0))"),
            ("(or (< Y_0 1.0) (> Y_0 1.0))", "(!= B[0] 1.0)"),
        ],
    )
    def test_terms_are_read_like_the_first(self, first: str, second: str, tmp_path: Path) -> None:
        """Differences, products with constants, and what is not equal."""
        ends = "(assert (and (>= A[0,0] -1.0) (<= A[0,0] 1.0) (>= A[0,1] 0.0) (<= A[0,1] 1.0)))"
        texts = (
            f"{declared(2, 2)}{boxed([(-1, 1), (0, 1)])}(assert {first})",
            f"{TWO}{ends}(assert {second})",
        )
        found = [small_problem(text, tmp_path) for text in texts]
        for x in product([Fraction(k, 4) for k in (-4, -1, 0, 3, 4)], repeat=2):
            assert inside(found[0], x) == inside(found[1], x)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (TWO + "(assert (<= A[0,5] 1.0))", "E0811"),
            (TWO + "(assert (<= (* A[0,0] B[0]) 1.0))", "E0812"),
            (TWO + "(assert (<= A[0,0] (* " + "1e400 " * 200 + ")))", "E0811"),
            (TWO + TWO.partition("<2.0>)")[2].replace("N", "M").replace("A", "C").replace("B", "D")
             + "(assert (<= A[0,0] 1.0))", "E0817"),
            (TWO.replace("(declare-out", '(declare-hidden H float32 [2] "h")(declare-out')
             + "(assert (<= A[0,0] 1.0))", "E0817"),
            (TWO + "(assert (<= A[0,0] 1.0))", "E0813"),
        ],
    )  # fmt: skip
    def test_what_is_not_read_is_a_diagnostic(self, text: str, code: str, tmp_path: Path) -> None:
        """Places that are not there, products, several networks, no bounds."""
        assert error(text, tmp_path) == code
