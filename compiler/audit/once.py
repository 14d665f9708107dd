"""Arithmetic in which what is computed in the same way is the same object.

So columns of different circuits can be compared by what they are, and not by what they come to: two
that are one object stand for one function of the row and the letter, whatever was rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic

from circ.compiler.audit.columns import Arithmetic, C, Grid
from circ.compiler.audit.rejected import Rejected
from circ.compiler.ir import SmoothName


@dataclass(frozen=True, slots=True, eq=False)
class Once(Generic[C]):
    """Does whatever `math` does, and each thing once; the operands have to be its own columns.

    `found` keeps every column, so that no two have the same `id`.
    """

    math: Arithmetic[C]
    found: dict[object, C] = field(default_factory=dict[object, C])

    @property
    def zero(self) -> C:
        """Nothing."""
        return self.math.zero

    @property
    def one(self) -> C:
        """A factor that changes nothing."""
        return self.math.one

    def kept(self, key: object, made: Callable[[], C]) -> C:
        """The column of this key, made if it is not there."""
        if key not in self.found:
            self.found[key] = made()
        return self.found[key]

    def number(self, value: Fraction) -> C:
        """A number that is the same everywhere."""
        return self.kept(("number", value), lambda: self.math.number(value))

    def dot(self, pairs: Sequence[tuple[C, C]]) -> C:
        """The sum of products, in whatever order it is written."""
        terms = sorted(tuple(sorted((id(x), id(y)))) for x, y in pairs)
        return self.kept(("dot", *terms), lambda: self.math.dot(pairs))

    def dots(self, rows: Sequence[Sequence[C]], columns: Sequence[C]) -> list[C]:
        """The sum of products of each row of factors with the columns."""
        return [self.dot([*zip(row, columns, strict=True)]) for row in rows]

    def curve(self, name: SmoothName, x: C) -> C:
        """A smooth function."""
        return self.kept((name, id(x)), lambda: self.math.curve(name, x))

    def largest(self, columns: Sequence[C]) -> C:
        """The largest."""
        places = sorted({id(x) for x in columns})
        return self.kept(("largest", *places), lambda: self.math.largest(columns))

    def pick(self, choices: Sequence[C], index: Grid) -> C:
        """For each row and letter, one of the columns."""
        key = ("pick", tuple(map(id, choices)), tuple(map(tuple, index)))
        return self.kept(key, lambda: self.math.pick(choices, index))

    def at_letter(self, x: C, letter: int) -> C:
        """The entries of one letter."""
        return self.kept(("letter", id(x), letter), lambda: self.math.at_letter(x, letter))

    def hull(self, columns: Sequence[C]) -> C:
        """Intervals in which any value may be are no function of the row and the letter."""
        raise Rejected("a hard choice is followed at one length alone")

    def below(self, x: C, y: C, *, strict: bool) -> list[list[bool | None]]:
        """Whether x is smaller, or at most y; None where the intervals do not say."""
        return self.math.below(x, y, strict=strict)
