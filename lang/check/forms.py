"""What a patch computes: `project … off Quote`, `clamp … along v to [lo, hi]`, and which axis of a tensor that is about."""

from __future__ import annotations

from typing import assert_never

from circ.lang.check.constants import is_constant
from circ.lang.check.context import Context
from circ.lang.check.indexing import indexed
from circ.lang.check.subspaces import check_declared, space_of
from circ.lang.check.tensors import tensor_read
from circ.lang.errors.forms import no_axis, several_axes
from circ.lang.errors.types import not_constant, wrong_kind
from circ.lang.format_changes import dotted
from circ.lang.syntax import (
    CircuitDecl,
    Clamp,
    Expr,
    Name,
    Project,
    Slice,
    Spanned,
    SubspaceDecl,
    Vectors,
    Wildcard,
)
from circ.lang.types import REAL, Array, Dim, Invalid, Space, fits, is_real, same_dim


def check_form(form: Project | Clamp, circuit: CircuitDecl | None, ctx: Context) -> None:
    """The tensors of a form, what it does to them, and the axis along which it does so."""
    match form:
        case Project(targets=targets, subspace=subspace):
            along, word = check_subspace_of(subspace, ctx), "`project`"
        case Clamp(targets=targets):
            along, word = check_direction(form, ctx), "`clamp`"
        case _:
            assert_never(form)
    for target in targets:
        found = tensor_read(target, circuit, word, ctx)
        if found is not None:
            check_axis(target, found, along, ctx)


def check_subspace_of(subspace: Name | Spanned, ctx: Context) -> Dim | None:
    """The axis of the vectors of a subspace; None where it is wrong."""
    match subspace:
        case Spanned(vectors=vectors):
            found = ctx.infer(vectors)
            if isinstance(found, Array) and is_real(found) and len(found.dims) in (1, 2):
                return found.dims[-1]
            if not isinstance(found, Invalid):
                ctx.error(wrong_kind(vectors.span, found, "vectors", "`span`"))
            return None
        case Name(text=text):
            decl = ctx.facts.scope.values.get(text)
            if isinstance(decl, SubspaceDecl):
                return space_of(decl, ctx.inside(decl))
            check_declared(subspace, SubspaceDecl, "a subspace", ctx)
            return None


def check_direction(form: Clamp, ctx: Context) -> Dim | None:
    """The axis of the vector of a `clamp`, whose bounds are constants; None where it is none."""
    for end in (form.low, form.high):
        check_known(end, "a bound", "`to`", ctx)
    found = ctx.infer(form.direction)
    if isinstance(found, Array) and is_real(found) and len(found.dims) == 1:
        return found.dims[0]
    if not isinstance(found, Invalid):
        ctx.error(wrong_kind(form.direction.span, found, "a vector", "`along`"))
    return None


def check_known(e: Expr, what: str, word: str, ctx: Context) -> None:
    """What stands behind a word, a bound or a margin, is a number that is known."""
    found = ctx.infer(e)
    if not fits(found, REAL):
        ctx.error(wrong_kind(e.span, found, "numbers", word))
    elif not isinstance(found, Invalid) and not is_constant(e, ctx):
        ctx.error(not_constant(e.span, what))


def check_axis(target: Vectors, found: Array, along: Dim | None, ctx: Context) -> None:
    """What is learnt is the axis of a tensor's vectors; `along` is that of what is taken off them, if it is known."""
    items = tuple(map(sliced, target.items))
    if isinstance(indexed(found, target.span, items, ctx), Invalid) or along is None:
        return
    axes = [at for at, dim in enumerate(found.dims) if is_open(target, at) and same_dim(dim, along)]
    if isinstance(along, Space):
        axes = [at for at in axes if found.dims[at] == along] or axes
    if len(axes) == 1:
        ctx.facts.axes[target] = axes[0]
    elif axes:
        ctx.error(several_axes(target.span, dotted(target.parts), found, axes, along))
    else:
        ctx.error(no_axis(target.span, dotted(target.parts), found, along))


def sliced(item: Expr | Slice | Wildcard) -> Expr | Slice:
    """Any place of an axis is all of it."""
    return Slice(item.span, None, None) if isinstance(item, Wildcard) else item


def is_open(target: Vectors, axis: int) -> bool:
    """Whether an axis may be that of the vectors: no item names another thing of it."""
    if axis >= len(target.items):
        return True
    item = target.items[axis]
    return isinstance(item, Slice) and item.start is None and item.stop is None
