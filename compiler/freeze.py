"""Cutting a circuit at what an edit cannot change, so that only the rest is computed again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
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


@dataclass(frozen=True, slots=True)
class Curve:
    """How a value bends in the edited tensors: of a truth its slack, which is concave or unknown.

    An index is *affine* where it is the place of the largest of affine scores.
    """

    convex: bool
    concave: bool
    moves: bool = True

    @property
    def affine(self) -> bool:
        """Whether it bends neither way."""
        return self.convex and self.concave


STILL = Curve(convex=True, concave=True, moves=False)
UNKNOWN = Curve(convex=False, concave=False)


def concave(circuit: Circuit, keys: Collection[str]) -> bool:
    """Whether the goal's slack is concave: a conjunction of `a <= b`, a convex and b concave in these tensors."""
    goal = circuit.outputs["goal"]
    wires = sorted(live(circuit, [goal]))
    moving = dependent(circuit, wires, keys)
    known: dict[Wire, Curve] = {}
    for wire in wires:
        known[wire] = curve_of(circuit, circuit.ops[wire], known) if wire in moving else STILL
    return known[goal].concave


def curve_of(circuit: Circuit, op: Op, known: Mapping[Wire, Curve]) -> Curve:
    """How the value of an op that moves bends, from how its operands do."""
    match op:
        case Input() | Const() | Weight():
            return Curve(convex=True, concave=True)
        case Reindex(operands=wires):
            return together([known[wire] for wire in wires])
        case Sum(terms=terms):
            return together([times(factor, known[wire]) for factor, wire in terms])
        case Contract(left=left, right=right):
            return product(known[left], known[right])
        case Relu(operand=x) | Max(operand=x):
            return Curve(known[x].convex, concave=False)
        case Compare():
            return compared(circuit, op, known)
        case All(operand=x):
            return known[x]
        case Argmax(operand=x):
            return known[x] if known[x].affine else UNKNOWN
        case Lookup(table=table, indices=indices):
            return UNKNOWN if any(known[i].moves for i in indices) else known[table]
        case Select(condition=condition, then=then, otherwise=otherwise):
            arms = together([known[then], known[otherwise]])
            return UNKNOWN if known[condition].moves else arms
        case Smooth() | Softmax() | TopK() | Not() | Any():
            return UNKNOWN
        case _:
            assert_never(op)


def together(curves: Sequence[Curve]) -> Curve:
    """Of values side by side, or added."""
    return Curve(all(c.convex for c in curves), all(c.concave for c in curves))


def times(factor: Fraction, curve: Curve) -> Curve:
    """Of a multiple: below 0 it bends the other way."""
    return curve if factor >= 0 else Curve(curve.concave, curve.convex, curve.moves)


def product(left: Curve, right: Curve) -> Curve:
    """Of products with factors of either sign: affine where one side stays and the other is affine."""
    return UNKNOWN if left.moves and right.moves else affine_only(left, right)


def affine_only(*curves: Curve) -> Curve:
    """Affine where these are, unknown elsewhere."""
    return Curve(convex=True, concave=True) if all(c.affine for c in curves) else UNKNOWN


def compared(circuit: Circuit, op: Compare, known: Mapping[Wire, Curve]) -> Curve:
    """Of a comparison, its slack.

    That an argmax is a given place is a conjunction of orders; that two of them agree is not.
    """
    left, right = known[op.left], known[op.right]
    match circuit.types[op.left].sort:
        case Real() if op.op == "==":
            return affine_only(left, right)
        case Real():
            return Curve(convex=False, concave=left.convex and right.concave)
        case Index():
            return UNKNOWN if left.moves and right.moves else affine_only(left, right)
        case Bool():
            return UNKNOWN
        case _:
            assert_never(circuit.types[op.left].sort)
