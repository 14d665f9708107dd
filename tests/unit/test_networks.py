"""Networks of a spec: read from ONNX, called like circuits, and changed inside."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest

from circ.compiler.driver import check
from circ.compiler.finding import Fails, Holds, Limits, silent
from circ.compiler.onnx import network
from circ.compiler.onnx.network import OPERATORS
from circ.compiler.stored import Files
from circ.lang.diagnostic import CircError
from circ.lang.span import Source
from circ.runtime.agreement import apart, drawn
from circ.runtime.engines import boxes
from tests.unit.lowered import codes_of, lowered, value
from tests.unit.onnx_models import Array, by_runtime, exactly, model, node, read, saved
from tests.unit.specs import command

W = np.array([[1, -2, 0.5], [0, 1, 1], [-1, 0.25, 2], [2, 2, -1]], np.float32)
V = np.array([[1, 1, -1, 0.5], [0, -2, 1, 1]], np.float32)
BIAS = np.array([0.5, -1, 0, 0.25], np.float32)


def layered(batch: int | str | None = "batch") -> onnx.ModelProto:
    """Two layers; what stands between them are the values `before` and `hidden`, the latter of the node `act`."""
    nodes = [
        node("MatMul", ["x", "W"], "product", name="/in/MatMul"),
        node("Add", ["product", "bias"], "before"),
        node("Relu", ["before"], "hidden", name="act"),
        node("MatMul", ["hidden", "V"], "y", name="last"),
    ]
    shape: list[int | str] = [3] if batch is None else [batch, 3]
    return model(nodes, shape, {"W": W.T.copy(), "V": V.T.copy(), "bias": BIAS})


def twice() -> onnx.ModelProto:
    """The sum of a ReLU and of another one of the same value: two nodes that compute the same."""
    nodes = [
        node("Relu", ["x"], "a", name="first"),
        node("Relu", ["x"], "b", name="second"),
        node("Add", ["a", "b"], "y"),
    ]
    return model(nodes, [1, 2])


SPEC = """network f(x: real[3]) -> real[2] from "net.onnx"
domain D = { x: real[3] | -2 <= x <= 2 }
"""


def at(text: str, goal: str, folder: Path, x: Array) -> list[Fraction | int]:
    """The entries of an expression at a point, exactly."""
    program = lowered(f"{text}claim c: forall x in D: {goal} == {goal}\n", folder)
    point = {"x": [Fraction(float(v)) for v in x]}
    return value(program.claim("c"), f"show {goal}", program.weights, point)


def hidden_at(x: Array) -> Array:
    """What stands between the layers."""
    return np.maximum(W.astype(np.float64) @ x + BIAS, 0)


@pytest.mark.parametrize("batch", ["batch", 1, None])
def test_a_network_is_what_onnxruntime_computes(batch: int | str | None, tmp_path: Path) -> None:
    """Whether it is written for batches or not; the spec leaves the axis of a batch out."""
    found = layered(batch)
    saved(tmp_path, found)
    rng = np.random.default_rng(0)
    for x in rng.uniform(-2, 2, (5, 3)).astype(np.float32):
        exact = np.array([float(v) for v in at(SPEC, "f(x)", tmp_path, x)])
        assert np.allclose(
            exact, by_runtime(found, x if batch is None else x[None]).ravel(), atol=1e-5
        )


def test_values_inside_are_sites_by_their_names_and_by_those_of_nodes(tmp_path: Path) -> None:
    """A name with other signs than a word's is quoted."""
    saved(tmp_path, layered())
    x = np.array([1, -0.5, 2], np.float32)
    wanted = hidden_at(x)
    for site in ("hidden", "act"):
        assert [float(v) for v in at(SPEC, f"f(x).{site}", tmp_path, x)] == wanted.tolist()
    product = (W.astype(np.float64) @ x).tolist()
    assert [float(v) for v in at(SPEC, 'f(x)."/in/MatMul"', tmp_path, x)] == product


def test_an_edit_inside_replaces_the_value_for_all_that_reads_it(tmp_path: Path) -> None:
    """Of the whole or of some entries, after one another, by what it was, and of a parameter."""
    saved(tmp_path, layered())
    x = np.array([1, -0.5, 2], np.float32)
    h, out = hidden_at(x), V.astype(np.float64)
    kept = h * [1, 0, 1, 0]
    edits = {
        "f(x) do { hidden := 0 }": out @ np.zeros(4),
        "f(x) do { act[1] := 0, hidden[3] := 0 }": out @ kept,
        "f(x) do { hidden := 2 * it + 1 }": out @ (2 * h + 1),
        'f(x) do { "/in/MatMul" := it + 1 } do { hidden := -it }': out
        @ -np.maximum(W @ x + 1.0 + BIAS, 0),
        "f(x) do { x := 0 }": out @ hidden_at(np.zeros(3)),
        "f(x) do { y := it - 1 }": out @ h - 1,
        "(f(x) do { before := 1 }).hidden": np.ones(4),
        "f(x) do { hidden := f(-x).hidden }": out @ hidden_at(-x),
    }
    for goal, wanted in edits.items():
        assert [float(v) for v in at(SPEC, goal, tmp_path, x)] == pytest.approx(wanted.tolist()), (
            goal
        )


def test_values_inside_are_reached_through_lets_and_by_names_with_dots(tmp_path: Path) -> None:
    """A call bound by `let` has them below its name."""
    nodes = [node("Relu", ["x"], "layer.0.act"), node("Neg", ["layer.0.act"], "y")]
    saved(tmp_path, model(nodes, [1, 2]))
    text = """network f(x: real[2]) -> real[2] from "net.onnx"
circuit g(x: real[2]) -> real[2] {
  let inner = f(x)
  return inner + 1
}
domain D = { x: real[2] | -1 <= x <= 1 }
"""
    x = np.array([1, -0.5], np.float32)
    for name in ('"layer.0.act"', "layer.0.act"):
        assert at(text, f"g(x).inner.{name}", tmp_path, x) == [1, 0]
        assert at(text, f"g(x) do {{ inner.{name}[1] := 3 }}", tmp_path, x) == [0, -2]
    assert at(text, 'f(x)."layer.0.act"', tmp_path, x) == [1, 0]


def test_of_two_equal_values_an_edit_replaces_the_one_it_names(tmp_path: Path) -> None:
    """The circuit has both on one wire; an edit of `a` leaves `b`."""
    saved(tmp_path, twice())
    text = 'network f(x: real[2]) -> real[2] from "net.onnx"\ndomain D = { x: real[2] | -1 <= x <= 1 }\n'
    x = np.array([1, 0.5], np.float32)
    assert at(text, "f(x)", tmp_path, x) == [2, 1]
    for site in ("a", "b", "first", "second"):
        assert at(text, f"f(x) do {{ {site} := 0 }}", tmp_path, x) == [1, Fraction(1, 2)]
    assert at(text, "f(x) do { a := 0, b := 5 }", tmp_path, x) == [5, 5]


def test_claims_about_a_network_are_decided(tmp_path: Path) -> None:
    """A network and the same as a circuit agree on a box, and differ where a weight does."""
    saved(tmp_path, layered())
    rows = [[float(x) for x in row] for row in W]
    last = [[float(x) for x in row] for row in V]
    text = f"{SPEC}circuit g(x: real[3]) -> real[2] = {last} @ relu({rows} @ x + {BIAS.tolist()})\n"
    for goal, kind in (("f(x) == g(x)", Holds), ("f(x) == g(x) do { x[0] := it + 0.001 }", Fails)):
        program = lowered(f"{text}claim c: forall x in D: {goal}\n", tmp_path)
        found = boxes.decide(program.claim("c"), program.weights, Limits(20.0), silent)
        assert isinstance(found, kind)


WRONG = {
    "shape": 'network f(x: real[4]) -> real[2] from "net.onnx"',
    "batch": 'network f(x: real[2, 3]) -> real[2] from "net.onnx"',
    "members": 'network f(x: bool[3]) -> real[2] from "net.onnx"',
    "result": 'network f(x: real[3]) -> real[3] from "net.onnx"',
    "inputs": 'network f(x: real[3], z: real[3]) -> real[2] from "net.onnx"',
}


@pytest.mark.parametrize("name", WRONG)
def test_a_network_is_as_it_is_declared(name: str, tmp_path: Path) -> None:
    """Its inputs, one by one, and its output."""
    saved(tmp_path, layered())
    assert codes_of(WRONG[name], tmp_path) == ["E0820"]


def test_a_file_that_is_no_network_is_told_where_the_spec_names_it(tmp_path: Path) -> None:
    """One that is missing, one that is something else, and one outside of the spec's folder."""
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "text.onnx").write_text("hello")
    saved(tmp_path, layered())
    for file, code in (("none.onnx", "E0401"), ("text.onnx", "E0802"), ("../net.onnx", "E0411")):
        text = f'network f(x: real[3]) -> real[2] from "{file}"'
        (found,) = check(Source("spec.circ", text), Files(folder), {}).diagnostics
        assert found.code == code
        assert found.span is not None
        assert found.span.text == f'"{file}"'


@pytest.mark.parametrize("batch", ["batch", 1, None])
def test_tensors_of_the_file_are_edited_by_their_names(
    batch: int | str | None, tmp_path: Path
) -> None:
    """Whole or in part, in one call, together with values inside and by what they were."""
    saved(tmp_path, layered(batch))
    x = np.array([1, -0.5, 2])
    text = SPEC + "circuit g(x: real[3]) -> real[2] {\n  let each = [ f(v) for v in [x, 2 * x] ]\n"
    text += "  let y = f(x)\n  return sum(each) + y\n}\n"

    def worked(w: Array, v: Array, bias: Array, x: Array = x) -> Array:
        found: Array = v @ np.maximum(w @ x + bias, 0)
        return found

    first, last, plain = W.astype(np.float64), V.astype(np.float64), worked(W, V, BIAS)
    half = np.vstack([first[:2], first[2:] * 3])
    there = last.copy()
    there[1, 2] = 7
    doubled = worked(W, V, BIAS, 2 * x)
    cases = {
        "f(x) do { W := 0 }": worked(0 * first, V, BIAS),
        "f(x) do { W[:, 2:] := 3 * it, bias[0] := it - x[1] }": worked(
            half, V, BIAS + np.array([0.5, 0, 0, 0])
        ),
        "f(x) do { V[2, 1] := 7, bias := [1, 1, 1, 1] }": worked(W, there, BIAS * 0 + 1),
        "f(x) do { hidden[0] := 0, V[:, 0] := it + 1 }": V @ (hidden_at(x) * [0, 1, 1, 1])
        + [(hidden_at(x) * [0, 1, 1, 1]).sum(), 0],
        "g(x) do { y.W := 0 }": worked(0 * first, V, BIAS) + plain + doubled,
        "g(x) do { each.bias[0, 1] := 5, each.bias[1] := it + 1 }": plain
        + worked(W, V, np.array([0.5, 5, 0, 0.25]))
        + worked(W, V, BIAS + 1, 2 * x),
        "g(x) do { each.V := 2 * it }": plain + 2 * (plain + doubled),
    }
    for goal, expected in cases.items():
        assert at(text, goal, tmp_path, x) == [Fraction(float(v)) for v in expected], goal


def test_an_edit_of_a_tensor_is_seen_where_the_file_moves_it(tmp_path: Path) -> None:
    """A matrix that a node turns over, and one that two nodes read."""
    nodes = [
        node("Transpose", ["M"], "turned", perm=[1, 0]),
        node("MatMul", ["x", "turned"], "first"),
        node("MatMul", ["first", "M"], "y"),
    ]
    stored = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    saved(tmp_path, model(nodes, [1, 3], {"M": stored}))
    text = SPEC.replace("real[2]", "real[3]")
    changed = stored.copy()
    changed[1, 2] = 0
    x = np.array([1, -0.5, 2])
    found = at(text, "f(x) do { M[1, 2] := 0 }", tmp_path, x)
    assert found == [Fraction(float(v)) for v in x @ changed.T @ changed]


def test_a_tensor_that_has_to_be_known_is_not_edited(tmp_path: Path) -> None:
    """A divisor, of which the circuit has the reciprocal."""
    nodes = [node("Div", ["x", "D"], "y")]
    saved(tmp_path, model(nodes, [1, 3], {"D": np.array([1, 2, 4], np.float32)}))
    text = SPEC.replace("real[2]", "real[3]")
    codes = codes_of(f"{text}claim c: forall x in D: f(x) do {{ D[0] := x[0] }} == 0", tmp_path)
    assert codes == ["E0804"]


EDITS = {
    "f(x) do { U := 0 } == 0": "E0501",
    "f(x).W == 0": "E0501",
    "f(x) do { W[:, 4] := 0 } == 0": "E0206",
    "f(x) do { W := bias } == 0": "E0101",
    "(f(x) do { V := 0 }).hidden == 0": "E0502",
    "f(x) do { bias := 0, bias[1] := 1 } == 0": "E0503",
    "f(x).nothing == 0": "E0501",
    "(f(x) do { y := 0 }).hidden == 0": "E0502",
    "f(x) do { act := 0, hidden := 1 } == 0": "E0503",
    "f(x) do { hidden := [1, 2] } == 0": "E0201",
    "f == 0": "E0107",
    "f(x, x) == 0": "E0204",
}


@pytest.mark.parametrize("goal", EDITS)
def test_what_is_not_there_or_feeds_nothing_is_an_error(goal: str, tmp_path: Path) -> None:
    """As with circuits."""
    saved(tmp_path, layered())
    assert codes_of(f"{SPEC}claim c: forall x in D: {goal}", tmp_path) == [EDITS[goal]]


def test_a_patch_edits_no_network(tmp_path: Path) -> None:
    """Its tensors stand in a file of its own; a patch is of a checkpoint."""
    saved(tmp_path, layered())
    patch = "patch p of f {\n  edit f.W\n  require forall x in D: f(x) <= 100\n}\n"
    assert set(codes_of(SPEC + patch, tmp_path)) == {"E0105"}


# --- held against onnxruntime ---------------------------------------------------------------


def test_a_network_is_held_against_onnxruntime_when_it_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`circ check` says what a reading agrees with."""
    saved(tmp_path, layered())
    (tmp_path / "s.circ").write_text(SPEC)
    assert command("check", tmp_path / "s.circ") == 0
    assert "net.onnx, agrees with onnxruntime 1." in capsys.readouterr().out


def test_where_nothing_runs_a_network_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `check` and by `prove`, which decides all the same."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    saved(tmp_path, layered())
    (tmp_path / "s.circ").write_text(f"{SPEC}claim c: forall x in D: f(x) <= 100\n")
    assert command("check", tmp_path / "s.circ") == 0
    assert "not compared: onnxruntime is not installed" in capsys.readouterr().out
    assert command("prove", tmp_path / "s.circ") == 0
    assert "the reading of `f` was not compared: onnxruntime is not" in capsys.readouterr().err


def test_a_reading_that_differs_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the first value that differs; nothing is decided then."""
    bent = {**OPERATORS, "Relu": OPERATORS["Abs"]}
    monkeypatch.setattr(network, "OPERATORS", bent)
    saved(tmp_path, layered())
    (tmp_path / "s.circ").write_text(f"{SPEC}claim c: forall x in D: f(x) <= 100\n")
    assert command("prove", tmp_path / "s.circ") == 4
    said = capsys.readouterr().err
    assert "E0823" in said
    assert "the first value that differs is `hidden` (Relu)" in said


@pytest.mark.parametrize(("by", "told"), [(1e-3, True), (1e-8, False)])
def test_what_rounding_explains_is_no_difference(by: float, told: bool, tmp_path: Path) -> None:
    """A float32 network may stray by some units in the last place, and by no thousandth."""
    found = read(tmp_path, layered())
    points = drawn(found)
    ((name, wire),) = found.circuit.outputs.items()
    exact = [exactly(found, x) for x in np.moveaxis(points["x"], -1, 0)]
    values = np.array([[float(low) for low, _ in row] for row in exact]).T
    assert name == "y"
    assert (apart(found, wire, points, values + by) is not None) == told


def test_masked_scores_are_what_a_softmax_leaves_out(tmp_path: Path) -> None:
    """-∞, chosen or added, is 0 behind the softmax, as onnxruntime has it; elsewhere it is refused."""
    tensors = {
        "kept": np.tril(np.ones((3, 3), np.bool_)),
        "left": np.array(-np.inf, np.float32),
        "mask": np.triu(np.full((3, 3), -np.inf, np.float32), 2),
    }
    chosen = node("Where", ["kept", "x", "left"], "scores")
    nodes = [chosen, node("Add", ["scores", "mask"], "both"), node("Softmax", ["both"])]
    found = model(nodes, [3, 3], tensors)
    x = np.random.default_rng(0).normal(size=(3, 3)).astype(np.float32)
    exact = exactly(read(tmp_path, found), x)
    middle = [float(low + high) / 2 for low, high in exact]
    assert middle == pytest.approx(by_runtime(found, x).ravel().tolist(), abs=1e-6)
    assert {*exact[1], *exact[2]} == {0}
    with pytest.raises(CircError, match="-∞ in places"):
        read(tmp_path, model([chosen, node("Relu", ["scores"])], [3, 3], tensors))


@pytest.mark.parametrize("axis", [-1, 1])
def test_norms_and_activations_of_transformers_are_what_onnxruntime_computes(
    axis: int, tmp_path: Path
) -> None:
    """`LayerNormalization` over the axes from one on, and `Gelu` in its tanh form."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 3, 4)).astype(np.float32)
    shape = x.shape[axis:]
    tensors = {name: rng.normal(size=shape).astype(np.float32) for name in ("scale", "bias")}
    nodes = [
        node("LayerNormalization", ["x", "scale", "bias"], "z", axis=axis, epsilon=0.01),
        node("Gelu", ["z"], approximate="tanh"),
    ]
    found = model(nodes, [2, 3, 4], tensors, opset=20)
    middle = [float(low + high) / 2 for low, high in exactly(read(tmp_path, found), x)]
    assert middle == pytest.approx(by_runtime(found, x).ravel().tolist(), abs=1e-5)
