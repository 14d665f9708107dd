"""The type of an expression: one match, each construct's rule a function of its own."""

from __future__ import annotations

from typing import assert_never

from circ.lang.check.annotations import as_dim
from circ.lang.check.casts import infer_cast
from circ.lang.check.context import Context
from circ.lang.check.edits import infer_do
from circ.lang.check.functions import infer_call
from circ.lang.check.indexing import infer_index
from circ.lang.check.operators import infer_binary, infer_compare, infer_member, infer_unary
from circ.lang.check.patterns import infer_cases, infer_match
from circ.lang.check.places import all_positions, as_dimension
from circ.lang.check.quantities import (
    infer_quantity,
    is_open,
    listed_type,
    names_data,
    names_domain,
)
from circ.lang.check.references import infer_attr, infer_quoted, infer_ref
from circ.lang.check.subspaces import infer_coords, infer_projection
from circ.lang.check.word_patterns import infer_matches
from circ.lang.errors.names import duplicate
from circ.lang.errors.quantities import not_added_up
from circ.lang.errors.types import empty_axis, mismatch, not_constant, parts_differ, wrong_kind
from circ.lang.syntax import (
    Attr,
    Binary,
    Call,
    Cases,
    Cast,
    Compare,
    Comprehension,
    Coords,
    Count,
    Do,
    Expr,
    Fold,
    Index,
    ListExpr,
    Match,
    Matches,
    Member,
    Name,
    Number,
    Projection,
    Quoted,
    Ref,
    TupleExpr,
    TypeExpr,
    Unary,
)
from circ.lang.types import (
    BOOL,
    INVALID,
    REAL,
    Array,
    Fixed,
    Group,
    Invalid,
    Record,
    Tuple,
    Type,
    fits,
    merge,
    positions,
    size,
)


def infer(e: Expr, ctx: Context) -> Type:
    """The type of `e`, kept in `ctx.facts.types`; errors are reported on the way."""
    found = infer_new(e, ctx)
    ctx.facts.types[e] = found
    return found


def infer_new(e: Expr, ctx: Context) -> Type:
    """The rule of each construct."""
    match e:
        case Number():
            return REAL
        case Ref():
            return infer_ref(e, ctx)
        case Quoted():
            return infer_quoted(e, ctx)
        case Attr():
            return infer_attr(e, ctx)
        case Index():
            return infer_index(e, ctx)
        case Call():
            return infer_call(e, ctx)
        case Do():
            return infer_do(e, ctx)
        case Unary():
            return infer_unary(e, ctx)
        case Binary():
            return infer_binary(e, ctx)
        case Compare():
            return infer_compare(e, ctx)
        case Member():
            return infer_member(e, ctx)
        case Matches():
            return infer_matches(e, ctx)
        case Cast():
            return infer_cast(e, ctx)
        case Projection():
            return infer_projection(e, ctx)
        case Coords():
            return infer_coords(e, ctx)
        case TupleExpr(items=items):
            return Tuple(tuple(ctx.infer(item) for item in items))
        case ListExpr():
            return infer_list(e, ctx)
        case Comprehension():
            return infer_comprehension(e, ctx)
        case Count():
            return infer_count(e, ctx)
        case Fold():
            return infer_fold(e, ctx)
        case Cases():
            return infer_cases(e, ctx)
        case Match():
            return infer_match(e, ctx)
        case _:
            assert_never(e)


def infer_list(e: ListExpr, ctx: Context) -> Type:
    """All items of one array type, stacked."""
    if not e.items:
        return ctx.error(empty_axis(e.span, "a list"))
    kinds = [ctx.infer(item) for item in e.items]
    joined = kinds[0]
    for item, t in zip(e.items, kinds, strict=True):
        if not fits(t, joined):
            first = e.items[0].span
            return ctx.error(parts_differ(item.span, "the entries of a list", first, kinds[0], t))
        joined = merge(joined, t)
    match joined:
        case Array(element=element, dims=dims):
            return Array(element, (Fixed(len(e.items)), *dims))
        case Invalid():
            return INVALID
        case Tuple() | Group() | Record():
            return ctx.error(wrong_kind(e.items[0].span, joined, "tensors", "a list"))
        case _:
            assert_never(joined)


def elements(source: Expr, name: Name, word: str, ctx: Context) -> tuple[Array | None, Context]:
    """The type of what `word` goes over, and a context in which `name` is one of its entries."""
    t = source_type(source, ctx)
    if isinstance(t, Array) and t.dims and size(t.dims[0]) != 0:
        return t, ctx.bind(name, Array(t.element, t.dims[1:]))
    if isinstance(t, Array) and t.dims:
        ctx.error(empty_axis(source.span, f"`{word}`"))
    elif not isinstance(t, Invalid):
        ctx.error(wrong_kind(source.span, t, "a tensor with an axis", f"`{word}`"))
    return None, ctx.bind(name, INVALID)


def source_type(source: Expr, ctx: Context) -> Type:
    """The type of a tensor, of all values of a domain, or of the positions `fin[n]`."""
    if all_positions(source) is not None and not ctx.is_local("fin"):
        ctx.facts.types[source] = positions_type(source, ctx)
        return ctx.facts.types[source]
    if not isinstance(source, Ref) or not names_domain(source, ctx):
        return ctx.infer(source)
    ctx.facts.types[source] = listed_type(source, ctx)
    return ctx.facts.types[source]


def positions_type(source: Expr, ctx: Context) -> Type:
    """What `fin[n]` goes over, where it stands for all its values."""
    written = all_positions(source)
    size_of = None if written is None else as_dimension(written)
    if size_of is None:
        return ctx.error(not_constant(source.span, "the size of `fin`", "made of dimensions"))
    dim = as_dim(size_of, ctx)
    return INVALID if dim is None else Array(positions(dim), (dim,))


def infer_comprehension(e: Comprehension, ctx: Context) -> Type:
    """The body's type with the source's leading axis in front."""
    over, inner = elements(e.source, e.binder, "for", ctx)
    body = inner.infer(e.body)
    if over is None or isinstance(body, Invalid):
        return INVALID
    if is_open(over.dims[0]) and e not in ctx.facts.gathered:
        return ctx.error(not_added_up(e.source.span, e.source.span.text))
    if not isinstance(body, Array):
        return ctx.error(wrong_kind(e.body.span, body, "a tensor", "a comprehension"))
    return Array(body.element, (over.dims[0], *body.dims))


def infer_count(e: Count, ctx: Context) -> Type:
    """A number, of entries or of the inputs of a domain."""
    if isinstance(e.source, TypeExpr):
        return infer_quantity(e, ctx)
    if names_domain(e.source, ctx) and (ctx.closed or not names_data(e.source, ctx)):
        return infer_quantity(e, ctx)
    _, inner = elements(e.source, e.binder, "count", ctx)
    if e.condition is not None:
        inner.expect_truth(e.condition, "`count`")
    return REAL


def infer_fold(e: Fold, ctx: Context) -> Type:
    """The state's type, which every step keeps."""
    initial = ctx.infer(e.initial)
    if isinstance(initial, Tuple | Group | Record):
        initial = ctx.error(wrong_kind(e.initial.span, initial, "a tensor", "a state"))
    _, inner = elements(e.source, e.binder, "fold", ctx)
    if e.state.text == e.binder.text:
        ctx.error(duplicate(e.binder, e.state.span))
    found = inner.bind(e.state, initial).infer(e.body)
    if fits(found, initial):
        return initial
    help = "a fold takes in all that follows; put it in parentheses" if found == BOOL else ""
    role = f"the state `{e.state.text}`"
    return ctx.error(mismatch(e.body.span, found, initial, role, help=help))
