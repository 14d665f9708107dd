"""The fast path of an audit: float64 first. What that leaves open is left to whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from circ.compiler.audit.audit import Quick
from circ.compiler.audit.bound import Asked
from circ.compiler.audit.code_arrays import Codes
from circ.compiler.audit.float_vectors import FloatVectors, Real
from circ.compiler.audit.inputs import Batches, batches
from circ.compiler.audit.quick import quick_of
from circ.compiler.tensor import Weights


@dataclass(slots=True)
class InFloats:
    """Judges inputs in float64."""

    claim: Asked
    weights: Weights
    inner: Batches[Real, Codes] = field(init=False)

    def __post_init__(self) -> None:
        self.inner = batches(self.claim, self.weights, FloatVectors())

    def __call__(self, numbers: Sequence[int] | range) -> tuple[int, list[int]]:
        """As `Judge` says."""
        with np.errstate(all="ignore"):  # what overflows is refused
            return self.inner(numbers)


QUICK = Quick(quick_of, InFloats)
"""Both fast paths."""
