"""Records: tensors that a circuit takes together, whatever checkpoint they are of.

A group of tensors, `m.blocks.0.mlp`, is a value of a record if it has a tensor of the right type for each
field. It may have others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from circ.lang.binding import Pair, paired
from circ.lang.check.annotations import as_type
from circ.lang.check.context import Context
from circ.lang.check.once import check_once
from circ.lang.check.tensors import members
from circ.lang.errors.records import field_differs, lacks_field, no_field, no_tensor, unknown_field
from circ.lang.span import Span
from circ.lang.syntax import Entry, Name, RecordDecl
from circ.lang.types import (
    Array,
    Group,
    Invalid,
    Record,
    Type,
    Variable,
    fits,
)


def check_record(decl: RecordDecl, ctx: Context) -> Record:
    """The fields of a record, in terms of its dimensions; reports those that are no tensors, or there twice."""
    inner = replace(ctx, dims={name.text: Variable(name.text) for name in decl.dims})
    paths = [dotted(field) for field in decl.fields]
    check_once(decl.dims, ctx)
    check_once(paths, ctx)
    for dim in decl.dims:
        ctx.require_free(dim)
    fields = list[tuple[str, Array]]()
    for path, field in zip(paths, decl.fields, strict=True):
        fields += in_fields(path, as_type(field.type, inner), field, ctx)
    return Record(decl.name.text, tuple(fields))


def in_fields(path: Name, t: Type, field: Entry, ctx: Context) -> list[tuple[str, Array]]:
    """The tensors of one field: itself, or those of the record that it is."""
    match t:
        case Array() if "*" not in path.text.split("."):
            return [(path.text, t)]
        case Record(fields=fields):
            return [(f"{path.text}.{below}", kind) for below, kind in fields]
        case Invalid():
            return []
        case _:
            ctx.error(no_field(field.span))
            return []


def dotted(field: Entry) -> Name:
    """A field's path as one name."""
    span = field.path[0].span.to(field.path[-1].span)
    return Name(".".join(part.text for part in field.path), span)


def field_type(part: Name, base: Record, ctx: Context) -> Type:
    """A field of a record, or the record of the fields below a path."""
    fields = dict(base.fields)
    if part.text in fields:
        return fields[part.text]
    start = f"{part.text}."
    below = [(path[len(start) :], t) for path, t in base.fields if path.startswith(start)]
    if below:
        return Record(f"{base.name}.{part.text}", tuple(below))
    return ctx.error(unknown_field(part, base.name, list(fields)))


def tensors_of(t: Group | Record, ctx: Context) -> Mapping[str, Type]:
    """The tensors that a group or a record has, by path."""
    return members(t, ctx) if isinstance(t, Group) else dict(t.fields)


def record_pairs(wanted: Record, given: Type, ctx: Context) -> list[Pair]:
    """The dimensions of a record's fields beside those of the tensors that are given for it."""
    pairs: list[Pair] = []
    if isinstance(given, Group | Record):
        found = tensors_of(given, ctx)
        for path, want in wanted.fields:
            have = found.get(path)
            pairs += paired(want, have) if isinstance(have, Array) else []
    return pairs


def takes(wanted: Record, given: Type, span: Span, role: str, ctx: Context) -> bool:
    """Whether what is given has a fitting tensor for each field; reports the first one that it lacks."""
    if isinstance(given, Invalid):
        return True
    if not isinstance(given, Group | Record):
        ctx.error(no_tensor(span, given, wanted, role))
        return False
    found = tensors_of(given, ctx)
    for path, want in wanted.fields:
        have = found.get(path)
        if have is None:
            ctx.error(lacks_field(span, given, wanted, path, list(found)))
            return False
        if not fits(have, want):
            ctx.error(field_differs(span, path, have, wanted, want))
            return False
    return True
