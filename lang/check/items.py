"""The items of a module: enums, checkpoints, params, circuits, domains, claims, patches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import assert_never

from circ.lang.check.annotations import as_type
from circ.lang.check.constants import is_constant
from circ.lang.check.context import Context, Facts
from circ.lang.check.expressions import infer
from circ.lang.check.formulas import check_formula, domain_type
from circ.lang.check.functions import unknown_variables
from circ.lang.check.patches import check_patch
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.files import unknown_tensor
from circ.lang.errors.names import duplicate, recursive
from circ.lang.errors.types import (
    bad_dimension,
    entry_differs,
    mismatch,
    not_constant,
)
from circ.lang.headers import Header, OpenHeader
from circ.lang.scope import Scope, resolve
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DomainDecl,
    EnumDecl,
    Expr,
    Module,
    Name,
    ParamDecl,
    PatchDecl,
)
from circ.lang.types import (
    INVALID,
    REAL,
    Array,
    Dim,
    Fixed,
    RealElement,
    Type,
    Variable,
    fits,
    merge,
)


@dataclass(frozen=True, slots=True)
class TypedModule:
    """A module whose names and types are known."""

    module: Module
    scope: Scope
    facts: Facts


def typecheck(module: Module, open_header: OpenHeader, diagnostics: Diagnostics) -> TypedModule:
    """Check every item; all independent errors are in `diagnostics` afterwards."""
    scope = resolve(module, diagnostics)
    facts = new_facts(scope, open_header, diagnostics)
    ctx = Context(facts)
    for item in module.items:
        match item:
            case EnumDecl() | CheckpointDecl():
                pass
            case ParamDecl():
                check_param(item, ctx)
            case CircuitDecl():
                facts.check_circuit(item)
            case DomainDecl():
                domain_type(item.value, ctx)
            case ClaimDecl():
                check_formula(item.formula, ctx)
            case PatchDecl():
                check_patch(item, ctx)
            case _:
                assert_never(item)
    return TypedModule(module, scope, facts)


def new_facts(scope: Scope, open_header: OpenHeader, diagnostics: Diagnostics) -> Facts:
    """Facts that know every checkpoint's header."""
    headers: dict[str, Header] = {}
    for item in scope.values.values():
        if isinstance(item, CheckpointDecl):
            try:
                headers[item.name.text] = open_header(item)
            except CircError as error:
                for diagnostic in error.diagnostics:
                    diagnostics.report(diagnostic)
    busy: list[CircuitDecl] = []
    facts = Facts(
        scope, headers, {}, diagnostics, infer, lambda d: check_circuit(d, Context(facts), busy)
    )
    facts.entries = {
        item.name.text: declared_entries(item, headers.get(item.name.text, {}), Context(facts))
        for item in scope.values.values()
        if isinstance(item, CheckpointDecl)
    }
    return facts


# --- checkpoints and params -------------------------------------------------------------------


def declared_entries(decl: CheckpointDecl, header: Header, ctx: Context) -> Mapping[str, Type]:
    """The types that a checkpoint's braces give to tensors, held against the file."""
    found: dict[str, Type] = {}
    for entry in decl.entries:
        declared = as_type(entry.type, ctx)
        pattern = [part.text for part in entry.path]
        matches = [name for name in header if path_matches(pattern, name.split("."))]
        if not matches and header:
            span = entry.path[0].span.to(entry.path[-1].span)
            ctx.error(unknown_tensor(span, ".".join(pattern), list(header)))
        for name in matches:
            stored = Array(RealElement(), tuple(map(Fixed, header[name].shape)))
            if not fits(declared, stored):
                shape = list(header[name].shape)
                error = entry_differs(entry.span, name, decl.file.text, declared, str(shape))
                ctx.error(error)
            found[name] = declared
    return found


def path_matches(pattern: list[str], parts: list[str]) -> bool:
    """Whether a glob path (`*` is one part or a piece of one) names this tensor."""
    return len(pattern) == len(parts) and all(map(fnmatchcase, parts, pattern))


def check_param(decl: ParamDecl, ctx: Context) -> None:
    """A param is a real number that is known."""
    wanted = REAL if decl.type is None else as_type(decl.type, ctx)
    if not fits(wanted, REAL) and decl.type is not None:
        ctx.error(mismatch(decl.type.span, wanted, REAL, "a param"))
    ctx.expect(decl.value, REAL, f"the param `{decl.name.text}`")
    if not is_constant(decl.value, ctx.facts.scope):
        ctx.error(not_constant(decl.value.span, "a param's value"))


# --- circuits ---------------------------------------------------------------------------------


def check_circuit(decl: CircuitDecl, ctx: Context, busy: list[CircuitDecl]) -> None:
    """Check a circuit once, before whatever calls it; a circuit may not reach itself."""
    facts = ctx.facts
    if decl in busy:
        ctx.error(recursive(decl.name))
        return
    if decl in facts.results:
        return
    busy.append(decl)
    dims: dict[str, Dim] = {name.text: Variable(name.text) for name in decl.dims}
    inner = replace(ctx, dims=dims)
    facts.results[decl] = as_type(decl.result, inner)
    inner = with_parameters(decl, inner)
    for let in decl.lets:
        t = inner.infer(let.value)
        if let.type is not None:
            t = annotated(t, as_type(let.type, inner), let.value, f"`{let.name.text}`", inner)
        if let.name.text in inner.locals:
            ctx.error(duplicate(let.name, first_bound(decl, let.name.text).span))
        facts.lets[let] = t
        inner = inner.bind(let.name, t)
    found = inner.infer(decl.body)
    annotated(found, facts.results[decl], decl.body, f"the result of `{decl.name.text}`", inner)
    busy.pop()


def first_bound(decl: CircuitDecl, name: str) -> Name:
    """Where a circuit first gives something this name."""
    bound = [p.name for p in decl.params] + [let.name for let in decl.lets]
    return next(each for each in bound if each.text == name)


def with_parameters(decl: CircuitDecl, ctx: Context) -> Context:
    """The context of a circuit's body."""
    kinds: list[Type] = []
    for param in decl.params:
        t = as_type(param.type, ctx)
        ctx.facts.parameters[param] = t
        kinds.append(t)
        if param.name.text in ctx.locals:
            ctx.error(duplicate(param.name, param.name.span))
        ctx = ctx.bind(param.name, t)
    for name in unknown_variables(decl, kinds):
        span = next(d.span for d in decl.dims if d.text == name)
        ctx.error(bad_dimension(span, f"no parameter has the dimension `{name}`"))
    return ctx


def annotated(found: Type, wanted: Type, e: Expr, role: str, ctx: Context) -> Type:
    """The annotation, held against what was found; a number fills a tensor."""
    filled = isinstance(wanted, Array) and fits(found, Array(wanted.element))
    if filled and found != INVALID:
        return wanted
    if not fits(found, wanted):
        ctx.error(mismatch(e.span, found, wanted, role))
    return merge(wanted, found)
