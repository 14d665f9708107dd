"""The part of a circuit that computes some numbers, as an ONNX graph from X to Y.

X has all inputs in a row, Y the numbers; both have a batch of 1. Every number is written exactly: a
rational that is no float is a quotient of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import assert_never

import numpy as np

from circ.compiler.export.einsum import einsum
from circ.compiler.export.graph import INPUT, OUTPUT, Growing, Made
from circ.compiler.export.numbers import quotient
from circ.compiler.export.sought import Entry, Unsayable
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
)
from circ.compiler.obligation import Obligation
from circ.compiler.onnx.graph import Graph
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights

MOST_JOINED = 256
"""Truths that are joined one by one."""

SMOOTH = {"exp": "Exp", "recip": "Reciprocal", "sqrt": "Sqrt"}
COMPARE = {"<": "Less", "<=": "LessOrEqual", "==": "Equal"}


def network(obligation: Obligation, weights: Weights, outputs: Sequence[Entry]) -> Graph:
    """The graph of these numbers; raises `Unsayable`."""
    circuit = obligation.circuit
    writer = Writer(circuit, weights)
    starts: dict[str, int] = {}
    total = 0
    for binder in obligation.binders:
        starts[binder.name] = total
        total += binder.type.entries
    writer.starts, writer.total = starts, total
    for wire in sorted(live(circuit, [wire for wire, _ in outputs])):
        writer.made[wire] = writer.op(circuit.ops[wire], wire)
    writer.end(outputs)
    return writer.growing.finished(total)


@dataclass(slots=True)
class Writer:
    """A circuit being written op by op."""

    circuit: Circuit
    weights: Weights
    starts: dict[str, int] = field(default_factory=dict[str, int])
    total: int = 0
    growing: Growing = field(default_factory=Growing)
    made: dict[Wire, Made] = field(default_factory=dict[Wire, Made])

    def op(self, op: Op, wire: Wire) -> Made:
        """The tensor of one wire."""
        growing, shape = self.growing, self.circuit.types[wire].shape
        match op:
            case Input(name=name):
                return self.input(name, wire)
            case Const(values=values):
                return self.constant(wire, values)
            case Weight(key=key):
                held = np.frombuffer(self.weights[key].values, np.float64)
                return growing.floats(key, held.reshape(shape))
            case Reindex(operands=wires, source=source):
                return growing.gathered([self.made[x] for x in wires], source, shape)
            case Sum(terms=terms):
                return self.sum([(c, self.made[x]) for c, x in terms])
            case Contract(spec=spec, left=left, right=right):
                return einsum(growing, spec, self.made[left], self.made[right])
            case Relu(operand=x):
                return growing.node("Relu", [self.made[x].name], shape)
            case Max(operand=x):
                name = self.made[x].name
                return growing.node("ReduceMax", [name], shape, axes=(-1,), keepdims=0)
            case Smooth(function=function, operand=x):
                return growing.node(SMOOTH[function], [self.made[x].name], shape)
            case Softmax(operand=x):
                return growing.node("Softmax", [self.made[x].name], shape, axis=-1)
            case Compare(op=how, left=left, right=right):
                self.only_reals(left)
                names = [self.made[left].name, self.made[right].name]
                return growing.node(COMPARE[how], names, shape)
            case Not(operand=x):
                return growing.node("Not", [self.made[x].name], shape)
            case All(operand=x):
                return self.joined("And", x)
            case Any(operand=x):
                return self.joined("Or", x)
            case Select(condition=condition, then=then, otherwise=otherwise):
                self.only_reals(then)
                names = [self.made[x].name for x in (condition, then, otherwise)]
                return growing.node("Where", names, shape)
            case Lookup() | Argmax() | TopK():
                raise Unsayable("a value chosen by an index is not written")
            case _:
                assert_never(op)

    def input(self, name: str, wire: Wire) -> Made:
        """An input, cut out of X."""
        kind = self.circuit.types[wire]
        whole = self.growing.reshaped(Made(INPUT, (1, self.total)), (self.total,))
        start = self.starts[name]
        return self.growing.gathered([whole], range(start, start + kind.entries), kind.shape)

    def constant(self, wire: Wire, values: Sequence[Fraction | int | bool]) -> Made:
        """Known numbers or truths."""
        kind = self.circuit.types[wire]
        match kind.sort:
            case Real():
                return self.growing.numbers([Fraction(x) for x in values], kind.shape)
            case Bool():
                return self.growing.truths([bool(x) for x in values], kind.shape)
            case Index():
                raise Unsayable("a value chosen by an index is not written")
            case _:
                assert_never(kind.sort)

    def only_reals(self, wire: Wire) -> None:
        """Raise `Unsayable` unless the wire carries reals."""
        if self.circuit.types[wire].sort != Real():
            raise Unsayable("a choice among truths or indices is not written")

    def sum(self, terms: Sequence[tuple[Fraction, Made]]) -> Made:
        """A linear combination."""
        ordered = sorted(terms, key=lambda term: term[0] < 0)
        (c, first), *others = ordered
        found = self.multiple(c, first)
        for c, made in others:
            operator = "Sub" if c < 0 else "Add"
            names = [found.name, self.multiple(abs(c), made).name]
            found = self.growing.node(operator, names, found.shape)
        return found

    def multiple(self, factor: Fraction, made: Made) -> Made:
        """factor · tensor."""
        growing = self.growing
        if factor == 1:
            return made
        if factor == -1:
            return growing.node("Neg", [made.name], made.shape)
        top, bottom = quotient(factor)
        if top != 1:
            made = growing.node("Mul", [made.name, growing.numbers([top], ()).name], made.shape)
        if bottom != 1:
            made = growing.node("Div", [made.name, growing.numbers([bottom], ()).name], made.shape)
        return made

    def joined(self, operator: str, wire: Wire) -> Made:
        """Truths along the last axis, joined one by one."""
        shape = self.circuit.types[wire].shape
        count, rows = shape[-1], prod(shape[:-1])
        if not 1 <= count <= MOST_JOINED:
            raise Unsayable(f"{count} truths are joined; up to {MOST_JOINED} are written")
        columns = [
            self.growing.gathered([self.made[wire]], range(k, rows * count, count), shape[:-1])
            for k in range(count)
        ]
        found, *others = columns
        for other in others:
            found = self.growing.node(operator, [found.name, other.name], shape[:-1])
        return found

    def end(self, outputs: Sequence[Entry]) -> None:
        """Y: the numbers asked for, or an input where there are none."""
        if not outputs:
            made = Made(INPUT, (1, self.total))
            only = self.growing.gathered([made], [0], (1, 1))
            self.growing.node("Identity", [only.name], (1, 1), output=OUTPUT)
            return
        wires = list(dict.fromkeys(wire for wire, _ in outputs))
        offsets: dict[Wire, int] = {}
        total = 0
        for wire in wires:
            offsets[wire] = total
            total += self.circuit.types[wire].entries
        source = [offsets[wire] + entry for wire, entry in outputs]
        row = self.growing.gathered([self.made[x] for x in wires], source, (1, len(source)))
        self.growing.node("Identity", [row.name], row.shape, output=OUTPUT)
