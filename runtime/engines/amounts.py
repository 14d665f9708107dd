"""Sums of exponentials as numbers to look for least ones among: they add up, and are compared exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf

from circ.compiler.readings import exponentials
from circ.compiler.readings.closed import NotClosed
from circ.compiler.readings.exponentials import ExpSum


@dataclass(frozen=True, slots=True)
class Amount:
    """A number; comparisons raise `NotClosed` where they take too many bits."""

    form: ExpSum

    def __add__(self, other: Amount | float) -> Amount | float:
        """The sum; with infinity, infinity."""
        if not isinstance(other, Amount):
            return inf
        return Amount(exponentials.combined([(Fraction(1), self.form), (Fraction(1), other.form)]))

    __radd__ = __add__

    def __lt__(self, other: Amount | float) -> bool:
        """Whether it is less."""
        return self.beside(other) < 0

    def __le__(self, other: Amount | float) -> bool:
        """Whether it is less or equal."""
        return self.beside(other) <= 0

    def __gt__(self, other: Amount | float) -> bool:
        """Whether it is more."""
        return self.beside(other) > 0

    def __ge__(self, other: Amount | float) -> bool:
        """Whether it is more or equal."""
        return self.beside(other) >= 0

    def beside(self, other: Amount | float) -> int:
        """The sign of this less the other, which is an amount, 0 or infinity."""
        if other == inf:
            return -1
        theirs = other.form if isinstance(other, Amount) else ExpSum()
        gap = exponentials.combined([(Fraction(1), self.form), (Fraction(-1), theirs)])
        found = exponentials.sign(gap)
        if found is None:
            raise NotClosed
        return found
