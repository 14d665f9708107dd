"""Domains whose inputs have several variables, `{ s: Char[4], x in Box | p }`, and the names for these."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.check.context import Context
from circ.lang.errors.names import duplicate
from circ.lang.errors.products import one_name, one_variable, other_names, product_inside
from circ.lang.products import product_of
from circ.lang.syntax import DomainExpr, Expr, Joint, Name, SubDomain
from circ.lang.types import INVALID, Invalid, Tuple, Type


def of_several(
    names: Sequence[Name], kinds: Sequence[Type], condition: Expr | None, ctx: Context
) -> Type:
    """The type of an input of these variables, once what is said of them is read."""
    inner = ctx
    for place, (name, t) in enumerate(zip(names, kinds, strict=True)):
        earlier = next((each for each in names[:place] if each.text == name.text), None)
        if earlier is not None:
            ctx.error(duplicate(name, earlier.span))
        inner = inner.bind(name, t)
    if condition is not None:
        inner.expect_truth(condition, "a domain")
    return Tuple(tuple(kinds))


def of_names(joint: Joint, whole: Type, ctx: Context) -> Sequence[Type]:
    """The types that the names of `(s, x) in P` have; reports names that do not fit the inputs of P."""
    what, given = described(joint.domain), [name.text for name in joint.names]
    match whole:
        case Tuple(items=items) if len(items) == len(given):
            return items
        case Tuple(items=items):
            ctx.error(other_names(joint.span, what, variables(joint.domain, ctx), len(given)))
        case Invalid():
            pass
        case _:
            ctx.error(one_variable(joint.span, what, given))
    return [INVALID] * len(given)


def of_place(joint: Joint, place: int, whole: Type, ctx: Context) -> Type:
    """The type of one of these names; those that do not fit are reported once, at the first."""
    if place == 0:
        return of_names(joint, whole, ctx)[0]
    several = isinstance(whole, Tuple) and len(whole.items) == len(joint.names)
    return whole.items[place] if isinstance(whole, Tuple) and several else INVALID


def of_one(name: Name, domain: DomainExpr, t: Type, ctx: Context) -> Type:
    """The type of a variable with a name of its own; reports a domain whose inputs have several."""
    if not isinstance(t, Tuple):
        return t
    return ctx.error(one_name(name.span, described(domain), variables(domain, ctx)))


def plain(domain: DomainExpr, t: Type, ctx: Context) -> Type:
    """The type of a variable of a product; reports one that would have several itself."""
    if not isinstance(t, Tuple):
        return t
    name = domain.span.text
    return ctx.error(product_inside(domain.span, name, variables(domain, ctx)))


def variables(domain: DomainExpr, ctx: Context) -> Sequence[str]:
    """The variables of a product, by the names that it gives them."""
    if isinstance(domain, SubDomain):
        domain = SubDomain(domain.span, None, domain.base, None)
    product = product_of(domain, ctx.facts.scope, ctx.facts.scopes)
    return () if product is None else [binder.name.text for binder in product.binders]


def described(domain: DomainExpr) -> str:
    """A domain in a sentence."""
    return f"`{domain.base.text}`" if isinstance(domain, SubDomain) else "this domain"
