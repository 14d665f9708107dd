"""Small trained networks: the weights of the middle-sized questions.

They are trained for a moment to follow a smooth function, so that their weights are like those of trained
networks; on what comes out nothing rests, since every question is made from the weights as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import torch

FloatArray = npt.NDArray[np.float32]
Layers = list[tuple[FloatArray, FloatArray]]
Function = Callable[[torch.Tensor], torch.Tensor]

STEPS, BATCH, RATE = 120, 128, 3e-3


def trained(sizes: Sequence[int], seed: int) -> Layers:
    """The weights and biases of a ReLU network of these widths, float32."""
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
    pairs = list(pairwise(sizes))
    weights = [torch.randn(b, a) * (2 / a) ** 0.5 for a, b in pairs]
    layers = [(w.requires_grad_(), torch.zeros(len(w), requires_grad=True)) for w in weights]
    waves, turns = torch.randn(sizes[-1], sizes[0]), torch.randn(sizes[-1])
    adam = torch.optim.Adam([part for layer in layers for part in layer], RATE)
    for _ in range(STEPS):
        x = 2 * torch.rand(BATCH, sizes[0]) - 1
        loss = ((run(layers, x) - torch.sin(x @ waves.T + turns)) ** 2).mean()
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()  # pyright: ignore[reportUnknownMemberType]
    return [(array(w), array(b)) for w, b in layers]


def array(x: torch.Tensor) -> FloatArray:
    """A tensor's numbers."""
    return cast("FloatArray", x.detach().numpy().astype(np.float32))  # pyright: ignore


def run(layers: Sequence[tuple[torch.Tensor, torch.Tensor]], x: torch.Tensor) -> torch.Tensor:
    """The network's outputs [batch, outputs]; no ReLU behind the last layer."""
    for w, b in layers[:-1]:
        x = torch.relu(x @ w.T + b)
    w, b = layers[-1]
    return x @ w.T + b


def function(layers: Layers) -> Function:
    """The network in float64."""
    doubles = [(double(w), double(b)) for w, b in layers]
    return lambda x: run(doubles, x)


def double(x: FloatArray) -> torch.Tensor:
    """An array as a float64 tensor."""
    return torch.from_numpy(x.astype(np.float64))  # pyright: ignore[reportUnknownMemberType]


def highest(value: Function, low: FloatArray, high: FloatArray, seed: int) -> tuple[float, float]:
    """The highest value found on a box by gradients from many starts, and the mean at random points.

    `value` is of a batch of points, in float64: the highest is reached up to its rounding.
    """
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
    least, most = double(low), double(high)
    x = least + (most - least) * torch.rand(64, len(low), dtype=torch.float64)
    mean = float(value(x).mean())
    best = mean
    for step in range(100):
        x = x.detach().requires_grad_()
        found = value(x)
        best = max(best, float(found.detach().max()))
        (slope,) = torch.autograd.grad(found.sum(), x)
        x = x.detach() + slope.sign() * (most - least) * 0.3 * 0.96**step
        x = torch.minimum(torch.maximum(x, least), most)
    return max(best, float(value(x).max())), mean
