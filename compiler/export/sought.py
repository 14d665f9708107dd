"""What would decide a claim, as linear comparisons of inputs and of a network's outputs.

For `forall` it is an input that meets the conditions and misses the goal, for `exists` one that meets
both. Numbers that are compared become outputs, unless they are affine in the inputs and stand in a
condition. Of what an unknown choice decides one comparison alone can be said: then it is decided as the
search would have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from circ.compiler.builder import flat
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Contract,
    Input,
    Not,
    Real,
    Reindex,
    Select,
    Sum,
    Weight,
    Wire,
    taken_from,
)
from circ.compiler.obligation import Obligation, Reals
from circ.compiler.tensor import Weights
from circ.compiler.vnnlib.formula import (
    FALSE,
    TRUE,
    Both,
    Either,
    Formula,
    Term,
    at_most,
    equal,
    negation,
    total,
)
from circ.compiler.vnnlib.text import DEEPEST

MOST_COMPARED = 1 << 16
"""Comparisons that are written."""

MOST_TERMS = 1 << 14
"""Entries of the inputs that one affine number is written with."""

Entry = tuple[Wire, int]
"""An entry of a wire."""


class Unsayable(Exception):
    """Why the formats cannot say a claim."""


@dataclass(frozen=True, slots=True)
class Sought:
    """An obligation taken apart: `formula` is about its inputs in a row and about `outputs`."""

    formula: Formula
    outputs: tuple[Entry, ...]
    box: tuple[tuple[Fraction, Fraction], ...]


def sought(obligation: Obligation, weights: Weights) -> Sought:
    """What would decide an obligation; raises `Unsayable`."""
    if obligation.quantities:
        raise Unsayable("the formats count no domains")
    box: list[tuple[Fraction, Fraction]] = []
    starts: dict[Wire, int] = {}
    for binder in obligation.binders:
        if not isinstance(binder.values, Reals):
            raise Unsayable(f"`{binder.name}` ranges over words; the formats have real inputs")
        starts[obligation.circuit.inputs[binder.name]] = len(box)
        box.extend(binder.values.box)
    if not box:
        raise Unsayable("it has no input")
    reading = Reading(obligation.circuit, weights, starts)
    try:
        formula = Both(tuple(reading.asked(obligation)))
    except RecursionError as error:
        raise Unsayable("it is nested too deeply") from error
    if reading.choices > 1:
        raise Unsayable("several `argmax` break their ties alike, which the formats cannot say")
    return Sought(formula, tuple(reading.outputs), tuple(box))


@dataclass(slots=True)
class Reading:
    """Truths being read; `starts` says where each input begins in the row of all inputs."""

    circuit: Circuit
    weights: Weights
    starts: Mapping[Wire, int]
    outputs: dict[Entry, int] = field(default_factory=dict[Entry, int])
    affine: dict[tuple[Wire, int, bool], Term | None] = field(
        default_factory=dict[tuple[Wire, int, bool], Term | None]
    )
    compared: int = 0
    choices: int = 0

    def asked(self, obligation: Obligation) -> Iterator[Formula]:
        """The conditions, and the goal or what misses it."""
        outputs = obligation.circuit.outputs
        for name in obligation.conditions:
            yield self.formula(outputs[name], 0, True, inputs=True)
        holds = obligation.quantifier == "exists"
        yield self.formula(outputs["goal"], 0, holds, inputs=False)

    # --- truths -------------------------------------------------------------------------------

    def formula(
        self, wire: Wire, entry: int, wanted: bool, inputs: bool, depth: int = 0
    ) -> Formula:
        """Whether an entry of a truth is `wanted`; `inputs`: affine numbers are written out."""
        if depth > DEEPEST // 2:
            raise Unsayable("it is nested too deeply")

        def inner(x: Wire, k: int, want: bool = wanted) -> Formula:
            return self.formula(x, k, want, inputs, depth + 1)

        op = self.circuit.ops[wire]
        match op:
            case Const(values=values):
                return TRUE if bool(values[entry]) == wanted else FALSE
            case Not(operand=x):
                return inner(x, entry, not wanted)
            case All(operand=x) | Any(operand=x):
                side = self.circuit.types[x].shape[-1]
                parts = tuple(inner(x, entry * side + k) for k in range(side))
                return Both(parts) if isinstance(op, All) == wanted else Either(parts)
            case Reindex():
                return inner(*taken_from(op, entry, self.circuit.types))
            case Select(condition=condition, then=then, otherwise=otherwise):
                yes = Both((inner(condition, 0, True), inner(then, entry)))
                no = Both((inner(condition, 0, False), inner(otherwise, entry)))
                return Either((yes, no))
            case Compare():
                return self.comparison(op, entry, wanted, inputs)
            case _:
                raise Unsayable(f"the formats have no {type(op).__name__.lower()} of truths")

    def comparison(self, op: Compare, entry: int, wanted: bool, inputs: bool) -> Formula:
        """A comparison of two entries."""
        self.compared += 1
        if self.compared > MOST_COMPARED:
            raise Unsayable(f"it compares more than {MOST_COMPARED:,} numbers")
        if self.circuit.types[op.left].sort != Real():
            return self.chosen(op, entry, wanted)
        left, right = (self.number(x, entry, inputs) for x in (op.left, op.right))
        found = equal(left, right) if op.op == "==" else at_most(left, right, op.op == "<")
        return found if wanted else negation(found)

    def chosen(self, op: Compare, entry: int, wanted: bool) -> Formula:
        """`argmax(scores) == k`: with ties broken in favour of what is wanted."""
        sides = [self.resolved(x, entry) for x in (op.left, op.right)]
        scores = [x for x in sides if isinstance(self.circuit.ops[x[0]], Argmax)]
        known = [x for x in sides if isinstance(self.circuit.ops[x[0]], Const)]
        if len(known) == 2:
            (a, i), (b, j) = known
            same = self.constant(a, i) == self.constant(b, j)
            return TRUE if same == wanted else FALSE
        if len(scores) != 1 or len(known) != 1:
            raise Unsayable("what it compares are neither numbers nor an `argmax` with a constant")
        self.choices += 1
        ((wire, row),) = scores
        best = int(self.constant(*known[0]))
        argmax = self.circuit.ops[wire]
        assert isinstance(argmax, Argmax)
        side = self.circuit.types[argmax.operand].shape[-1]
        terms = [self.number(argmax.operand, row * side + k, False) for k in range(side)]
        others = [k for k in range(side) if k != best]
        if wanted:
            return Both(tuple(at_most(terms[k], terms[best], False) for k in others))
        return Either(tuple(at_most(terms[best], terms[k], False) for k in others))

    def constant(self, wire: Wire, entry: int) -> Fraction:
        """An entry of a constant."""
        op = self.circuit.ops[wire]
        assert isinstance(op, Const)
        return Fraction(op.values[entry])

    # --- numbers ------------------------------------------------------------------------------

    def resolved(self, wire: Wire, entry: int) -> Entry:
        """Where an entry comes from, all moves undone."""
        while isinstance(op := self.circuit.ops[wire], Reindex):
            wire, entry = taken_from(op, entry, self.circuit.types)
        return wire, entry

    def number(self, wire: Wire, entry: int, inputs: bool) -> Term:
        """A number: a term of inputs where that is short or asked for, otherwise an output."""
        found = self.linear(*self.resolved(wire, entry), products=inputs)
        if found is not None:
            return found
        key = self.resolved(wire, entry)
        place = self.outputs.setdefault(key, len(self.outputs))
        return Term(outputs={place: Fraction(1)})

    def linear(self, wire: Wire, entry: int, products: bool) -> Term | None:
        """An affine function of the inputs, if the entry is one; without `products`, a plain sum."""
        key = wire, entry, products
        if key in self.affine:
            return self.affine[key]
        op = self.circuit.ops[wire]
        found: Term | None = None
        match op:
            case Input():
                found = Term(inputs={self.starts[wire] + entry: Fraction(1)})
            case Const(values=values):
                found = Term(constant=Fraction(values[entry]))
            case Weight(key=name):
                found = Term(constant=Fraction(self.weights[name].values[entry]))
            case Reindex():
                found = self.linear(*taken_from(op, entry, self.circuit.types), products)
            case Sum(terms=terms):
                parts = [(c, self.linear(x, entry, products)) for c, x in terms]
                found = summed(parts)
            case Contract() if products:
                found = self.contracted(op, wire, entry)
            case _:
                pass
        self.affine[key] = found
        return found

    def contracted(self, op: Contract, wire: Wire, entry: int) -> Term | None:
        """A sum of products with one known side each."""
        parts: list[tuple[Fraction, Term | None]] = []
        for i, j in factors(self.circuit, op, wire, entry):
            left, right = self.linear(op.left, i, True), self.linear(op.right, j, True)
            if left is None or right is None or not (left.fixed or right.fixed):
                return None
            known, other = (left, right) if left.fixed else (right, left)
            parts.append((known.constant, other))
            if len(parts) > MOST_TERMS:
                return None
        return summed(parts)


def summed(parts: Sequence[tuple[Fraction, Term | None]]) -> Term | None:
    """A linear combination, if all of its terms are known."""
    known = [(c, part) for c, part in parts if part is not None]
    return total(known) if len(known) == len(parts) else None


def factors(circuit: Circuit, op: Contract, wire: Wire, entry: int) -> Iterator[tuple[int, int]]:
    """The entries of the operands whose products add up to an entry of a contraction."""
    inputs, output = op.spec.split("->")
    left, right = inputs.split(",")
    shapes = circuit.types[op.left].shape, circuit.types[op.right].shape
    sizes = dict(zip(left + right, shapes[0] + shapes[1], strict=True))
    at = dict(zip(output, unflat(entry, circuit.types[wire].shape), strict=True))
    inner = [letter for letter in left if letter not in at]
    for number in range(prod(sizes[x] for x in inner)):
        where = at | dict(zip(inner, unflat(number, tuple(sizes[x] for x in inner)), strict=True))
        yield flat([where[x] for x in left], shapes[0]), flat([where[x] for x in right], shapes[1])


def unflat(offset: int, shape: tuple[int, ...]) -> list[int]:
    """The coordinate at a row-major offset."""
    place: list[int] = []
    for side in reversed(shape):
        offset, index = divmod(offset, side)
        place.insert(0, index)
    return place
