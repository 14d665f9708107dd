"""What each construct means, against values worked out by hand; `test_meaning` does it at random."""

from __future__ import annotations

from array import array
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest

from circ.compiler.ir import Circuit
from circ.compiler.lower.environment import DEEPEST, MOST_OPS
from circ.compiler.passes.drop_dead import drop_dead
from circ.compiler.tensor import Tensor
from tests.unit.lowered import Entries, Point, codes_of, lowered, value

F = Fraction

SPEC = """
enum Char  = { a, b, cc }
enum Quote = { none, some }
param half = 1 / 2
param eps  = half - 0.25
checkpoint m from "model.safetensors" { g.V: real[Char, 2] }
circuit f(x: real[3]) -> real[3] {
  let h = relu(x) - half
  let k = g(h)
  return m.W @ k + h
}
circuit g[n](z: real[n]) -> real[n] {
  let twice = 2 * z
  let full: real[2, n] = z[0]
  return twice + full[1]
}
circuit two(x: real[2]) -> real[2] = m.g.V[1:] @ x
claim asked: forall x in { x: real[3] | -9 <= x <= 9 }, s in { s: Char[3] }, i in { i: fin[3] }:
"""

WEIGHTS = {"W": [[1, 0, 0], [0, 2, 0], [0, 1, 1]], "g.V": [[1, 2], [3, 4], [5, 6]], "r": 3.0}

POINT: Point = {"x": [F(1), F(-2), F(3)], "s": [1, 0, 2], "i": [2]}

VALUES: dict[str, Entries] = {
    # numbers and arithmetic
    "x + 1.5e0": [F(5, 2), F(-1, 2), F(9, 2)],
    "2 - x": [1, 4, -1],
    "-x * x": [-1, -4, -9],
    "x / 4 + x / (half * 2)": [F(5, 4), F(-5, 2), F(15, 4)],
    "x / -sqrt(4 / 9)": [F(-3, 2), 3, F(-9, 2)],
    "eps * x[0]": [F(1, 4)],
    "m.r * x[2]": [9],
    # products
    "m.W @ x": [1, -4, 1],
    "x @ m.W": [1, -1, 3],
    "x @ x + dot(x, [1, 1, 1])": [16],
    "m.W @ m.g.V + x[0]": [2, 3, 7, 9, 9, 11],
    # indices and slices
    "x[-1] + x[0]": [4],
    "m.W[1:, :2] * x[0]": [0, 2, 0, 1],
    "m.W[-1] * x[0]": [0, 1, 1],
    "m.W[:, 1] * x[0]": [0, 2, 1],
    "x[i] + m.W[i, 1]": [4],
    "m.g.V[s[0]]": [3, 4],
    "m.g.V[b, 0] + x[0]": [4],
    "m.g.V[s[2], argmax(x[:2])]": [5],
    "m.W[:, i]": [0, 0, 1],
    # reductions and functions
    "sum(x) + mean(x) + max(x) + min(x)": [F(2) + F(2, 3) + 3 - 2],
    "max(m.W) * x": [1, -4, 3],
    "max(x, [0, 0, 4], 1)": [1, 1, 4],
    "relu(x) + abs(x)": [2, 2, 6],
    "clamp(x, -1, half * 4)": [1, -1, 2],
    "norm_1(x) + norm_inf(m.W @ x)": [10],
    "argmax(x)": [2],
    "argmax(m.g.V @ x[:2])": [0],
    # lists, comprehensions, counts, folds
    "[ [ v * w for w in x ] for v in x[:2] ]": [1, -2, 3, -2, 4, -6],
    "[ row @ x for row in m.W ]": [1, -4, 1],
    "[ m.g.V[c] for c in s ]": [3, 4, 1, 2, 5, 6],
    "[ c for c in s ]": [1, 0, 2],
    "count { v in x | v > 0 } + count { c in s | c in [a, b] }": [4],
    "fold acc = 1 over v in x: 2 * acc + v": [11],
    "fold acc = x over row in m.W: acc + row": [2, 1, 4],
    "fold q = none over c in s: match (q, c) { (none, a) => some, (some, cc) => none, _ => q }": [
        0
    ],
    # choices
    "cases { x[0] > 1 => 1, x[0] == 1 => 2, else => 3 } + x[0]": [3],
    "cases { x[1] > 0 => x, else => half }": [F(1, 2)] * 3,
    "match i { 0 | 1 => x, 2 => 7 }": [7, 7, 7],
    "match (s[0], i) { (b, 1) => 1, (_, 2) => 2, _ => 3 } * x[0]": [2],
    "match s[1] { a => s, _ => b }": [1, 0, 2],
    # calls and sites
    "g(x)": [3, -3, 7],
    "f(x)": [2, F(-3, 2), F(15, 2)],
    "f(x).k.twice": [1, -1, 5],
    "f(x).h + f(x).k.z + f(x).x": [F(2), F(-3), F(8)],
    "two(x[:2])": [-5, -7],
    "two(g(x[1:])).x": [-6, 4],
    # interventions
    "f(x) do { h := 0 }": [0, 0, 0],
    "f(x) do { h := it + 1 }": [6, F(11, 2), F(29, 2)],
    "f(x) do { h[1:] := x[:2], h[0] := it }": [2, 6, -3],
    "f(x) do { k := x }": [F(3, 2), F(-9, 2), F(7, 2)],
    "f(x) do { k.twice := 0, x := 2 * it }": [F(3), F(5, 2), F(17, 2)],
    "f(x) do { k.z := it[0] }": [F(2), F(5, 2), F(11, 2)],
    "(f(x) do { k.twice := it * 10 }).k": [F(21, 2), F(-19, 2), F(101, 2)],
    "f(x) do { h := 1 } do { h := it + 1, k := 0 }": [2, 2, 2],
    "f(x) do { h := it + 1 } do { h[0] := it * 2 }": [12, F(17, 2), F(35, 2)],
    "f(x) do { m.W := 0 }": [F(1, 2), F(-1, 2), F(5, 2)],
    "f(x) do { m.W[0] := [0, 0, 1], m.W[1, 1] := -it }": [6, F(1, 2), F(15, 2)],
    "f(f(x) do { h := 0 }) do { h := f(x).h }": [2, F(-3, 2), F(15, 2)],
}

TRUTHS: dict[str, bool] = {
    "x == [1, -2, 3]": True,
    "x != [1, -2, 3]": False,
    "x != 1": True,
    "-2 <= x <= 3": True,
    "-2 < x": False,
    "all(-3 < x < 3)": False,
    "any(-3 < x < 3)": True,
    "any(x != 1) and all(x != 0)": True,
    "x == 0 within 3 and not x == 0 within 2": True,
    "x == [0, 0, 0] within [1, 2, 3]": True,
    "x[0] != 1 within 0.5": False,
    "x[0] == 1 == x[0] within 0": True,
    "s == [b, a, cc] and s != a and s[0] == b": True,
    "any([ c == a for c in s ])": True,
    "all(s == a)": False,
    "i == 2 and 1 != i and i in [0, 2]": True,
    "s[0] in [ s[1], s[2] ] or s[0] in [ a, cc ]": False,
    "x[0] < 0 implies x[1] > 0": True,
    "(x[0] < 0) == (x[1] > 0) and (x[0] < 2) != (x[1] > 0)": True,
    "not (x[0] < 0 or x[2] < 3) and 1 < 2": True,
    "Quote.none == none and half == 2 * eps": True,
    "f(x) do { m := m } == f(x)": True,
    "f(x) do { m.W := 0 } == f(x).h": True,
}


@pytest.mark.parametrize("expression", VALUES)
def test_an_expression_has_the_value_worked_out_by_hand(expression: str, tmp_path: Path) -> None:
    """At one input, in exact arithmetic."""
    program = lowered(f"{SPEC}  ({expression}) == ({expression})", tmp_path, WEIGHTS)
    obligation = program.claim("asked")
    text = " ".join(expression.split())

    assert value(obligation, f"show {text}", program.weights, POINT) == VALUES[expression]


@pytest.mark.parametrize("condition", TRUTHS)
def test_a_condition_holds_as_worked_out_by_hand(condition: str, tmp_path: Path) -> None:
    """At the same input."""
    program = lowered(SPEC + f"  {condition}", tmp_path, WEIGHTS)

    assert value(program.claim("asked"), "goal", program.weights, POINT) == [int(TRUTHS[condition])]


class TestAnAutomaton:
    """A fold over every word, against the same automaton in Python."""

    TEXT = """
enum Char  = { letter, single, double }
enum Quote = { none, in_single, in_double }
circuit state[n](s: Char[n]) -> Quote =
  fold q = none over c in s: match (q, c) {
    (none, single)                             => in_single
    (none, double)                             => in_double
    (in_single, single) | (in_double, double)  => none
    _                                          => q
  }
claim asked: forall s in { s: Char[4] }: state(s) == none
"""

    def test_on_every_word(self, tmp_path: Path) -> None:
        """All 81 words of length four end in the state that Python finds."""
        program = lowered(self.TEXT, tmp_path)
        obligation = program.claim("asked")

        for word in product(range(3), repeat=4):
            assert value(obligation, "show state(s)", program.weights, {"s": list(word)}) == [
                ends_in(word)
            ]


def ends_in(word: tuple[int, ...]) -> int:
    """0 outside quotes, 1 inside single ones, 2 inside double ones."""
    state = 0
    for char in word:
        if char and state in (0, char):
            state = char if state == 0 else 0
    return state


class TestOld:
    """`old e` in a patch: e with the tensors as they were, to any depth."""

    TEXT = """
checkpoint m from "model.safetensors"
circuit inner(x: real) -> real = m.a * x
circuit f(x: real) -> real {
  let first = inner(x)
  return m.a * first
}
patch p of f {
  edit    m.a
  require forall x in { x: real | 0 <= x <= 9 }:
    f(x) + old f(x) == f(old m.a) + old (f(x) do { first := m.a }) + old (f(x) do { m.a := 5 })
}
"""

    def test_reads_the_unpatched_tensors(self, tmp_path: Path) -> None:
        """With a = 2 patched to 3 and x = 1, each side by hand; a `do` inside `old` still counts."""
        program = lowered(self.TEXT, tmp_path, {"a": 2.0})
        obligation = program.patch("p").require[0]
        assert set(obligation.circuit.weights) == {"m/a", "old m/a"}
        left, right = (n for n in obligation.circuit.outputs if n.startswith("show "))

        patched = {"m/a": Tensor((), "F32", array("d", [3.0])), "old m/a": program.weights["m/a"]}
        assert value(obligation, left, patched, {"x": [F(1)]}) == [9 * 1 + 4 * 1]
        assert value(obligation, right, patched, {"x": [F(1)]}) == [9 * 2 + 2 * 2 + 25 * 1]

    RECORDS = """
checkpoint m from "model.safetensors"
record Layer = { a: real, b: real }
circuit inner(w: Layer, x: real) -> real = w.a * x + w.b
circuit f(x: real) -> real = inner(m.mlp, x)
patch p of f {
  edit    m.mlp.a
  require forall x in { x: real | 0 <= x <= 9 }:
    inner(old m.mlp, x) == f(x) do { m.mlp := old m.mlp }
}
"""

    def test_tensors_together_stay_the_unpatched_ones(self, tmp_path: Path) -> None:
        """Given to a circuit as a record, or put in the place of the patched ones, whoever reads them."""
        program = lowered(self.RECORDS, tmp_path, {"mlp.a": 2.0, "mlp.b": 5.0})
        obligation = program.patch("p").require[0]
        for shown in (n for n in obligation.circuit.outputs if n.startswith("show ")):
            circuit = Circuit(
                obligation.circuit.ops,
                obligation.circuit.types,
                {"shown": obligation.circuit.outputs[shown]},
            )
            assert set(drop_dead(circuit).weights) == {"old m/mlp.a", "old m/mlp.b"}


class TestArms:
    """Every `cases` arm has an output that says when it is reached."""

    TEXT = """
circuit sign(x: real) -> real = cases {
  x > 0 => 1
  x < 0 => -1
  else  => 0
}
domain D = { x: real[2] | -1 <= x <= 1 and sign(x[0]) <= 1 }
claim asked: forall x in D: sign(x[0]) * sign(x[1]) <= 1
"""

    @pytest.mark.parametrize(
        ("point", "reached"), [((1, 1), {0}), ((-1, 1), {0, 1}), ((0, -1), {1, 2})]
    )
    def test_an_arm_of_two_calls_is_reached_if_either_reaches_it(
        self, point: tuple[int, int], reached: set[int], tmp_path: Path
    ) -> None:
        """Calls in the goal count; those in a domain do not."""
        program = lowered(self.TEXT, tmp_path)
        obligation = program.claim("asked")
        assert [span.text for span in obligation.arms] == [
            "x > 0 => 1",
            "x < 0 => -1",
            "else  => 0",
        ]

        at = {"x": [F(x) for x in point]}
        held = {k for k in range(3) if value(obligation, f"arm {k}", program.weights, at) == [1]}
        assert held == reached


class TestOutputs:
    """An obligation names what engines and people need of it."""

    TEXT = """
enum Char = { a, b }
param one = 1
claim asked: forall x in { x: real | 0 <= x <= 9 }, c in { c: Char } where x != 3:
  x > one and c == a implies -x + 1 <= 2 and 3 <= one
"""

    def test_what_is_compared_is_shown_unless_it_is_known(self, tmp_path: Path) -> None:
        """Numbers, params and members say nothing new at a witness."""
        obligation = lowered(self.TEXT, tmp_path).claim("asked")
        names = ["in x", "in c", "where", "goal", "premise", "show x", "show c", "show -x + 1"]

        assert list(obligation.circuit.outputs) == names
        assert obligation.members == {"show x": (), "show c": ("a", "b"), "show -x + 1": ()}

    def test_the_premise_is_the_left_side_of_implies(self, tmp_path: Path) -> None:
        """So that one which never holds can be told."""
        program = lowered(self.TEXT, tmp_path)
        obligation = program.claim("asked")

        assert value(obligation, "premise", program.weights, {"x": [F(2)], "c": [0]}) == [1]
        assert value(obligation, "premise", program.weights, {"x": [F(2)], "c": [1]}) == [0]
        assert value(obligation, "where", program.weights, {"x": [F(3)], "c": [1]}) == [0]


class TestParams:
    """Params are numbers that the command line may set, in any order."""

    TEXT = "param a = 2 * b\nparam b = 3\ncircuit f(x: real) -> real = x / (b - 3) + a\n"
    CLAIM = "claim asked: forall x in { x: real | 0 <= x <= b }: x + a == x + b"

    def test_a_param_follows_those_it_is_made_of(self, tmp_path: Path) -> None:
        """a is 2b whatever b is, unless a is set itself."""
        text = self.TEXT + self.CLAIM
        assert lowered(text, tmp_path).params == {"b": 3, "a": 6}
        assert lowered(text, tmp_path, params={"b": F(5)}).params == {"b": 5, "a": 10}
        assert lowered(text, tmp_path, params={"a": F(0)}).params == {"b": 3, "a": 0}

    def test_zero_is_a_value_to_set(self, tmp_path: Path) -> None:
        """Also where it then divides, which is reported at the divisor."""
        text = f"{self.TEXT}claim asked: forall x in {{ x: real | 0 <= x <= 1 }}: f(x) <= b"
        assert codes_of(text, tmp_path) == ["E0217"]
        assert lowered(text, tmp_path, params={"b": F(0)}).params == {"b": 0, "a": 0}


class TestOneCallIsUnfoldedOnce:
    """Circuits that call one another twice do not double the circuit each time."""

    def test_forty_levels_of_two_calls(self, tmp_path: Path) -> None:
        """2^40 calls, of which 40 differ."""
        levels = [f"circuit f{k + 1}(x: real) -> real = f{k}(x) + f{k}(x) - x" for k in range(40)]
        text = "\n".join(
            [
                "circuit f0(x: real) -> real = 2 * x",
                *levels,
                "claim asked: forall x in { x: real | 0 <= x <= 1 }: f40(x) <= 2",
            ]
        )
        program = lowered(text, tmp_path)
        expected = [F(2**40 + 1)]

        assert (
            value(program.claim("asked"), "show f40(x)", program.weights, {"x": [F(1)]}) == expected
        )


class TestLimits:
    """What would not fit in memory, or in Python's stack, is refused where it stands."""

    def test_a_tensor_of_too_many_entries(self, tmp_path: Path) -> None:
        """An outer product of comprehensions."""
        text = """
circuit f(x: real[3000]) -> real[3000, 3000] { let zeros: real[3000, 3000] = 0
  return zeros }
claim asked: forall x in { x: real[3000] | 0 <= x <= 1 }: f(x)[0, 0] == 0
"""
        assert codes_of(text, tmp_path) == ["E0222"]

    def test_too_many_operations(self, tmp_path: Path) -> None:
        """Comprehensions inside one another."""
        side = int(MOST_OPS ** (1 / 3)) + 1
        text = f"""
circuit f(x: real[{side}]) -> real =
  sum([ sum([ sum([ u * v * w * w for w in x ]) for v in x ]) for u in x ])
claim asked: forall x in {{ x: real[{side}] | 0 <= x <= 1 }}: f(x) == 0
"""
        assert codes_of(text, tmp_path) == ["E0222"]

    @pytest.mark.parametrize("levels", [DEEPEST // 3, 2 * DEEPEST])
    def test_calls_inside_calls(self, levels: int, tmp_path: Path) -> None:
        """A few dozen levels are nothing; more than a fixed number are refused, never a crash."""
        chain = [f"circuit f{k + 1}(x: real) -> real = 1 + f{k}(x)" for k in range(levels)]
        text = "\n".join(
            [
                "circuit f0(x: real) -> real = x",
                *reversed(chain),
                f"claim asked: forall x in {{ x: real | 0 <= x <= 1 }}: f{levels}(x) <= 2",
            ]
        )
        assert codes_of(text, tmp_path) == ([] if levels < DEEPEST else ["E0222"])

    def test_as_many_domains_as_one_likes(self, tmp_path: Path) -> None:
        """Domains that narrow one another are a chain, not a tower."""
        chain = [f"domain D{k + 1} = {{ x in D{k} | x <= {k} }}" for k in range(1500)]
        text = "\n".join(
            [
                *reversed(chain),
                "domain D0 = { x: real | -1 <= x }",
                "claim asked: forall x in D1500: x <= 0",
            ]
        )
        assert codes_of(text, tmp_path) == []


def test_a_fold_of_a_real_state_over_a_long_axis(tmp_path: Path) -> None:
    """A real state is unrolled, however long the axis; a domain may speak of it."""
    text = """
circuit decayed(x: real[300]) -> real = fold acc = 0 over v in x: acc / 2 + v
domain D = { x: real[300] | 0 <= x <= 1 and decayed(x) <= 2 }
claim asked: forall x in D: decayed(x) >= 0
"""
    program = lowered(text, tmp_path)
    obligation = program.claim("asked")
    expected = 2 - F(1, 2**299)

    assert value(obligation, "show decayed(x)", program.weights, {"x": [F(1)] * 300}) == [expected]
