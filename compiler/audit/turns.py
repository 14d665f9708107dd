"""Numbers about words of any length: what each letter adds, the same at all places between the ends.

A number is read at two lengths, by an arithmetic in which what is computed alike is one object
(`once.py`). What the places between the ends add is to be one object at both lengths, and so are the
ends and what no letter changes. What is left is the number as if about words of four letters: a first
one, two that stand for all between, and a last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from circ.compiler.audit.columns import C, Head, Total
from circ.compiler.audit.rejected import require

PLACES = 4
"""The first letter, two of those between, and the last."""

DIFFERS = "what a letter adds differs from place to place, or from length to length"


@dataclass(frozen=True, slots=True)
class Term(Generic[C]):
    """One term of a sum at a place: e^score, or None for 1, and what it counts for."""

    place: int | None
    power: C | None
    term: C

    def same(self, other: Term[C]) -> bool:
        """Whether both were computed in the same way."""
        return self.power is other.power and self.term is other.term


def terms_of(total: Total[C], zero: C) -> list[Term[C]]:
    """The terms of a number, those of one position in their order."""
    if total.head is None:
        terms = sorted(total.terms.items())
        return [Term(place, None, term) for place, term in terms if term is not zero]
    pairs = zip(total.head.places, total.head.powers, strict=True)
    return [
        Term(place, power, total.terms.get(slot, zero)) for slot, (place, power) in enumerate(pairs)
    ]


def folded(near: Total[C], far: Total[C], length: int, zero: C) -> Total[C]:
    """The number as if about words of four letters, given it at `length` and at one more.

    Raises `Rejected` where it is not the same at all places between the ends, and at both lengths.
    """
    short, long = terms_of(near, zero), terms_of(far, zero)
    first, each, last = (at(short, place) for place in (0, 1, length - 1))
    still = at(short, None)
    alike = [(each, at(short, place)) for place in range(2, length - 1)]
    alike += [(each, at(long, place)) for place in range(1, length)]
    alike += [(first, at(long, 0)), (last, at(long, length)), (still, at(long, None))]
    heads = (near.head is None) == (far.head is None)
    require(heads and near.rest is far.rest, DIFFERS)
    require(all(equal(one, other) for one, other in alike), DIFFERS)
    moved = [(None, still), (0, first), (1, each), (2, each), (PLACES - 1, last)]
    parts = [Term(place, x.power, x.term) for place, some in moved for x in some]
    return rebuilt(parts, near, zero)


def at(parts: Sequence[Term[C]], place: int | None) -> list[Term[C]]:
    """The terms of one position, or those that read none."""
    return [term for term in parts if term.place == place]


def equal(one: Sequence[Term[C]], other: Sequence[Term[C]]) -> bool:
    """Whether two places add the same, in the same order."""
    return len(one) == len(other) and all(x.same(y) for x, y in zip(one, other, strict=True))


def rebuilt(parts: Sequence[Term[C]], like: Total[C], zero: C) -> Total[C]:
    """A number of these terms, over a head if `like` is."""
    if like.head is None:
        return Total(
            None, {term.place: term.term for term in parts if term.place is not None}, like.rest
        )
    powers = tuple(term.power for term in parts if term.power is not None)
    head = Head(tuple(term.place for term in parts), powers)
    terms = {k: term.term for k, term in enumerate(parts) if term.term is not zero}
    return Total(head, terms, like.rest)
