"""Which inputs a domain of the language has, by the book: all values of its types, each put to its conditions.

It shares nothing with the compiler but the parser. A real variable takes the values that `REALS` lists: enough where
nothing is compared with other numbers than every other one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import assert_never

from circ.lang.syntax import (
    Binder,
    Component,
    DataSet,
    DimExpr,
    DimNumber,
    DomainDecl,
    DomainExpr,
    EnumDecl,
    Expr,
    Formula,
    FreshDomain,
    Joint,
    ProductDomain,
    SubDomain,
    SubProduct,
    TypeDomain,
    TypeExpr,
)
from tests.interpreter import Frame, Scope, evaluate
from tests.nested import Value

REALS = tuple(Fraction(k, 4) for k in range(-5, 6))


def met(formula: Formula, scope: Scope) -> list[bool]:
    """Whether the body of a formula holds, at each input that meets all conditions."""
    found: list[bool] = []
    for names in bound(formula.binders, scope):
        at = Frame(scope, names, scope.tensors)
        if formula.where is None or evaluate(formula.where, at):
            found.append(bool(evaluate(formula.body, at)))
    return found


def bound(binders: Sequence[Binder], scope: Scope) -> Iterator[dict[str, Value]]:
    """What the variables of a formula may be together."""
    waiting, choices = list(binders), list[list[dict[str, Value]]]()
    while waiting:
        first = waiting[0].domain
        if isinstance(first, Component):
            choices.append(together(first.joint, scope))
            waiting = waiting[len(first.joint.names) :]
        else:
            name = waiting.pop(0).name.text
            choices.append([{name: value} for value in inputs(first, scope)])
    for chosen in product(*choices):
        yield {name: value for each in chosen for name, value in each.items()}


def together(joint: Joint, scope: Scope) -> list[dict[str, Value]]:
    """The inputs of a domain of several variables, under the names of `(s, x) in P`."""
    names = [name.text for name in joint.names]
    return [dict(zip(names, each, strict=True)) for each in inputs(joint.domain, scope)]


def inputs(domain: DomainExpr, scope: Scope) -> list[Value]:
    """The inputs of a domain, a tuple each where they have several variables."""
    match domain:
        case TypeDomain(type=kind):
            return values(kind, scope)
        case FreshDomain(binder=binder, condition=condition):
            every = [{binder.name.text: value} for value in values(binder.type, scope)]
            return [x for each in holding(every, condition, scope) for x in each.values()]
        case SubDomain(binder=name, base=base, condition=condition):
            found = declared(scope.items[base.text], scope)
            every = [] if name is None else [{name.text: value} for value in found]
            kept = holding(every, condition, scope)
            return found if name is None else [x for each in kept for x in each.values()]
        case ProductDomain(binders=binders, condition=condition):
            every = list(bound(binders, scope))
            return [tuple(each.values()) for each in holding(every, condition, scope)]
        case SubProduct(joint=joint, condition=condition):
            every = together(joint, scope)
            return [tuple(each.values()) for each in holding(every, condition, scope)]
        case Component():
            raise NotImplementedError("one variable of several")
        case _:
            assert_never(domain)


def holding(
    every: list[dict[str, Value]], condition: Expr | None, scope: Scope
) -> list[dict[str, Value]]:
    """Those of which a condition holds."""
    if condition is None:
        return every
    return [each for each in every if evaluate(condition, Frame(scope, each, scope.tensors))]


def declared(item: object, scope: Scope) -> list[Value]:
    """The inputs of what a name stands for: a domain, or an enum."""
    if isinstance(item, EnumDecl):
        return list(range(len(item.members)))
    assert isinstance(item, DomainDecl) and not isinstance(item.value, DataSet)
    return inputs(item.value, scope)


def values(kind: TypeExpr, scope: Scope) -> list[Value]:
    """All values of a type."""
    sides = [side(dim) for dim in kind.dims]
    if kind.name.text == "fin":
        return list(range(sides[0]))
    if kind.name.text == "real":
        one: list[Value] = list(REALS)
    else:
        one = declared(scope.items[kind.name.text], scope)
    for length in reversed(sides):
        one = list(product(one, repeat=length))
    return one


def side(dim: DimExpr) -> int:
    """How long an axis is."""
    assert isinstance(dim, DimNumber)
    return dim.value
