"""A circuit of one variable, read as affine functions with hinges, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TypeVar, assert_never

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
from circ.compiler.linear_forms import Linear, Signed, pairs, total
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights
from circ.compiler.units.affine import difference, scaled
from circ.compiler.units.hidden import NotOneLayer
from circ.compiler.units.hinges import Hinges

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Guard:
    """A truth that holds on one side of a plane: where its slack is positive."""

    slack: Linear


Entry = Linear | int | Guard
"""A number, an index or a known truth, or a truth that depends on the variable."""

Entries = tuple[Entry, ...]


@dataclass(slots=True)
class HingeReading:
    """What is known of a circuit's wires."""

    circuit: Circuit
    weights: Weights = field(repr=False)
    hinges: Hinges
    known: dict[Wire, Entries] = field(default_factory=dict[Wire, Entries])

    def read(self, wanted: Wire) -> tuple[Linear, ...]:
        """A real wire; raises `NotOneLayer`."""
        for wire in sorted(live(self.circuit, [wanted])):
            self.known[wire] = self.entries(wire)
        return self.reals(wanted)

    def reals(self, wire: Wire) -> tuple[Linear, ...]:
        """The entries of a real wire."""
        return tuple(entry for entry in self.known[wire] if isinstance(entry, Linear))

    def entries(self, wire: Wire) -> Entries:
        """The entries of a wire, from those before it."""
        op, types = self.circuit.ops[wire], self.circuit.types
        match op:
            case Input():
                return tuple(self.variable(k) for k in range(types[wire].entries))
            case Const(type=kind, values=values):
                if kind.sort == Real():
                    return constants(values)
                return tuple(map(int, values))
            case Weight(key=key):
                return constants(self.weights[key].values)
            case Reindex(operands=wires, source=source):
                whole = [entry for x in wires for entry in self.known[x]]
                return tuple(whole[k] for k in source)
            case Sum(terms=terms):
                each = zip(*(scaled_all(c, self.reals(x)) for c, x in terms), strict=True)
                return tuple(total((Fraction(1), part) for part in parts) for parts in each)
            case Contract():
                return tuple(self.product(op, wire, k) for k in range(types[wire].entries))
            case Relu(operand=x):
                return tuple(map(self.hinges.positive, self.reals(x)))
            case Max(operand=x):
                return self.along(x, self.reals(x), self.hinges.greatest)
            case Compare(left=left, right=right):
                both = zip(self.known[left], self.known[right], strict=True)
                return tuple(self.compared(op, a, b) for a, b in both)
            case Not(operand=x):
                return tuple(map(denied, self.known[x]))
            case All(operand=x):
                return self.along(x, self.known[x], lambda run: joined(run, 1))
            case Any(operand=x):
                return self.along(x, self.known[x], lambda run: joined(run, 0))
            case Select(condition=condition, then=then, otherwise=otherwise):
                return self.chosen(self.known[condition][0], then, otherwise)
            case Lookup(table=table, indices=indices):
                return self.looked_up(table, indices, types[wire].entries)
            case Argmax() | TopK() | Smooth() | Softmax():
                raise NotOneLayer(CALLED[type(op).__name__])
            case _:
                assert_never(op)

    def variable(self, entry: int) -> Linear:
        """An entry of the variable; one that has one value is that."""
        low, high = self.hinges.box[entry]
        return Linear({}, low) if low == high else Linear({entry: Fraction(1)}, Fraction(0))

    def product(self, op: Contract, wire: Wire, entry: int) -> Linear:
        """An entry of a contraction, of whose factors one is known."""
        left, right = self.reals(op.left), self.reals(op.right)
        terms: list[tuple[Fraction, Linear]] = []
        for i, j in pairs(self.circuit, op, Signed(wire, entry, positive=True)):
            a, b = left[i], right[j]
            if a.coefficients and b.coefficients:
                raise NotOneLayer("a product of two values that both depend on the input")
            terms.append((b.constant, a) if a.coefficients else (a.constant, b))
        return total(terms)

    def along(self, wire: Wire, values: Sequence[T], of: Callable[[Sequence[T]], Entry]) -> Entries:
        """What is made of each run along the last axis, which is dropped."""
        *rest, side = self.circuit.types[wire].shape
        return tuple(of(values[k * side : (k + 1) * side]) for k in range(prod(rest)))

    def compared(self, op: Compare, a: Entry, b: Entry) -> Entry:
        """A comparison of two entries, which are no truths; where the box or the band leaves no choice, it is known."""
        if isinstance(a, int) and isinstance(b, int):
            return int(a == b)
        assert isinstance(a, Linear)
        assert isinstance(b, Linear)
        slack = difference(b, a)
        low, high = self.hinges.bounds(slack)
        match op.op:
            case "<=" | "<":
                if low > 0 or (low == 0 and op.op == "<="):
                    return 1
                if high < 0 or (high == 0 and op.op == "<"):
                    return 0
            case "==":
                if low > 0 or high < 0 or low == high:
                    return int(low == high == 0)
                raise NotOneLayer("an `==` of numbers as a condition")
            case _:
                assert_never(op.op)
        if self.hinges.bent(slack):
            raise NotOneLayer("a guard on what has a relu, a max or another guard in it")
        return Guard(slack)

    def chosen(self, condition: Entry, then: Wire, otherwise: Wire) -> Entries:
        """`then` on one side of a plane, `otherwise` on the other."""
        if isinstance(condition, Guard):
            if self.circuit.types[then].sort != Real():
                raise NotOneLayer("a truth or an index that a guard chooses")
            return tuple(
                self.hinges.guarded(condition.slack, self.reals(then), self.reals(otherwise))
            )
        return self.known[then if condition else otherwise]

    def looked_up(self, table: Wire, indices: Sequence[Wire], entries: int) -> Entries:
        """Entries of a table at indices, which are known: nothing makes others of numbers that is read here."""
        sides = self.circuit.types[table].shape[: len(indices)]
        runs = self.circuit.types[indices[0]].entries
        width, found = entries // max(runs, 1), list[Entry]()
        for run in range(runs):
            place = 0
            for wire, side in zip(indices, sides, strict=True):
                index = self.known[wire][run]
                assert isinstance(index, int)
                place = place * side + index
            found += self.known[table][place * width : (place + 1) * width]
        return tuple(found)


CALLED: Mapping[str, str] = {
    "Argmax": "`argmax`",
    "TopK": "`topk`",
    "Smooth": "`exp`, `sqrt` or a division",
    "Softmax": "`softmax`",
}
"""What ops that no unit computes are called in the language."""


def constants(values: Iterable[Fraction | int | bool | float]) -> tuple[Linear, ...]:
    """Known entries; a finite float is the rational it denotes."""
    return tuple(Linear({}, Fraction(value)) for value in values)


def scaled_all(factor: Fraction, rows: Iterable[Linear]) -> list[Linear]:
    """factor · row, of each."""
    return [scaled(factor, row) for row in rows]


def denied(entry: Entry) -> Entry:
    """The other side of a plane, or of a known truth."""
    if isinstance(entry, Guard):
        return Guard(scaled(Fraction(-1), entry.slack))
    assert isinstance(entry, int)
    return 1 - entry


def joined(run: Sequence[Entry], neutral: int) -> Entry:
    """`all` (neutral 1) or `any` (0) of truths: one that is not known decides alone."""
    if any(entry == 1 - neutral for entry in run):
        return 1 - neutral
    rest = [entry for entry in run if isinstance(entry, Guard)]
    if len(rest) > 1 and any(guard != rest[0] for guard in rest):
        raise NotOneLayer(f"a guard of {len(rest)} conditions, of which a layer can follow one")
    return rest[0] if rest else neutral
