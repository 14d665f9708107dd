"""Comparisons, what is chosen by them, and changes of type."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import numpy as np

from circ.compiler.builder import number
from circ.compiler.ir import All, Any, Compare, Comparison, Not, Select, Wire
from circ.compiler.onnx.graph import Flags, Wholes, entries
from circ.compiler.onnx.limits import MOST_CHOICES
from circ.compiler.onnx.moves import joined
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.stored import FLOATS, NUMBERS
from circ.compiler.onnx.tokens import numbers_of
from circ.compiler.onnx.values import Held, Masked, Numbers, Tokens, Truths, Value, Whole

DEPENDING = (
    "where -∞ stands depends on an input, and must be known; a number such as -1e9 may be chosen"
)

Test = Callable[[Wholes, Wholes], Flags]


def comparing(
    op: Comparison, known: Test, swapped: bool = False
) -> Callable[[Step], tuple[Value, ...]]:
    """A comparison of two operands, `swapped` if it is read from right to left."""

    def compare(step: Step) -> tuple[Value, ...]:
        left, right = step.value(0), step.value(1)
        shape = step.joined(step.shape(0), step.shape(1))
        if isinstance(left, Whole) and isinstance(right, Whole):
            return (Whole(known(left.values.astype(np.int64), right.values.astype(np.int64))),)
        numbers = (comparable(step, k, isinstance((left, right)[1 - k], Tokens)) for k in range(2))
        first, second = (step.spread(wire, shape) for wire in numbers)
        if swapped:
            first, second = second, first
        return (Truths(step.b.add(Compare(op, first, second))),)

    return compare


def comparable(step: Step, place: int, to_tokens: bool) -> Wire:
    """An operand of a comparison as real numbers; tokens are compared by their numbers."""
    value = step.value(place)
    if isinstance(value, Tokens):
        return numbers_of(step, value.wire)
    if isinstance(value, Whole) and to_tokens:
        return step.growing.constant(step.growing.known(value) or [], step.shape(place))
    return step.real(place)


def negation(step: Step) -> tuple[Value, ...]:
    """`Not`."""
    value = step.value(0)
    if isinstance(value, Whole):
        return (Whole(~value.values.astype(np.bool_)),)
    return (Truths(step.b.add(Not(step.truths(0)))),)


def both(step: Step) -> tuple[Value, ...]:
    """`And`."""
    return connected(step, lambda pairs: step.b.add(All(pairs)), np.logical_and)


def either(step: Step) -> tuple[Value, ...]:
    """`Or`."""
    return connected(step, lambda pairs: step.b.add(Any(pairs)), np.logical_or)


def connected(step: Step, join: Callable[[Wire], Wire], known: Test) -> tuple[Value, ...]:
    """Two truths, entry by entry."""
    left, right = step.value(0), step.value(1)
    shape = step.joined(step.shape(0), step.shape(1))
    if isinstance(left, Whole) and isinstance(right, Whole):
        return (Whole(known(left.values.astype(np.int64), right.values.astype(np.int64))),)
    wires = [step.spread(step.truths(k), shape) for k in range(2)]
    return (Truths(join(joined(step, wires, lambda parts: np.stack(parts, axis=-1)))),)


# --- choices ----------------------------------------------------------------------------------


def where(step: Step) -> tuple[Value, ...]:
    """`Where`: entries of the second operand where the first holds, of the third elsewhere."""
    condition = step.value(0)
    shape = step.joined(*(step.shape(k) for k in range(3)))
    match condition:
        case Whole(values=flags):
            return (by_known(step, np.broadcast_to(flags.astype(np.bool_), shape)),)
        case Truths(wire=wire):
            if any(left_out(step.value(k)) for k in (1, 2)):
                step.refuse(DEPENDING)
            then, otherwise = (step.spread(step.real(k), shape) for k in (1, 2))
            return (Numbers(chosen(step, step.spread(wire, shape), then, otherwise)),)
        case Numbers() | Held() | Masked() | Tokens():
            return step.refuse("its condition is not of truths")
        case _:
            assert_never(condition)


def left_out(value: Value) -> bool:
    """Whether some entries are -∞."""
    held = isinstance(value, Held) and bool(np.isneginf(value.values).any())
    return held or isinstance(value, Masked)


def by_known(step: Step, flags: Flags) -> Value:
    """Entries of the second or the third operand, as is known."""
    then, otherwise = step.value(1), step.value(2)
    if isinstance(then, Whole) and isinstance(otherwise, Whole):
        return Whole(np.where(flags, then.values, otherwise.values).astype(np.int64), then.dtype)
    (first, left), (second, right) = step.scores(1), step.scores(2)
    found = joined(
        step, [first, second], lambda parts: np.asarray(np.where(flags, *parts), np.int64)
    )
    return step.with_left(found, np.where(flags, left, right))


def chosen(step: Step, condition: Wire, then: Wire, otherwise: Wire) -> Wire:
    """Entries of one wire or the other, by a truth for each; all three have one shape."""
    b, shape = step.b, step.b.shape(condition)
    count = entries(shape)
    if count > MOST_CHOICES:
        step.refuse(f"at most {MOST_CHOICES:,} entries can be chosen one by one")
    found = [
        b.add(Select(*(single(step, wire, k) for wire in (condition, then, otherwise))))
        for k in range(count)
    ]
    return joined(step, found, lambda parts: np.array(parts, np.int64).reshape(shape))


def single(step: Step, wire: Wire, place: int) -> Wire:
    """One entry."""
    return step.growing.gather([wire], np.array(place, np.int64))


def sign(step: Step) -> tuple[Value, ...]:
    """`Sign`: 1, 0 or -1."""
    b, x = step.b, step.real(0)
    shape = b.shape(x)
    zero, one, minus = (step.spread(number(b, k), shape) for k in (0, 1, -1))
    below = chosen(step, b.add(Compare("<", x, zero)), minus, zero)
    return (Numbers(chosen(step, b.add(Compare("<", zero, x)), one, below)),)


def cast(step: Step) -> tuple[Value, ...]:
    """`Cast`: floats to floats do nothing, what is known becomes whole or real."""
    value, target = step.value(0), NUMBERS.get(step.integer("to", 0), "")
    match value:
        case Numbers() if target in FLOATS:
            return (value,)
        case Numbers() if target in {"I32", "I64"}:
            known = step.exact(0)
            if known is None or any(x.denominator != 1 or abs(x) >= 1 << 31 for x in known):
                step.refuse("only what is whole already is made whole")
            whole = np.array([int(x) for x in known], np.int64).reshape(step.shape(0))
            return (step.whole(whole, target),)
        case Held(key=key, values=values) if target in FLOATS:
            return (Held(key, value.dtype, values),)
        case Held(values=values) if target and target != "BOOL":
            step.check_finite(value)
            if np.abs(values).max(initial=0) >= 1 << 31:
                step.refuse("a number is too large to be made whole")
            return (step.whole(np.trunc(values).astype(np.int64), target),)
        case Whole(values=values) if target in FLOATS:
            known = step.growing.known(value) or []
            step.fits(step.shape(0))
            return (Numbers(step.growing.constant(known, step.shape(0))),)
        case Whole(values=values) if target == "BOOL":
            return (Whole(values.astype(np.bool_)),)
        case Whole(values=values) if target in {"I32", "I64"}:
            return (step.whole(values.astype(np.int64), target),)
        case Truths(wire=wire) if target in FLOATS:
            one, zero = (step.spread(number(step.b, k), step.shape(0)) for k in (1, 0))
            return (Numbers(chosen(step, wire, one, zero)),)
        case Truths() if target == "BOOL":
            return (value,)
        case Masked() if target in FLOATS:
            return (value,)
        case Tokens(wire=wire) if target in FLOATS:
            return (Numbers(numbers_of(step, wire)),)
        case Tokens() if target in {"I32", "I64"}:
            return (value,)
        case Numbers() | Held() | Whole() | Truths() | Masked() | Tokens():
            return step.refuse(f"what it is given cannot be made {target or 'that'}")
        case _:
            assert_never(value)


CONDITIONS: dict[str, Operator] = {
    "And": operator(both, 2, 2),
    "Cast": operator(cast, 1, 1, "to", "saturate"),
    "Equal": operator(comparing("==", np.equal), 2, 2),
    "Greater": operator(comparing("<", np.greater, swapped=True), 2, 2),
    "GreaterOrEqual": operator(comparing("<=", np.greater_equal, swapped=True), 2, 2),
    "Less": operator(comparing("<", np.less), 2, 2),
    "LessOrEqual": operator(comparing("<=", np.less_equal), 2, 2),
    "Not": operator(negation, 1, 1),
    "Or": operator(either, 2, 2),
    "Sign": operator(sign, 1, 1),
    "Where": operator(where, 3, 3),
}
