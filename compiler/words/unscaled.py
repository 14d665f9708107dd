"""Comparisons without the positive factors that both sides have: what a final norm leaves of them.

A norm multiplies all that is read out behind it by one number, r = 1/√(mean of squares + ε), which is
positive on every word. Where both sides of a comparison are multiples of it, a·r > b·r says just what
a > b says, and so does the largest of several. Each step is read off the ops: a factor is a scalar
that several positions decide and that is certainly positive (`compiler/signs.py`), and goes through
what is linear, and through ReLUs and maxima. A number that is added behind the norm keeps it.

Where two entries tie, one choice function may take one of them in a vector, and the other in a multiple
of it. So the factors stay where without them the scores of two indices would be the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from circ.compiler.builder import Builder, number
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Contract,
    Input,
    Lookup,
    Max,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Sum,
    Wire,
)
from circ.compiler.positions import SEVERAL, Masks, places
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import enclose
from circ.compiler.rewrite import live, renamed
from circ.compiler.signs import surely_positive
from circ.compiler.tensor import Weights

Factors = tuple[Wire, ...]
"""Scalar wires of the circuit as it was, in order, each as often as it is a factor."""

Scaled = tuple[Factors, Wire]
"""The factors of a wire, and the wire in the new circuit that they multiply."""


@dataclass(frozen=True, slots=True, eq=False)
class Unscaled:
    """The circuit, and whether a factor was `dropped`: then what it compares has other margins."""

    circuit: Circuit
    dropped: bool


def unscaled(circuit: Circuit, weights: Weights) -> Unscaled:
    """A circuit that reads one word, its comparisons and indices without common positive factors."""
    (word,) = circuit.inputs.values()
    roots = [*circuit.outputs.values()]
    kept = set[Wire]()
    while True:
        work = Rewriting(circuit, weights, places(circuit, roots, word), kept)
        work.moved[word] = work.b.add(circuit.ops[word])
        for wire in sorted(live(circuit, roots)):
            work.moved[wire] = work.b.add(work.replaced(circuit.ops[wire]))
        if work.confused <= kept:
            break
        kept |= work.confused
    if not work.dropped:
        return Unscaled(circuit, dropped=False)
    outputs = {name: work.moved[wire] for name, wire in circuit.outputs.items()}
    return Unscaled(work.b.circuit(outputs), dropped=True)


@dataclass(slots=True)
class Rewriting:
    """Copies a circuit into `b`; `moved` has the new wires, and `known` the factors of the old ones.

    The scores in `kept` keep their factors; `scores` has those that indices go by now, and which they were.
    """

    circuit: Circuit
    weights: Weights
    places: Mapping[Wire, Masks]
    kept: AbstractSet[Wire]
    b: Builder = field(default_factory=Builder)
    moved: dict[Wire, Wire] = field(default_factory=dict[Wire, Wire])
    known: dict[Wire, Scaled] = field(default_factory=dict[Wire, Scaled])
    scores: dict[Wire, set[Wire]] = field(default_factory=dict[Wire, "set[Wire]"])
    dropped: bool = False

    @property
    def confused(self) -> set[Wire]:
        """The scores of different indices that are the same now."""
        return {x for some in self.scores.values() if len(some) > 1 for x in some}

    def replaced(self, op: Op) -> Op:
        """An op on the new wires; a comparison or an index on what is left of its operands."""
        match op:
            case Compare(left=left, right=right) if self.circuit.types[left].sort == Real():
                found = self.common([left, right])
                return (
                    renamed(op, self.moved.__getitem__) if found is None else Compare(op.op, *found)
                )
            case Argmax(operand=x):
                found = None if x in self.kept else self.common([x])
                (scores,) = found or [self.moved[x]]
                self.scores.setdefault(scores, set()).add(x)
                return Argmax(scores)
            case _:
                return renamed(op, self.moved.__getitem__)

    def common(self, wires: Sequence[Wire]) -> list[Wire] | None:
        """These wires without the factors that all have; None where there are none."""
        parts = self.alike(wires)
        if parts is None or not parts[0]:
            return None
        self.dropped = True
        return parts[1]

    def alike(self, wires: Sequence[Wire]) -> tuple[Factors, list[Wire]] | None:
        """The same factors of all these wires; None where they differ. Zeros have any."""
        parts = [self.scaled(wire) for wire in wires]
        if len({factors for factors, _ in parts}) == 1:
            return parts[0][0], [part for _, part in parts]
        zero = [self.vanishes(wire) for wire in wires]
        left = {factors for (factors, _), no in zip(parts, zero, strict=True) if not no}
        return (left.pop(), [part for _, part in parts]) if len(left) == 1 else None

    def vanishes(self, wire: Wire) -> bool:
        """Whether every entry is known to be exactly zero."""
        behind = live(self.circuit, [wire])
        if any(isinstance(self.circuit.ops[x], Input) for x in behind):
            return False
        try:
            found = enclose(
                Circuit(self.circuit.ops, self.circuit.types, {"it": wire}), {}, self.weights
            )
        except Undefined:
            return False
        value = found["it"]
        return isinstance(value, Reals) and value.exact and not any(value.lo)

    def scaled(self, wire: Wire) -> Scaled:
        """The factors of a real wire that has been copied."""
        if wire not in self.known:
            self.known[wire] = self.parted(wire, self.circuit.ops[wire])
        return self.known[wire]

    def parted(self, wire: Wire, op: Op) -> Scaled:
        """As `scaled`, worked out; what has no factor is itself."""
        match op:
            case Contract(spec=spec, left=left, right=right):
                (first, x), (second, y) = self.factor(left), self.factor(right)
                found = tuple(sorted((*first, *second)))
                for side, other, part in ((left, right, y), (right, left, x)):
                    whole = (
                        self.positive(side)
                        and self.circuit.types[other] == self.circuit.types[wire]
                    )
                    if whole and not self.positive(other) and self.in_order(spec):
                        return found, part
                return self.made(wire, found, Contract(spec, x, y))
            case Sum(terms=terms):
                parts = self.alike([x for _, x in terms])
                if parts is None:
                    return (), self.moved[wire]
                factors, wires = parts
                pairs = zip((c for c, _ in terms), wires, strict=True)
                return self.made(wire, factors, Sum(tuple(pairs)))
            case Reindex(operands=wires, source=source, shape=shape):
                parts = self.alike(self.used(op))
                if parts is None:
                    return (), self.moved[wire]
                factors, some = parts
                new = dict(zip(self.used(op), some, strict=True))
                laid = tuple(new.get(x, self.moved[x]) for x in wires)
                return self.made(wire, factors, Reindex(laid, source, shape))
            case Relu(operand=x) | Max(operand=x):
                factors, part = self.scaled(x)
                return self.made(wire, factors, type(op)(part))
            case Lookup(table=table, indices=indices):
                factors, part = self.scaled(table)
                places = tuple(self.moved[x] for x in indices)
                return self.made(wire, factors, Lookup(part, places))
            case Select(condition=condition, then=then, otherwise=otherwise):
                parts = self.alike([then, otherwise])
                if parts is None:
                    return (), self.moved[wire]
                return self.made(wire, parts[0], Select(self.moved[condition], *parts[1]))
            case _:
                return (), self.moved[wire]

    def made(self, wire: Wire, factors: Factors, op: Op) -> Scaled:
        """The wire of an op on what is left of its operands, where there are factors."""
        return (factors, self.b.add(op)) if factors else ((), self.moved[wire])

    def factor(self, wire: Wire) -> Scaled:
        """The factors of one side of a product, the whole of it where it is such a factor."""
        if self.positive(wire):
            return (wire,), number(self.b, 1)
        return self.scaled(wire)

    @staticmethod
    def in_order(spec: str) -> bool:
        """Whether a product with a scalar has the entries of the other side where they were."""
        sides, output = spec.split("->")
        return output in sides.split(",")

    def positive(self, wire: Wire) -> bool:
        """Whether a wire is a scalar that several positions decide, and positive on every word."""
        types = self.circuit.types
        several = types[wire].shape == () and bool((self.places[wire] == SEVERAL).any())
        return several and surely_positive(self.circuit.ops, types, wire)

    def used(self, op: Reindex) -> list[Wire]:
        """The operands that some entry comes from, each once."""
        found, start, taken = list[Wire](), 0, set(op.source)
        for wire in op.operands:
            entries = self.circuit.types[wire].entries
            if not taken.isdisjoint(range(start, start + entries)) and wire not in found:
                found.append(wire)
            start += entries
        return found
