"""Sites: reading a wire of a call, `f(x).hidden`, and replacing it, `f(x) do { hidden := e }`."""

from __future__ import annotations

from dataclasses import replace

from circ.lang.check.context import Context
from circ.lang.check.indexing import indexed
from circ.lang.errors.sites import feeds_nothing, not_a_call, overlapping_edits, unknown_site
from circ.lang.errors.types import mismatch
from circ.lang.syntax import Attr, Call, CircuitDecl, Do, Edit, Expr, Let, Name
from circ.lang.types import INVALID, Array, Invalid, Type, fits, substitute
from circ.lang.walk import names

Path = tuple[Name, ...]


def site_read(e: Attr) -> tuple[Call | Do, Path] | None:
    """The call and the path below it, where `e` reads a site."""
    path: Path = ()
    at: Expr = e
    while isinstance(at, Attr):
        path = (at.part, *path)
        at = at.base
    return (at, path) if isinstance(at, Call | Do) else None


def callee(e: Expr, ctx: Context) -> tuple[Call, CircuitDecl] | None:
    """The call under any `do`, and the circuit it calls."""
    while isinstance(e, Do):
        e = e.base
    if not isinstance(e, Call):
        return None
    decl = ctx.facts.scope.values.get(e.function.text)
    return (e, decl) if isinstance(decl, CircuitDecl) else None


def site_type(base: Call | Do, path: Path, ctx: Context) -> Type:
    """The type of the wire that `path` names below a call."""
    if isinstance(ctx.infer(base), Invalid):
        return INVALID
    found = callee(base, ctx)
    if found is None:
        return ctx.error(not_a_call(base.span))
    call, decl = found
    return substitute(wire_type(decl, path, ctx), ctx.facts.bindings.get(call, {}))


def wire_type(decl: CircuitDecl, path: Path, ctx: Context) -> Type:
    """The type of a site of `decl`, in its own dimension variables; reports unknown sites."""
    ctx.facts.check_circuit(decl)
    let = named_let(decl, path[0].text)
    if let is None:
        known = [each.name.text for each in decl.lets]
        return ctx.error(unknown_site(path[0], decl.name.text, known))
    if len(path) == 1:
        return ctx.facts.lets.get(let, INVALID)
    inner = callee(let.value, ctx)
    if inner is None:
        return ctx.error(unknown_site(path[1], path[0].text, []))
    call, below = inner
    return substitute(wire_type(below, path[1:], ctx), ctx.facts.bindings.get(call, {}))


def named_let(decl: CircuitDecl, name: str) -> Let | None:
    """The `let` of that name."""
    return next((let for let in decl.lets if let.name.text == name), None)


def infer_do(e: Do, ctx: Context) -> Type:
    """The call's own type; every edit fits its wire and can change the result."""
    result = ctx.infer(e.base)
    found = callee(e.base, ctx)
    if found is None:
        return result if isinstance(result, Invalid) else ctx.error(not_a_call(e.span))
    for i, edit in enumerate(e.edits):
        check_edit(edit, e.base, ctx)
        for other in e.edits[:i]:
            if nested(edit.path, other.path):
                ctx.error(overlapping_edits(edit.span, other.span))
        if not isinstance(result, Invalid) and not feeds(found[1], edit.path, ctx):
            ctx.error(feeds_nothing(edit.span, dotted(edit.path), found[1].name.text))
    return result


def check_edit(edit: Edit, base: Expr, ctx: Context) -> None:
    """The new value has the wire's type, or is a scalar to fill it with; `it` is the old value."""
    if not isinstance(base, Call | Do):
        return
    wire = site_type(base, edit.path, ctx)
    target = indexed(wire, edit.items, ctx) if isinstance(wire, Array) else INVALID
    inner = replace(ctx, locals={**ctx.locals, "it": target})
    found = inner.infer(edit.value)
    filled = Array(target.element) if isinstance(target, Array) else target
    if not fits(found, target) and not fits(found, filled):
        ctx.error(mismatch(edit.value.span, found, target, f"the site `{dotted(edit.path)}`"))


def nested(a: Path, b: Path) -> bool:
    """Whether one path is a proper part of the other: both edits would replace one wire."""
    short = min(len(a), len(b))
    same = [x.text == y.text for x, y in zip(a, b, strict=False)]
    return len(a) != len(b) and all(same[:short])


def feeds(decl: CircuitDecl, path: Path, ctx: Context) -> bool:
    """Whether the result of `decl` can depend on the site; unknown sites are reported elsewhere."""
    let = named_let(decl, path[0].text)
    if let is None:
        return True
    if let.name.text not in live_lets(decl):
        return False
    inner = callee(let.value, ctx) if len(path) > 1 else None
    return inner is None or feeds(inner[1], path[1:], ctx)


def live_lets(decl: CircuitDecl) -> set[str]:
    """The names that the result of a circuit depends on."""
    live = names(decl.body)
    for let in reversed(decl.lets):
        if let.name.text in live:
            live |= names(let.value)
    return live


def dotted(path: Path) -> str:
    """As the user writes it."""
    return ".".join(part.text for part in path)
