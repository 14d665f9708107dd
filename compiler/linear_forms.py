"""Linear functions of some inputs that lie nowhere above an entry of a wire, or above its negative.

An affine wire is its own linear function; `relu` and `max`, and so norms, have several below them.
None is known below the negative of those, nor for a product, a choice or another input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from circ.compiler.builder import flat
from circ.compiler.ir import (
    Circuit,
    Const,
    Contract,
    Input,
    Max,
    Reindex,
    Relu,
    Shape,
    Sum,
    Weight,
    Wire,
    operands,
)
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, intervals
from circ.compiler.tensor import Weights

MOST_FORMS = 4096
"""A wire with more linear functions below it contributes only the first of them."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Σ coefficient · entry + constant, over the entries of the inputs, one after the other."""

    coefficients: Mapping[int, Fraction]
    constant: Fraction


@dataclass(frozen=True, slots=True)
class Signed:
    """An entry of a wire, or its negative."""

    wire: Wire
    entry: int
    positive: bool


Row = tuple[tuple[Fraction, Signed], ...]
"""A sum of entries, each with a positive factor."""


@dataclass(slots=True)
class Forms:
    """Finds the linear functions below entries, each once; tensors it lacks count as unknown.

    `variables` has the inputs, each with the number of its first entry.
    """

    circuit: Circuit
    variables: Mapping[Wire, int]
    weights: Weights
    known: dict[Signed, list[Linear]] = field(default_factory=dict[Signed, list[Linear]])
    constants: dict[Wire, Value] = field(default_factory=dict[Wire, Value])
    varying: set[Wire] = field(default_factory=set[Wire])

    def __post_init__(self) -> None:
        for number, op in enumerate(self.circuit.ops):
            free = isinstance(op, Input) or (isinstance(op, Weight) and op.key not in self.weights)
            if free or not self.varying.isdisjoint(operands(op)):
                self.varying.add(Wire(number))

    def below(self, terms: Iterable[tuple[Fraction, Wire, int]]) -> list[Linear]:
        """Linear functions nowhere above Σ factor · entry; the first is the plainest."""
        wanted = tuple((abs(c), Signed(wire, entry, c > 0)) for c, wire, entry in terms if c)
        waiting = [(key, self.rows(key)) for _, key in wanted]
        while waiting:
            key, rows = waiting[-1]
            missing = {k for row in rows for _, k in row if k not in self.known}
            waiting.extend((k, self.rows(k)) for k in missing)
            if not missing:
                waiting.pop()
                if key not in self.known:
                    self.known[key] = self.leaf(key) or self.found(rows)
        return sums(wanted, self.known)

    def found(self, rows: Iterable[Row]) -> list[Linear]:
        """What lies below one of several sums."""
        return [form for row in rows for form in sums(row, self.known)][:MOST_FORMS]

    def leaf(self, key: Signed) -> list[Linear]:
        """The function that an entry of the input, or a constant, is; empty for any other."""
        sign = Fraction(1 if key.positive else -1)
        if key.wire in self.variables:
            return [Linear({self.variables[key.wire] + key.entry: sign}, Fraction(0))]
        bounds = self.constant(key.wire, key.entry)
        if bounds is None:
            return []
        return [Linear({}, bounds[0] if key.positive else -bounds[1])]

    def rows(self, key: Signed) -> tuple[Row, ...]:
        """Sums, each of them nowhere above the entry; none where `leaf` says it all."""
        if key.wire not in self.varying:
            return ()
        op = self.circuit.ops[key.wire]
        match op:
            case Reindex():
                return (self.row(key, [(Fraction(1), *source(self.circuit, op, key.entry))]),)
            case Sum(terms=terms):
                return (self.row(key, [(c, x, key.entry) for c, x in terms]),)
            case Contract():
                parts = self.contracted(op, key)
                return () if parts is None else (self.row(key, parts),)
            case Relu(operand=x) if key.positive:
                return ((), self.row(key, [(Fraction(1), x, key.entry)]))
            case Max(operand=x) if key.positive:
                side = self.circuit.types[x].shape[-1]
                first = key.entry * side
                return tuple(self.row(key, [(Fraction(1), x, first + k)]) for k in range(side))
            case _:
                return ()

    def row(self, key: Signed, terms: Iterable[tuple[Fraction, Wire, int]]) -> Row:
        """A sum, negated where the entry is; what it reads twice is one term."""
        joined: dict[tuple[Wire, int], Fraction] = {}
        for c, x, e in terms:
            joined[x, e] = joined.get((x, e), Fraction(0)) + c
        return tuple(
            (abs(c), Signed(x, e, (c > 0) == key.positive)) for (x, e), c in joined.items() if c
        )

    def contracted(self, op: Contract, key: Signed) -> list[tuple[Fraction, Wire, int]] | None:
        """A contraction with one known side as a sum of the other side's entries."""
        terms: list[tuple[Fraction, Wire, int]] = []
        for i, j in pairs(self.circuit, op, key):
            if op.left not in self.varying:
                bounds, other = self.constant(op.left, i), (op.right, j)
            else:
                bounds, other = self.constant(op.right, j), (op.left, i)
            if bounds is None or bounds[0] != bounds[1]:
                return None
            terms.append((bounds[0], *other))
        return terms

    def constant(self, wire: Wire, entry: int) -> tuple[Fraction, Fraction] | None:
        """Bounds on an entry that no input changes; None where one may, or it is undefined."""
        op = self.circuit.ops[wire]
        while isinstance(op, Reindex):
            wire, entry = source(self.circuit, op, entry)
            op = self.circuit.ops[wire]
        if wire in self.varying:
            return None
        match op:
            case Const(values=values):
                return Fraction(values[entry]), Fraction(values[entry])
            case Weight(key=key):
                value = Fraction(self.weights[key].values[entry])
                return value, value
            case _:
                return self.computed(wire, entry)

    def computed(self, wire: Wire, entry: int) -> tuple[Fraction, Fraction] | None:
        """Bounds on an entry of an op whose operands are all known."""
        if wire not in self.constants:
            circuit = Circuit(self.circuit.ops, self.circuit.types, {"constant": wire})
            try:
                self.constants |= intervals(circuit, {}, self.weights, known=self.constants)
            except Undefined:
                return None
        value = self.constants[wire]
        assert isinstance(value, Reals)
        return Fraction(value.lo[entry], value.den), Fraction(value.hi[entry], value.den)


def sums(row: Row, known: Mapping[Signed, list[Linear]]) -> list[Linear]:
    """Σ factor · form, for the first form of each entry, then with another form of one of them."""
    options = [(factor, known[key]) for factor, key in row]
    if not all(forms for _, forms in options):
        return []
    plainest = total((factor, forms[0]) for factor, forms in options)
    found = [plainest]
    for factor, forms in options:
        for other in forms[1 : MOST_FORMS - len(found)]:
            exchange = [(Fraction(1), plainest), (-factor, forms[0]), (factor, other)]
            found.append(total(exchange))
    return found


def total(parts: Iterable[tuple[Fraction, Linear]]) -> Linear:
    """Σ factor · part."""
    joined: dict[int, Fraction] = {}
    constant = Fraction(0)
    for factor, part in parts:
        constant += factor * part.constant
        for entry, c in part.coefficients.items():
            joined[entry] = joined.get(entry, Fraction(0)) + factor * c
    return Linear({entry: c for entry, c in joined.items() if c}, constant)


# --- where entries come from ------------------------------------------------------------------


def source(circuit: Circuit, op: Reindex, entry: int) -> tuple[Wire, int]:
    """Where an entry of a `Reindex` comes from."""
    offset = op.source[entry]
    for wire in op.operands:
        if offset < circuit.types[wire].entries:
            return wire, offset
        offset -= circuit.types[wire].entries
    raise IndexError(entry)


def pairs(circuit: Circuit, op: Contract, key: Signed) -> Iterator[tuple[int, int]]:
    """The operands' entries whose products make up an entry of a contraction."""
    inputs, output = op.spec.split("->")
    left, right = inputs.split(",")
    first, second = circuit.types[op.left].shape, circuit.types[op.right].shape
    sizes = dict(zip(left + right, first + second, strict=True))
    at = dict(zip(output, coordinate(key.entry, circuit.types[key.wire].shape), strict=True))
    summed = [letter for letter in left if letter not in at]
    for values in product(*(range(sizes[letter]) for letter in summed)):
        where = at | dict(zip(summed, values, strict=True))
        yield (
            flat([where[letter] for letter in left], first),
            flat([where[letter] for letter in right], second),
        )


def coordinate(offset: int, shape: Shape) -> tuple[int, ...]:
    """The place of a row-major offset."""
    place: list[int] = []
    for side in reversed(shape):
        place.append(offset % side)
        offset //= side
    return tuple(reversed(place))
