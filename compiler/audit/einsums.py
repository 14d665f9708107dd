"""Einsums of two tensors, taken apart: which entries of both are multiplied for an entry of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from circ.compiler.ir import Shape


@dataclass(frozen=True, slots=True)
class Summed:
    """An einsum: the sides of its result, how far apart entries of both operands are along each, and
    which entries are added up, from there on."""

    sides: list[int]
    here: list[int]
    there: list[int]
    added: list[tuple[int, int]]


@lru_cache(maxsize=64)
def summed(spec: str, first: Shape, second: Shape) -> Summed:
    """An einsum of operands of some shapes."""
    (left, right), output = spec.split("->")[0].split(","), spec.split("->")[1]
    sides = dict(zip(left + right, first + second, strict=True))
    here, there = strides(left, first), strides(right, second)
    added = [(0, 0)]
    for c, side in sides.items():
        if c not in output:
            x_step, y_step = here.get(c, 0), there.get(c, 0)
            added = [(x + k * x_step, y + k * y_step) for x, y in added for k in range(side)]
    kept = [sides[c] for c in output]
    return Summed(kept, [here.get(c, 0) for c in output], [there.get(c, 0) for c in output], added)


def strides(letters: str, shape: Shape) -> dict[str, int]:
    """How far apart entries are along each axis."""
    found: dict[str, int] = {}
    step = 1
    for letter, side in zip(reversed(letters), reversed(shape), strict=True):
        found[letter] = step
        step *= side
    return found


def unravelled(place: int, sides: Sequence[int]) -> list[int]:
    """The coordinates of a row-major place."""
    found: list[int] = []
    for side in reversed(sides):
        place, at = divmod(place, side)
        found.insert(0, at)
    return found
