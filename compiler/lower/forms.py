"""What a patch computes, lowered: which vectors of which tensors, and the exact numbers that are taken off them.

These are read from the checkpoint as it was, whatever the patch makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import assert_never

from circ.compiler.inverse import Matrix
from circ.compiler.ir import Wire
from circ.compiler.lower.constants import constant
from circ.compiler.lower.environment import Environment, Spanning, Tensors, as_wire
from circ.compiler.lower.indexing import known_places
from circ.compiler.lower.layers import lower_graft, lower_install
from circ.compiler.lower.quantities import restricted
from circ.compiler.lower.subspaces import as_rows, spanned, spanning
from circ.compiler.lower.tensors import lower_tensor
from circ.compiler.patching import Clamping, PatchForm, Projecting, VectorsAlong
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import enclose
from circ.lang.check.forms import sliced
from circ.lang.diagnostic import CircError
from circ.lang.errors.forms import empty_range, no_direction
from circ.lang.errors.subspaces import not_known
from circ.lang.errors.types import not_constant
from circ.lang.format_changes import change_text
from circ.lang.scope import key
from circ.lang.span import Span
from circ.lang.syntax import Clamp, Expr, Form, Graft, Install, Name, Project, Spanned, Vectors


def lower_form(form: Form, env: Environment) -> PatchForm:
    """A form with its numbers; raises `CircError` where they are not known exactly, or say nothing."""
    match form:
        case Project(targets=targets, subspace=subspace):
            span, at = spanning_of(subspace, env)
            basis, along = rows_of(span.vectors, at, env), all_along(targets, env)
            return Projecting(change_text(form), along, basis, span.inverse.rows)
        case Clamp(targets=targets, low=low, high=high):
            bounds = bound_of(low, env), bound_of(high, env)
            if bounds[0] > bounds[1]:
                raise CircError(empty_range(low.span, high.span))
            along = all_along(targets, env)
            return Clamping(change_text(form), along, direction_of(form, env), *bounds)
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


def direction_of(form: Clamp, env: Environment) -> tuple[Fraction, ...]:
    """The vector of a `clamp`; raises `CircError` where it is not known exactly, or is zero."""
    span = form.direction.span
    (found,) = rows_of(as_rows(env.wire(form.direction), env), span, env)
    if not any(found):
        raise CircError(no_direction(span))
    return found


def rows_of(vectors: Wire, span: Span, env: Environment) -> Matrix:
    """The rows of a matrix, exactly; raises `CircError` where they are irrational or depend on an input."""
    circuit, text = restricted(env.low, {"vectors": vectors}), " ".join(span.text.split())
    if circuit.inputs:
        raise CircError(not_known(span, text, "they depend on one"))
    found = enclose(circuit, {}, env.low.weights)["vectors"]
    assert isinstance(found, Reals)
    if not found.exact:
        raise CircError(not_known(span, text, "they are irrational"))
    entries = [low for low, _ in found.box]
    count, width = env.b.shape(vectors)
    return tuple(tuple(entries[k * width : (k + 1) * width]) for k in range(count))


def bound_of(e: Expr, env: Environment) -> Fraction:
    """A bound of a `clamp`; raises `CircError` where it is irrational."""
    value = constant(e, env)
    if value is None:
        raise CircError(not_constant(e.span, "a bound", "rational"))
    return value
