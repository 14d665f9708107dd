"""Train a network that adds modulo 113 by waves; write `model.safetensors` and `waves.safetensors`.

The task: two numbers below 113 to their sum modulo 113. Networks that learn it represent numbers by waves of a few
frequencies and add angles (Nanda et al., "Progress measures for grokking via mechanistic interpretability", ICLR 2023).

The network: a bilinear layer (Sharkey, "A technical note on bilinear layers for interpretability", 2023) of 20
products of what it reads of either number, and a score for each sum.

The training: it starts at the addition theorem for the frequencies of `START`, two products for a cosine and two for a
sine, disturbed by noise, at which it gets most sums wrong; Adam on the cross-entropy of all 12,769 pairs finds its
way from there. So which frequencies it uses is chosen, and how much of each is learnt. `waves.safetensors` has the waves of
all frequencies, to speak about them. Run again on the same machine and the same PyTorch, the script writes the same bytes.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

MODULUS, START = 113, (3, 14, 23, 37, 50)
SEED, STEPS, RATE, DECAY, NOISE = 0, 300, 0.01, 0.1, 0.3


def waves() -> Tensor:
    """[57, 2, 113] cosine and sine of each frequency, from 1 on of length 1."""
    angles = torch.arange(MODULUS // 2 + 1)[:, None] * torch.arange(MODULUS) % MODULUS
    turns = angles.double() * (2 * math.pi / MODULUS)
    return (torch.stack([turns.cos(), turns.sin()], 1) * math.sqrt(2 / MODULUS)).float()


class Adder(nn.Module):
    """Pairs of numbers to a score for each sum."""

    def __init__(self) -> None:
        super().__init__()
        chosen = waves()[list(START)] * math.sqrt(MODULUS / 2)
        cosines, sines = chosen.unbind(1)
        mixed = torch.stack([cosines, sines], 1).flatten(0, 1).T
        left, right = torch.zeros(2, 4 * len(START), 2 * len(START)).unbind()
        read = torch.zeros(MODULUS, 4 * len(START))
        for k in range(len(START)):
            pairs = ((0, 0, cosines[k]), (1, 1, -cosines[k]), (0, 1, sines[k]), (1, 0, sines[k]))
            for number, (of_a, of_b, wave) in enumerate(pairs):
                left[4 * k + number, 2 * k + of_a] = 1.0
                right[4 * k + number, 2 * k + of_b] = 1.0
                read[:, 4 * k + number] = wave
        self.embed, self.left, self.right, self.read = (
            nn.Parameter(start + NOISE * torch.randn_like(start))
            for start in (mixed, left, right, read)
        )

    def forward(self) -> Tensor:
        """`[12769, 113]`: the scores of all pairs, those of 0 first."""
        a, b = self.embed @ self.left.T, self.embed @ self.right.T
        return (a[:, None] * b).flatten(0, 1) @ self.read.T


def trained() -> Adder:
    """The network, trained."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    net, number = Adder(), torch.arange(MODULUS)
    sums = (number[:, None] + number).flatten() % MODULUS
    optimizer = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    for step in range(STEPS + 1):
        scores = net()
        if step in (0, STEPS):
            wrong = int((scores.argmax(1) != sums).sum())
            print(f"after {step:3} steps wrong on {wrong:,} of {len(sums):,} pairs")
        loss = functional.cross_entropy(scores, sums)
        optimizer.zero_grad()
        loss.backward()
        if step < STEPS:
            optimizer.step()
            falling.step()
    return net


def main() -> None:
    """Train, and write both files beside this one."""
    tensors = {name: x.detach().contiguous() for name, x in trained().state_dict().items()}
    save_file(tensors, Path(__file__).with_name("model.safetensors"))
    save_file({"wave": waves()}, Path(__file__).with_name("waves.safetensors"))


if __name__ == "__main__":
    main()
