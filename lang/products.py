"""Products: domains whose inputs have several variables, `{ s: Char[4], x in Box | p }`, and what binds these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from circ.lang.scope import Scope
from circ.lang.span import Source
from circ.lang.syntax import (
    Binary,
    Binder,
    Component,
    DomainDecl,
    DomainExpr,
    DomainValue,
    Expr,
    Joint,
    ProductDomain,
    SubDomain,
    SubProduct,
)
from circ.lang.walk import free


@dataclass(frozen=True, slots=True)
class Layer:
    """What a product says of its variables, or what narrows one, by the names that they have there.

    `decl` is the domain that says so, in the names of `scope`; None for what is written in a formula itself.
    """

    names: tuple[str, ...]
    condition: Expr | None
    decl: DomainDecl | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class Product:
    """The variables of a product, as `decl` or a formula writes them, and all that is said of them."""

    binders: tuple[Binder, ...]
    decl: DomainDecl | None
    scope: Scope
    layers: tuple[Layer, ...]


def product_of(domain: DomainExpr, scope: Scope, scopes: Mapping[Source, Scope]) -> Product | None:
    """The product that a domain is, or narrows; None for any other, and for one that needs itself.

    `scopes` has the names of each text, `scope` those that the domain is written in.
    """
    found: list[Layer] = []
    seen: dict[DomainDecl, None] = {}
    at: DomainValue = domain
    while True:
        decl = next(reversed(seen), None)
        match at:
            case ProductDomain(binders=binders, condition=condition):
                names = tuple(binder.name.text for binder in binders)
                found.append(Layer(names, condition, decl, scope))
                return Product(binders, decl, scope, tuple(found))
            case SubProduct(joint=joint, condition=condition):
                names = tuple(name.text for name in joint.names)
                found.append(Layer(names, condition, decl, scope))
                at = joint.domain
                continue
            case SubDomain(binder=None, base=base):
                pass
            case _:
                return None
        declared = scope.values.get(base.text)
        if not isinstance(declared, DomainDecl) or declared in seen:
            return None
        seen[declared] = None
        at, scope = declared.value, scopes[declared.name.span.source]


def joints(binders: Sequence[Binder]) -> tuple[Joint, ...]:
    """The `(s, x) in P` among binders, in their order."""
    domains = (binder.domain for binder in binders)
    return tuple(dict.fromkeys(each.joint for each in domains if isinstance(each, Component)))


def shared(binder: Binder) -> DomainExpr:
    """What is written behind `in`, which several binders may share."""
    return binder.domain.joint.domain if isinstance(binder.domain, Component) else binder.domain


def said_alone(layer: Layer, place: int) -> Iterator[Expr]:
    """What is said of the variable at that place alone."""
    for part in conjuncts(layer.condition):
        if free(part) & {*layer.names} == {layer.names[place]}:
            yield part


def said_together(layer: Layer) -> Iterator[Expr]:
    """What is said of several variables, or of none."""
    for part in conjuncts(layer.condition):
        if len(free(part) & {*layer.names}) != 1:
            yield part


def conjuncts(condition: Expr | None) -> Iterator[Expr]:
    """The conditions that `and` joins."""
    match condition:
        case None:
            pass
        case Binary(op="and", left=left, right=right):
            yield from conjuncts(left)
            yield from conjuncts(right)
        case _:
            yield condition
