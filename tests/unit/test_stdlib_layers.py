"""The layers of the standard library against PyTorch's, on random checkpoints in their layouts.

A checkpoint is written, a spec calls the circuit on it, and both the exact value and the one by Circ's PyTorch
reading are near what PyTorch's own functions give in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod, sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from circ.compiler.driver import check
from circ.compiler.query import expression
from circ.compiler.readings.intervals import Reals
from circ.compiler.stored import Files
from circ.lang.span import Source
from circ.runtime.evaluate import evaluate
from tests.unit.specs import write_spec

D, H, B = 3, 5, 2
"""Sizes of an input, of what is hidden, of another output."""

N, HEADS, HEAD, TOKENS = 3, 2, 2, 4
"""Positions, heads, the size of a head, logits."""

EPS = 0.00001

Tensors = Mapping[str, Tensor]


def drawn(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Random tensors with float32 entries, as float64."""
    random = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=random, dtype=torch.float32).double()
        for name, shape in shapes.items()
    }


def agrees(uses: str, call: str, wanted: Tensor, tensors: Tensors, folder: Path) -> None:
    """The exact value of a call is what is wanted, within 1e-9, and PyTorch's within 1e-5."""
    text = f'{uses}\ncheckpoint m from "model.safetensors"\n'
    spec = write_spec(folder, text, {name: t.numpy().tolist() for name, t in tensors.items()})
    program = check(Source(str(spec), text), Files(folder), {})
    assert not program.diagnostics.failed
    found = evaluate(expression(program, Source("line", call), {}), program.weights)

    assert isinstance(found.exact, Reals)
    assert len(found.exact.box) == wanted.numel() == prod(wanted.shape)
    assert all(high - low < Fraction(1, 10**9) for low, high in found.exact.box)
    exact = torch.tensor([float(low) for low, _ in found.exact.box], dtype=torch.float64)
    assert torch.allclose(exact, wanted.flatten(), rtol=0, atol=1e-9)
    computed = torch.tensor(found.computed, dtype=torch.float64)
    assert torch.allclose(computed, wanted.flatten(), rtol=1e-5, atol=1e-5)


# --- functions ------------------------------------------------------------------------------------


def sparsemax(x: Tensor) -> Tensor:
    """By sorting, as Martins and Astudillo (2016) have it."""
    z, _ = x.sort(descending=True)
    above = z.cumsum(0) - 1
    k = torch.arange(1, len(z) + 1)
    size = int((k * z > above).sum())
    return torch.relu(x - above[size - 1] / size)


FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sigmoid(m.x)": torch.sigmoid,
    "tanh(m.x)": torch.tanh,
    "silu(m.x)": functional.silu,
    "gelu(m.x)": lambda x: functional.gelu(x, approximate="tanh"),
    "leaky_relu(m.x, 0.01)": lambda x: functional.leaky_relu(x, 0.01),
    "norm_2(m.x)": lambda x: (x @ x).sqrt(),
    "sparsemax(m.x)": sparsemax,
}
"""Calls, and what they are of m.x."""


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("call", FUNCTIONS)
def test_functions_are_those_of_torch(call: str, seed: int, tmp_path: Path) -> None:
    """Each on a vector of eight random numbers."""
    tensors = drawn({"x": (8,)}, seed)
    uses = f"use std.functions: {call.partition('(')[0]}"

    agrees(uses, call, FUNCTIONS[call](tensors["x"]), tensors, tmp_path)


# --- layers ---------------------------------------------------------------------------------------


def test_norms_are_those_of_torch(tmp_path: Path) -> None:
    """With weights and without, of one vector and at each position."""
    t = drawn({"ln.weight": (D,), "ln.bias": (D,), "x": (N, D)}, 0)
    x, weight, bias = t["x"], t["ln.weight"], t["ln.bias"]
    uses = "use std.norm: layernorm, rmsnorm, layernorm_each, rmsnorm_each, standardized, rescaled"
    wanted = {
        "layernorm_each(m.ln, m.x, 0.00001)": functional.layer_norm(x, (D,), weight, bias, EPS),
        "rmsnorm_each(m.ln, m.x, 0.00001)": functional.rms_norm(x, (D,), weight, EPS),
        "layernorm(m.ln, m.x[1], 0.00001)": functional.layer_norm(x[1], (D,), weight, bias, EPS),
        "rmsnorm(m.ln, m.x[1], 0.00001)": functional.rms_norm(x[1], (D,), weight, EPS),
        "standardized(m.x[1], 0.00001)": functional.layer_norm(x[1], (D,), eps=EPS),
        "rescaled(m.x[1], 0.00001)": functional.rms_norm(x[1], (D,), eps=EPS),
    }
    for call, value in wanted.items():
        agrees(uses, call, value, t, tmp_path)


LAYERS = {
    "0.weight": (H, D),
    "0.bias": (H,),
    "2.weight": (B, H),
    "2.bias": (B,),
    "c_fc.weight": (D, H),
    "c_fc.bias": (H,),
    "c_proj.weight": (H, D),
    "c_proj.bias": (D,),
    "gate_proj.weight": (H, D),
    "up_proj.weight": (H, D),
    "down_proj.weight": (D, H),
    "x": (D,),
}


def test_linear_layers_are_those_of_torch(tmp_path: Path) -> None:
    """Weights with their outputs first and with their inputs first, alone and in MLPs."""
    t = drawn(LAYERS, 0)
    x = t["x"]
    uses = "use std.linear: linear, affine, conv1d, mlp, gpt2_mlp, gated_mlp"
    hidden = functional.relu(functional.linear(x, t["0.weight"], t["0.bias"]))
    wide = functional.gelu(x @ t["c_fc.weight"] + t["c_fc.bias"], approximate="tanh")
    gated = functional.silu(t["gate_proj.weight"] @ x) * (t["up_proj.weight"] @ x)
    wanted = {
        "linear(m.0, m.x)": functional.linear(x, t["0.weight"]),
        "affine(m.0, m.x)": functional.linear(x, t["0.weight"], t["0.bias"]),
        "conv1d(m.c_fc, m.x)": x @ t["c_fc.weight"] + t["c_fc.bias"],
        "mlp(m.0, m.2, m.x)": functional.linear(hidden, t["2.weight"], t["2.bias"]),
        "gpt2_mlp(m, m.x)": wide @ t["c_proj.weight"] + t["c_proj.bias"],
        "gated_mlp(m, m.x)": t["down_proj.weight"] @ gated,
    }
    for call, value in wanted.items():
        agrees(uses, call, value, t, tmp_path)


FEATURES = {
    "W_enc": (D, H),
    "b_enc": (H,),
    "W_dec": (H, D),
    "b_dec": (D,),
    "threshold": (H,),
    "out.W_enc": (D, H),
    "out.b_enc": (H,),
    "out.W_dec": (H, B),
    "out.b_dec": (B,),
    "x": (D,),
}


def test_autoencoders_are_those_of_saelens(tmp_path: Path) -> None:
    """ReLU, JumpReLU and TopK, and a transcoder; some features are on and some are off."""
    t = drawn(FEATURES, 2)
    t["threshold"] = torch.full((H,), 0.5, dtype=torch.float64)
    x = t["x"]
    pre = x @ t["W_enc"] + t["b_enc"]
    centred = (x - t["b_dec"]) @ t["W_enc"] + t["b_enc"]
    jump = functional.relu(pre) * (pre > t["threshold"])
    top = torch.zeros(H, dtype=torch.float64)
    values, places = pre.topk(2)
    top[places] = functional.relu(values)
    out = functional.relu(x @ t["out.W_enc"] + t["out.b_enc"]) @ t["out.W_dec"] + t["out.b_dec"]
    assert 0 < int((jump > 0).sum()) < int((pre > 0).sum()) < H
    uses = (
        "use std.sae: pre_activations, encode, encode_jump, decode, reconstruct, reconstruct_jump,"
        " transcode"
    )
    wanted = {
        "encode(m, m.x)": functional.relu(pre),
        "encode(m, m.x - m.b_dec)": functional.relu(centred),
        "encode_jump(m, m.x)": jump,
        "topk(2, pre_activations(m, m.x)) * relu(pre_activations(m, m.x))": top,
        "decode(m, encode(m, m.x))": functional.relu(pre) @ t["W_dec"] + t["b_dec"],
        "reconstruct(m, m.x)": functional.relu(pre) @ t["W_dec"] + t["b_dec"],
        "reconstruct_jump(m, m.x)": jump @ t["W_dec"] + t["b_dec"],
        "transcode(m.out, m.x)": out,
    }
    for call, value in wanted.items():
        agrees(uses, call, value, t, tmp_path)


# --- a transformer --------------------------------------------------------------------------------

BLOCK: dict[str, tuple[int, ...]] = {
    "ln1.w": (D,),
    "ln1.b": (D,),
    "ln2.w": (D,),
    "ln2.b": (D,),
    **{f"attn.W_{one}": (HEADS, D, HEAD) for one in "QKV"},
    **{f"attn.b_{one}": (HEADS, HEAD) for one in "QKV"},
    "attn.W_O": (HEADS, HEAD, D),
    "attn.b_O": (D,),
    "mlp.W_in": (D, H),
    "mlp.b_in": (H,),
    "mlp.W_out": (H, D),
    "mlp.b_out": (D,),
}


def below(tensors: Tensors, path: str) -> dict[str, Tensor]:
    """The tensors below a path."""
    return {name.removeprefix(path): t for name, t in tensors.items() if name.startswith(path)}


def normed(t: Tensors, x: Tensor) -> Tensor:
    """TransformerLens' `LayerNorm`."""
    return functional.layer_norm(x, (D,), t["w"], t["b"], EPS)


def pattern(t: Tensors, x: Tensor) -> Tensor:
    """What each head reads, later positions left out by minus infinity."""
    q = torch.einsum("pd,hde->hpe", x, t["W_Q"]) + t["b_Q"][:, None]
    k = torch.einsum("pd,hde->hpe", x, t["W_K"]) + t["b_K"][:, None]
    later = torch.ones(N, N, dtype=torch.bool).triu(1)
    scores = torch.einsum("hqe,hke->hqk", q, k) / sqrt(HEAD)
    return scores.masked_fill(later, -torch.inf).softmax(-1)


def attended(t: Tensors, x: Tensor) -> Tensor:
    """TransformerLens' `Attention`."""
    v = torch.einsum("pd,hde->hpe", x, t["W_V"]) + t["b_V"][:, None]
    z = torch.einsum("hqk,hke->hqe", pattern(t, x), v)
    return torch.einsum("hqe,hed->qd", z, t["W_O"]) + t["b_O"]


def block(t: Tensors, x: Tensor) -> Tensor:
    """TransformerLens' `TransformerBlock` with `gelu_new`."""
    middle = x + attended(below(t, "attn."), normed(below(t, "ln1."), x))
    pre = normed(below(t, "ln2."), middle) @ t["mlp.W_in"] + t["mlp.b_in"]
    return middle + functional.gelu(pre, approximate="tanh") @ t["mlp.W_out"] + t["mlp.b_out"]


@pytest.mark.parametrize("seed", range(2))
def test_a_block_is_that_of_transformerlens(seed: int, tmp_path: Path) -> None:
    """Two blocks, what the heads of the first read, and the logits behind the first and the second."""
    shapes: dict[str, tuple[int, ...]] = {
        **{f"blocks.{k}.{name}": shape for k in range(2) for name, shape in BLOCK.items()},
        "ln_final.w": (D,),
        "ln_final.b": (D,),
        "unembed.W_U": (D, TOKENS),
        "unembed.b_U": (TOKENS,),
        "x": (N, D),
    }
    t = drawn(shapes, seed)
    first, second, last = (below(t, f"{path}.") for path in ("blocks.0", "blocks.1", "ln_final"))
    x = t["x"]
    behind = block(first, x)
    whole = block(second, behind)
    reads = pattern(below(first, "attn."), normed(below(first, "ln1."), x))
    one = "block(m.blocks.0, m.x, 0.00001)"
    two = f"block(m.blocks.1, {one}, 0.00001)"
    wanted = {
        one: behind,
        two: whole,
        f"{one}.attn.pattern": reads,
        f"logit_lens(m.ln_final, m.unembed, {one}, 0.00001)": normed(last, behind)
        @ t["unembed.W_U"]
        + t["unembed.b_U"],
        f"logit_lens(m.ln_final, m.unembed, {two}, 0.00001)": normed(last, whole) @ t["unembed.W_U"]
        + t["unembed.b_U"],
    }
    for call, value in wanted.items():
        agrees("use std.transformer: block, logit_lens", call, value, t, tmp_path)
