"""Two published edits of one fact in closed form, to stand beside what is proved.

Both write a new value v* under the fact's key k, that is what the hidden layer holds there, by a change of
rank one, W' = W + (v* - W k) u^T with u^T k = 1:

- ROME (Meng et al., "Locating and Editing Factual Associations in GPT", NeurIPS 2022): u is C^-1 k over
  k^T C^-1 k, C being the second moment of the keys; here of all thousand, not of a sample.
- In the null space (Fang et al., "AlphaEdit: Null-Space Constrained Knowledge Editing for Language Models",
  ICLR 2025): u is P k over k^T P k, P being the projection on the directions in which C is least. A full
  memory has no null space, so how many directions count as one is chosen.

The value is the nearest at which the new city wins by 0.1, or that move made larger.
"""

from __future__ import annotations

import torch
from torch import Tensor

MARGIN, SCALES = 0.1, (1.0, 1.5, 2.0)
SWEEPS = 500


def nearest_value(unembed: Tensor, value: Tensor, city: int) -> Tensor:
    """The value nearest to `value` at which `city` wins by `MARGIN`: Hildreth's method, dual ascent by rows."""
    others = torch.arange(len(unembed)) != city
    rows = unembed[city] - unembed[others]
    lengths = rows.square().sum(1)
    weights = torch.zeros_like(lengths)
    found = value.clone()
    for _ in range(SWEEPS):
        for row in range(len(rows)):
            wanted = (MARGIN - rows[row] @ found) / lengths[row]
            step = torch.clamp(wanted, min=-weights[row])
            weights[row] += step
            found += step * rows[row]
    return found


def written(weight: Tensor, key: Tensor, value: Tensor, along: Tensor) -> Tensor:
    """`weight` with `value` under `key`, by a change of rank one that reads along `along`."""
    return weight + torch.outer(value - weight @ key, along) / (along @ key)


def rome(moment: Tensor, key: Tensor) -> Tensor:
    """Along which direction ROME reads."""
    return torch.linalg.solve(moment, key)


def in_null_space(moment: Tensor, key: Tensor, directions: int) -> Tensor:
    """The key's part in so many directions, those in which `moment` is least."""
    least = torch.linalg.eigh(moment).eigenvectors[:, :directions]
    return least @ (least.T @ key)
