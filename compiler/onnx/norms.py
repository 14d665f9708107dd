"""Operators that are one name for several steps: norms, and the smooth activations of transformers."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from circ.compiler.builder import combine, number
from circ.compiler.ir import Smooth, Wire
from circ.compiler.onnx.arithmetic import logistic, product
from circ.compiler.onnx.reductions import weighted
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.values import Numbers, Value

ROOT = Fraction(0.7978845608028654)
"""√(2/π), as near as a double is to it."""

CUBIC = Fraction("0.044715")


def layer_normalised(step: Step) -> tuple[Value, ...]:
    """`LayerNormalization`: (x - mean) / √(variance + ε) over the axes from one on, then scaled and moved."""
    x, shape, b = step.real(0), step.shape(0), step.b
    axis = step.axis(step.integer("axis", -1), len(shape))
    if step.integer("stash_type", 1) != 1:
        step.refuse("`stash_type` is not read")
    if 0 in shape:
        step.refuse("its operand is empty")
    outer, inner = shape[:axis], prod(shape[axis:])
    rows = step.reshaped(x, (*outer, inner))
    centred = combine(b, (1, rows), (-1, along_rows(step, averaged(step, rows), inner)))
    variance = averaged(step, product(step, centred, centred))
    epsilon = number(b, step.number("epsilon", 9.999999747378752e-06))
    spread = b.add(Smooth("sqrt", combine(b, (1, variance), (1, epsilon))))
    inverse = b.add(Smooth("recip", spread))
    found = product(step, centred, step.reshaped(inverse, (*outer, 1)))
    found = product(step, step.reshaped(found, shape), step.real(1))
    if step.given(2):
        found = combine(b, (1, found), (1, step.spread(step.real(2), shape)))
    return (Numbers(found),)


def averaged(step: Step, rows: Wire) -> Wire:
    """The mean of each row."""
    return weighted(step, rows, Fraction(1, step.b.shape(rows)[-1]))


def along_rows(step: Step, wire: Wire, inner: int) -> Wire:
    """One number a row, for all entries of that row."""
    outer = step.b.shape(wire)
    return step.spread(step.reshaped(wire, (*outer, 1)), (*outer, inner))


def gelu(step: Step) -> tuple[Value, ...]:
    """`Gelu` in its tanh form: x times the logistic of 2 · √(2/π) · (x + 0.044715 x³)."""
    if step.word("approximate", "none") != "tanh":
        step.refuse("it is read in its tanh form: export it with `approximate='tanh'`")
    x, b = step.real(0), step.b
    cube = product(step, x, product(step, x, x))
    inner = combine(b, (2 * ROOT, x), (2 * ROOT * CUBIC, cube))
    return (Numbers(product(step, x, logistic(step, inner))),)


NORMS: dict[str, Operator] = {
    "Gelu": operator(gelu, 1, 1, "approximate"),
    "LayerNormalization": operator(layer_normalised, 2, 3, "axis", "epsilon", "stash_type"),
}
