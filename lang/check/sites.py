"""Sites: reading a wire of a call, `f(x).hidden`, and replacing it, `f(x) do { hidden := e }`.

The sites of a call are the parameters and lets of its circuit and, below a let that is itself a
call, the sites of that call. An intervention may also replace tensors that the call reads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from circ.lang.check.context import Context
from circ.lang.check.indexing import indexed
from circ.lang.check.networks import inner_type, reaches
from circ.lang.check.records import takes
from circ.lang.check.tensors import checkpoint_key, path_type, reads, same_tensors, tensors_read
from circ.lang.errors.sites import feeds_nothing, not_a_call, overlapping_edits, unknown_site
from circ.lang.errors.types import mismatch
from circ.lang.syntax import (
    Attr,
    Call,
    CircuitDecl,
    Do,
    Edit,
    Expr,
    Let,
    Name,
    NetworkDecl,
    Parameter,
)
from circ.lang.types import INVALID, Array, Binding, Group, Invalid, Record, Type, fits, substitute
from circ.lang.walk import free

Path = tuple[Name, ...]


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


def site_type(base: Call | Do, path: Path, ctx: Context) -> Type:
    """The type of the wire that `path` names below a call."""
    result = infer_do(base, ctx, path) if isinstance(base, Do) else ctx.infer(base)
    if isinstance(result, Invalid):
        return INVALID
    found = callee(base, ctx)
    return ctx.error(not_a_call(base.span)) if found is None else wire_type(found, path, ctx)


def wire_type(at: Called, path: Path, ctx: Context, tensors: bool = False) -> Type:
    """The type of a site of a call; `tensors` allows those that it reads. Reports unknown ones."""
    head, *below = path
    if isinstance(at.decl, NetworkDecl):
        return value_inside(at.decl, path, ctx)
    site = named_site(at.decl, head.text)
    checkpoint = checkpoint_key(head.text, ctx.facts.scope.values) if tensors else None
    match site:
        case None if checkpoint is not None:
            span = head.span.to(path[-1].span)
            return path_type(checkpoint, tuple(part.text for part in below), span, ctx)
        case None:
            known = [site.name.text for site in own_sites(at.decl)]
            return ctx.error(unknown_site(head, f"`{at.decl.name.text}`", known))
        case Parameter() if not below:
            return substitute(ctx.facts.parameters[site], at.binding)
        case Let() if not below:
            return substitute(ctx.facts.lets.get(site, INVALID), at.binding)
        case Parameter() | Let():
            pass
    inner = callee(site.value, ctx.inside(at.decl)) if isinstance(site, Let) else None
    if inner is None:
        wrong = isinstance(site, Let) and isinstance(ctx.facts.lets.get(site, INVALID), Invalid)
        error = unknown_site(below[0], f"the site `{head.text}`", [])
        return INVALID if wrong else ctx.error(error)
    return substitute(wire_type(inner, tuple(below), ctx.inside(at.decl), tensors), at.binding)


def value_inside(decl: NetworkDecl, path: Path, ctx: Context) -> Type:
    """The type of a value inside a network, by a name that may have dots; reports unknown ones."""
    found = inner_type(decl, dotted(path), ctx)
    if found is not None:
        return found
    known = [*(param.name.text for param in decl.params), *ctx.facts.networks[decl].sites]
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


# --- replacing --------------------------------------------------------------------------------


def infer_do(e: Do, ctx: Context, read: Path = ()) -> Type:
    """The call's own type; every edit fits its wire and can change what is read of the call.

    `read` is the path below the call where a site of it is read; empty for its result.
    """
    base = e.base
    result = infer_do(base, ctx, read) if isinstance(base, Do) else ctx.infer(base)
    found = callee(base, ctx)
    if found is None and not isinstance(result, Invalid):
        return ctx.error(not_a_call(base.span))
    for i, edit in enumerate(e.edits):
        target = edited_type(edit, None if isinstance(result, Invalid) else found, ctx)
        check_value(edit, target, ctx)
        for other in e.edits[:i]:
            if overlapping(edit, other):
                ctx.error(overlapping_edits(edit.span, other.span))
        if found is not None and not isinstance(target, Invalid):
            check_effect(edit, found, read, ctx)
    return result


def check_effect(edit: Edit, at: Called, read: Path, ctx: Context) -> None:
    """Report an edit that cannot change what is read."""
    if not feeds(at, edit.path, read, ctx):
        what = f"the site `{dotted(read)}`" if read else f"`{at.decl.name.text}`"
        ctx.unknown(feeds_nothing(edit.span, dotted(edit.path), what))


def edited_type(edit: Edit, found: Called | None, ctx: Context) -> Type:
    """The type of what an edit replaces; anything, where the call is wrong."""
    wire = INVALID if found is None else wire_type(found, edit.path, ctx, tensors=True)
    at = edit.path[0].span.to(edit.path[-1].span)
    return indexed(wire, at, edit.items, ctx)


def check_value(edit: Edit, target: Type, ctx: Context) -> None:
    """The new value has the wire's type, or is a scalar to fill it with; `it` is the old value."""
    old = {} if isinstance(target, Group | Record) else {"it": target}
    inner = replace(ctx, locals={**ctx.locals, **old})
    found = inner.infer(edit.value)
    help = ""
    match found, target:
        case _, Record():
            role = f"`{dotted(edit.path)}`"
            takes(target, found, edit.value.span, role, ctx)
            return
        case Group(), Group():
            fitting = same_tensors(found, target, ctx)
            help = "a group stands for one with tensors of the same names and types"
        case _, Array(element=element):
            fitting = fits(found, target) or fits(found, Array(element))
        case _:
            fitting = fits(found, target)
    if not fitting:
        role = f"`{dotted(edit.path)}`"
        ctx.error(mismatch(edit.value.span, found, target, role, help))


def overlapping(a: Edit, b: Edit) -> bool:
    """Whether two edits surely replace one wire: that of one is the other's, or lies below it.

    Where both replace entries of one wire, lowering knows which.
    """
    names = [x.text == y.text for x, y in zip(a.path, b.path, strict=False)]
    return all(names) and (len(a.path) != len(b.path) or not (a.items and b.items))


# --- what a site can change -------------------------------------------------------------------


def feeds(at: Called, path: Path, read: Path, ctx: Context) -> bool:
    """Whether the wire at `read` can depend on the site; what is unknown is reported elsewhere."""
    decl, head, below = at.decl, path[0].text, path[1:]
    if isinstance(decl, NetworkDecl):
        return reaches(decl, dotted(path), dotted(read) if read else None, ctx)
    site = named_site(decl, head)
    if site is None:
        return feeds_tensor(at, path, ctx)
    inner = callee(site.value, ctx.inside(decl)) if isinstance(site, Let) and below else None
    if read and read[0].text == head:
        return len(read) == 1 if inner is None else feeds(inner, below, read[1:], ctx)
    if head not in sources(decl, read):
        return False
    return inner is None or feeds(inner, below, (), ctx)


def feeds_tensor(at: Called, path: Path, ctx: Context) -> bool:
    """Whether a call reads a tensor of that path, or below it, or is given a group in which it stands."""
    checkpoint = checkpoint_key(path[0].text, ctx.facts.scope.values)
    if checkpoint is None:
        return True
    name = ".".join((checkpoint, *(part.text for part in path[1:])))
    assert isinstance(at.decl, CircuitDecl)
    read = tensors_read(at.decl, ctx) | at.groups
    return reads(read, name, ctx) or any(each.startswith(f"{name}.") for each in read)


def sources(decl: CircuitDecl, read: Path) -> set[str]:
    """The names in a circuit that its result, or the wire at `read`, depends on."""
    site = named_site(decl, read[0].text) if read else None
    if isinstance(site, Parameter):
        return set()
    found = free(decl.body if site is None else site.value)
    for let in reversed(decl.lets):
        if let.name.text in found:
            found |= free(let.value)
    return found


def dotted(path: Path) -> str:
    """As the user writes it."""
    return ".".join(part.text for part in path)
