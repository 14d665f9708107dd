"""Domains and the formulas that quantify over them."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from circ.lang.check.annotations import as_word
from circ.lang.check.context import Context, enum_element
from circ.lang.check.products import of_names, of_one, of_place, of_several, plain
from circ.lang.check.uniform import uneven
from circ.lang.errors.domains import (
    bad_binder,
    lengths_twice,
    not_executed,
    reads_another_binder,
    unknown_format,
)
from circ.lang.errors.names import duplicate, not_a, unknown_name
from circ.lang.errors.types import wrong_kind
from circ.lang.scope import kind
from circ.lang.syntax import (
    Binder,
    ClaimDecl,
    Component,
    DomainDecl,
    DomainExpr,
    EnumDecl,
    Formula,
    FreshDomain,
    Head,
    Name,
    ProductDomain,
    Ref,
    SubDomain,
    SubProduct,
    TypeDomain,
    TypeExpr,
)
from circ.lang.types import INVALID, REAL, Array, BoolElement, Invalid, Type, is_real, lengths
from circ.lang.walk import free, walk
from circ.lang.words import FLOATS


def domain_type(domain: DomainExpr, ctx: Context) -> Type:
    """The type a binder over this domain has."""
    if domain not in ctx.facts.domains:
        ctx.facts.domains[domain] = INVALID
        ctx.facts.domains[domain] = domain_type_new(domain, ctx)
    return ctx.facts.domains[domain]


def domain_type_new(domain: DomainExpr, ctx: Context) -> Type:
    """A type annotation's, or the base domain's; the condition speaks of the binder alone."""
    match domain:
        case TypeDomain(type=kind):
            return word_type(kind, ctx)
        case FreshDomain(binder=binder, condition=condition):
            name: Name | None = binder.name
            t = word_type(binder.type, ctx)
        case SubDomain(binder=name, base=base, condition=condition):
            t = base_type(base, ctx)
            t = t if name is None else of_one(name, domain, t, ctx)
        case ProductDomain(binders=binders, condition=condition):
            kinds = [plain(b.domain, domain_type(b.domain, ctx), ctx) for b in binders]
            return of_several([b.name for b in binders], kinds, condition, ctx)
        case SubProduct(joint=joint, condition=condition):
            known = of_names(joint, domain_type(joint.domain, ctx), ctx)
            return of_several(joint.names, known, condition, ctx)
        case Component(joint=joint, place=place):
            return of_place(joint, place, domain_type(joint.domain, ctx), ctx)
        case _:
            assert_never(domain)
    inner = ctx if name is None else ctx.bind(name, t)
    if condition is not None:
        inner.expect_truth(condition, "a domain")
    return t


def word_type(kind: TypeExpr, ctx: Context) -> Type:
    """The type of a binder as it is written; reports one that no domain ranges over."""
    t = as_word(kind, ctx)
    return t if isinstance(t, Invalid) or ranges(t) else ctx.error(bad_binder(kind.span, t))


def ranges(t: Type) -> bool:
    """Whether a domain can range over values of this type."""
    return isinstance(t, Array) and not isinstance(t.element, BoolElement)


def base_type(base: Name, ctx: Context) -> Type:
    """The type of the domain that a name declares, or of the members of an enum."""
    item = ctx.facts.scope.values.get(base.text)
    if isinstance(item, EnumDecl):
        return Array(enum_element(ctx.facts.scope, base.text))
    if isinstance(item, DomainDecl):
        return ctx.facts.domains.get(item.value, INVALID)
    if item is None:
        values = ctx.facts.scope.values.items()
        domains = [n for n, v in values if isinstance(v, DomainDecl | EnumDecl)]
        return ctx.unknown(unknown_name(base.span, base.text, domains))
    return ctx.error(not_a(base, kind(item), "a domain"))


def check_formula(formula: Formula, ctx: Context) -> None:
    """Binders, an assumption and a conclusion, both truths."""
    body_context(formula, ctx).expect_truth(formula.body, "a claim")
    check_even(formula, ctx)


def check_over(claim: ClaimDecl, ctx: Context) -> None:
    """`over float32`: a known format, and a claim that all executions can meet."""
    if claim.over is None:
        return
    if claim.over.text not in FLOATS:
        ctx.error(unknown_format(claim.over.span, claim.over.text, FLOATS))
    formula = claim.formula
    kinds = (lengths(ctx.facts.domains[binder.domain]) for binder in formula.binders)
    if not formula.binders:
        help = "a number of inputs is one of exact numbers: leave `over` out"
        ctx.error(not_executed(claim.over.span, "about numbers of inputs", help))
    elif formula.quantifier == "exists":
        help = "claim with `forall` that no execution does it, and expect that to be refuted"
        ctx.error(not_executed(claim.over.span, "an `exists`", help))
    elif any(several is not None and several.last is None for several in kinds):
        help = "name the longest length, as in `Char[1..64]`"
        ctx.error(not_executed(claim.over.span, "about words of any length", help))


def check_range(formula: Formula, ctx: Context) -> None:
    """Binders, an assumption, and a number in place of a conclusion."""
    body_context(formula, ctx).expect(formula.body, REAL, "a range")


def check_regions(formula: Formula, ctx: Context) -> None:
    """Binders, an assumption, and a number or a tensor of them in place of a conclusion."""
    inner = body_context(formula, ctx)
    found = inner.infer(formula.body)
    if not isinstance(found, Invalid) and not is_real(found):
        ctx.error(wrong_kind(formula.body.span, found, "reals", "`regions`"))


def body_context(formula: Formula, ctx: Context) -> Context:
    """The context of a formula's body."""
    inner = ctx if formula.binders else replace(ctx, closed=True)
    for i, binder in enumerate(formula.binders):
        t = binder_type(binder, formula, ctx)
        earlier = next((b for b in formula.binders[:i] if b.name.text == binder.name.text), None)
        if earlier is not None:
            ctx.error(duplicate(binder.name, earlier.name.span))
        inner = inner.bind(binder.name, t)
    check_lengths(formula, ctx)
    if formula.where is not None:
        inner.expect_truth(formula.where, "`where`")
    return inner


def check_lengths(formula: Formula, ctx: Context) -> None:
    """One binder may be a word of several lengths, so that a claim has one length at a time."""
    several = [b for b in formula.binders if lengths(ctx.facts.domains[b.domain]) is not None]
    for binder in several[1:]:
        ctx.error(lengths_twice(binder.span, several[0].span))


def check_even(formula: Formula, ctx: Context) -> None:
    """A claim about words of any length knows nothing of positions."""
    kinds = (lengths(ctx.facts.domains[binder.domain]) for binder in formula.binders)
    if any(several is not None and several.last is None for several in kinds):
        for diagnostic in uneven(formula, ctx.facts):
            ctx.error(diagnostic)


def binder_type(binder: Binder, formula: Formula | Head, ctx: Context) -> Type:
    """The type of one of a formula's variables."""
    t = domain_type(binder.domain, without_binders(binder.domain, formula, ctx))
    return of_one(binder.name, binder.domain, t, ctx)


def without_binders(domain: DomainExpr, formula: Formula | Head, ctx: Context) -> Context:
    """The context of a domain's condition, which may not speak of the formula's binders."""
    if isinstance(domain, Component):
        return without_binders(domain.joint.domain, formula, ctx)
    condition = None if isinstance(domain, TypeDomain) else domain.condition
    if condition is None:
        return ctx
    spoken = free(condition) & ({b.name.text for b in formula.binders} - own_names(domain))
    for part in walk(condition):
        if isinstance(part, Ref) and part.name in spoken:
            ctx.error(reads_another_binder(part.span, part.name))
    return replace(ctx, locals={**ctx.locals, **dict.fromkeys(spoken, INVALID)})


def own_names(domain: DomainExpr) -> set[str]:
    """The names of a domain's own variables."""
    match domain:
        case FreshDomain(binder=binder):
            return {binder.name.text}
        case SubDomain(binder=name):
            return set[str]() if name is None else {name.text}
        case ProductDomain(binders=binders):
            return {binder.name.text for binder in binders}
        case SubProduct(joint=joint):
            return {name.text for name in joint.names}
        case TypeDomain() | Component():
            return set[str]()
        case _:
            assert_never(domain)
