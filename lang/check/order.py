"""The order in which declarations are checked: each after those that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import assert_never

from circ.lang.diagnostic import Diagnostics
from circ.lang.errors.names import recursive
from circ.lang.scope import Value
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    Component,
    DataSet,
    DomainDecl,
    DomainValue,
    EnumDecl,
    Expr,
    FreshDomain,
    NetworkDecl,
    ParamDecl,
    ProductDomain,
    RecordDecl,
    SpaceDecl,
    SubDomain,
    SubProduct,
    SubspaceDecl,
    TypeDomain,
)
from circ.lang.walk import called, free

Uses = Mapping[str, set[str]]
"""For each name that a module declares, the declared names that its meaning needs."""


def in_order(own: Mapping[str, Value], diagnostics: Diagnostics) -> tuple[Value, ...]:
    """A module's own values, each after those it uses; what uses itself is reported."""
    uses = {name: uses_of(item) & own.keys() for name, item in own.items()}
    while True:
        try:
            order = TopologicalSorter(uses).static_order()
            return tuple(own[name] for name in order)
        except CycleError as error:
            uses = without_circle(uses, error.args[1], own, diagnostics)


def without_circle(
    uses: Uses, backwards: list[str], own: Mapping[str, Value], diagnostics: Diagnostics
) -> dict[str, set[str]]:
    """`uses` without the uses of one declaration of a circle, the first in the text."""
    circle = backwards[1:][::-1]
    starts = [own[name].name.span.start for name in circle]
    at = starts.index(min(starts))
    first, *others = (own[name].name for name in circle[at:] + circle[:at])
    is_circuit = isinstance(own[first.text], CircuitDecl)
    help = "a circuit is a finite graph; use `fold` to go over a word" if is_circuit else ""
    diagnostics.report(recursive(first, others, help))
    return {**uses, first.text: set()}


def uses_of(item: Value) -> set[str]:
    """The names that a declaration's meaning needs, those of its own parts left out."""
    match item:
        case EnumDecl() | SpaceDecl() | CheckpointDecl() | NetworkDecl():
            return set()
        case RecordDecl(fields=fields):
            return {field.type.name.text for field in fields}
        case SubspaceDecl(vectors=vectors):
            return outer(vectors, set())
        case ParamDecl(value=value):
            return outer(value, set())
        case DomainDecl(value=value):
            return uses_of_domain(value)
        case CircuitDecl():
            return uses_of_circuit(item)
        case _:
            assert_never(item)


def uses_of_domain(domain: DomainValue) -> set[str]:
    """What a domain narrows, and what its condition reads besides its own variable."""
    match domain:
        case DataSet() | TypeDomain():
            return set()
        case FreshDomain(binder=binder, condition=condition):
            base, own = set[str](), {binder.name.text}
        case SubDomain(binder=name, base=of, condition=condition):
            base, own = {of.text}, set[str]() if name is None else {name.text}
        case ProductDomain(binders=binders, condition=condition):
            base = set[str]().union(*(uses_of_domain(binder.domain) for binder in binders))
            own = {binder.name.text for binder in binders}
        case SubProduct(joint=joint, condition=condition):
            base, own = uses_of_domain(joint.domain), {name.text for name in joint.names}
        case Component(joint=joint):
            return uses_of_domain(joint.domain)
        case _:
            assert_never(domain)
    return base if condition is None else base | outer(condition, own)


def uses_of_circuit(decl: CircuitDecl) -> set[str]:
    """What a circuit calls, and what its expressions read besides its own names."""
    own = {name.text for name in (*decl.dims, *(param.name for param in decl.params))}
    found: set[str] = set()
    for let in decl.lets:
        found |= outer(let.value, own)
        own.add(let.name.text)
    return found | outer(decl.body, own)


def outer(e: Expr, own: set[str]) -> set[str]:
    """The names that an expression reads, `own` ones left out, and those that it calls."""
    return (free(e) - own) | called(e)
