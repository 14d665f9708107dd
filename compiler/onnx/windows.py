"""Convolutions and pools: windows over the axes after the first two, as one move of entries each."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from circ.compiler.builder import combine, number
from circ.compiler.ir import Contract, Max, Shape, Wire
from circ.compiler.onnx.graph import Wholes
from circ.compiler.onnx.products import along
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.values import Numbers, Value

OUTSIDE = -1
"""The place of an entry that lies in the padding."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Which entries each window reads: `places` has shape N, C, positions, entries of a window."""

    places: Wholes
    positions: Shape


def windows(step: Step, kernel: Shape) -> Windows:
    """The windows of this size that the node's attributes ask for."""
    shape, axes = step.b.shape(step.real(0)), len(kernel)
    if len(shape) != axes + 2:
        step.refuse(f"its operand has {len(shape)} axes, its window {axes}")
    strides = listed(step, "strides", axes)
    dilations = listed(step, "dilations", axes)
    if min(*kernel, *strides, *dilations) < 1:
        step.refuse("the sides of windows and their strides must be positive")
    extents = [(side - 1) * gap + 1 for side, gap in zip(kernel, dilations, strict=True)]
    pads = padding(step, shape[2:], extents, strides)
    padded = [side + sum(pad) for side, pad in zip(shape[2:], pads, strict=True)]
    if any(side < extent for side, extent in zip(padded, extents, strict=True)):
        step.refuse("its window is larger than its operand")
    if step.integer("ceil_mode", 0):
        rests = [
            (side - extent) % stride
            for side, extent, stride in zip(padded, extents, strides, strict=True)
        ]
        if any(rests):
            step.refuse("windows that reach beyond the padding (`ceil_mode`) are not read")
    sides = [(s - e) // t + 1 for s, e, t in zip(padded, extents, strides, strict=True)]
    step.fits((*shape[:2], *padded))
    step.fits((*shape[:2], *sides, *kernel))
    return Windows(cut(shape, pads, extents, strides, dilations), tuple(sides))


def cut(
    shape: Shape,
    pads: list[tuple[int, int]],
    extents: list[int],
    strides: list[int],
    dilations: list[int],
) -> Wholes:
    """The places that windows read."""
    entries = np.arange(prod(shape), dtype=np.int64).reshape(shape)
    around = np.pad(entries, [(0, 0), (0, 0), *pads], constant_values=OUTSIDE)
    axes = tuple(range(2, len(shape)))
    seen = np.lib.stride_tricks.sliding_window_view(around, extents, axes)
    whole = (slice(None), slice(None))
    starts = tuple(slice(None, None, stride) for stride in strides)
    inner = tuple(slice(None, None, gap) for gap in dilations)
    chosen = seen[(*whole, *starts, *inner)]
    count = prod(chosen.shape[2 : len(shape)])
    return chosen.reshape(*shape[:2], count, -1)


def listed(step: Step, name: str, axes: int) -> list[int]:
    """One number an axis, 1 by default."""
    found = step.integers(name) or [1] * axes
    return found if len(found) == axes else step.refuse(f"`{name}` needs {axes} numbers")


def padding(
    step: Step, sides: Shape, extents: list[int], strides: list[int]
) -> list[tuple[int, int]]:
    """Entries added before and after along each axis."""
    mode, axes = step.word("auto_pad", "NOTSET"), len(sides)
    match mode:
        case "NOTSET":
            found = step.integers("pads") or [0] * (2 * axes)
            if len(found) != 2 * axes or min(found) < 0:
                step.refuse(f"`pads` needs {2 * axes} numbers, none of them negative")
            return list(zip(found[:axes], found[axes:], strict=True))
        case "VALID":
            return [(0, 0)] * axes
        case "SAME_UPPER" | "SAME_LOWER":
            missing = [
                max((-(-side // stride) - 1) * stride + extent - side, 0)
                for side, extent, stride in zip(sides, extents, strides, strict=True)
            ]
            halves = [(some // 2, some - some // 2) for some in missing]
            return halves if mode == "SAME_UPPER" else [(after, before) for before, after in halves]
        case _:
            return step.refuse(f"`auto_pad` is `{mode}`, which is not read")


def zero_outside(step: Step, wire: Wire, places: Wholes) -> Wire:
    """Entries of a wire by place, 0 in the padding."""
    if (places != OUTSIDE).all():
        return step.growing.gather([wire], places)
    last = step.b.types[wire].entries
    filled = np.where(places == OUTSIDE, last, places)
    return step.growing.gather([wire, number(step.b, 0)], filled)


def convolved(step: Step) -> tuple[Value, ...]:
    """`Conv`: each group of channels times its weights, window by window."""
    b, x, w = step.b, step.real(0), step.real(1)
    filters, depth, *rest = (*b.shape(w), 0, 0)[: max(2, len(b.shape(w)))]
    kernel = tuple(rest)
    asked = tuple(step.integers("kernel_shape") or kernel)
    group, shape = step.integer("group", 1), b.shape(x)
    if not kernel or asked != kernel:
        step.refuse("its weights and `kernel_shape` do not fit each other")
    found = windows(step, kernel)
    if group < 1 or shape[1] != group * depth or filters % group:
        step.refuse("its weights do not fit its channels and groups")
    count = len(found.places[0, 0])
    grouped = found.places.reshape(shape[0], group, depth, count, -1)
    seen = zero_outside(step, x, grouped)
    weights = step.reshaped(w, (group, filters // group, depth, prod(kernel)))
    multiplied = b.add(Contract("ngcpk,gmck->ngmp", seen, weights))
    result = step.reshaped(multiplied, (shape[0], filters, *found.positions))
    if step.given(2):
        if step.shape(2) != (filters,):
            step.refuse("its bias needs one entry for each filter")
        result = combine(b, (1, result), (1, along(step, step.real(2), b.shape(result))))
    return (Numbers(result),)


def largest(step: Step) -> tuple[Value, ...]:
    """`MaxPool`; padding is never the largest, so it reads another entry of its window."""
    if step.integer("storage_order", 0):
        step.refuse("`storage_order` is not read")
    found = windows(step, kernel_shape(step))
    inside = found.places.max(axis=-1, keepdims=True)
    if (inside == OUTSIDE).any():
        step.refuse("a window lies in the padding alone")
    places = np.where(found.places == OUTSIDE, inside, found.places)
    top = step.b.add(Max(step.growing.gather([step.real(0)], places)))
    return (Numbers(step.reshaped(top, (*step.shape(0)[:2], *found.positions))),)


def averaged(step: Step) -> tuple[Value, ...]:
    """`AveragePool`, over the entries of a window that are there, or all (`count_include_pad`)."""
    found = windows(step, kernel_shape(step))
    inside = found.places[0, 0] != OUTSIDE
    whole = bool(step.integer("count_include_pad", 0))
    counts = [len(row) if whole else int(row.sum()) for row in inside]
    if 0 in counts:
        step.refuse("a window lies in the padding alone")
    shares = [Fraction(1, count) for count in counts for _ in range(inside.shape[1])]
    weights = step.growing.constant(shares, inside.shape)
    seen = zero_outside(step, step.real(0), found.places)
    mean = step.b.add(Contract("ncpk,pk->ncp", seen, weights))
    return (Numbers(step.reshaped(mean, (*step.shape(0)[:2], *found.positions))),)


def kernel_shape(step: Step) -> Shape:
    """The sides of a pool's window."""
    found = step.integers("kernel_shape")
    return tuple(found) if found else step.refuse("it has no `kernel_shape`")


SPATIAL = ("auto_pad", "dilations", "kernel_shape", "pads", "strides")

WINDOWS: dict[str, Operator] = {
    "AveragePool": operator(averaged, 1, 1, *SPATIAL, "ceil_mode", "count_include_pad"),
    "Conv": operator(convolved, 2, 3, *SPATIAL, "group"),
    "MaxPool": operator(largest, 1, 1, *SPATIAL, "ceil_mode", "storage_order"),
}
