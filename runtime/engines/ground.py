"""Where a counterexample is looked for: batches of inputs, how they start and how they move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import prod
from sys import float_info

import torch
from torch import Tensor

from circ.compiler.ir import Index, Shape
from circ.compiler.obligation import Bound, Box, Reals, Witness, Words
from circ.compiler.readings.torch import numbers

Batch = dict[str, Tensor]
"""Rows of inputs by binder: reals as shares of the box in [0, 1], words as int64 codes."""

CORNERS = 10
"""Boxes of at most this many dimensions have all their corners tried."""

GRIDS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32)
"""Binary digits after the point that a found input is rounded to, the shortest first."""


LARGEST = Fraction(float_info.max)


@dataclass(frozen=True, slots=True)
class RealBinder:
    """The values of one real binder: lower and upper ends, exact and as doubles."""

    shape: Shape
    box: Box
    low: Tensor
    high: Tensor


@dataclass(frozen=True, slots=True)
class Ground:
    """The binders of an obligation: `fields` of reals, `words` with their shape and alphabet."""

    order: tuple[str, ...]
    fields: Mapping[str, RealBinder]
    words: Mapping[str, tuple[Shape, int]]
    twins: tuple[tuple[str, str], ...]
    chance: torch.Generator

    @property
    def dimensions(self) -> int:
        """How many real coordinates an input has."""
        return sum(prod(field.shape) for field in self.fields.values())

    # --- moving ---------------------------------------------------------------------------

    def start(self, count: int) -> Batch:
        """Random inputs: half of the real ones inside, the others at corners and midpoints."""
        batch: Batch = {}
        for name, field in self.fields.items():
            inside = torch.rand(count, *field.shape, generator=self.chance, dtype=torch.float64)
            batch[name] = torch.where(
                self.coin(count, field.shape), (inside * 3).floor() / 2, inside
            )
        for name, (shape, size) in self.words.items():
            batch[name] = self.random_words(count, shape, size)
        for first, second in self.twins:
            same = self.coin(count, batch[first].shape[1:])
            batch[second] = torch.where(same, batch[first], batch[second])
        return batch

    def coin(self, count: int, shape: Sequence[int]) -> Tensor:
        """One random truth a row, to be broadcast to rows of this shape."""
        flips = torch.rand(count, generator=self.chance) < 0.5
        return flips.reshape(count, *[1] * len(shape))

    def random_words(self, count: int, shape: Shape, size: int) -> Tensor:
        """Words, each drawn with letter frequencies of its own: some dwell on few letters."""
        lean = -torch.rand(count, size, generator=self.chance).clamp_min(1e-6).log()
        power = torch.rand(count, 1, generator=self.chance) * 4
        letters = prod(shape)
        if letters == 0:
            return torch.zeros(count, *shape, dtype=torch.int64)
        drawn = torch.multinomial(lean**power, letters, replacement=True, generator=self.chance)
        return drawn.reshape(count, *shape)

    def corners(self) -> Batch:
        """The midpoint and, where they are few, all corners of the box; words at random."""
        sides = self.dimensions
        few = 0 < sides <= CORNERS
        codes = torch.arange(2**sides if few else 0)
        corners = (codes[:, None] >> torch.arange(sides)) & 1
        points = torch.cat([torch.full((1, sides), 0.5), corners]).to(torch.float64)
        batch = self.start(len(points))
        for name, part in zip(self.fields, self.split(points), strict=True):
            batch[name] = part
        return batch

    def split(self, points: Tensor) -> list[Tensor]:
        """Rows of all real coordinates, as those of each binder."""
        parts: list[Tensor] = []
        for field in self.fields.values():
            size = prod(field.shape)
            parts.append(points[:, :size].reshape(-1, *field.shape))
            points = points[:, size:]
        return parts

    def mutated(self, batch: Batch) -> Batch:
        """Each word with one letter drawn anew, or two; the reals as they are."""
        moved = dict(batch)
        for name, (_, size) in self.words.items():
            flat = batch[name].reshape(len(batch[name]), -1).clone()
            rows = torch.arange(len(flat))
            for _ in range(2 if flat.shape[1] else 0):
                places = torch.randint(flat.shape[1], (len(flat),), generator=self.chance)
                flat[rows, places] = torch.randint(size, (len(flat),), generator=self.chance)
            moved[name] = flat.reshape(batch[name].shape)
        return moved

    # --- reading --------------------------------------------------------------------------

    def inputs(self, batch: Batch) -> Batch:
        """The inputs themselves: the ends of the box are met without rounding."""
        values = dict(batch)
        for name, field in self.fields.items():
            share = batch[name]
            values[name] = field.low * (1 - share) + field.high * share
        return values

    def candidates(self, batch: Batch) -> list[Witness]:
        """Every row as exact inputs inside the box: rounded to each of GRIDS, then as it is."""
        values = self.inputs(batch)
        count = len(next(iter(values.values())))
        rows = [{name: numbers(values[name][i]) for name in self.order} for i in range(count)]
        return [self.rounded(row, digits) for digits in (*GRIDS, None) for row in rows]

    def rounded(self, row: Mapping[str, list[float]], digits: int | None) -> Witness:
        """One input, its reals rounded to so many binary digits and kept inside the box."""
        found: list[tuple[str, tuple[Fraction | int, ...]]] = []
        for name in self.order:
            if name in self.words:
                found.append((name, tuple(int(code) for code in row[name])))
            else:
                box = self.fields[name].box
                pairs = zip(row[name], box, strict=True)
                found.append((name, tuple(inside(to_grid(x, digits), ends) for x, ends in pairs)))
        return Witness(tuple(found))

    def batch_of(self, witnesses: Sequence[Witness]) -> Batch:
        """The inputs of exact witnesses, rounded to doubles."""
        values: Batch = {}
        for name in self.order:
            rows = [[double(entry) for entry in witness[name]] for witness in witnesses]
            shape = self.fields[name].shape if name in self.fields else self.words[name][0]
            entries = torch.tensor(rows, dtype=torch.float64).reshape(len(rows), *shape)
            values[name] = entries if name in self.fields else entries.to(torch.int64)
        return values


def ground(binders: Sequence[Bound], seed: int) -> Ground:
    """The ground that the binders of an obligation span."""
    fields: dict[str, RealBinder] = {}
    words: dict[str, tuple[Shape, int]] = {}
    for bound in binders:
        shape = bound.type.shape
        match bound.values, bound.type.sort:
            case Reals(box=box), _:
                fields[bound.name] = RealBinder(
                    shape, box, ends(box, 0, shape), ends(box, 1, shape)
                )
            case Words(), Index(size=size):
                words[bound.name] = (shape, size)
            case Words(members=members), _:
                words[bound.name] = (shape, len(members))
    twins = tuple((a.name, b.name) for a, b in pairwise(binders) if a.type == b.type)
    chance = torch.Generator().manual_seed(seed)
    return Ground(tuple(bound.name for bound in binders), fields, words, twins, chance)


def ends(box: Box, side: int, shape: Shape) -> Tensor:
    """The lower (0) or upper (1) ends of a box as doubles."""
    values = [double(pair[side]) for pair in box]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def double(value: Fraction | int) -> float:
    """The nearest double that is finite."""
    return float(min(max(value, -LARGEST), LARGEST))


def to_grid(x: float, digits: int | None) -> Fraction:
    """The nearest multiple of 2^-digits, or the double itself."""
    exact = Fraction(x)
    return exact if digits is None else Fraction(round(exact * 2**digits), 2**digits)


def inside(value: Fraction, bounds: tuple[Fraction, Fraction]) -> Fraction:
    """The value, or the end of the interval that it lies beyond."""
    return min(max(value, bounds[0]), bounds[1])
