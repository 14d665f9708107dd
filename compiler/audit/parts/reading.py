"""A claim about a box, read as clauses of affine functions of units.

On every input, each clause of the claim has one comparison that holds. So the claim fails just where
all rows of some clause are at most 0, or below 0 where the comparison is weak.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from circ.compiler.audit.clauses import Formula, class_formula, places_of
from circ.compiler.audit.entries import (
    Curve,
    Given,
    Join,
    Kept,
    Known,
    Leader,
    Letter,
    Linear,
    Negation,
    Nodes,
    Order,
    Pick,
    Products,
    Rectified,
    Share,
    Stored,
    behind,
    numbered,
)
from circ.compiler.audit.parts.units import Affine, Name, Number, Units, combined, known, negated
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.ir import Circuit, Wire
from circ.compiler.obligation import Box, Obligation, Reals
from circ.compiler.tensor import Weights

MANY = 8
"""A number of more terms than this that is read several times is a unit of its own: then they are
multiplied once."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What is above 0 where a comparison holds, or not below where it is not `strict`."""

    of: Affine
    strict: bool


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """Clauses of rows over the units of a box, without those that inputs alone decide."""

    box: Box
    units: Units
    clauses: tuple[tuple[Row, ...], ...]


def claim_of(obligation: Obligation, weights: Weights) -> Claim:
    """A claim as it is put to a box; raises `Rejected` for one that is about something else."""
    require(obligation.quantifier == "forall", "that something exists is shown by a witness")
    require(not obligation.quantities, "it is about numbers of inputs")
    circuit = obligation.circuit
    box = box_of(obligation)
    roots = [circuit.outputs[name] for name in (*obligation.conditions, "goal")]
    nodes, places, names = named(circuit, roots)
    *conditions, goal = places
    options = (*((place, False) for place in conditions), (goal, True))
    formula = class_formula(nodes, options, {})
    reading = Reading(nodes, names, weights, Units(len(box)), {})
    clauses = reading.clauses(formula)
    return Claim(box, reading.units, tuple(open_clauses(clauses, box)))


def open_clauses(clauses: Iterable[tuple[Row, ...]], box: Box) -> Iterator[tuple[Row, ...]]:
    """The clauses that no comparison of inputs settles, without the comparisons that never hold."""
    for clause in clauses:
        told = [(row, decided(row, box)) for row in clause]
        if not any(holds for _, holds in told):
            yield tuple(row for row, holds in told if holds is None)


def decided(row: Row, box: Box) -> bool | None:
    """Whether a row of inputs alone is as it should be on the whole box, or nowhere; None where not known."""
    terms = row.of.terms
    if any(unit >= len(box) for unit in terms):
        return None
    least = row.of.const + sum(by * box[u][by < 0] for u, by in terms.items())
    most = row.of.const + sum(by * box[u][by > 0] for u, by in terms.items())
    if least > 0 or (least == 0 and not row.strict):
        return True
    return False if most < 0 or (most == 0 and row.strict) else None


def box_of(obligation: Obligation) -> Box:
    """The box of all inputs, in the order of the circuit."""
    bounds = {bound.name: bound.values for bound in obligation.binders}
    found = list[tuple[Fraction, Fraction]]()
    require({*obligation.circuit.inputs} <= {*bounds}, "it reads more than its binders")
    for name in obligation.circuit.inputs:
        values = bounds[name]
        if not isinstance(values, Reals):
            raise Rejected("it is not about real numbers alone")
        found.extend(values.box)
    return tuple(found)


def named(
    circuit: Circuit, roots: Sequence[Wire]
) -> tuple[Nodes, list[int], Mapping[int, tuple[int, int]]]:
    """The nodes behind some wires of one entry, those of the wires, and for each the first entry of a
    wire that it is."""
    found, numbers = numbered(circuit, roots)
    names = dict[int, tuple[int, int]]()
    for wire in sorted(numbers):
        for place, at in numbers[wire].items():
            names.setdefault(at, (wire, place))
    return found, [numbers[wire][0] for wire in roots], names


@dataclass(slots=True)
class Reading:
    """Reads nodes in order; `found` are those read, `names` the wire and the entry of each."""

    nodes: Nodes
    names: Mapping[int, tuple[int, int]]
    weights: Weights
    units: Units
    found: dict[int, Affine]

    def clauses(self, formula: Formula) -> tuple[tuple[Row, ...], ...]:
        """The rows of each clause."""
        every = behind(self.nodes.parts, places_of(formula))
        order = [place for place in every if not isinstance(self.nodes.nodes[place], Leader)]
        readers = Counter(part for place in order for part in {*self.nodes.parts[place]})
        for place in order:
            x = self.read(place)
            if len(x.terms) > MANY and readers[place] > 1:
                x = self.units.unit("linear", (x,), (self.names[place][0], -1 - place))
            self.found[place] = x
        return tuple(
            tuple(
                Row(combined([(1, self.found[b.more]), (-1, self.found[b.less])]), b.strict)
                for b in clause
            )
            for clause in formula
        )

    def name(self, place: int, each: int = 1) -> Name:
        """The first of `each` units that are made for an entry."""
        wire, entry = self.names[place]
        return wire, entry * each

    def read(self, place: int) -> Affine:
        """A node whose parts are read; a truth is 0 or 1."""
        nodes, at = self.nodes.nodes, self.found.__getitem__
        node = nodes[place]
        match node:
            case Letter(position=position):
                return Affine({position: 1}, 0)
            case Given(value=value):
                return known(plain(value))
            case Stored(key=key, place=entry):
                return known(Fraction(self.weights[key].values[entry]))
            case Linear(terms=terms):
                return combined((c, at(x)) for c, x in terms)
            case Products(pairs=pairs):
                wire, number = self.name(place, len(pairs))
                return combined(
                    product(self.units, at(x), at(y), (wire, number + k))
                    for k, (x, y) in enumerate(pairs)
                )
            case Rectified(part=part):
                return self.units.relu(at(part), self.name(place))
            case Join(parts=parts):
                return self.joined(node, [at(part) for part in parts], place)
            case Negation(part=part):
                return negated(at(part))
            case Order():
                return self.ordered(node, place)
            case Pick(indices=(index,), parts=parts) if isinstance(nodes[index], Leader):
                return self.led(self.nodes.parts[index], [at(part) for part in parts], place)
            case Pick(indices=(index,), sides=(2,), parts=(otherwise, then)):
                apart = combined([(1, at(then)), (-1, at(otherwise))])
                more = self.units.times(at(index), apart, self.name(place))
                return combined([(1, at(otherwise)), (1, more)])
            case Kept(row=row, count=count, place=chosen):
                wire, number = self.name(place, len(row) + 1)
                return self.kept(row, count, chosen, (wire, number))
            case Pick() | Leader():
                raise Rejected("a number depends on an index that the input decides")
            case Curve() | Share():
                raise Rejected("smooth functions are not covered by certificates on boxes")
            case _:
                assert_never(node)

    def joined(self, node: Join, parts: Sequence[Affine], place: int) -> Affine:
        """The largest, or whether all or any hold."""
        match node.name:
            case "max":
                return self.units.largest(parts, self.name(place, max(len(parts) - 1, 1)))
            case "all":
                return self.units.all(parts, self.name(place))
            case "any":
                return negated(self.units.all([negated(x) for x in parts], self.name(place)))
            case _:
                assert_never(node.name)

    def kept(self, row: Sequence[int], count: int, chosen: int, name: Name) -> Affine:
        """Whether an entry of a row is kept: 1 where fewer than `count` stand before it, else 0.

        What is kept are the first ones in some order that has none before a larger one: which of two that are
        equal stands first is said by nothing.
        """
        if not 0 < count < len(row):
            return known(int(count > 0))
        wire, number = name
        ahead = [
            (-1, self.ahead(row, count, (k, chosen), (wire, number + k)))
            for k in range(len(row))
            if k != chosen
        ]
        left = combined([(1, known(count)), *ahead])
        lacking = self.units.relu(negated(left), (wire, number + chosen))
        return self.units.relu(negated(lacking), (wire, number + len(row)))

    def ahead(self, row: Sequence[int], count: int, pair: tuple[int, int], name: Name) -> Affine:
        """1 where the first of two entries of a row stands before the other one, else 0."""
        i, j = sorted(pair)
        apart = combined([(1, self.found[row[i]]), (-1, self.found[row[j]])])
        first = self.units.before(apart, name, (tuple(row), count, i, j))
        return first if pair == (i, j) else negated(first)

    def led(self, row: Sequence[int], parts: Sequence[Affine], place: int) -> Affine:
        """That of some numbers which stands where the largest entry of a row does."""
        size = len(row) + 2
        wire, number = self.name(place, len(row) * size)
        return combined(
            product(
                self.units,
                self.kept(row, 1, k, (wire, number + k * size)),
                part,
                (wire, number + k * size + size - 1),
            )
            for k, part in enumerate(parts)
        )

    def ordered(self, node: Order, place: int) -> Affine:
        """1 where a comparison of numbers holds."""
        require(self.nodes.real[node.left], "a number depends on an index that the input decides")
        left, right = self.found[node.left], self.found[node.right]
        above, below = combined([(1, right), (-1, left)]), combined([(1, left), (-1, right)])
        match node.name:
            case "<=":
                return self.units.step(above, self.name(place))
            case "<":
                return negated(self.units.step(below, self.name(place)))
            case "==":
                wire, number = self.name(place, 2)
                sides = [(above, (wire, number)), (below, (wire, number + 1))]
                steps = [(1, self.units.step(x, name)) for x, name in sides]
                return combined([*steps, (-1, known(1))])
            case _:
                assert_never(node.name)


def product(units: Units, x: Affine, y: Affine, name: Name) -> tuple[Number, Affine]:
    """A product as a multiple."""
    if not x.terms:
        return x.const, y
    return (y.const, x) if not y.terms else (1, units.times(x, y, name))


def plain(value: Known) -> Number:
    """A truth as 0 or 1."""
    return int(value) if isinstance(value, bool) else value
