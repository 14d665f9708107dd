"""Which real wires are certainly positive, or certainly not negative, whatever the inputs.

Read off the ops alone: a sum of squares is not negative, and positive with a positive constant added.
What is said of a wire holds for each of its entries wherever it is defined. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from fractions import Fraction

from circ.compiler.ir import (
    Const,
    Contract,
    Lookup,
    Max,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Wire,
    WireType,
    operands,
)
from circ.compiler.readings.reference import coefficients, named_alike


class Sign(IntEnum):
    """What is known of every entry; `APART`: it is at least some positive number, the same for all inputs."""

    UNKNOWN = 0
    NOT_NEGATIVE = 1
    POSITIVE = 2
    APART = 3


def sign_of(ops: Sequence[Op], types: Sequence[WireType], wire: Wire) -> Sign:
    """What is known of the entries of a wire."""
    found: dict[Wire, Sign] = {}
    waiting = [wire]
    while waiting:
        x = waiting[-1]
        left = [y for y in operands(ops[x]) if types[y].sort == Real() and y not in found]
        if types[x].sort == Real() and left:
            waiting += left
            continue
        found[waiting.pop()] = of(ops, types, x, found)
    return found[wire]


def surely_positive(ops: Sequence[Op], types: Sequence[WireType], wire: Wire) -> bool:
    """Whether every entry is positive, and defined: no root or inverse behind it might not be."""
    seen, waiting = set[Wire](), [wire]
    while waiting:
        x = waiting.pop()
        if x not in seen:
            seen.add(x)
            waiting.extend(operands(ops[x]))
    needed = {"exp": Sign.UNKNOWN, "sqrt": Sign.NOT_NEGATIVE, "recip": Sign.POSITIVE}
    return sign_of(ops, types, wire) >= Sign.POSITIVE and all(
        sign_of(ops, types, op.operand) >= needed[op.function]
        for op in (ops[x] for x in seen)
        if isinstance(op, Smooth)
    )


def of(
    ops: Sequence[Op], types: Sequence[WireType], wire: Wire, known: Mapping[Wire, Sign]
) -> Sign:
    """What is known of a wire, from what is known of its real operands."""
    match ops[wire]:
        case Const(type=kind, values=values) if kind.sort == Real():
            least = min(values, default=Fraction(1))
            return Sign.APART if least > 0 else Sign(int(least == 0))
        case Sum() as op:
            parts = [scaled(ops, x, c, known) for x, c in coefficients(op) if c]
            return max(parts) if parts and min(parts) > Sign.UNKNOWN else Sign(int(not parts))
        case Contract(spec=spec, left=left, right=right):
            least = min(known[left], known[right])
            if not (types[left].entries and types[right].entries):
                return Sign.NOT_NEGATIVE  # a sum of nothing
            square = left == right and named_alike(spec)
            return max(least, Sign.NOT_NEGATIVE) if square else least
        case Relu(operand=x):
            return max(known[x], Sign.NOT_NEGATIVE)
        case Smooth(function="exp", operand=x):
            return Sign.APART if known[x] > Sign.UNKNOWN else Sign.POSITIVE
        case Softmax():
            return Sign.POSITIVE
        case TopK():
            return Sign.NOT_NEGATIVE
        case Smooth(function="sqrt", operand=x):
            return max(known[x], Sign.NOT_NEGATIVE)
        case Smooth(operand=x):
            return Sign.POSITIVE if known[x] >= Sign.POSITIVE else Sign.UNKNOWN
        case Max(operand=x) | Lookup(table=x):
            return known[x]
        case Select(then=then, otherwise=otherwise):
            return min(known[then], known[otherwise])
        case Reindex(operands=wires):
            return min((known[x] for x in wires if x in known), default=Sign.UNKNOWN)
        case _:
            return Sign.UNKNOWN


def scaled(ops: Sequence[Op], wire: Wire, factor: Fraction, known: Mapping[Wire, Sign]) -> Sign:
    """What is known of a multiple of a wire, the factor not zero."""
    op = ops[wire]
    if isinstance(op, Const):
        least = min((factor * value for value in op.values), default=Fraction(1))
        return Sign.APART if least > 0 else Sign(int(least == 0))
    return known[wire] if factor > 0 else Sign.UNKNOWN
