"""The memory in plain PyTorch, with no Circ: what runs elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

RELATIONS = ("born", "lives", "works", "buried")


def hidden(m: dict[str, Tensor]) -> Tensor:
    """[1000, 40] what the hidden layer holds at each fact, a person's relations one after the other."""
    keys = (m["person"][:, None] + m["relation"]).flatten(0, 1)
    return torch.relu(keys @ m["W_in"].T + m["b_in"])


def logits(m: dict[str, Tensor]) -> Tensor:
    """[1000, 40] a score of each city for each fact."""
    return hidden(m) @ m["W_out"].T @ m["unembed"].T


def cities(m: dict[str, Tensor]) -> Tensor:
    """[1000] the city of each fact."""
    with torch.no_grad():
        return logits(m).argmax(1)


def main() -> None:
    """Say which facts two checkpoints tell differently."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    given = parser.parse_args()
    old, new = cities(load_file(given.old)), cities(load_file(given.new))
    changed = [int(fact) for fact in (old != new).nonzero()]
    for fact in changed:
        person, relation = divmod(fact, len(RELATIONS))
        print(f"person {person} {RELATIONS[relation]}: {int(old[fact])} -> {int(new[fact])}")
    print(f"{len(changed)} of {len(old)} facts differ")


if __name__ == "__main__":
    main()
