"""Matrix products, and the normalisation of a batch, which is a product with constants."""

from __future__ import annotations

from circ.compiler.builder import LETTERS, combine, number
from circ.compiler.ir import Contract, Shape, Smooth, Wire
from circ.compiler.onnx.arithmetic import product
from circ.compiler.onnx.limits import MOST_COMPUTED
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.values import Numbers, Value


def gemm(step: Step) -> tuple[Value, ...]:
    """`Gemm`: alpha · A B + beta · C, A and B transposed where the attributes say so."""
    b = step.b
    if len(step.shape(0)) != 2 or len(step.shape(1)) != 2:
        step.refuse("its operands must be matrices")
    left = "ba" if step.integer("transA", 0) else "ab"
    right = "cb" if step.integer("transB", 0) else "bc"
    sizes = dict(zip(left, step.shape(0), strict=True))
    other = dict(zip(right, step.shape(1), strict=True))
    if sizes["b"] != other["b"]:
        step.refuse(f"{step.shape(0)} and {step.shape(1)} do not fit each other")
    shape = step.fits((sizes["a"], other["c"]))
    multiplied = b.add(Contract(f"{left},{right}->ac", step.real(0), step.real(1)))
    terms = [(step.number("alpha", 1.0), multiplied)]
    if step.given(2):
        if step.joined(shape, step.shape(2)) != shape:
            step.refuse("its third operand does not fit the product")
        terms.append((step.number("beta", 1.0), step.spread(step.real(2), shape)))
    if len(terms) == 1 and terms[0][0] == 1:
        return (Numbers(multiplied),)
    return (Numbers(combine(b, *terms)),)


def matmul(step: Step) -> tuple[Value, ...]:
    """`MatMul`, as numpy has it: the last two axes multiply, the others broadcast."""
    left, right = step.real(0), step.real(1)
    first, second = step.b.shape(left), step.b.shape(right)
    if not first or not second:
        step.refuse("its operands must have an axis")
    rows, columns = len(first) > 1, len(second) > 1
    summed = first[-1]
    if summed != second[-2 if columns else -1]:
        step.refuse(f"{list(first)} and {list(second)} do not fit each other")
    batch = step.joined(first[:-2], second[:-2])
    shape = (*batch, *first[-2:-1], *(second[-1:] if columns else ()))
    step.fits(shape)
    letters = LETTERS[: len(batch)]
    near, used = outer(step, left, len(batch), 2 if rows else 1)
    far, others = outer(step, right, len(batch), 2 if columns else 1)
    row, column = "y" if rows else "", "z" if columns else ""
    kept = "".join(x for x in letters if x in used or x in others)
    spec = f"{used}{row}x,{others}x{column}->{kept}{row}{column}"
    return (Numbers(step.reshaped(step.b.add(Contract(spec, near, far)), shape)),)


def outer(step: Step, wire: Wire, axes: int, own: int) -> tuple[Wire, str]:
    """A wire without those leading axes that have length 1, and the letters of the others."""
    shape = step.b.shape(wire)
    leading = shape[: len(shape) - own]
    letters = LETTERS[axes - len(leading) : axes]
    kept = "".join(x for x, side in zip(letters, leading, strict=True) if side != 1)
    sides = tuple(side for side in leading if side != 1)
    return step.reshaped(wire, (*sides, *shape[len(shape) - own :])), kept


def normalised(step: Step) -> tuple[Value, ...]:
    """`BatchNormalization` with the mean and variance that were learnt.

    The root of the variance is taken exactly: where it is irrational it stays a root.
    """
    trains = step.integer("training_mode", 0) or any(step.node.outputs[1:])
    if trains or step.integer("spatial", 1) != 1:
        step.refuse("it is read only as it is after training")
    b, x = step.b, step.real(0)
    scale, bias, mean, variance = (step.real(k) for k in range(1, 5))
    channels = step.b.shape(x)[1] if len(step.b.shape(x)) > 1 else 0
    if any(b.shape(wire) != (channels,) for wire in (scale, bias, mean, variance)):
        step.refuse("its parameters need one entry for each channel")
    epsilon = step.number("epsilon", 9.999999747378752e-06)
    known = step.exact(4)
    if known is None or any(entry + epsilon <= 0 for entry in known):
        step.refuse("its variance must be a constant, and positive")
    spread = combine(b, (1, variance), (1, number(b, epsilon)))
    factor = product(step, scale, b.add(Smooth("recip", b.add(Smooth("sqrt", spread)))))
    factor = simplest(step, factor)
    centred = combine(b, (1, x), (-1, along(step, mean, b.shape(x))))
    letters = LETTERS[: len(b.shape(x))]
    scaled = b.add(Contract(f"{letters},b->{letters}", centred, factor))
    return (Numbers(combine(b, (1, scaled), (1, along(step, bias, b.shape(x))))),)


def simplest(step: Step, wire: Wire) -> Wire:
    """A wire that no input changes, as a constant where it is rational."""
    if step.b.types[wire].entries > MOST_COMPUTED:
        return wire
    known = step.growing.computed(wire)
    return wire if known is None else step.growing.constant(known, step.b.shape(wire))


def along(step: Step, wire: Wire, shape: Shape) -> Wire:
    """One number a channel, for all entries of that channel."""
    channel = step.reshaped(wire, (shape[1], *(1 for _ in shape[2:])))
    return step.spread(channel, shape)


PRODUCTS: dict[str, Operator] = {
    "BatchNormalization": operator(
        normalised, 5, 5, "epsilon", "momentum", "spatial", "training_mode"
    ),
    "Gemm": operator(gemm, 2, 3, "alpha", "beta", "transA", "transB"),
    "MatMul": operator(matmul, 2, 2),
}
