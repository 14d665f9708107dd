"""Names and paths: locals, params, members, tensors of a checkpoint, sites of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from circ.lang.check.context import Context, enum_element
from circ.lang.check.edits import site_type
from circ.lang.check.records import field_type
from circ.lang.check.sites import site_read
from circ.lang.check.tensors import checkpoint_key, path_type, tensor_path
from circ.lang.errors.names import (
    ambiguous_member,
    listed_member,
    not_a_value,
    not_evaluated,
    unknown_name,
    word_in_quotes,
)
from circ.lang.errors.sites import it_outside, not_a_call
from circ.lang.scope import key, kind
from circ.lang.span import Span
from circ.lang.syntax import (
    Attr,
    CheckpointDecl,
    CircuitDecl,
    DomainDecl,
    EnumDecl,
    Index,
    NetworkDecl,
    ParamDecl,
    Quoted,
    RecordDecl,
    Ref,
    SpaceDecl,
    SubspaceDecl,
)
from circ.lang.types import REAL, Array, Group, Invalid, Record, Type
from circ.lang.words import quoted


def infer_ref(e: Ref, ctx: Context) -> Type:
    """A local, the size of a dimension, an item, or a member of an enum, in this order."""
    if e.name in ctx.locals:
        return ctx.locals[e.name]
    if e.name in ctx.dims:
        return REAL
    if e.name == "it":
        return ctx.error(it_outside(e.span))
    item = ctx.facts.scope.values.get(e.name)
    match item:
        case None:
            return infer_member_name(e, ctx)
        case ParamDecl():
            return REAL
        case CheckpointDecl():
            return Group(key(item), ())
        case CircuitDecl() | NetworkDecl():
            help = f"call it: `{e.name}(…)`"
            return ctx.error(not_a_value(e.span, e.name, kind(item), help))
        case DomainDecl():
            help = f"claim it of all inputs, `forall s in {e.name}: …`, or go over them, `[ … for s in {e.name} ]`"
            return ctx.error(not_a_value(e.span, e.name, kind(item), help))
        case EnumDecl():
            help = f"name a member; to go over words of it, declare a domain, `domain D = {{ s: {e.name}[3] }}`"
            return ctx.error(not_a_value(e.span, e.name, kind(item), help))
        case SpaceDecl() | SubspaceDecl() | RecordDecl():
            return ctx.error(not_a_value(e.span, e.name, kind(item)))
        case _:
            assert_never(item)


def infer_member_name(e: Ref, ctx: Context) -> Type:
    """A bare member name stands for its enum where only one enum has it."""
    owners = ctx.facts.scope.members.get(e.name, ())
    if owners:
        return the_member(e.name, owners, e.span, ctx)
    if e.name in ctx.facts.scope.quotable:
        return ctx.error(listed_member(e.span, e.name))
    if e.name in ctx.facts.scope.claims:
        return ctx.error(not_evaluated(e.span, e.name, "a claim", "prove"))
    if e.name in ctx.facts.scope.patches:
        return ctx.error(not_evaluated(e.span, e.name, "a patch", "patch"))
    known = [*ctx.locals, *ctx.dims, *ctx.facts.scope.values, *ctx.facts.scope.members]
    return ctx.unknown(unknown_name(e.span, e.name, known))


def infer_quoted(e: Quoted, ctx: Context) -> Type:
    """A member of an enum, one that a file lists included."""
    owners = ctx.facts.scope.quotable.get(e.member, ())
    if owners:
        return the_member(e.member, owners, e.span, ctx)
    scope = ctx.facts.scope
    if len(e.member) > 1 and all(letter in scope.quotable for letter in e.member):
        letters = [x if x in scope.members else quoted(x) for x in e.member]
        return ctx.error(word_in_quotes(e.span, e.member, letters))
    return ctx.unknown(unknown_name(e.span, e.member, scope.quotable, quote=True))


def the_member(name: str, owners: Sequence[EnumDecl], span: Span, ctx: Context) -> Type:
    """The enum of a member, where only one has it."""
    if len(owners) == 1:
        return Array(enum_element(ctx.facts.scope, owners[0].name.text))
    return ctx.error(ambiguous_member(span, name, [owner.name.text for owner in owners]))


def infer_attr(e: Attr, ctx: Context) -> Type:
    """A site of a call, a path below a checkpoint, or `Enum.member`."""
    read = site_read(e)
    if read is not None:
        return site_type(*read, ctx)
    path = tensor_path(e)
    if path is not None and not ctx.is_local(path[0]):
        checkpoint = checkpoint_key(path[0], ctx.facts.scope.values)
        if checkpoint is not None:
            return path_type(checkpoint, path[1], e.span, ctx)
    if isinstance(e.base, Ref) and not ctx.is_local(e.base.name):
        item = ctx.facts.scope.values.get(e.base.name)
        if isinstance(item, EnumDecl):
            return infer_qualified(e, item, ctx)
    base = ctx.infer(e.base)
    match base:
        case Group(checkpoint=checkpoint, prefix=prefix):
            return path_type(checkpoint, (*prefix, e.part.text), e.span, ctx)
        case Record():
            return field_type(e.part, base, ctx)
        case Invalid():
            return base
        case _:
            return ctx.error(not_a_call(e.base.span, isinstance(e.base, Index)))


def infer_qualified(e: Attr, enum: EnumDecl, ctx: Context) -> Type:
    """`Quote.none`."""
    members = [m.text for m in enum.members]
    if e.part.text in members:
        return Array(enum_element(ctx.facts.scope, enum.name.text))
    return ctx.error(unknown_name(e.part.span, e.part.text, members))
