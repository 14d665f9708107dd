"""Positive factors at every length: what shows that a factor is positive is the same at two lengths.

A factor is looked into down to squares and exponentials, of which the sign is known whatever they are of.
So much may not read how many letters there are: it has one shape at all lengths. Below, roots and
inverses have to be of one letter each, or of none, and the same at all places between the ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from circ.compiler.audit.divided import positions, several
from circ.compiler.audit.entries import Curve, Given, Linear, Nodes, Products
from circ.compiler.audit.factors import NEEDED, Scaled, Sign, sign_of
from circ.compiler.audit.forms import Forms, Named

Shape = tuple[object, ...]
"""How it is seen that a number is positive."""


@dataclass(frozen=True, slots=True)
class FactorShapes:
    """What factors look like, and the forms of roots and inverses below them, by the position read."""

    shapes: frozenset[Shape]
    below: Mapping[int | None, frozenset[int]]


@dataclass(slots=True, eq=False)
class Look:
    """Looks into factors: `signs` are those that what is looked into shows, `under` what is not looked into."""

    nodes: Nodes
    signs: list[Sign] = field(init=False)
    under: set[int] = field(default_factory=set[int])

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.signs = [Sign.UNKNOWN] * len(self.nodes.nodes)

    def shape(self, place: int) -> Shape | None:
        """What a number looks like; None where it is not defined for sure, or not understood."""
        node = self.nodes.nodes[place]
        match node:
            case Given(value=value):
                found: Shape | None = ("known", value)
            case Curve(name="exp", part=part):
                self.under.add(part)
                found = ("exp",)
            case Curve(name=name, part=part):
                inner = self.shape(part)
                sure = self.signs[part] >= NEEDED[name]
                found = (name, inner) if inner and sure else None
            case Linear(terms=terms):
                found = whole([self.shape(part) for _, part in terms], [c for c, _ in terms])
            case Products(pairs=pairs):
                found = whole([self.product(x, y) for x, y in pairs], ["times"])
            case _:
                found = None
        self.signs[place] = sign_of(node, self.signs) if found else Sign.UNKNOWN
        return found

    def product(self, x: int, y: int) -> Shape | None:
        """What a product looks like."""
        if x == y:
            self.under.add(x)
            return ("square",)
        return whole([self.shape(x), self.shape(y)], [])


def whole(parts: Sequence[Shape | None], besides: Sequence[object]) -> Shape | None:
    """What is made of parts; None where one is."""
    return None if None in parts else (*besides, *parts)


def everywhere(
    nodes: Nodes, scaled: Mapping[int, Scaled], forms: Forms, named: Named
) -> tuple[dict[int, Scaled], FactorShapes]:
    """The numbers whose factors are seen to be positive at every length, if these look like this at
    two lengths that follow one another; `scaled` has factors that are positive at one."""
    reads = positions(nodes)
    shapes: dict[int, Shape] = {}
    below = set[int]()
    for factor in {f for factors, _ in scaled.values() for f in factors or ()}:
        look = Look(nodes)
        shape = look.shape(factor)
        inner = partial_under(nodes, look.under)
        letters_alone = not any(several(reads[n]) for n in inner)
        if shape and look.signs[factor] == Sign.POSITIVE and letters_alone:
            shapes[factor] = shape
            below |= inner
    found = forms.under(nodes, below, named)
    at = {n: reads[n].bit_length() - 1 if reads[n] else None for n in below}
    by_place = {p: frozenset(found[n] for n in below if at[n] == p) for p in {*at.values()}}
    kept = {n: x for n, x in scaled.items() if {*(x[0] or ())} <= {*shapes}}
    return kept, FactorShapes(frozenset(shapes.values()), by_place)


def partial_under(nodes: Nodes, roots: set[int]) -> set[int]:
    """The roots and inverses that some nodes are made of."""
    seen, waiting = set[int](), [*roots]
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            waiting.extend(nodes.parts[place])
    curves = ((place, nodes.nodes[place]) for place in seen)
    return {place for place, node in curves if isinstance(node, Curve) and node.name != "exp"}
