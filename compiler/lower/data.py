"""Data sets: a binder over one is the number of a row, which a table turns into the row itself.

So whatever goes through words goes through rows, each as often as it stands in the file, and what the
rows hold is a part of the circuit: of words a constant, of reals a tensor.
"""

from __future__ import annotations

from itertools import product
from math import prod

from circ.compiler.ir import Const, Index, Input, Lookup, Sort, Weight, Wire, WireType
from circ.compiler.ir import Real as RealSort
from circ.compiler.lower.environment import Environment
from circ.compiler.obligation import Words
from circ.lang.check.context import WordRows, count_rows
from circ.lang.check.items import TypedModule
from circ.lang.products import product_of
from circ.lang.scope import Scope, key
from circ.lang.syntax import Component, DataSet, DomainDecl, DomainExpr, SubDomain
from circ.lang.types import Array, EnumElement, FinElement, size


def sort_of(t: Array) -> Sort:
    """The sort of a type's entries."""
    match t.element:
        case EnumElement(members=names):
            return Index(len(names))
        case FinElement(size=dim):
            return Index(size(dim) or 0)
        case _:
            return RealSort()


def data_set(domain: DomainExpr, scope: Scope, typed: TypedModule) -> DomainDecl | None:
    """The data set that a domain is, or narrows; None for any other domain."""
    if isinstance(domain, Component):
        product = product_of(domain.joint.domain, scope, typed.facts.scopes)
        assert product is not None
        domain, scope = product.binders[domain.place].domain, product.scope
    while isinstance(domain, SubDomain):
        declared = scope.values[domain.base.text]
        if not isinstance(declared, DomainDecl):
            return None
        if isinstance(declared.value, DataSet):
            return declared
        domain, scope = declared.value, typed.facts.scopes[declared.name.span.source]
    return None


def count_of(decl: DomainDecl, typed: TypedModule) -> int:
    """How many rows a data set has."""
    assert isinstance(decl.value, DataSet)
    return count_rows(typed.facts.rows[decl.value])


def numbers_of(decl: DomainDecl, typed: TypedModule) -> Words:
    """The numbers of a data set's rows, from 0 on."""
    return Words(tuple(map(str, range(count_of(decl, typed)))), decl.name.text)


def lower_row(name: str, decl: DomainDecl, env: Environment) -> Wire:
    """The row of a data set whose number is the input of this name."""
    number = WireType(Index(count_of(decl, env.typed)), ())
    return env.b.add(Lookup(rows(decl, env), (env.b.add(Input(name, number)),)))


def words(decl: DomainDecl, env: Environment) -> Wire:
    """All values of a domain's type, which has few, along a leading axis; its conditions aside."""
    t = env.typed.facts.domains[decl.value]
    assert isinstance(t, Array)
    sort, shape = sort_of(t), tuple(size(dim) or 0 for dim in t.dims)
    assert isinstance(sort, Index)
    every = [*product(range(sort.size), repeat=prod(shape))]
    codes = tuple(code for word in every for code in word)
    return env.b.add(Const(WireType(sort, (len(every), *shape)), codes))


def rows(decl: DomainDecl, env: Environment) -> Wire:
    """All rows of a data set, one after the other along a leading axis."""
    facts, data = env.typed.facts, decl.value
    assert isinstance(data, DataSet)
    t, found = facts.domains[data], facts.rows[data]
    assert isinstance(t, Array)
    shape = (count_rows(found), *(size(dim) or 0 for dim in t.dims))
    if isinstance(found, WordRows):
        codes = tuple(code for word in found.codes for code in word)
        return env.b.add(Const(WireType(sort_of(t), shape), codes))
    return env.b.add(Weight(f"{key(decl)}/{found.tensor}", shape))
