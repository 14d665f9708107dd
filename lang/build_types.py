"""From the tree of the grammar to the types of `circ.lang.syntax`."""

from __future__ import annotations

from circ.lang.build_names import Place, name, token, tree, whole, whole_number
from circ.lang.grammar import Part, Token, Tree
from circ.lang.syntax import DimExpr, DimLengths, DimName, DimNumber, Name, TypeExpr


def type_of(part: Tree, at: Place) -> TypeExpr:
    """`real[8, Char]`, or `A -> B`."""
    if part.data == "map":
        return map_type(part, at)
    element, *dims = part.children
    return TypeExpr(at.span(part), name(element, at), tuple(dim(token(d), at) for d in dims))


def map_type(part: Tree, at: Place) -> TypeExpr:
    """`A -> B`, a matrix that takes vectors of A to vectors of B."""
    source, target = (dim(token(end), at) for end in part.children)
    return TypeExpr(at.span(part), Name("real", at.span(part)), (target, source), is_map=True)


def maybe_type(part: Part, at: Place) -> TypeExpr | None:
    """A type that may be left out."""
    return None if part is None else type_of(tree(part), at)


def dim(word: Token, at: Place) -> DimExpr:
    """One dimension of a type."""
    if word.type == "INT":
        return DimNumber(at.span(word), whole(word, at))
    if word.type == "LENGTHS":
        first, last = map(str.strip, word.split(".."))
        span = at.span(word)
        return DimLengths(
            span, whole_number(first, span), whole_number(last, span) if last else None
        )
    return DimName(at.span(word), str(word))
