"""`std.gpt2`, `std.llama` and `transformers`, each held to a third reading: numpy, from the published definitions."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import (
    load_file,  # pyright: ignore[reportUnknownVariableType]
)
from torch import nn

import circ
from circ.compiler.driver import Program, check
from circ.compiler.pytorch.of_spec import asked_of
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.readings.torch import module
from circ.compiler.stored import Files
from circ.compiler.verdict import Proved
from circ.lang.span import Source
from circ.runtime.prover import prove
from tests.layouts.by_hand import Array, angles, gpt2, llama
from tests.layouts.write import drawn
from tests.unit.specs import save
from tests.unit.test_layouts import LAYOUTS, word

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Sizes:
    """A configuration: a head has `side` entries, and `heads / groups` heads share keys and values."""

    layers: int
    heads: int
    groups: int
    side: int
    inner: int
    width: int
    length: int
    tokens: int = 4


GPT2S = [Sizes(1, 1, 1, 3, 5, 3, 2), Sizes(2, 2, 2, 2, 3, 4, 3), Sizes(1, 3, 3, 2, 2, 6, 2)]
LLAMAS = [Sizes(1, 2, 1, 2, 3, 2, 3), Sizes(2, 1, 1, 4, 2, 3, 2), Sizes(1, 4, 2, 2, 5, 4, 2)]


def gpt2_shapes(z: Sizes) -> Shapes:
    """The tensors of a GPT-2."""
    d = z.width
    found: Shapes = {"wte.weight": (z.tokens, d), "wpe.weight": (z.length + 1, d)}
    for k in range(z.layers):
        layers = {
            "attn.c_attn": (d, 3 * d), "attn.c_proj": (d, d),
            "mlp.c_fc": (d, z.inner), "mlp.c_proj": (z.inner, d),
        }  # fmt: skip
        found |= {f"h.{k}.{name}.weight": shape for name, shape in layers.items()}
        found |= {f"h.{k}.{name}.bias": shape[1:] for name, shape in layers.items()}
        found |= {f"h.{k}.{n}.{p}": (d,) for n in ("ln_1", "ln_2") for p in ("weight", "bias")}
    found |= {"ln_f.weight": (d,), "ln_f.bias": (d,)}
    return {f"transformer.{name}": shape for name, shape in found.items()}


def llama_shapes(z: Sizes) -> Shapes:
    """The tensors of a Llama."""
    d, a, b = z.width, z.heads * z.side, z.groups * z.side
    found: Shapes = {"model.embed_tokens.weight": (z.tokens, d), "lm_head.weight": (z.tokens, d)}
    for k in range(z.layers):
        layers = {
            "self_attn.q_proj": (a, d), "self_attn.k_proj": (b, d), "self_attn.v_proj": (b, d),
            "self_attn.o_proj": (d, a), "mlp.gate_proj": (z.inner, d), "mlp.up_proj": (z.inner, d),
            "mlp.down_proj": (d, z.inner), "input_layernorm": (d,), "post_attention_layernorm": (d,),
        }  # fmt: skip
        found |= {f"model.layers.{k}.{name}.weight": shape for name, shape in layers.items()}
    return found | {"model.norm.weight": (d,)}


def gpt2_text(z: Sizes) -> str:
    """A GPT-2 of this configuration as a spec."""
    lines = ["let x0 = gpt2_embed(m.transformer, s)"]
    for k in range(z.layers):
        call = f"gpt2_block[heads = {z.heads}](m.transformer.h.{k}, x{k}, 0.00001)"
        lines.append(f"let x{k + 1} = {call}")
    last = f"gpt2_logits(m.transformer.ln_f, m.transformer.wte, x{z.layers}, 0.00001)"
    used = "use std.gpt2: gpt2_block, gpt2_embed, gpt2_logits\n"
    return used + text(z, lines, last)


def llama_text(z: Sizes) -> str:
    """A Llama of this configuration as a spec."""
    lines = ["let x0 = [ m.model.embed_tokens.weight[c] for c in s ]"]
    for k in range(z.layers):
        lines.append(f"let x{k + 1} = llama_block(m.model.layers.{k}, turns, x{k}, 0.000001)")
    last = f"llama_logits(m.model.norm, m.lm_head, x{z.layers}, 0.000001)"
    used = 'use std.llama: llama_block, llama_logits\ncheckpoint turns from "turns.safetensors"\n'
    return used + text(z, lines, last)


def text(z: Sizes, lines: list[str], last: str) -> str:
    """A circuit from words to logits."""
    kind = f"fin[{z.tokens}, {z.length}]"
    body = "\n  ".join([*lines, f"return {last}"])
    return (
        f'checkpoint m from "model.safetensors"\n'
        f"circuit model(s: {kind}) -> real[{z.length}, {z.tokens}] {{\n  {body}\n}}\n"
        f"domain Words = {{ s: {kind} }}\n"
    )


def weights_of(shapes: Shapes, seed: int) -> dict[str, Array]:
    """Numbers of float32, those of norms near 1, large enough for every part to matter."""
    rng = np.random.default_rng(seed)
    found = {name: 0.6 * rng.normal(size=shape) for name, shape in shapes.items()}
    norms = {name for name in shapes if "ln_" in name or "norm" in name}
    found |= {name: found[name] + 1 for name in norms if name.endswith("weight")}
    return {name: x.astype(np.float32).astype(np.float64) for name, x in found.items()}


def opened(folder: Path, written: str, weights: dict[str, Array], z: Sizes) -> Program:
    """A spec on weights in a folder."""
    save(
        {name: x.tolist() for name, x in weights.items()}, folder / "model.safetensors", np.float32
    )
    both = np.tile(angles(z.length + 1, z.side), 2)
    turns = {"cos": np.cos(both).tolist(), "sin": np.sin(both).tolist()}
    save(turns, folder / "turns.safetensors", np.float32)
    program = check(Source("model.circ", written), Files(folder), {})
    assert not program.diagnostics.failed
    return program


def held(program: Program, words: list[list[int]], wanted: list[Array]) -> None:
    """The exact value, enclosed, and the reading in PyTorch are within float32 of what is wanted."""
    circuit = asked_of(program, "model", [], Path()).circuit
    runs = module(circuit, program.weights, torch.float32)
    with torch.no_grad():
        (computed,) = runs({"s": torch.tensor(words)}).values()
    for given, found, logits in zip(words, computed, wanted, strict=True):
        (exact,) = enclose(circuit, at_point(circuit, {"s": given}), program.weights).values()
        assert isinstance(exact, Reals)
        assert np.allclose([float(low) for low, _ in exact.box], logits.ravel(), atol=2e-6)
        assert np.allclose([float(high) for _, high in exact.box], logits.ravel(), atol=2e-6)
        assert np.allclose(found.numpy().astype(np.float64), logits, atol=2e-5)


@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("model", ["gpt2", "llama"])
def test_the_modules_are_what_the_definitions_say(model: str, k: int, tmp_path: Path) -> None:
    """On random configurations and weights: other widths, heads, groups and lengths than the library's checkpoints."""
    is_gpt2 = model == "gpt2"
    z = (GPT2S if is_gpt2 else LLAMAS)[k]
    weights = weights_of((gpt2_shapes if is_gpt2 else llama_shapes)(z), k)
    rng = np.random.default_rng(k)
    words = [rng.integers(0, z.tokens, z.length).tolist() for _ in range(2)]
    if is_gpt2:
        wanted = [gpt2(weights, s, z.layers, z.heads) for s in words]
    else:
        wanted = [llama(weights, s, z.layers, z.heads, z.groups) for s in words]
    program = opened(tmp_path, (gpt2_text if is_gpt2 else llama_text)(z), weights, z)
    held(program, words, wanted)


SITES = """claim rows: forall s in Words:
  [ [ sum(row) for row in head ] for head in model(s).x1.attn.pattern ] == 1 within 1e-9
claim head: exists s in Words: abs(model(s) do { x1.attn.result[0] := 0 }[1][0] - model(s)[1][0]) > 0.01
claim scale: exists s in Words: abs(model(s) do { x1.ln_2.scale := 0.5 }[1][0] - model(s)[1][0]) > 0.01
"""


def test_claims_about_the_sites_of_a_small_model_are_proved(tmp_path: Path) -> None:
    """Patterns and scales are read and replaced by their names."""
    z = GPT2S[0]
    program = opened(tmp_path, gpt2_text(z) + SITES, weights_of(gpt2_shapes(z), 1), z)
    for name in program.typed.scope.claims:
        assert isinstance(prove(program.claim(name), program.weights), Proved), name


def stored(model: str) -> dict[str, Array]:
    """The tensors of a checkpoint that the library wrote."""
    found: dict[str, Array] = {}
    for path in (LAYOUTS / model).glob("model*.safetensors"):
        found |= {name: x.astype(np.float64) for name, x in load_file(path).items()}
    return found


@pytest.mark.parametrize("model", ["gpt2", "llama"])
def test_the_library_is_what_the_definitions_say(model: str) -> None:
    """On all words of three letters, what it recorded with its checkpoints."""
    weights = stored(model)
    logits = load_file(LAYOUTS / model / "logits.safetensors")["logits"]
    for place, wanted in enumerate(logits):
        s = word(place)
        found = gpt2(weights, s, 2, 2) if model == "gpt2" else llama(weights, s, 2, 4, 2)
        assert np.allclose(found, wanted, atol=2e-5)


Untyped = Any
"""The library and its models."""


@pytest.mark.slow
@pytest.mark.parametrize("k", range(3))
@pytest.mark.parametrize("model", ["gpt2", "llama"])
def test_so_is_the_library_anew(model: str, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the configurations above."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    library: Untyped = import_module("transformers")
    z = (GPT2S if model == "gpt2" else LLAMAS)[k]
    made = drawn(of_library(library, model, z), k)
    weights = {name: x.double().numpy() for name, x in made.state_dict().items()}
    words = [list(word) for word in product(range(z.tokens), repeat=z.length)]
    with torch.no_grad():
        logits = made(torch.tensor(words)).logits.double().numpy()
    for s, wanted in zip(words, logits, strict=True):
        if model == "gpt2":
            found = gpt2(weights, s, z.layers, z.heads)
        else:
            found = llama(weights, s, z.layers, z.heads, z.groups)
        assert np.allclose(found, wanted, atol=5e-5)


class Logits(nn.Module):
    """A model of the library that returns one tensor."""

    def __init__(self, model: Untyped) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """The logits at each position, of a batch."""
        found: torch.Tensor = self.model(tokens, use_cache=False).logits
        return found


@pytest.mark.slow
@pytest.mark.parametrize("model", ["gpt2", "llama"])
def test_a_model_of_the_library_is_a_network_on_tokens(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read through `torch.export` and not through the standard library, it is what the definitions say."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    library: Untyped = import_module("transformers")
    z = (GPT2S if model == "gpt2" else LLAMAS)[2]
    made = drawn(of_library(library, model, z), 7)
    weights = {name: x.double().numpy() for name, x in made.state_dict().items()}
    net = circ.network(Logits(made), torch.zeros(1, z.length, dtype=torch.int64))
    assert [*net.vocabularies.values()] == [z.tokens]
    for s in ([0, 1], [3, 2], [2, 2]):
        if model == "gpt2":
            wanted = gpt2(weights, s, z.layers, z.heads)
        else:
            wanted = llama(weights, s, z.layers, z.heads, z.groups)
        exact = [float(low) for low, _ in net.exactly(torch.tensor([s]))]
        assert np.allclose(exact, wanted.ravel(), atol=5e-6)


def of_library(library: Untyped, model: str, z: Sizes) -> Untyped:
    """A model of the library in a configuration."""
    if model == "gpt2":
        sizes = {"n_positions": z.length + 1, "n_embd": z.width, "n_inner": z.inner}
        more = {"n_layer": z.layers, "n_head": z.heads, "bos_token_id": 0, "eos_token_id": 0}
        return library.GPT2LMHeadModel(library.GPT2Config(vocab_size=z.tokens, **sizes, **more))
    sizes = {"hidden_size": z.width, "intermediate_size": z.inner, "head_dim": z.side}
    more = {"num_hidden_layers": z.layers, "num_attention_heads": z.heads}
    more |= {"num_key_value_heads": z.groups, "vocab_size": z.tokens}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return library.LlamaForCausalLM(library.LlamaConfig(**sizes, **more, **ends))
