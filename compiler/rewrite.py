"""Copying a circuit op by op into a new builder, with some ops replaced on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace as with_fields
from typing import assert_never

from circ.compiler.builder import Builder
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
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
    Smooth,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
    operands,
)

Replace = Callable[[Wire, Op], Wire | None]


def rewrite(circuit: Circuit, b: Builder, replace: Replace, keep: Iterable[str]) -> Circuit:
    """`circuit` restricted to the outputs named in `keep`, with ops replaced.

    `replace(wire, op)` sees each live op, its operands already wires of `b`, and the wire it had in
    `circuit`; it returns the wire of `b` to use instead, or None to keep the op.
    """
    names = [name for name in circuit.outputs if name in set(keep)]
    moved = copy_live(circuit, b, replace, [circuit.outputs[name] for name in names])
    return b.circuit({name: moved[circuit.outputs[name]] for name in names})


def copy_live(
    circuit: Circuit,
    b: Builder,
    replace: Replace,
    roots: Sequence[Wire],
    moved: dict[Wire, Wire] | None = None,
) -> dict[Wire, Wire]:
    """Copy what `roots` depend on; the wire in `b` of each wire copied, in `moved` as they come."""
    moved = {} if moved is None else moved
    for wire in sorted(live(circuit, roots)):
        op = renamed(circuit.ops[wire], moved.__getitem__)
        found = replace(wire, op)
        moved[wire] = b.add(op) if found is None else found
    return moved


def live(circuit: Circuit, roots: Iterable[Wire]) -> set[Wire]:
    """The wires that `roots` depend on, themselves included."""
    seen: set[Wire] = set()
    waiting = list(roots)
    while waiting:
        wire = waiting.pop()
        if wire not in seen:
            seen.add(wire)
            waiting.extend(operands(circuit.ops[wire]))
    return seen


def renamed(op: Op, to: Callable[[Wire], Wire]) -> Op:
    """`op` reading `to(w)` wherever it reads `w`."""
    match op:
        case Input() | Const() | Weight():
            return op
        case Reindex(operands=wires):
            return with_fields(op, operands=tuple(map(to, wires)))
        case Sum(terms=terms):
            return Sum(tuple((c, to(wire)) for c, wire in terms))
        case Contract(left=left, right=right) | Compare(left=left, right=right):
            return with_fields(op, left=to(left), right=to(right))
        case Select(condition=condition, then=then, otherwise=otherwise):
            return Select(to(condition), to(then), to(otherwise))
        case Lookup(table=table, indices=indices):
            return Lookup(to(table), tuple(map(to, indices)))
        case (
            Relu(operand=x)
            | Max(operand=x)
            | Smooth(operand=x)
            | Softmax(operand=x)
            | Not(operand=x)
            | All(operand=x)
            | Any(operand=x)
            | Argmax(operand=x)
            | TopK(operand=x)
        ):
            return with_fields(op, operand=to(x))
        case _:
            assert_never(op)
