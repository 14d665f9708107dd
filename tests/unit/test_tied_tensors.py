"""Tensors that a loader takes for one: an edit of them says which it means, and what is proved is what is loaded.

The loader is `transformers`, which ties the head to the embedding where the config beside the checkpoint says so.
"""

from __future__ import annotations

import json
import os
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from circ.compiler.pytorch.of_spec import asked_of
from circ.compiler.readings.torch import module
from circ.compiler.tied_tensors import MODELS
from circ.runtime.session import Request, checked
from tests.layouts.write import drawn
from tests.unit.files import save
from tests.unit.specs import command

Untyped = Any
"""The library and its models: type checkers are kept from reading all of it."""

TOKENS = 5

GPT2 = """
use std.gpt2: gpt2_block, gpt2_embed, gpt2_logits
checkpoint m from "{file}"
circuit model(s: fin[5, 1]) -> real[1, 5] {{
  let x0     = gpt2_embed(m.transformer, s)
  let x1     = gpt2_block[heads = 2](m.transformer.h.0, x0, 0.00001)
  let logits = gpt2_logits(m.transformer.ln_f, {head}, x1, 0.00001)
  return logits
}}
"""

LLAMA = """
use std.llama: llama_block, llama_logits
checkpoint m from "{file}"
checkpoint turns from "rotary.safetensors"
circuit model(s: fin[5, 1]) -> real[1, 5] {{
  let x0     = [ m.model.embed_tokens.weight[c] for c in s ]
  let x1     = llama_block(m.model.layers.0, turns, x0, 0.000001)
  let logits = llama_logits(m.model.norm, {head}, x1, 0.000001)
  return logits
}}
"""

PATCH = """
circuit embedded(c: fin[5]) -> real[8] = {embedding}.weight[c]
domain Words = {{ s: fin[5, 1] }}
domain Letters = {{ c: fin[5] }}
patch mend of model {{
  edit    {head}.weight
  require forall s in Words: model(s)[0][2] >= model(s)[0][1] + 0.5
}}
patch move of embedded {{
  edit    {embedding}.weight
  require forall c in Letters: embedded(c)[0] >= 0.25
}}
"""

EMBEDDING = {"gpt2": "transformer.wte", "llama": "model.embed_tokens"}
SIZES = {
    "gpt2": {"n_positions": 4, "n_embd": 8, "n_layer": 1, "n_head": 2},
    "llama": {
        "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 4, "tie_word_embeddings": True,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def library() -> Untyped:
    """`transformers`, which asks nobody."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    return import_module("transformers")


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def stored(
    request: pytest.FixtureRequest, library: Untyped, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The kind of a tiny model whose head is tied, and the folder that the library stored it in."""
    kind, folder = cast(str, request.param), tmp_path_factory.mktemp("stored")
    config = library.AutoConfig.for_model(
        kind, vocab_size=TOKENS, bos_token_id=0, eos_token_id=0, **SIZES[kind]
    )
    model = drawn(library.AutoModelForCausalLM.from_config(config), 3)
    model.save_pretrained(folder, max_shard_size="2KB" if kind == "llama" else "1GB")
    if kind == "llama":
        cos, sin = model.model.rotary_emb(torch.zeros(1), torch.arange(4)[None])
        turns = {"cos": cos[0].contiguous(), "sin": sin[0].contiguous()}
        save(turns, folder / "rotary.safetensors")
    return kind, folder


class Desk:
    """A copy of a stored model, and a spec of it whose head has its own name or not."""

    def __init__(self, kind: str, stored: Path, folder: Path) -> None:
        self.kind, self.folder = kind, folder / "model"
        shutil.copytree(stored, self.folder)
        self.embedding = EMBEDDING[kind]
        index = self.folder / "model.safetensors.index.json"
        self.file = index if index.exists() else self.folder / "model.safetensors"
        self.spec = self.folder / "spec.circ"
        self.write("m.lm_head")

    def write(self, head: str) -> None:
        """The spec, its head read by this name."""
        text = (GPT2 if self.kind == "gpt2" else LLAMA) + PATCH
        words = {"head": head, "embedding": f"m.{self.embedding}", "file": self.file.name}
        self.spec.write_text(text.format(**words))

    def patch(self, name: str, *words: str | Path) -> int:
        """The exit code of a patch."""
        return command("patch", self.spec, name, "--timeout", "60", *words)

    def computed(self, checkpoint: Path) -> Tensor:
        """What the spec's circuit computes on each letter, by Circ."""
        program = checked(self.spec, Request({}, {"m": checkpoint}, outside=True))
        circuit = asked_of(program, "model", [], self.folder).circuit
        words = torch.arange(TOKENS)[:, None]
        with torch.no_grad():
            (found,) = module(circuit, program.weights, torch.float32)({"s": words}).values()
        return cast(Tensor, found).reshape(TOKENS, 1, TOKENS)


@pytest.fixture
def desk(stored: tuple[str, Path], tmp_path: Path) -> Desk:
    """A desk of its own for each test."""
    return Desk(*stored, tmp_path)


def loaded(library: Untyped, folder: Path) -> Tensor:
    """What the library computes on each letter, of what it loads from a folder."""
    model = library.AutoModelForCausalLM.from_pretrained(folder).eval()
    with torch.no_grad():
        return cast(Tensor, model(torch.arange(TOKENS)[:, None]).logits)


class TestAnEdit:
    """Of a tensor that is tied."""

    def test_without_a_word_is_refused(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It names both, and what may be meant; nothing is written."""
        desk.write(f"m.{desk.embedding}")
        before = {*desk.folder.iterdir()}
        for patch in ("mend", "move"):
            assert desk.patch(patch) == 4
            told = capsys.readouterr().err
            assert "E0661" in told
            assert f"`{desk.embedding}.weight` and `lm_head.weight` are one tensor" in told
        assert {*desk.folder.iterdir()} == before

    def test_of_a_name_that_the_file_leaves_out(
        self, desk: Desk, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The name is told to be tied, and to what."""
        assert desk.patch("mend") == 4
        told = capsys.readouterr().err
        assert f"it is tied to `{desk.embedding}.weight`" in told

    @pytest.mark.parametrize(
        "stored", ["llama", pytest.param("gpt2", marks=pytest.mark.slow)], indirect=True
    )
    def test_in_both_places(self, desk: Desk, library: Untyped, tmp_path: Path) -> None:
        """With `--tied` the file is still one that is tied: what is loaded has the change twice."""
        desk.write(f"m.{desk.embedding}")
        out = tmp_path / "out" / desk.file.name
        out.parent.mkdir()
        assert desk.patch("move", "--tied", "--out", out) == 0
        shutil.copy(desk.folder / "config.json", out.parent)
        receipt = out.with_name(f"{out.name}.receipt.json")
        assert json.loads(receipt.read_text())["ties"] == [
            {"kept": f"{desk.embedding}.weight", "other": "lm_head.weight", "how": "together"}
        ]
        assert torch.allclose(loaded(library, out.parent), desk.computed(out), atol=1e-4)
        assert not torch.allclose(desk.computed(desk.file), desk.computed(out), atol=1e-2)
        assert command("audit", receipt) == 0


class TestUntied:
    """`--untie` gives the head a tensor of its own."""

    @pytest.mark.parametrize(
        ("stored", "patch"),
        [
            ("gpt2", "mend"),
            ("llama", "move"),
            pytest.param("gpt2", "move", marks=pytest.mark.slow),
            pytest.param("llama", "mend", marks=pytest.mark.slow),
        ],
        indirect=["stored"],
    )
    def test_what_is_loaded_is_what_was_proved(
        self, desk: Desk, library: Untyped, tmp_path: Path, patch: str
    ) -> None:
        """Head or embedding changes alone, and the library has both as the spec does; the source stays as it was.

        A patch of the embedding reads the head besides.
        """
        also = "  preserve forall s in Words: norm_inf(model(s)) <= 1000\n}"
        text = desk.spec.read_text().replace("[0] >= 0.25\n}", f"[0] >= 0.25\n{also}")
        desk.spec.write_text(text)
        before = {path: path.read_bytes() for path in desk.folder.iterdir()}
        out = tmp_path / "out" / desk.file.name
        out.parent.mkdir()
        assert desk.patch(patch, "--untie", "--out", out) == 0
        assert {path: path.read_bytes() for path in desk.folder.iterdir()} == before
        assert json.loads((out.parent / "config.json").read_text())["tie_word_embeddings"] is False

        ours, theirs = desk.computed(out), loaded(library, out.parent)
        assert torch.allclose(ours, theirs, atol=1e-4)
        if patch == "mend":
            assert (theirs[:, 0, 2] >= theirs[:, 0, 1] + 0.4999).all()
        assert not torch.allclose(theirs, loaded(library, desk.folder), atol=1e-2)
        assert command("audit", out.with_name(f"{out.name}.receipt.json")) == 0


@pytest.mark.slow
def test_what_is_tied_in_each_kind_of_model_is_what_the_library_ties(library: Untyped) -> None:
    """Its own table has the head and one embedding, and nothing besides: no other tensor is lost when they are parted."""
    auto = import_module("transformers.models.auto.modeling_auto")
    names = cast("dict[str, str]", auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    for kind, (embedding, head) in MODELS.items():
        ((other, kept),) = getattr(library, names[kind])._tied_weights_keys.items()
        assert (other, kept.split(".")[-2:]) == (f"{head}.weight", [embedding, "weight"]), kind
