"""Patches as plans: what is computed, what may change, and obligations for what must hold afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, cast

from circ.compiler.ir import Shape
from circ.compiler.lower.claims import Params, lengths_of, lower_formula
from circ.compiler.lower.domains import Unedited
from circ.compiler.lower.environment import Environment, Lowering, Tensors, as_wire
from circ.compiler.lower.expressions import lower
from circ.compiler.lower.forms import lower_form, spanning_of
from circ.compiler.lower.indexing import known_places
from circ.compiler.lower.subspaces import doubts
from circ.compiler.lower.tensors import lower_tensor
from circ.compiler.obligation import Obligation
from circ.compiler.patching import EditedTensor, LayerUnits, Norm, Part, PatchForm, PatchPlan
from circ.compiler.regrown import Regrow
from circ.compiler.tensor import Weights
from circ.lang.check.items import TypedModule
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.errors.domains import without_end
from circ.lang.scope import key
from circ.lang.syntax import Formula, Growing, PatchDecl, Project, Spanned


def lower_patch(
    typed: TypedModule,
    decl: PatchDecl,
    params: Params,
    weights: Weights,
    regrow: Regrow,
    *,
    ends: bool = False,
) -> PatchPlan:
    """A patch's obligations, in the order they are written; no bound rests on what it changes.

    `regrow` checks the spec again with tensors of other shapes. `ends`: of a word's several lengths only the least and
    the greatest.
    """
    env = Lowering(typed, params, weights, lower).outside()
    forms, edits = tuple(lower_form(form, env) for form in decl.forms), edited_tensors(decl, env)
    computed = (key for form in forms for key in form.keys)
    unedited = Unedited(weights, frozenset([*computed, *(edit.key for edit in edits)]))

    shapes = grown_shapes(forms, typed)
    growing = (form.span for form in decl.forms if isinstance(form, Growing))
    now = regrow(shapes, next(growing)) if shapes else typed

    def each(kind: Literal["require", "preserve"]) -> tuple[Obligation, ...]:
        formulas = decl.require if kind == "require" else decl.preserve
        return tuple(
            lower_formula(now, f"{decl.name.text}.{kind}[{i}]", formula, params, unedited, length)
            for i, formula in enumerate(formulas)
            for length in each_length(now, formula, ends=ends)
        )

    norm = "l2" if decl.minimize is None else cast("Norm", decl.minimize.text)
    name, circuit = decl.name.text, decl.circuit.text
    return PatchPlan(name, circuit, forms, edits, norm, each("require"), each("preserve"))


def doubtful_spans(
    typed: TypedModule, decl: PatchDecl, params: Params, weights: Weights
) -> Iterator[Diagnostic]:
    """Warnings about vectors that are nearly dependent and span a subspace without a name; raises as `lower_patch`."""
    env = Lowering(typed, params, weights, lower).outside()
    for form in decl.forms:
        match form:
            case Project(subspace=Spanned() as subspace):
                found, span = spanning_of(subspace, env)
                yield from doubts(subspace.vectors.span, " ".join(span.text.split()), found)
            case _:
                pass


def grown_shapes(forms: Iterable[PatchForm], typed: TypedModule) -> dict[str, Shape]:
    """The tensors, by key, to which forms give another shape, and that."""
    found: dict[str, Shape] = {}
    for form in forms:
        if isinstance(form, LayerUnits) and form.grows:
            for target in form.targets:
                before = typed.facts.headers[target.checkpoint][target.name].shape
                found[target.key] = form.shape_of(target, found.get(target.key, before))
    return found


def edited_tensors(decl: PatchDecl, env: Environment) -> tuple[EditedTensor, ...]:
    """What a patch may change; raises `CircError` where a part is not known before any input is."""
    found: dict[tuple[str, str], list[Part]] = {}
    ranks: dict[tuple[str, str], int | None] = {}
    for path in decl.edits:
        checkpoint, *parts = (part.text for part in path.parts)
        at = key(env.scope.values[checkpoint])
        sides = env.b.shape(as_wire(lower_tensor(Tensors(at, tuple(parts)), env)))
        places = tuple(known_places(path.items, sides, env))
        tensor = at, ".".join(parts)
        found.setdefault(tensor, []).append(places)
        ranks[tensor] = path.rank
    return tuple(
        EditedTensor(*tensor, tuple(parts), ranks[tensor]) for tensor, parts in found.items()
    )


def each_length(typed: TypedModule, formula: Formula, *, ends: bool) -> Iterator[int | None]:
    """The lengths of a requirement's word; None once, where it has one length."""
    several = lengths_of(typed, formula)
    if several is None:
        yield None
    elif several.last is None:
        raise CircError(without_end(formula.span))
    else:
        lengths = range(several.first, several.last + 1)
        yield from sorted({lengths[0], lengths[-1]}) if ends else lengths
