"""`x[-1]`, `w[:, 3]`, `x[4:8]`, `logits[single]`, `table[c]`."""

from __future__ import annotations

from circ.lang.check.constants import whole
from circ.lang.check.context import Context
from circ.lang.errors.types import (
    index_range,
    not_constant,
    too_many_indices,
    wrong_index,
    wrong_kind,
)
from circ.lang.syntax import Expr, Index, Slice
from circ.lang.types import (
    INVALID,
    Array,
    Axis,
    Dim,
    EnumElement,
    FinElement,
    Fixed,
    Invalid,
    Type,
    same_dim,
    show_dim,
    size,
)


def infer_index(e: Index, ctx: Context) -> Type:
    """Each item takes the next axis: an index drops it, a slice keeps a part."""
    base = ctx.infer(e.base)
    if isinstance(base, Invalid):
        return INVALID
    if not isinstance(base, Array):
        return ctx.error(wrong_kind(e.base.span, base, "a tensor", "an index"))
    return indexed(base, e.items, ctx)


def indexed(base: Array, items: tuple[Expr | Slice, ...], ctx: Context) -> Type:
    """The type of `base[items]`, also of an edit's target."""
    if len(items) > len(base.dims):
        return ctx.error(too_many_indices(items[len(base.dims)].span, base))
    kept: list[Dim] = []
    for item, dim in zip(items, base.dims, strict=False):
        if isinstance(item, Slice):
            part = sliced(item, dim, ctx)
            if part is None:
                return INVALID
            kept.append(part)
        elif not index_fits(item, dim, ctx):
            return INVALID
    return Array(base.element, (*kept, *base.dims[len(items) :]))


def index_fits(item: Expr, dim: Dim, ctx: Context) -> bool:
    """Whether an index ranges over the axis; reports it where it does not."""
    number = whole(item)
    if number is not None:
        ctx.infer(item)
        return in_range(item, number, dim, ctx)
    found = ctx.infer(item)
    match found:
        case Invalid():
            return False
        case Array(element=EnumElement(name=name, members=members), dims=()):
            fitting = same_dim(Axis(name, len(members)), dim)
        case Array(element=FinElement(size=n), dims=()):
            fitting = not isinstance(dim, Axis) and same_dim(n, dim)
        case _:
            fitting = False
    if not fitting:
        ctx.error(wrong_index(item.span, found, show_dim(dim)))
    return fitting


def in_range(item: Expr, number: int, dim: Dim, ctx: Context) -> bool:
    """A written index within the axis; a variable axis is checked where it is known."""
    n = size(dim)
    if n is None or -n <= number < n:
        return True
    ctx.error(index_range(item.span, number, n))
    return False


def sliced(item: Slice, dim: Dim, ctx: Context) -> Dim | None:
    """The part of an axis that `start:stop` keeps; the whole keeps its name."""
    if item.start is None and item.stop is None:
        return dim
    n = size(dim)
    start = 0 if item.start is None else whole(item.start)
    stop = n if item.stop is None else whole(item.stop)
    if n is None or start is None or stop is None:
        ctx.error(not_constant(item.span, "the ends of a slice and its axis"))
        return None
    start, stop = start + n if start < 0 else start, stop + n if stop < 0 else stop
    if not 0 <= start < stop <= n:
        ctx.error(index_range(item.span, stop if stop > n else start, n))
        return None
    return Fixed(stop - start)
