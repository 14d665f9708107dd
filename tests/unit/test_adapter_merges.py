"""Which weights an adapter is proved of: those that PEFT gives, in each of its ways to merge, of layers that are what they are taken for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from circ.compiler.rounding import round_to_dtype
from circ.compiler.tensor import Tensor
from circ.lang.diagnostic import CircError
from circ.runtime.patches.adapter import is_table, kept_transposed
from circ.runtime.patches.low_rank import WAYS, Moved, factored, merged
from tests.unit.files import metadata
from tests.unit.files import save as save_torch
from tests.unit.killing import killed
from tests.unit.specs import command, save, stored

SPEC = """
checkpoint m from "model.safetensors"
circuit f(x: real[3]) -> real = dot([1, 2, -1], m.NAME.weight @ x)
domain Box = { x: real[3] | -1 <= x <= 1 }
patch sink of f {
  project  m.NAME.weight[:, _] off span [[1, 2, -1]]
  require  forall x in Box: abs(f(x)) <= MOST
}
"""

ONLY_SAFE = [[1.1875, 1.6875, -2.0], [-1.75, -0.25, 0.25], [1.25, -0.6875, -2.375]]
"""What is left of f in bfloat16 is 0.0156 of what `safe_merge=True` gives, and 0.0171 of the default."""

ONLY_DEFAULT = [[1.5, -2.125, -1.625], [-1.375, -1.625, 1.5], [1.8125, 0.375, -2.3125]]
"""0.0352 of the one, and 0.0078 of the other."""

BY_DEFAULT = "the checkpoint that PEFT merges by default"
SAFELY = "the checkpoint that PEFT merges with `safe_merge=True`"

TORCH = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@pytest.mark.parametrize("dtype", TORCH)
def test_merging_is_what_the_library_computes(dtype: str) -> None:
    """To the last bit, of rank 1: `weight.data += B @ A` by default, rounded before the sum where it is safe.

    The factors are of float64 beside a weight of float64, and else of float32.
    """
    differing = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        old = round_to_dtype(rng.normal(size=12).tolist(), dtype)
        change = (rng.normal(size=(4, 1)) @ rng.normal(size=(1, 3))).ravel()
        new = round_to_dtype((np.array(old) + change).tolist(), dtype)
        moved = Moved(Tensor((4, 3), dtype, old), Tensor((4, 3), dtype, new), False)
        (factors,), _ = factored([moved], 1)
        wide = torch.float64 if dtype == "F64" else torch.float32
        delta = torch.tensor(factors.b).to(wide) @ torch.tensor(factors.a).to(wide)
        for way in WAYS:
            weight = torch.tensor(old.tolist(), dtype=torch.float64).reshape(4, 3).to(TORCH[dtype])
            weight += delta if way == "default" else delta.to(TORCH[dtype])
            expected = [float(entry) for entry in weight.double().ravel()]
            assert merged(moved, factors, way).values.tolist() == expected
        one, other = (merged(moved, factors, way) for way in WAYS)
        differing += one != other
    assert bool(differing) == (dtype in ("F16", "BF16"))


class Desk:
    """A patch of one matrix, as an adapter."""

    def __init__(self, folder: Path, most: str, module: str = "net") -> None:
        self.folder, self.adapter, self.out = folder, folder / "adapter", folder / "o.safetensors"
        self.receipt = folder / "o.safetensors.receipt.json"
        (folder / "spec.circ").write_text(SPEC.replace("NAME", module).replace("MOST", most))

    def lora(self, *words: str) -> int:
        """The exit code, of a patch that is made."""
        spec = self.folder / "spec.circ"
        assert command("patch", spec, "sink", "--out", self.out, "--force") == 0
        return self.again(*words)

    def again(self, *words: str) -> int:
        """The same of one that was made."""
        return command("patch", "lora", self.receipt, "--out", self.adapter, *words)


class TestAnAdapter:
    """Is written where all is proved of every way to merge it."""

    @pytest.mark.parametrize(
        ("weight", "most", "missed", "held"),
        [
            (ONLY_SAFE, "0.016", BY_DEFAULT, SAFELY),
            (ONLY_DEFAULT, "0.01", SAFELY, BY_DEFAULT),
        ],
    )
    def test_is_none_where_one_way_misses_a_requirement(
        self,
        weight: list[list[float]],
        most: str,
        missed: str,
        held: str,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """It says which; with room for both it is written, and told of both."""
        save_torch({"net.weight": torch.tensor(weight).bfloat16()}, tmp_path / "model.safetensors")
        desk = Desk(tmp_path, most)
        assert desk.lora() == 1
        told = capsys.readouterr().out
        assert f"sink.require[0] does not hold of {missed}; of {held} all is proved" in told
        assert not desk.adapter.exists()
        assert Desk(tmp_path, "0.1").lora() == 0
        told = capsys.readouterr().out
        assert "merged by default:" in told
        assert "merged with `safe_merge=True`:" in told
        assert "the factors are not rounded (`autocast_adapter_dtype`)" in told

    def test_says_what_it_is_for(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Weights that it is merged into, of a Linear, in a class that has the names of the file."""
        save({"net.weight": ONLY_SAFE}, tmp_path / "model.safetensors", np.float32)
        desk = Desk(tmp_path, "0.1")
        assert desk.lora() == 0
        told = capsys.readouterr().out
        assert "(the same weights)" in told
        assert "not proved of an adapter that is not merged" in told
        assert "for modules of these classes: net (Linear)" in told
        assert "its keys are those of the file" in told
        assert desk.again("--json", "--force") == 0
        data = json.loads(capsys.readouterr().out)
        assert data["modules"] == {"net": "Linear"}
        assert [each["merges"] for each in data["requirements"]] == [["default", "safe"]]
        note = json.loads(metadata(desk.adapter / "adapter_model.safetensors")["circ.lora"])
        assert note["merges"] == ["default", "safe"]

    def test_is_none_where_a_config_ties_by_now(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The receipt says that nothing is tied, and is not believed."""
        save({"lm_head.weight": ONLY_SAFE}, tmp_path / "model.safetensors", np.float32)
        desk = Desk(tmp_path, "0.1", "lm_head")
        assert desk.lora() == 0
        (tmp_path / "config.json").write_text('{"model_type": "llama"}')
        assert desk.again("--force") == 1
        assert "what it says of tensors that are tied is not so" in capsys.readouterr().out

    @pytest.mark.parametrize("moment", range(8))
    def test_is_whole_or_has_no_config(self, tmp_path: Path, moment: int) -> None:
        """A process is killed as it replaces one: the config is never beside the tensors of another."""
        path = tmp_path / "model.safetensors"
        save({"net.weight": ONLY_SAFE}, path, np.float32)
        desk = Desk(tmp_path, "0.1")
        assert desk.lora() == 0
        save({"net.weight": ONLY_DEFAULT}, path, np.float32)
        desk.out.unlink()
        assert command("patch", tmp_path / "spec.circ", "sink", "--out", desk.out, "--force") == 0
        ended = killed(lambda: desk.again("--rank", "2", "--force"), moment)
        config = desk.adapter / "adapter_config.json"
        tensors = stored(desk.adapter / "adapter_model.safetensors")
        rank = tensors["base_model.model.net.lora_A.weight"].shape[0]
        assert not config.exists() or json.loads(config.read_text())["r"] == rank
        assert ended == (moment < 7)


class TestAModule:
    """Is known by its name, and by the kind of model."""

    @pytest.mark.parametrize(
        "module",
        [
            *("embed_positions", "position_embeddings", "token_type_embeddings", "tok_emb"),
            *("relative_attention_bias", "embedding", "embeddings", "weight_emb", "Embed_2"),
            *("wte", "wpe", "shared", "embed_tokens.0"),
        ],
    )
    def test_that_looks_rows_up_is_no_linear_layer(self, module: str) -> None:
        """PEFT would take nothing of the adapter, or read it as another."""
        assert is_table(f"enc.{module}.weight", "")

    def test_that_is_a_linear_layer(self) -> None:
        """A head too; one letter is the embedding of a single kind of model."""
        for module in ("lm_head", "embed_out", "q_proj", "c_fc", "w", "0"):
            assert not is_table(f"m.{module}.weight", "llama")
        assert is_table("transformer.w.weight", "ctrl")

    def test_keeps_its_weight_as_its_own_class_does(self) -> None:
        """Of a GPT-2 each is known, and what is said may not be otherwise; of others it is said of all, or of none."""
        flat, other = "h.0.mlp.c_fc.weight", "lm_head.weight"
        for said in (None, True):
            assert kept_transposed([flat, other], "gpt2", said) == {flat}
        assert kept_transposed([other], "gpt2", None) == frozenset()
        assert kept_transposed(["a.w1.weight"], "", True) == {"a.w1.weight"}
        assert kept_transposed([flat, other], "", False) == frozenset()
        for kind, tensors, said in (
            ("gpt2", [flat, other], False),
            ("gpt2", [other], True),
            ("", [flat, other], True),
            ("", [flat], None),
        ):
            with pytest.raises(CircError) as raised:
                kept_transposed(tensors, kind, said)
            assert raised.value.diagnostics[0].code == "E0666"
