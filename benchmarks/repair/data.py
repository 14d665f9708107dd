"""Images of digits, drawn on the spot, and a network that is trained to read them.

A digit is the strokes of a seven-segment display with corners that are moved at random, drawn with a soft pen on 28 by 28
pixels. Fog is that of MNIST-C in spirit: an image is made paler and a smooth cloud is added.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE, PIXELS = 28, 784
CORNERS = torch.tensor([[8.0, 5], [20, 5], [8, 14], [20, 14], [8, 23], [20, 23]])
STROKES = ((0, 1), (0, 2), (1, 3), (2, 3), (2, 4), (3, 5), (4, 5))
DIGITS = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)
"""Which strokes each digit has: top, upper left and right, middle, lower left and right, bottom."""

PEN, TREMOR, SHIFT, NOISE = 1.2, 1.2, 2.0, 0.08
PALE, CLOUD = 0.2, 0.7
BATCH, STEPS, RATE = 256, 1_500, 0.002


def digits(labels: Tensor) -> Tensor:
    """[many, 784] an image of each label, between 0 and 1."""
    many = len(labels)
    corners = CORNERS + TREMOR * torch.randn(many, 6, 2) + SHIFT * torch.randn(many, 1, 2)
    axis = torch.arange(float(SIDE))
    places = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(1, PIXELS, 2)
    drawn = torch.tensor([[c == "1" for c in digit] for digit in DIGITS])[labels]
    ink = torch.zeros(many, PIXELS)
    for number, (start, end) in enumerate(STROKES):
        begin, along = corners[:, start, None], (corners[:, end] - corners[:, start])[:, None]
        part = ((places - begin) * along).sum(-1) / along.square().sum(-1)
        away = (places - begin - part.clamp(0, 1)[..., None] * along).square().sum(-1)
        stroke = torch.exp(-away / (2 * PEN**2)) * drawn[:, number, None]
        ink = torch.maximum(ink, stroke)
    return (ink + NOISE * torch.randn(many, PIXELS)).clamp(0, 1)


def fogged(images: Tensor) -> Tensor:
    """[many, 784] the same in fog."""
    coarse = torch.rand(len(images), 1, 4, 4)
    cloud = functional.interpolate(coarse, SIDE, mode="bicubic").reshape(-1, PIXELS).clamp(0, 1)
    return ((1 - PALE) * images + PALE * CLOUD * cloud).clamp(0, 1)


def some(count: int) -> tuple[Tensor, Tensor]:
    """Random images and their labels."""
    labels = torch.randint(10, (count,))
    return digits(labels), labels


def untrained() -> nn.Sequential:
    """784-100-100-100-10, as PyTorch makes it."""
    layers = [nn.Linear(PIXELS, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))


def trained() -> nn.Sequential:
    """The network, trained on images that are drawn once, none of them in fog."""
    net = untrained()
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    pool, labels = some(20_000)
    for _ in range(STEPS):
        rows = torch.randint(len(pool), (BATCH,))
        loss = functional.cross_entropy(net(pool[rows]), labels[rows])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        falling.step()
    return net
