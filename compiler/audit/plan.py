"""What is computed of an input, in which order, and which of its letters each part reads.

An input is a number: its letters are the digits, the last one first. What attention reads is taken
apart, so that powers of e are computed once for the letters that their scores read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

from circ.compiler.audit.entries import (
    MOST,
    Given,
    Linear,
    Node,
    Nodes,
    Products,
    Share,
    Stored,
    behind,
    parts_of,
)
from circ.compiler.audit.moved import moved
from circ.compiler.audit.rejected import require
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Power:
    """e^x, of a score x."""

    part: int


@dataclass(frozen=True, slots=True)
class Denominator:
    """The sum of powers."""

    row: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A power divided by a sum that it is part of."""

    part: int
    whole: int


Part = Node | Power | Denominator | Ratio


def read_by(node: Part) -> tuple[int, ...]:
    """The nodes that a node reads."""
    match node:
        case Power(part=part):
            return (part,)
        case Denominator(row=row):
            return row
        case Ratio(part=part, whole=whole):
            return (part, whole)
        case _:
            return tuple(dict.fromkeys(parts_of(node)))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Nodes in order, and what each reads; those that stand for an entry of an input, by its axis; how
    long each axis is.

    Bit a of `masks[n]` says that node n reads axis a.
    """

    nodes: Sequence[Part]
    real: Sequence[bool]
    leaves: Mapping[int, int]
    sizes: tuple[int, ...]
    reads: Sequence[tuple[int, ...]]
    masks: Sequence[int]

    @property
    def total(self) -> int:
        """How many inputs there are."""
        return prod(self.sizes)

    def step(self, axis: int) -> int:
        """What a digit of an axis counts."""
        return prod(self.sizes[axis + 1 :])

    def axes(self, mask: int) -> list[int]:
        """The axes of a mask."""
        return [axis for axis in range(len(self.sizes)) if mask >> axis & 1]

    def needed(self, roots: Iterable[int]) -> list[int]:
        """What some nodes are computed from, and these, in order."""
        return behind(self.reads, roots)


def planned(
    nodes: Sequence[Part], real: Sequence[bool], leaves: Mapping[int, int], sizes: Sequence[int]
) -> Plan:
    """Nodes with what each reads; an entry of an input reads nothing else."""
    reads = [() if place in leaves else read_by(node) for place, node in enumerate(nodes)]
    masks: list[int] = []
    for place, parts in enumerate(reads):
        mask = 1 << leaves[place] if place in leaves else 0
        for part in parts:
            mask |= masks[part]
        masks.append(mask)
    return Plan(nodes, real, leaves, tuple(sizes), reads, masks)


# --- without what is zero -------------------------------------------------------------------------


@dataclass(slots=True)
class Reduced:
    """Nodes in order, equal ones once."""

    nodes: list[Part] = field(default_factory=list[Part])
    real: list[bool] = field(default_factory=list[bool])
    places: dict[Part, int] = field(default_factory=dict[Part, int])

    def add(self, node: Part, *, real: bool = True) -> int:
        """The number of a node."""
        found = self.places.get(node)
        if found is None:
            require(len(self.nodes) < 2 * MOST, "the claim is too large to be audited")
            found = self.places[node] = len(self.nodes)
            self.nodes.append(node)
            self.real.append(real)
        return found


def reduced(nodes: Nodes, weights: Weights) -> tuple[Reduced, list[int]]:
    """The same nodes without what is multiplied by zero, and where each of them is now."""
    found = Reduced()
    places: dict[int, int] = {}
    for place, (node, real) in enumerate(zip(nodes.nodes, nodes.real, strict=True)):
        places[place] = put(found, node, real, places, weights)
    return found, list(places.values())


def put(found: Reduced, node: Node, real: bool, to: Mapping[int, int], weights: Weights) -> int:
    """One node."""
    match node:
        case Share(row=row, place=place):
            powers = [found.add(Power(to[part])) for part in row]
            return found.add(Ratio(powers[place], found.add(Denominator(tuple(powers)))))
        case Linear(terms=terms):
            kept = [(c, to[x]) for c, x in terms if c and not zero(found, to[x], weights)]
            return found.add(Linear(tuple(kept)) if kept else Given(0, True))
        case Products(pairs=pairs):
            both = [(to[x], to[y]) for x, y in pairs]
            some = [p for p in both if not any(zero(found, x, weights) for x in p)]
            return found.add(Products(tuple(some)) if some else Given(0, True))
        case _:
            return found.add(moved(node, to), real=real)


def zero(found: Reduced, place: int, weights: Weights) -> bool:
    """Whether a node is known to be zero."""
    match found.nodes[place]:
        case Given(value=value):
            return value == 0
        case Stored(key=key, place=entry):
            return weights[key].values[entry] == 0
        case _:
            return False
