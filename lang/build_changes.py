"""From the tree of the grammar to what a patch does to tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from circ.lang.build_domains import domain
from circ.lang.build_expressions import expression, index, indices
from circ.lang.build_names import Place, name, tree, whole
from circ.lang.grammar import Part, Token, Tree
from circ.lang.syntax import (
    Binder,
    Change,
    Clamp,
    ClampUnits,
    EditClause,
    Expr,
    Formula,
    Graft,
    Install,
    Name,
    Project,
    Slice,
    Spanned,
    TensorPath,
    Vectors,
    Wildcard,
)


def change(part: Tree, at: Place) -> Change:
    """The clause that `part` is, one of `CHANGES`."""
    return CHANGES[part.data](part, at)


def edit_clause(part: Tree, at: Place) -> EditClause:
    """`edit m.W, m.b[3]`."""
    _, *paths = part.children
    return EditClause(at.span(part), tuple(edited(tree(path), at) for path in paths))


def edited(part: Tree, at: Place) -> TensorPath:
    """`m.blocks.0.mlp.W_out[:, 3]`, `m.blocks.0.mlp.W_out rank 2`."""
    path, where, digits = part.children
    items = () if where is None else indices(tree(where).children, at)
    rank = None if digits is None else whole(digits, at)
    return TensorPath(at.span(part), parts_of(path, at), items, rank)


def parts_of(path: Part, at: Place) -> tuple[Name, ...]:
    """The names in a path to a tensor."""
    return tuple(name(step, at) for step in tree(path).children)


def project(part: Tree, at: Place) -> Project:
    """`project m.W, m.b off Quote`."""
    *targets, _, subspace = part.children
    away = name(subspace, at) if isinstance(subspace, Token) else spanned(tree(subspace), at)
    return Project(at.span(part), tuple(vectors(tree(target), at) for target in targets), away)


def spanned(part: Tree, at: Place) -> Spanned:
    """`span [v, w]`."""
    return Spanned(at.span(part), expression(part.children[0], at))


def clamp(part: Tree, at: Place) -> Clamp:
    """`clamp m.W along v to [lo, hi]`."""
    *targets, direction, low, high = part.children
    bounds = expression(low, at), expression(high, at)
    named = tuple(vectors(tree(target), at) for target in targets)
    return Clamp(at.span(part), named, expression(direction, at), *bounds)


def clamp_units(part: Tree, at: Place) -> ClampUnits:
    """`clamp m.mlp at x in D along v to [lo, hi]`."""
    layer, among, direction, low, high = part.children
    bounds = expression(low, at), expression(high, at)
    rule = ruled(among, None, direction, at)
    return ClampUnits(at.span(part), parts_of(layer, at), rule, *bounds)


def graft(part: Tree, at: Place) -> Graft:
    """`graft m.mlp at x in D margin 0.05 when g(x) => e`."""
    layer, among, margin, when, value = part.children
    rule = ruled(among, expression(when, at), value, at)
    return Graft(at.span(part), parts_of(layer, at), rule, expression(margin, at))


def install(part: Tree, at: Place) -> Install:
    """`install m.mlp at x in D => rule(x)`."""
    layer, among, margin, value = part.children
    band = None if margin is None else expression(margin, at)
    return Install(at.span(part), parts_of(layer, at), ruled(among, None, value, at), band)


def ruled(among: Part, when: Expr | None, value: Part, at: Place) -> Formula:
    """What is said of `x in D`: a value, where a guard is open if there is one."""
    variable, domains = tree(among).children
    named = name(variable, at)
    binder = Binder(named.span, named, domain(domains, at))
    body = expression(value, at)
    span = named.span.to(body.span)
    return Formula(span, "forall", (binder,), when, body)


def vectors(part: Tree, at: Place) -> Vectors:
    """`m.W[:, _]`."""
    path, *items = part.children
    places = tuple(place(item, at) for item in items if item is not None)
    return Vectors(at.span(part), parts_of(path, at), places)


def place(part: Part, at: Place) -> Expr | Slice | Wildcard:
    """An index, a slice, or `_`."""
    if isinstance(part, Token) and part.type == "WILDCARD":
        return Wildcard(at.span(part))
    return index(part, at)


CHANGES: Mapping[str, Callable[[Tree, Place], Change]] = {
    "edit_clause": edit_clause,
    "project": project,
    "clamp": clamp,
    "clamp_units": clamp_units,
    "graft": graft,
    "install": install,
}
"""How each rule of the grammar is read."""
