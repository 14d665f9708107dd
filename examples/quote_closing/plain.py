"""The model in plain PyTorch, with no Circ: what runs elsewhere, and what a witness must fool."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

CHARS = ("letter", "digit", "blank", "single", "double", "eos")
SINGLE, DOUBLE, EOS = CHARS.index("single"), CHARS.index("double"), CHARS.index("eos")


def logits(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch, 6] from words [batch, 8] of character codes."""
    x = m["embed"][words] + m["pos"]
    last = x[:, -1]
    query = last @ m["blocks.0.attn.W_Q"].T
    keys = x @ m["blocks.0.attn.W_K"].T
    pattern = torch.softmax(torch.einsum("bpd,bd->bp", keys, query) / 4, dim=-1)
    values = torch.einsum("bp,bpd->bd", pattern, x @ m["blocks.0.attn.W_V"].T)
    mixed = last + values @ m["blocks.0.attn.W_O"].T
    hidden = torch.relu(mixed @ m["blocks.0.mlp.W_in"].T + m["blocks.0.mlp.b_in"])
    return (mixed + hidden @ m["blocks.0.mlp.W_out"].T) @ m["unembed"].T


def rule(words: Tensor) -> Tensor:
    """[batch] the character that should come next: close the open quote, or end."""
    state = torch.full_like(words[:, 0], EOS)
    for char in words.T:
        opens = (state == EOS) & ((char == SINGLE) | (char == DOUBLE))
        state = torch.where(char == state, EOS, torch.where(opens, char, state))
    return state


def wrong(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch] whether the model disagrees with the rule."""
    with torch.no_grad():
        return logits(m, words).argmax(-1) != rule(words)


def sample(count: int, most_quotes: int, seed: int) -> Tensor:
    """`count` words drawn uniformly from those with at most so many quotes."""
    generator = torch.Generator().manual_seed(seed)
    words = torch.empty((0, 8), dtype=torch.int64)
    while len(words) < count:
        drawn = torch.randint(len(CHARS), (count, 8), generator=generator)
        quotes = ((drawn == SINGLE) | (drawn == DOUBLE)).sum(-1)
        words = torch.cat([words, drawn[quotes <= most_quotes]])
    return words[:count]


def main() -> None:
    """Run stored counterexamples through a checkpoint."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("counterexamples", type=Path, help="JSON: a list of words")
    given = parser.parse_args()
    listed = json.loads(given.counterexamples.read_text())
    words = torch.tensor([[CHARS.index(char) for char in word] for word in listed])
    failing = int(wrong(load_file(given.checkpoint), words).sum())
    print(f"{given.checkpoint.name}: wrong on {failing} of {len(words)} stored counterexamples")


if __name__ == "__main__":
    main()
