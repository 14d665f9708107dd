"""A claim about words of any length, read at two lengths that have to agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Generic

from circ.compiler.audit.clauses import Clause, Formula, class_formula
from circ.compiler.audit.columns import Arithmetic, C, Codes, Head, Total
from circ.compiler.audit.divided import Parts, positions, set_apart, several
from circ.compiler.audit.entries import Known, Letter
from circ.compiler.audit.everywhere import FactorShapes, everywhere
from circ.compiler.audit.factors import Scaled, scaled_sides, without_factors
from circ.compiler.audit.forms import Forms
from circ.compiler.audit.once import Once
from circ.compiler.audit.rejected import require
from circ.compiler.audit.sums import Reading
from circ.compiler.audit.turns import DIFFERS, folded
from circ.compiler.tensor import Weights

End = int
"""Of a word: 0, or -1 for the last letter."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """The claim at one length; `apart` as for `Reading`, `fixed` is the end that is gone through.

    `scaled` has the numbers that are compared by their positive factors.
    """

    parts: Parts
    weights: Weights
    fixed: End | None
    apart: list[bool]
    scaled: Mapping[int, Scaled]

    def given(self, values: tuple[Known, ...]) -> dict[int, Known]:
        """What is known in a class."""
        return dict(zip(self.parts.values, values, strict=True))

    def formula(self, values: tuple[Known, ...]) -> Formula:
        """The goal in a class, by comparisons without common positive factors."""
        found = class_formula(self.parts.nodes, self.parts.options, self.given(values))
        return without_factors(found, self.scaled)

    def rows(self) -> dict[int, range]:
        """The letters of the position that is gone through."""
        word = self.parts.word
        return {} if self.fixed is None else {self.fixed % word.length: range(word.letters)}

    def named(self, place: int) -> tuple[str, int] | None:
        """What is not looked into, as for `named_in`."""
        return named_in(self.parts, place)


def named_in(parts: Parts, place: int) -> tuple[str, int] | None:
    """What sorts the words, and letters, told apart by the ends, by their names."""
    if place in parts.values:
        return "value", parts.values.index(place)
    node = parts.nodes.nodes[place]
    if not isinstance(node, Letter):
        return None
    at_end = node.position in (0, parts.word.length - 1)
    return ("end", int(node.position > 0)) if at_end else ("letter", 0)


Sides = tuple[Side, Side]


def sides_of(near: Parts, far: Parts, weights: Weights, fixed: End | None) -> Sides:
    """The claim at two lengths; raises `Rejected` unless the same positive factors are found at both."""
    forms = Forms()
    found = [scaled_everywhere(parts, weights, forms) for parts in (near, far)]
    (_, short), (_, long) = found
    require(short.shapes == long.shapes, "a factor differs from length to length")
    require_alike_places(short.below, long.below, near.word.length)
    first, second = (
        Side(parts, weights, fixed, set_apart(parts.nodes, parts.values), scaled)
        for parts, (scaled, _) in zip((near, far), found, strict=True)
    )
    return first, second


def scaled_everywhere(
    parts: Parts, weights: Weights, forms: Forms
) -> tuple[Mapping[int, Scaled], FactorShapes]:
    """The numbers that are compared by factors that are positive at every length, and what these are."""
    wide = [several(mask) for mask in positions(parts.nodes)]
    scaled = scaled_sides(parts.nodes, wide, weights)
    return everywhere(parts.nodes, scaled, forms, partial(named_in, parts))


def require_alike_goals(sides: Sides) -> None:
    """Raise `Rejected` unless the goal is made alike of what sorts the words and of comparisons."""
    forms = Forms()
    short, long = (goals(side, forms) for side in sides)
    require(short == long, "what is claimed differs from length to length")


def goals(side: Side, forms: Forms) -> list[tuple[int, bool]]:
    """The forms of the options, down to numbers."""
    nodes, options = side.parts.nodes, side.parts.options

    def named(place: int) -> tuple[str, int] | None:
        return side.named(place) or (("number", 0) if nodes.real[place] else None)

    found = forms.under(nodes, [place for place, _ in options], named)
    return [(found[place], wanted) for place, wanted in options]


def same_comparisons(near: Clause, far: Clause) -> bool:
    """Whether two clauses have as many comparisons, as strict."""
    return [beats.strict for beats in near] == [beats.strict for beats in far]


@dataclass(frozen=True, slots=True, eq=False)
class Both(Generic[C]):
    """The numbers of a claim by one arithmetic; what classes share is kept, of each length."""

    sides: Sides
    math: Once[C]
    forms: Forms = field(default_factory=Forms)
    shared: tuple[dict[int, Total[C] | Codes], ...] = field(default_factory=lambda: ({}, {}))
    heads: tuple[dict[tuple[int, ...], Head[C]], ...] = field(default_factory=lambda: ({}, {}))

    def readings(self, values: tuple[Known, ...]) -> Readings[C]:
        """The numbers in a class."""
        near, far = (
            Reading(
                self.math, side.parts.nodes, side.weights, side.parts.word.letters, side.rows(),
                side.given(values), {}, side.apart, shared, heads,
            )
            for side, shared, heads in zip(self.sides, self.shared, self.heads, strict=True)
        )  # fmt: skip
        return Readings(self, near, far)


@dataclass(frozen=True, slots=True, eq=False)
class Readings(Generic[C]):
    """The numbers of a claim in a class, at both lengths."""

    both: Both[C]
    near: Reading[C]
    far: Reading[C]

    def total(self, near: Total[C], far: Total[C]) -> Total[C]:
        """A number as if about words of four letters; raises `Rejected`."""
        length = self.both.sides[0].parts.word.length
        return folded(near, far, length, self.both.math.zero)

    def require_alike(self) -> None:
        """Raise `Rejected` unless what was read of one letter, or of none, has the same forms everywhere."""
        sides = zip(self.both.sides, (self.near, self.far), strict=True)
        short, long = (self.forms(side, reading) for side, reading in sides)
        require_alike_places(short, long, self.both.sides[0].parts.word.length)

    def forms(self, side: Side, reading: Reading[C]) -> ByPlace:
        """The forms of what was read of one position or none, by the position."""
        read = {**reading.shared, **reading.own}
        found = {place: one_read(x) for place, x in read.items() if is_of_one(x)}
        named = self.both.forms.under(side.parts.nodes, found, side.named)
        return {
            at: frozenset(named[place] for place, position in found.items() if position == at)
            for at in {*found.values()}
        }


ByPlace = Mapping[int | None, frozenset[int]]
"""Forms, by the position that they read, or None."""


def require_alike_places(short: ByPlace, long: ByPlace, length: int) -> None:
    """Raise `Rejected` unless all places between the ends have the same forms, at `length` and at one
    more, and so do the ends, and what reads no position."""
    none = frozenset[int]()
    each = short.get(1, none)
    between = [short.get(place, none) for place in range(2, length - 1)]
    between += [long.get(place, none) for place in range(1, length)]
    require(all(other == each for other in between), DIFFERS)
    for one, other in ((None, None), (0, 0), (length - 1, length)):
        require(short.get(one, none) == long.get(other, none), DIFFERS)


def is_of_one(value: Total[C] | Codes) -> bool:
    """Whether it reads one position at most, besides those that are fixed."""
    return isinstance(value, Codes) or (value.head is None and len(value.terms) < 2)


def one_read(value: Total[C] | Codes) -> int | None:
    """The position that it reads, if there is one."""
    return value.position if isinstance(value, Codes) else next(iter(value.terms), None)


def both_of(sides: Sides, math: Arithmetic[C]) -> Both[C]:
    """A claim's numbers at both lengths."""
    return Both(sides, Once(math))
