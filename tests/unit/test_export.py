"""`circ compile --to onnx|vnnlib`: a claim as a standard problem, which has the claim's answer."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import vnnlib

from circ.compiler.builder import Builder, every, reals
from circ.compiler.export.numbers import decimal, quotient, unwritable
from circ.compiler.export.problem import Exported, exported
from circ.compiler.export.sought import Unsayable
from circ.compiler.ir import Compare, Contract, Input, Real, WireType
from circ.compiler.obligation import Bound, Obligation, Reals
from circ.compiler.onnx.network import read_network
from tests.unit.lowered import lowered
from tests.unit.obligations import NOWHERE
from tests.unit.onnx_models import run
from tests.unit.specs import Rows, command, write_spec

WEIGHTS: dict[str, Rows] = {
    "W": [[1.0, -2.0], [0.5, 1.0], [-1.5, 0.25]],
    "b": [0.5, -1.0, 0.0],
    "V": [[1.0, 0.0, -1.0], [0.25, 1.0, 1.0], [-0.5, 2.0, 0.0]],
}

SPEC = """
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[3] = m.V @ relu(m.W @ x + m.b)
circuit g(x: real[2]) -> real = 0.1 * f(x)[0] - f(x)[2] / 3
circuit rule(x: real[2]) -> real = cases {
  x[0] + x[1] > 0.5 and x[0] < 0.75 => f(x)[1]
  else                              => 2 * f(x)[0]
}
enum Bit = { zero, one }
domain Box = { x: real[2] | -1 <= x <= 1 }
domain Odd = { x in Box | norm_inf(x) <= 1/3 and x[0] + 2 * x[1] < 0.7 }
"""

CLAIMS = {
    "holds": "forall x in Box: f(x) <= 8",
    "fails": "forall x in Box: f(x)[0] <= 3",
    "reached at a corner": "forall x in Box: f(x)[0] < 3.5",
    "strict": "forall x in Box: f(x)[0] <= 3.5",
    "rational": "forall x in Odd: g(x) <= 1/7",
    "argmax": "forall x in Box where x[0] >= 1/3 and x[1] <= -0.5: argmax(f(x)) == 0",
    "argmax elsewhere": "forall x in Box: argmax(f(x)) == 1",
    "tie": "forall x in Box where x == 0: argmax(0 * f(x)) == 1",
    "not argmax": "forall x in Box where x == 0: argmax(0 * f(x)) != 1",
    "exists": "exists x in Box: f(x)[0] > f(x)[1] + x[0] + 3",
    "exists not": "exists x in Box: f(x)[0] > 4",
    "two inputs": "forall x in Box, y in Odd: f(x)[0] - f(y)[0] <= 3.5",
    "within": "forall x in Odd, y in Box: f(x) == f(y) within 7",
    "cases": "forall x in Box: rule(x) <= 7",
    "cases fail": "forall x in Box: rule(x) <= 2",
    "implies": "forall x in Box: x[0] <= x[1] implies f(x)[0] <= 1 or f(x)[1] >= 0",
    "of inputs alone": "forall x in Odd: x[0] + x[1] < 0.6",
}  # fmt: skip

UNSAYABLE = {
    "words": ("forall s in { s: Bit[2] }: s[0] == one", "real inputs"),
    "two argmax": ("forall x in Box, y in Odd: argmax(f(x)) == 0 or argmax(f(y)) == 0", "ties"),
    "index": ("forall x in Box, y in Odd: argmax(f(x)) == argmax(f(y))", "constant"),
    "choice": ("forall x in Box: f(x)[argmax(f(x))] <= 9", "index"),
}


def problem_of(claim: str, folder: Path) -> Exported:
    """The problem of one claim."""
    program = lowered(f"{SPEC}\nclaim it: {claim}\n", folder, WEIGHTS)
    return exported(program.question("it").at(None), program.weights)


@pytest.mark.parametrize("name", CLAIMS)
def test_it_has_the_answer_of_the_claim(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Proved is `unsat` for `forall` and `sat` for `exists`; refuted is the other one."""
    spec = write_spec(tmp_path, f"{SPEC}\nclaim it: {CLAIMS[name]}\n", WEIGHTS)
    files = tmp_path / "it.onnx", tmp_path / "it.vnnlib"
    for file in files:
        assert command("compile", spec, "it", "--to", file.suffix[1:], "--out", file) == 0
    proved = command("prove", spec, "it") == 0
    capsys.readouterr()
    wanted = "sat" if proved == CLAIMS[name].startswith("exists") else "unsat"
    assert command("vnnlib", *files) == 0
    assert capsys.readouterr().out.partition("\n")[0] == wanted


@pytest.mark.parametrize("name", CLAIMS)
def test_the_standards_own_parser_reads_it(name: str, tmp_path: Path) -> None:
    """Text of version 2.0 is accepted by the library of the standard, with the shapes of the network."""
    made = problem_of(CLAIMS[name], tmp_path)
    (network,) = vnnlib.parse_query_string(made.property(2)).networks
    path = tmp_path / "it.onnx"
    path.write_bytes(made.model())
    read = read_network(path)
    assert [tuple(x.shape) for x in network.inputs] == [shape for _, shape in read.inputs]
    assert [tuple(x.shape) for x in network.outputs] == [shape for _, shape in read.outputs]


@pytest.mark.parametrize("name", UNSAYABLE)
def test_what_cannot_be_said_is_one_error(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason, and nothing is written."""
    claim, reason = UNSAYABLE[name]
    spec = write_spec(tmp_path, f"{SPEC}\nclaim it: {claim}\n", WEIGHTS)
    out = tmp_path / "it.onnx"
    assert command("compile", spec, "it", "--to", "onnx", "--out", out) == 4
    said = capsys.readouterr().err
    assert "E0705" in said
    assert reason in " ".join(said.split())
    assert not out.exists()


def test_a_network_needs_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no text, so nothing of it goes to the screen; a property does."""
    spec = write_spec(tmp_path)
    assert command("compile", spec, "bounded", "--to", "onnx") == 4
    assert "E0707" in capsys.readouterr().err
    assert command("compile", spec, "bounded", "--to", "vnnlib") == 0
    assert "(declare-const X_0 Real)" in capsys.readouterr().out


def test_the_text_says_what_the_claim_says(tmp_path: Path) -> None:
    """Bounds and conditions on inputs are about inputs, what is compared are outputs."""
    claim = "forall x in Odd where 0.5 * x[1] >= -0.1: f(x)[0] < 2 and f(x)[1] <= f(x)[2] - 1.5"
    lines = problem_of(claim, tmp_path).property(1).splitlines()
    assert [line for line in lines if line.startswith("(assert")] == [
        "(assert (>= (* 3.0 X_0) -1.0))",
        "(assert (<= (* 3.0 X_0) 1.0))",
        "(assert (>= (* 3.0 X_1) -1.0))",
        "(assert (<= (* 3.0 X_1) 1.0))",
        "(assert (<= (* 3.0 Y_0) 1.0))",
        "(assert (< (+ X_0 (* 2.0 X_1)) 0.7))",
        "(assert (>= (* 0.5 X_1) -0.1))",
        "(assert (or (>= Y_1 2.0) (< Y_3 Y_2)))",
    ]


def test_an_argmax_is_broken_as_the_search_would_have_it(tmp_path: Path) -> None:
    """A tie refutes `argmax == 1`, so another score that is as large is what is sought."""
    lines = problem_of("forall x in Box: argmax(f(x)) == 1", tmp_path).property(1).splitlines()
    assert lines[-1] == "(assert (or (<= Y_1 Y_0) (<= Y_1 Y_2)))"
    lines = problem_of("forall x in Box: argmax(f(x)) != 1", tmp_path).property(1).splitlines()
    assert lines[-2:] == ["(assert (<= Y_0 Y_1))", "(assert (<= Y_2 Y_1))"]


@pytest.mark.parametrize(
    "spec",
    ["ij,jk->ik", "ij,jk->ki", "ji,kj->ik", "bij,bjk->ibk", "bij,kjb->kbi", "ij,ij->ji", "ijk,jk->i",
     "ij,k->kji", "ij,->ji", "bi,ib->b", "aibj,bja->ib"],
)  # fmt: skip
def test_an_einsum_is_a_product_of_matrices(spec: str) -> None:
    """Whatever the order of its axes, and on whichever side its constant stands."""
    sizes = {"i": 2, "j": 3, "k": 4, "b": 2, "a": 3}
    random = np.random.default_rng(1)
    left, right = spec.split("->")[0].split(",")
    shapes = [tuple(sizes[x] for x in letters) for letters in (left, right)]
    for place in (0, 1):
        values = [random.integers(-3, 4, shape).astype(np.float64) for shape in shapes]
        b = Builder()
        x = b.add(Input("x", WireType(Real(), shapes[place])))
        entries = [Fraction(int(v)) for v in values[1 - place].ravel()]
        known = reals(b, entries, shapes[1 - place])
        found = b.add(Contract(spec, *((x, known) if place == 0 else (known, x))))
        zeros = reals(b, [Fraction(0)] * b.types[found].entries, b.shape(found))
        goal = every(b, b.add(Compare("<=", found, zeros)))
        bound = Bound("x", b.types[x], Reals(((Fraction(-9), Fraction(9)),) * values[place].size))
        claim = Obligation("it", "forall", b.circuit({"goal": goal}), (bound,), NOWHERE)
        made = exported(claim, {})
        computed = run(made.model(), "X", values[place].reshape(1, -1).astype(np.float32))
        assert computed.ravel().tolist() == np.einsum(spec, *values).ravel().tolist()


class TestFloats:
    """A network's tensors are float32 where that is exact, and float64 elsewhere."""

    def test_singles_stay_singles(self, tmp_path: Path) -> None:
        """All weights are sums of few powers of two."""
        made = problem_of("forall x in Box: f(x)[0] <= 3", tmp_path)
        assert made.graph.inputs[0].dtype == "F32"

    def test_others_are_doubles(self, tmp_path: Path) -> None:
        """2^-30 + 1 is no float32."""
        made = problem_of(f"forall x in Box: {1 + Fraction(1, 2**30)} * f(x)[0] <= 3", tmp_path)
        assert made.graph.inputs[0].dtype == "F64"

    def test_what_is_no_float_is_a_quotient(self, tmp_path: Path) -> None:
        """0.1 and 1/3 are quotients of two floats, and exact as such."""
        made = problem_of("forall x in Odd: g(x) <= 1", tmp_path)
        divided = [node for node in made.graph.nodes if node.operator == "Div"]
        values = [float(np.asarray(made.graph.tensors[n.inputs[1]].values)) for n in divided]
        assert sorted(values) == [3.0, 10.0]

    def test_what_is_not_even_a_quotient_is_refused(self) -> None:
        """Both parts must be floats."""
        assert quotient(Fraction(1, 3)) == (Fraction(1), Fraction(3))
        with pytest.raises(Unsayable):
            quotient(Fraction(2**60 + 1, 3**50))


class TestDecimals:
    """Numbers in a property are written in full."""

    @pytest.mark.parametrize(
        ("value", "text"),
        [("1/8", "0.125"), ("-3", "-3.0"), ("1/1024", "0.0009765625"), ("0", "0.0"),
         ("123456789012345678901234567890", "123456789012345678901234567890.0")],
    )  # fmt: skip
    def test_end(self, value: str, text: str) -> None:
        """Without an exponent, and with a point."""
        assert decimal(Fraction(value)) == text
        assert Fraction(decimal(Fraction(5e-324))) == Fraction(5e-324)

    def test_or_lack_a_factor(self) -> None:
        """Which is what their denominator has besides 2 and 5."""
        assert unwritable(Fraction(1, 60)) == 3
        assert unwritable(Fraction(7, 20)) == 1
