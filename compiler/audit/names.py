"""Names for what is computed: expressions of one name are one function, whatever they are computed of.

What may be written in several orders has one name: sums and products, what all or any of, the largest
of. Known numbers are taken out of sums, and sums in sums may be written out. A name stands for a whole
expression, and not for a hash of it. Nothing cancels: what an expression reads is all in its name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from circ.compiler.audit.entries import JoinName

MOST_TERMS = 1 << 20
"""Of sums and joins that are written out within others."""


@dataclass(frozen=True, slots=True)
class Number:
    """A known number, and the name of what is added to it; None where nothing is."""

    known: Fraction | int
    rest: int | None


Term = tuple[int, Fraction | int]
"""A name, and the known number that it is multiplied by."""


@dataclass(slots=True, eq=False)
class Names:
    """The name of each expression; of those that are sums, or joins, what they are made of.

    `left` says how many more terms may be written out.
    """

    found: dict[tuple[object, ...], int] = field(default_factory=dict[tuple[object, ...], int])
    sums: dict[int, tuple[Term, ...]] = field(default_factory=dict[int, tuple[Term, ...]])
    joins: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    left: int = field(default_factory=lambda: MOST_TERMS)

    def name(self, *expression: object) -> int:
        """The name of an expression: what is done, and the names of what it is done to."""
        return self.found.setdefault(expression, len(self.found))

    def value(self, x: Number) -> int:
        """The name of a number as a whole."""
        if x.rest is None or x.known:
            return self.name("number", x.known, x.rest)
        return x.rest

    def joined(self, name: JoinName, parts: Iterable[int]) -> int:
        """The name of what all or any of some parts hold, or of the largest."""
        flat: set[int] = set()
        for part in parts:
            inner = self.joins.get(part, ())
            same = bool(inner) and self.found.get((name, *inner)) == part
            flat.update(inner if same and self.room(len(inner)) else (part,))
        kept = tuple(sorted(flat))
        found = self.name(name, *kept)
        self.joins[found] = kept
        return found

    def added(self, parts: Iterable[tuple[Fraction | int, Number, bool]]) -> Number:
        """A sum of numbers with known coefficients, each to be written out or not."""
        known: Fraction | int = 0
        terms: list[Term] = []
        for factor, x, out in parts:
            if x.known:
                known += factor * x.known
            terms += self.terms(factor, x.rest, out)
        return self.total(known, terms)

    def multiplied(self, pairs: Iterable[tuple[Number, Number]]) -> Number:
        """A sum of products of two numbers."""
        known: Fraction | int = 0
        terms: list[Term] = []
        for x, y in pairs:
            if x.known and y.known:
                known += x.known * y.known
            if x.known or x.rest is None:
                terms += self.terms(x.known, y.rest)
            if y.known or y.rest is None:
                terms += self.terms(y.known, x.rest)
            if x.rest is not None and y.rest is not None:
                terms.append((self.name("times", *sorted((x.rest, y.rest))), 1))
        return self.total(known, terms)

    def terms(self, factor: Fraction | int, rest: int | None, out: bool = False) -> Iterable[Term]:
        """What a number adds to a sum, beside what is known."""
        if rest is None:
            return ()
        inner = self.sums.get(rest, ()) if out else ()
        if not inner or not self.room(len(inner)):
            return ((rest, factor),)
        return [(name, factor * times) for name, times in inner]

    def total(self, known: Fraction | int, terms: list[Term]) -> Number:
        """A sum."""
        if not terms:
            return Number(known, None)
        if len(terms) == 1 and terms[0][1] == 1:
            return Number(known, terms[0][0])
        ordered = tuple(sorted(terms))
        found = self.name("sum", *ordered)
        self.sums[found] = ordered
        return Number(known, found)

    def room(self, count: int) -> bool:
        """Whether so many more terms may be written out."""
        if count > self.left:
            return False
        self.left -= count
        return True
