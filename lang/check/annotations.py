"""Types as the user writes them: `real[8, Char]`, `fin[n]`, `Char`."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from circ.lang.binding import as_polynomial, simplest, substitute
from circ.lang.check.context import Context, enum_element
from circ.lang.errors.domains import bad_lengths, lengths_elsewhere
from circ.lang.errors.records import only_a_parameter, sizes_of_record
from circ.lang.errors.types import bad_dimension, unknown_type
from circ.lang.polynomials import MOST_FACTORS, MOST_TERMS, combined
from circ.lang.scope import Scope
from circ.lang.syntax import (
    DimBinary,
    DimExpr,
    DimLengths,
    DimName,
    DimNumber,
    EnumDecl,
    Name,
    RecordDecl,
    SpaceDecl,
    TypeExpr,
)
from circ.lang.types import (
    INVALID,
    Array,
    Axis,
    BoolElement,
    Dim,
    Dims,
    Element,
    Fixed,
    Invalid,
    Lengths,
    RealElement,
    Record,
    Space,
    Type,
    is_discrete,
    positions,
)

MOST_ENTRIES = 1 << 24
"""A declared axis longer than this is refused rather than attempted."""

LONG_ARITHMETIC = (
    f"arithmetic on dimensions has {MOST_TERMS} terms of {MOST_FACTORS} factors at most"
)

MOST_LENGTH = 1 << 12
"""Of a word that may have several lengths."""


def as_type(t: TypeExpr, ctx: Context) -> Type:
    """The type an annotation means."""
    dims = [as_dim(d, ctx) for d in t.dims]
    known = tuple(d for d in dims if d is not None)
    if t.name.text == "fin":
        if not dims:
            return ctx.error(bad_dimension(t.span, "`fin` needs its size, as in `fin[8]`"))
        return Array(positions(known[0]), known[1:]) if len(known) == len(dims) else INVALID
    item = ctx.facts.scope.values.get(t.name.text)
    if isinstance(item, RecordDecl):
        return as_record(t, item, known, ctx) if len(known) == len(dims) else INVALID
    found = as_element(t.name, ctx)
    return INVALID if found is None or len(known) < len(dims) else Array(found[0], known + found[1])


def as_record(t: TypeExpr, decl: RecordDecl, given: Dims, ctx: Context) -> Type:
    """A record with its dimensions."""
    record = ctx.facts.records.get(decl)
    if len(given) != len(decl.dims):
        return ctx.error(sizes_of_record(t.span, decl.name.text, len(decl.dims), len(given)))
    names = (name.text for name in decl.dims)
    return INVALID if record is None else substitute(record, dict(zip(names, given, strict=True)))


def dimensions(t: TypeExpr, scope: Scope) -> tuple[DimExpr, ...]:
    """The axes that an annotation writes, that of a space behind the others; the size of a `fin` is none."""
    dims = t.dims[1:] if t.name.text == "fin" else t.dims
    item = scope.values.get(t.name.text)
    return (*dims, DimName(t.name.span, t.name.text)) if isinstance(item, SpaceDecl) else dims


def as_element(name: Name, ctx: Context) -> tuple[Element, Dims] | None:
    """`real`, `bool`, an enum, or a space with its axis; reports anything else."""
    if name.text == "real":
        return RealElement(), ()
    if name.text == "bool":
        return BoolElement(), ()
    match ctx.facts.scope.values.get(name.text):
        case EnumDecl():
            return enum_element(ctx.facts.scope, name.text), ()
        case SpaceDecl() as space:
            axis = as_space(space)
            return None if axis is None else (RealElement(), (axis,))
        case _:
            ctx.unknown(unknown_type(name, ["real", "bool", "fin", *axes(ctx)]))
            return None


def as_space(decl: SpaceDecl) -> Space | None:
    """The axis that a space is; None for one that is declared wrongly (`check_space`)."""
    match decl.type:
        case TypeExpr(name=Name(text="real"), dims=(DimNumber(value=n),)) if 1 <= n <= MOST_ENTRIES:
            return Space(decl.name.text, n)
        case _:
            return None


def check_space(decl: SpaceDecl, ctx: Context) -> None:
    """A space is `real[n]`, whatever else the name of its type may stand for."""
    if as_space(decl) is not None:
        return
    match decl.type:
        case TypeExpr(name=Name(text="real"), dims=(DimNumber() as size,)):
            as_dim(size, ctx)
        case _:
            ctx.error(bad_dimension(decl.type.span, "a space is `real[n]`, n a number"))


def as_dim(dim: DimExpr, ctx: Context) -> Dim | None:
    """A number, an enum, a space, or a variable of the circuit; reports anything else."""
    match dim:
        case DimNumber(value=value, span=span):
            if 1 <= value <= MOST_ENTRIES:
                return Fixed(value)
            ctx.error(bad_dimension(span, f"an axis has 1 to {MOST_ENTRIES:,} entries"))
            return None
        case DimName():
            return named_dim(dim, ctx)
        case DimBinary():
            return computed_dim(dim, ctx)
        case DimLengths(span=span):
            ctx.error(lengths_elsewhere(span))
            return None
        case _:
            assert_never(dim)


def computed_dim(dim: DimBinary, ctx: Context) -> Dim | None:
    """Arithmetic on dimensions; reports what is no axis, or too long to be worked with."""
    parts = as_dim(dim.left, ctx), as_dim(dim.right, ctx)
    if parts[0] is None or parts[1] is None:
        return None
    found = combined(dim.op, as_polynomial(parts[0]), as_polynomial(parts[1]))
    value = found.constant
    if not found.manageable:
        ctx.error(bad_dimension(dim.span, LONG_ARITHMETIC))
        return None
    if value is not None and not 1 <= value <= MOST_ENTRIES:
        ctx.error(bad_dimension(dim.span, f"an axis has 1 to {MOST_ENTRIES:,} entries"))
        return None
    return simplest(found)


def named_dim(dim: DimName, ctx: Context) -> Dim | None:
    """An enum, a space, or a variable of the circuit; reports anything else."""
    if dim.name in ctx.dims:
        return ctx.dims[dim.name]
    match ctx.facts.scope.values.get(dim.name):
        case EnumDecl(members=members):
            return Axis(dim.name, tuple(member.text for member in members))
        case SpaceDecl() as space:
            return as_space(space)
        case _:
            ctx.unknown(unknown_type(Name(dim.name, dim.span), [*ctx.dims, *axes(ctx)]))
            return None


def as_word(t: TypeExpr, ctx: Context) -> Type:
    """The type of a domain's binder, which may be a word of several lengths."""
    if not t.dims or not isinstance(t.dims[-1], DimLengths):
        return as_type(t, ctx)
    letter = as_type(replace(t, dims=t.dims[:-1]), ctx)
    lengths = as_lengths(t.dims[-1], ctx)
    if isinstance(letter, Invalid) or lengths is None:
        return INVALID
    if not is_discrete(letter) or not isinstance(letter, Array) or letter.dims:
        return ctx.error(lengths_elsewhere(t.dims[-1].span))
    return Array(letter.element, (lengths,))


def as_lengths(dim: DimLengths, ctx: Context) -> Lengths | None:
    """Lengths in order; reports others."""
    last = dim.first if dim.last is None else dim.last
    if 1 <= dim.first <= last <= MOST_LENGTH:
        return Lengths(dim.first, dim.last)
    ctx.error(bad_lengths(dim.span, MOST_LENGTH))
    return None


def axes(ctx: Context) -> list[str]:
    """The names of the module's enums and spaces."""
    values = ctx.facts.scope.values.items()
    return [name for name, item in values if isinstance(item, EnumDecl | SpaceDecl)]


def as_tensor(t: TypeExpr, ctx: Context) -> Type:
    """The type of a tensor; reports a record, whose tensors stand in a checkpoint."""
    found = as_type(t, ctx)
    return ctx.error(only_a_parameter(t.span, t.name.text)) if isinstance(found, Record) else found
