"""The op of a wire as a Python expression: the PyTorch reading, written out.

Each expression asks PyTorch for what `circ.compiler.readings.torch` asks it for, in the same order and
on memory laid out alike, so that the two agree bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import assert_never

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Compare,
    Const,
    Contract,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    SmoothName,
    Softmax,
    Sum,
    TopK,
    Weight,
)
from circ.compiler.pytorch.literals import number, quoted, spelled
from circ.compiler.pytorch.moves import moved
from circ.compiler.rounding import nearest


class Binds(IntEnum):
    """How tightly the outermost sign of an expression binds."""

    COMPARISON = 0
    SUM = 1
    PRODUCT = 2
    SIGN = 3
    ATOM = 4


@dataclass(frozen=True, slots=True)
class Text:
    """An expression, and what has to stand in brackets beside it."""

    text: str
    binds: Binds = Binds.ATOM

    def within(self, binds: Binds) -> str:
        """The expression as an operand of a sign that binds so tightly."""
        return self.text if self.binds >= binds else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Operand:
    """The expression of an operand, and the shape of its value without the batch."""

    value: Text
    shape: Shape

    @property
    def plain(self) -> str:
        """As an argument."""
        return self.value.text

    @property
    def whole(self) -> str:
        """In front of a dot or a bracket."""
        return self.value.within(Binds.ATOM)


SMOOTH: dict[SmoothName, str] = {
    "exp": "torch.exp",
    "recip": "torch.reciprocal",
    "sqrt": "torch.sqrt",
}


def expression(op: Op, given: Sequence[Operand], dtype: str) -> Text:
    """What an op computes from its operands; inputs, constants and tensors have names instead."""
    match op:
        case Input() | Const() | Weight():
            raise AssertionError("it is not computed")
        case Reindex(source=source, shape=shape):
            return Text(moved([(x.plain, x.whole, x.shape) for x in given], source, shape))
        case Sum(terms=terms):
            return added([c for c, _ in terms], given, dtype)
        case Contract(spec=spec):
            return called("einsum", quoted(spec), *(x.plain for x in given))
        case Relu():
            return called("torch.relu", given[0].plain)
        case Max():
            return Text(f"{given[0].whole}.amax(-1)")
        case Smooth(function=function):
            return called(SMOOTH[function], given[0].plain)
        case Softmax():
            return Text(f"{given[0].whole}.softmax(-1)")
        case Compare(op=sign):
            left, right = (x.value.within(Binds.SUM) for x in given)
            return Text(f"{left} {sign} {right}", Binds.COMPARISON)
        case Not():
            return Text(f"~{given[0].value.within(Binds.SIGN)}", Binds.SIGN)
        case All():
            return Text(f"{given[0].whole}.all(-1)")
        case Any():
            return Text(f"{given[0].whole}.any(-1)")
        case Select():
            condition, then, otherwise = given
            axes = ", None" * len(then.shape)
            chosen = f"{condition.whole}[:{axes}]" if axes else condition.plain
            return called("torch.where", chosen, then.plain, otherwise.plain)
        case Lookup():
            return called("lookup", *(x.plain for x in given))
        case Argmax():
            return Text(f"{given[0].whole}.argmax(-1)")
        case TopK(count=count):
            return called("largest", given[0].plain, str(count))
        case _:
            assert_never(op)


def called(function: str, *arguments: str) -> Text:
    """A call."""
    return Text(f"{function}({', '.join(arguments)})")


def added(coefficients: Sequence[Fraction], given: Sequence[Operand], dtype: str) -> Text:
    """A linear combination, each coefficient rounded once, added up from the left.

    Subtracting a multiple is adding the negative one: rounding knows no sign.
    """
    factors = [spelled(nearest(c, dtype), dtype) for c in coefficients]
    if len(given) == 1:
        return term(factors[0], given[0], Binds.COMPARISON)
    text = term(factors[0], given[0], Binds.SUM).text
    for factor, operand in zip(factors[1:], given[1:], strict=True):
        sign = "-" if factor < 0 else "+"
        text += f" {sign} {term(abs(factor), operand, Binds.PRODUCT).text}"
    return Text(text, Binds.SUM)


def term(factor: float, operand: Operand, binds: Binds) -> Text:
    """A multiple of a value; the value itself where the factor is one."""
    if factor == 1:
        return Text(operand.value.within(binds), max(operand.value.binds, binds))
    return Text(f"{number(factor)} * {operand.value.within(Binds.SIGN)}", Binds.PRODUCT)
