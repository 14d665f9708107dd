"""What both arithmetics of an audit say of a part of a box is true at every input of the part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np

from circ.compiler.audit.parts.arrays import FloatArray
from circ.compiler.audit.parts.exact import cut, half_of, multipliers, phased, tightened, whole
from circ.compiler.audit.parts.layers import VALUE, WEIGHT, Net, net_of
from circ.compiler.audit.parts.many import Many, at_unit, many
from circ.compiler.audit.parts.many import cut as cut_in_doubles
from circ.compiler.audit.parts.nodes import Weighed
from circ.compiler.audit.parts.planes import BELOW, FloatParts
from circ.compiler.audit.parts.reading import Claim, Row
from circ.compiler.audit.parts.slots import slots
from circ.compiler.audit.parts.units import Affine, Kind, Name, Unit, Units, combined

SEEDS = range(60)
NUMBERS = [
    Fraction(1, 3),
    Fraction(-1, 10),
    1 + Fraction(1, 2**54),
    Fraction(7, 2**90),
    Fraction(99),
]
KINDS: tuple[Kind, ...] = ("relu", "relu", "step", "product", "linear")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A claim of two clauses about random units, some inputs, and the values of all units at each."""

    claim: Claim
    net: Net
    values: Sequence[Sequence[Fraction]]

    def phases(self, values: Sequence[Fraction], chance: Random) -> dict[Name, int]:
        """On which side some units are at an input."""
        found = dict[Name, int]()
        for unit in self.claim.units.made:
            if unit.kind in ("relu", "step") and chance.random() < 0.5:
                found[unit.name] = 1 if at(unit.of[0], values) >= 0 else -1
        return found


def drawn(chance: Random) -> Drawn:
    """Units over two inputs, each of those before it."""

    def number() -> Fraction:
        return (
            chance.choice(NUMBERS) if chance.random() < 0.3 else Fraction(chance.randint(-9, 9), 4)
        )

    def affine() -> Affine:
        some = chance.sample(range(2 + len(units.made)), 2)
        return combined([(1, Affine({}, number())), *((number(), Affine({u: 1}, 0)) for u in some)])

    box = tuple(sorted((number(), number())) for _ in range(2))
    units = Units(2)
    for k in range(7):
        kind = chance.choice(KINDS)
        of = affine(), affine()
        if all(x.terms for x in of):
            units.unit(kind, of if kind == "product" else of[:1], (k, 0))
    clauses = tuple(tuple(Row(affine(), strict=True) for _ in range(2)) for _ in range(2))
    claim = Claim(tuple((low, high) for low, high in box), units, clauses)
    parts = [Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 3)]
    points = [[low + chance.choice(parts) * (high - low) for low, high in box] for _ in range(6)]
    return Drawn(claim, net_of(claim), [valued(units, point) for point in points])


def at(x: Affine, values: Sequence[Fraction]) -> Fraction:
    """The value of a sum of units."""
    return sum((by * values[u] for u, by in x.terms.items()), Fraction(x.const))


def valued(units: Units, point: Sequence[Fraction]) -> list[Fraction]:
    """The values of the inputs and of all units."""
    values = [*point]
    for unit in units.made:
        values.append(of_unit(unit, values))
    return values


def of_unit(unit: Unit, values: Sequence[Fraction]) -> Fraction:
    """The value of a unit."""
    first, *others = (at(x, values) for x in unit.of)
    match unit.kind:
        case "linear":
            return first
        case "relu":
            return max(first, Fraction(0))
        case "step":
            return Fraction(int(first >= 0))
        case "product":
            return first * others[0]


def weighted(found: Drawn, chance: Random, phases: dict[Name, int]) -> Weighed:
    """A sum of a clause's rows and of the phases, or of the phases alone."""
    factors = [Fraction(0), Fraction(1), Fraction(3, 8), Fraction(3, 32), Fraction(100)]
    clause = chance.choice([0, 1, None])
    rows = () if clause is None else tuple(chance.choice(factors) for _ in range(2))
    return Weighed(clause, rows, tuple((name, chance.choice(factors)) for name in phases))


def true_sum(
    found: Drawn, by: Weighed, phases: dict[Name, int], values: Sequence[Fraction]
) -> Fraction:
    """What the sum is at an input."""
    total = Fraction(0)
    if by.clause is not None:
        for factor, row in zip(by.rows, found.claim.clauses[by.clause], strict=True):
            total += factor * at(row.of, values)
    units = {unit.name: unit for unit in found.claim.units.made}
    for name, factor in by.phases:
        total -= factor * phases[name] * at(units[name].of[0], values)
    return total


def cases() -> Iterator[tuple[Drawn, Sequence[Fraction], dict[Name, int], Weighed]]:
    """Claims, inputs of them, phases that are so there, and sums of rows and phases."""
    for seed in SEEDS:
        chance = Random(seed)
        found = drawn(chance)
        for values in found.values:
            phases = found.phases(values, chance)
            yield found, values, phases, weighted(found, chance, phases)


def rows_of(found: Drawn) -> Iterator[tuple[int, int, int, Affine]]:
    """What each unit is of: its layer, its place there, its place among all rows."""
    start, names = 0, {unit.name: unit for unit in found.claim.units.made}
    for number, layer in enumerate(found.net.layers, 1):
        for name, (own, place) in found.net.names.items():
            if own == number:
                for side, x in enumerate(names[name].of):
                    yield number, place + side * layer.units, start, x
        start += len(layer.low)


def test_whole_numbers_are_right_at_every_input() -> None:
    """A half-space is nowhere above its sum, bounds that are taken anew enclose what they are of, and a cut
    leaves the inputs at which the sum is at most 0."""
    shut = 0
    for found, values, phases, by in cases():
        part = whole(found.net)
        for name, side in phases.items():
            part = phased(found.net, part, *found.net.names[name], side)
        part = tightened(found.net, part, None)
        assert part.left
        for number, place, _, x in rows_of(found):
            low, high = part.low[number][place], part.high[number][place]
            own = at(x, values) * 2**VALUE
            beneath = high == -1 and found.net.layers[number - 1].kind == "step" and own < 0
            assert low <= own and (own <= high or beneath)
        half = half_of(found.net, part, by)
        ends = [x * 2**VALUE for x in values[:2]]
        (const,) = half.consts
        least = sum((s * x for (s,), x in zip(half.slopes, ends, strict=True)), Fraction(const))
        true = true_sum(found, by, phases, values)
        bits = multipliers(found.net, by)[1] + VALUE + WEIGHT
        assert least <= true * Fraction(2) ** bits
        if true <= 0:
            left = cut(part, half)
            assert all(a <= x <= b for a, x, b in zip(left.low[0], ends, left.high[0], strict=True))
            shut += 1
    assert shut > 100


def test_doubles_are_right_at_every_input() -> None:
    """The same in doubles, what is rounded away included."""
    for found, values, phases, by in cases():
        both = many(found.net)
        parts = both.whole()
        for name, side in phases.items():
            begin(both, parts, name, side)
        both.tighten(parts, np.ones(parts.under.shape, np.bool_))
        assert parts.left.all()
        for _, place, start, x in rows_of(found):
            own = at(x, values)
            assert own >= Fraction(float(parts.under[0, start + place]))
            over = float(parts.over[0, start + place])
            assert own <= Fraction(over) or (over == BELOW and own < 0)
        halves = both.weighed(parts, np.array([0]), [by])
        slopes, const = fractions(halves.slopes[0]), fractions(halves.consts)[0]
        least = sum((s * x for s, x in zip(slopes, values[:2], strict=True)), const)
        true = true_sum(found, by, phases, values)
        assert least <= true
        assert halves.least(parts.low, parts.high)[0] <= least
        if true <= 0:
            cut_in_doubles(both, parts, np.array([0]), halves)
            low, high = fractions(parts.low[0]), fractions(parts.high[0])
            assert all(a <= x <= b for a, x, b in zip(low, values[:2], high, strict=True))


def test_numbers_in_slots_are_as_they_are_alone() -> None:
    """Added, multiplied, cut and sorted by sign, each number of many in one is what it is without the others."""
    for width in (128, 160):
        edge = (1 << width - 64) - 1
        alone = [0, 1, -1, edge, -edge, 1 << 60, -(1 << 60), (1 << 60) - 1, 5, -(3 << 60)]
        together = slots(len(alone), width)
        packed = 7 * together.packed(alone) - together.packed(alone[::-1])
        sums = [7 * x - y for x, y in zip(alone, alone[::-1], strict=True)]
        assert together.unpacked(packed) == sums
        cut, exact = together.cut(packed)
        assert together.unpacked(cut) == [x >> 60 for x in sums] and not exact
        more, less = together.sides(cut)
        assert together.unpacked(more) == [max(x >> 60, 0) for x in sums]
        assert together.unpacked(less) == [min(x >> 60, 0) for x in sums]
        assert together.largest(more | -less) >= max(abs(x >> 60) for x in sums)
        assert together.cut(together.packed(alone) << 60) == (together.packed(alone), True)


def test_large_numbers_do_not_run_into_each_other() -> None:
    """Bounds of many rows at once enclose what they are of, whatever large numbers are beside it."""
    for steep, sign in product((1, 2**40, 2**70, 10**40), (1, -1)):
        units, x = Units(1), Affine({0: 1}, 0)
        factors = [Fraction(1, 3), Fraction(sign * steep), Fraction(-sign * steep), Fraction(1, 7)]
        first = units.relu(combined([(1, x), (1, Affine({}, Fraction(1, 2)))]), (0, 0))
        made = [combined([(by, first), (-by / 2, x)]) for by in factors]
        later = [units.relu(row, (1, k)) for k, row in enumerate(made)]
        sums = [combined([(1, y), (-1, z)]) for y, z in product(later, later) if y != z]
        last = [units.relu(row, (2, k)) for k, row in enumerate(sums)]
        clauses = tuple((Row(combined([(-1, y)]), strict=True),) for y in (*later, *last))
        claim = Claim(((Fraction(-1), Fraction(1)),), units, clauses)
        points = [Fraction(k, 3) for k in range(-3, 4)]
        found = Drawn(claim, net_of(claim), [valued(units, [point]) for point in points])
        part = tightened(found.net, whole(found.net), None)
        for number, place, _, row in rows_of(found):
            low, high = part.low[number][place], part.high[number][place]
            assert all(low <= at(row, values) * 2**VALUE <= high for values in found.values)
        for (k, (clause,)), values in product(enumerate(clauses), found.values):
            by = Weighed(k, (Fraction(1),), ())
            half, bits = (
                half_of(found.net, part, by),
                multipliers(found.net, by)[1] + VALUE + WEIGHT,
            )
            least = half.slopes[0][0] * values[0] * 2**VALUE + half.consts[0]
            assert least <= at(clause.of, values) * Fraction(2) ** bits


def test_both_arithmetics_say_nearly_the_same() -> None:
    """Bounds taken anew and sums taken back differ by what rounding explains, and no more."""
    for found, _, phases, by in cases():
        part, both = whole(found.net), many(found.net)
        parts = both.whole()
        for name, side in phases.items():
            part = phased(found.net, part, *found.net.names[name], side)
            begin(both, parts, name, side)
        part = tightened(found.net, part, None)
        both.tighten(parts, np.ones(parts.under.shape, np.bool_))
        for own, low, high in zip(both.floats.layers, part.low[1:], part.high[1:], strict=True):
            assert near(parts.under[0, own.place], low, VALUE)
            assert near(parts.over[0, own.place], high, VALUE)
        half, halves = half_of(found.net, part, by), both.weighed(parts, np.array([0]), [by])
        bits = multipliers(found.net, by)[1] + WEIGHT
        assert near(halves.slopes[0], [x for (x,) in half.slopes], bits)
        assert near(halves.consts, half.consts, VALUE + bits, 1e-3)
        cut_in_doubles(both, parts, np.array([0]), halves)
        left = cut(part, half)
        if left.left and parts.left.all():
            assert near(parts.low[0], left.low[0], VALUE)
            assert near(parts.high[0], left.high[0], VALUE)


def near(values: FloatArray, wanted: Sequence[int], bits: int, off: float = 1e-6) -> bool:
    """Whether doubles are next to whole numbers of 2^-bits, as their sizes go."""
    others = [float(x / Fraction(2) ** bits) for x in wanted]
    return np.allclose(values, others, rtol=off, atol=off)


def begin(both: Many, parts: FloatParts, name: Name, side: int) -> None:
    """Have a unit on one side of 0."""
    layer, place = both.net.names[name]
    below = BELOW if both.floats.layers[layer - 1].kind == "step" else 0.0
    row = np.array([both.row_at(layer, place)])
    half = np.array([0 if side > 0 else 1])
    at_unit(both, parts, np.array([0]), row, np.array([below]), half)


def fractions(values: FloatArray) -> list[Fraction]:
    """Doubles as the numbers that they are."""
    return [Fraction(float(x)) for x in values]
