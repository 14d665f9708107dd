"""The units of a claim in layers, in whole numbers.

Values are whole multiples of 2^-80, coefficients and constants of rows of 2^-60. What that leaves of a row is its
slack: on the whole box, the exact number is within it of what the row says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import assert_never

from circ.compiler.audit.parts.reading import Claim, Row
from circ.compiler.audit.parts.units import Affine, Kind, Name, Number, Unit
from circ.compiler.audit.rejected import require

VALUE = 80
"""Values are whole numbers of 2^-80."""

WEIGHT = 60
"""Coefficients and constants are whole numbers of 2^-60: most are two digits of Python's numbers then."""

ONE = 1 << VALUE

MOST_SLOTS = 1 << 26
"""Numbers of all rows as tables, most of them 0 where a layer's units read few of another's: 8 bytes each."""

Ends = tuple[list[int], list[int]]
"""Lower and upper ends of some values."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Rows over the units of one layer: for each row places and coefficients, at most `most` in size."""

    layer: int
    rows: Sequence[Sequence[tuple[int, int]]] = field(repr=False)
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Affine functions of units, a row each, within `slack` of the exact ones."""

    parts: tuple[Terms, ...]
    const: Sequence[int] = field(repr=False)
    slack: Sequence[int] = field(repr=False)

    @property
    def most(self) -> int:
        """The greatest coefficient in size."""
        return max((part.most for part in self.parts), default=0)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Units of one kind and what they are of: `low`, `high` enclose that on the whole box.

    Of products, the first halves of `rows` are the one side, the second halves the other. `wires` has
    the wire of each row's unit, by which it is bounded anew.
    """

    kind: Kind
    units: int
    rows: Rows
    low: list[int] = field(repr=False)
    high: list[int] = field(repr=False)
    wires: Sequence[int] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """The layers behind the inputs, which are layer 0, and the rows of each clause.

    `names` has the layer and the place of each unit that has a name.
    """

    box: Ends
    layers: tuple[Layer, ...]
    sizes: tuple[int, ...]
    clauses: tuple[Rows, ...]
    strict: tuple[tuple[bool, ...], ...]
    names: Mapping[Name, tuple[int, int]] = field(repr=False)


def net_of(claim: Claim) -> Net:
    """The layers of a claim."""
    making = Making()
    box = [down(low, VALUE) for low, _ in claim.box], [up(high, VALUE) for _, high in claim.box]
    making.put(range(len(claim.box)), box)
    numbered = sorted(enumerate(claim.units.made), key=lambda pair: (pair[1].deep, pair[1].kind))
    for _, group in groupby(numbered, key=lambda pair: (pair[1].deep, pair[1].kind)):
        found = list(group)
        making.add([len(claim.box) + k for k, _ in found], [unit for _, unit in found])
    clauses = tuple(making.rows([row.of for row in clause])[0] for clause in claim.clauses)
    names = {name: making.at[unit] for name, unit in claim.units.names.items()}
    sizes = tuple(len(low) for low, _ in making.values)
    strict = tuple(tuple(map(strictly, clause)) for clause in claim.clauses)
    return Net(box, tuple(making.layers), sizes, clauses, strict, names)


def strictly(row: Row) -> bool:
    """Whether a row has to be above zero."""
    return row.strict


def down(value: Number, bits: int) -> int:
    """The whole number of 2^-bits that is next below."""
    return (value.numerator << bits) // value.denominator


def up(value: Number, bits: int) -> int:
    """The one that is next above."""
    return -down(-value, bits)


@dataclass(slots=True)
class Making:
    """Layers so far: where each unit is, and the ends of each layer's values on the whole box.

    `slots` are those of all rows.
    """

    layers: list[Layer] = field(default_factory=list[Layer])
    values: list[Ends] = field(default_factory=list[Ends])
    at: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    slots: int = 0

    def put(self, units: Iterable[int], values: Ends) -> None:
        """Units as the next layer."""
        layer = len(self.values)
        self.at.update((unit, (layer, place)) for place, unit in enumerate(units))
        self.values.append(values)

    def add(self, numbers: Sequence[int], units: Sequence[Unit]) -> None:
        """Units of one kind, whose parts are in layers before."""
        kind = units[0].kind
        sides = range(len(units[0].of))
        tied = [unit.tied for _ in sides for unit in units]
        rows, (low, high) = self.rows([unit.of[side] for side in sides for unit in units], tied)
        wires = [unit.name[0] for _ in sides for unit in units]
        self.layers.append(Layer(kind, len(units), rows, low, high, wires))
        self.put(numbers, values_of(kind, low, high))

    def rows(self, functions: Sequence[Affine], tied: Sequence[bool] = ()) -> tuple[Rows, Ends]:
        """Functions of units as rows, and the ends of their values on the whole box.

        Those that are `tied` may be next to nothing more or less: this is slack.
        """
        factors = dict[int, list[list[tuple[int, int]]]]()
        const, slack, low, high = list[int](), list[int](), list[int](), list[int]()
        for k, x in enumerate(functions):
            least = greatest = lost = 0
            for unit, by in x.terms.items():
                layer, place = self.at[unit]
                begin, end = self.values[layer][0][place], self.values[layer][1][place]
                factor = down(by, WEIGHT)
                lost += 0 if is_multiple(by, WEIGHT) else max(-begin, end)
                if layer not in factors:
                    factors[layer] = [[] for _ in functions]
                factors[layer][k].append((place, factor))
                least += factor * (begin if factor > 0 else end)
                greatest += factor * (end if factor > 0 else begin)
            exact = not lost and is_multiple(x.const, WEIGHT)
            const.append(down(x.const, WEIGHT))
            rounded = 0 if exact else (lost >> WEIGHT) + 1 + (1 << VALUE - WEIGHT)
            slack.append(rounded + (k < len(tied) and tied[k]))
            begin = const[-1] << VALUE - WEIGHT
            low.append((least >> WEIGHT) + begin - slack[-1])
            high.append(-(-greatest >> WEIGHT) + begin + slack[-1])
        parts = tuple(self.terms(layer, rows) for layer, rows in sorted(factors.items()))
        return Rows(parts, const, slack), (low, high)

    def terms(self, layer: int, rows: Sequence[Sequence[tuple[int, int]]]) -> Terms:
        """Rows over the units of one layer; raises `Rejected` where there is no room for more."""
        self.slots += len(rows) * len(self.values[layer][0])
        require(self.slots <= MOST_SLOTS, "the claim is too large to be audited")
        return Terms(layer, rows, max(abs(by) for row in rows for _, by in row))


def is_multiple(value: Number, bits: int) -> bool:
    """Whether a number is a whole number of 2^-bits."""
    whole = value.denominator
    return whole & (whole - 1) == 0 and whole.bit_length() <= bits + 1


def values_of(kind: Kind, low: Sequence[int], high: Sequence[int]) -> Ends:
    """The ends of units' values, from those of what they are of."""
    match kind:
        case "linear":
            return [*low], [*high]
        case "relu":
            return [max(x, 0) for x in low], [max(x, 0) for x in high]
        case "step":
            return [ONE * (x >= 0) for x in low], [ONE * (x >= 0) for x in high]
        case "product":
            half = len(low) // 2
            corners = [
                (a * c, a * d, b * c, b * d)
                for a, b, c, d in zip(low[:half], high[:half], low[half:], high[half:], strict=True)
            ]
            return [min(four) >> VALUE for four in corners], [
                -(-max(four) >> VALUE) for four in corners
            ]
        case _:
            assert_never(kind)
