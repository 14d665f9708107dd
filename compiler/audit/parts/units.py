"""Numbers of a circuit as affine functions of units: the inputs, and what is no affine function.

Coefficients are exact. A unit is named by the wire of the circuit that it is made for and a number
there; what two names are the same function of is one unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from circ.compiler.audit.rejected import require

Number = Fraction | int
Kind = Literal["linear", "relu", "step", "product"]
Name = tuple[int, int]
"""A wire and a number among the units that are made for it."""

MOST_TERMS = 1 << 24
"""Numbers of all units."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """Σ terms[u] · unit u + const."""

    terms: dict[int, Number]
    const: Number


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A function of one affine function of earlier units, or of two: `deep` is how many layers are before.

    `linear`: p; `relu`: max(0, p); `step`: 1 where p >= 0, else 0; `product`: p · q. Where `tied`, what p is
    may be next to nothing more, or less.
    """

    kind: Kind
    of: tuple[Affine, ...]
    name: Name
    deep: int
    tied: bool = False


@dataclass(slots=True)
class Units:
    """The inputs, which are units 0 to `inputs` - 1, and the units made of them, equal ones once."""

    inputs: int
    made: list[Unit] = field(default_factory=list[Unit])
    known: dict[object, int] = field(default_factory=dict[object, int])
    names: dict[Name, int] = field(default_factory=dict[Name, int])
    terms: int = 0

    def deep(self, of: Iterable[Affine]) -> int:
        """In which layer a function of these is: behind all that they read."""
        read = (u - self.inputs for x in of for u in x.terms)
        return 1 + max((self.made[u].deep for u in read if u >= 0), default=0)

    def unit(self, kind: Kind, of: tuple[Affine, ...], name: Name, choice: object = None) -> Affine:
        """The unit of that kind of some functions, which are not all known; its ties are broken by a choice."""
        key = (kind, choice, *((frozenset(x.terms.items()), x.const) for x in of))
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.inputs + len(self.made)
            self.made.append(Unit(kind, of, name, self.deep(of), choice is not None))
            self.terms += sum(len(x.terms) for x in of)
            require(self.terms <= MOST_TERMS, "the claim is too large to be audited")
        self.names[name] = found
        return Affine({found: 1}, 0)

    def relu(self, x: Affine, name: Name) -> Affine:
        """max(0, x)."""
        return known(max(x.const, 0)) if not x.terms else self.unit("relu", (x,), name)

    def step(self, x: Affine, name: Name) -> Affine:
        """1 where x >= 0, else 0."""
        return known(int(x.const >= 0)) if not x.terms else self.unit("step", (x,), name)

    def before(self, x: Affine, name: Name, choice: object) -> Affine:
        """1 where x > 0, 0 where x < 0, and either where it is 0, as a choice says that has no other ties."""
        if not x.terms and x.const:
            return known(int(x.const > 0))
        return self.unit("step", (x,), name, choice)

    def times(self, x: Affine, y: Affine, name: Name) -> Affine:
        """The product."""
        if not x.terms:
            return combined([(x.const, y)])
        if not y.terms:
            return combined([(y.const, x)])
        return self.unit("product", (x, y), name)

    def largest(self, row: Sequence[Affine], name: Name) -> Affine:
        """The largest, in rounds: each of the first half with one of the second, the last one alone
        where they are odd; the larger of a and b is b + max(0, a - b)."""
        wire, number = name
        left = list(row)
        while len(left) > 1:
            half = len(left) // 2
            over = list[Affine]()
            for a, b in zip(left[:half], left[half : 2 * half], strict=True):
                more = self.relu(combined([(1, a), (-1, b)]), (wire, number))
                over.append(combined([(1, b), (1, more)]))
                number += 1
            left = [*over, *left[2 * half :]]
        return left[0]

    def all(self, row: Sequence[Affine], name: Name) -> Affine:
        """1 where all of these truths are 1."""
        return self.relu(combined([*((1, x) for x in row), (1 - len(row), known(1))]), name)


def known(value: Number) -> Affine:
    """A known number."""
    return Affine({}, value)


def negated(x: Affine) -> Affine:
    """1 where a truth is 0."""
    return combined([(1, known(1)), (-1, x)])


def combined(parts: Iterable[tuple[Number, Affine]]) -> Affine:
    """A linear combination."""
    terms = dict[int, Number]()
    const: Number = 0
    for factor, x in parts:
        if not factor:
            continue
        if factor == 1:
            for unit, by in x.terms.items():
                terms[unit] = terms[unit] + by if unit in terms else by
        else:
            for unit, by in x.terms.items():
                more = factor if by == 1 else factor * by
                terms[unit] = terms[unit] + more if unit in terms else more
        if x.const:
            const += factor * x.const
    if not all(terms.values()):
        terms = {unit: by for unit, by in terms.items() if by}
    return Affine(terms, const)
