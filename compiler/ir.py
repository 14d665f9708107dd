"""The intermediate representation: a circuit is a list of ops, and op `i` drives wire `i`.

Ops are few and act on whole tensors, so that one reading serves a batch of a million words and
another a single exact input. Every slice, stack, transpose and broadcast is one `Reindex`; every
product is one `Contract`; every choice among finitely many values is one `Lookup`. A *reading*
(`circ.compiler.readings`, `circ.compiler.smt`) is one function with one exhaustive `match`.

Wires carry no batch axis. Exact reals are the meaning; see `circ.compiler.readings.reference`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NewType

Wire = NewType("Wire", int)
Shape = tuple[int, ...]


# --- sorts ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Real:
    """An exact real number."""


@dataclass(frozen=True, slots=True)
class Bool:
    """A truth value."""


@dataclass(frozen=True, slots=True)
class Index:
    """One of `0 … size - 1`: a member of an enum, a position."""

    size: int


Sort = Real | Bool | Index


@dataclass(frozen=True, slots=True)
class WireType:
    """What a wire carries: `shape` entries of one sort, in row-major order."""

    sort: Sort
    shape: Shape

    @property
    def entries(self) -> int:
        """How many entries the wire has."""
        count = 1
        for side in self.shape:
            count *= side
        return count


# --- ops ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Input:
    """A free variable: a binder of a claim."""

    name: str
    type: WireType


@dataclass(frozen=True, slots=True)
class Const:
    """Known entries, row-major: Fractions for `Real`, ints for `Index`, bools for `Bool`."""

    type: WireType
    values: tuple[Fraction | int | bool, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor of a checkpoint, by its key; its values come from a `Weights` mapping."""

    key: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Reindex:
    """Entry `k` is entry `source[k]` of the operands' entries laid end to end (any one sort)."""

    operands: tuple[Wire, ...]
    source: tuple[int, ...] = field(repr=False)
    shape: Shape


@dataclass(frozen=True, slots=True)
class Sum:
    """The linear combination of operands of one shape, with exact coefficients."""

    terms: tuple[tuple[Fraction, Wire], ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """Einstein summation of two operands, `ij,j->i`: one distinct letter an axis of each side.

    A letter is in both operands, or in one operand and the output (no one-sided sums).
    """

    spec: str
    left: Wire
    right: Wire


@dataclass(frozen=True, slots=True)
class Relu:
    """max(0, x), entrywise."""

    operand: Wire


@dataclass(frozen=True, slots=True)
class Max:
    """The largest entry along the last axis, which is dropped."""

    operand: Wire


SmoothName = Literal["exp", "recip", "sqrt"]


@dataclass(frozen=True, slots=True)
class Smooth:
    """A smooth function of one variable, entrywise: e^x, 1/x (x of one sign), √x (x >= 0)."""

    function: SmoothName
    operand: Wire


@dataclass(frozen=True, slots=True)
class Softmax:
    """e^{x_i} / Σ_j e^{x_j} along the last axis."""

    operand: Wire


Comparison = Literal["<", "<=", "=="]


@dataclass(frozen=True, slots=True)
class Compare:
    """Entrywise comparison of two operands of one shape; `==` also compares `Index` wires."""

    op: Comparison
    left: Wire
    right: Wire


@dataclass(frozen=True, slots=True)
class Not:
    """Entrywise negation."""

    operand: Wire


@dataclass(frozen=True, slots=True)
class All:
    """Whether every entry holds, along the last axis, which is dropped; true when it is empty."""

    operand: Wire


@dataclass(frozen=True, slots=True)
class Any:
    """Whether some entry holds, along the last axis, which is dropped; false when it is empty."""

    operand: Wire


@dataclass(frozen=True, slots=True)
class Select:
    """`then` where the scalar condition holds, `otherwise` elsewhere (any one type)."""

    condition: Wire
    then: Wire
    otherwise: Wire


@dataclass(frozen=True, slots=True)
class Lookup:
    """`table[i1, …, ik]` for `Index` wires of one shape B: shape B + the table's other axes."""

    table: Wire
    indices: tuple[Wire, ...]


@dataclass(frozen=True, slots=True)
class Argmax:
    """The index of a largest entry along the last axis; ties follow the choice function.

    The choice depends on the score vector alone: equal scores, equal choice (docs/design/0001).
    """

    operand: Wire


@dataclass(frozen=True, slots=True)
class TopK:
    """1 at the `count` largest entries along the last axis, which stays, and 0 at the others.

    Which of equal entries it keeps follows the choice function: it depends on `count` and the score
    vector alone. The largest one is the entry that `Argmax` names (docs/design/0001).
    """

    count: int
    operand: Wire


Op = (
    Input
    | Const
    | Weight
    | Reindex
    | Sum
    | Contract
    | Relu
    | Max
    | Smooth
    | Softmax
    | Compare
    | Not
    | All
    | Any
    | Select
    | Lookup
    | Argmax
    | TopK
)


# --- circuits -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Circuit:
    """Ops in order (operands first), the type of each wire, and the wires that have a name."""

    ops: tuple[Op, ...]
    types: tuple[WireType, ...]
    outputs: Mapping[str, Wire]

    @property
    def inputs(self) -> dict[str, Wire]:
        """The input wires by name."""
        return {op.name: Wire(i) for i, op in enumerate(self.ops) if isinstance(op, Input)}

    @property
    def weights(self) -> tuple[str, ...]:
        """The keys of the checkpoint tensors it reads."""
        return tuple(op.key for op in self.ops if isinstance(op, Weight))


def taken_from(op: Reindex, place: int, types: Sequence[WireType]) -> tuple[Wire, int]:
    """The operand that one entry of a `Reindex` comes from, and which of its entries it is."""
    source = op.source[place]
    for wire in op.operands:
        if source < types[wire].entries:
            return wire, source
        source -= types[wire].entries
    raise AssertionError("an entry that no operand has")


def operands(op: Op) -> tuple[Wire, ...]:
    """The wires an op reads, in order."""
    match op:
        case Input() | Const() | Weight():
            return ()
        case Reindex(operands=wires):
            return wires
        case Sum(terms=terms):
            return tuple(wire for _, wire in terms)
        case Contract(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Select(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Lookup(table=table, indices=indices):
            return (table, *indices)
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
            return (x,)
