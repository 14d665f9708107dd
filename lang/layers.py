"""A layer with hidden units, as a patch sees it."""

from __future__ import annotations

from dataclasses import dataclass

from circ.lang.types import Dim


@dataclass(frozen=True, slots=True)
class HiddenLayer:
    """The whole names of its tensors: weights and bias into the units, weights and bias out of them.

    `inputs_first`: a unit is a column of the first matrix and a row of the second, as in GPT-2; else the other way
    round. `taken` and `given` are the axes of what it reads and writes.
    """

    checkpoint: str
    names: tuple[str, ...]
    inputs_first: bool
    taken: Dim
    given: Dim
