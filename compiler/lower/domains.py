"""Domains: the input that a binder becomes, the condition on it, and the values it ranges over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from circ.compiler.bounding import Bounds, bounding_box
from circ.compiler.builder import both, truth
from circ.compiler.ir import Circuit, Input, Wire, WireType
from circ.compiler.ir import Real as RealSort
from circ.compiler.lower.data import data_set, lower_row, numbers_of, sort_of
from circ.compiler.lower.environment import Environment, Lowering
from circ.compiler.obligation import Bound, Reals, Words
from circ.compiler.tensor import Tensor, Weights
from circ.lang.check.items import TypedModule
from circ.lang.diagnostic import CircError
from circ.lang.errors.domains import too_many_entries, unbounded
from circ.lang.products import Product, product_of, said_alone, said_together, shared
from circ.lang.span import Span
from circ.lang.syntax import (
    Binder,
    Component,
    DataSet,
    DomainDecl,
    DomainExpr,
    FreshDomain,
    Joint,
    SubDomain,
    SubProduct,
)
from circ.lang.types import Array, EnumElement, FinElement, lengths, of_length, size

MOST_ENTRIES = 1 << 14
"""Of a binder: its bounds are kept entry by entry, exactly."""


def lower_binder(binder: Binder, env: Environment) -> tuple[Wire, Wire]:
    """A binder's input, and the truth whether that lies in the domain."""
    data = data_set(binder.domain, env.scope, env.typed)
    if data is not None:
        variable = lower_row(binder.name.text, data, env)
        return variable, lower_domain(binder.domain, variable, env)
    known = binder_type(env.low, binder.domain)
    if known.entries > MOST_ENTRIES:
        raise CircError(too_many_entries(binder.span, binder.name.text, MOST_ENTRIES))
    variable = env.b.add(Input(binder.name.text, known))
    if env.low.alike and lengths(env.typed.facts.domains[binder.domain]) is not None:
        env.low.word = variable
    return variable, lower_domain(binder.domain, variable, env)


def binder_type(low: Lowering, domain: DomainExpr) -> WireType:
    """The input a binder becomes."""
    t = low.typed.facts.domains[domain]
    assert isinstance(t, Array)
    t = t if low.length is None else of_length(t, low.length)
    shape = tuple(size(dim) or 0 for dim in t.dims)
    return WireType(sort_of(t), shape)


def lower_domain(domain: DomainExpr, variable: Wire, env: Environment) -> Wire:
    """The condition that a domain and those it narrows put on a variable.

    A declared domain knows the module's names alone, whatever else `env` has. Of a variable of a product it is what is
    said of that one alone.
    """
    if isinstance(domain, Component):
        return lower_component(domain, variable, env)
    conditions: list[Wire] = []
    while isinstance(domain, FreshDomain | SubDomain):
        name = domain.binder.name if isinstance(domain, FreshDomain) else domain.binder
        if name is not None and domain.condition is not None:
            conditions.append(env.bind(name.text, variable).wire(domain.condition))
        if isinstance(domain, FreshDomain):
            break
        declared = env.scope.values[domain.base.text]
        if not isinstance(declared, DomainDecl) or isinstance(declared.value, DataSet):
            break
        domain, env = declared.value, Environment(env.low, env.low.scope_of(declared))
    return both(env.b, *reversed(conditions)) if conditions else truth(env.b, True)


def lower_component(domain: Component, variable: Wire, env: Environment) -> Wire:
    """The condition that a product puts on one of its variables, whatever the others are."""
    product, place = known_product(domain.joint, env), domain.place
    own = product.binders[place].domain
    conditions = [lower_domain(own, variable, said_in(product.decl, env))]
    for layer in reversed(product.layers):
        inner = said_in(layer.decl, env).bind(layer.names[place], variable)
        conditions += map(inner.wire, said_alone(layer, place))
    return both(env.b, *conditions)


def lower_joint(joint: Joint, variables: Sequence[Wire], env: Environment) -> Wire:
    """The rest of what a product says: that about several of its variables together."""
    conditions: list[Wire] = []
    for layer in reversed(known_product(joint, env).layers):
        named = dict(zip(layer.names, variables, strict=True))
        inside = said_in(layer.decl, env)
        inner = replace(inside, locals={**inside.locals, **named})
        conditions += map(inner.wire, said_together(layer))
    return both(env.b, *conditions) if conditions else truth(env.b, True)


def known_product(joint: Joint, env: Environment) -> Product:
    """The product whose variables a joint names."""
    found = product_of(joint.domain, env.scope, env.typed.facts.scopes)
    assert found is not None
    return found


def said_in(decl: DomainDecl | None, env: Environment) -> Environment:
    """The names that a condition knows: those of the module that declares it, or those in reach."""
    return env if decl is None else Environment(env.low, env.low.scope_of(decl))


# --- what a binder ranges over ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unedited(Mapping[str, Tensor]):
    """The tensors that a patch leaves as they are: bounds may depend on no others."""

    base: Weights
    edited: frozenset[str]

    def __getitem__(self, key: str) -> Tensor:
        if key in self.edited:
            raise KeyError(key)
        return self.base[key]

    def __iter__(self) -> Iterator[str]:
        return (key for key in self.base if key not in self.edited)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def bound(binder: Binder, circuit: Circuit, typed: TypedModule, weights: Weights) -> Bound:
    """The values a binder ranges over; raises `CircError` where they are unbounded."""
    name = binder.name.text
    data = data_set(binder.domain, typed.scope, typed)
    if data is not None:
        return Bound(name, circuit.types[circuit.inputs[name]], numbers_of(data, typed))
    variable = circuit.inputs[name]
    known = circuit.types[variable]
    t = typed.facts.domains[binder.domain]
    if known.sort != RealSort() and isinstance(t, Array):
        return Bound(name, known, Words(names_of(t)))
    conditions, beside = bounding(binder, circuit)
    found = bounding_box(circuit, conditions, beside, weights)[variable]
    return Bound(name, known, Reals(tuple(finite(found, binder, typed))))


def bounding(binder: Binder, circuit: Circuit) -> tuple[list[Wire], list[Wire]]:
    """The conditions that bound a real variable, and the variables that these bound with it: all of its product's."""
    names = [binder.name.text]
    joint: list[str] = []
    if isinstance(binder.domain, Component):
        together = binder.domain.joint
        names, joint = [each.text for each in together.names], [f"in {together.written}"]
    real = [each for each in names if circuit.types[circuit.inputs[each]].sort == RealSort()]
    conditions = [circuit.outputs[text] for text in (*(f"in {each}" for each in real), *joint)]
    return conditions, [circuit.inputs[each] for each in real]


def finite(
    bounds: Bounds, binder: Binder, typed: TypedModule
) -> Iterator[tuple[Fraction, Fraction]]:
    """Bounds that all exist; raises `CircError` naming the first entry that lacks one."""
    for entry, (low, high) in enumerate(bounds):
        if low is None or high is None:
            side = "below" if low is None else "above"
            where = "it" if len(bounds) == 1 else f"entry {entry}"
            declared = declaration(binder, typed)
            raise CircError(unbounded(binder.span, declared, binder.name.text, where, side))
        yield low, high


def declaration(binder: Binder, typed: TypedModule) -> Span | None:
    """The name of the domain that a binder names, where it is declared."""
    domain = shared(binder)
    domain = domain.joint.domain if isinstance(domain, SubProduct) else domain
    if not isinstance(domain, SubDomain):
        return None
    found = typed.scope.values.get(domain.base.text)
    return found.name.span if isinstance(found, DomainDecl) else None


def names_of(t: Array) -> tuple[str, ...]:
    """The names of an element's values; none for reals and truths."""
    match t.element:
        case EnumElement(members=names):
            return names
        case FinElement(size=dim):
            return tuple(map(str, range(size(dim) or 0)))
        case _:
            return ()
