"""`count` over a domain, a number of its own; and what goes over the values of one, one by one."""

from __future__ import annotations

from math import prod

from circ.lang.check.context import Context, count_rows
from circ.lang.check.formulas import domain_type
from circ.lang.errors.products import goes_over_one
from circ.lang.errors.quantities import counts_reals, not_closed, not_listed
from circ.lang.products import product_of
from circ.lang.syntax import (
    Component,
    Count,
    DataSet,
    DomainDecl,
    DomainExpr,
    Expr,
    FreshDomain,
    Name,
    Parameter,
    Ref,
    SubDomain,
    TypeDomain,
    TypeExpr,
)
from circ.lang.types import (
    INVALID,
    REAL,
    Array,
    Dim,
    EnumElement,
    FinElement,
    Fixed,
    Invalid,
    Tuple,
    Type,
    Variable,
    is_discrete,
    size,
)

CLAIM_IT = "claim it of all of its inputs, with `forall`"
ONE_IN_ANOTHER = "go over domains of one variable, one inside the other"

MOST_WORDS = 1 << 12
"""Of a domain that is gone through word by word, as a part of a circuit."""


def names_domain(source: Expr, ctx: Context) -> bool:
    """Whether an expression is the name of a declared domain."""
    if not isinstance(source, Ref) or ctx.is_local(source.name):
        return False
    return isinstance(ctx.facts.scope.values.get(source.name), DomainDecl)


def infer_quantity(e: Count, ctx: Context) -> Type:
    """A number; the domain is of words, and the condition speaks of its binder alone."""
    domain = domain_of(e)
    t = domain_type(domain, ctx)
    if isinstance(t, Tuple):
        t = ctx.error(goes_over_one(e.source.span, e.source.span.text, "`count`", CLAIM_IT))
    if not isinstance(t, Invalid) and not is_discrete(t) and not of_rows(domain, ctx):
        t = ctx.error(counts_reals(e.source.span, t))
    if not ctx.closed:
        return ctx.error(not_closed(e.span))
    inner = ctx.bind(e.binder, t)
    if e.condition is not None:
        inner.expect_truth(e.condition, "`count`")
    ctx.facts.counted[e] = domain
    return INVALID if isinstance(t, Invalid) else REAL


def names_data(source: Expr, ctx: Context) -> bool:
    """Whether an expression is the name of a data set, whose rows are known."""
    if not isinstance(source, Ref) or not names_domain(source, ctx):
        return False
    declared = ctx.facts.scope.values[source.name]
    return isinstance(declared, DomainDecl) and isinstance(declared.value, DataSet)


def listed_type(source: Ref, ctx: Context) -> Type:
    """All values of a domain along a leading axis, which is open where it has a condition; an error of one
    that does not list them."""
    declared = ctx.facts.scope.values[source.name]
    assert isinstance(declared, DomainDecl)
    t = ctx.facts.domains.get(declared.value, INVALID)
    if isinstance(t, Tuple):
        return ctx.error(goes_over_one(source.span, source.name, "this", ONE_IN_ANOTHER))
    if not isinstance(t, Array):
        return INVALID
    if isinstance(declared.value, DataSet):
        rows = ctx.facts.rows.get(declared.value)
        return INVALID if rows is None else Array(t.element, (Fixed(count_rows(rows)), *t.dims))
    count = count_words(t)
    if count is None and not of_rows(declared.value, ctx):
        return ctx.error(not_listed(source.span, source.name, t, MOST_WORDS))
    if count is None or not whole(declared.value):
        return Array(t.element, (Variable(f"|{source.name}|"), *t.dims))
    return Array(t.element, (Fixed(count), *t.dims))


def is_open(dim: Dim) -> bool:
    """Whether it is how many values a domain with a condition has, which no type says."""
    return isinstance(dim, Variable) and dim.name.startswith("|")


def whole(domain: DomainExpr) -> bool:
    """Whether a domain has all values of its type by its form."""
    match domain:
        case TypeDomain():
            return True
        case FreshDomain(condition=condition):
            return condition is None
        case _:
            return False


def count_words(t: Array) -> int | None:
    """How many words there are of a type; None for reals, several lengths and too many."""
    sides = [size(dim) for dim in t.dims]
    match t.element:
        case EnumElement(members=members):
            letters: int | None = len(members)
        case FinElement(size=dim):
            letters = size(dim)
        case _:
            letters = None
    if letters is None or None in sides:
        return None
    entries = prod(side for side in sides if side is not None)
    if letters > 1 and entries > MOST_WORDS.bit_length():
        return None
    count: int = letters**entries
    return count if count <= MOST_WORDS else None


def domain_of(e: Count) -> DomainExpr:
    """What a `count` goes over, as a domain."""
    if isinstance(e.source, TypeExpr):
        return FreshDomain(e.source.span, Parameter(e.source.span, e.binder, e.source), None)
    assert isinstance(e.source, Ref)
    return SubDomain(e.source.span, None, Name(e.source.name, e.source.span), None)


def of_rows(domain: DomainExpr, ctx: Context) -> bool:
    """Whether a domain is a data set, or narrows one."""
    return data_set(domain, ctx) is not None


def data_set(domain: DomainExpr, ctx: Context) -> DataSet | None:
    """The data set that a domain is, or narrows; None for any other domain, and for one that needs itself."""
    scope, seen = ctx.facts.scope, set[DomainDecl]()
    if isinstance(domain, Component):
        product = product_of(domain.joint.domain, scope, ctx.facts.scopes)
        if product is None or domain.place >= len(product.binders):
            return None
        domain, scope = product.binders[domain.place].domain, product.scope
    while isinstance(domain, SubDomain):
        declared = scope.values.get(domain.base.text)
        if not isinstance(declared, DomainDecl) or declared in seen:
            return None
        if isinstance(declared.value, DataSet):
            return declared.value
        seen.add(declared)
        domain, scope = declared.value, ctx.facts.scopes[declared.name.span.source]
    return None
