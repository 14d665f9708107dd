"""One hidden layer of relu, in exact numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Vector = tuple[Fraction, ...]


class NotOneLayer(Exception):
    """No hidden layer of relu is this function, as far as it is read; the message says what stands in the way."""


@dataclass(frozen=True, slots=True)
class HiddenUnits:
    """y = Σ_k columns[k] · relu(rows[k] · x + biases[k]) + constant."""

    rows: tuple[Vector, ...]
    biases: Vector
    columns: tuple[Vector, ...]
    constant: Vector

    @property
    def width(self) -> int:
        """How many units there are."""
        return len(self.rows)

    def at(self, x: Sequence[Fraction]) -> Vector:
        """The value at a point."""
        found = list(self.constant)
        for row, bias, column in zip(self.rows, self.biases, self.columns, strict=True):
            held = max(Fraction(0), bias + sum(a * b for a, b in zip(row, x, strict=True)))
            found = [y + held * c for y, c in zip(found, column, strict=True)]
        return tuple(found)
