"""A patch as an adapter of low rank: what PEFT merges it into is proved once more, or nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from circ.compiler.rounding import round_to_dtype
from circ.compiler.tensor import Tensor
from circ.runtime.patches.low_rank import WAYS, Moved, deviation, factored, merged
from tests.unit.files import metadata
from tests.unit.specs import Rows, command, save, stored

SPEC = """
checkpoint m from "model.safetensors"
circuit f(x: real[3]) -> real[2] = MAP + m.net.bias
domain Box = { x: real[3] | -1 <= x <= 1 }
patch sink of f {
  edit     m.net.LAYER.weight
  require  forall x in Box: f(x)[1] <= 0.5
  preserve forall x in Box: f(x)[0] == old f(x)[0] within 0.01
}
patch shift of f {
  edit     m.net.bias
  require  forall x in Box: f(x)[0] >= -3
}
"""

WEIGHT = np.array([[1.0, 2.0, 0.5], [-1.0, 0.5, 0.25]])


class Desk:
    """A spec of one linear layer, which keeps its weight as [out, in], or as [in, out] as GPT-2 does."""

    def __init__(self, folder: Path, layer: str, model_type: str) -> None:
        self.folder, self.name = folder, f"net.{layer}"
        self.transposed = layer == "c_fc"
        weight: Rows = (WEIGHT.T if self.transposed else WEIGHT).tolist()
        tensors: dict[str, Rows] = {f"{self.name}.weight": weight, "net.bias": [0.0, -0.1]}
        save(tensors, folder / "model.safetensors", np.float32)
        config = {"model_type": model_type, "tie_word_embeddings": False}
        (folder / "config.json").write_text(json.dumps(config))
        meant = "x @ m.net.c_fc.weight" if self.transposed else "m.net.up_proj.weight @ x"
        (folder / "spec.circ").write_text(SPEC.replace("MAP", meant).replace("LAYER", layer))
        self.out, self.adapter = folder / "out.safetensors", folder / "adapter"
        self.receipt = folder / "out.safetensors.receipt.json"

    def lora(self, *words: str, patch: str = "sink") -> int:
        """The exit code of a patch as an adapter."""
        spec = self.folder / "spec.circ"
        assert command("patch", spec, patch, "--out", self.out, "--force") == 0
        return command("patch", "lora", self.receipt, "--out", self.adapter, *words)

    def weight(self, file: Path) -> NDArray[np.float32]:
        """The layer's weight in a checkpoint."""
        return stored(file)[f"{self.name}.weight"]

    def merged(self) -> NDArray[np.float32]:
        """The weight with the adapter merged, by PEFT's formula."""
        config = json.loads((self.adapter / "adapter_config.json").read_text())
        assert config["target_modules"] == [self.name]
        tensors = stored(self.adapter / "adapter_model.safetensors")
        a, b = (tensors[f"base_model.model.{self.name}.lora_{side}.weight"] for side in "AB")
        assert a.shape == (config["r"], 3) and b.shape == (2, config["r"])
        added = (b @ a) * np.float32(config["lora_alpha"] / config["r"])
        old = self.weight(self.folder / "model.safetensors")
        found: NDArray[np.float32] = old + (added.T if config["fan_in_fan_out"] else added)
        return found


@pytest.fixture(params=[("up_proj", "llama"), ("c_fc", "gpt2")], ids=["linear", "conv1d"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    """A layer of either kind."""
    return Desk(tmp_path, *request.param)


class TestAnAdapter:
    """`circ patch lora`."""

    def test_merged_it_is_what_was_proved(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """To the precision of its dtype, by the least rank: one row has changed. How far it lies off is told."""
        assert desk.lora("--json") == 0
        told = json.loads(capsys.readouterr().out.partition("receipt.json\n")[2])
        found, wanted = desk.merged(), desk.weight(desk.out)
        off = float(np.abs(found.astype(float) - wanted.astype(float)).max())
        assert off < 1e-6
        assert told["deviations"] == {f"{desk.name}.weight": off}
        assert (told["rank"], told["wrote"]) == (1, str(desk.adapter))
        assert [each["verdict"] for each in told["requirements"]] == ["proved", "proved"]
        assert not np.allclose(wanted, desk.weight(desk.folder / "model.safetensors"), atol=0.1)
        notes = metadata(desk.adapter / "adapter_model.safetensors")
        assert json.loads(notes["circ.lora"])["proved"] == ["sink.require[0]", "sink.preserve[0]"]

    def test_of_another_rank(self, desk: Desk) -> None:
        """More than is needed adds nothing."""
        assert desk.lora("--rank", "5") == 0
        assert np.allclose(desk.merged(), desk.weight(desk.out), atol=1e-6)

    def test_of_more_than_rank_1_is_proved_of_one_order_of_summation(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The report says so, and the data and the adapter; of rank 1 nothing is summed, and nothing said."""
        for rank, orders, said in ((1, "every", False), (2, "one", True)):
            assert desk.lora("--rank", str(rank), "--force") == 0
            shown = capsys.readouterr().out
            assert ("sums 2 terms: proved of one order of summation" in shown) == said
            notes = metadata(desk.adapter / "adapter_model.safetensors")
            assert json.loads(notes["circ.lora"])["orders"] == orders
            assert desk.lora("--rank", str(rank), "--force", "--json") == 0
            told = json.loads(capsys.readouterr().out.partition("receipt.json\n")[2])
            assert told["orders"] == orders

    def test_is_not_written_where_the_merged_weights_miss_a_requirement(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A row that may not change at all does by rounding, or the change is not of this rank."""
        spec = desk.folder / "spec.circ"
        both = spec.read_text().replace("f(x)[0] >= -3", "f(x)[0] <= 1 and f(x)[1] <= 0.5")
        spec.write_text(both.replace("edit     m.net.bias", f"edit     m.{desk.name}.weight"))
        assert desk.lora("--rank", "1", patch="shift") == 1
        assert "does not hold of the merged checkpoint" in capsys.readouterr().out
        assert not desk.adapter.exists()
        assert desk.lora(patch="shift") == 0

    def test_is_not_written_where_that_is_not_decided(self, desk: Desk) -> None:
        """In no time."""
        assert desk.lora("--timeout", "0") == 2
        assert not desk.adapter.exists()

    def test_replaces_nothing_unasked(self, desk: Desk) -> None:
        """Neither what is there, nor what was read."""
        assert desk.lora() == 0
        before = {path: path.read_bytes() for path in desk.adapter.iterdir()}
        assert desk.lora() == 4
        assert {path: path.read_bytes() for path in desk.adapter.iterdir()} == before
        assert desk.lora("--force") == 0

    def test_of_another_file_is_none(self, desk: Desk) -> None:
        """What the receipt names has to be what is there."""
        assert desk.lora() == 0
        desk.out.write_bytes(desk.out.read_bytes() + b" ")
        words = ("patch", "lora", desk.receipt, "--out", desk.folder / "new")
        assert command(*words) == 1
        assert not (desk.folder / "new").exists()


@pytest.mark.parametrize("patch", ["shift"])
def test_a_vector_has_no_factors(
    desk: Desk, patch: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bias is no matrix of a layer; the checkpoint and the delta have it."""
    assert desk.lora(patch=patch) == 4
    assert "E0665" in capsys.readouterr().err
    assert not desk.adapter.exists()


def test_which_way_a_weight_is_kept_is_known_or_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The names of GPT-2's layers are those of others, which keep them otherwise."""
    desk = Desk(tmp_path, "c_fc", "gpt_bigcode")
    assert desk.lora() == 4
    assert "E0666" in capsys.readouterr().err
    assert desk.lora("--fan-in-fan-out") == 0
    assert np.allclose(desk.merged(), desk.weight(desk.out), atol=1e-6)


@pytest.mark.parametrize("name", ["wte", "model.embed_tokens"])
def test_an_embedding_has_other_factors(name: str, tmp_path: Path) -> None:
    """It is looked up and not multiplied, so that PEFT names and shapes them otherwise."""
    save({f"{name}.weight": [[1.0, 2.0], [3.0, 4.0]]}, tmp_path / "model.safetensors", np.float32)
    spec = tmp_path / "spec.circ"
    spec.write_text(f"""
checkpoint m from "model.safetensors"
circuit f(c: fin[2]) -> real[2] = m.{name}.weight[c]
domain All = {{ c: fin[2] }}
patch p of f {{
  edit    m.{name}.weight
  require forall c in All: f(c)[0] >= 2
}}
""")
    assert command("patch", spec, "p", "--out", tmp_path / "o.safetensors") == 0
    receipt = tmp_path / "o.safetensors.receipt.json"
    assert command("patch", "lora", receipt, "--out", tmp_path / "adapter") == 4


class TestFactors:
    """Of random changes."""

    def moved(self, rng: np.random.Generator, dtype: str, rank: int, *, transposed: bool) -> Moved:
        """A matrix and a change of this rank, as a file of this dtype holds them."""

        def tensor(values: NDArray[Any]) -> Tensor:
            return Tensor((7, 5), dtype, round_to_dtype(values.ravel().tolist(), dtype))

        before = tensor(rng.normal(size=(7, 5)))
        change = rng.normal(size=(7, rank)) @ rng.normal(size=(rank, 5))
        after = tensor(np.array(before.values).reshape(7, 5) + change)
        return Moved(before, after, transposed)

    @pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16"])
    @pytest.mark.parametrize("transposed", [False, True])
    def test_of_the_least_rank_give_the_change(self, dtype: str, transposed: bool) -> None:
        """By the formula; one rank less does not, and several changes share the largest."""
        rng = np.random.default_rng(7)
        ranks = (1, 3) if dtype in ("F16", "BF16") else (1, 2, 3)
        moved = [self.moved(rng, dtype, rank, transposed=transposed) for rank in ranks]
        unit = {"F64": 1e-6, "F32": 1e-6, "F16": 4e-3, "BF16": 3e-2}[dtype]
        for each, wanted in zip(moved, ranks, strict=True):
            (factors,), rank = factored([each], None)
            if dtype == "F32":
                assert rank == wanted
            product = factors.b.astype(float) @ factors.a.astype(float)
            expected = np.array(each.before.values).reshape(7, 5)
            expected = expected + (product.T if transposed else product)
            for way in WAYS:
                found = np.array(merged(each, factors, way).values).reshape(7, 5)
                assert np.allclose(found, expected, atol=2 * unit)
                assert deviation(each, merged(each, factors, way)) < 4 * unit
        together, rank = factored(moved, None)
        assert all(f.a.shape[0] == f.b.shape[1] == rank for f in together)

    def test_that_do_not_fit_are_none(self) -> None:
        """A sum beyond the largest number of the dtype."""
        far = Tensor((1, 1), "F16", round_to_dtype([65504.0], "F16"))
        moved = Moved(far, far, False)
        (factors,), _ = factored(
            [Moved(Tensor((1, 1), "F16", round_to_dtype([0.0], "F16")), far, False)], 1
        )
        for way in WAYS:
            with pytest.raises(OverflowError):
                merged(moved, factors, way)
