"""Affine functions of the units of a net, whose rounding is kept beside them.

An `Affine` has one row an entry of a tensor (row-major). In exact arithmetic on its floats, and for
every input of the box, it is within `slack` of the tensor that it stands for. `reach` is a number for
each layer and unit that its value never exceeds in size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

import numpy as np

from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.net import (
    TINY,
    TOO_LARGE,
    UNIT,
    BoolArray,
    FloatArray,
    IntArray,
    rounding,
)
from circ.compiler.ir import Shape

Reach = Sequence[FloatArray]
"""For each layer, the greatest size of each unit's value on the box."""

UP = 1.0 + 4 * UNIT
"""Times this, a sum of a few non-negative floats is above its exact value."""

FARTHEST = 2.0**400
"""No term of a sum is above this: `TINY` is then more than what underflow takes from it."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """`maps[j]` is [entries, units of layer j]; `const` and `slack` are [entries]."""

    maps: Mapping[int, FloatArray] = field(repr=False)
    const: FloatArray = field(repr=False)
    slack: FloatArray = field(repr=False)

    @property
    def entries(self) -> int:
        """How many entries the tensor has."""
        return len(self.const)

    @property
    def fixed(self) -> bool:
        """Whether no unit is in it."""
        return not self.maps


def constant(values: Iterable[Fraction | int | float]) -> Affine:
    """Known entries, each rounded to the nearest float where it is none; raises `Beyond`."""
    exact = [Fraction(value) for value in values]
    if any(abs(value) >= FARTHEST for value in exact):
        raise Beyond(TOO_LARGE)
    near = [float(value) for value in exact]
    gaps = [
        float(abs(Fraction(n) - e)) * UP + (n != e) * TINY for n, e in zip(near, exact, strict=True)
    ]
    return Affine({}, np.array(near), np.array(gaps))


def stored(values: FloatArray) -> Affine:
    """Known entries that are floats."""
    flat = values.reshape(-1)
    return Affine({}, flat, np.zeros(len(flat)))


def units(layer: int, places: IntArray, size: int) -> Affine:
    """The values of some units of a layer of that size."""
    chosen = np.zeros((len(places), size))
    chosen[np.arange(len(places)), places] = 1.0
    return Affine({layer: chosen}, np.zeros(len(places)), np.zeros(len(places)))


def picked(operands: Sequence[Affine], source: IntArray) -> Affine:
    """Entries of the operands, laid end to end, in a new order."""
    if len(operands) == 1:
        (only,) = operands
        maps = {j: rows[source] for j, rows in only.maps.items()}
        return Affine(maps, only.const[source], only.slack[source])
    ends = np.cumsum([0, *(x.entries for x in operands)])
    maps = dict[int, FloatArray]()
    for start, stop, operand in zip(ends[:-1], ends[1:], operands, strict=True):
        inside = np.flatnonzero((source >= start) & (source < stop))
        for j, rows in operand.maps.items():
            whole = maps.setdefault(j, np.zeros((len(source), rows.shape[1])))
            whole[inside] = rows[source[inside] - start]
    const = np.concatenate([x.const for x in operands])[source]
    return Affine(maps, const, np.concatenate([x.slack for x in operands])[source])


def size(x: Affine, reach: Reach) -> FloatArray:
    """Σ |terms| of each entry: no value of its floats is larger."""
    total = np.abs(x.const)
    for j, rows in x.maps.items():
        total = total + np.abs(rows) @ reach[j]
    return total * (1 + rounding(sum(len(reach[j]) for j in x.maps) + len(x.maps)))


def some(x: Affine, reach: Reach) -> BoolArray:
    """Which entries may be other than 0, also where the size of their terms underflows."""
    found = (x.const != 0) | (x.slack != 0)
    for j, rows in x.maps.items():
        found |= ((rows != 0) & (reach[j] != 0)).any(1)
    return np.asarray(found)


def moderate(mass: FloatArray) -> FloatArray:
    """The sizes of sums, none of them near overflow; raises `Beyond`."""
    if not np.all(mass < FARTHEST):
        raise Beyond(TOO_LARGE)
    return mass


def bounded(maps: Mapping[int, FloatArray]) -> Mapping[int, FloatArray]:
    """Coefficients, none of them near overflow; raises `Beyond`.

    Sizes do not tell: those on a unit that is 0 all over the box add nothing to them. Infinite ones would
    make bounds NaN, which no comparison takes to be open.
    """
    for rows in maps.values():
        moderate(np.abs(rows))
    return maps


def combined(terms: Sequence[tuple[Fraction, Affine]], reach: Reach) -> Affine:
    """The linear combination with exact coefficients; raises `Beyond`.

    Where every coefficient is 1 or -1 and no two terms meet, nothing is rounded.
    """
    entries = terms[0][1].entries
    maps = dict[int, FloatArray]()
    const, slack, mass = np.zeros(entries), np.zeros(entries), np.zeros(entries)
    live, meet = np.zeros(entries, np.bool_), np.zeros(entries, np.bool_)
    rounds = False
    for coefficient, x in terms:
        if abs(coefficient) >= FARTHEST:
            raise Beyond(TOO_LARGE)
        near = float(coefficient)
        exact = Fraction(near) == coefficient
        rounds = rounds or abs(coefficient) != 1
        meet |= (const != 0) & (x.const != 0)
        for j, rows in x.maps.items():
            if j in maps:
                meet |= ((maps[j] != 0) & (rows != 0)).any(1)
            maps[j] = maps[j] + near * rows if j in maps else near * rows
        const = const + near * x.const
        slack = slack + abs(near) * x.slack * (1.0 if exact else 1 + 2 * UNIT)
        mass = mass + abs(near) * size(x, reach)
        live |= some(x, reach) if coefficient else False
    maps = {j: rows for j, rows in maps.items() if rows.any()}
    if rounds or len(terms) > 1:
        lost = moderate(mass) * rounding(2 * len(terms)) + live * TINY
        slack = slack * (1 + rounding(len(terms))) + lost * (meet | rounds)
    return Affine(bounded(maps), const, slack)


@dataclass(frozen=True, slots=True)
class Product:
    """An einsum of a known tensor and another one: its letters, and the shapes of the two."""

    known: str
    other: str
    output: str
    known_shape: Shape
    shape: Shape


def mapped(plan: Product, known: Affine, x: Affine, reach: Reach) -> Affine:
    """The known tensor, times the other one; raises `Beyond`."""
    matrix = known.const.reshape(plan.known_shape)
    spec = f"{plan.known},{plan.other}Z->{plan.output}Z"

    def times(by: FloatArray, rows: FloatArray) -> FloatArray:
        whole = np.einsum(spec, by, rows.reshape(*plan.shape, rows.shape[1]), optimize=True)
        return np.ascontiguousarray(whole.reshape(prod(whole.shape[:-1]), rows.shape[1]))

    mass, gap = size(x, reach), x.slack
    within = np.stack([mass, gap, x.const], axis=1)
    bounds = moderate(times(np.abs(matrix), within[:, :2]))
    maps = bounded({j: times(matrix, rows) for j, rows in x.maps.items()})
    const = times(matrix, within[:, 2:])[:, 0]
    summed = len(x.const)
    slack = (bounds[:, 1] + bounds[:, 0] * rounding(summed)) * (1 + rounding(summed))
    if known.slack.any():
        inexact = times(known.slack.reshape(plan.known_shape), (mass + gap)[:, None])[:, 0]
        slack = (slack + inexact * (1 + rounding(summed))) * UP
    used = (matrix != 0) | (known.slack.reshape(plan.known_shape) != 0)
    live = times(used.astype(np.float64), some(x, reach)[:, None].astype(np.float64))
    return Affine(maps, const, slack + (live[:, 0] > 0) * TINY)


def enclosed(
    x: Affine, low: Sequence[FloatArray], high: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Bounds of the exact entries, where unit values are within `low` and `high`, by layer."""
    reach = [np.maximum(np.abs(a), np.abs(b)) for a, b in zip(low, high, strict=True)]
    least, greatest = x.const, x.const
    for j, rows in x.maps.items():
        above, below = np.maximum(rows, 0), np.minimum(rows, 0)
        least = least + above @ low[j] + below @ high[j]
        greatest = greatest + above @ high[j] + below @ low[j]
    mass = size(x, reach)
    terms = sum(2 * len(low[j]) for j in x.maps) + len(x.maps)
    room = x.slack * UP
    if x.maps:
        room = (x.slack + mass * rounding(terms)) * UP + some(x, reach) * TINY
    return less(least, room), more(greatest, room)


def less(values: FloatArray, room: FloatArray) -> FloatArray:
    """A float that is not above the exact difference; the value itself where there is no room."""
    return np.where(room > 0, np.nextafter(values - room, -np.inf), values)


def more(values: FloatArray, room: FloatArray) -> FloatArray:
    """A float that is not below the exact sum; the value itself where there is no room."""
    return np.where(room > 0, np.nextafter(values + room, np.inf), values)
