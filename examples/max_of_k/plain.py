"""The model in plain PyTorch, with no Circ: what runs elsewhere, and what a witness must fool."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

TOKENS, WIDTH = 64, 32
AT_ONCE = 1 << 16


def logits(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch, 64] from words [batch, k] of token indices."""
    x = m["embed"][words] + m["pos"]
    last = x[:, -1]
    query = last @ m["blocks.0.attn.W_Q"].T
    keys = x @ m["blocks.0.attn.W_K"].T
    scores = torch.einsum("bpd,bd->bp", keys, query) / math.sqrt(WIDTH)
    pattern = torch.softmax(scores, dim=-1)
    values = torch.einsum("bp,bpd->bd", pattern, x @ m["blocks.0.attn.W_V"].T)
    return (last + values @ m["blocks.0.attn.W_O"].T) @ m["unembed"].T


def rule(words: Tensor) -> Tensor:
    """[batch] the token that should come out: the largest of the word."""
    return words.amax(-1)


def wrong(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch] whether the model disagrees with the rule."""
    with torch.no_grad():
        parts = [logits(m, part).argmax(-1) != rule(part) for part in torch.split(words, AT_ONCE)]
    return torch.cat(parts)


def sample(count: int, k: int, seed: int, least: int = 0) -> Tensor:
    """`count` words of `k` tokens, drawn uniformly from those whose largest token is at least `least`."""
    generator = torch.Generator().manual_seed(seed)
    words = torch.empty((0, k), dtype=torch.int64)
    while len(words) < count:
        drawn = torch.randint(TOKENS, (count, k), generator=generator)
        words = torch.cat([words, drawn[rule(drawn) >= least]])
    return words[:count]


def all_words(k: int) -> Iterator[Tensor]:
    """Every word of `k` tokens in lexicographic order, 64^(k - 1) of them at a time; for small `k`."""
    tails = torch.cartesian_prod(*[torch.arange(TOKENS)] * (k - 1))
    for first in range(TOKENS):
        yield torch.cat([torch.full((len(tails), 1), first), tails], dim=1)


def all_wrong(m: dict[str, Tensor]) -> Tensor:
    """[failing, k] every word on which the model is wrong, found by trying all: for small `k`."""
    return torch.cat([words[wrong(m, words)] for words in all_words(len(m["pos"]))])


def main() -> None:
    """Run stored counterexamples, or random words, through a checkpoint."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "counterexamples", type=Path, nargs="?", help="JSON: a list of words, each a list of tokens"
    )
    source.add_argument("--sample", type=int, metavar="N", help="N random words instead")
    parser.add_argument("--seed", type=int, default=0, help="of the random words")
    parser.add_argument("--least", type=int, default=0, help="their largest token is at least this")
    given = parser.parse_args()
    m = load_file(given.checkpoint)
    if given.sample is None:
        words, kind = torch.tensor(json.loads(given.counterexamples.read_text())), "stored"
    else:
        words, kind = sample(given.sample, len(m["pos"]), given.seed, given.least), "random"
    failing = int(wrong(m, words).sum())
    print(f"{given.checkpoint.name}: wrong on {failing} of {len(words):,} {kind} words")


if __name__ == "__main__":
    main()
