"""Arithmetic on dimensions: sums of products of names, in a form that two equal ones share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

MOST_TERMS = 8
MOST_FACTORS = 4
LARGEST_FACTOR = 1 << 24
"""Of what is written or comes of a call; longer ones are refused, as they grow fast when put into each other."""

Monomial = tuple[str, ...]
"""The names that are multiplied, sorted, each as often as it is a factor; of a number, none."""


@dataclass(frozen=True, slots=True)
class Polynomial:
    """`3*d`, `h*k + 1`: whole factors by monomials, sorted, none of them zero."""

    terms: tuple[tuple[Monomial, int], ...]

    @property
    def names(self) -> frozenset[str]:
        """All that it is made of."""
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    @property
    def constant(self) -> int | None:
        """Its value; None where it has names."""
        if self.names:
            return None
        return self.terms[0][1] if self.terms else 0

    @property
    def manageable(self) -> bool:
        """Whether it is short enough to be worked with."""
        return len(self.terms) <= MOST_TERMS and all(
            len(monomial) <= MOST_FACTORS and abs(factor) <= LARGEST_FACTOR
            for monomial, factor in self.terms
        )


def collected(terms: Iterable[tuple[Monomial, int]]) -> Polynomial:
    """A sum of terms, those of one monomial added up."""
    found: dict[Monomial, int] = {}
    for monomial, factor in terms:
        found[monomial] = found.get(monomial, 0) + factor
    return Polynomial(tuple(sorted((m, factor) for m, factor in found.items() if factor)))


def whole_number(value: int) -> Polynomial:
    """A number by itself."""
    return collected([((), value)])


def variable(name: str) -> Polynomial:
    """A name by itself."""
    return Polynomial((((name,), 1),))


def add(a: Polynomial, b: Polynomial) -> Polynomial:
    """a + b."""
    return collected((*a.terms, *b.terms))


def subtract(a: Polynomial, b: Polynomial) -> Polynomial:
    """a - b."""
    return collected((*a.terms, *((m, -factor) for m, factor in b.terms)))


def multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    """a * b."""
    return collected((tuple(sorted(m + n)), x * y) for m, x in a.terms for n, y in b.terms)


def combined(op: Literal["+", "-", "*"], a: Polynomial, b: Polynomial) -> Polynomial:
    """a + b, a - b or a * b."""
    match op:
        case "+":
            return add(a, b)
        case "-":
            return subtract(a, b)
        case "*":
            return multiply(a, b)


def put_in(p: Polynomial, values: Mapping[str, Polynomial]) -> Polynomial:
    """`p` with polynomials in the place of some names."""
    total = whole_number(0)
    for monomial, factor in p.terms:
        product = whole_number(factor)
        for name in monomial:
            product = multiply(product, values.get(name, variable(name)))
        total = add(total, product)
    return total


def linear_in(p: Polynomial, name: str) -> tuple[Polynomial, Polynomial] | None:
    """a and b where `p` is a * name + b; None where it is not linear in the name."""
    if any(monomial.count(name) > 1 for monomial, _ in p.terms):
        return None
    slope = [(without(m, name), factor) for m, factor in p.terms if name in m]
    return collected(slope), collected(term for term in p.terms if name not in term[0])


def divided(p: Polynomial, by: Polynomial) -> Polynomial | None:
    """`p` divided by a single term, where that leaves no rest; else None."""
    if len(by.terms) != 1:
        return None
    ((names, divisor),) = by.terms
    found: list[tuple[Monomial, int]] = []
    for monomial, factor in p.terms:
        for name in names:
            if name not in monomial:
                return None
            monomial = without(monomial, name)
        if factor % divisor:
            return None
        found.append((monomial, factor // divisor))
    return collected(found)


def without(monomial: Monomial, name: str) -> Monomial:
    """A monomial with one factor less."""
    at = monomial.index(name)
    return monomial[:at] + monomial[at + 1 :]


def show_polynomial(p: Polynomial) -> str:
    """As the user writes it, what is subtracted last."""
    ordered = sorted(p.terms, key=lambda term: (term[1] < 0, -len(term[0]), term[0]))
    text = ""
    for monomial, factor in ordered:
        size = abs(factor)
        product = "*".join([*([str(size)] if size != 1 or not monomial else []), *monomial])
        sign = (" - " if factor < 0 else " + ") if text else ("-" if factor < 0 else "")
        text += sign + product
    return text or "0"
