"""From the tree of the grammar to domains, and formulas that quantify over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from circ.lang.build_expressions import expression
from circ.lang.build_names import Place, name, tree
from circ.lang.build_types import type_of
from circ.lang.grammar import Part, Token, Tree
from circ.lang.syntax import (
    Binder,
    Component,
    DomainExpr,
    Formula,
    FreshDomain,
    Joint,
    Parameter,
    ProductDomain,
    Quantifier,
    SubDomain,
    SubProduct,
    TypeDomain,
)


def parameter(part: Tree, at: Place) -> Parameter:
    """`s: Char[8]`."""
    declared, kind = part.children
    return Parameter(at.span(part), name(declared, at), type_of(tree(kind), at))


def domain(part: Part, at: Place) -> DomainExpr:
    """`D`, `Char[8]`, `{ s: T | p }` or `{ s in D | p }`."""
    if isinstance(part, Token):
        return SubDomain(at.span(part), None, name(part, at), None)
    described = tree(part)
    span = at.span(described)
    if described.data == "type":
        return TypeDomain(span, type_of(described, at))
    *head, condition = described.children
    that = None if condition is None else expression(condition, at)
    match described.data:
        case "fresh_domain":
            return FreshDomain(span, parameter(tree(head[0]), at), that)
        case "product_domain":
            return ProductDomain(span, tuple(variable(tree(part), at) for part in head), that)
        case "sub_product":
            return SubProduct(span, joint(tree(head[0]), domain(head[1], at), at), that)
        case _:
            return SubDomain(span, name(head[0], at), name(head[1], at), that)


def variable(part: Tree, at: Place) -> Binder:
    """`s: Char[4]` or `x in Box`, in a product."""
    word, among = part.children
    named = name(word, at)
    if isinstance(among, Token):
        return Binder(named.span, named, domain(among, at))
    kind = type_of(tree(among), at)
    return Binder(named.span, named, TypeDomain(kind.span, kind))


def joint(part: Tree, among: DomainExpr, at: Place) -> Joint:
    """`(s, x)`, with what it is in."""
    return Joint(at.span(part), tuple(name(word, at) for word in part.children), among)


def formula(found: Part, at: Place) -> Formula:
    """`forall … where …: …`, or a condition without binders."""
    part = tree(found)
    span = at.span(part)
    if part.data == "closed":
        return Formula(span, "forall", (), None, expression(part.children[0], at))
    quantifier, among, where, body = part.children
    bound = tuple(b for group in tree(among).children for b in binders(tree(group), at))
    premise = None if where is None else expression(where, at)
    return Formula(span, cast(Quantifier, str(quantifier)), bound, premise, expression(body, at))


def ranged(found: Part, at: Place) -> Formula:
    """`e over s in D where p`: a formula whose body is a number."""
    part = tree(found)
    body, among, where = part.children
    bound = tuple(b for group in tree(among).children for b in binders(tree(group), at))
    premise = None if where is None else expression(where, at)
    return Formula(at.span(part), "forall", bound, premise, expression(body, at))


def binders(part: Tree, at: Place) -> Iterator[Binder]:
    """One binder for every name of `s, t in D`, or of `(s, x), (t, y) in P`; they share the domain."""
    *declared, among = part.children
    shared = domain(among, at)
    for word in declared:
        if not isinstance(word, Token) and word is not None:
            together = joint(word, shared, at)
            for place, named in enumerate(together.names):
                yield Binder(named.span, named, Component(named.span, together, place))
        else:
            named = name(word, at)
            yield Binder(named.span, named, shared)
