"""Writes the checkpoints of this folder: `python -m tests.layouts.write FOLDER`, with `transformers` installed.

Each model is drawn from a seed, with weights large enough for every part of it to matter, and stored by the library
itself. Beside it stand words and the logits that the library has for them, at each position.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import (
    save_file,  # pyright: ignore[reportUnknownVariableType]
)
from torch import Tensor, nn

TOKENS = 5
LENGTH = 3
SHARD = "3KB"

Untyped = Any
"""The library and its models: type checkers are kept from reading all of it."""


def drawn(model: Untyped, seed: int) -> Untyped:
    """A model with random weights: those of norms near 1, all others of the size of a half."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in cast(nn.Module, model).named_parameters():
            noise = torch.randn(p.shape, generator=random)
            around = 1.0 if name.endswith("weight") and p.dim() == 1 else 0.0
            p.copy_(around + 0.4 * noise)
    return model.eval()


def words() -> Tensor:
    """All words of three letters, int64[125, 3]."""
    letters = torch.arange(TOKENS)
    return torch.cartesian_prod(*[letters] * LENGTH)


def write_logits(model: Untyped, folder: Path) -> None:
    """What the library computes on each word, float32[125, 3, 5]."""
    with torch.no_grad():
        logits = cast(Tensor, model(words()).logits)
    save_file({"logits": logits.contiguous()}, folder / "logits.safetensors")


def write_gpt2(library: Untyped, folder: Path, seed: int) -> None:
    """Two blocks of two heads, in one file."""
    sizes = {"n_positions": 4, "n_embd": 8, "n_layer": 2, "n_head": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    model = drawn(
        library.GPT2LMHeadModel(library.GPT2Config(vocab_size=TOKENS, **sizes, **ends)), seed
    )
    model.save_pretrained(folder)
    write_logits(model, folder)


def write_llama(library: Untyped, folder: Path, seed: int) -> None:
    """Two blocks of four heads, two of which share keys, in shards; and how its heads turn."""
    sizes = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4}
    model = drawn(
        library.LlamaForCausalLM(library.LlamaConfig(vocab_size=TOKENS, **sizes, **heads)), seed
    )
    model.save_pretrained(folder, max_shard_size=SHARD)
    cos, sin = model.model.rotary_emb(torch.zeros(1), torch.arange(4)[None])
    turns = {"cos": cos[0].contiguous(), "sin": sin[0].contiguous()}
    save_file(turns, folder / "rotary.safetensors")
    write_logits(model, folder)


def write(folder: Path, seed: int = 0) -> None:
    """Both models, each in a folder of its own; without what no test reads."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    library = import_module("transformers")
    write_gpt2(library, folder / "gpt2", seed)
    write_llama(library, folder / "llama", seed + 1)
    for unread in folder.glob("*/*.json"):
        if not unread.name.endswith(".index.json"):
            unread.unlink()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
