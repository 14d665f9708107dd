"""Domains as canonical text."""

from __future__ import annotations

from typing import assert_never

from circ.lang.format_expressions import format_expression
from circ.lang.format_types import format_type
from circ.lang.syntax import (
    Binder,
    Component,
    DomainExpr,
    Expr,
    FreshDomain,
    Parameter,
    ProductDomain,
    SubDomain,
    SubProduct,
    TypeDomain,
)


def format_domain(domain: DomainExpr) -> str:
    """`{ s: T | p }`, `{ s in D | p }`, `{ (s, x) in P | p }`, `D` or `Char[8]`."""
    match domain:
        case TypeDomain(type=kind):
            return format_type(kind)
        case SubDomain(binder=None, base=base):
            return base.text
        case Component(joint=joint):
            return format_domain(joint.domain)
        case _:
            return f"{{ {variables(domain)}{such_that(domain.condition)} }}"


def variable(binder: Binder) -> str:
    """`s: Char[4]` or `x in Box`, in a product."""
    between = ": " if isinstance(binder.domain, TypeDomain) else " in "
    return f"{binder.name.text}{between}{format_domain(binder.domain)}"


def variables(domain: FreshDomain | SubDomain | ProductDomain | SubProduct) -> str:
    """What a domain in braces binds, up to its condition."""
    match domain:
        case FreshDomain(binder=binder):
            return parameter(binder)
        case SubDomain(binder=name, base=base):
            return f"{'' if name is None else name.text} in {base.text}"
        case ProductDomain(binders=several):
            return ", ".join(map(variable, several))
        case SubProduct(joint=joint):
            return f"{joint.written} in {format_domain(joint.domain)}"
        case _:
            assert_never(domain)


def such_that(condition: Expr | None) -> str:
    """The condition of a domain."""
    return "" if condition is None else f" | {format_expression(condition)}"


def parameter(p: Parameter) -> str:
    """`s: Char[8]`."""
    return f"{p.name.text}: {format_type(p.type)}"
