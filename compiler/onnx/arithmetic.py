"""Operators that compute entry by entry: sums, products, and the piecewise linear ones."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from circ.compiler.builder import LETTERS, combine, number
from circ.compiler.ir import Contract, Relu, Shape, Smooth, Wire
from circ.compiler.onnx.graph import Exact, entries
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.values import Held, Numbers, Value, Whole
from circ.compiler.signs import Sign

Integers = Callable[..., Exact]


def pair(step: Step) -> tuple[Wire, Wire]:
    """Two operands broadcast to one shape."""
    shape = step.joined(step.shape(0), step.shape(1))
    return step.spread(step.real(0), shape), step.spread(step.real(1), shape)


def on_wholes(step: Step, compute: Integers) -> tuple[Value, ...] | None:
    """The result where both operands are known whole numbers."""
    left, right = step.value(0), step.value(1)
    if not isinstance(left, Whole) or not isinstance(right, Whole):
        return None
    step.joined(step.shape(0), step.shape(1))
    return (step.whole(exactly(compute, left, right), left.dtype),)


def exactly(compute: Integers, *operands: Whole) -> Exact:
    """What is computed of whole numbers, however large."""
    wide = (np.asarray(x.values, np.int64).astype(np.object_) for x in operands)
    return np.asarray(compute(*wide), np.object_)


def add(step: Step) -> tuple[Value, ...]:
    """`Add`; what is -∞ stays so."""
    if (found := on_wholes(step, np.add)) is not None:
        return found
    shape = step.joined(step.shape(0), step.shape(1))
    (first, left), (second, right) = step.scores(0), step.scores(1)
    total = combine(step.b, *ones(step.spread(first, shape), step.spread(second, shape)))
    return (step.with_left(total, np.broadcast_to(left | right, shape)),)


def subtract(step: Step) -> tuple[Value, ...]:
    """`Sub`."""
    if (found := on_wholes(step, np.subtract)) is not None:
        return found
    left, right = pair(step)
    return (Numbers(combine(step.b, (1, left), (-1, right))),)


def ones(*wires: Wire) -> list[tuple[int, Wire]]:
    """Each once."""
    return [(1, wire) for wire in wires]


def multiply(step: Step) -> tuple[Value, ...]:
    """`Mul`: by one known number it is a multiple, otherwise a product."""
    if (found := on_wholes(step, np.multiply)) is not None:
        return found
    for place, other in ((0, 1), (1, 0)):
        if entries(step.shape(place)) == 1 and isinstance(step.value(place), Held):
            known = step.exact(place)
            assert known is not None
            (factor,) = known
            return (Numbers(multiple(step, factor, step.real(other), step.shape(place))),)
    return (Numbers(product(step, step.real(0), step.real(1))),)


def multiple(step: Step, factor: Fraction, wire: Wire, other: Shape) -> Wire:
    """factor · wire, in the shape that `wire` and the number's own shape broadcast to."""
    shape = step.joined(step.b.shape(wire), other)
    return combine(step.b, (factor, step.spread(wire, shape)))


def product(step: Step, left: Wire, right: Wire) -> Wire:
    """Entrywise; an axis of length 1 that the other operand has longer is left out, not repeated."""
    first, second = step.b.shape(left), step.b.shape(right)
    shape = step.joined(first, second)
    output = LETTERS[: len(shape)]
    if left == right:  # a square stays one of the same wire, so that its sign is known
        return step.b.add(Contract(f"{output},{output}->{output}", left, right))
    short, used = shortened(step, left, shape)
    long, letters = shortened(step, right, shape)
    alone = "".join(x for x in output if x not in used + letters)
    if alone:  # axes that have length 1 in both
        short = step.reshaped(short, (1,) * len(alone) + step.b.shape(short))
    return step.b.add(Contract(f"{alone}{used},{letters}->{output}", short, long))


def shortened(step: Step, wire: Wire, shape: Shape) -> tuple[Wire, str]:
    """A wire without its axes of length 1, and the letters of those that are left."""
    own = step.b.shape(wire)
    letters = LETTERS[len(shape) - len(own) : len(shape)]
    kept = "".join(x for x, side in zip(letters, own, strict=True) if side != 1)
    return step.reshaped(wire, tuple(side for side in own if side != 1)), kept


def divide(step: Step) -> tuple[Value, ...]:
    """`Div` by what no input changes: a product with the reciprocal, exact where the divisor is."""
    below = step.value(1)
    if isinstance(below, Whole) and not below.values.all():
        step.refuse("it divides by 0")
    if (found := on_wholes(step, truncated)) is not None:
        return found
    divisor = step.exact(1)
    if divisor is None:
        return (Numbers(product(step, step.real(0), inverse_of(step, step.real(1)))),)
    if 0 in divisor:
        step.refuse("it divides by 0")
    inverse = [1 / x for x in divisor]
    if len(inverse) == 1:
        return (Numbers(multiple(step, inverse[0], step.real(0), step.shape(1))),)
    right = step.growing.constant(inverse, step.shape(1))
    return (Numbers(product(step, step.real(0), right)),)


def inverse_of(step: Step, wire: Wire) -> Wire:
    """1 / x, of a constant or of what certainly keeps clear of 0."""
    if step.growing.sign(wire) != Sign.APART and not step.growing.fixed(wire):
        step.refuse("what it divides by depends on the input and may be 0")
    return step.b.add(Smooth("recip", wire))


def reciprocal(step: Step) -> tuple[Value, ...]:
    """`Reciprocal`, as division."""
    known = step.exact(0)
    if known is None:
        return (Numbers(inverse_of(step, step.real(0))),)
    if 0 in known:
        step.refuse("it divides by 0")
    return (Numbers(step.growing.constant([1 / x for x in known], step.shape(0))),)


def truncated(left: Exact, right: Exact) -> Exact:
    """Division of whole numbers, rounded towards 0."""
    found = np.sign(left) * np.sign(right) * (np.abs(left) // np.abs(right))
    return np.asarray(found, np.object_)


def negated(step: Step) -> tuple[Value, ...]:
    """`Neg`."""
    value = step.value(0)
    if isinstance(value, Whole):
        return (step.whole(exactly(np.negative, value), value.dtype),)
    return (Numbers(combine(step.b, (-1, step.real(0)))),)


def total(step: Step) -> tuple[Value, ...]:
    """`Sum` of any number of operands."""
    return (Numbers(combine(step.b, *ones(*all_real(step)))),)


def mean(step: Step) -> tuple[Value, ...]:
    """`Mean` of any number of operands."""
    wires = all_real(step)
    share = Fraction(1, len(wires))
    return (Numbers(combine(step.b, *[(share, wire) for wire in wires])),)


def all_real(step: Step) -> list[Wire]:
    """All operands, broadcast to one shape."""
    count = len(step.operands)
    shape = step.joined(*(step.shape(k) for k in range(count)))
    return [step.spread(step.real(k), shape) for k in range(count)]


# --- piecewise linear -------------------------------------------------------------------------


def relu(step: Step) -> tuple[Value, ...]:
    """`Relu`."""
    return (Numbers(step.b.add(Relu(step.real(0)))),)


def leaky(step: Step) -> tuple[Value, ...]:
    """`LeakyRelu`: a·x + (1 - a)·relu(x)."""
    slope, x = step.number("alpha", 0.009999999776482582), step.real(0)
    return (Numbers(combine(step.b, (slope, x), (1 - slope, step.b.add(Relu(x))))),)


def sloped(step: Step) -> tuple[Value, ...]:
    """`PRelu` with known slopes, as `LeakyRelu` for each entry."""
    slopes, x = step.exact(1), step.real(0)
    if slopes is None:
        step.refuse("its slopes must be constants")
    shape, b = step.shape(1), step.b
    if step.joined(step.shape(0), shape) != step.shape(0):
        step.refuse("its slopes have more entries than its operand")
    steep = product(step, x, step.growing.constant(slopes, shape))
    rest = step.growing.constant([1 - a for a in slopes], shape)
    return (Numbers(combine(b, (1, steep), (1, product(step, b.add(Relu(x)), rest)))),)


def absolute(step: Step) -> tuple[Value, ...]:
    """`Abs`: 2·relu(x) - x."""
    x = step.real(0)
    return (Numbers(combine(step.b, (2, step.b.add(Relu(x))), (-1, x))),)


def greatest(step: Step) -> tuple[Value, ...]:
    """`Max` of any number of operands: a + relu(b - a), from left to right."""
    first, *others = all_real(step)
    for other in others:
        above = step.b.add(Relu(combine(step.b, (1, other), (-1, first))))
        first = combine(step.b, (1, first), (1, above))
    return (Numbers(first),)


def least(step: Step) -> tuple[Value, ...]:
    """`Min` of any number of operands: a - relu(a - b), from left to right."""
    first, *others = all_real(step)
    for other in others:
        above = step.b.add(Relu(combine(step.b, (1, first), (-1, other))))
        first = combine(step.b, (1, first), (-1, above))
    return (Numbers(first),)


def clip(step: Step) -> tuple[Value, ...]:
    """`Clip` between two numbers, either of which may be left out: low + relu(x - low) - relu(x - high)."""
    low, high, x, b = bound(step, "min", 1), bound(step, "max", 2), step.real(0), step.b
    if low is not None and high is not None and high < low:
        return (Numbers(step.spread(number(b, high), b.shape(x))),)
    found = x
    if low is not None:
        above = b.add(Relu(combine(b, (1, x), (-1, number(b, low)))))
        found = combine(b, (1, above), (1, number(b, low)))
    if high is not None:
        over = b.add(Relu(combine(b, (1, x), (-1, number(b, high)))))
        found = combine(b, (1, found), (-1, over))
    return (Numbers(found),)


def bound(step: Step, name: str, place: int) -> Fraction | None:
    """A bound of `Clip`: an attribute before version 11, an operand since; None where it is infinite."""
    if step.opset < 11:
        outermost = float(np.finfo(np.float32).max)
        default = -outermost if name == "min" else outermost
        found = step.number(name, default)
        return None if found == default else found
    if not step.given(place):
        return None
    value = step.value(place)
    if isinstance(value, Held) and value.values.size == 1:
        infinite = -np.inf if name == "min" else np.inf
        if float(value.values.ravel()[0]) == infinite:
            return None
    found_entries = step.exact(place)
    if found_entries is None or len(found_entries) != 1:
        step.refuse(f"its bound `{name}` must be one constant")
    return found_entries[0]


# --- smooth -----------------------------------------------------------------------------------


def logistic(step: Step, x: Wire) -> Wire:
    """1 / (1 + e^-x)."""
    b = step.b
    power = b.add(Smooth("exp", combine(b, (-1, x))))
    return b.add(Smooth("recip", combine(b, (1, power), (1, number(b, 1)))))


def sigmoid(step: Step) -> tuple[Value, ...]:
    """`Sigmoid`."""
    return (Numbers(logistic(step, step.real(0))),)


def tanh(step: Step) -> tuple[Value, ...]:
    """`Tanh`: 2·sigmoid(2x) - 1."""
    twice = logistic(step, combine(step.b, (2, step.real(0))))
    return (Numbers(combine(step.b, (2, twice), (-1, number(step.b, 1)))),)


def exponential(step: Step) -> tuple[Value, ...]:
    """`Exp`."""
    return (Numbers(step.b.add(Smooth("exp", step.real(0)))),)


def root(step: Step) -> tuple[Value, ...]:
    """`Sqrt` of a constant or of what certainly is not negative."""
    wire = step.real(0)
    if step.growing.sign(wire) == Sign.UNKNOWN and not step.growing.fixed(wire):
        step.refuse("what it takes the root of depends on the input and may be negative")
    return (Numbers(step.b.add(Smooth("sqrt", wire))),)


def power(step: Step) -> tuple[Value, ...]:
    """`Pow` with one small whole exponent."""
    exponent = step.exact(1)
    if exponent is None or len(exponent) != 1 or exponent[0] not in range(1, 9):
        step.refuse("only whole exponents from 1 to 8, the same for all entries, are read")
    x = step.real(0)
    found = x
    for _ in range(int(exponent[0]) - 1):
        found = product(step, found, x)
    return (Numbers(found),)


ARITHMETIC: dict[str, Operator] = {
    "Abs": operator(absolute, 1, 1),
    "Add": operator(add, 2, 2),
    "Clip": operator(clip, 1, 3, "min", "max").moving(11, "min", "max"),
    "Div": operator(divide, 2, 2),
    "Exp": operator(exponential, 1, 1),
    "LeakyRelu": operator(leaky, 1, 1, "alpha"),
    "Max": operator(greatest, 1, 1 << 10),
    "Mean": operator(mean, 1, 1 << 10),
    "Min": operator(least, 1, 1 << 10),
    "Mul": operator(multiply, 2, 2),
    "Neg": operator(negated, 1, 1),
    "PRelu": operator(sloped, 2, 2),
    "Pow": operator(power, 2, 2),
    "Reciprocal": operator(reciprocal, 1, 1),
    "Relu": operator(relu, 1, 1),
    "Sigmoid": operator(sigmoid, 1, 1),
    "Sqrt": operator(root, 1, 1),
    "Sub": operator(subtract, 2, 2),
    "Sum": operator(total, 1, 1 << 10),
    "Tanh": operator(tanh, 1, 1),
}
