"""The standard library: its claims are proved, and its circuits are what others compute."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from circ.compiler.driver import Program, check
from circ.compiler.positions import reads
from circ.compiler.query import expression
from circ.compiler.readings.intervals import Reals
from circ.compiler.sources import standard_modules, standard_source
from circ.compiler.stored import Files
from circ.compiler.verdict import Proved
from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, CircuitDecl
from circ.runtime.evaluate import evaluate
from circ.runtime.prover import prove
from tests.unit.lowered import lowered
from tests.unit.specs import write_spec

Matrix = npt.NDArray[np.float64]

N, D, H = 4, 3, 5


def library(module: str) -> Program:
    """A module of the standard library as a spec."""
    source = standard_source(module)
    return check(Source(source.name, source.text), Files(Path()), {})


CLAIMS = [(m, claim) for m in standard_modules() for claim in library(m).typed.scope.claims]


@pytest.mark.parametrize(("module", "claim"), CLAIMS)
def test_a_claim_of_the_library_is_proved(module: str, claim: str) -> None:
    """The claims in a module are its tests."""
    program = library(module)
    assert isinstance(prove(program.claim(claim), program.weights), Proved)


@pytest.mark.parametrize("module", standard_modules())
class TestAModule:
    """What every module of the library keeps to."""

    def test_says_what_each_circuit_that_takes_tensors_is(self, module: str) -> None:
        """A circuit with dimensions is for everyone, and has a contract in prose."""
        items = library(module).typed.module.items
        circuits = [item for item in items if isinstance(item, CircuitDecl) and item.dims]
        assert circuits
        assert [item.name.text for item in circuits if not item.doc] == []

    def test_needs_no_file_and_changes_none(self, module: str) -> None:
        """It has no checkpoint and no patch, and uses the library alone."""
        typed = library(module).typed
        assert not any(isinstance(item, CheckpointDecl) for item in typed.module.items)
        assert not typed.scope.patches
        assert not any(use.is_file for use in typed.module.uses)


# --- attention against numpy ------------------------------------------------------------------


def softmax(scores: Matrix) -> Matrix:
    """Along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def soft(scores: Matrix) -> Matrix:
    """Every position reads all."""
    return softmax(scores)


def causal(scores: Matrix) -> Matrix:
    """Positions that come later are left out by minus infinity, as it is usually done."""
    return softmax(np.where(np.tri(len(scores), dtype=bool), scores, -np.inf))


def hard(scores: Matrix) -> Matrix:
    """The largest score takes all."""
    found: Matrix = np.eye(scores.shape[1])[scores.argmax(axis=1)]
    return found


def linear(scores: Matrix) -> Matrix:
    """The scores themselves."""
    return scores


PATTERNS: dict[str, Callable[[Matrix], Matrix]] = {
    "attention": soft,
    "causal_attention": causal,
    "hard_attention": hard,
    "linear_attention": linear,
}

SPEC = """
use std.attention: {name}
checkpoint m from "model.safetensors"
circuit head() -> real[{n}, {d}] {{
  let attn = {name}(m.x, {weights})
  return attn
}}
"""


def computed(name: str, weights: str, tensors: dict[str, Matrix], folder: Path) -> Program:
    """A spec that calls a circuit of the library on the tensors of a checkpoint."""
    text = SPEC.format(name=name, weights=weights, n=N, d=D)
    spec = write_spec(folder, text, {key: value.tolist() for key, value in tensors.items()})
    program = check(Source(str(spec), text), Files(folder), {})
    assert not program.diagnostics.failed
    return program


def exactly(program: Program, text: str, shape: tuple[int, ...]) -> Matrix:
    """The exact value of an expression, rounded; PyTorch's is near it."""
    found = evaluate(expression(program, Source("line", text), {}), program.weights)
    assert isinstance(found.exact, Reals)
    middles = [float((low + high) / 2) for low, high in found.exact.box]
    assert all(high - low < Fraction(1, 10**9) for low, high in found.exact.box)
    assert np.allclose(middles, found.computed, atol=1e-5)
    return np.array(middles).reshape(shape)


def random_tensors(seed: int) -> dict[str, Matrix]:
    """Vectors and weights with float32 entries."""
    rng = np.random.default_rng(seed)
    shapes = {"x": (N, D), "Q": (H, D), "K": (H, D), "V": (H, D), "O": (D, H)}
    drawn = {key: rng.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
    return {key: value.astype(np.float64) for key, value in drawn.items()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", PATTERNS)
def test_attention_is_what_numpy_computes(name: str, seed: int, tmp_path: Path) -> None:
    """Scores, what is read, and the result, on random weights."""
    t = random_tensors(seed)
    program = computed(name, "m.Q, m.K, m.V, m.O", t, tmp_path)
    scores = (t["x"] @ t["Q"].T) @ (t["x"] @ t["K"].T).T / sqrt(H)
    pattern = PATTERNS[name](scores)

    assert np.allclose(exactly(program, "head().attn.scores", (N, N)), scores)
    if name in ("attention", "causal_attention"):
        found = exactly(program, "head().attn.pattern", (N, N))
        assert np.allclose(found, pattern)
        assert ((found == 0) == (pattern == 0)).all()
    wanted = pattern @ (t["x"] @ t["V"].T) @ t["O"].T
    assert np.allclose(exactly(program, "head()", (N, D)), wanted)


def test_mean_attention_is_what_numpy_computes(tmp_path: Path) -> None:
    """The mean of the values at each position."""
    t = random_tensors(0)
    program = computed("mean_attention", "m.V, m.O", t, tmp_path)
    wanted = np.tile(t["O"] @ (t["x"] @ t["V"].T).mean(axis=0), (N, 1))

    assert np.allclose(exactly(program, "head()", (N, D)), wanted)


def test_a_row_of_a_causal_pattern_does_not_read_what_comes_later(tmp_path: Path) -> None:
    """Not even through a score that is small: no op that row i depends on reads a later position.

    Row 0 has one entry, which is 1 and depends on nothing.
    """
    call = "causal_attention(x, [[1], [2]], [[1], [0]], [[1], [1]], [[1, 1]]).pattern"
    rows = " and ".join(f"{call}[{i}, 0] <= {2 + i}" for i in range(3))
    text = f"""
    use std.attention: causal_attention
    domain Box = {{ x: real[3, 1] | -1 <= x <= 1 }}
    claim c: forall x in Box: {rows}
    """
    circuit = lowered(text, tmp_path).claim("c").circuit
    shown = [circuit.outputs[f"show {call}[{i}, 0]"] for i in range(3)]
    read = reads(circuit, shown, circuit.inputs["x"])

    assert [int(read[wire]) for wire in shown] == [0b000, 0b011, 0b111]
