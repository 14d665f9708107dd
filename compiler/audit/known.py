"""The value of one node whose parts are known, exactly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import assert_never

from circ.compiler.audit.entries import (
    Curve,
    Given,
    Join,
    Kept,
    Known,
    Leader,
    Letter,
    Linear,
    Negation,
    Node,
    Order,
    Pick,
    Products,
    Rectified,
    Share,
    Stored,
)
from circ.compiler.audit.rejected import Rejected
from circ.compiler.tensor import Weights

Value = Callable[[int], Known]
"""The value of each node that is known."""


def value_of(node: Node, known: Value, weights: Weights) -> Known:
    """What a node comes to; raises `Rejected` where that is no exact matter."""
    match node:
        case Letter():
            raise AssertionError("a letter is given")
        case Given(value=value):
            return value
        case Stored(key=key, place=place):
            return Fraction(weights[key].values[place])
        case Linear(terms=terms):
            return sum(c * known(part) for c, part in terms)
        case Products(pairs=pairs):
            return sum(known(x) * known(y) for x, y in pairs)
        case Join():
            return joined(node, known)
        case Negation(part=part):
            return not known(part)
        case Order():
            return ordered(node, known)
        case Pick():
            return known(picked(node, known))
        case Rectified(part=part):
            return max(Fraction(0), Fraction(known(part)))
        case Leader(row=row):
            return leading([known(part) for part in row])
        case Curve() | Share():
            raise Rejected("what is discrete rests on a smooth function")
        case Kept():
            raise Rejected("what is discrete rests on what `topk` keeps")
        case _:
            assert_never(node)


def joined(node: Join, known: Value) -> Known:
    """A connective, or the largest."""
    parts = (known(part) for part in node.parts)
    match node.name:
        case "all":
            return all(parts)
        case "any":
            return any(parts)
        case "max":
            return max(parts)
        case _:
            assert_never(node.name)


def ordered(node: Order, known: Value) -> bool:
    """A comparison."""
    left, right = known(node.left), known(node.right)
    match node.name:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case "==":
            return left == right
        case _:
            assert_never(node.name)


def picked(node: Pick, known: Value) -> int:
    """The part that is picked."""
    place = 0
    for index, side in zip(node.indices, node.sides, strict=True):
        place = place * side + int(known(index))
    return node.parts[place]


def leading(row: list[Known]) -> int:
    """The index of the largest; raises `Rejected` where two are."""
    best = max(row)
    if row.count(best) > 1:
        raise Rejected("what is discrete rests on how a tie is broken")
    return row.index(best)
