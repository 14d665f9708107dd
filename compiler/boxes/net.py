"""A circuit on a box, as layers of units: what bounds are computed on.

Layer 0 is the input. Every later layer takes affine functions of earlier ones (its *pre-activations*)
and applies one kind of unit to each:

- `relu`: max(0, p); `step`: 1 where p >= 0, else 0; `linear`: p;
- `product`: p * q, where the first half of the pre-activations are the p and the second half the q;
- a curve: e^p, 1/p and 1/√p (p > 0), √p (p >= 0), p², p³, 1 / (1 + e^-p), p / (1 + e^-p) (`swish`),
  and p / (1 + e^-(p + μp³)) (`gelu`: μ is `circ.compiler.boxes.curves.MU`).
- `shift`: max(0, p + d) - max(0, p), paired alike: how far a ReLU moves where its argument moves by d.

Matrices are floats. What they leave of the exact function is the layer's `slack`: on the whole box the
exact pre-activation is within it of what the floats say in exact arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Curve = Literal["exp", "recip", "sqrt", "rsqrt", "square", "cube", "sigmoid", "swish", "gelu"]
Kind = Literal["linear", "relu", "step", "product", "shift"] | Curve

PAIRED = frozenset({"product", "shift"})
"""The kinds of unit that read two pre-activations each."""

UNIT = 2.0**-53
"""The relative error of one rounding to nearest."""

TINY = 2.0**-500
"""More than what underflow can take from any sum here: its terms are below 2^500 (`LARGEST`)."""

LARGEST = 2.0**200
"""No magnitude of a net is above this; a circuit that reaches it is not bounded here."""

TOO_LARGE = "its numbers are too large for these bounds"
"""Why such a circuit is not."""


def rounding(count: int) -> float:
    """γ: a sum of `count` products in any order errs by less than γ Σ|terms| (Higham, §3.1)."""
    return (count + 8) * UNIT * 1.01


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """`sources` are pairs of an earlier layer and a matrix [pre, its units]; `bias`, `slack` [pre].

    `low`, `high` [pre] enclose the exact pre-activations on the whole box; `start` is the place of
    the first one among those of all layers.
    """

    kind: Kind
    sources: tuple[tuple[int, FloatArray], ...] = field(repr=False)
    bias: FloatArray = field(repr=False)
    slack: FloatArray = field(repr=False)
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    start: int

    @property
    def entries(self) -> int:
        """How many pre-activations it has."""
        return len(self.bias)

    @property
    def place(self) -> slice:
        """Where its pre-activations stand among those of all layers."""
        return slice(self.start, self.start + len(self.bias))

    @property
    def units(self) -> int:
        """How many units it has."""
        return len(self.bias) // 2 if self.kind in PAIRED else len(self.bias)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """The function Σ maps[j] · v_j + const of the layers' values, within `slack` of the exact one."""

    maps: tuple[tuple[int, FloatArray], ...] = field(repr=False)
    const: float
    slack: float


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """The layers after the input, which lies in the box `low` to `high`."""

    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    layers: tuple[Layer, ...]

    @property
    def entries(self) -> int:
        """How many pre-activations there are in all."""
        return sum(layer.entries for layer in self.layers)
