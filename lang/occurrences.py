"""Every name of a module with what it means, as the checker has read it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import assert_never

from circ.lang.check.context import Context
from circ.lang.check.items import TypedModule
from circ.lang.expression_names import in_expr
from circ.lang.meanings import (
    Bound,
    Declared,
    Field,
    Occurrence,
    OneMember,
    Whole,
)
from circ.lang.products import shared
from circ.lang.reach import Found, Reach, in_type, named, of_module, stored, wire
from circ.lang.syntax import (
    Change,
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    Clamp,
    ClampUnits,
    Component,
    DataSet,
    DomainDecl,
    DomainValue,
    EditClause,
    EnumDecl,
    Formula,
    FreshDomain,
    Graft,
    Head,
    Install,
    Item,
    Name,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    ProductDomain,
    Project,
    RecordDecl,
    SpaceDecl,
    Spanned,
    SubDomain,
    SubProduct,
    SubspaceDecl,
    TensorPath,
    TypeDomain,
    Use,
    Vectors,
    Wildcard,
)
from circ.lang.types import INVALID, REAL, Tuple
from circ.lang.walk import indices


def occurrences(typed: TypedModule) -> Found:
    """The names of a module's own text, declarations included; what means nothing is left out."""
    reach = Reach(Context(typed.facts))
    for use in typed.module.uses:
        yield from in_use(use, reach)
    for item in typed.module.items:
        yield Occurrence(item.name.span, Declared(item))
        yield from in_item(item, reach)


def in_use(use: Use, reach: Reach) -> Found:
    """The module, if anything was found in it, and the names that it gives."""
    items = [reach.scope.values.get(name.text) for name in use.names]
    sources = [item.name.span.source for item in items if item is not None]
    if sources:
        yield Occurrence(use.module.span, Whole(sources[0]))
    for name in use.names:
        yield from of_module(name, reach)


def in_item(item: Item, reach: Reach) -> Found:
    """The names in an item, its own left out."""
    match item:
        case EnumDecl(file=Name()):
            pass
        case EnumDecl(members=members):
            for name in members:
                yield Occurrence(name.span, OneMember(item, name))
        case RecordDecl():
            yield from in_record(item, reach)
        case CheckpointDecl(entries=entries):
            for entry in entries:
                yield from in_type(entry.type, reach)
        case SpaceDecl(type=kind):
            yield from in_type(kind, reach)
        case SubspaceDecl(space=space, vectors=vectors):
            yield from of_module(space, reach)
            yield from in_expr(vectors, reach)
        case NetworkDecl(params=params, result=result):
            for parameter in params:
                yield Occurrence(parameter.name.span, wire(parameter, reach.ctx))
                yield from in_type(parameter.type, reach)
            yield from in_type(result, reach)
        case ParamDecl(type=kind, value=value):
            yield from () if kind is None else in_type(kind, reach)
            yield from in_expr(value, reach)
        case CircuitDecl():
            yield from in_circuit(item, reach)
        case DomainDecl(value=value):
            yield from in_domain(value, reach)
        case ClaimDecl(using=using, formula=formula):
            claims = reach.scope.claims
            lemmas = (name for name in using if name.text in claims)
            yield from (Occurrence(name.span, Declared(claims[name.text])) for name in lemmas)
            inner = reach
            if item.outer is not None:
                inner = yield from in_head(item.outer, reach)
            yield from in_formula(formula, inner)
        case PatchDecl():
            yield from in_patch(item, reach)
        case _:
            assert_never(item)


def in_record(item: RecordDecl, reach: Reach) -> Found:
    """Dimensions, and the fields with their types."""
    inner = reach.plus(*((dim, Bound(dim, REAL)) for dim in item.dims))
    for dim in item.dims:
        yield from named(dim.span, dim.text, inner)
    for field in item.fields:
        for end, part in enumerate(field.path, start=1):
            yield Occurrence(part.span, Field(item, tuple(p.text for p in field.path[:end])))
        yield from in_type(field.type, inner)


def in_circuit(item: CircuitDecl, reach: Reach) -> Found:
    """Dimensions, parameters and lets are bound one after the other."""
    inner = reach
    for dim in item.dims:
        inner = inner.plus((dim, Bound(dim, REAL)))
        yield from named(dim.span, dim.text, inner)
    sized = inner
    for parameter in item.params:
        yield from in_type(parameter.type, sized)
        inner = inner.plus((parameter.name, wire(parameter, reach.ctx)))
        yield from named(parameter.name.span, parameter.name.text, inner)
    yield from in_type(item.result, sized)
    for let in item.lets:
        yield from () if let.type is None else in_type(let.type, sized)
        yield from in_expr(let.value, inner)
        inner = inner.plus((let.name, wire(let, reach.ctx)))
        yield from named(let.name.span, let.name.text, inner)
    yield from in_expr(item.body, inner)


def in_domain(domain: DomainValue, reach: Reach) -> Found:
    """The binder, what it ranges over, and the condition; of a data set, its type."""
    match domain:
        case DataSet(type=kind) | TypeDomain(type=kind):
            yield from in_type(kind, reach)
            return
        case Component(joint=joint):
            yield from in_domain(joint.domain, reach)
            return
        case FreshDomain(binder=binder):
            yield from in_type(binder.type, reach)
            bound: tuple[Name, ...] = (binder.name,)
        case SubDomain(binder=name, base=base):
            yield from of_module(base, reach)
            bound = () if name is None else (name,)
        case ProductDomain(binders=binders):
            for each in binders:
                yield from in_domain(each.domain, reach)
            bound = tuple(each.name for each in binders)
        case SubProduct(joint=joint):
            yield from in_domain(joint.domain, reach)
            bound = joint.names
        case _:
            assert_never(domain)
    known = reach.ctx.facts.domains.get(domain, INVALID)
    kinds = known.items if isinstance(known, Tuple) else (known,)
    pairs = zip(bound, (*kinds, *(INVALID for _ in bound)), strict=False)
    inner = reach.plus(*((name, Bound(name, kind)) for name, kind in pairs))
    for name in bound:
        yield from named(name.span, name.text, inner)
    if domain.condition is not None:
        yield from in_expr(domain.condition, inner)


def in_formula(formula: Formula, reach: Reach) -> Found:
    """What is bound, and what is said of it."""
    inner = yield from in_head(formula, reach)
    yield from in_expr(formula.body, inner)


def in_head(head: Formula | Head, reach: Reach) -> Generator[Occurrence, None, Reach]:
    """Binders with their domains, one that several share only once, and what is assumed; what is then in reach."""
    inner = reach
    seen: set[int] = set()
    for binder in head.binders:
        if id(shared(binder)) not in seen:
            yield from in_domain(shared(binder), reach)
        seen.add(id(shared(binder)))
        kind = reach.ctx.facts.domains.get(binder.domain, INVALID)
        inner = inner.plus((binder.name, Bound(binder.name, kind)))
        yield from named(binder.name.span, binder.name.text, inner)
    if head.where is not None:
        yield from in_expr(head.where, inner)
    return inner


def in_patch(item: PatchDecl, reach: Reach) -> Found:
    """The circuit, the tensors that are edited, and the clauses."""
    yield from of_module(item.circuit, reach)
    for change in item.changes:
        yield from in_change(change, reach)
    for formula in (*item.require, *item.preserve):
        yield from in_formula(formula, reach)


def in_change(change: Change, reach: Reach) -> Found:
    """The tensors, and what is taken off them."""
    match change:
        case EditClause(paths=paths):
            yield from in_tensors(paths, reach)
        case Project(targets=targets, subspace=subspace):
            yield from in_tensors(targets, reach)
            yield from in_subspace(subspace, reach)
        case Clamp(targets=targets, direction=direction, low=low, high=high):
            yield from in_tensors(targets, reach)
            for e in (direction, low, high):
                yield from in_expr(e, reach)
        case ClampUnits(layer=layer, rule=rule, low=low, high=high):
            yield from in_layer(layer, rule, reach)
            for e in (low, high):
                yield from in_expr(e, reach)
        case Graft(layer=layer, rule=rule, margin=margin):
            yield from in_layer(layer, rule, reach)
            yield from in_expr(margin, reach)
        case Install(layer=layer, rule=rule, margin=margin):
            yield from in_layer(layer, rule, reach)
            if margin is not None:
                yield from in_expr(margin, reach)
        case _:
            assert_never(change)


def in_layer(layer: Sequence[Name], rule: Formula, reach: Reach) -> Found:
    """The tensors of a layer, and what its units are to compute."""
    yield from of_module(layer[0], reach)
    yield from stored(layer[0].text, layer[1:], reach)
    yield from in_formula(rule, reach)


def in_subspace(subspace: Name | Spanned, reach: Reach) -> Found:
    """The name of a subspace, or the vectors that span it."""
    match subspace:
        case Name():
            yield from of_module(subspace, reach)
        case Spanned(vectors=vectors):
            yield from in_expr(vectors, reach)
        case _:
            assert_never(subspace)


def in_tensors(paths: Iterable[TensorPath | Vectors], reach: Reach) -> Found:
    """`m.blocks.0.mlp.W_out`, whose first name is a checkpoint."""
    for path in paths:
        yield from of_module(path.parts[0], reach)
        yield from stored(path.parts[0].text, path.parts[1:], reach)
        for item in path.items:
            if not isinstance(item, Wildcard):
                for e in indices((item,)):
                    yield from in_expr(e, reach)
