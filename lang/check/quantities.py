"""`count` over a domain: a number of its own, where no variable is in reach."""

from __future__ import annotations

from circ.lang.check.context import Context
from circ.lang.check.formulas import domain_type
from circ.lang.errors.quantities import counts_reals, not_closed
from circ.lang.syntax import (
    Count,
    DomainDecl,
    DomainExpr,
    Expr,
    FreshDomain,
    Name,
    Parameter,
    Ref,
    SubDomain,
    TypeExpr,
)
from circ.lang.types import INVALID, REAL, Invalid, Type, is_discrete


def names_domain(source: Expr, ctx: Context) -> bool:
    """Whether an expression is the name of a declared domain."""
    if not isinstance(source, Ref) or ctx.is_local(source.name):
        return False
    return isinstance(ctx.facts.scope.values.get(source.name), DomainDecl)


def infer_quantity(e: Count, ctx: Context) -> Type:
    """A number; the domain is of words, and the condition speaks of its binder alone."""
    domain = domain_of(e)
    t = domain_type(domain, ctx)
    if not isinstance(t, Invalid) and not is_discrete(t):
        t = ctx.error(counts_reals(e.source.span, t))
    if not ctx.closed:
        return ctx.error(not_closed(e.span))
    inner = ctx.bind(e.binder, t)
    if e.condition is not None:
        inner.expect_truth(e.condition, "`count`")
    ctx.facts.counted[e] = domain
    return INVALID if isinstance(t, Invalid) else REAL


def domain_of(e: Count) -> DomainExpr:
    """What a `count` goes over, as a domain."""
    if isinstance(e.source, TypeExpr):
        return FreshDomain(e.source.span, Parameter(e.source.span, e.binder, e.source), None)
    assert isinstance(e.source, Ref)
    return SubDomain(e.source.span, None, Name(e.source.name, e.source.span), None)
