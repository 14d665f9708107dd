"""Patches: tensors that the circuit reads, and requirements that quantify over domains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import assert_never

from circ.lang.check.context import Context
from circ.lang.check.forms import check_form
from circ.lang.check.formulas import check_formula
from circ.lang.check.functions import no_circuit
from circ.lang.check.indexing import indexed
from circ.lang.check.layers import check_layer
from circ.lang.check.tensors import tensor_read
from circ.lang.errors.domains import no_binder
from circ.lang.errors.forms import edited_as_well, nothing_searched, other_checkpoint
from circ.lang.errors.layers import computed_twice
from circ.lang.errors.patches import (
    edited_twice,
    existential,
    needs,
    no_rank,
    norm_of_rank,
    rank_of_no_matrix,
    unknown_norm,
)
from circ.lang.format_changes import dotted
from circ.lang.span import Span
from circ.lang.syntax import (
    Change,
    CheckpointDecl,
    CircuitDecl,
    Clamp,
    ClampUnits,
    EditClause,
    Form,
    Formula,
    Graft,
    Growing,
    Install,
    LayerForm,
    Name,
    PatchDecl,
    Project,
    TensorPath,
    Vectors,
    changed_tensors,
)
from circ.lang.types import Array, Type, size

NORMS = ("l1", "l2", "linf")


def check_patch(decl: PatchDecl, ctx: Context) -> None:
    """Tensors that the circuit reads, and requirements that quantify over domains."""
    circuit = ctx.facts.scope.values.get(decl.circuit.text)
    if not isinstance(circuit, CircuitDecl):
        no_circuit(decl.circuit, ctx)
    for change in decl.changes:
        check_change(change, circuit if isinstance(circuit, CircuitDecl) else None, ctx)
    check_edited_once(decl, ctx)
    check_layers_apart(decl, ctx)
    check_one_checkpoint(decl, ctx)
    check_clauses(decl, ctx)
    for clause, formulas in (("require", decl.require), ("preserve", decl.preserve)):
        for formula in formulas:
            check_clause(formula, clause, ctx)


def check_clauses(decl: PatchDecl, ctx: Context) -> None:
    """A patch changes something and asks something: of an edit something that it may have to change for."""
    computes = bool(decl.forms) and not decl.edits
    asked = (*decl.require, *(decl.preserve if computes else ()))
    clauses = {
        "`edit`": decl.changes,
        "`require` or `preserve`" if computes else "`require`": asked,
    }
    lacking = [words for words, parts in clauses.items() if not parts]
    if lacking:
        ctx.error(needs(decl.name.span, decl.name.text, " and no ".join(lacking)))
    if decl.minimize is not None:
        check_norm(decl.minimize, decl, ctx)


def check_change(change: Change, circuit: CircuitDecl | None, ctx: Context) -> None:
    """What is edited, or computed."""
    match change:
        case EditClause(paths=paths):
            for path in paths:
                check_target(path, circuit, ctx)
        case Project() | Clamp():
            check_form(change, circuit, ctx)
        case Graft() | Install() | ClampUnits():
            check_layer(change, circuit, ctx)
        case _:
            assert_never(change)


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
    found = tensor_read(path, circuit, "`edit`", ctx)
    if found is not None:
        indexed(found, path.span, path.items, ctx)
        check_rank(path, found, ctx)


def check_rank(path: TensorPath, t: Type, ctx: Context) -> None:
    """A rank is that of a change of a whole matrix, and one that such a change may have."""
    if path.rank is None or not isinstance(t, Array):
        return
    if path.items or len(t.dims) != 2:
        ctx.error(rank_of_no_matrix(path.span, dotted(path.parts), t, parts=bool(path.items)))
        return
    most = min(side for dim in t.dims if (side := size(dim)) is not None)
    if not 1 <= path.rank <= most:
        ctx.error(no_rank(path.span, dotted(path.parts), path.rank, most))


def check_norm(norm: Name, decl: PatchDecl, ctx: Context) -> None:
    """What is minimized is a norm, and that of a change with a rank the length."""
    ranked = next((path for path in decl.edits if path.rank is not None), None)
    if norm.text not in NORMS:
        ctx.error(unknown_norm(norm.span, norm.text))
    elif not decl.edits and decl.forms:
        ctx.error(nothing_searched(norm.span))
    elif norm.text != "l2" and ranked is not None:
        ctx.error(norm_of_rank(norm.span, ranked.span, norm.text))


def check_edited_once(decl: PatchDecl, ctx: Context) -> None:
    """No tensor stands in `edit` twice, unless parts of it do; nor is one edited that is computed."""
    firsts: dict[str, TensorPath] = {}
    for path in decl.edits:
        first = firsts.setdefault(stored(path), path)
        if first is not path and not (first.items and path.items):
            ctx.error(edited_twice(path.span, first.span, dotted(path.parts)))
    for target in chain.from_iterable(computed_by(form, ctx) for form in decl.forms):
        edit = firsts.get(stored(target))
        if edit is not None:
            spans = sorted((edit.span, target.span), key=lambda span: span.start)
            ctx.error(edited_as_well(spans[1], spans[0], dotted(target.parts)))


def check_one_checkpoint(decl: PatchDecl, ctx: Context) -> None:
    """All that is changed stands in one file."""
    paths = chain.from_iterable(map(changed_tensors, decl.changes))
    declared = [(path, ctx.facts.scope.values.get(path.parts[0].text)) for path in paths]
    known = [(path, item) for path, item in declared if isinstance(item, CheckpointDecl)]
    for path, item in known:
        first, own = known[0]
        if item is not own:
            name = path.parts[0]
            ctx.error(other_checkpoint(name.span, first.parts[0].span, name.text))


def check_layers_apart(decl: PatchDecl, ctx: Context) -> None:
    """Nothing else is computed of the tensors of a layer, but several times units may be added."""
    firsts: dict[str, tuple[Form, Span]] = {}
    for form in decl.forms:
        for target in computed_by(form, ctx):
            name = dotted(target.parts)
            first, span = firsts.setdefault(stored(target), (form, target.span))
            layers = isinstance(first, LayerForm) or isinstance(form, LayerForm)
            added = isinstance(first, Growing) and isinstance(form, Growing)
            if first is not form and layers and not added:
                ctx.error(computed_twice(target.span, span, name))
                break


def computed_by(form: Form, ctx: Context) -> Iterator[TensorPath | Vectors]:
    """The tensors that one form computes."""
    match form:
        case Project() | Clamp():
            yield from changed_tensors(form)
        case Graft(layer=path) | Install(layer=path) | ClampUnits(layer=path):
            layer, span = ctx.facts.layers.get(form), path[0].span.to(path[-1].span)
            for name in () if layer is None else layer.names:
                below = (Name(part, span) for part in name.split("."))
                yield TensorPath(span, (path[0], *below))
        case _:
            assert_never(form)


def stored(path: TensorPath | Vectors) -> str:
    """The tensor of a path, whether parts of its name are quoted or not: `m."mlp.W"` is `m.mlp.W`."""
    return ".".join(part.text for part in path.parts)
