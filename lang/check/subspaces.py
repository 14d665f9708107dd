"""Subspaces, `subspace Quote of Resid = span [a, b]`, projections, `x on Quote`, `x off Quote`, and coordinates."""

from __future__ import annotations

from collections.abc import Callable

from circ.lang.check.annotations import as_space
from circ.lang.check.context import Context
from circ.lang.errors.names import not_a, unknown_name
from circ.lang.errors.subspaces import not_in_space, not_vectors
from circ.lang.scope import kind
from circ.lang.syntax import Coords, Name, Projection, SpaceDecl, SubspaceDecl
from circ.lang.types import (
    INVALID,
    Array,
    Dim,
    Fixed,
    Invalid,
    Space,
    Type,
    is_real,
    same_dim,
    size,
)


def check_subspace(decl: SubspaceDecl, ctx: Context) -> None:
    """A subspace is spanned by a vector, a list of them, or the rows of a matrix, of its space."""
    found, space = ctx.infer(decl.vectors), space_of(decl, ctx)
    if space is None:
        check_declared(decl.space, SpaceDecl, "a space", ctx)
    elif isinstance(found, Array) and len(found.dims) in (1, 2) and along(found, space):
        return
    elif not isinstance(found, Invalid):
        ctx.error(not_vectors(decl.vectors.span, found, space))


def infer_projection(e: Projection, ctx: Context) -> Type:
    """The type of what is projected, along its last axis, which is one of the subspace's space."""
    return infer_along(e, f"{e.side} {e.subspace.text}", lambda space, _: space, ctx)


def infer_coords(e: Coords, ctx: Context) -> Type:
    """The same with a number for each vector of the subspace, in their order, along the last axis."""
    what = f"{e.function.text}(…, {e.subspace.text})"
    return infer_along(e, what, lambda _, decl: vectors_axis(decl, ctx), ctx)


def infer_along(
    e: Projection | Coords,
    what: str,
    axis: Callable[[Space, SubspaceDecl], Dim | None],
    ctx: Context,
) -> Type:
    """The type of what lies in a subspace's space along its last axis, with another axis in its place.

    `axis` has none where the subspace is wrong; `what` is how it is written.
    """
    found, decl = ctx.infer(e.operand), ctx.facts.scope.values.get(e.subspace.text)
    if not isinstance(decl, SubspaceDecl) or ctx.is_local(e.subspace.text):
        return check_declared(e.subspace, SubspaceDecl, "a subspace", ctx)
    space = space_of(decl, ctx.inside(decl))
    last = None if space is None else axis(space, decl)
    if space is None or last is None or isinstance(found, Invalid):
        return INVALID
    if isinstance(found, Array) and along(found, space):
        return Array(found.element, (*found.dims[:-1], last))
    return ctx.error(not_in_space(e.operand.span, found, what, space))


def vectors_axis(decl: SubspaceDecl, ctx: Context) -> Fixed | None:
    """A numbered axis of as many entries as vectors span a subspace; None where these are wrong."""
    t = ctx.facts.types.get(decl.vectors)
    count = size(t.dims[0]) if isinstance(t, Array) and len(t.dims) == 2 else 1
    return Fixed(count) if isinstance(t, Array) and count is not None else None


def space_of(decl: SubspaceDecl, ctx: Context) -> Space | None:
    """The space that a subspace lies in; None where it names none."""
    item = ctx.facts.scope.values.get(decl.space.text)
    return as_space(item) if isinstance(item, SpaceDecl) else None


def along(t: Array, space: Space) -> bool:
    """Whether the last axis of a tensor of reals is one of a space."""
    return is_real(t) and bool(t.dims) and same_dim(t.dims[-1], space)


def check_declared(
    name: Name, wanted: type[SpaceDecl | SubspaceDecl], words: str, ctx: Context
) -> Type:
    """Report a name that does not stand for what is wanted; not a declaration with errors of its own."""
    values = ctx.facts.scope.values
    item = values.get(name.text)
    if ctx.is_local(name.text):
        return ctx.error(not_a(name, "a value", words))
    if item is None:
        known = [known for known, value in values.items() if isinstance(value, wanted)]
        return ctx.unknown(unknown_name(name.span, name.text, known))
    return INVALID if isinstance(item, wanted) else ctx.error(not_a(name, kind(item), words))
