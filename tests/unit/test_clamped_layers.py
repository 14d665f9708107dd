"""A patch that bounds a direction of what a layer reads: plain PyTorch finds it within its bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from circ.runtime.patches.receipt import receipt_path
from tests.unit.hidden_layers import laid_out, run
from tests.unit.specs import Rows, command, save, stored

SPEC = """
checkpoint m from "model.safetensors"
circuit f(x: real[3]) -> real[3] {{
  let hidden = relu({into} + m.mlp.b_in)
  return {out} + m.mlp.b_out
}}
circuit share(x: real[3]) -> real = dot(x, m.v) / dot(m.v, m.v)
domain D = {{ x: real[3] | -2 <= x <= 2 }}
patch bounded of f {{
  clamp    m.mlp at x in D along m.v to [-0.25, 0.5]
  require  forall x in D: -0.25 - {slack} <= share(x + f(x) - old f(x)) <= 0.5 + {slack}
  preserve forall x in D where -0.25 <= share(x) <= 0.5: f(x) == old f(x) within {slack}
}}
"""

RNG = np.random.default_rng(5)
V = [0.75, -1.25, 0.5]
LAYER: dict[str, Rows] = {
    "mlp.W_in": RNG.normal(size=(5, 3)).tolist(),
    "mlp.b_in": RNG.normal(size=5).tolist(),
    "mlp.W_out": RNG.normal(size=(3, 5)).tolist(),
    "mlp.b_out": RNG.normal(size=3).tolist(),
    "v": V,
}


def written(folder: Path, dtype: type[np.floating[Any]], *, inputs_first: bool) -> Path:
    """The spec beside its checkpoint, its matrices one way round or the other."""
    weights, products = laid_out(LAYER, inputs_first=inputs_first)
    save(weights, folder / "model.safetensors", dtype)
    spec = folder / "spec.circ"
    spec.write_text(SPEC.format(**products, slack=0.02 if dtype == np.float16 else 1e-5))
    return spec


def layer(path: Path, x: torch.Tensor, *, inputs_first: bool) -> torch.Tensor:
    """What the layer with the numbers of a file gives, in doubles."""
    t = {name: torch.tensor(values.tolist()).double() for name, values in stored(path).items()}
    return run(t, x, inputs_first=inputs_first)


@pytest.mark.parametrize(
    ("dtype", "inputs_first"), [(np.float64, True), (np.float32, False), (np.float16, True)]
)
def test_what_is_lacking_is_added_and_nothing_else(
    tmp_path: Path, dtype: type[np.floating[Any]], inputs_first: bool
) -> None:
    """At ten thousand inputs: along the direction the stream is moved to its nearest bound, across it not at all, and an
    input within the bounds is given what it was given. Two units do that, behind those that were there.
    """
    spec, out = written(tmp_path, dtype, inputs_first=inputs_first), tmp_path / "o.safetensors"
    assert command("patch", spec, "--out", out) == 0
    model = tmp_path / "model.safetensors"
    assert stored(out)["mlp.b_in"].shape == (5 + 2,)
    assert stored(out)["mlp.W_in"].dtype == dtype
    x = torch.rand(10_000, 3, generator=torch.Generator().manual_seed(0)).double() * 4 - 2
    moved = layer(out, x, inputs_first=inputs_first) - layer(model, x, inputs_first=inputs_first)
    v = torch.tensor(V).double()
    share = x @ v / (v @ v)
    wanted = torch.outer(share.clamp(-0.25, 0.5) - share, v)
    assert (share < -0.25).any()
    assert (share > 0.5).any()
    assert (moved - wanted).abs().max() < (0.02 if dtype == np.float16 else 1e-5)


def test_it_is_left_applied_taken_back_and_audited(tmp_path: Path) -> None:
    """As any patch is, to the byte, growth included."""
    spec, model = written(tmp_path, np.float32, inputs_first=False), tmp_path / "model.safetensors"
    before, delta = model.read_bytes(), tmp_path / "delta"
    assert command("patch", spec, "--delta", delta) == 0
    out, back = tmp_path / "out.safetensors", tmp_path / "back.safetensors"
    assert command("patch", "apply", delta, model, "--out", out) == 0
    assert command("audit", receipt_path(out)) == 0
    assert command("patch", "revert", delta, out, "--out", back) == 0
    assert back.read_bytes() == before != out.read_bytes()
