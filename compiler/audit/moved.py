"""A node that reads others in place of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
    Node,
    Order,
    Pick,
    Products,
    Rectified,
    Share,
    Stored,
)


def moved(node: Node, to: Mapping[int, int]) -> Node:
    """The node reading `to[n]` wherever it reads n."""
    match node:
        case Letter() | Given() | Stored():
            return node
        case Linear(terms=terms):
            return Linear(tuple((c, to[part]) for c, part in terms))
        case Products(pairs=pairs):
            return Products(tuple((to[x], to[y]) for x, y in pairs))
        case Join(name=name, parts=parts):
            return Join(name, tuple(to[part] for part in parts))
        case Order(name=name, left=left, right=right):
            return Order(name, to[left], to[right])
        case Pick(indices=indices, sides=sides, parts=parts):
            return Pick(tuple(to[i] for i in indices), sides, tuple(to[part] for part in parts))
        case Share(row=row, place=place):
            return Share(tuple(to[part] for part in row), place)
        case Leader(row=row):
            return Leader(tuple(to[part] for part in row))
        case Kept(row=row, count=count, place=place):
            return Kept(tuple(to[part] for part in row), count, place)
        case Negation() | Rectified() | Curve():
            return replace(node, part=to[node.part])
        case _:
            assert_never(node)
