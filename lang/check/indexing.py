"""`x[-1]`, `w[:, 3]`, `x[4:8]`, `logits[single]`, `table[c]`."""

from __future__ import annotations

from circ.lang.check.constants import whole
from circ.lang.check.context import Context
from circ.lang.errors.types import (
    index_range,
    not_constant,
    slice_range,
    too_many_indices,
    wrong_index,
    wrong_kind,
)
from circ.lang.span import Span
from circ.lang.syntax import Expr, Index, Ref, Slice
from circ.lang.types import (
    INVALID,
    Array,
    Axis,
    Dim,
    Dims,
    EnumElement,
    FinElement,
    Fixed,
    Invalid,
    Type,
    same_dim,
    show_dim,
    size,
)
from circ.lang.walk import indices


def infer_index(e: Index, ctx: Context) -> Type:
    """Each item takes the next axis: an index drops it, a slice keeps a part."""
    return indexed(ctx.infer(e.base), e.base.span, e.items, ctx)


def indexed(base: Type, at: Span, items: tuple[Expr | Slice, ...], ctx: Context) -> Type:
    """The type of `base[items]`, also of an edit's target; `at` is where the base stands."""
    if not isinstance(base, Array):
        for item in indices(items):
            ctx.infer(item)
        if isinstance(base, Invalid) or not items:
            return base
        return ctx.error(wrong_kind(at, base, "a tensor", "an index"))
    if len(items) > len(base.dims):
        return ctx.error(too_many_indices(items[len(base.dims)].span, base))
    parts = [part(item, dim, ctx) for item, dim in zip(items, base.dims, strict=False)]
    if any(kept is None for kept in parts):
        return INVALID
    kept = (dim for dims in parts for dim in dims or ())
    return Array(base.element, (*kept, *base.dims[len(items) :]))


def part(item: Expr | Slice, dim: Dim, ctx: Context) -> Dims | None:
    """What an index leaves of an axis: nothing, or for a slice a part; None after an error."""
    if isinstance(item, Slice):
        rest = sliced(item, dim, ctx)
        return None if rest is None else (rest,)
    return () if index_fits(item, dim, ctx) else None


def index_fits(item: Expr, dim: Dim, ctx: Context) -> bool:
    """Whether an index ranges over the axis; reports it where it does not."""
    found = ctx.infer(item)
    number = whole(item)
    if number is not None:
        return in_range(item, number, dim, ctx)
    match found:
        case Invalid():
            return False
        case Array(element=EnumElement(name=name, members=members), dims=()):
            fitting = same_dim(Axis(name, members), dim)
        case Array(element=FinElement(size=n), dims=()):
            fitting = not isinstance(dim, Axis) and same_dim(n, dim)
        case _:
            fitting = False
    if not fitting:
        ctx.error(wrong_index(item.span, found, dim))
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
    if item.start is None and isinstance(item.stop, Ref) and item.stop.name in ctx.dims:
        return ctx.dims[item.stop.name]
    if n is None:
        ctx.error(not_constant(item.span, f"the length of the axis `{show_dim(dim)}`", "known"))
        return None
    start = 0 if item.start is None else whole(item.start)
    stop = n if item.stop is None else whole(item.stop)
    if start is None or stop is None:
        ctx.error(
            not_constant(
                item.span, "the ends of a slice", "whole numbers, or `:n` for a dimension `n`"
            )
        )
        return None
    start, stop = start + n if start < 0 else start, stop + n if stop < 0 else stop
    if not 0 <= start < stop <= n:
        ctx.error(slice_range(item.span, start, stop, n))
        return None
    return Fixed(stop - start)
