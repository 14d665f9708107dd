"""Patches: tensors that the circuit reads, and requirements that quantify over domains."""

from __future__ import annotations

from dataclasses import replace

from circ.lang.check.context import Context
from circ.lang.check.formulas import check_formula
from circ.lang.errors.domains import no_binder
from circ.lang.errors.files import unknown_tensor
from circ.lang.errors.names import not_a_function, unknown_name
from circ.lang.errors.patches import existential, needs, not_read, unknown_norm
from circ.lang.scope import kind
from circ.lang.syntax import Attr, CheckpointDecl, CircuitDecl, Expr, PatchDecl, Ref, TensorPath
from circ.lang.walk import names, walk


def check_patch(decl: PatchDecl, ctx: Context) -> None:
    """Tensors that the circuit reads, and requirements that quantify over domains."""
    circuit = ctx.facts.scope.values.get(decl.circuit.text)
    if circuit is None:
        circuits = [n for n, v in ctx.facts.scope.values.items() if isinstance(v, CircuitDecl)]
        ctx.error(unknown_name(decl.circuit.span, decl.circuit.text, circuits))
    elif not isinstance(circuit, CircuitDecl):
        ctx.error(not_a_function(decl.circuit, kind(circuit)))
    else:
        read = tensors_read(circuit, ctx, set())
        for path in decl.edits:
            check_target(path, circuit, read, ctx)
    if not decl.edits:
        ctx.error(needs(decl.name.span, decl.name.text, "edit"))
    if not decl.require:
        ctx.error(needs(decl.name.span, decl.name.text, "require"))
    if decl.minimize is not None and decl.minimize.text != "l2":
        ctx.error(unknown_norm(decl.minimize.span, decl.minimize.text))
    for clause, formulas in (("require", decl.require), ("preserve", decl.preserve)):
        for formula in formulas:
            if not formula.binders:
                ctx.error(no_binder(formula.span))
            elif formula.quantifier == "exists":
                ctx.error(existential(formula.span, clause))
            check_formula(formula, replace(ctx, old=True))


def check_target(path: TensorPath, circuit: CircuitDecl, read: set[str], ctx: Context) -> None:
    """An edited tensor exists and the patched circuit reads it."""
    checkpoint, *parts = (part.text for part in path.parts)
    name = ".".join(parts)
    header = ctx.facts.headers.get(checkpoint)
    if header is None:
        if not isinstance(ctx.facts.scope.values.get(checkpoint), CheckpointDecl):
            ctx.error(unknown_name(path.parts[0].span, checkpoint, ctx.facts.headers))
    elif name not in header:
        ctx.error(unknown_tensor(path.span, name, list(header)))
    elif f"{checkpoint}.{name}" not in read:
        ctx.error(not_read(path.span, f"{checkpoint}.{name}", circuit.name.text))


def tensors_read(circuit: CircuitDecl, ctx: Context, seen: set[str]) -> set[str]:
    """Dotted names of the tensors that a circuit and those it calls read."""
    seen.add(circuit.name.text)
    found: set[str] = set()
    bodies = [circuit.body, *(let.value for let in circuit.lets)]
    for body in bodies:
        found |= {dotted(part) for part in walk(body) if isinstance(part, Attr)}
        for name in names(body) - seen:
            item = ctx.facts.scope.values.get(name)
            if isinstance(item, CircuitDecl):
                found |= tensors_read(item, ctx, seen)
    return found


def dotted(e: Expr) -> str:
    """A path of names as it is written; empty for anything else."""
    if isinstance(e, Ref):
        return e.name
    if isinstance(e, Attr):
        return f"{dotted(e.base)}.{e.part.text}"
    return ""
