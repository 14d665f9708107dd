"""Whether a claim treats every position of a word alike, so that it can be about words of any length.

What may be done along the word: the same for each letter (comprehensions, arithmetic), what no order
changes (`sum`, `mean`, `max`, `softmax`, `all`, matrix products), `fold`, `count` and `matches`, which go
from letter to letter, and reading the first and the last one. Whatever else knows of positions, or
of how many there are, is found here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from circ.lang.binding import bound, knows_length, substitute
from circ.lang.check.calls import dims_of
from circ.lang.check.constants import whole
from circ.lang.check.context import Context, Facts
from circ.lang.check.sites import Path, callee, site_read, steps
from circ.lang.diagnostic import Diagnostic
from circ.lang.errors.domains import knows_positions
from circ.lang.products import product_of
from circ.lang.scope import Scope
from circ.lang.syntax import (
    Attr,
    Call,
    CircuitDecl,
    Component,
    Count,
    DataSet,
    Do,
    DomainDecl,
    DomainExpr,
    Expr,
    Fold,
    Formula,
    FreshDomain,
    Index,
    ProductDomain,
    Ref,
    Slice,
    SubProduct,
    TypeDomain,
    TypeExpr,
)
from circ.lang.types import (
    INVALID,
    Array,
    Binding,
    Dim,
    FinElement,
    Lengths,
    Tuple,
    Type,
    is_real,
)
from circ.lang.walk import walk

Seen = set[tuple[CircuitDecl, frozenset[tuple[str, Dim]]]]
"""Circuits that were looked at, each with what its dimensions stood for."""


def uneven(formula: Formula, facts: Facts) -> Iterator[Diagnostic]:
    """What in a formula, or in what it calls, knows of positions."""
    seen: Seen = set()
    parts = [formula.body, *([] if formula.where is None else [formula.where])]
    for part in parts:
        yield from found_in(part, {}, facts, facts.scope, seen)
    for binder in formula.binders:
        for condition, scope in conditions(binder.domain, facts):
            yield from found_in(condition, {}, facts, scope, seen)


def conditions(domain: DomainExpr, facts: Facts) -> Iterator[tuple[Expr, Scope]]:
    """The conditions of a domain and of those it narrows, each with the names it may use."""
    scope = facts.scope
    if isinstance(domain, Component):
        yield from conditions_of_component(domain, facts)
        return
    while not isinstance(domain, ProductDomain | SubProduct | Component):
        if isinstance(domain, TypeDomain):
            return
        if domain.condition is not None:
            yield domain.condition, scope
        if isinstance(domain, FreshDomain):
            return
        declared = scope.values.get(domain.base.text)
        if not isinstance(declared, DomainDecl) or isinstance(declared.value, DataSet):
            return
        domain, scope = declared.value, facts.scopes[declared.name.span.source]


def conditions_of_component(domain: Component, facts: Facts) -> Iterator[tuple[Expr, Scope]]:
    """The same of a variable of a product: what its own domain says, and, at the first one, what is said of all."""
    product = product_of(domain.joint.domain, facts.scope, facts.scopes)
    if product is None or domain.place >= len(product.binders):
        return
    inside = replace(facts, scope=product.scope)
    yield from conditions(product.binders[domain.place].domain, inside)
    for layer in product.layers if domain.place == 0 else ():
        if layer.condition is not None:
            yield layer.condition, layer.scope


def found_in(
    e: Expr, binding: Binding, facts: Facts, scope: Scope, seen: Seen
) -> Iterator[Diagnostic]:
    """The same in an expression, the dimensions of whose circuit stand for what `binding` says."""
    for part in walk(e):
        what = knows(part, binding, facts) or in_steps(part, Context(replace(facts, scope=scope)))
        if what:
            yield knows_positions(part.span, what)
        elif isinstance(part, Call):
            yield from found_in_call(part, binding, facts, scope, seen)


def found_in_call(
    call: Call, binding: Binding, facts: Facts, scope: Scope, seen: Seen
) -> Iterator[Diagnostic]:
    """The same in the circuit that is called."""
    decl = scope.values.get(call.function.text)
    if not isinstance(decl, CircuitDecl):
        return
    inner = {name: bound(dim, binding) for name, dim in facts.bindings.get(call, {}).items()}
    if any(computed_of_length(dim) for dim in inner.values()):
        yield knows_positions(call.span, "a dimension here is computed from the length of the word")
        return
    once = decl, frozenset(inner.items())
    if once in seen:
        return
    seen.add(once)
    names = facts.scopes[decl.name.span.source]
    for part in (*(let.value for let in decl.lets), decl.body):
        yield from found_in(part, inner, facts, names, seen)


def in_steps(e: Expr, ctx: Context) -> str:
    """How an expression reads or replaces what a fold has at each step; empty where it does not."""
    sites: list[tuple[Expr, Path]]
    match e:
        case Attr():
            read = site_read(e)
            sites = [] if read is None else [read]
        case Do(base=base, edits=edits):
            sites = [(base, edit.path) for edit in edits]
        case _:
            return ""
    found = ((callee(base, ctx), path) for base, path in sites)
    inside = any(at is not None and any(steps(at, path, ctx)) for at, path in found)
    return "this is what a fold has after each letter" if inside else ""


def knows(e: Expr, binding: Binding, facts: Facts) -> str:
    """How an expression knows of positions, in words; empty where it does not."""
    t = substitute(facts.types.get(e, INVALID), binding)
    match t:
        case Array(element=FinElement(size=Lengths())):
            return "this is a position of the word"
        case Array() if any(map(computed_of_length, dims_of(t))):
            return "how long this is is computed from the length of the word"
        case _:
            return by_form(e, binding, facts)


def computed_of_length(dim: Dim) -> bool:
    """Whether a dimension is arithmetic on the length of the word."""
    return not isinstance(dim, Lengths) and knows_length(dim)


def by_form(e: Expr, binding: Binding, facts: Facts) -> str:
    """The same, as far as the form of an expression tells."""
    match e:
        case Ref(name=name) if isinstance(binding.get(name), Lengths):
            return "this is the length of the word"
        case Count(source=source, condition=None) if not isinstance(source, TypeExpr):
            along = leading(facts.types.get(source, INVALID), binding)
            return "this is the length of the word" if along else ""
        case Fold():
            return folded(facts.types.get(e, INVALID))
        case Call(function=function, args=(*_, scores)) if function.text in ("topk", "hardmax"):
            along = trailing(facts.types.get(scores, INVALID), binding)
            return "this keeps entries along the word" if along else ""
        case Index(base=base, items=items):
            return indexed(substitute(facts.types.get(base, INVALID), binding), items)
        case Do(edits=edits) if any(edit.items for edit in edits):
            return "this replaces entries by their places"
        case _:
            return ""


def folded(t: Type) -> str:
    """A state of one member, truth or position is all that is known of a prefix, after each letter.

    Of a state of several values each may say something of another letter, so many places back, and a
    real number may weigh letters by how far back they stand.
    """
    if is_real(t):
        return "a fold of reals weighs letters by where they stand"
    whole = not isinstance(t, Array) or not t.dims
    return "" if whole and not isinstance(t, Tuple) else "a fold of several values knows places"


def leading(t: Type, binding: Binding) -> bool:
    """Whether the leading axis goes along the word."""
    known = substitute(t, binding)
    return isinstance(known, Array) and bool(known.dims) and isinstance(known.dims[0], Lengths)


def trailing(t: Type, binding: Binding) -> bool:
    """Whether the last axis goes along the word."""
    known = substitute(t, binding)
    return isinstance(known, Array) and bool(known.dims) and isinstance(known.dims[-1], Lengths)


def indexed(base: Type, items: tuple[Expr | Slice, ...]) -> str:
    """Along the word only its first and its last letter may be read, or all."""
    dims = base.dims if isinstance(base, Array) else ()
    for item, dim in zip(items, dims, strict=False):
        if not isinstance(dim, Lengths):
            continue
        if isinstance(item, Slice):
            if item.start is not None or item.stop is not None:
                return "this is a part of the word, by its places"
        elif whole(item) not in (0, -1):
            return "only the first and the last place are the same at every length"
    return ""
