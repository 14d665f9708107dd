"""One node being read: its operands by kind, its attributes, and what to say where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from typing import NoReturn, assert_never

import numpy as np

from circ.compiler.builder import Builder
from circ.compiler.ir import Shape, Wire
from circ.compiler.onnx.graph import Exact, Flags, Node, Stored, Wholes, entries
from circ.compiler.onnx.limits import MOST_COMPUTED, MOST_ENTRIES, MOST_MOVED
from circ.compiler.onnx.stored import FORMATS
from circ.compiler.onnx.values import (
    Growing,
    Held,
    Masked,
    Move,
    Numbers,
    Tokens,
    Truths,
    Value,
    Whole,
)
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.errors.standard import not_finite_weight, not_this_way, too_large

TOKENS_READ = "tokens, which are moved, compared, looked up, or made real numbers first"
"""What may be done with tokens."""


@dataclass(frozen=True, slots=True)
class Step:
    """A node, the values of its operands (None where one is left out), and the circuit so far."""

    path: str
    opset: int
    node: Node
    operands: tuple[Value | None, ...]
    growing: Growing

    @property
    def b(self) -> Builder:
        """The circuit so far."""
        return self.growing.b

    def refuse(self, reason: str) -> NoReturn:
        """Raise `CircError` (E0804): this node is not read."""
        raise CircError(not_this_way(self.path, self.node.told, self.node.called, reason))

    def misfit(self) -> Diagnostic:
        """What to say where numpy or the circuit's typing rules refuse the operands."""
        reason = "its operands do not fit each other"
        return not_this_way(self.path, self.node.told, self.node.called, reason)

    # --- attributes ---------------------------------------------------------------------------

    def integer(self, name: str, default: int) -> int:
        """A whole number among the attributes."""
        found = self.node.attributes.get(name, default)
        return found if isinstance(found, int) else self.refuse(f"`{name}` is no whole number")

    def number(self, name: str, default: float) -> Fraction:
        """A float among the attributes, exactly."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, float) or not isfinite(found):
            self.refuse(f"`{name}` is no finite number")
        return Fraction(found)

    def integers(self, name: str) -> list[int] | None:
        """Whole numbers among the attributes, if they are there."""
        found = self.node.attributes.get(name)
        if found is None:
            return None
        if not isinstance(found, tuple):
            self.refuse(f"`{name}` is no list of numbers")
        whole = [x for x in found if isinstance(x, int)]
        return (
            whole if len(whole) == len(found) else self.refuse(f"`{name}` is not of whole numbers")
        )

    def word(self, name: str, default: str) -> str:
        """A word among the attributes."""
        found = self.node.attributes.get(name, default)
        return found if isinstance(found, str) else self.refuse(f"`{name}` is no word")

    def tensor(self, name: str) -> Stored | None:
        """A tensor among the attributes, if it is there."""
        found = self.node.attributes.get(name)
        if found is None or isinstance(found, Stored):
            return found
        return self.refuse(f"`{name}` is no tensor")

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            self.refuse(f"there is no axis {axis} among {rank}")
        return axis % rank

    # --- operands -----------------------------------------------------------------------------

    def given(self, place: int) -> bool:
        """Whether an operand is there."""
        return place < len(self.operands) and self.operands[place] is not None

    def value(self, place: int) -> Value:
        """An operand of any kind."""
        found = self.operands[place] if place < len(self.operands) else None
        return self.refuse(f"operand {place} is missing") if found is None else found

    def shape(self, place: int) -> Shape:
        """The shape of an operand."""
        return self.growing.shape(self.value(place))

    def real(self, place: int) -> Wire:
        """An operand of real numbers, on a wire."""
        return self.on_wire(self.value(place), f"operand {place}")

    def on_wire(self, value: Value, told: str) -> Wire:
        """Real numbers on a wire."""
        match value:
            case Numbers(wire=wire):
                return wire
            case Held():
                self.check_finite(value)
                return self.growing.weight(value)
            case Truths() | Whole():
                return self.refuse(f"{told} is not of real numbers")
            case Masked():
                return self.refuse(f"{told} is -∞ in places, which only a softmax takes")
            case Tokens():
                return self.refuse(f"{told} is of {TOKENS_READ}")
            case _:
                assert_never(value)

    def scores(self, place: int) -> tuple[Wire, Flags]:
        """An operand of real numbers, some of which may be -∞: a wire that has 0 there, and where that is."""
        value = self.value(place)
        match value:
            case Masked(wire=wire, left=left):
                return wire, left
            case Held(key=key, dtype=dtype, values=values):
                left = np.isneginf(values)
                wire = self.on_wire(
                    Held(key, dtype, np.where(left, 0.0, values)), f"operand {place}"
                )
                return wire, left
            case Numbers() | Truths() | Whole() | Tokens():
                return self.real(place), np.zeros(self.shape(place), np.bool_)
            case _:
                assert_never(value)

    def with_left(self, wire: Wire, left: Flags) -> Numbers | Masked:
        """Real numbers, -∞ where `left` says so."""
        return Masked(wire, left) if left.any() else Numbers(wire)

    def truths(self, place: int) -> Wire:
        """An operand of truths, on a wire."""
        value = self.value(place)
        if not isinstance(value, Truths):
            self.refuse(f"operand {place} is not of truths")
        return value.wire

    def wholes(self, place: int, told: str) -> list[int]:
        """An operand of whole numbers that no input changes, in a row."""
        value = self.value(place)
        if not isinstance(value, Whole):
            self.refuse(f"{told} must be whole numbers that do not depend on the input")
        return [int(x) for x in value.values.ravel().tolist()]

    def exact(self, place: int) -> list[Fraction] | None:
        """The entries of an operand that no input changes, where they are exact and few."""
        value = self.value(place)
        if entries(self.growing.shape(value)) > MOST_COMPUTED:
            return None
        if isinstance(value, Held):
            self.check_finite(value)
        return self.growing.known(value)

    def check_finite(self, held: Held) -> None:
        """Raise `CircError` (E0807) where an entry is infinite or no number."""
        bad = held.values[~np.isfinite(held.values)]
        if bad.size:
            raise CircError(not_finite_weight(self.path, held.key, float(bad[0])))

    # --- results ------------------------------------------------------------------------------

    def whole(self, values: Wholes | Exact, dtype: str) -> Whole:
        """Whole numbers that a type has: what ONNX makes of others is not the same number."""
        known = np.iinfo(FORMATS[dtype])
        most = min(known.max, np.iinfo(np.int64).max)
        if values.size and not known.min <= int(values.min()) <= int(values.max()) <= most:
            self.refuse(f"a number is outside of what {dtype} has")
        return Whole(values.astype(np.int64), dtype)

    @property
    def key(self) -> str:
        """The name of the first result."""
        return self.node.outputs[0] if self.node.outputs else ""

    def fits(self, shape: Shape) -> Shape:
        """`shape`, unless it is too large; raises `CircError` (E0805)."""
        if entries(shape) > MOST_ENTRIES:
            sides = " × ".join(map(str, shape))
            what = f"{self.node.called} ({self.node.told}) makes {sides} entries"
            raise CircError(too_large(self.path, what, f"{MOST_ENTRIES:,} entries"))
        if self.growing.moved + entries(shape) > MOST_MOVED:
            what = "its moves list too many entries"
            raise CircError(too_large(self.path, what, f"{MOST_MOVED:,} entries"))
        return shape

    def moved(self, value: Value, shape: Shape, move: Move) -> Value:
        """`value` with its entries moved into `shape`."""
        self.fits(shape)
        return self.growing.move(self.key, value, move)

    def reshaped(self, wire: Wire, shape: Shape) -> Wire:
        """The entries of a wire in another shape."""
        if self.b.shape(wire) == shape:
            return wire
        return self.growing.moved_wire(wire, lambda x: x.reshape(self.fits(shape)))

    def spread(self, wire: Wire, shape: Shape) -> Wire:
        """A wire broadcast to `shape`."""
        if self.b.shape(wire) == shape:
            return wire
        return self.growing.moved_wire(wire, lambda x: np.broadcast_to(x, self.fits(shape)))

    def joined(self, *shapes: Shape) -> Shape:
        """The shape that all of these broadcast to."""
        try:
            return self.fits(tuple(map(int, np.broadcast_shapes(*shapes))))
        except ValueError:
            told = " and ".join(str(list(shape)) for shape in shapes)
            return self.refuse(f"the shapes {told} do not fit each other")


Meaning = Callable[[Step], tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Operator:
    """How an operator is read: its meaning, how many operands it has, and its attributes.

    An attribute that is not listed is refused: it may change what is meant. From the version `since` on,
    the attributes `moved` are operands instead, those after the first.
    """

    meaning: Meaning
    least: int
    most: int
    attributes: frozenset[str] = frozenset()
    since: int = 0
    moved: frozenset[str] = frozenset()

    def operands(self, opset: int) -> range:
        """How many operands it may have in a version."""
        return range(self.least, 1 + (self.most if opset >= self.since else 1))

    def named(self, opset: int) -> frozenset[str]:
        """The attributes that it may have in a version."""
        return self.attributes - self.moved if opset >= self.since else self.attributes

    def moving(self, since: int, *moved: str) -> Operator:
        """The same, some of whose attributes are operands from a version on."""
        return replace(self, since=since, moved=frozenset(moved))


def operator(meaning: Meaning, least: int, most: int, *attributes: str) -> Operator:
    """An operator with these attributes."""
    return Operator(meaning, least, most, frozenset(attributes))
