"""Closed forms of a circuit's numbers at one input: where enclosures cannot tell, whether two are equal.

An entry is a quotient of sums of exponentials (`exponentials.py`), so a softmax of scores that are
rational, or rational up to square roots, has one; what is linear in it has one, and products. The
scale of a norm, 1/√(mean of squares), has none of its own: it is carried along as a positive factor
that is only ever compared with itself.

Every discrete value is taken from the enclosures, and so is whether a scale is positive. Standard
library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import assert_never

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
    Op,
    Reindex,
    Relu,
    Select,
    Smooth,
    SmoothName,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
    operands,
)
from circ.compiler.readings import exponentials, surds
from circ.compiler.readings.choices import TRUE, Choices
from circ.compiler.readings.exponentials import ExpSum
from circ.compiler.readings.intervals import Reals, along
from circ.compiler.readings.products import planned
from circ.compiler.readings.surds import Surd

MOST_STEPS = 1 << 20
"""Products of terms that are worked out for one input."""

Scale = tuple[tuple[Wire, int], ...]
"""Positive factors: entries of wires, in order, each as often as it is one."""


class NotClosed(Exception):
    """A number has no closed form that is worked with here."""


@dataclass(frozen=True, slots=True, eq=False)
class ClosedForm:
    """`above` / `below` times the entries in `scale`; `below` is not zero."""

    above: ExpSum
    below: ExpSum
    scale: Scale = ()

    @property
    def rational(self) -> Fraction | None:
        """Its value; None where it is no rational number written as one."""
        if self.above.zero:
            return Fraction(0)
        if self.scale or self.below != ONE:
            return None
        value = self.above.algebraic
        return None if value is None else value.rational


ONE = exponentials.number(Fraction(1))
NOTHING = ClosedForm(ExpSum(), ONE)
Entries = list[ClosedForm]


@dataclass(slots=True)
class Forms:
    """The closed forms of a circuit at an input, of which `found` has enclosures."""

    circuit: Circuit
    found: Mapping[Wire, Reals | Choices]
    known: dict[Wire, Entries | None] = field(default_factory=dict[Wire, Entries | None])
    steps: int = 0

    def entries(self, wire: Wire) -> Entries:
        """The forms of a real wire; raises `NotClosed`."""
        if wire not in self.known:
            for inner in self.behind(wire):
                self.known[inner] = self.attempt(inner)
        found = self.known[wire]
        if found is None:
            raise NotClosed
        return found

    def behind(self, wire: Wire) -> list[Wire]:
        """The real wires to be worked out first, in order, and the wire itself.

        Raises `NotClosed` where powers stand in the exponents of others, before anything is done.
        """
        seen, waiting = set[Wire](), [wire]
        while waiting:
            x = waiting.pop()
            if x in seen or x in self.known or not isinstance(self.found[x], Reals):
                continue
            seen.add(x)
            waiting.extend(() if self.found[x].exact else operands(self.circuit.ops[x]))
        powers = set[Wire]()
        for x in sorted(seen):
            op, above = self.circuit.ops[x], not powers.isdisjoint(operands(self.circuit.ops[x]))
            grows = isinstance(op, Softmax) or (isinstance(op, Smooth) and op.function == "exp")
            if grows and above:
                raise NotClosed
            if (grows or above) and not self.found[x].exact:
                powers.add(x)
        return sorted(seen)

    def attempt(self, wire: Wire) -> Entries | None:
        """The forms of a wire whose operands have been tried."""
        value = self.found[wire]
        assert isinstance(value, Reals)
        if value.exact:
            return [ClosedForm(exponentials.number(low), ONE) for low, _ in value.box]
        try:
            return self.of(wire, self.circuit.ops[wire])
        except NotClosed:
            return None

    def spend(self, steps: int) -> None:
        """Raise `NotClosed` when more is to be worked out than makes sense."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise NotClosed

    # --- ops ------------------------------------------------------------------------------

    def of(self, wire: Wire, op: Op) -> Entries:
        """The forms of one op's wire; raises `NotClosed`."""
        match op:
            case Reindex(operands=wires, source=source):
                laid = [entry for x in wires for entry in self.entries(x)]
                return [laid[k] for k in source]
            case Sum(terms=terms):
                columns = zip(*(self.entries(x) for _, x in terms), strict=True)
                factors = [c for c, _ in terms]
                return [self.total([*zip(factors, column, strict=True)]) for column in columns]
            case Contract():
                return self.contracted(op)
            case Relu(operand=x):
                return [entry if self.sign(entry) > 0 else NOTHING for entry in self.entries(x)]
            case Max(operand=x):
                rows = along(self.entries(x), self.circuit.types[x].shape)
                return [row[self.leaders(row, range(len(row)))[0]] for row in rows]
            case Smooth(function=function, operand=x):
                pairs = enumerate(self.entries(x))
                return [self.smooth(function, entry, (wire, k)) for k, entry in pairs]
            case Softmax(operand=x):
                rows = along(self.entries(x), self.circuit.types[x].shape)
                return [share for row in rows for share in self.shares(row)]
            case Select(condition=condition, then=then, otherwise=otherwise):
                (truth,) = self.codes(condition)
                return self.entries(then if frozenset({truth}) == TRUE else otherwise)
            case Lookup():
                return self.looked_up(op)
            case Input() | Const() | Weight() | Compare() | Not() | All() | Any():
                raise NotClosed
            case Argmax() | TopK():
                raise NotClosed
            case _:
                assert_never(op)

    def contracted(self, op: Contract) -> Entries:
        """An einsum."""
        shape = self.circuit.types
        plan = planned(op.spec, shape[op.left].shape, shape[op.right].shape)
        left, right = self.entries(op.left), self.entries(op.right)
        found = Entries()
        mine, theirs = len(plan.left) // plan.batches, len(plan.right) // plan.batches
        for batch in range(plan.batches):
            for a in plan.left[batch * mine : (batch + 1) * mine]:
                for b in plan.right[batch * theirs : (batch + 1) * theirs]:
                    found.append(self.dot([left[k] for k in a], [right[k] for k in b]))
        return [found[k] for k in plan.order]

    def dot(self, x: Sequence[ClosedForm], y: Sequence[ClosedForm]) -> ClosedForm:
        """Σ x y."""
        terms = list[tuple[Fraction, ClosedForm]]()
        for a, b in zip(x, y, strict=True):
            p, q = a.rational, b.rational
            if p is not None or q is not None:
                terms.append((p, b) if p is not None else (q or Fraction(0), a))
            else:
                terms.append((Fraction(1), self.product(a, b)))
        return self.total(terms)

    def product(self, x: ClosedForm, y: ClosedForm) -> ClosedForm:
        """x y."""
        self.spend(
            len(x.above.parts) * len(y.above.parts) + len(x.below.parts) * len(y.below.parts)
        )
        above = exponentials.product(x.above, y.above)
        below = exponentials.product(x.below, y.below)
        return NOTHING if above.zero else ClosedForm(above, below, tuple(sorted(x.scale + y.scale)))

    def total(self, terms: Sequence[tuple[Fraction, ClosedForm]]) -> ClosedForm:
        """Σ q x, over one denominator; raises `NotClosed` where scales differ."""
        some = [(q, x) for q, x in terms if q and not x.above.zero]
        if not some:
            return NOTHING
        first = some[0][1]
        if any(x.scale != first.scale for _, x in some):
            raise NotClosed
        below = first.below
        for _, x in some:
            if x.below is not below and x.below != below and x.below != ONE:
                if below != ONE:
                    return self.crosswise(some)
                below = x.below
        self.spend(sum(len(x.above.parts) for _, x in some))
        over = [(q, x.above if x.below == below else self.times(x.above, below)) for q, x in some]
        return ClosedForm(exponentials.combined(over), below, first.scale)

    def times(self, x: ExpSum, y: ExpSum) -> ExpSum:
        """x y."""
        self.spend(len(x.parts) * len(y.parts))
        return exponentials.product(x, y)

    def crosswise(self, terms: Sequence[tuple[Fraction, ClosedForm]]) -> ClosedForm:
        """Σ q x for several denominators."""
        above, below = ExpSum(), ONE
        for q, x in terms:
            parts = [(Fraction(1), self.times(above, x.below)), (q, self.times(x.above, below))]
            above, below = exponentials.combined(parts), self.times(below, x.below)
        return ClosedForm(above, below, terms[0][1].scale)

    def smooth(self, function: SmoothName, x: ClosedForm, place: tuple[Wire, int]) -> ClosedForm:
        """A smooth function; what has no form of its own becomes a scale, if it is positive."""
        value = x.above.algebraic if x.below == ONE and not x.scale else None
        match function:
            case "exp":
                return ClosedForm(exponentials.power(exponent_of(x)), ONE)
            case "sqrt":
                under = None if value is None else value.rational
                root = None if under is None else surds.root(under)
                return (
                    self.scaled(place)
                    if root is None
                    else ClosedForm(exponentials.constant(root), ONE)
                )
            case "recip":
                if x.scale:
                    return self.scaled(place)
                back = exponentials.inverse(x.above)
                return (
                    ClosedForm(x.below, x.above)
                    if back is None
                    else ClosedForm(self.times(back, x.below), ONE)
                )

    def scaled(self, place: tuple[Wire, int]) -> ClosedForm:
        """A number that is known to be positive, and no more."""
        value = self.found[place[0]]
        assert isinstance(value, Reals)
        if value.lo[place[1]] <= 0:
            raise NotClosed
        return ClosedForm(ONE, ONE, (place,))

    def shares(self, scores: Sequence[ClosedForm]) -> Entries:
        """The softmax of one row."""
        powers = [exponentials.power(exponent_of(x)) for x in scores]
        below = exponentials.combined((Fraction(1), x) for x in powers)
        return [ClosedForm(x, below) for x in powers]

    def looked_up(self, op: Lookup) -> Entries:
        """The entries that known indices name."""
        table, shape = self.entries(op.table), self.circuit.types[op.table].shape
        found = Entries()
        for places in zip(*map(self.codes, op.indices), strict=True):
            start, width = 0, len(table)
            for place, side in zip(places, shape, strict=False):
                width //= side
                start += place * width
            found += table[start : start + width]
        return found

    def codes(self, wire: Wire) -> list[int]:
        """Truths or indices; raises `NotClosed` where they are open."""
        value = self.found[wire]
        assert isinstance(value, Choices)
        if not value.exact:
            raise NotClosed
        return [code for (code,) in value.sets]

    # --- order ----------------------------------------------------------------------------

    def sign(self, x: ClosedForm) -> int:
        """-1, 0 or 1; raises `NotClosed` where that takes too many bits."""
        above, below = exponentials.sign(x.above), exponentials.sign(x.below)
        if above is None or below is None:
            raise NotClosed
        return above * below

    def order(self, x: ClosedForm, y: ClosedForm) -> int:
        """The sign of x - y; raises `NotClosed`."""
        return self.sign(self.total([(Fraction(1), x), (Fraction(-1), y)]))

    def leaders(self, row: Sequence[ClosedForm], places: Sequence[int]) -> list[int]:
        """Those of some places in a row where the largest entry of them is; raises `NotClosed`."""
        best = [places[0]]
        for k in places[1:]:
            order = self.order(row[k], row[best[0]])
            best = [k] if order > 0 else [*best, k] if order == 0 else best
        return best


def exponent_of(x: ClosedForm) -> Surd:
    """A number as an exponent; raises `NotClosed` where it is not known to be algebraic."""
    value = x.above.algebraic if x.below == ONE and not x.scale else None
    if value is None or not exponentials.moderate(value):
        raise NotClosed
    return value
