"""Train a network that says whether to keep on, to slow down or to brake; write `model.safetensors`.

The task: from a distance of 0 to 100 m, a speed of 0 to 40 m/s and a grip of 0.2 to 1, each scaled to
[-1, 1]. A car comes to a stand after half a second and v² / (2 · 9.81 · grip) more metres: the right answer
is `brake` where that is more than nine tenths of the distance, `slow` where it is more than half, else `keep`.

The network: two layers of 24 ReLUs, as `torch.nn.Sequential` makes them and names their tensors.

The training: Adam on cross-entropy, each batch drawn afresh from all of the box, the rate falling to zero.
Run again on the same machine and the same PyTorch, the script writes the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

KEEP, SLOW, BRAKE = range(3)
SEED, BATCH, STEPS, LEARNING_RATE, WIDTH = 0, 1024, 4_000, 0.01, 24


def right(x: Tensor) -> Tensor:
    """The answers for inputs [many, 3]."""
    distance, speed, grip = 50 * (x[:, 0] + 1), 20 * (x[:, 1] + 1), 0.6 + 0.4 * x[:, 2]
    needed = 0.5 * speed + speed**2 / (2 * 9.81 * grip)
    return torch.where(
        needed > 0.9 * distance, BRAKE, torch.where(needed > 0.5 * distance, SLOW, KEEP)
    )


def trained() -> nn.Sequential:
    """The network, trained."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    layers = [
        nn.Linear(3, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, 3),
    ]
    net = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(net.parameters(), LEARNING_RATE)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    for _ in range(STEPS):
        x = 2 * torch.rand(BATCH, 3) - 1
        loss = functional.cross_entropy(net(x), right(x))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    return net


def main() -> None:
    """Train, say how often it is right, and write it beside this file."""
    net = trained()
    x = 2 * torch.rand(1_000_000, 3) - 1
    with torch.no_grad():
        share = (net(x).argmax(1) == right(x)).float().mean()
    print(f"right on {share:.2%} of a million random inputs")
    save_file(net.state_dict(), Path(__file__).with_name("model.safetensors"))


if __name__ == "__main__":
    main()
