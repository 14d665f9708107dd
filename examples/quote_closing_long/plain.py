"""The model in plain PyTorch, with no Circ: what runs elsewhere, and what a witness must fool."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

CHARS = ("letter", "digit", "blank", "comma", "dot", "single", "double", "eos")
SINGLE, DOUBLE, EOS = CHARS.index("single"), CHARS.index("double"), CHARS.index("eos")
LENGTH, AT_ONCE = 64, 1 << 14


def logits(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch, 8] from words [batch, 64] of character codes."""
    x = m["embed"][words] + m["pos"]
    last = x[:, -1]
    query = last @ m["blocks.0.attn.W_Q"].T
    keys = x @ m["blocks.0.attn.W_K"].T
    pattern = torch.softmax(torch.einsum("bpd,bd->bp", keys, query) / 4, dim=-1)
    values = torch.einsum("bp,bpd->bd", pattern, x @ m["blocks.0.attn.W_V"].T)
    return (last + values @ m["blocks.0.attn.W_O"].T) @ m["unembed"].T


def rule(words: Tensor) -> Tensor:
    """[batch] the quote that came last, `eos` where there is none."""
    last = torch.full_like(words[:, 0], EOS)
    for char in words.T:
        last = torch.where((char == SINGLE) | (char == DOUBLE), char, last)
    return last


def wrong(m: dict[str, Tensor], words: Tensor) -> Tensor:
    """[batch] whether the model disagrees with the rule."""
    with torch.no_grad():
        parts = [logits(m, part).argmax(-1) != rule(part) for part in torch.split(words, AT_ONCE)]
    return torch.cat(parts)


def sample(count: int, seed: int) -> Tensor:
    """`count` words drawn uniformly from all 8^64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(len(CHARS), (count, LENGTH), generator=generator)


def sample_sparse(count: int, seed: int) -> Tensor:
    """`count` words as in training: a quote at one position in 2, 4, 8, …, or 128."""
    generator = torch.Generator().manual_seed(seed)
    text = torch.tensor([code for code in range(len(CHARS)) if code not in (SINGLE, DOUBLE)])
    others = text[torch.randint(len(text), (count, LENGTH), generator=generator)]
    quotes = torch.randint(SINGLE, DOUBLE + 1, (count, LENGTH), generator=generator)
    rates = 0.5 ** torch.randint(1, 8, (count, 1), generator=generator)
    return torch.where(torch.rand(count, LENGTH, generator=generator) < rates, quotes, others)


def failing_words(answer: Path) -> Tensor:
    """[failing, 64] the words that `circ prove --json` lists, of all claims in its answer."""
    claims = json.loads(answer.read_text())["claims"]
    words = [failing["s"] for claim in claims for failing in claim.get("failing", ())]
    codes = [[CHARS.index(char) for char in word] for word in words]
    return torch.tensor(codes, dtype=torch.int64).reshape(-1, LENGTH)


def main() -> None:
    """Run the counterexamples that Circ found, or random words, through a checkpoint."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "answer", type=Path, nargs="?", help="what `circ prove --json` printed, in a file"
    )
    source.add_argument("--sample", type=int, metavar="N", help="N random words instead")
    parser.add_argument(
        "--sparse", action="store_true", help="draw the random words as in training"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random words")
    given = parser.parse_args()
    if given.sample is None:
        words, kind = failing_words(given.answer), "stored"
    else:
        draw = sample_sparse if given.sparse else sample
        words, kind = draw(given.sample, given.seed), "random"
    failing = int(wrong(load_file(given.checkpoint), words).sum())
    print(f"{given.checkpoint.name}: wrong on {failing} of {len(words):,} {kind} words")


if __name__ == "__main__":
    main()
