"""Circuits: their signatures first, then their lets and results."""

from __future__ import annotations

from dataclasses import replace

from circ.lang.check.annotations import as_tensor, as_type
from circ.lang.check.context import Context
from circ.lang.check.once import check_once
from circ.lang.errors.names import duplicate
from circ.lang.errors.types import mismatch, wrong_kind
from circ.lang.syntax import CircuitDecl, EnumDecl, Expr, Let, SpaceDecl
from circ.lang.types import Array, Group, Record, Tuple, Type, Variable, fits, merge


def check_signature(decl: CircuitDecl, ctx: Context) -> None:
    """The types of a circuit's parameters and of its result."""
    inner = inside(decl, ctx)
    kinds = [as_type(param.type, inner) for param in decl.params]
    ctx.facts.parameters |= dict(zip(decl.params, kinds, strict=True))
    ctx.facts.results[decl] = as_tensor(decl.result, inner)
    check_once([*decl.dims, *(param.name for param in decl.params)], ctx)
    check_dimensions(decl, ctx)


def check_dimensions(decl: CircuitDecl, ctx: Context) -> None:
    """Dimension variables hide nothing."""
    for dim in decl.dims:
        ctx.require_free(dim)
        item = ctx.facts.scope.values.get(dim.text)
        if isinstance(item, EnumDecl | SpaceDecl):
            ctx.error(duplicate(dim, item.name.span))


def inside(decl: CircuitDecl, ctx: Context) -> Context:
    """A context in which a circuit's dimension variables are known."""
    return replace(ctx, dims={name.text: Variable(name.text) for name in decl.dims})


def check_circuit(decl: CircuitDecl, ctx: Context) -> None:
    """The lets of a circuit and its result, once all that it calls is checked."""
    inner = inside(decl, ctx)
    for param in decl.params:
        inner = inner.bind(param.name, ctx.facts.parameters[param])
    for let in decl.lets:
        t = let_type(let, inner)
        if inner.is_local(let.name.text):
            params = (param.name for param in decl.params)
            names = [*decl.dims, *params, *(each.name for each in decl.lets)]
            first = next(name for name in names if name.text == let.name.text)
            ctx.error(duplicate(let.name, first.span))
        ctx.facts.lets[let] = t
        inner = inner.bind(let.name, t)
    role = f"the result of `{decl.name.text}`"
    annotated(inner.infer(decl.body), ctx.facts.results[decl], decl.body, role, inner)


def let_type(let: Let, ctx: Context) -> Type:
    """The type of a site, which is a tensor: as annotated, or as found."""
    found = ctx.infer(let.value)
    if isinstance(found, Tuple | Group | Record):
        found = ctx.error(wrong_kind(let.value.span, found, "a tensor", f"`let {let.name.text}`"))
    if let.type is None:
        return found
    return annotated(found, as_tensor(let.type, ctx), let.value, f"`{let.name.text}`", ctx)


def annotated(found: Type, wanted: Type, e: Expr, role: str, ctx: Context) -> Type:
    """The annotation, held against what was found; a number fills a tensor."""
    if isinstance(wanted, Array) and fits(found, Array(wanted.element)):
        return wanted
    if fits(found, wanted):
        return merge(wanted, found)
    ctx.error(mismatch(e.span, found, wanted, role))
    return wanted
