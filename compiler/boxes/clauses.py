"""What would refute a claim, as clauses of inequalities between real entries.

The conditions and the negated goal are a Boolean formula of comparisons; here it is in disjunctive
form. A claim is proved once no input of the box meets any clause. An index of a largest entry is
compared by its scores, ties counted as met: that only makes the clauses easier to meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from operator import le, lt

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Index,
    Input,
    Lookup,
    Not,
    Reindex,
    Select,
    Sum,
    Weight,
    Wire,
    taken_from,
)
from circ.compiler.obligation import Obligation, Reals
from circ.compiler.tensor import Weights

MOST_CLAUSES = 1 << 12
"""Most clauses, and most inequalities in one of them."""


class Beyond(Exception):
    """The question has no form here; the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Atom:
    """`left[entry] <= right[other]`, or `<` where strict; entries row-major."""

    left: Wire
    entry: int
    right: Wire
    other: int
    strict: bool


Clause = frozenset[Atom]
Clauses = tuple[Clause, ...]
"""Met where one of the clauses is; a clause where all of its atoms hold."""

ALWAYS: Clauses = (frozenset(),)
NEVER: Clauses = ()


def refuting(obligation: Obligation, weights: Weights) -> Clauses:
    """The clauses that an input has to meet to refute a claim; raises `Beyond`."""
    reader = Reader(obligation.circuit)
    try:
        found = reader.truth(obligation.circuit.outputs["goal"], 0, positive=False)
        for name in obligation.conditions:
            found = both(found, reader.truth(obligation.circuit.outputs[name], 0, positive=True))
        return either(pruned(found, Ends(obligation, weights)))
    except RecursionError:
        raise Beyond("its formula is too deep") from None


def pruned(clauses: Clauses, ends: Ends) -> Iterator[Clause]:
    """The clauses that the box does not rule out, without what holds on all of it."""
    for clause in clauses:
        told = {atom: ends.holds(atom) for atom in clause}
        if False not in told.values():
            yield frozenset(atom for atom, holds in told.items() if holds is None)


@dataclass(frozen=True, slots=True)
class Ends:
    """What is exactly known of entries: constants, weights, the ends of the box for inputs, and sums.

    A box whose ends are weights, `m.low <= x <= m.high`, or around one, says no more of its inputs
    in clauses than a box of plain numbers does.
    """

    obligation: Obligation
    weights: Weights
    known: dict[tuple[Wire, int], tuple[Fraction, Fraction] | None] = field(
        default_factory=dict[tuple[Wire, int], tuple[Fraction, Fraction] | None]
    )

    def holds(self, atom: Atom) -> bool | None:
        """Whether an inequality holds on the whole box, or nowhere on it; None where that is open."""
        left, right = self.of(atom.left, atom.entry), self.of(atom.right, atom.other)
        if left is None or right is None:
            return None
        compare = lt if atom.strict else le
        if compare(left[1], right[0]):
            return True
        return None if compare(left[0], right[1]) else False

    def of(self, wire: Wire, entry: int) -> tuple[Fraction, Fraction] | None:
        """The ends of an entry, where they are known."""
        place = wire, entry
        if place not in self.known:
            self.known[place] = self.found(wire, entry)
        return self.known[place]

    def found(self, wire: Wire, entry: int) -> tuple[Fraction, Fraction] | None:
        """The same, from the ends of what it is made of."""
        circuit = self.obligation.circuit
        op = circuit.ops[wire]
        match op:
            case Const(values=values):
                return Fraction(values[entry]), Fraction(values[entry])
            case Weight(key=key):
                value = Fraction(self.weights[key].values[entry])
                return value, value
            case Input(name=name):
                (binder,) = (b for b in self.obligation.binders if b.name == name)
                return binder.values.box[entry] if isinstance(binder.values, Reals) else None
            case Reindex():
                return self.of(*taken_from(op, entry, circuit.types))
            case Sum(terms=terms):
                return self.total(terms, entry)
            case _:
                return None

    def total(
        self, terms: Iterable[tuple[Fraction, Wire]], entry: int
    ) -> tuple[Fraction, Fraction] | None:
        """The ends of a sum."""
        low = high = Fraction(0)
        for coefficient, wire in terms:
            ends = self.of(wire, entry)
            if ends is None:
                return None
            sides = sorted(coefficient * end for end in ends)
            low, high = low + sides[0], high + sides[1]
        return low, high


def both(left: Clauses, right: Clauses) -> Clauses:
    """Met where both are."""
    if len(left) * len(right) > MOST_CLAUSES:
        raise Beyond(f"more than {MOST_CLAUSES:,} ways to refute it have to be told apart")
    return either(a | b for a, b in product(left, right))


def either(clauses: Iterable[Clause]) -> Clauses:
    """Met where one of them is; each stands once."""
    found = tuple(dict.fromkeys(clauses))
    if len(found) > MOST_CLAUSES or any(len(clause) > MOST_CLAUSES for clause in found):
        raise Beyond(f"more than {MOST_CLAUSES:,} ways to refute it have to be told apart")
    return ALWAYS if frozenset() in found else found


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads truths and indices of a circuit, entry by entry."""

    circuit: Circuit

    def truth(self, wire: Wire, entry: int, *, positive: bool) -> Clauses:
        """Where one entry of a truth holds, or does not."""
        op = self.circuit.ops[wire]
        match op:
            case Const(values=known):
                return ALWAYS if bool(known[entry]) == positive else NEVER
            case Not(operand=inner):
                return self.truth(inner, entry, positive=not positive)
            case All(operand=inner) | Any(operand=inner):
                width = self.circuit.types[inner].shape[-1]
                places = range(entry * width, (entry + 1) * width)
                parts = [self.truth(inner, k, positive=positive) for k in places]
                return conjunction(parts) if isinstance(op, All) == positive else union(parts)
            case Reindex():
                inner, place = taken_from(op, entry, self.circuit.types)
                return self.truth(inner, place, positive=positive)
            case Compare():
                return self.compared(op, entry, positive)
            case Select(condition=condition, then=then, otherwise=otherwise):
                met = self.truth(condition, 0, positive=True)
                missed = self.truth(condition, 0, positive=False)
                first = both(met, self.truth(then, entry, positive=positive))
                return union([first, both(missed, self.truth(otherwise, entry, positive=positive))])
            case Lookup(table=table, indices=indices):
                width = self.circuit.types[wire].entries // self.circuit.types[indices[0]].entries
                return union(
                    both(where, self.truth(table, row * width + entry % width, positive=positive))
                    for row, where in self.rows(table, indices, entry // width)
                )
            case _:
                raise Beyond(f"a truth made by {type(op).__name__} has no form as inequalities")

    def compared(self, op: Compare, entry: int, positive: bool) -> Clauses:
        """Where a comparison of two entries holds, or does not."""
        if isinstance(self.circuit.types[op.left].sort, Index):
            return self.same(op, entry, positive)
        left, right = (op.left, entry), (op.right, entry)
        match op.op, positive:
            case "<=", True:
                return one(Atom(*left, *right, strict=False))
            case "<=", False:
                return one(Atom(*right, *left, strict=True))
            case "<", True:
                return one(Atom(*left, *right, strict=True))
            case "<", False:
                return one(Atom(*right, *left, strict=False))
            case "==", True:
                sides = (Atom(*left, *right, strict=False), Atom(*right, *left, strict=False))
                return (frozenset(sides),)
            case _:
                sides = (Atom(*left, *right, strict=True), Atom(*right, *left, strict=True))
                return tuple(frozenset({side}) for side in sides)

    def same(self, op: Compare, entry: int, positive: bool) -> Clauses:
        """Where two indices are the same, or differ."""
        if not positive:
            for chosen, known in ((op.left, op.right), (op.right, op.left)):
                scored, other = self.circuit.ops[chosen], self.circuit.ops[known]
                if isinstance(scored, Argmax) and isinstance(other, Const):
                    return self.beaten(scored, entry, int(other.values[entry]))
        pairs = product(self.cases(op.left, entry), self.cases(op.right, entry))
        return union(both(a, b) for (x, a), (y, b) in pairs if (x == y) == positive)

    def beaten(self, op: Argmax, entry: int, chosen: int) -> Clauses:
        """Where another index than `chosen` may be that of a largest score."""
        width = self.circuit.types[op.operand].shape[-1]
        start, scores = entry * width, op.operand
        mine = (scores, start + chosen)
        rivals = (j for j in range(width) if j != chosen)
        return either(frozenset({Atom(*mine, scores, start + j, False)}) for j in rivals)

    def cases(self, wire: Wire, entry: int) -> list[tuple[int, Clauses]]:
        """Each value that an index may have, and where it may have it."""
        op = self.circuit.ops[wire]
        match op:
            case Const(values=known):
                return [(int(known[entry]), ALWAYS)]
            case Reindex():
                return self.cases(*taken_from(op, entry, self.circuit.types))
            case Argmax(operand=scores):
                width = self.circuit.types[scores].shape[-1]
                start = entry * width
                return [(k, (self.largest(scores, start, width, k),)) for k in range(width)]
            case Select(condition=condition, then=then, otherwise=otherwise):
                met = self.truth(condition, 0, positive=True)
                missed = self.truth(condition, 0, positive=False)
                first = [(k, both(met, where)) for k, where in self.cases(then, entry)]
                rest = self.cases(otherwise, entry)
                return first + [(k, both(missed, where)) for k, where in rest]
            case Lookup(table=table, indices=indices):
                width = self.circuit.types[wire].entries // self.circuit.types[indices[0]].entries
                return [
                    (value, both(where, there))
                    for row, where in self.rows(table, indices, entry // width)
                    for value, there in self.cases(table, row * width + entry % width)
                ]
            case _:
                raise Beyond(f"an index made by {type(op).__name__} has no form as inequalities")

    def largest(self, scores: Wire, start: int, width: int, chosen: int) -> Clause:
        """Where a score is a largest one."""
        rivals = (start + j for j in range(width) if j != chosen)
        return frozenset(Atom(scores, j, scores, start + chosen, strict=False) for j in rivals)

    def rows(self, table: Wire, indices: tuple[Wire, ...], entry: int) -> list[tuple[int, Clauses]]:
        """The rows of a table that indices may name, row-major, and where they do."""
        found: list[tuple[int, Clauses]] = [(0, ALWAYS)]
        for wire, side in zip(indices, self.circuit.types[table].shape, strict=False):
            here = self.cases(wire, entry)
            found = [
                (row * side + value, both(where, there))
                for row, where in found
                for value, there in here
            ]
        return found


def one(atom: Atom) -> Clauses:
    """Met where the inequality holds."""
    return (frozenset({atom}),)


def conjunction(parts: Iterable[Clauses]) -> Clauses:
    """Met where all are."""
    found = ALWAYS
    for part in parts:
        found = both(found, part)
    return found


def union(parts: Iterable[Clauses]) -> Clauses:
    """Met where one of them is."""
    return either(clause for part in parts for clause in part)
