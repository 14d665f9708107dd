"""Operators that are known before any input is: constants, shapes, and what does nothing."""

from __future__ import annotations

import numpy as np

from circ.compiler.onnx.graph import entries
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.values import Held, Value, Whole, of


def shape_of(step: Step) -> tuple[Value, ...]:
    """`Shape`, or a part of it."""
    sides = list(step.shape(0))
    found = sides[slice(step.integer("start", 0), step.integer("end", len(sides)))]
    return (Whole(np.array(found, np.int64)),)


def size(step: Step) -> tuple[Value, ...]:
    """`Size`: how many entries there are."""
    return (Whole(np.array(entries(step.shape(0)), np.int64)),)


def constant(step: Step) -> tuple[Value, ...]:
    """`Constant`, by whichever attribute gives it."""
    if len(step.node.attributes) != 1:
        step.refuse("it needs one attribute, its value")
    if (found := step.tensor("value")) is not None:
        return (of(found),)
    match next(iter(step.node.attributes.items())):
        case "value_float", float(x):
            return (Held(step.key, "F32", np.array(x)),)
        case "value_floats", tuple(xs):
            return (Held(step.key, "F32", np.array(xs, np.float64)),)
        case "value_int", int(x):
            return (Whole(np.array(x, np.int64)),)
        case "value_ints", tuple(xs):
            return (Whole(np.array(xs, np.int64)),)
        case name, _:
            return step.refuse(f"`{name}` is not read")


def filled(step: Step) -> tuple[Value, ...]:
    """`ConstantOfShape`: one number everywhere."""
    shape = tuple(step.wholes(0, "the shape"))
    if min(shape, default=0) < 0:
        step.refuse(f"{list(shape)} is no shape")
    step.fits(shape)
    found = step.tensor("value")
    if found is None:
        return (Held(step.key, "F32", np.zeros(shape)),)
    if found.values.size != 1:
        step.refuse("its value must be one number")
    return (step.moved(of(found), shape, lambda x: np.broadcast_to(x.reshape(()), shape)),)


def counted(step: Step) -> tuple[Value, ...]:
    """`Range` of known whole numbers."""
    bounds = [step.wholes(k, "its bounds") for k in range(3)]
    if any(len(found) != 1 for found in bounds) or bounds[2][0] == 0:
        step.refuse("it needs a start, an end and a step")
    found, first = range(bounds[0][0], bounds[1][0], bounds[2][0]), step.value(0)
    step.fits((len(found),))
    dtype = first.dtype if isinstance(first, Whole) else "I64"
    return (Whole(np.array(found, np.int64), dtype),)


def same(step: Step) -> tuple[Value, ...]:
    """`Identity`."""
    return (step.value(0),)


def dropout(step: Step) -> tuple[Value, ...]:
    """`Dropout`, which does nothing after training."""
    if step.given(2) and any(step.wholes(2, "`training_mode`")):
        step.refuse("it is read only as it is after training")
    return (step.value(0),)


CONSTANTS: dict[str, Operator] = {
    "Constant": operator(
        constant, 0, 0, "value", "value_float", "value_floats", "value_int", "value_ints"
    ),
    "ConstantOfShape": operator(filled, 1, 1, "value"),
    "Dropout": operator(dropout, 1, 3, "ratio", "seed"),
    "Identity": operator(same, 1, 1),
    "Range": operator(counted, 3, 3),
    "Shape": operator(shape_of, 1, 1, "start", "end"),
    "Size": operator(size, 1, 1),
}
