"""Train a network that advises a pilot how to avoid another aircraft; write `model.safetensors`.

The task: an intruder is up to 1,000 ft above or below, climbs or sinks at up to 60 ft/s as seen from the own
aircraft, and passes in 5 to 40 s; each of the three numbers is scaled to [-1, 1]. A weak advisory changes the own
rate by 10 ft/s, a strong one by 30, after five seconds in which the pilot reacts. The right answer is `clear`
where they pass 300 ft apart without one, else the weakest that sees to that; of two alike, and where none does,
the one that gives more room.

The network: two layers of 12 ReLUs, as `torch.nn.Sequential` makes them and names their tensors.

The training: Adam on cross-entropy, each batch drawn afresh from all of the box, the rate falling to zero.
Run again on the same machine and the same PyTorch, the script writes the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

CLEAR, WEAK_UP, WEAK_DOWN, STRONG_UP, STRONG_DOWN = range(5)
CHANGES = torch.tensor([0.0, 10.0, -10.0, 30.0, -30.0])
"""Of the own rate, in ft/s, by advisory."""
APART, REACTION = 300.0, 5.0
SEED, BATCH, STEPS, LEARNING_RATE, WIDTH = 0, 1024, 4_000, 0.01, 12


def room(x: Tensor) -> Tensor:
    """[many, 5]: how far apart in ft they pass each other after each advisory."""
    height, rate, seconds = 1000 * x[:, :1], 60 * x[:, 1:2], 22.5 + 17.5 * x[:, 2:]
    return (height + rate * seconds - CHANGES * (seconds - REACTION)).abs()


def right(x: Tensor) -> Tensor:
    """[many] the advisories for inputs [many, 3]."""
    apart = room(x)
    best = apart + 1e5 * (apart >= APART) * torch.tensor([4.0, 2.0, 2.0, 1.0, 1.0])
    return (best - 1e-3 * CHANGES.abs()).argmax(1)


def trained() -> nn.Sequential:
    """The network, trained."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    layers = [
        nn.Linear(3, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, 5),
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
