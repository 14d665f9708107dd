"""`x[-1]`, `w[:, 3]`, `x[4:8]`, `logits[single]`, `table[c]`."""

from __future__ import annotations

from circ.lang.binding import as_polynomial, simplest
from circ.lang.check.constants import whole
from circ.lang.check.context import Context
from circ.lang.check.places import computes_place, depends_on_place, end
from circ.lang.errors.types import (
    index_range,
    not_constant,
    place_range,
    slice_range,
    too_many_indices,
    wrong_index,
    wrong_kind,
)
from circ.lang.polynomials import Polynomial, combined, whole_number
from circ.lang.span import Span
from circ.lang.syntax import Expr, Index, Slice
from circ.lang.types import (
    INVALID,
    Array,
    Axis,
    Dim,
    Dims,
    EnumElement,
    FinElement,
    Invalid,
    Type,
    same_dim,
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
    number = whole(item)
    if number is not None:
        return in_range(item, number, dim, ctx)
    if computes_place(item, ctx):
        return place_fits(item, dim, ctx)
    found = ctx.infer(item)
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


def place_fits(item: Expr, dim: Dim, ctx: Context) -> bool:
    """Whether arithmetic in an index stays within the axis, as far as is known here."""
    place = end(item, as_polynomial(dim), ctx)
    value, n = None if place is None else place.constant, size(dim)
    if value is None or n is None or 0 <= value < n:
        return True
    ctx.error(place_range(item.span, value, n))
    return False


def sliced(item: Slice, dim: Dim, ctx: Context) -> Dim | None:
    """The part of an axis that `start:stop` keeps; the whole keeps its name."""
    if item.start is None and item.stop is None:
        return dim
    side = as_polynomial(dim)
    start = whole_number(0) if item.start is None else end(item.start, side, ctx)
    stop = side if item.stop is None else end(item.stop, side, ctx)
    if start is None or stop is None:
        ctx.error(not_constant(item.span, "the ends of a slice", ENDS))
        return None
    kept = combined("-", stop, start)
    if depends_on_place(kept) or not kept.manageable:
        ctx.error(not_constant(item.span, "how many entries a slice keeps", "the same everywhere"))
        return None
    return simplest(kept) if slice_fits(item, start, stop, side, ctx) else None


ENDS = "whole numbers, dimensions or positions, or `+`, `-` and `*` of these"


def slice_fits(
    item: Slice, start: Polynomial, stop: Polynomial, side: Polynomial, ctx: Context
) -> bool:
    """Whether a slice keeps something of the axis and nothing else, as far as is known here."""
    first, last, n = start.constant, stop.constant, side.constant
    kept = combined("-", stop, start).constant
    if first is not None and last is not None and n is not None:
        fitting = 0 <= first < last <= n
    else:
        fitting = kept is None or kept > 0
    if not fitting:
        ctx.error(slice_range(item.span, start, stop, n))
    return fitting
