"""Entries that only move, as indexing that can be read: parts, stacks, transposes, repetitions.

Whatever the text, the value has its entries in order in memory of its own (`fresh`, `stack`, `reindex`),
as in `circ.compiler.readings.torch`: how they lie may decide how what is computed from them is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from circ.compiler.ir import Shape
from circ.compiler.pytorch.literals import listed

Moved = tuple[str, str, Shape]
"""An operand: its text as an argument, in front of a bracket, and its shape."""


@dataclass(frozen=True, slots=True)
class Along:
    """Where one axis of an operand is read: from `start` on in steps, along an axis of the result.

    `axis` is None where it is read at `start` alone.
    """

    start: int
    step: int = 0
    axis: int | None = None


def moved(operands: Sequence[Moved], source: Sequence[int], shape: Shape) -> str:
    """The expression for a `Reindex`."""
    if stacked(operands, source, shape):
        return f"stack([{', '.join(text for text, _, _ in operands)}])"
    if len(operands) == 1:
        ((_, text, inner),) = operands
        found = part(text, source, inner, shape)
        if found is not None:
            return f"fresh({found})"
    texts = ", ".join(text for text, _, _ in operands)
    return f"reindex([{texts}], {listed(source)}{''.join(f', {side}' for side in shape)})"


def stacked(operands: Sequence[Moved], source: Sequence[int], shape: Shape) -> bool:
    """Whether values of one shape only stand one after the other, along a new leading axis."""
    inner = operands[0][2]
    return (
        shape == (len(operands), *inner)
        and all(other == inner for _, _, other in operands)
        and prod(shape) > 0
        and [*source] == [*range(prod(shape))]
    )


def part(text: str, source: Sequence[int], inner: Shape, shape: Shape) -> str | None:
    """One operand indexed, permuted, repeated or reshaped; None where it takes more than that."""
    if not source or not prod(inner):
        return None
    if [*source] == [*range(prod(inner))]:
        return f"{text}.reshape(-1{''.join(f', {side}' for side in shape)})"
    ways = ways_of(source, inner, shape)
    return None if ways is None else indexed(text, ways, inner, shape)


def ways_of(source: Sequence[int], inner: Shape, shape: Shape) -> list[Along] | None:
    """How each axis of the operand is read, if each is along one axis of the result at most."""
    first = place(source[0], inner)
    ways = [Along(start) for start in first]
    for axis, side in enumerate(shape):
        if side > 1:
            next_one = place(source[prod(shape[axis + 1 :])], inner)
            steps = [b - a for a, b in zip(first, next_one, strict=True)]
            for own, step in enumerate(steps):
                if step and (ways[own].axis is not None or step < 0):
                    return None
                if step:
                    ways[own] = Along(first[own], step, axis)
    return ways if read(ways, inner, shape) == [*source] else None


def place(offset: int, shape: Shape) -> list[int]:
    """The coordinate of a row-major offset."""
    found: list[int] = []
    for side in reversed(shape):
        found.append(offset % side)
        offset //= side
    return found[::-1]


def read(ways: Sequence[Along], inner: Shape, shape: Shape) -> list[int]:
    """The entries that these ways take, in order."""
    offsets: list[int] = []
    for at in product(*map(range, shape)):
        offset = 0
        for way, side in zip(ways, inner, strict=True):
            offset = (
                offset * side + way.start + (0 if way.axis is None else way.step * at[way.axis])
            )
        offsets.append(offset)
    return offsets


def indexed(text: str, ways: Sequence[Along], inner: Shape, shape: Shape) -> str | None:
    """The operand indexed, its axes put in order, and repeated along those that it does not have."""
    axes = [way.axis for way in ways if way.axis is not None]
    if len({*axes}) < len(axes):
        return None
    picks = [picked(way, side, shape) for way, side in zip(ways, inner, strict=True)]
    while picks and picks[-1] == ":":
        picks.pop()
    found = f"{text}[{', '.join([':', *picks])}]" if picks else text
    if axes != sorted(axes):
        order = [0, *(1 + axes.index(axis) for axis in sorted(axes))]
        found = f"{found}.permute({', '.join(map(str, order))})"
    if len(axes) < len(shape):
        new = [":" if axis in axes else "None" for axis in range(len(shape))]
        while new and new[-1] == ":":
            new.pop()
        width = "".join(f", {side}" for side in shape)
        found = f"{found}[{', '.join([':', *new])}].expand(-1{width})"
    return found


def picked(way: Along, side: int, shape: Shape) -> str:
    """The index of one axis."""
    if way.axis is None:
        return str(way.start)
    stop = way.start + way.step * (shape[way.axis] - 1) + 1
    first = str(way.start) if way.start else ""
    last = str(stop) if stop < side else ""
    return f"{first}:{last}{f':{way.step}' if way.step > 1 else ''}"
