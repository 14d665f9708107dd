"""Affine functions of a box's inputs, exactly: whole numbers over one denominator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from circ.compiler.ir import Shape
from circ.compiler.regions.polytope import Row, coprime

Wholes = npt.NDArray[Any]
"""An array of Python's whole numbers, which are of any size."""


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """A tensor's entries (row-major), one row each: coefficients and constant, over `den`."""

    nums: Wholes = field(repr=False)
    den: int

    @property
    def known(self) -> bool:
        """Whether no input changes it."""
        return not self.nums[:, :-1].any()

    def row(self, entry: int) -> Row:
        """An entry as a row of coprime whole numbers, which has its sign everywhere."""
        return coprime(self.nums[entry].tolist())

    @property
    def rows(self) -> tuple[tuple[Fraction, ...], ...]:
        """The coefficients and the constant of each entry."""
        return tuple(tuple(Fraction(x, self.den) for x in row) for row in self.nums.tolist())


def constants(values: Iterable[Fraction | int | float], inputs: int) -> Map:
    """Known entries; a finite float is the rational it denotes."""
    ratios = [value.as_integer_ratio() for value in values]
    den = lcm(*{below for _, below in ratios})
    nums = zeros(len(ratios), inputs + 1)
    nums[:, -1] = [above * (den // below) for above, below in ratios]
    return Map(nums, den)


def zeros(rows: int, columns: int) -> Wholes:
    """Zeros that are Python's."""
    found = np.empty((rows, columns), dtype=object)
    found[:] = 0
    return found


def picked(operands: Sequence[Map], source: Sequence[int]) -> Map:
    """Entries of the operands, laid end to end, in a new order."""
    den = lcm(*(x.den for x in operands))
    whole = np.concatenate([x.nums * (den // x.den) for x in operands])
    return Map(whole[list(source)], den)


def combined(terms: Sequence[tuple[Fraction, Map]]) -> Map:
    """The linear combination."""
    den = lcm(*(c.denominator * x.den for c, x in terms))
    total = terms[0][1].nums * 0
    for c, x in terms:
        total = total + x.nums * (c.numerator * (den // (c.denominator * x.den)))
    return lowest(Map(total, den))


def multiplied(spec: str, left: Map, right: Map, shapes: tuple[Shape, Shape]) -> Map | None:
    """An einsum; None where both sides vary."""
    letters, output = spec.split("->")
    first, second = letters.split(",")
    if left.known:
        a = left.nums[:, -1].reshape(shapes[0])
        b = right.nums.reshape(*shapes[1], right.nums.shape[1])
        found = np.einsum(f"{first},{second}Z->{output}Z", a, b)
    elif right.known:
        a = left.nums.reshape(*shapes[0], left.nums.shape[1])
        b = right.nums[:, -1].reshape(shapes[1])
        found = np.einsum(f"{first}Z,{second}->{output}Z", a, b)
    else:
        return None
    return lowest(Map(found.reshape(-1, found.shape[-1]), left.den * right.den))


def lowest(x: Map) -> Map:
    """The same over the least denominator."""
    common = gcd(x.den, *x.nums.reshape(-1).tolist())
    return x if common == 1 else Map(x.nums // common, x.den // common)
