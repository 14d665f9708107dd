"""What a patch computes, lowered: which vectors of which tensors, and the exact numbers that are taken off them.

These are read from the checkpoint as it was, whatever the patch makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from circ.compiler.lower.environment import Environment, Spanning, Tensors, as_wire
from circ.compiler.lower.exactly import bounds_of, rows_of, single_row
from circ.compiler.lower.indexing import known_places
from circ.compiler.lower.layers import lower_clamp, lower_graft, lower_install
from circ.compiler.lower.subspaces import as_rows, spanned, spanning
from circ.compiler.lower.tensors import lower_tensor
from circ.compiler.patching import Clamping, PatchForm, Projecting, VectorsAlong
from circ.lang.check.forms import sliced
from circ.lang.format_changes import change_text
from circ.lang.scope import key
from circ.lang.span import Span
from circ.lang.syntax import (
    Clamp,
    ClampUnits,
    Form,
    Graft,
    Install,
    Name,
    Project,
    Spanned,
    Vectors,
)


def lower_form(form: Form, env: Environment) -> PatchForm:
    """A form with its numbers; raises `CircError` where they are not known exactly, or say nothing."""
    match form:
        case Project(targets=targets, subspace=subspace):
            span, at = spanning_of(subspace, env)
            basis, along = rows_of(span.vectors, at, env), all_along(targets, env)
            return Projecting(change_text(form), along, basis, span.inverse.rows)
        case Clamp(targets=targets, low=low, high=high):
            bounds, along = bounds_of(low, high, env), all_along(targets, env)
            return Clamping(change_text(form), along, single_row(form.direction, env), *bounds)
        case ClampUnits():
            return lower_clamp(form, env)
        case Graft():
            return lower_graft(form, env)
        case Install():
            return lower_install(form, env)
        case _:
            assert_never(form)


def all_along(targets: Iterable[Vectors], env: Environment) -> tuple[VectorsAlong, ...]:
    """The vectors of all targets; raises as `vectors_along`."""
    return tuple(vectors_along(target, env) for target in targets)


def vectors_along(target: Vectors, env: Environment) -> VectorsAlong:
    """The vectors that are named; raises `CircError` for a place that is not known before any input is."""
    checkpoint, *parts = (part.text for part in target.parts)
    at = key(env.scope.values[checkpoint])
    sides = env.b.shape(as_wire(lower_tensor(Tensors(at, tuple(parts)), env)))
    part = tuple(known_places([*map(sliced, target.items)], sides, env))
    return VectorsAlong(at, ".".join(parts), env.low.typed.facts.axes[target], part)


def spanning_of(subspace: Name | Spanned, env: Environment) -> tuple[Spanning, Span]:
    """The vectors that span a subspace, and where it is written; raises `CircError` where they are dependent."""
    match subspace:
        case Name(span=span):
            return spanned(subspace, env), span
        case Spanned(span=span, vectors=vectors):
            text = " ".join(span.text.split())
            return spanning(vectors.span, text, as_rows(env.wire(vectors), env), env), span
        case _:
            assert_never(subspace)
