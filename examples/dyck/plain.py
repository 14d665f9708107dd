"""The model in plain PyTorch, with no Circ: what runs elsewhere, and what a witness must fool."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

BRACKETS = ("open", "close")
AT_ONCE = 1 << 13


def attention(m: dict[str, Tensor], block: str, x: Tensor) -> Tensor:
    """What each position reads of itself and those before it, through both heads."""
    later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    found = torch.zeros_like(x)
    for head in range(2):
        q, k, v, out = (m[f"{block}.attn.{name}"][head] for name in ("W_Q", "W_K", "W_V", "W_O"))
        scores = (x @ q.T) @ (x @ k.T).transpose(1, 2) / math.sqrt(8)
        pattern = scores.masked_fill(later, -math.inf).softmax(dim=-1)
        found = found + pattern @ (x @ v.T) @ out.T
    return found


def logits(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch, 2] from words [batch, length] of brackets: unbalanced, balanced."""
    x = m["embed"][words] + m["pos"][: words.shape[1]]
    for block in ("blocks.0", "blocks.1"):
        x = x + attention(m, block, x)
        hidden = torch.relu(x @ m[f"{block}.mlp.W_in"].T + m[f"{block}.mlp.b_in"])
        x = x + hidden @ m[f"{block}.mlp.W_out"].T
    return x[:, -1] @ m["unembed"].T


def rule(words: Tensor) -> Tensor:
    """[batch] 1 where the word is balanced, else 0."""
    depth = (1 - 2 * words).cumsum(dim=1)
    return ((depth >= 0).all(dim=1) & (depth[:, -1] == 0)).long()


def wrong(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch] whether the model disagrees with the rule."""
    with torch.no_grad():
        parts = [logits(m, part).argmax(-1) != rule(part) for part in torch.split(words, AT_ONCE)]
    return torch.cat(parts)


def all_words(length: int) -> Tensor:
    """[2^length, length] every word of brackets."""
    return (torch.arange(1 << length)[:, None] >> torch.arange(length)) & 1


def failing_words(answer: Path) -> Tensor:
    """[failing, length] the words that `circ prove --json` lists for a claim."""
    (claim,) = json.loads(answer.read_text())["claims"]
    return torch.tensor([[BRACKETS.index(c) for c in found["s"]] for found in claim["failing"]])


def main() -> None:
    """Run the counterexamples that Circ found, or all words of a length, through a checkpoint."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "answer", type=Path, nargs="?", help="what `circ prove --json` printed, in a file"
    )
    source.add_argument("--length", type=int, help="all words of this length, at most 20, instead")
    given = parser.parse_args()
    stored = given.length is None
    words = failing_words(given.answer) if stored else all_words(given.length)
    failing = int(wrong(load_file(given.checkpoint), words).sum())
    kind = "stored words" if stored else f"words of {given.length}"
    print(f"{given.checkpoint.name}: wrong on {failing} of {len(words):,} {kind}")


if __name__ == "__main__":
    main()
