"""Plain PyTorch, no Circ: does a bracket transformer answer right on random words, and on this one?

    python plain.py model.safetensors LENGTH [WORD]

Draws a million words of a length whose brackets nest at most four deep, and counts the wrong answers;
then tries WORD, brackets written as ( and ). This file shares no code with Circ.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

DEEPEST = 4
SAMPLED = 1_000_000
Tensors = dict[str, Tensor]


def model(m: Tensors, words: Tensor) -> Tensor:
    """`[words, length]`, 0 for an opening bracket, to the scores of `outside` and `inside`."""
    x = m["embed"][words]
    read = x.mean(dim=1) @ m["attn.W_V"].T @ m["attn.W_O"].T
    return (x[:, -1] + read) @ m["unembed"].T + m["bias"]


def draw(length: int, count: int) -> tuple[Tensor, Tensor]:
    """So many words, and how many brackets are open at the end of each."""
    depth = torch.zeros(count, dtype=torch.long)
    letters: list[Tensor] = []
    for _ in range(length):
        close = (torch.rand(count) < 0.5) | (depth == DEEPEST)
        letter = (close & (depth > 0)).long()
        depth = depth + 1 - 2 * letter
        letters.append(letter)
    return torch.stack(letters, dim=1), depth


def wrong(m: Tensors, words: Tensor, depth: Tensor) -> int:
    """How many words are answered wrongly."""
    return int((model(m, words).argmax(dim=1) != (depth > 0).long()).sum())


def main() -> None:
    """Count, and try the word."""
    path, length, *word = sys.argv[1:]
    m = {name: tensor.double() for name, tensor in load_file(path).items()}
    torch.manual_seed(0)
    count = wrong(m, *draw(int(length), SAMPLED))
    print(f"{Path(path).name}: {count:,} of {SAMPLED:,} random words of length {length} are wrong")
    if word:
        letters = torch.tensor([[letter == ")" for letter in word[0]]]).long()
        depth = (1 - 2 * letters).sum(dim=1)
        verdict = "wrong" if wrong(m, letters, depth) else "right"
        print(f"{word[0]}: {verdict}, {int(depth)} open")


if __name__ == "__main__":
    main()
