"""Names and paths: locals, params, members, tensors of a checkpoint, sites of a call."""

from __future__ import annotations

from typing import assert_never

from circ.lang.check.context import Context, enum_element
from circ.lang.check.sites import site_read, site_type
from circ.lang.errors.files import unknown_tensor
from circ.lang.errors.names import ambiguous_member, not_a_value, unknown_name
from circ.lang.errors.sites import it_outside, not_a_call
from circ.lang.scope import kind
from circ.lang.syntax import (
    Attr,
    CheckpointDecl,
    CircuitDecl,
    DomainDecl,
    EnumDecl,
    ParamDecl,
    Ref,
)
from circ.lang.types import (
    REAL,
    Array,
    Fixed,
    Group,
    Invalid,
    RealElement,
    Type,
)


def infer_ref(e: Ref, ctx: Context) -> Type:
    """A local, an item, or a member of an enum, in this order."""
    if e.name in ctx.locals:
        return ctx.locals[e.name]
    if e.name == "it":
        return ctx.error(it_outside(e.span))
    item = ctx.facts.scope.values.get(e.name)
    match item:
        case None:
            return infer_member_name(e, ctx)
        case ParamDecl():
            return REAL
        case CheckpointDecl():
            return Group(e.name, ())
        case CircuitDecl():
            help = f"call it: `{e.name}(…)`"
            return ctx.error(not_a_value(e.span, e.name, kind(item), help))
        case EnumDecl() | DomainDecl():
            return ctx.error(not_a_value(e.span, e.name, kind(item)))
        case _:
            assert_never(item)


def infer_member_name(e: Ref, ctx: Context) -> Type:
    """A bare member name stands for its enum where only one enum has it."""
    owners = ctx.facts.scope.members.get(e.name, ())
    if len(owners) == 1:
        return Array(enum_element(ctx.facts.scope, owners[0].name.text))
    if owners:
        enums = [owner.name.text for owner in owners]
        return ctx.error(ambiguous_member(e.span, e.name, enums))
    known = [*ctx.locals, *ctx.facts.scope.values, *ctx.facts.scope.members]
    return ctx.error(unknown_name(e.span, e.name, known))


def infer_attr(e: Attr, ctx: Context) -> Type:
    """`Enum.member`, a step down a checkpoint, or a site of a call."""
    read = site_read(e)
    if read is not None:
        return site_type(*read, ctx)
    if isinstance(e.base, Ref) and e.base.name not in ctx.locals:
        item = ctx.facts.scope.values.get(e.base.name)
        if isinstance(item, EnumDecl):
            return infer_qualified(e, item, ctx)
    base = ctx.infer(e.base)
    match base:
        case Group(checkpoint=checkpoint, prefix=prefix):
            return step(e, checkpoint, (*prefix, e.part.text), ctx)
        case Invalid():
            return base
        case _:
            return ctx.error(not_a_call(e.part.span))


def infer_qualified(e: Attr, enum: EnumDecl, ctx: Context) -> Type:
    """`Quote.none`."""
    members = [m.text for m in enum.members]
    if e.part.text in members:
        return Array(enum_element(ctx.facts.scope, enum.name.text))
    return ctx.error(unknown_name(e.part.span, e.part.text, members))


def step(e: Attr, checkpoint: str, path: tuple[str, ...], ctx: Context) -> Type:
    """One part further down a checkpoint: a tensor, or the group of those below it."""
    header = ctx.facts.headers.get(checkpoint)
    if header is None:
        return Invalid()
    name = ".".join(path)
    if name in header:
        return tensor_type(checkpoint, name, ctx)
    if any(key.startswith(name + ".") for key in header):
        return Group(checkpoint, path)
    return ctx.error(unknown_tensor(e.span, name, list(header)))


def tensor_type(checkpoint: str, name: str, ctx: Context) -> Type:
    """The declared type of a tensor, or its shape in the file."""
    declared = ctx.facts.entries.get(checkpoint, {}).get(name)
    if declared is not None:
        return declared
    shape = ctx.facts.headers[checkpoint][name].shape
    return Array(RealElement(), tuple(map(Fixed, shape)))
