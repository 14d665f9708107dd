"""Networks and records as text: the tensors of one lie beside the module, those of the other are passed."""

from __future__ import annotations

import runpy
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import circ
from circ.compiler.pytorch.of_spec import asked_of
from circ.compiler.readings.torch import module
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.session import settings, usable
from tests.agreement.fresh_python import run_without_circ
from tests.unit.onnx_models import model, node, saved
from tests.unit.specs import Rows, command, write_spec
from tests.unit.test_handed_networks import MODELS, handed
from tests.unit.test_networks import layered
from tests.unit.test_torch_text_hostile import EVIL


def reading(spec: Path, name: str, given: Weights, x: torch.Tensor) -> torch.Tensor:
    """What the PyTorch reading of a circuit computes, tensors that are given put in."""
    program = usable(spec, settings([], [], False))
    sizes = (
        [int(part) for part in name.rpartition("[")[2].rstrip("]").split(",")]
        if "[" in name
        else []
    )
    circuit = asked_of(program, name.partition("[")[0], sizes, spec.parent).circuit
    weights = {key: given[key] if key in given else program.weights[key] for key in circuit.weights}
    with torch.no_grad():
        (found,) = module(circuit, weights, torch.float32).forward({"x": x}).values()
    return found


def written(spec: Path, name: str, *more: str) -> dict[str, Any]:
    """What a module defines that `--to torch` wrote."""
    out = spec.with_name("out.py")
    assert command("compile", spec, name, "--to", "torch", "--out", out, *more) == 0
    return runpy.run_path(str(out))


@pytest.mark.parametrize("name", MODELS)
def test_a_network_as_text_computes_the_reading_bit_for_bit(name: str, tmp_path: Path) -> None:
    """Handed over, saved, named in a spec, written out: the same numbers, and the module's up to rounding."""
    net = handed(name)
    net.save(tmp_path / "net.onnx")
    (shape,) = net.inputs.values()
    sides, result = (", ".join(map(str, each)) for each in (shape, net.output))
    spec = tmp_path / "s.circ"
    spec.write_text(
        f'network f(x: real[{sides}]) -> real[{result}] from "net.onnx"\n'
        f"circuit g(x: real[{sides}]) -> real[{result}] = f(x)\n"
    )
    found = written(spec, "g")
    x = torch.randn(2, *shape)
    with torch.no_grad():
        ours, wanted = found["G"].load()(x), torch.stack([net.module(each) for each in x])
    assert torch.equal(ours, reading(spec, "g", {}, x))
    assert torch.allclose(ours, wanted, atol=1e-5)


def test_the_module_needs_neither_circ_nor_the_onnx_file(tmp_path: Path) -> None:
    """The tensors lie in a safetensors file beside it, and may be passed."""
    saved(tmp_path, layered())
    spec = tmp_path / "s.circ"
    spec.write_text(
        'network f(x: real[3]) -> real[2] from "net.onnx"\n'
        "circuit g(x: real[3]) -> real[2] = f(x) do { hidden := it + 1 }\n"
    )
    written(spec, "g")
    (tmp_path / "net.onnx").unlink()
    script = (
        "import sys, runpy, torch; sys.modules['circ'] = None; "
        "found = runpy.run_path(sys.argv[1]); "
        "print(found['G'].load()(torch.zeros(5, 3)).shape, sorted(found['TENSORS']['f']))"
    )
    assert (
        run_without_circ(script, tmp_path / "out.py") == "torch.Size([5, 2]) ['V', 'W', 'bias']\n"
    )


def test_no_name_of_an_onnx_file_becomes_code(tmp_path: Path) -> None:
    """Names of tensors that look like code are keys of a file and strings of the module."""
    names = [f"{text.encode(errors='replace').decode()} {k}" for k, text in enumerate(EVIL)]
    values = ["x", *(f"v{k}" for k in range(len(names)))]
    nodes = [node("Mul", [values[k], name], values[k + 1]) for k, name in enumerate(names)]
    tensors = {name: np.full(2, 1 + k, np.float32) for k, name in enumerate(names)}
    saved(tmp_path, model([*nodes, node("Relu", [values[-1]])], [2], tensors))
    spec = tmp_path / "s.circ"
    spec.write_text(
        'network f(x: real[2]) -> real[2] from "net.onnx"\ncircuit g(x: real[2]) -> real[2] = f(x)\n'
    )
    found = written(spec, "g")
    assert sorted(found["TENSORS"]["f"]) == sorted(names)
    x = torch.tensor([[1.0, -1.0]])
    with torch.no_grad():
        assert torch.equal(found["G"].load()(x), reading(spec, "g", {}, x))


RECORDS = """record Linear[d, h] = { W: real[h, d], b: real[h] }
record Mlp[d, h] = { inner: Linear[d, h], scale: real[d] }
checkpoint m from "model.safetensors"
circuit mlp[d, h](p: Mlp[d, h], x: real[d]) -> real[h] {
  let hidden = relu(p.inner.W @ (p.scale * x) + p.inner.b)
  return hidden
}
circuit beside(m2: Mlp[2, 3], x: real[2]) -> real[3] = mlp(m2, x) + mlp(m.part, x)
"""


@pytest.mark.parametrize(("name", "holder"), [("mlp[2,3]", "p"), ("beside", "m2")])
def test_a_record_is_passed_by_its_fields(name: str, holder: str, tmp_path: Path) -> None:
    """By their paths, nested ones too, beside tensors of a checkpoint; bit for bit the reading."""
    stored: dict[str, Rows] = {
        "part.inner.W": [[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]],
        "part.inner.b": [0.5, -1.0, 0.0],
    }
    spec = write_spec(tmp_path, RECORDS, {**stored, "part.scale": [1.0, -2.0]})
    found = written(spec, name)
    rng = np.random.default_rng(0)
    shapes = {"inner.W": (3, 2), "inner.b": (3,), "scale": (2,)}
    fields = {path: rng.normal(size=shape).astype(np.float32) for path, shape in shapes.items()}
    given = {
        f"{holder}/{path}": Tensor(shapes[path], "F32", array("d", values.ravel().tolist()))
        for path, values in fields.items()
    }
    tensors = {
        path: torch.tensor(values.tolist(), dtype=torch.float32) for path, values in fields.items()
    }
    kept = [found["read"](found["FILES"]["m"], found["TENSORS"]["m"])] if name == "beside" else []
    order = [tensors if key == holder else kept[0] for key in found["TENSORS"]]
    x = torch.randn(4, 2)
    with torch.no_grad():
        ours = next(found[key] for key in ("Mlp", "Beside") if key in found)(*order)(x)
    assert torch.equal(ours, reading(spec, name, given, x))


def test_a_handed_network_is_refuted_by_a_script(tmp_path: Path) -> None:
    """A module that was handed over and saved is replayed by PyTorch alone, too."""
    net = handed("layers")
    net.save(tmp_path / "f.onnx")
    spec = tmp_path / "s.circ"
    spec.write_text(
        "network f(x: real[3]) -> real[2]\n"
        "domain D = { x: real[3] | -1 <= x <= 1 }\n"
        "claim it: forall x in D: f(x)[0] <= f(0 * x)[0]\n"
    )
    at = ("--checkpoint", f"f={tmp_path / 'f.onnx'}")
    assert command("prove", spec, "it", "--repro", tmp_path / "found", *at) == 1
    script = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='x')['main']()"
    assert run_without_circ(script, tmp_path / "found" / "it.py").endswith("as Circ found\n")
    assert circ.load(spec, networks={"f": net}).prove("it").inputs().keys() == {"x"}
