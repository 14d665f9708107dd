"""A circuit as text for people to read: an op a line with the type of its wire, then the outputs.

w0: real[2] = input x
w1: real[2] = relu w0
w2: real[2] = 2 w1 - w0
w3: bool[2] = w2 <= w0
goal = w4
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import assert_never

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Circuit,
    Compare,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    Softmax,
    Sort,
    Sum,
    TopK,
    Weight,
    Wire,
    WireType,
)

MOST_SHOWN = 16
"""Entries of a constant, and places of a `Reindex`, that are written out."""


def print_ir(circuit: Circuit) -> str:
    """All ops of `circuit` in order, and its outputs in theirs; ends in a line break."""
    lines = [
        f"w{number}: {show_type(known)} = {show_op(op)}"
        for number, (op, known) in enumerate(zip(circuit.ops, circuit.types, strict=True))
    ]
    lines.extend(f"{name} = w{wire}" for name, wire in circuit.outputs.items())
    return "".join(f"{line}\n" for line in lines)


def show_op(op: Op) -> str:
    """One op with the wires it reads."""
    match op:
        case Input(name=name):
            return f"input {name}"
        case Const(values=values):
            return f"const {listed(map(show_entry, values))}"
        case Weight(key=key):
            return f"weight {key}"
        case Reindex(operands=operands, source=source):
            return f"{' ++ '.join(map(show_wire, operands))} at {listed(map(str, source))}"
        case Sum(terms=terms):
            return show_sum(terms)
        case Contract(spec=spec, left=left, right=right):
            return f"contract {spec} of w{left}, w{right}"
        case Compare(op=order, left=left, right=right):
            return f"w{left} {order} w{right}"
        case Select(condition=condition, then=then, otherwise=otherwise):
            return f"w{then} if w{condition} else w{otherwise}"
        case Lookup(table=table, indices=indices):
            return f"w{table}[{', '.join(map(show_wire, indices))}]"
        case Smooth(function=function, operand=x):
            return f"{function} w{x}"
        case TopK(count=count, operand=x):
            return f"top {count} of w{x}"
        case (
            Relu(operand=x)
            | Max(operand=x)
            | Softmax(operand=x)
            | Not(operand=x)
            | All(operand=x)
            | Any(operand=x)
            | Argmax(operand=x)
        ):
            return f"{type(op).__name__.lower()} w{x}"
        case _:
            assert_never(op)


def show_sum(terms: Iterable[tuple[Fraction, Wire]]) -> str:
    """`2 w1 - w0`."""
    text = ""
    for factor, wire in terms:
        sign = "-" if factor < 0 else "+" if text else ""
        size = f"{abs(factor)} " if abs(factor) != 1 else ""
        text += f" {sign} {size}w{wire}" if text else f"{sign}{size}w{wire}"
    return text


def show_wire(wire: Wire) -> str:
    """`w3`."""
    return f"w{wire}"


def show_entry(entry: Fraction | int | bool) -> str:
    """A rational, a code or a truth."""
    return str(entry).lower()


def listed(words: Iterable[str]) -> str:
    """Words with blanks between them; the first of them, if there are many."""
    shown = list(words)
    rest = f" … {len(shown)} in all" if len(shown) > MOST_SHOWN else ""
    return " ".join(shown[:MOST_SHOWN]) + rest


# --- types ------------------------------------------------------------------------------------


def show_type(known: WireType) -> str:
    """`real[2, 3]`, `bool`, `index(6)[8]`."""
    return show_sort(known.sort) + show_shape(known.shape)


def show_sort(sort: Sort) -> str:
    """What the entries of a wire are."""
    match sort:
        case Real():
            return "real"
        case Bool():
            return "bool"
        case Index(size=size):
            return f"index({size})"
        case _:
            assert_never(sort)


def show_shape(shape: Shape) -> str:
    """`[2, 3]`, or nothing for a scalar."""
    return f"[{', '.join(map(str, shape))}]" if shape else ""
