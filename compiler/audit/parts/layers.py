"""The units of a claim in layers, in whole numbers.

Values are whole multiples of 2^-80, coefficients of rows of 2^-64. What that leaves of a row is its
slack: on the whole box, the exact number is within it of what the row says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import assert_never

from circ.compiler.audit.parts.reading import Claim, Row
from circ.compiler.audit.parts.units import Affine, Kind, Name, Number, Unit
from circ.compiler.audit.rejected import require, within

VALUE = 80
"""Values are whole numbers of 2^-80."""

WEIGHT = 64
"""Coefficients are whole numbers of 2^-64."""

SLOT = 128
"""Bits of each number of many in one: coefficients of products, which are whole numbers."""

ONE = 1 << VALUE

TOP = 1 << SLOT - 2
"""No number in a slot is as large as this."""

MOST_SLOTS = 1 << 26
"""Slots of all rows, most of them 0 where a layer's units read few of another's: 16 bytes each."""

Ends = tuple[list[int], list[int]]
"""Lower and upper ends of some values."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Rows over the units of one layer: of each row its coefficients, one number a slot.

    `most` is the greatest coefficient in size.
    """

    layer: int
    rows: Sequence[int] = field(repr=False)
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Affine functions of units, a row each, within `slack` of the exact ones; `loose`: some has any."""

    parts: tuple[Packed, ...]
    const: Sequence[int] = field(repr=False)
    slack: Sequence[int] = field(repr=False)
    loose: bool


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
        rows, (low, high) = self.rows([unit.of[side] for side in sides for unit in units])
        wires = [unit.name[0] for _ in sides for unit in units]
        self.layers.append(Layer(kind, len(units), rows, low, high, wires))
        self.put(numbers, values_of(kind, low, high))

    def rows(self, functions: Sequence[Affine]) -> tuple[Rows, Ends]:
        """Functions of units as rows, and the ends of their values on the whole box."""
        factors = dict[int, list[dict[int, int]]]()
        const, slack, low, high = list[int](), list[int](), list[int](), list[int]()
        for k, x in enumerate(functions):
            least = greatest = lost = 0
            for unit, by in x.terms.items():
                layer, place = self.at[unit]
                begin, end = self.values[layer][0][place], self.values[layer][1][place]
                factor = down(by, WEIGHT)
                lost += 0 if is_multiple(by, WEIGHT) else max(-begin, end)
                if layer not in factors:
                    factors[layer] = [{} for _ in functions]
                factors[layer][k][place] = factor
                least += factor * (begin if factor > 0 else end)
                greatest += factor * (end if factor > 0 else begin)
            exact = not lost and is_multiple(x.const, VALUE)
            const.append(down(x.const, VALUE))
            slack.append(0 if exact else (lost >> WEIGHT) + 2)
            low.append((least >> WEIGHT) + const[-1] - slack[-1])
            high.append(-(-greatest >> WEIGHT) + const[-1] + slack[-1])
        parts = tuple(self.packed(layer, rows) for layer, rows in sorted(factors.items()))
        return Rows(parts, const, slack, any(slack)), (low, high)

    def packed(self, layer: int, rows: Sequence[Mapping[int, int]]) -> Packed:
        """Rows over the units of one layer; raises `Rejected` where there is no room for more."""
        size = len(self.values[layer][0])
        self.slots += len(rows) * size
        require(self.slots <= MOST_SLOTS, "the claim is too large to be audited")
        return packed(layer, rows, size)


def is_multiple(value: Number, bits: int) -> bool:
    """Whether a number is a whole number of 2^-bits."""
    whole = value.denominator
    return whole & (whole - 1) == 0 and whole.bit_length() <= bits + 1


def packed(layer: int, rows: Sequence[Mapping[int, int]], size: int) -> Packed:
    """Rows over the units of a layer of that size, by the place of each coefficient."""
    signs, found, most = signs_of(size), list[int](), 0
    for row in rows:
        slots = [bytes(SLOT // 8)] * size
        for place, factor in row.items():
            within(abs(factor) < TOP, "a number of the network is too large")
            slots[place] = factor.to_bytes(SLOT // 8, "little", signed=True)
            most = max(most, abs(factor))
        found.append((int.from_bytes(b"".join(slots), "little") ^ signs) - signs)
    return Packed(layer, found, most)


@cache
def signs_of(size: int) -> int:
    """The highest bit of each of some slots."""
    return int.from_bytes((bytes(SLOT // 8 - 1) + b"\x80") * size, "little")


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
