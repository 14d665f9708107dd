"""A patch that adds units to a layer, or puts others in the place of all: what is written is what plain PyTorch runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from circ.runtime.patches.receipt import receipt_path
from circ.runtime.patches.widths import widths
from tests.unit.forged import forged
from tests.unit.hidden_layers import laid_out, run
from tests.unit.specs import Rows, command, save, stored

SPEC = """
space In = real[3]
space Out = real[4]
checkpoint m from "model.safetensors" {{ to: Out }}
guard open(x: In) = x[0] + x[1] > 0.5
circuit f(x: In) -> Out {{
  let hidden = relu({into} + m.mlp.b_in)
  return {out} + m.mlp.b_out
}}
circuit e(x: In) -> Out = m.to * (x[0] + 0.5) + [0, 0, x[2], 0]
domain D = {{ x: In | -1 <= x <= 1 }}
domain Open = {{ x in D | margin(open(x)) >= 0.1 }}
domain Shut = {{ x in D | margin(open(x)) <= -0.1 }}
patch added of f {{
  graft    m.mlp at x in D margin 0.1 when open(x) => e(x)
  require  forall x in Open: f(x) == old f(x) + e(x) within {slack}
  preserve forall x in Shut: f(x) == old f(x) within {slack}
}}
patch twice of f {{
  graft    m.mlp at x in D margin 0.1 when open(x) => [1, 0, 0, 0]
  graft    m.mlp at x in D margin 0.05 when x[2] < 0 => [0, 0, 2, 0]
  require  forall x in Open where x[2] <= -0.05: f(x) == old f(x) + [1, 0, 2, 0] within {slack}
  preserve forall x in Shut where x[2] >= 0.05: f(x) == old f(x) within {slack}
}}
patch whole of f {{
  install  m.mlp at x in D margin 0.1 => cases {{ open(x) => m.to, else => 0 }} + [abs(x[0]), 0, 0, x[1]]
  require  forall x in Open: f(x) == m.to + [abs(x[0]), 0, 0, x[1]] within {slack}
  require  forall x in Shut: f(x) == [abs(x[0]), 0, 0, x[1]] within {slack}
}}
patch wide of f {{
  graft    m.mlp at x in D margin 0.1 when open(x) => e(x)
  require  forall x in D: f(x) <= 1000
}}
patch same of f {{
  install  m.mlp at x in D => [abs(x[0]), 0, 0, x[1]]
  require  forall x in D: f(x) <= 1000
}}
"""

RNG = np.random.default_rng(3)
LAYER: dict[str, Rows] = {
    "mlp.W_in": RNG.normal(size=(6, 3)).tolist(),
    "mlp.b_in": RNG.normal(size=6).tolist(),
    "mlp.W_out": RNG.normal(size=(4, 6)).tolist(),
    "mlp.b_out": RNG.normal(size=4).tolist(),
    "to": [0.3, -1.7, 0.0, 2.2],
}


def written(
    folder: Path, *, inputs_first: bool = False, dtype: type[np.floating[Any]] = np.float32
) -> Path:
    """The spec beside its checkpoint, its matrices one way round or the other."""
    weights, products = laid_out(LAYER, inputs_first=inputs_first)
    save(weights, folder / "model.safetensors", dtype)
    spec = folder / "spec.circ"
    spec.write_text(SPEC.format(**products, slack=0.05 if dtype == np.float16 else 1e-4))
    return spec


def layer(path: Path, x: torch.Tensor, *, inputs_first: bool = False) -> torch.Tensor:
    """What the layer in a file gives, as a user would run it."""
    t = {name: tensor(values) for name, values in stored(path).items()}
    return run(t, x, inputs_first=inputs_first)


def tensor(values: NDArray[Any]) -> torch.Tensor:
    """An array as PyTorch has it, in its own format."""
    return torch.from_numpy(values)  # pyright: ignore[reportUnknownMemberType]


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Ten thousand inputs of the box, and the slack of the guard there."""
    x = torch.rand(10_000, 3, generator=torch.Generator().manual_seed(0)).double() * 2 - 1
    return x, x[:, 0] + x[:, 1] - 0.5


@pytest.mark.parametrize(
    ("dtype", "inputs_first"), [(np.float64, True), (np.float32, False), (np.float16, True)]
)
def test_grafted_units_add_the_correction_and_nothing_else(
    tmp_path: Path, dtype: type[np.floating[Any]], inputs_first: bool
) -> None:
    """In plain PyTorch, at ten thousand inputs clear of the guard: all of it where the guard is open, none where it is
    shut. The units that were there are the same bits, and those that are new stand behind them, two a direction.
    """
    spec, out = (
        written(tmp_path, inputs_first=inputs_first, dtype=dtype),
        tmp_path / "o.safetensors",
    )
    assert command("patch", spec, "added", "--out", out) == 0
    before, after = stored(tmp_path / "model.safetensors"), stored(out)
    for name in before:
        wider = tuple(slice(side) for side in before[name].shape)
        assert after[name][wider].tobytes() == before[name].tobytes()
        assert after[name].dtype == dtype
    assert after["mlp.b_in"].shape == (6 + 2 * 2,)
    x, slack = inputs()
    to = tensor(before["to"]).double()
    wanted = to * (x[:, :1] + 0.5)
    wanted[:, 2] += x[:, 2]
    moved = layer(out, x, inputs_first=inputs_first) - layer(
        tmp_path / "model.safetensors", x, inputs_first=inputs_first
    )
    close = 0.2 if dtype == np.float16 else 1e-3
    assert (moved - wanted)[slack >= 0.11].abs().max() < close
    assert moved[slack <= -0.11].abs().max() < close


def test_two_guards_are_two_grafts(tmp_path: Path) -> None:
    """Each adds its own units behind those before, and what both add is their sum."""
    spec, out = written(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "twice", "--out", out) == 0
    assert stored(out)["mlp.W_in"].shape == (6 + 2 + 2, 3)
    x, slack = inputs()
    moved = layer(out, x) - layer(tmp_path / "model.safetensors", x)
    first, second = (slack > 0).double(), (x[:, 2] < 0).double()
    clear = (slack.abs() > 0.11) & (x[:, 2].abs() > 0.06)
    assert (moved[:, 0] - first)[clear].abs().max() < 1e-3
    assert (moved[:, 2] - 2 * second)[clear].abs().max() < 1e-3


@pytest.mark.parametrize("inputs_first", [False, True])
def test_an_installed_rule_is_all_that_the_layer_computes(
    tmp_path: Path, inputs_first: bool
) -> None:
    """Its shapes are as they were, the units that it does not need are zero, and its bias is the rule's."""
    spec, out = written(tmp_path, inputs_first=inputs_first), tmp_path / "out.safetensors"
    assert command("patch", spec, "whole", "--out", out) == 0
    before, after = stored(tmp_path / "model.safetensors"), stored(out)
    assert {n: t.shape for n, t in after.items()} == {n: t.shape for n, t in before.items()}
    columns = after["mlp.W_out"].T if not inputs_first else after["mlp.W_out"]
    assert np.count_nonzero(columns.any(1)) == 5
    x, slack = inputs()
    wanted = (slack > 0).double()[:, None] * tensor(before["to"]).double()
    wanted[:, 0] += x[:, 0].abs()
    wanted[:, 3] += x[:, 1]
    clear = slack.abs() > 0.11
    assert (layer(out, x, inputs_first=inputs_first) - wanted)[clear].abs().max() < 1e-3


@pytest.mark.parametrize("patch", ["added", "twice", "whole"])
def test_it_is_left_applied_taken_back_and_audited(tmp_path: Path, patch: str) -> None:
    """As any patch is, to the byte, growth included."""
    spec, model, delta = written(tmp_path), tmp_path / "model.safetensors", tmp_path / "delta"
    before = model.read_bytes()
    assert command("patch", spec, patch, "--delta", delta) == 0
    assert command("patch", "show", delta) == 0
    out, back = tmp_path / "out.safetensors", tmp_path / "back.safetensors"
    assert command("patch", "apply", delta, model, "--out", out) == 0
    assert command("audit", receipt_path(out)) == 0
    assert command("patch", "revert", delta, out, "--out", back) == 0
    assert back.read_bytes() == before != out.read_bytes()


def test_the_receipt_says_how_far_rounding_strays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what the exact units would give, which the values on the box bear out; and the shapes on both sides."""
    spec, out = written(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "added", "--out", out) == 0
    told = capsys.readouterr().out
    assert "mlp.W_in [6, 3] to [10, 3] F32" in told
    assert "float32 execution strays at most" in told
    (form,) = json.loads(receipt_path(out).read_text())["computed"]
    assert form["tensors"] == ["mlp.W_in", "mlp.b_in", "mlp.W_out"]
    assert 0 < form["residue"] < 1e-4
    x, slack = inputs()
    exact = tensor(stored(out)["to"]).double() * (x[:, :1] + 0.5)
    exact[:, 2] += x[:, 2]
    t = {name: tensor(values).double() for name, values in stored(out).items()}
    hidden = torch.relu(x @ t["mlp.W_in"][6:].T + t["mlp.b_in"][6:])
    gap = (hidden @ t["mlp.W_out"][:, 6:].T - exact)[slack >= 0.1].abs().max()
    assert 1e-9 < gap <= form["residue"]


def test_an_audit_notices_another_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is no more as the rule has it, though all requirements hold of it."""
    spec, out = written(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "added", "--out", out) == 0
    biases = stored(out)["mlp.b_in"]
    biases[-1] = np.nextafter(biases[-1], np.float32(np.inf))
    forged(out, "mlp.b_in", biases)
    capsys.readouterr()
    assert command("audit", receipt_path(out)) == 1
    assert "`mlp.b_in` is not what the patch computes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"intermediate_size": 6}, 4),
        ({"n_inner": None, "n_embd": 1.5}, 0),
    ],
)
def test_a_config_that_says_the_width_is_not_left_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: object, code: int
) -> None:
    """Beside the file that would be written, whoever writes it; in another folder nothing says a width."""
    spec, delta = written(tmp_path), tmp_path / "delta"
    (tmp_path / "config.json").write_text(json.dumps(config))
    out = tmp_path / "out.safetensors"
    assert command("patch", spec, "wide", "--out", out) == code
    assert out.exists() == (code == 0)
    assert ("E0624" in capsys.readouterr().err) == (code != 0)
    assert command("patch", spec, "wide", "--delta", delta) == 0
    model, other = tmp_path / "model.safetensors", tmp_path / "other.safetensors"
    assert command("patch", "apply", delta, model, "--out", other) == code
    (tmp_path / "elsewhere").mkdir()
    assert command("patch", spec, "wide", "--out", tmp_path / "elsewhere" / "out.safetensors") == 0
    assert command("patch", spec, "same", "--out", tmp_path / "whole.safetensors") == 0


def test_a_width_of_four_times_what_is_read_is_said_by_gpt2() -> None:
    """Where `n_inner` is not set."""
    assert widths({"n_inner": None, "n_embd": 12}) == {"n_embd": 48}
    assert widths({"n_inner": 7, "n_embd": 12}) == {"n_inner": 7}


def test_the_widths_of_all_parts_and_layers_are_said() -> None:
    """By the names that programs have for them; what else is as large is no width."""
    assert widths({"d_mlp": 7, "d_model": 6}) == {"d_mlp": 7}
    assert widths({"text_config": {"intermediate_size": 6}}) == {"text_config.intermediate_size": 6}
    assert widths({"d_ff": [5, 6]}) == {"d_ff[0]": 5, "d_ff[1]": 6}
