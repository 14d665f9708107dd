"""Written modules are held to the PyTorch reading, bit for bit, in a Python without Circ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.ir import Circuit, Wire
from circ.compiler.obligation import Site
from circ.compiler.pytorch.module import Asked, class_name, written
from circ.compiler.readings.torch import DTYPES, module
from circ.compiler.tensor import Tensor as Stored
from circ.lang.span import Source, Span
from tests.agreement.circuits import BILINEAR, SMOOTH, Sample, binders_of, circuits, points
from tests.agreement.fresh_python import Cases
from tests.agreement.networks import networks
from tests.agreement.test_torch import batch_of

SAMPLES = {
    "smooth": circuits(SMOOTH, steps=14),
    "bilinear": circuits(BILINEAR),
    "network": networks(bilinear=True),
}


def write_weights(weights: Mapping[str, Stored], path: Path) -> dict[str, Path]:
    """The tensors of the checkpoint `m` in a file; nothing where there are none."""
    tensors = {
        key.removeprefix("m/"): torch.tensor(list(stored.values), dtype=DTYPES[stored.dtype])
        .reshape(stored.shape)
        .contiguous()
        for key, stored in weights.items()
    }
    if not tensors:
        return {}
    safetensors.torch.save_file(tensors, path)  # pyright: ignore[reportUnknownMemberType]
    return {"m": path}


def some_sites(data: st.DataObject, circuit: Circuit) -> dict[Wire, Site]:
    """A few wires that have a name, which may be any."""
    names = st.sampled_from(["hidden", "x0", "lambda", "self", "torch", "rows", "q"])
    wires = st.sampled_from([Wire(i) for i in range(len(circuit.ops))])
    span = Span(Source("some.circ", "let hidden = 1"), 0, 14)
    found = data.draw(st.dictionaries(wires, names, max_size=4))
    return {wire: Site(name, span) for wire, name in found.items()}


def asked(sample: Sample, dtype: str, sites: Mapping[Wire, Site]) -> Asked:
    """All outputs of a sample as a module."""
    return Asked("sample", "A sample.", sample.circuit, dtype, sites=sites, alone=False)


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", SAMPLES)
def test_the_text_computes_what_the_reading_does(
    kind: str, dtype: str, count: int, tmp_path: Path
) -> None:
    """Every op, whatever it reads and whatever batch, in every format: not one bit is another."""
    cases = Cases(tmp_path)

    @settings(max_examples=count)
    @given(data=st.data())
    def draw(data: st.DataObject) -> None:
        sample: Sample = data.draw(SAMPLES[kind])
        binders = data.draw(binders_of(sample.circuit))
        rows = data.draw(st.lists(points(binders), min_size=1, max_size=3))
        wanted = asked(sample, dtype, some_sites(data, sample.circuit))
        batch = batch_of(sample.circuit, rows, DTYPES[dtype])
        with torch.no_grad():
            found = module(sample.circuit, sample.weights, DTYPES[dtype])(batch)
        text = written(wanted)
        files = {}
        if "TENSORS" in text:
            files = write_weights(sample.weights, tmp_path / f"{cases.count}.safetensors")
        inputs = [batch[name] for name in sample.circuit.inputs]
        cases.add(text, class_name(wanted), inputs, found, files)

    draw()
    assert cases.count >= count
    assert cases.differing() == []


@settings(max_examples=100)
@given(data=st.data())
def test_a_wire_that_no_output_reads_is_not_written(data: st.DataObject) -> None:
    """The text of one output alone is a text of what that depends on."""
    sample: Sample = data.draw(SAMPLES["smooth"])
    alone = replace(sample.circuit, outputs={"out": sample.circuit.outputs["out"]})
    both = written(Asked("it", "", sample.circuit, "F64", alone=False))
    one = written(Asked("it", "", alone, "F64", alone=False))

    assert len(one.splitlines()) <= len(both.splitlines())
    compile(one, "one", "exec")
