"""The network in plain PyTorch, with no Circ: how much it writes of a frequency, and which sums are wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

HERE = Path(__file__).parent
MODULUS = 113


def scores(m: dict[str, Tensor]) -> Tensor:
    """[12769, 113] of all pairs, those of 0 first."""
    of_a, of_b = m["embed"] @ m["left"].T, m["embed"] @ m["right"].T
    return (of_a[:, None] * of_b).flatten(0, 1) @ m["read"].T


def wrong(m: dict[str, Tensor]) -> int:
    """On how many pairs the largest score is not that of the sum."""
    number = torch.arange(MODULUS)
    sums = (number[:, None] + number).flatten() % MODULUS
    return int((scores(m).argmax(1) != sums).sum())


def of_frequency(read: Tensor, wave: Tensor) -> float:
    """How much of the waves [2, 113] a read-out [113, 20] writes: the largest coefficient of any product."""
    return float((wave @ read).abs().max())


def projected(read: Tensor, wave: Tensor) -> Tensor:
    """The read-out without these waves, all else as it was."""
    return read - wave.T @ (wave @ read)


def main() -> None:
    """Say of a checkpoint how much of a frequency it writes and how many sums it gets wrong."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--frequency", type=int, default=3)
    parser.add_argument("--project", action="store_true", help="project its waves out first")
    given = parser.parse_args()
    m = load_file(given.checkpoint)
    wave = load_file(HERE / "waves.safetensors")["wave"][given.frequency]
    if given.project:
        m["read"] = projected(m["read"], wave)
    least = of_frequency(m["read"], wave)
    print(
        f"frequency {given.frequency}: {least:.4f} at most; {wrong(m)} of {MODULUS**2:,} sums wrong"
    )


if __name__ == "__main__":
    main()
