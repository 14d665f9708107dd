"""What the statements of one module share: names, readers, constants, and what was told already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    Wire,
    WireType,
)
from circ.compiler.obligation import Site
from circ.compiler.pytorch.columns import Readers
from circ.compiler.pytorch.expressions import Text
from circ.compiler.pytorch.literals import listed, number, sides, spelled
from circ.compiler.rounding import nearest
from circ.lang.span import Span

FEW = 6
"""Most entries of a constant that stands where it is read."""

KINDS: Mapping[type[Sort], str] = {Real: "real", Index: "codes", Bool: "truths"}
"""The method that makes a constant of a sort."""


DEFAULT: Mapping[type[Op], str] = {
    Reindex: "part",
    Sum: "total",
    Contract: "product",
    Relu: "active",
    Max: "most",
    Smooth: "curved",
    Softmax: "shares",
    Compare: "compared",
    Not: "denied",
    All: "every",
    Any: "some",
    Select: "chosen",
    Lookup: "found",
    Argmax: "place",
    TopK: "kept",
}
"""What the value of an op is called that is no site."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a tensor is called in the statements, the key of its checkpoint, and its name there."""

    name: str
    checkpoint: str
    tensor: str


@dataclass(slots=True)
class Paper:
    """What the statements of one module share.

    `tensors` has each tensor by its key; `constants` gathers the constants that are too
    long to stand where they are read, each as its name and the expression that makes it.
    """

    circuit: Circuit
    readers: Readers
    sites: Mapping[Wire, Site]
    tensors: Mapping[str, Stored]
    batched: frozenset[Wire]
    dtype: str
    builder: Builder
    constants: dict[Wire, tuple[str, str]] = field(default_factory=dict[Wire, tuple[str, str]])
    told: set[Span] = field(default_factory=set[Span])

    def type_of(self, wire: Wire) -> WireType:
        """The type of a wire."""
        return self.circuit.types[wire]

    def constant(self, wire: Wire, op: Const) -> Text:
        """A constant where it is read: its entries, or the name that it is kept by."""
        known = op.type
        entries = [entry_of(value, known.sort, self.dtype) for value in op.values]
        made = number(entries[0]) if known.shape == () else listed(entries)
        text = f"self.{KINDS[type(known.sort)]}({made}{sides(known.shape)})"
        if len(entries) <= FEW:
            return Text(text)
        if wire not in self.constants:
            name = f"{KINDS[type(known.sort)]}_{len(self.constants) + 1}"
            self.constants[wire] = name, text
        return Text(f"self.{self.constants[wire][0]}")


def entry_of(value: Fraction | int | bool, sort: Sort, dtype: str) -> float | int | bool:
    """An entry of a constant; a real is rounded once, from the exact number."""
    match sort:
        case Real():
            return spelled(nearest(Fraction(value), dtype), dtype)
        case Index():
            return int(value)
        case Bool():
            return bool(value)
        case _:
            assert_never(sort)
