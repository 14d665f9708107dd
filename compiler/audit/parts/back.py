"""Lower bounds of rows in whole numbers, taken back to the inputs layer by layer, many at once.

Σ c_u · u over the units of a layer is at least Σ P_r · r + T for the rows r that the units are of, by a line
below each unit, or above it where c_u is negative (CROWN, Zhang et al., arXiv:1811.00866). So nothing is
lost but where products are rounded down to whole numbers; what that takes is at most what the values that
they are multiples of can be below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from circ.compiler.audit.parts.layers import VALUE, WEIGHT, Layer, Net, Rows
from circ.compiler.audit.parts.lines import OFF, Between
from circ.compiler.audit.parts.slots import Slots, slots
from circ.compiler.audit.rejected import NotKnown, within

FINE = 44
"""The largest coefficient of a sum at its begin has about so many bits."""

LARGE = "numbers are too large"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of the box: the ends of each input and of what each layer's units are of.

    `low[0]`, `high[0]` are the inputs'; a step's end of -1 stands for all that is below zero. `phases`
    are of units by layer and place, 1 where what they are of is at least 0, -1 where it is at most 0 (of
    a step: below 0). `left` are the clauses that an input of the part may still break.
    """

    low: tuple[list[int], ...] = field(repr=False)
    high: tuple[list[int], ...] = field(repr=False)
    phases: dict[tuple[int, int], int]
    left: frozenset[int]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class HalfSpaces:
    """What is nowhere above some sums of rows on a part: by input its slope in each, and what is known."""

    slopes: Sequence[Sequence[int]]
    consts: Sequence[int]

    def least(self, part: Part) -> list[int]:
        """Their least values on the part, in multiples of 2^-140."""
        found = [*self.consts]
        for slopes, low, high in zip(self.slopes, part.low[0], part.high[0], strict=True):
            ends = zip(found, slopes, strict=True)
            found = [x + by * (low if by > 0 else high) for x, by in ends]
        return found


@dataclass(slots=True)
class Columns:
    """Sums of rows under way: by layer and unit the coefficients in all sums, packed, in multiples of
    2^-60. No one of a layer is above `most` in size. `consts` are what is known of the sums; each
    is at least that, less `lost` multiples of 2^-80.

    Units that are 0 on the whole part have no place in `units`.
    """

    slots: Slots
    units: list[dict[int, int]] = field(repr=False)
    most: list[int] = field(repr=False)
    consts: int = field(default=0, repr=False)
    most_const: int = 0
    lost: int = 0

    def row(self, rows: Rows, place: int, factors: int, largest: int) -> None:
        """Add a row, times a factor in each sum, which are at most `largest` in size."""
        for part in rows.parts:
            self.grow(part.layer, part.most * largest)
            own = self.units[part.layer]
            for unit, by in part.rows[place]:
                if unit in own:
                    own[unit] += by * factors
        self.add(factors, rows.const[place], largest)
        self.lost += rows.slack[place] * largest

    def add(self, factors: int, value: int, largest: int) -> None:
        """Add a number, times a factor in each sum."""
        self.grow_const(abs(value) * largest)
        self.consts += value * factors

    def each(self, rows: Rows, places: Sequence[int], fine: int) -> None:
        """Add another row to each of the sums, then the negative of each to as many, times 2^`fine`."""
        for part in rows.parts:
            self.grow(part.layer, part.most << fine)
            own = self.units[part.layer]
            found = {unit: [0] * len(places) for unit in own}
            for k, place in enumerate(places):
                for unit, by in part.rows[place]:
                    if unit in own:
                        found[unit][k] = by
            for unit, numbers in found.items():
                own[unit] += self.both(numbers) << fine
        consts = [rows.const[place] for place in places]
        self.grow_const(max(map(abs, consts)) << fine)
        self.consts += self.both(consts) << fine
        self.lost += max(rows.slack[place] for place in places) << fine

    def both(self, numbers: Sequence[int]) -> int:
        """Numbers and their negatives."""
        packed = self.slots.packed([*numbers, *([0] * len(numbers))])
        return packed - (packed << len(numbers) * self.slots.width)

    def grow(self, layer: int, by: int) -> None:
        """Have coefficients of a layer be larger by so much at most."""
        self.most[layer] += by
        within(self.most[layer] < self.slots.most, LARGE)

    def grow_const(self, by: int) -> None:
        """Have what is known be larger by so much at most."""
        self.most_const += by
        within(self.most_const < self.slots.most, LARGE)

    def back(
        self, number: int, layer: Layer, low: Sequence[int], between: Sequence[Between]
    ) -> None:
        """Have what the sums have of a layer's units be of the rows instead that these are of."""
        found, largest = self.taken(number, between)
        for unit, more, less in found:
            below, above = between[unit].below, between[unit].above
            if below.const or above.const:
                self.add(more, below.const, largest)
                self.add(less, above.const, largest)
            for side, (rising, falling) in enumerate(zip(below.slopes, above.slopes, strict=True)):
                place = unit + side * layer.units
                steepest = largest * max(abs(rising), abs(falling))
                within(steepest < self.slots.most, LARGE)
                kept, exact = self.slots.cut(more * rising + less * falling)
                self.lose(exact, low[place])
                self.row(layer.rows, place, kept, (steepest >> WEIGHT) + 1)

    def taken(
        self, number: int, between: Sequence[Between]
    ) -> tuple[Sequence[tuple[int, int, int]], int]:
        """The units of a layer, with what is above 0 of their coefficients and what is below, as whole
        numbers; and what none is above in size."""
        found, bits = list[tuple[int, int, int]](), 0
        for unit, packed in self.units[number].items():
            if packed:
                factors, exact = self.slots.cut(packed)
                self.lose(exact, between[unit].least)
                more, less = self.slots.sides(factors)
                bits |= more | -less
                found.append((unit, more, less))
        return found, self.slots.largest(bits)

    def halves(self) -> HalfSpaces:
        """The sums, of which only inputs are left."""
        by_input = [self.slots.unpacked(packed) for packed in self.units[0].values()]
        consts = self.slots.unpacked(self.consts)
        return HalfSpaces(by_input, [(x << VALUE) - (self.lost << WEIGHT) for x in consts])

    def lose(self, exact: bool, least: int) -> None:
        """Make up for leaving out, unless exact, from 0 to 1 times what is at least `least`."""
        self.lost += 0 if exact else max(-least, 0)


def of_sums(
    net: Net,
    part: Part,
    between: Sequence[Sequence[Between]],
    size: int,
    begin: Callable[[Columns], None],
) -> HalfSpaces:
    """Sums of rows over the inputs and over the layers that `between` are of, taken back to the inputs, in
    slots that are wide enough."""
    width = 128
    while True:
        live = [{unit: 0 for unit, x in enumerate(own) if x is not OFF} for own in between]
        columns = [dict.fromkeys(range(len(part.low[0])), 0), *live]
        sums = Columns(slots(size, width), columns, [0] * len(columns))
        try:
            begin(sums)
            for number, own in reversed([*enumerate(between, 1)]):
                sums.back(number, net.layers[number - 1], part.low[number], own)
        except NotKnown:
            width += width // 32 * 8
        else:
            return sums.halves()
