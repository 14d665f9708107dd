"""What the wires of a network carry while it is read.

Real numbers that depend on an input are wires of the circuit, and so are tokens. What is known stays outside it as long
as it is only moved about: floats until an operator computes with them, whole numbers (shapes, places)
for good.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import assert_never

import numpy as np

from circ.compiler.builder import Builder, reals, reindex
from circ.compiler.ir import Const, Input, Op, Real, Reindex, Shape, Weight, Wire, WireType
from circ.compiler.onnx.graph import Flags, Floats, Stored, Wholes
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import intervals
from circ.compiler.rewrite import live
from circ.compiler.signs import Sign, sign_of
from circ.compiler.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Numbers:
    """Real numbers on a wire."""

    wire: Wire


@dataclass(frozen=True, slots=True)
class Truths:
    """Truths on a wire."""

    wire: Wire


@dataclass(frozen=True, slots=True)
class Held:
    """Known floats, not on a wire so far; `key` is the tensor they become."""

    key: str
    dtype: str
    values: Floats = field(repr=False)


@dataclass(frozen=True, slots=True)
class Whole:
    """Known whole numbers, or truths; `dtype` is that of the numbers in the file."""

    values: Wholes | Flags = field(repr=False)
    dtype: str = "I64"


@dataclass(frozen=True, slots=True)
class Masked:
    """Real numbers on a wire, but -∞ where `left` says so: the scores that a softmax leaves out."""

    wire: Wire
    left: Flags = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Whole numbers on a wire of indices: an input that a table is looked up by, its entries moved."""

    wire: Wire


Value = Numbers | Truths | Held | Whole | Masked | Tokens

Move = Callable[[Wholes], Wholes]
"""How entries move: from the place of each (an array of the operand's shape) to that of the result."""


def of(stored: Stored) -> Value:
    """A tensor of the file."""
    values = stored.values
    if values.dtype == np.float64:
        return Held(stored.name, stored.dtype, values.astype(np.float64, copy=False))
    if values.dtype == np.bool_:
        return Whole(values.astype(np.bool_, copy=False))
    return Whole(values.astype(np.int64, copy=False), stored.dtype)


@dataclass(slots=True)
class Growing:
    """The circuit that a network becomes, and the tensors that it reads."""

    b: Builder = field(default_factory=Builder)
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    moved: int = 0
    """Entries that all moves list so far."""

    def shape(self, value: Value) -> Shape:
        """The shape of a value."""
        match value:
            case Numbers(wire=wire) | Truths(wire=wire) | Masked(wire=wire) | Tokens(wire=wire):
                return self.b.shape(wire)
            case Held(values=floats):
                return tuple(map(int, floats.shape))
            case Whole(values=wholes):
                return tuple(map(int, wholes.shape))
            case _:
                assert_never(value)

    def weight(self, held: Held) -> Wire:
        """The wire of known floats; a tensor of one name and other entries gets another name."""
        shape, key = self.shape(held), held.key
        while key in self.weights and not same(self.weights[key], held):
            key += "'"
        if key not in self.weights:
            flat = np.ascontiguousarray(held.values).ravel()
            self.weights[key] = Tensor(shape, held.dtype, doubles(flat))
        return self.b.add(Weight(key, shape))

    def move(self, key: str, value: Value, move: Move) -> Value:
        """`value` with its entries moved, repeated or left out; `key` names what is new."""
        match value:
            case Held(dtype=dtype, values=values):
                return Held(key, dtype, values.ravel()[places(values.shape, move)])
            case Whole(dtype=dtype, values=values):
                return Whole(values.ravel()[places(values.shape, move)], dtype)
            case Numbers(wire=wire):
                return Numbers(self.moved_wire(wire, move))
            case Truths(wire=wire):
                return Truths(self.moved_wire(wire, move))
            case Tokens(wire=wire):
                return Tokens(self.moved_wire(wire, move))
            case Masked(wire=wire, left=left):
                return Masked(self.moved_wire(wire, move), left.ravel()[places(left.shape, move)])
            case _:
                assert_never(value)

    def moved_wire(self, wire: Wire, move: Move) -> Wire:
        """A wire with its entries moved; two moves one after the other are one."""
        found = places(self.b.shape(wire), move)
        return self.gather([wire], found)

    def gather(self, wires: Sequence[Wire], source: Wholes) -> Wire:
        """A wire whose entries come from `wires` laid end to end, in the shape of `source`."""
        self.moved += int(source.size)
        if len(wires) == 1:
            below = self.b.ops[wires[0]]
            if isinstance(below, Reindex):
                wires, source = below.operands, np.array(below.source, np.int64)[source]
        flat: list[int] = source.ravel().tolist()
        return reindex(self.b, wires, flat, tuple(map(int, source.shape)))

    def known(self, value: Value) -> list[Fraction] | None:
        """The entries of a value that no input changes, in a row; None where they are not exact."""
        match value:
            case Held(values=floats):
                return [Fraction(x) for x in floats.ravel().tolist()]
            case Whole(values=wholes):
                return [Fraction(int(x)) for x in wholes.ravel().tolist()]
            case Numbers(wire=wire):
                return self.computed(wire)
            case Truths() | Masked() | Tokens():
                return None
            case _:
                assert_never(value)

    def fixed(self, wire: Wire) -> bool:
        """Whether no input changes a wire."""
        circuit = self.b.circuit({"value": wire})
        return not any(isinstance(circuit.ops[x], Input) for x in live(circuit, [wire]))

    def computed(self, wire: Wire) -> list[Fraction] | None:
        """The entries of a wire that no input changes, if they are exact."""
        op = self.b.ops[wire]
        if isinstance(op, Const):
            return [Fraction(x) for x in op.values]
        if not self.fixed(wire):
            return None
        try:
            found = intervals(self.b.circuit({"value": wire}), {}, self.weights)[wire]
        except Undefined:
            return None
        if not isinstance(found, Reals) or not found.exact:
            return None
        return [low for low, _ in found.box]

    def sign(self, wire: Wire) -> Sign:
        """What is known of the sign of a wire's entries, the tensors that it reads being known."""
        ops = [self.least(op) if isinstance(op, Weight) else op for op in self.b.ops]
        return sign_of(ops, self.b.types, wire)

    def least(self, op: Weight) -> Op:
        """The least entry of a tensor, which says as much of its sign."""
        lowest = min(self.weights[op.key].values, default=1.0)
        return Const(WireType(Real(), ()), (Fraction(lowest),))

    def constant(self, entries: Sequence[Fraction], shape: Shape) -> Wire:
        """A wire of known numbers."""
        return reals(self.b, entries, shape)


def places(shape: Shape, move: Move) -> Wholes:
    """Where each entry of the result comes from."""
    count = int(np.prod(shape, dtype=np.int64))
    return move(np.arange(count, dtype=np.int64).reshape(shape))


def doubles(flat: Floats) -> array[float]:
    """Floats as a tensor keeps them."""
    values = array("d")
    values.frombytes(flat.tobytes())
    return values


def same(tensor: Tensor, held: Held) -> bool:
    """Whether a tensor has these entries."""
    flat = np.ascontiguousarray(held.values).ravel()
    return tensor.shape == held.values.shape and tensor.values.tobytes() == flat.tobytes()
