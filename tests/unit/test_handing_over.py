"""What is handed over wrongly from Python is told with the way out, in Python's words."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import circ

pytest.importorskip("onnx")


def rows() -> nn.Module:
    """A layer from 8 numbers to 4."""
    return nn.Linear(8, 4).eval()


@pytest.mark.parametrize("declared", ["real[8]", "fin[5, 8]"])
def test_a_batch_as_an_example_is_told_where_one_entry_is_declared(
    declared: str, tmp_path: Path
) -> None:
    """An example of 16 rows makes a network of 16 rows, which a declaration of one does not fit."""
    tokens = declared.startswith("fin")
    module = nn.Embedding(5, 4) if tokens else rows()
    example = torch.zeros(16, 8, dtype=torch.int64 if tokens else torch.float32)
    result = "real[8, 4]" if tokens else "real[4]"
    spec = tmp_path / "s.circ"
    spec.write_text(f"network f(x: {declared}) -> {result}\n")
    with pytest.raises(circ.CircError, match=r"example\[:1\]"):
        circ.load(spec, networks={"f": circ.network(module, example)})
    assert circ.load(spec, networks={"f": circ.network(module, example[:1])})


def test_floats_for_a_module_of_tokens_are_told_to_be_whole_numbers() -> None:
    """A table is looked up by whole numbers; the example says so by its dtype."""
    with pytest.raises(circ.CircError, match=r"torch\.zeros\(1, 8, dtype=torch\.int64\)"):
        circ.network(nn.Embedding(5, 4), torch.zeros(1, 8))


def test_a_file_that_is_there_is_replaced_where_python_says_so(tmp_path: Path) -> None:
    """The message names the argument of `save`, and no option of the command."""
    net = circ.network(rows(), torch.zeros(1, 8))
    net.save(tmp_path / "net.onnx")
    with pytest.raises(circ.CircError, match="overwrite=True") as caught:
        net.save(tmp_path / "net.onnx")
    assert "--force" not in str(caught.value)
    net.save(tmp_path / "net.onnx", overwrite=True)
