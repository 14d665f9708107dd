"""Numbers that are sums over several heads: of totals, each over its own head, and of ReLUs.

What no one head says is left apart until a proof bounds it: a ReLU of several positions stands for
itself here, times a known number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic

from circ.compiler.audit.columns import Bent, C, Total
from circ.compiler.audit.entries import Linear, Nodes, Pick, Products, Rectified, Share
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.sums import Reading

Unit = tuple[int, int]
"""A ReLU: a wire and a place."""


@dataclass(frozen=True, slots=True, eq=False)
class Blend(Generic[C]):
    """The sum of `totals`, no two over the same head, and of known multiples of ReLUs."""

    totals: tuple[Total[C], ...]
    bends: Mapping[Unit, C]


@dataclass(frozen=True, slots=True, eq=False)
class Blends(Generic[C]):
    """Reads numbers as blends, as far as a reading reads their parts."""

    reading: Reading[C]
    found: dict[int, Blend[C]] = field(default_factory=dict[int, "Blend[C]"])

    def blend(self, place: int) -> Blend[C]:
        """A number; raises `Rejected` where it is no blend."""
        if place not in self.found:
            self.found[place] = self.read(place)
        return self.found[place]

    def read(self, place: int) -> Blend[C]:
        """As `blend`, for the first time."""
        try:
            return Blend((self.reading.total(place),), {})
        except Bent:
            pass
        except Rejected:
            if not isinstance(
                self.reading.nodes.nodes[place], Linear | Products | Pick | Rectified
            ):
                raise
        node, one = self.reading.nodes.nodes[place], self.reading.math.one
        match node:
            case Linear(terms=terms):
                number = self.reading.math.number
                return self.added([(number(Fraction(c)), self.blend(part)) for c, part in terms])
            case Products(pairs=pairs):
                return self.added([self.scaled(x, y) for x, y in pairs])
            case Pick():
                return self.blend(self.picked(node))
            case Rectified(at=at):
                return Blend((), {at: one})
            case _:
                raise Rejected("what is not linear reads ReLUs of several positions")

    def picked(self, node: Pick) -> int:
        """The part that is picked, where that is known."""
        codes = [self.reading.code(index) for index in node.indices]
        place = self.reading.places(node, codes)
        if place.position is not None or len(place.grid) > 1:
            raise Rejected("a letter picks between what several heads say")
        return node.parts[place.grid[0][0]]

    def scaled(self, x: int, y: int) -> tuple[C, Blend[C]]:
        """A product of which one side is known, or that one head says."""
        one, left, right = self.reading.math.one, self.blend(x), self.blend(y)
        for side, other in ((left, right), (right, left)):
            factor = known(side)
            if factor is not None:
                return factor, other
        if left.bends or right.bends or len(left.totals) != 1 or len(right.totals) != 1:
            raise Rejected("a product of what several heads say")
        return one, Blend((self.reading.product(left.totals[0], right.totals[0]),), {})

    def added(self, parts: Sequence[tuple[C, Blend[C]]]) -> Blend[C]:
        """A sum with known factors."""
        groups: dict[int, list[tuple[C, Total[C]]]] = {}
        bends: dict[Unit, list[tuple[C, C]]] = {}
        for factor, x in parts:
            for total in x.totals:
                groups.setdefault(id(total.head), []).append((factor, total))
            for at, c in x.bends.items():
                bends.setdefault(at, []).append((factor, c))
        totals = tuple(self.reading.added(group) for group in groups.values())
        return Blend(totals, {at: self.reading.math.dot(pairs) for at, pairs in bends.items()})


def known(x: Blend[C]) -> C | None:
    """A number that is known."""
    if not x.bends and len(x.totals) == 1 and x.totals[0].known:
        return x.totals[0].rest
    return None


def rows_of(nodes: Nodes) -> list[tuple[int, ...]]:
    """The score rows of all heads, in the order of the circuit."""
    return sorted({node.row for node in nodes.nodes if isinstance(node, Share)})
