"""Comparisons without a positive factor that both sides have: what a norm leaves of them.

A norm multiplies all that is read out behind it by one number f = 1/√(Σ x² + ε), which reads every
position, so that nothing behind it is a sum over positions. Where f is positive, f·a > f·b says what
a > b says. A factor is one node, and goes through what is linear: every term has the same factors, or
is zero; where they differ, nothing is taken out. What is taken out is positive on every word, and
defined there, whatever the weights are: what is read off its nodes says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from circ.compiler.audit.clauses import Beats, Formula
from circ.compiler.audit.entries import (
    Curve,
    Given,
    Leader,
    Linear,
    Node,
    Nodes,
    Order,
    Pick,
    Products,
    Stored,
)
from circ.compiler.tensor import Weights

Factors = tuple[int, ...] | None
"""Nodes in order, each as often as it is a factor; None of zero, which is a multiple of anything."""

Scaled = tuple[Factors, int]
"""The factors of a number, and the node that they multiply."""


def without_factors(formula: Formula, scaled: Mapping[int, Scaled]) -> Formula:
    """The same formula, each of its comparisons without the factors that both sides have."""
    return tuple(tuple(bare(beats, scaled) for beats in clause) for clause in formula)


def bare(beats: Beats, scaled: Mapping[int, Scaled]) -> Beats:
    """A comparison without the factors that both sides have."""
    ours, more = scaled.get(beats.more, ((), beats.more))
    theirs, less = scaled.get(beats.less, ((), beats.less))
    return Beats(more, less, beats.strict) if common([ours, theirs]) != () else beats


def common(parts: Iterable[Factors]) -> Factors:
    """The factors that numbers have alike, none where they differ."""
    found = {factors for factors in parts if factors is not None}
    if not found:
        return None
    return found.pop() if len(found) == 1 else ()


# --- what is positive -----------------------------------------------------------------------------


class Sign(IntEnum):
    """What a number is on every word on which it is defined."""

    UNKNOWN = 0
    NOT_NEGATIVE = 1
    POSITIVE = 2


NEEDED = {"exp": Sign.UNKNOWN, "sqrt": Sign.NOT_NEGATIVE, "recip": Sign.POSITIVE}
"""What a number has to be for a smooth function of it to be defined."""


def sign_of(node: Node, known: Sequence[Sign]) -> Sign:
    """The sign of a number, from those of the nodes before it."""
    match node:
        case Given(value=value):
            return Sign((value > 0) + (value >= 0))
        case Linear(terms=terms):
            return summed([multiple(known[x], c > 0, c == 0) for c, x in terms])
        case Products(pairs=pairs):
            return summed([multiplied(known, x, y) for x, y in pairs])
        case Curve(name="exp"):
            return Sign.POSITIVE
        case Curve(name="sqrt", part=part):
            return known[part]
        case Curve(name="recip", part=part):
            return Sign.POSITIVE if known[part] == Sign.POSITIVE else Sign.UNKNOWN
        case _:
            return Sign.UNKNOWN


def multiple(sign: Sign, positive: bool, zero: bool) -> Sign:
    """The sign of a known multiple of a number."""
    if positive:
        return sign
    return Sign.NOT_NEGATIVE if zero else Sign.UNKNOWN


def multiplied(known: Sequence[Sign], x: int, y: int) -> Sign:
    """The sign of a product; of a square, where both are one node."""
    return max(known[x], Sign.NOT_NEGATIVE) if x == y else min(known[x], known[y])


def summed(parts: Sequence[Sign]) -> Sign:
    """The sign of a sum."""
    return max(parts) if min(parts, default=Sign.UNKNOWN) else Sign(not parts)


def positive_curves(nodes: Nodes, wide: Sequence[bool]) -> frozenset[int]:
    """The smooth functions of several positions that are defined on every word, and positive."""
    signs: list[Sign] = []
    defined: list[bool] = []
    for node, parts in zip(nodes.nodes, nodes.parts, strict=True):
        signs.append(sign_of(node, signs))
        sure = not isinstance(node, Curve) or signs[node.part] >= NEEDED[node.name]
        defined.append(sure and all(defined[part] for part in parts))
    return frozenset(
        place
        for place, node in enumerate(nodes.nodes)
        if isinstance(node, Curve) and wide[place]
        if defined[place] and signs[place] == Sign.POSITIVE
    )


# --- what has them as factors ---------------------------------------------------------------------


def scaled_sides(nodes: Nodes, wide: Sequence[bool], weights: Weights) -> dict[int, Scaled]:
    """The numbers that are compared, by their factors; adds what these multiply to the nodes.

    `wide` says of each node whether it reads several positions.
    """
    curves = positive_curves(nodes, wide)
    if not curves:
        return {}
    sides = compared(nodes)
    work = Scaling(nodes, weights, curves, nodes.add(Given(1, True), real=True))
    for place in linear_behind(nodes, sides):
        work.found[place] = work.parted(place, nodes.nodes[place])
    return {place: work.found[place] for place in sides}


def compared(nodes: Nodes) -> set[int]:
    """The numbers that are compared, or of which the largest leads."""
    found = set[int]()
    for node in nodes.nodes:
        match node:
            case Order(left=left, right=right) if nodes.real[left]:
                found |= {left, right}
            case Leader(row=row):
                found.update(row)
            case _:
                pass
    return found


def linear_parts(node: Node) -> Sequence[int]:
    """The numbers that a node is made of, if it is so linearly, or picks one."""
    match node:
        case Linear(terms=terms):
            return [part for _, part in terms]
        case Products(pairs=pairs):
            return [part for pair in pairs for part in pair]
        case Pick(parts=parts):
            return parts
        case _:
            return ()


def linear_behind(nodes: Nodes, roots: Iterable[int]) -> list[int]:
    """Some numbers and all that they are linearly made of, in order."""
    seen, waiting = set[int](), [*roots]
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            waiting.extend(linear_parts(nodes.nodes[place]))
    return sorted(seen)


@dataclass(slots=True)
class Scaling:
    """Takes the `curves` out of numbers; `one` is the node of 1, and `found` has what was taken apart."""

    nodes: Nodes
    weights: Weights
    curves: frozenset[int]
    one: int
    found: dict[int, Scaled] = field(default_factory=dict[int, "Scaled"])

    def parted(self, place: int, node: Node) -> Scaled:
        """The factors of a number whose parts were taken apart, and what they multiply."""
        if place in self.curves:
            return (place,), self.one
        match node:
            case Given(value=0):
                return None, place
            case Stored(key=key, place=entry) if self.weights[key].values[entry] == 0:
                return None, place
            case Linear(terms=terms):
                total = Linear(tuple((c, self.found[x][1]) for c, x in terms))
                return self.made(place, (self.found[x][0] for _, x in terms), total)
            case Products(pairs=pairs):
                both = [(self.found[x], self.found[y]) for x, y in pairs]
                left = self.product(tuple((x, y) for (_, x), (_, y) in both))
                return self.made(place, (together(x, y) for (x, _), (y, _) in both), left)
            case Pick(indices=indices, sides=sides, parts=parts):
                picked = Pick(indices, sides, tuple(self.found[x][1] for x in parts))
                return self.made(place, (self.found[x][0] for x in parts), picked)
            case _:
                return (), place

    def made(self, place: int, parts: Iterable[Factors], left: Node) -> Scaled:
        """A number of parts with the same factors; else it is what it was."""
        factors = common(parts)
        return (factors, place) if factors == () else (factors, self.nodes.add(left, real=True))

    def product(self, pairs: tuple[tuple[int, int], ...]) -> Node:
        """A sum of products; a plain sum where a factor of each was the curve alone."""
        if all(self.one in pair for pair in pairs):
            return Linear(tuple((1, x if y == self.one else y) for x, y in pairs))
        return Products(pairs)


def together(left: Factors, right: Factors) -> Factors:
    """The factors of a product."""
    return None if left is None or right is None else tuple(sorted(left + right))
