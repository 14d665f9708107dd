"""Whether the order of letters may change what a claim says, one position perhaps aside.

Each node is named as it is, and as it would be were letters swapped. Nodes of one name are one
function of the word (`names.py`), so that the order of letters does not change what keeps its name. Two
letters swapped, and all moved by one, are enough: every other order comes of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import assert_never

from circ.compiler.audit.entries import (
    Curve,
    Given,
    Join,
    Kept,
    Leader,
    Letter,
    Linear,
    Negation,
    Order,
    Pick,
    Products,
    Rectified,
    Share,
    Stored,
)
from circ.compiler.audit.names import Names, Number
from circ.compiler.audit.plan import Denominator, Plan, Power, Ratio
from circ.compiler.audit.rejected import require
from circ.compiler.tensor import Weights

Moved = Sequence[int]
"""By position, which letter of the word is read there."""

Called = Number | int
"""What a node is called: a number, or an index or a truth by its name."""


def require_alike(plan: Plan, roots: Sequence[int], weights: Weights, apart: int | None) -> None:
    """Raise `Rejected` unless the order of letters changes no root, those at `apart` aside."""
    free = [axis for axis in range(len(plan.sizes)) if axis != apart]
    require(len({plan.sizes[axis] for axis in free}) <= 1, "its positions have other letters")
    swaps = Swaps(plan, weights, ways_of(len(plan.sizes), free))
    for node in plan.needed(roots):
        swaps.give(node)
    require(all(map(swaps.unmoved, roots)), "the order of letters may matter")


def ways_of(length: int, free: Sequence[int]) -> list[Moved]:
    """The word as it is; two of the free letters swapped; and all of them moved by one."""
    turned = rearranged(length, free, [*free[1:], *free[:1]])
    return [range(length), rearranged(length, free[:2], free[:2][::-1]), turned]


def rearranged(length: int, places: Sequence[int], to: Sequence[int]) -> list[int]:
    """What is read at each position where other letters are read at some."""
    found = list(range(length))
    for place, other in zip(places, to, strict=True):
        found[place] = other
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Swaps:
    """The names of nodes, in each way to move letters; nodes get them in order."""

    plan: Plan
    weights: Weights
    ways: Sequence[Moved]
    names: Names = field(default_factory=Names)
    found: dict[int, list[Called]] = field(default_factory=dict[int, "list[Called]"])

    def unmoved(self, node: int) -> bool:
        """Whether a node is called the same in each way."""
        first, *others = self.found[node]
        return all(one == first for one in others)

    def give(self, node: int) -> None:
        """Name a node; its parts have names."""
        mask = self.plan.masks[node]
        first = self.named(node, 0)
        self.found[node] = [first]
        for way, letters in enumerate(self.ways[1:], start=1):
            moves = any(mask >> axis & 1 for axis, to in enumerate(letters) if axis != to)
            self.found[node].append(self.named(node, way) if moves else first)

    def spread(self, node: int) -> bool:
        """Whether a node adds up what is read of several letters, and their order may matter: as where
        letters are added one by one. It is written out in sums."""
        adds = isinstance(self.plan.nodes[node], Linear)
        return adds and self.plan.masks[node].bit_count() > 1 and not self.unmoved(node)

    def number(self, node: int, way: int) -> Number:
        """What a number is called."""
        found = self.found[node][way]
        assert isinstance(found, Number), "a number is expected"
        return found

    def named(self, place: int, way: int) -> Called:
        """What a node is called in one way."""
        node, names = self.plan.nodes[place], self.names
        if place in self.plan.leaves:
            return names.name("letter", self.ways[way][self.plan.leaves[place]])
        match node:
            case Given(value=value) if self.plan.real[place]:
                return Number(Fraction(value), None)
            case Stored(key=key, place=entry):
                return Number(Fraction(self.weights[key].values[entry]), None)
            case Linear(terms=terms):
                return names.added((c, self.number(x, way), self.spread(x)) for c, x in terms)
            case Products(pairs=pairs):
                return names.multiplied(
                    (self.number(x, way), self.number(y, way)) for x, y in pairs
                )
            case _:
                found = self.expression(place, lambda part: self.name(part, way))
                return Number(0, found) if self.plan.real[place] else found

    def name(self, node: int, way: int) -> int:
        """The name of a node as a whole."""
        found = self.found[node][way]
        return self.names.value(found) if isinstance(found, Number) else found

    def expression(self, place: int, called: Callable[[int], int]) -> int:
        """The name of a node that is no sum, its parts being called so."""
        node, name = self.plan.nodes[place], self.names.name

        def all_of(parts: Iterable[int]) -> Iterable[int]:
            return map(called, parts)

        match node:
            case Given(value=value):
                return name("code", int(value))
            case Join(name=how, parts=parts):
                return self.names.joined(how, all_of(parts))
            case Negation(part=part):
                return name("not", called(part))
            case Order(name="==", left=left, right=right):
                return name("==", *sorted((called(left), called(right))))
            case Order(name=how, left=left, right=right):
                return name(how, called(left), called(right))
            case Pick(indices=indices, sides=sides, parts=parts):
                return name("pick", *all_of(indices), sides, *all_of(parts))
            case Rectified(part=part):
                return name("relu", called(part))
            case Curve(name=how, part=part):
                return name("curve", how, called(part))
            case Leader(row=row):
                return name("leader", *all_of(row))
            case Power(part=part):
                return name("power", called(part))
            case Denominator(row=row):
                return name("whole", *sorted(all_of(row)))
            case Ratio(part=part, whole=whole):
                return name("ratio", called(part), called(whole))
            case Letter() | Stored() | Linear() | Products() | Share() | Kept():
                raise AssertionError(f"it has a name of its own: {node}")
            case _:
                assert_never(node)
