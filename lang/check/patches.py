"""Patches: tensors that the circuit reads, and requirements that quantify over domains."""

from __future__ import annotations

from dataclasses import replace

from circ.lang.check.context import Context
from circ.lang.check.formulas import check_formula
from circ.lang.check.functions import no_circuit
from circ.lang.check.indexing import indexed
from circ.lang.check.tensors import path_type, reads, tensors_read
from circ.lang.errors.domains import no_binder
from circ.lang.errors.names import not_a, unknown_name
from circ.lang.errors.patches import edited_twice, existential, needs, not_read, unknown_norm
from circ.lang.errors.types import wrong_kind
from circ.lang.scope import key, kind
from circ.lang.syntax import CheckpointDecl, CircuitDecl, Formula, PatchDecl, TensorPath
from circ.lang.types import Array, Group

NORMS = ("l1", "l2", "linf")


def check_patch(decl: PatchDecl, ctx: Context) -> None:
    """Tensors that the circuit reads, and requirements that quantify over domains."""
    circuit = ctx.facts.scope.values.get(decl.circuit.text)
    if not isinstance(circuit, CircuitDecl):
        no_circuit(decl.circuit, ctx)
    for path in decl.edits:
        check_target(path, circuit if isinstance(circuit, CircuitDecl) else None, ctx)
    check_edited_once(decl, ctx)
    clauses = {"edit": decl.edits, "require": decl.require}
    lacking = [f"`{word}`" for word, parts in clauses.items() if not parts]
    if lacking:
        ctx.error(needs(decl.name.span, decl.name.text, " and no ".join(lacking)))
    if decl.minimize is not None and decl.minimize.text not in NORMS:
        ctx.error(unknown_norm(decl.minimize.span, decl.minimize.text))
    for clause, formulas in (("require", decl.require), ("preserve", decl.preserve)):
        for formula in formulas:
            check_clause(formula, clause, ctx)


def check_clause(formula: Formula, clause: str, ctx: Context) -> None:
    """A requirement says `forall`, and may speak of the unpatched checkpoint."""
    if not formula.binders:
        ctx.error(no_binder(formula.span, clause))
        return
    if formula.quantifier == "exists":
        ctx.error(existential(formula.span, clause))
    check_formula(formula, replace(ctx, old=True))


def check_target(path: TensorPath, circuit: CircuitDecl | None, ctx: Context) -> None:
    """An edited tensor exists, and the patched circuit, if there is one, reads it."""
    checkpoint, *parts = path.parts
    declared = ctx.facts.scope.values.get(checkpoint.text)
    if declared is None:
        values = ctx.facts.scope.values
        known = [name for name, item in values.items() if isinstance(item, CheckpointDecl)]
        ctx.unknown(unknown_name(checkpoint.span, checkpoint.text, known))
    elif not isinstance(declared, CheckpointDecl):
        ctx.error(not_a(checkpoint, kind(declared), "a checkpoint"))
    else:
        found = path_type(key(declared), tuple(part.text for part in parts), path.span, ctx)
        if isinstance(found, Group):
            ctx.error(wrong_kind(path.span, found, "a tensor", "`edit`"))
            return
        indexed(found, path.span, path.items, ctx)
        if isinstance(found, Array) and circuit:
            name = ".".join((key(declared), *(part.text for part in parts)))
            if not reads(tensors_read(circuit, ctx), name, ctx):
                ctx.unknown(not_read(path.span, dotted(path), circuit.name.text))


def check_edited_once(decl: PatchDecl, ctx: Context) -> None:
    """No tensor stands in `edit` twice, unless parts of it do."""
    firsts: dict[str, TensorPath] = {}
    for path in decl.edits:
        first = firsts.setdefault(dotted(path), path)
        if first is not path and not (first.items and path.items):
            ctx.error(edited_twice(path.span, first.span, dotted(path)))


def dotted(path: TensorPath) -> str:
    """As the user writes it."""
    return ".".join(part.text for part in path.parts)
