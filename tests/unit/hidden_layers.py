"""A layer with hidden units as files have it, one way round or the other, and as a user would run it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from tests.unit.specs import Rows


def laid_out(
    weights: Mapping[str, Rows], *, inputs_first: bool
) -> tuple[dict[str, Rows], dict[str, str]]:
    """The weights of `mlp`, its matrices stored input-first or as they are given; and how a spec writes its two products."""
    if not inputs_first:
        return dict(weights), {"into": "m.mlp.W_in @ x", "out": "m.mlp.W_out @ hidden"}
    turned = {name: np.array(weights[name]).T.tolist() for name in ("mlp.W_in", "mlp.W_out")}
    return {**weights, **turned}, {"into": "x @ m.mlp.W_in", "out": "hidden @ m.mlp.W_out"}


def run(
    tensors: Mapping[str, torch.Tensor], x: torch.Tensor, *, inputs_first: bool
) -> torch.Tensor:
    """What the layer gives, in the format of its tensors; then as doubles."""
    into, out = tensors["mlp.W_in"], tensors["mlp.W_out"]
    if inputs_first:
        into, out = into.T, out.T
    hidden = torch.relu(x.to(into.dtype) @ into.T + tensors["mlp.b_in"])
    return (hidden @ out.T + tensors["mlp.b_out"]).double()
