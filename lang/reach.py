"""What a name means where it stands, and the names of types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from circ.lang.check.context import Context
from circ.lang.meanings import (
    Declared,
    Field,
    Meaning,
    Occurrence,
    Stored,
    Wire,
)
from circ.lang.pattern_names import member_at
from circ.lang.scope import Scope
from circ.lang.span import Span
from circ.lang.syntax import (
    CheckpointDecl,
    DimBinary,
    DimExpr,
    DimLengths,
    DimName,
    DimNumber,
    Expr,
    Let,
    Name,
    Parameter,
    RecordDecl,
    TypeExpr,
)
from circ.lang.types import INVALID, Array, Record, Type

Found = Iterator[Occurrence]
"""Names with what they mean."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The names in reach: those that are bound here, and those of the module."""

    ctx: Context
    bound: Mapping[str, Meaning] = field(default_factory=dict[str, Meaning])

    @property
    def scope(self) -> Scope:
        """The module's names."""
        return self.ctx.facts.scope

    def type_of(self, e: Expr) -> Type:
        """The type that was found for an expression."""
        return self.ctx.facts.types.get(e, INVALID)

    def plus(self, *names: tuple[Name, Meaning]) -> Reach:
        """This with more names bound."""
        return replace(self, bound={**self.bound, **{name.text: m for name, m in names}})

    def meaning(self, name: str) -> Meaning | None:
        """What a bare name means here: what is bound, else a declaration, else a member."""
        if name in self.bound:
            return self.bound[name]
        if name in self.scope.values:
            return Declared(self.scope.values[name])
        owners = self.scope.members.get(name, ())
        return member_at(owners[0], name) if len(owners) == 1 else None


def named(span: Span, name: str, reach: Reach) -> Found:
    """One name, if it means something."""
    means = reach.meaning(name)
    if means is not None:
        yield Occurrence(span, means)


def of_module(name: Name, reach: Reach) -> Found:
    """The name of a declaration, whatever is bound."""
    item = reach.scope.values.get(name.text)
    if item is not None:
        yield Occurrence(name.span, Declared(item))


def wire(site: Parameter | Let, ctx: Context) -> Wire:
    """A parameter or a `let`, with its type."""
    facts = ctx.facts
    known = facts.lets.get(site) if isinstance(site, Let) else facts.parameters.get(site)
    return Wire(site.name, INVALID if known is None else known)


def stored(name: str, parts: Sequence[Name], reach: Reach) -> Found:
    """The parts of a path below a checkpoint."""
    item = reach.scope.values.get(name)
    if isinstance(item, CheckpointDecl):
        for end, part in enumerate(parts, start=1):
            below = tuple(each.text for each in parts[:end])
            yield Occurrence(part.span, Stored(item, below))


def fields(t: Type, parts: Sequence[Name], reach: Reach) -> Found:
    """The parts of a path below a value of a record."""
    item = reach.scope.values.get(t.name) if isinstance(t, Record) else None
    if isinstance(item, RecordDecl):
        yield from fields_of(item, parts, reach)


def fields_of(item: RecordDecl, parts: Sequence[Name], reach: Reach) -> Found:
    """The parts of a path below a record, one that a field is included."""
    for end, part in enumerate(parts, start=1):
        path = tuple(each.text for each in parts[:end])
        yield Occurrence(part.span, Field(item, path))
        for entry in item.fields:
            inner = reach.scope.values.get(entry.type.name.text)
            if tuple(each.text for each in entry.path) == path and isinstance(inner, RecordDecl):
                yield from fields_of(inner, parts[end:], reach)
                return


def in_type(kind: TypeExpr, reach: Reach) -> Found:
    """Enums, spaces, and the dimensions of a circuit."""
    yield from () if kind.is_map else of_module(kind.name, reach)
    for dim in kind.dims:
        yield from in_dim(dim, reach)


def in_dim(dim: DimExpr, reach: Reach) -> Found:
    """Enums, spaces and dimensions of a circuit, in a dimension."""
    match dim:
        case DimName(span=span, name=name):
            yield from named(span, name, reach)
        case DimBinary(left=left, right=right):
            yield from in_dim(left, reach)
            yield from in_dim(right, reach)
        case DimNumber() | DimLengths():
            pass
        case _:
            assert_never(dim)


def entry(t: Type) -> Type:
    """The type of an entry of a tensor's leading axis."""
    return Array(t.element, t.dims[1:]) if isinstance(t, Array) and t.dims else INVALID
