"""Operators that bring axes together: sums, means, maxima, softmax."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod

import numpy as np

from circ.compiler.builder import LETTERS, negate
from circ.compiler.ir import Contract, Max, Shape, Softmax, Wire
from circ.compiler.masked_softmax import softmax_of_kept
from circ.compiler.onnx.graph import Flags, Wholes
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.values import Numbers, Value, Whole

Reduce = Callable[[Step, Wire], Wire]
"""What becomes of the last axis."""

AXES_ARE_OPERANDS = {"ReduceSum": 13}
"""The version since which the axes are an operand; 18 where none is given."""


def axes_of(step: Step) -> list[int] | None:
    """The axes to bring together; None where the operand stays as it is."""
    rank = len(step.shape(0))
    since = AXES_ARE_OPERANDS.get(step.node.operator, 18)
    given = step.integers("axes")
    if step.opset >= since:
        if given is not None:
            step.refuse("its axes are an operand in this version of ONNX")
        given = step.wholes(1, "its axes") if step.given(1) else None
    elif len(step.operands) > 1:
        step.refuse("its axes are an attribute in this version of ONNX")
    if not given:
        return None if step.integer("noop_with_empty_axes", 0) else list(range(rank))
    return sorted({step.axis(axis, rank) for axis in given})


def reduced(step: Step, reduce: Reduce) -> tuple[Value, ...]:
    """An operator that brings axes together."""
    axes, shape = axes_of(step), step.shape(0)
    if axes is None:
        return (step.value(0),)
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    count = prod(shape[axis] for axis in axes)
    if count < 1:
        step.refuse("it brings together no entries")

    def rows(places: Wholes) -> Wholes:
        return places.transpose([*kept, *axes]).reshape(*(shape[k] for k in kept), count)

    step.fits(shape)
    found = reduce(step, step.growing.moved_wire(step.real(0), rows))
    whole = tuple(1 if k in axes else side for k, side in enumerate(shape))
    return (Numbers(step.reshaped(found, whole) if step.integer("keepdims", 1) else found),)


def weighted(step: Step, wire: Wire, share: Fraction) -> Wire:
    """The last axis added up, each entry times `share`."""
    shape = step.b.shape(wire)
    row = step.growing.constant([share] * shape[-1], shape[-1:])
    letters = LETTERS[: len(shape)]
    return step.b.add(Contract(f"{letters},{letters[-1]}->{letters[:-1]}", wire, row))


def added(step: Step) -> tuple[Value, ...]:
    """`ReduceSum`."""
    return reduced(step, lambda step, wire: weighted(step, wire, Fraction(1)))


def meaned(step: Step) -> tuple[Value, ...]:
    """`ReduceMean`."""
    return reduced(
        step, lambda step, wire: weighted(step, wire, Fraction(1, step.b.shape(wire)[-1]))
    )


def topmost(step: Step) -> tuple[Value, ...]:
    """`ReduceMax`."""
    return reduced(step, lambda step, wire: step.b.add(Max(wire)))


def lowest(step: Step) -> tuple[Value, ...]:
    """`ReduceMin`."""
    return reduced(step, lambda step, wire: negate(step.b, step.b.add(Max(negate(step.b, wire)))))


def multiplied(step: Step) -> tuple[Value, ...]:
    """`ReduceProd` of known whole numbers: how many entries a shape has."""
    value = step.value(0)
    axes = axes_of(step)
    if not isinstance(value, Whole) or axes != list(range(len(step.shape(0)))):
        step.refuse("only products of all sides of a shape are read")
    sides = (1,) * len(step.shape(0)) if step.integer("keepdims", 1) else ()
    count = prod(int(x) for x in value.values.ravel().tolist())
    if abs(count) >= 1 << 62:
        step.refuse("the product is too large")
    return (Whole(np.full(sides, count, np.int64)),)


def globally_averaged(step: Step) -> tuple[Value, ...]:
    """`GlobalAveragePool`: the mean over all axes after the first two."""
    return globally(step, lambda wire: weighted(step, wire, Fraction(1, step.b.shape(wire)[-1])))


def globally_largest(step: Step) -> tuple[Value, ...]:
    """`GlobalMaxPool`: the maximum over all axes after the first two."""
    return globally(step, lambda wire: step.b.add(Max(wire)))


def globally(step: Step, reduce: Callable[[Wire], Wire]) -> tuple[Value, ...]:
    """All axes after the first two brought together, each kept with length 1."""
    shape = step.shape(0)
    if len(shape) < 3 or 0 in shape:
        step.refuse("its operand needs axes after the first two")
    flat = step.reshaped(step.real(0), (*shape[:2], prod(shape[2:])))
    return (Numbers(step.reshaped(reduce(flat), (*shape[:2], *(1 for _ in shape[2:])))),)


def softmax(step: Step) -> tuple[Value, ...]:
    """`Softmax` along one axis; before version 13, along all axes from one on."""
    shape = step.shape(0)
    if not shape or 0 in shape:
        step.refuse("its operand is empty")
    if step.opset < 13:
        axis = step.axis(step.integer("axis", 1), len(shape))
        flat: Shape = (prod(shape[:axis]), prod(shape[axis:]))
        found = step.b.add(Softmax(step.reshaped(step.real(0), flat)))
        return (Numbers(step.reshaped(found, shape)),)
    axis = step.axis(step.integer("axis", -1), len(shape))
    step.fits(shape)
    wire, left = step.scores(0)
    moved = step.growing.moved_wire(wire, lambda x: np.moveaxis(x, axis, -1))
    found = normalised(step, moved, np.moveaxis(left, axis, -1))
    return (Numbers(step.growing.moved_wire(found, lambda x: np.moveaxis(x, -1, axis))),)


def normalised(step: Step, wire: Wire, left: Flags) -> Wire:
    """The softmax along the last axis; where a score is -∞ it is 0."""
    if not left.any():
        return step.b.add(Softmax(wire))
    rows = left.reshape(-1, left.shape[-1])
    if rows.all(axis=1).any():
        step.refuse("all scores of a row are -∞")
    return softmax_of_kept(step.b, wire, [[*map(int, np.flatnonzero(~row))] for row in rows])


REDUCING = ("axes", "keepdims", "noop_with_empty_axes")

REDUCTIONS: dict[str, Operator] = {
    "GlobalAveragePool": operator(globally_averaged, 1, 1),
    "GlobalMaxPool": operator(globally_largest, 1, 1),
    "ReduceMax": operator(topmost, 1, 2, *REDUCING),
    "ReduceMean": operator(meaned, 1, 2, *REDUCING),
    "ReduceMin": operator(lowest, 1, 2, *REDUCING),
    "ReduceProd": operator(multiplied, 1, 2, *REDUCING),
    "ReduceSum": operator(added, 1, 2, *REDUCING),
    "Softmax": operator(softmax, 1, 1, "axis"),
}
