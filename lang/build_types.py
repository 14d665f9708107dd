"""From the tree of the grammar to the types of `circ.lang.syntax`."""

from __future__ import annotations

from typing import Literal, cast

from circ.lang.build_names import Place, name, tree, whole, whole_number
from circ.lang.grammar import Part, Token, Tree
from circ.lang.syntax import (
    DimBinary,
    DimExpr,
    DimLengths,
    DimName,
    DimNumber,
    Given,
    Name,
    TypeExpr,
)


def type_of(part: Tree, at: Place) -> TypeExpr:
    """`real[8, Char]`, or `A -> B`."""
    if part.data == "map":
        return map_type(part, at)
    element, *dims = part.children
    return TypeExpr(at.span(part), name(element, at), tuple(dim(d, at) for d in dims))


def map_type(part: Tree, at: Place) -> TypeExpr:
    """`A -> B`, a matrix that takes vectors of A to vectors of B."""
    source, target = (dim(end, at) for end in part.children)
    return TypeExpr(at.span(part), Name("real", at.span(part)), (target, source), is_map=True)


def maybe_type(part: Part, at: Place) -> TypeExpr | None:
    """A type that may be left out."""
    return None if part is None else type_of(tree(part), at)


def dim(part: Part, at: Place) -> DimExpr:
    """One dimension of a type."""
    if not isinstance(part, Token):
        left, op, right = tree(part).children
        operator = cast(Literal["+", "-", "*"], str(op))
        return DimBinary(at.span(tree(part)), operator, dim(left, at), dim(right, at))
    word = part
    if word.type == "INT":
        return DimNumber(at.span(word), whole(word, at))
    if word.type == "LENGTHS":
        first, last = map(str.strip, word.split(".."))
        span = at.span(word)
        return DimLengths(
            span, whole_number(first, span), whole_number(last, span) if last else None
        )
    return DimName(at.span(word), str(word))


def given(part: Tree, at: Place) -> Given:
    """`heads = 12`, a dimension that a call says."""
    declared, size = part.children
    return Given(at.span(part), name(declared, at), dim(size, at))
