"""Sites: the wires of a call that are named from outside, by paths.

The sites of a call are the parameters and lets of its circuit and, below a let that is itself a
call, the sites of that call. Below a let that is a comprehension or a fold of calls stand the sites of all of
these, with the index of the call as a leading axis; below a fold stands its state, after each step.
Below a parameter that is a record stand its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from circ.lang.binding import substitute
from circ.lang.check.context import Context
from circ.lang.check.networks import inner_type
from circ.lang.check.records import field_type
from circ.lang.check.tensors import checkpoint_key, path_type
from circ.lang.errors.sites import unknown_site
from circ.lang.scope import Value
from circ.lang.syntax import (
    Attr,
    Call,
    CircuitDecl,
    Comprehension,
    Do,
    Expr,
    Fold,
    Let,
    Name,
    NetworkDecl,
    Parameter,
)
from circ.lang.types import INVALID, Array, Binding, Group, Invalid, Record, Type

Path = tuple[Name, ...]

Names = Mapping[str, Value]
"""What the names mean where an edit stands."""


@dataclass(frozen=True, slots=True)
class Called:
    """A circuit that is called, and what its dimension variables stand for in this call."""

    decl: CircuitDecl | NetworkDecl
    binding: Binding
    groups: frozenset[str] = frozenset()
    """The groups of tensors that are its arguments, by key and path."""


def site_read(e: Attr) -> tuple[Call | Do, Path] | None:
    """The call and the path below it, where `e` reads a site."""
    path: Path = ()
    at: Expr = e
    while isinstance(at, Attr):
        path = (at.part, *path)
        at = at.base
    return (at, path) if isinstance(at, Call | Do) else None


def callee(e: Expr, ctx: Context) -> Called | None:
    """The circuit that is called, perhaps under a `do`."""
    while isinstance(e, Do):
        e = e.base
    if not isinstance(e, Call):
        return None
    decl = ctx.facts.scope.values.get(e.function.text)
    binding = ctx.facts.bindings.get(e, {})
    groups = (keyed_group(ctx.facts.types.get(arg, INVALID)) for arg in e.args)
    if not isinstance(decl, CircuitDecl | NetworkDecl):
        return None
    return Called(decl, binding, frozenset(groups))


def keyed_group(t: Type) -> str:
    """A group of tensors by key and path; empty for what is none."""
    return ".".join((t.checkpoint, *t.prefix)) if isinstance(t, Group) else ""


# --- reading ----------------------------------------------------------------------------------


def wire_type(at: Called, path: Path, ctx: Context, names: Names | None = None) -> Type:
    """The type of a site of a call, or of a tensor of a checkpoint among `names`; reports unknown ones."""
    head, *below = path
    if isinstance(at.decl, NetworkDecl):
        return value_inside(at.decl, path, ctx, names is not None)
    site = named_site(at.decl, head.text)
    checkpoint = None if names is None else checkpoint_key(head.text, names)
    match site:
        case None if checkpoint is not None:
            span = head.span.to(path[-1].span)
            return path_type(checkpoint, tuple(part.text for part in below), span, ctx)
        case None:
            known = [site.name.text for site in own_sites(at.decl)]
            return ctx.error(unknown_site(head, f"`{at.decl.name.text}`", known))
        case Parameter():
            return substitute(field_at(site, tuple(below), ctx), at.binding)
        case Let() if not below:
            return substitute(ctx.facts.lets.get(site, INVALID), at.binding)
        case Let():
            inner = ctx.inside(at.decl)
            if isinstance(ctx.facts.lets.get(site, INVALID), Invalid):
                return INVALID
            found = below_type(site.value, tuple(below), head.text, inner, names)
            return substitute(found, at.binding)


def field_at(site: Parameter, path: Path, ctx: Context) -> Type:
    """A parameter's type, or that of a field of a record; reports what is neither."""
    found = ctx.facts.parameters[site]
    for part in path:
        match found:
            case Record():
                found = field_type(part, found, ctx)
            case Invalid():
                return INVALID
            case _:
                return ctx.error(unknown_site(part, f"the site `{site.name.text}`", []))
    return found


def below_type(value: Expr, path: Path, name: str, ctx: Context, names: Names | None) -> Type:
    """The type of what a path names below a `let` of that name; reports what is not there."""
    match value:
        case Fold(state=state) if path[0].text == state.text:
            if len(path) > 1:
                return ctx.error(unknown_site(path[1], f"the state `{state.text}`", []))
            return repeated(ctx.facts.types.get(value, INVALID), value, ctx)
        case Comprehension(body=body) | Fold(body=body) if inmost(body, ctx) is not None:
            return repeated(below_type(body, path, name, ctx, names), value, ctx)
        case Fold(state=state):
            return ctx.error(unknown_site(path[0], f"the site `{name}`", [state.text]))
        case _:
            called = callee(value, ctx)
            if called is None:
                return ctx.error(unknown_site(path[0], f"the site `{name}`", []))
            return wire_type(called, path, ctx, names)


def steps(at: Called, path: Path, ctx: Context) -> list[bool]:
    """Of each axis that a site has from comprehensions and folds, whether it goes along steps of a fold."""
    site = named_site(at.decl, path[0].text) if isinstance(at.decl, CircuitDecl) else None
    if not isinstance(site, Let) or len(path) == 1:
        return []
    value, inner, found = site.value, ctx.inside(at.decl), list[bool]()
    while isinstance(value, Comprehension | Fold):
        found.append(isinstance(value, Fold))
        if isinstance(value, Fold) and value.state.text == path[1].text:
            return found
        value = value.body
    called = callee(value, inner)
    return found if called is None else [*found, *steps(called, path[1:], inner)]


def repeated(t: Type, over: Comprehension | Fold, ctx: Context) -> Type:
    """The type of a wire of each entry, taken together; tensors that are not alone have no axes."""
    source = ctx.facts.types.get(over.source, INVALID)
    if not isinstance(source, Array) or not source.dims:
        return INVALID
    return Array(t.element, (source.dims[0], *t.dims)) if isinstance(t, Array) else t


def inmost(value: Expr, ctx: Context) -> Called | Fold | None:
    """What has the sites below a `let`: a call, or a fold, that may stand in comprehensions and folds."""
    match value:
        case Comprehension(body=body):
            return inmost(body, ctx)
        case Fold(body=body):
            return inmost(body, ctx) or value
        case _:
            return callee(value, ctx)


def value_inside(decl: NetworkDecl, path: Path, ctx: Context, tensors: bool) -> Type:
    """The type of a value inside a network, by a name that may have dots; reports unknown ones."""
    found = inner_type(decl, dotted(path), ctx, tensors)
    if found is not None:
        return found
    signature = ctx.facts.networks[decl]
    stored = signature.tensors if tensors else ()
    known = [*(param.name.text for param in decl.params), *signature.sites, *stored]
    return ctx.error(unknown_site(whole_name(path), f"`{decl.name.text}`", known))


def whole_name(path: Path) -> Name:
    """A path as one name."""
    return Name(dotted(path), path[0].span.to(path[-1].span))


def own_sites(decl: CircuitDecl) -> tuple[Parameter | Let, ...]:
    """The parameters and lets of a circuit."""
    return (*decl.params, *decl.lets)


def named_site(decl: CircuitDecl, name: str) -> Parameter | Let | None:
    """The parameter or `let` of that name."""
    return next((site for site in own_sites(decl) if site.name.text == name), None)


def dotted(path: Path) -> str:
    """As the user writes it."""
    return ".".join(part.text for part in path)
