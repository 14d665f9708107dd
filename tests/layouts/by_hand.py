"""GPT-2 and Llama in numpy, written from their published definitions and from nothing else of this project.

Radford et al., Language Models are Unsupervised Multitask Learners (2019), with the layout of its released weights: norms before
each half, GELU in its tanh form, layers stored with their inputs first, the unembedding tied. Touvron et al., LLaMA
(2023) and Llama 2 (2023): RMSNorm, SwiGLU, grouped queries, and rotary positions (Su et al., RoFormer, 2021), in which a head's
entries j and j + h/2 are one complex number that is turned by t / 10000^(2j/h) at position t.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Weights = Mapping[str, Array]
"""Tensors by their paths in a checkpoint of `transformers`, in float64."""


def softmax(scores: Array) -> Array:
    """Along the last axis."""
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float64)


def attended(q: Array, k: Array, v: Array) -> Array:
    """What one head reads, each position of itself and those before it: `(length, h)` each."""
    scores = q @ k.T / np.sqrt(q.shape[-1])
    before = np.tril(np.ones(scores.shape, np.bool_))
    return softmax(np.where(before, scores, -np.inf)) @ v


# --- GPT-2 ------------------------------------------------------------------------------------


def layer_norm(w: Weights, name: str, x: Array, eps: float) -> Array:
    """To mean 0 and variance 1 at each position, then scaled and shifted."""
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    return np.asarray(centred / spread * w[f"{name}.weight"] + w[f"{name}.bias"], np.float64)


def conv1d(w: Weights, name: str, x: Array) -> Array:
    """A layer stored with its inputs first."""
    return x @ w[f"{name}.weight"] + w[f"{name}.bias"]


def gelu(x: Array) -> Array:
    """In its tanh form."""
    inner = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    return np.asarray(0.5 * x * (1 + np.tanh(inner)), np.float64)


def gpt2(w: Weights, word: list[int], layers: int, heads: int, eps: float = 1e-5) -> Array:
    """The logits at each position, `(length, tokens)`."""
    x = w["transformer.wte.weight"][word] + w["transformer.wpe.weight"][: len(word)]
    for block in (f"transformer.h.{k}" for k in range(layers)):
        fused = conv1d(w, f"{block}.attn.c_attn", layer_norm(w, f"{block}.ln_1", x, eps))
        parts = [np.split(part, heads, -1) for part in np.split(fused, 3, -1)]
        read = np.concatenate([attended(*each) for each in zip(*parts, strict=True)], -1)
        x = x + conv1d(w, f"{block}.attn.c_proj", read)
        hidden = gelu(conv1d(w, f"{block}.mlp.c_fc", layer_norm(w, f"{block}.ln_2", x, eps)))
        x = x + conv1d(w, f"{block}.mlp.c_proj", hidden)
    return layer_norm(w, "transformer.ln_f", x, eps) @ w["transformer.wte.weight"].T


# --- Llama ------------------------------------------------------------------------------------


def rms_norm(w: Weights, name: str, x: Array, eps: float) -> Array:
    """To a mean square of 1 at each position, then scaled."""
    spread = np.sqrt((x**2).mean(-1, keepdims=True) + eps)
    return np.asarray(x / spread * w[f"{name}.weight"], np.float64)


def angles(length: int, side: int) -> Array:
    """By how much each pair of a head's entries is turned at each position, `(length, side / 2)`."""
    rates = 10000.0 ** (-2 * np.arange(side // 2) / side)
    return np.arange(length)[:, None] * rates


def turned(x: Array) -> Array:
    """Each pair of entries as a complex number, turned: `(length, h)`."""
    half = x.shape[-1] // 2
    found = (x[:, :half] + 1j * x[:, half:]) * np.exp(1j * angles(len(x), 2 * half))
    return np.concatenate([found.real, found.imag], -1)


def silu(x: Array) -> Array:
    """x times its logistic function."""
    return np.asarray(x / (1 + np.exp(-x)), np.float64)


def llama(
    w: Weights, word: list[int], layers: int, heads: int, groups: int, eps: float = 1e-6
) -> Array:
    """The logits at each position, `(length, tokens)`; `heads / groups` heads in a row share keys and values."""
    x = w["model.embed_tokens.weight"][word]
    for block in (f"model.layers.{k}" for k in range(layers)):
        normed = rms_norm(w, f"{block}.input_layernorm", x, eps)
        own = [normed @ w[f"{block}.self_attn.{name}_proj.weight"].T for name in "qkv"]
        q, k, v = (np.split(y, n, -1) for y, n in zip(own, (heads, groups, groups), strict=True))
        shared = heads // groups
        read = [
            attended(turned(q[a]), turned(k[a // shared]), v[a // shared]) for a in range(heads)
        ]
        x = x + np.concatenate(read, -1) @ w[f"{block}.self_attn.o_proj.weight"].T
        normed = rms_norm(w, f"{block}.post_attention_layernorm", x, eps)
        gate, up = (normed @ w[f"{block}.mlp.{name}_proj.weight"].T for name in ("gate", "up"))
        x = x + (silu(gate) * up) @ w[f"{block}.mlp.down_proj.weight"].T
    return rms_norm(w, "model.norm", x, eps) @ w["lm_head.weight"].T
