"""Reading a wire of a call, `f(x).hidden`, and replacing it, `f(x) do { hidden := e }`.

An intervention may also replace tensors that the call reads.
"""

from __future__ import annotations

from dataclasses import replace

from circ.lang.check.context import Context
from circ.lang.check.feeds import feeds
from circ.lang.check.indexing import indexed
from circ.lang.check.records import takes
from circ.lang.check.sites import Called, Path, callee, dotted, steps, wire_type
from circ.lang.check.tensors import same_tensors
from circ.lang.errors.sites import feeds_nothing, not_a_call, overlapping_edits, several_steps
from circ.lang.errors.types import mismatch
from circ.lang.syntax import Call, Do, Edit, Slice
from circ.lang.types import INVALID, Array, Group, Invalid, Record, Type, fits
from circ.lang.walk import reads_it


def site_type(base: Call | Do, path: Path, ctx: Context) -> Type:
    """The type of the wire that `path` names below a call."""
    result = infer_do(base, ctx, path) if isinstance(base, Do) else ctx.infer(base)
    if isinstance(result, Invalid):
        return INVALID
    found = callee(base, ctx)
    return ctx.error(not_a_call(base.span)) if found is None else wire_type(found, path, ctx)


def infer_do(e: Do, ctx: Context, read: Path = ()) -> Type:
    """The call's own type; every edit fits its wire and can change what is read of the call.

    `read` is the path below the call where a site of it is read; empty for its result.
    """
    base = e.base
    result = infer_do(base, ctx, read) if isinstance(base, Do) else ctx.infer(base)
    found = callee(base, ctx)
    if found is None and not isinstance(result, Invalid):
        return ctx.error(not_a_call(base.span))
    for i, edit in enumerate(e.edits):
        target = edited_type(edit, None if isinstance(result, Invalid) else found, ctx)
        check_value(edit, target, ctx)
        for other in e.edits[:i]:
            if overlapping(edit, other):
                ctx.error(overlapping_edits(edit.span, other.span))
        if found is not None and not isinstance(target, Invalid):
            check_effect(edit, found, read, ctx)
            check_steps(edit, found, ctx)
    return result


def check_steps(edit: Edit, at: Called, ctx: Context) -> None:
    """Report an edit of several steps of a fold that reads what they would have been."""
    if not reads_it(edit.value):
        return
    for axis, step in enumerate(steps(at, edit.path, ctx)):
        item = edit.items[axis] if axis < len(edit.items) else None
        if step and (item is None or isinstance(item, Slice)):
            ctx.error(several_steps(edit.span))
            return


def check_effect(edit: Edit, at: Called, read: Path, ctx: Context) -> None:
    """Report an edit that cannot change what is read."""
    if not feeds(at, edit.path, read, ctx, ctx.facts.scope.values):
        what = f"the site `{dotted(read)}`" if read else f"`{at.decl.name.text}`"
        ctx.unknown(feeds_nothing(edit.span, dotted(edit.path), what))


def edited_type(edit: Edit, found: Called | None, ctx: Context) -> Type:
    """The type of what an edit replaces; anything, where the call is wrong."""
    wire = INVALID if found is None else wire_type(found, edit.path, ctx, ctx.facts.scope.values)
    at = edit.path[0].span.to(edit.path[-1].span)
    return indexed(wire, at, edit.items, ctx)


def check_value(edit: Edit, target: Type, ctx: Context) -> None:
    """The new value has the wire's type, or is a scalar to fill it with; `it` is the old value."""
    old = {} if isinstance(target, Group | Record) else {"it": target}
    inner = replace(ctx, locals={**ctx.locals, **old})
    found = inner.infer(edit.value)
    help = ""
    match found, target:
        case _, Record():
            role = f"`{dotted(edit.path)}`"
            takes(target, found, edit.value.span, role, ctx)
            return
        case Group(), Group():
            fitting = same_tensors(found, target, ctx)
            help = "a group stands for one with tensors of the same names and types"
        case _, Array(element=element):
            fitting = fits(found, target) or fits(found, Array(element))
        case _:
            fitting = fits(found, target)
    if not fitting:
        role = f"`{dotted(edit.path)}`"
        ctx.error(mismatch(edit.value.span, found, target, role, help))


def overlapping(a: Edit, b: Edit) -> bool:
    """Whether two edits surely replace one wire: that of one is the other's, or lies below it.

    Where both replace entries of one wire, lowering knows which.
    """
    names = [x.text == y.text for x, y in zip(a.path, b.path, strict=False)]
    return all(names) and (len(a.path) != len(b.path) or not (a.items and b.items))
