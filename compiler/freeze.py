"""Cutting a circuit at what an edit cannot change, so that only the rest is computed again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

from circ.compiler.builder import Builder
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
    Smooth,
    Softmax,
    Sort,
    Sum,
    TopK,
    Weight,
    Wire,
    operands,
)
from circ.compiler.rewrite import live, renamed


@dataclass(frozen=True, slots=True)
class Frozen:
    """`before` computes, from the circuit's inputs, the inputs of `after`; outputs match by name.

    `after` alone reads the edited tensors, and has the one output `goal`.
    """

    before: Circuit
    after: Circuit


def freeze(circuit: Circuit, keys: Collection[str]) -> Frozen:
    """Cut `circuit` where the tensors named by `keys` come in, as far as its goal goes."""
    goal = circuit.outputs["goal"]
    wires = sorted(live(circuit, [goal]))
    moving = dependent(circuit, wires, keys)
    read = {x for other in moving for x in operands(circuit.ops[other])}
    b = Builder()
    moved: dict[Wire, Wire] = {}
    cut: dict[str, Wire] = {}
    for wire in wires:
        op = circuit.ops[wire]
        if wire in moving:
            moved[wire] = b.add(renamed(op, moved.__getitem__))
        elif isinstance(op, Const | Weight):
            moved[wire] = b.add(op)
        elif wire in read or wire == goal:
            cut[f"wire {wire}"] = wire
            moved[wire] = b.add(Input(f"wire {wire}", circuit.types[wire]))
    before = Circuit(circuit.ops, circuit.types, cut)
    return Frozen(before, b.circuit({"goal": moved[goal]}))


def dependent(circuit: Circuit, wires: list[Wire], keys: Collection[str]) -> set[Wire]:
    """The wires that the tensors named by `keys` reach."""
    found: set[Wire] = set()
    for wire in wires:
        op = circuit.ops[wire]
        if (isinstance(op, Weight) and op.key in keys) or found.intersection(operands(op)):
            found.add(wire)
    return found


def reached(circuit: Circuit, names: Collection[str], keys: Collection[str]) -> bool:
    """Whether the tensors named by `keys` reach one of these outputs."""
    wanted = [circuit.outputs[name] for name in names]
    return not dependent(circuit, sorted(live(circuit, wanted)), keys).isdisjoint(wanted)


def in_jumps(circuit: Circuit, output: str, keys: Collection[str]) -> bool:
    """Whether these tensors reach an output, but only through comparisons and choices of entries."""
    wires = sorted(live(circuit, [circuit.outputs[output]]))
    moving = dependent(circuit, wires, keys)
    smooth: set[Wire] = set()
    for wire in wires:
        op = circuit.ops[wire]
        jumps = circuit.types[wire].sort != Real() or isinstance(op, TopK)
        read = () if jumps else operands(op)
        if (isinstance(op, Weight) and op.key in keys) or not smooth.isdisjoint(read):
            smooth.add(wire)
    return circuit.outputs[output] in moving - smooth


def concave(circuit: Circuit, keys: Collection[str]) -> bool:
    """Whether the goal's slack is concave: a conjunction about scores affine in these tensors."""
    moving = dependent(circuit, sorted(live(circuit, circuit.outputs.values())), keys)
    return all(keeps_concave(circuit, circuit.ops[wire], moving) for wire in moving)


def keeps_concave(circuit: Circuit, op: Op, moving: set[Wire]) -> bool:
    """Whether an op is affine in its moving operands, or a conjunction of decisions on them."""
    match op:
        case Input() | Const() | Weight() | Reindex() | Sum():
            return True
        case Contract(left=left, right=right):
            return not (left in moving and right in moving)
        case Compare(left=left, right=right):
            return compares_concavely(circuit.types[left].sort, left in moving, right in moving)
        case All() | Argmax():
            return True
        case Lookup(indices=indices):
            return not moving.intersection(indices)
        case Select(condition=condition):
            return condition not in moving
        case Relu() | Max() | Smooth() | Softmax() | TopK() | Not() | Any():
            return False
        case _:
            assert_never(op)


def compares_concavely(sort: Sort, left: bool, right: bool) -> bool:
    """Whether a comparison's slack is concave where these of its sides move.

    That an argmax is a given place is a conjunction of orders; that two of them agree is not.
    """
    match sort:
        case Real():
            return True
        case Index():
            return not (left and right)
        case Bool():
            return not (left or right)
        case _:
            assert_never(sort)
