"""The network in plain PyTorch, with no Circ: what runs elsewhere, and what a witness must fool."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

CLEAR = 0
BAND = 2.0
LOW = torch.tensor([[-1.0, -1.0, -1.0], [-0.31, 0.0, 1.0]])
"""The lower and upper ends of the box on which the answer should be `CLEAR`."""


def scores(m: dict[str, Tensor], x: Tensor) -> Tensor:
    """[many, 5] from inputs [many, 3]."""
    for layer in ("0", "2"):
        x = torch.relu(x @ m[f"{layer}.weight"].T + m[f"{layer}.bias"])
    return x @ m["4.weight"].T + m["4.bias"]


def drawn(count: int, ends: Tensor, seed: int) -> Tensor:
    """[count, 3] uniformly random inputs between two ends."""
    generator = torch.Generator().manual_seed(seed)
    return ends[0] + torch.rand((count, 3), generator=generator) * (ends[1] - ends[0])


def wrong(m: dict[str, Tensor], x: Tensor) -> int:
    """How many inputs of the box get an advisory that none of them needs."""
    return int((scores(m, x).argmax(1) != CLEAR).sum())


def compared(old: dict[str, Tensor], new: dict[str, Tensor], x: Tensor) -> str:
    """How many decisions changed, how many of these led by more than the band, and how many are within it."""
    before, after = scores(old, x), scores(new, x)
    best = before.topk(2).values
    near = best[:, 0] - best[:, 1] <= BAND
    changed = before.argmax(1) != after.argmax(1)
    return (
        f"of {len(x):,} random inputs {int(changed.sum()):,} are decided otherwise, "
        f"{int((changed & ~near).sum())} of them outside the band, which has {float(near.float().mean()):.2%}"
    )


def main() -> None:
    """Run stored counterexamples and random inputs through a checkpoint."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("counterexamples", type=Path, help="JSON: a list of inputs", nargs="?")
    parser.add_argument("--sample", type=int, metavar="N", default=1_000_000, help="random inputs")
    parser.add_argument("--seed", type=int, default=0, help="of the random inputs")
    parser.add_argument("--old", type=Path, help="the checkpoint before the patch")
    given = parser.parse_args()
    m = load_file(given.checkpoint)
    if given.counterexamples:
        stored = torch.tensor(json.loads(given.counterexamples.read_text()))
        print(f"wrong on {wrong(m, stored)} of {len(stored)} stored inputs")
    print(
        f"wrong on {wrong(m, drawn(given.sample, LOW, given.seed))} of {given.sample:,} random inputs"
    )
    if given.old:
        everywhere = torch.tensor([[-1.0] * 3, [1.0] * 3])
        print(compared(load_file(given.old), m, drawn(given.sample, everywhere, given.seed)))


if __name__ == "__main__":
    main()
