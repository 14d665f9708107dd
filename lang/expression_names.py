"""The names in an expression, each with what it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from circ.lang.check.functions import FUNCTIONS
from circ.lang.check.sites import callee, named_site, site_read
from circ.lang.check.tensors import tensor_path
from circ.lang.meanings import (
    Bound,
    BuiltIn,
    Occurrence,
)
from circ.lang.pattern_names import member_at, pattern_names, word_names
from circ.lang.reach import (
    Found,
    Reach,
    entry,
    fields,
    in_dim,
    in_type,
    named,
    of_module,
    stored,
    wire,
)
from circ.lang.syntax import (
    Attr,
    Binary,
    Call,
    Cases,
    Cast,
    CircuitDecl,
    Compare,
    Comprehension,
    Coords,
    Count,
    Do,
    Edit,
    EnumDecl,
    Expr,
    Fold,
    Index,
    Let,
    ListExpr,
    Match,
    Matches,
    Member,
    Name,
    NetworkDecl,
    Number,
    Parameter,
    Projection,
    Quoted,
    Ref,
    TupleExpr,
    TypeExpr,
    Unary,
)
from circ.lang.types import INVALID, REAL, Type
from circ.lang.walk import children, indices


def in_expr(e: Expr, reach: Reach) -> Found:
    """The names in an expression."""
    match e:
        case Ref(span=span, name=name):
            yield from named(span, name, reach)
        case Quoted():
            yield from quoted_member(e, reach)
        case Attr():
            yield from in_attr(e, reach)
        case Call(function=function):
            yield from called(function, reach)
            yield from in_given(e, reach)
            yield from in_all(e.args, reach)
        case Do(base=base, edits=edits):
            yield from in_expr(base, reach)
            for edit in edits:
                yield from in_edit(edit, base, reach)
        case Comprehension(binder=binder, source=source, body=body):
            yield from in_expr(source, reach)
            yield from bound_in(body, binder, entry(reach.type_of(source)), reach)
        case Count():
            yield from in_count(e, reach)
        case Fold():
            yield from in_fold(e, reach)
        case Match(subject=subject, arms=arms):
            yield from in_expr(subject, reach)
            for arm in arms:
                yield from pattern_names(arm.pattern, reach.type_of(subject), reach.scope)
                yield from in_expr(arm.value, reach)
        case Matches(word=word, pattern=pattern):
            yield from in_expr(word, reach)
            yield from word_names(pattern, reach.type_of(word), reach.scope)
        case Cast(operand=operand, type=kind):
            yield from in_expr(operand, reach)
            yield from in_type(kind, reach)
        case Projection(operand=operand, subspace=subspace):
            yield from in_expr(operand, reach)
            yield from of_module(subspace, reach)
        case Coords(function=function, operand=operand, subspace=subspace):
            yield from called(function, reach)
            yield from in_expr(operand, reach)
            yield from of_module(subspace, reach)
        case Number() | Index() | Unary() | Binary() | Compare() | Member():
            yield from in_all(children(e), reach)
        case TupleExpr() | ListExpr() | Cases():
            yield from in_all(children(e), reach)
        case _:
            assert_never(e)


def quoted_member(e: Quoted, reach: Reach) -> Found:
    """The member of the one enum that has it."""
    owners = reach.scope.quotable.get(e.member, ())
    means = member_at(owners[0], e.member) if len(owners) == 1 else None
    if means is not None:
        yield Occurrence(e.span, means)


def in_all(parts: Sequence[Expr], reach: Reach) -> Found:
    """The names in several expressions."""
    for part in parts:
        yield from in_expr(part, reach)


def called(function: Name, reach: Reach) -> Found:
    """A circuit, or a function of the language; never a local."""
    if isinstance(reach.scope.values.get(function.text), CircuitDecl | NetworkDecl):
        yield from of_module(function, reach)
    elif function.text in FUNCTIONS:
        yield Occurrence(function.span, BuiltIn(function.text))


def in_given(e: Call, reach: Reach) -> Found:
    """The dimensions that a call says: those of the circuit, and what they are."""
    decl = reach.scope.values.get(e.function.text)
    own = decl.dims if isinstance(decl, CircuitDecl) else ()
    for each in e.given:
        for dim in own:
            if dim.text == each.name.text:
                yield Occurrence(each.name.span, Bound(dim, REAL))
        yield from in_dim(each.dim, reach)


def in_attr(e: Attr, reach: Reach) -> Found:
    """A site of a call, a path below a checkpoint, or `Enum.member`."""
    read = site_read(e)
    if read is not None:
        yield from in_expr(read[0], reach)
        yield from sites(read[0], read[1], reach)
        return
    names: list[Name] = []
    at: Expr = e
    while isinstance(at, Attr):
        names.insert(0, at.part)
        at = at.base
    yield from in_expr(at, reach)
    path = tensor_path(e)
    if path is None or path[0] in reach.bound:
        yield from fields(reach.type_of(at), names, reach)
        return
    item = reach.scope.values.get(path[0])
    if isinstance(item, EnumDecl):
        means = member_at(item, names[0].text)
        if means is not None:
            yield Occurrence(names[0].span, means)
    else:
        yield from stored(path[0], names, reach)


def sites(call: Expr, path: Sequence[Name], reach: Reach) -> Found:
    """The wires that a path names below a call, or below what calls stand in."""
    match call:
        case Fold(state=state) if path and path[0].text == state.text:
            yield Occurrence(path[0].span, Bound(state, reach.type_of(call)))
        case Comprehension(body=body) | Fold(body=body):
            yield from sites(body, path, reach)
        case _:
            found = callee(call, reach.ctx)
            if found is not None and path:
                yield from sites_of(found.decl, path, reach)


def sites_of(decl: CircuitDecl | NetworkDecl, path: Sequence[Name], reach: Reach) -> Found:
    """The site of a circuit that a path starts with, and what the rest names below it."""
    site = site_of(decl, path[0].text)
    if site is None:
        return
    inside = replace(reach, ctx=reach.ctx.inside(decl))
    yield Occurrence(path[0].span, wire(site, reach.ctx))
    if isinstance(site, Let):
        yield from sites(site.value, path[1:], inside)
    else:
        yield from fields(reach.ctx.facts.parameters.get(site, INVALID), path[1:], inside)


def site_of(decl: CircuitDecl | NetworkDecl, name: str) -> Parameter | Let | None:
    """A site that is declared in a text; of a network its inputs are, and what is inside is not."""
    if isinstance(decl, CircuitDecl):
        return named_site(decl, name)
    return next((param for param in decl.params if param.name.text == name), None)


def in_edit(edit: Edit, call: Expr, reach: Reach) -> Found:
    """What is replaced, a wire or a tensor, and by what."""
    found = callee(call, reach.ctx)
    head = edit.path[0]
    if found is not None and site_of(found.decl, head.text) is not None:
        yield from sites(call, edit.path, reach)
    else:
        yield from of_module(head, reach)
        yield from stored(head.text, edit.path[1:], reach)
    yield from in_all(indices(edit.items), reach)
    yield from in_expr(edit.value, reach)


def bound_in(body: Expr | None, binder: Name, kind: Type, reach: Reach) -> Found:
    """A binder and what it is bound in."""
    inner = reach.plus((binder, Bound(binder, kind)))
    yield from named(binder.span, binder.text, inner)
    yield from () if body is None else in_expr(body, inner)


def in_count(e: Count, reach: Reach) -> Found:
    """Entries of a tensor, inputs of a domain, or values of a type."""
    facts = reach.ctx.facts
    domain = facts.counted.get(e)
    if isinstance(e.source, TypeExpr):
        yield from in_type(e.source, reach)
    else:
        yield from in_expr(e.source, reach)
    if domain is not None:
        kind = facts.domains.get(domain, INVALID)
    else:
        kind = INVALID if isinstance(e.source, TypeExpr) else entry(reach.type_of(e.source))
    yield from bound_in(e.condition, e.binder, kind, reach)


def in_fold(e: Fold, reach: Reach) -> Found:
    """The state and the entry are bound in the body."""
    yield from in_expr(e.initial, reach)
    yield from in_expr(e.source, reach)
    state = Bound(e.state, reach.type_of(e.initial))
    inner = reach.plus((e.state, state))
    yield Occurrence(e.state.span, state)
    yield from bound_in(e.body, e.binder, entry(reach.type_of(e.source)), inner)
