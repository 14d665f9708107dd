"""Layers whose units a patch adds or replaces: four tensors below a path, one unit a row or a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from circ.lang.check.context import Context
from circ.lang.check.forms import check_known
from circ.lang.check.formulas import body_context
from circ.lang.check.tensors import members, no_checkpoint, path_type, reads, tensors_read
from circ.lang.diagnostic import Diagnostic
from circ.lang.errors.layers import no_layer, no_side, reads_another, two_ways, wrong_shapes
from circ.lang.errors.patches import not_read
from circ.lang.errors.types import wrong_kind
from circ.lang.format_changes import dotted
from circ.lang.layers import HiddenLayer
from circ.lang.scope import key
from circ.lang.span import Span
from circ.lang.syntax import CheckpointDecl, CircuitDecl, ClampUnits, LayerForm, Name
from circ.lang.types import Array, Dim, Group, Invalid, is_real, same_dim

LAYOUTS = (
    ("W_in", "b_in", "W_out", "b_out"),
    ("c_fc.weight", "c_fc.bias", "c_proj.weight", "c_proj.bias"),
    ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"),
)
"""What the tensors of a layer are called below its path: weights and bias into the units, weights and bias out of them."""


def check_layer(form: LayerForm, circuit: CircuitDecl | None, ctx: Context) -> None:
    """The layer of a form, and a rule that takes what the layer reads and gives what it writes."""
    check_numbers(form, ctx)
    layer = layer_at(form.layer, circuit, ctx)
    inner = body_context(replace(form.rule, where=None), ctx)
    if form.rule.where is not None:
        inner.expect_truth(form.rule.where, "`when`")
    (binder,) = form.rule.binders
    variable, found = inner.locals[binder.name.text], inner.infer(form.rule.body)
    if not isinstance(variable, Array) or isinstance(found, Invalid) or layer is None:
        return
    if not is_real(variable) or len(variable.dims) != 1:
        ctx.error(wrong_kind(binder.span, variable, "a vector", "a layer"))
    elif not isinstance(found, Array) or not is_real(found) or len(found.dims) != 1:
        ctx.error(wrong_kind(form.rule.body.span, found, "a vector", "a layer"))
    else:
        ends = variable.dims[0], found.dims[0]
        learnt = laid_out(layer, ends, spans_of(form), ctx)
        if learnt is not None and isinstance(form, ClampUnits) and not same_dim(*ends):
            ctx.error(reads_another(spans_of(form)[0], *ends))
        elif learnt is not None:
            ctx.facts.layers[form] = learnt


def check_numbers(form: LayerForm, ctx: Context) -> None:
    """The bounds of a form, or its margin."""
    if isinstance(form, ClampUnits):
        for end in (form.low, form.high):
            check_known(end, "a bound", "`to`", ctx)
    elif form.margin is not None:
        check_known(form.margin, "a margin", "`margin`", ctx)


def spans_of(form: LayerForm) -> tuple[Span, Span, Span]:
    """Where a layer, its variable and its value are written."""
    layer = form.layer[0].span.to(form.layer[-1].span)
    return layer, form.rule.binders[0].span, form.rule.body.span


Stored = tuple[str, tuple[str, ...], tuple[Array, ...]]
"""A checkpoint's key, and the whole names and the types of the tensors of a layer."""


def layer_at(path: Sequence[Name], circuit: CircuitDecl | None, ctx: Context) -> Stored | None:
    """The tensors of a layer, all of which the circuit reads; None, reported, where it is none."""
    checkpoint, *parts = path
    span = checkpoint.span.to(path[-1].span)
    declared = ctx.facts.scope.values.get(checkpoint.text)
    if not isinstance(declared, CheckpointDecl):
        no_checkpoint(checkpoint, declared, ctx)
        return None
    group = path_type(key(declared), tuple(part.text for part in parts), span, ctx)
    if isinstance(group, Invalid):
        return None
    found = members(group, ctx) if isinstance(group, Group) else {}
    layout = next((names for names in LAYOUTS if all(name in found for name in names)), None)
    if layout is None:
        ctx.error(no_layer(span, dotted(path), LAYOUTS))
        return None
    kinds = tuple(t for t in map(found.get, layout) if isinstance(t, Array))
    start = "".join(f"{part.text}." for part in parts)
    names = tuple(f"{start}{name}" for name in layout)
    if circuit is not None:
        found_there = tensors_read(circuit, ctx)
        unread = (n for n in names if not reads(found_there, f"{key(declared)}.{n}", ctx))
        name = next(unread, None)
        if name is not None:
            ctx.unknown(not_read(span, f"{checkpoint.text}.{name}", circuit.name.text))
            return None
    return (key(declared), names, kinds) if len(kinds) == len(layout) else None


def laid_out(
    stored: Stored, ends: tuple[Dim, Dim], spans: tuple[Span, Span, Span], ctx: Context
) -> HiddenLayer | None:
    """A layer whose matrices read and write vectors of these axes; None, reported, where they do not, or both ways."""
    checkpoint, names, kinds = stored
    ways = [way for way in (False, True) if read_as(kinds, ends, inputs_first=way)]
    if len(ways) == 2:
        ways = [way for way in ways if named_as(kinds, ends, inputs_first=way)] or ways
    if len(ways) == 2:
        ctx.error(two_ways(spans[0], names[0]))
        return None
    if not ways:
        ctx.error(misfit(kinds, names, ends, spans))
        return None
    return HiddenLayer(checkpoint, names, ways[0], *ends)


def misfit(
    kinds: tuple[Array, ...],
    names: Sequence[str],
    ends: tuple[Dim, Dim],
    spans: tuple[Span, Span, Span],
) -> Diagnostic:
    """What is wrong: the vector that is given, if with another one all would fit, or the shapes."""
    writes = kinds[3].dims
    if len(writes) == 1 and any(
        read_as(kinds, (ends[0], writes[0]), inputs_first=way) for way in (False, True)
    ):
        return no_side(spans[2], ends[1], writes[0])
    return wrong_shapes(spans[0], ", ".join(names), kinds, ends)


def read_as(kinds: tuple[Array, ...], ends: tuple[Dim, Dim], *, inputs_first: bool) -> bool:
    """Whether four tensors are a layer from one axis to another, one way round."""
    bias, after = kinds[1], kinds[3]
    if len(bias.dims) != 1 or len(after.dims) != 1:
        return False
    wanted = shapes(bias.dims[0], ends, inputs_first=inputs_first)
    return all(
        len(kind.dims) == len(dims) and all(map(same_dim, kind.dims, dims))
        for kind, dims in zip(kinds, wanted, strict=True)
    )


def named_as(kinds: tuple[Array, ...], ends: tuple[Dim, Dim], *, inputs_first: bool) -> bool:
    """Whether the names of axes say so, too."""
    wanted = shapes(kinds[1].dims[0], ends, inputs_first=inputs_first)
    return all(kind.dims == dims for kind, dims in zip(kinds[::2], wanted[::2], strict=True))


def shapes(units: Dim, ends: tuple[Dim, Dim], *, inputs_first: bool) -> Sequence[tuple[Dim, ...]]:
    """The axes of the four tensors of a layer."""
    taken, given = ends
    into, out = (units, taken), (given, units)
    if inputs_first:
        into, out = into[::-1], out[::-1]
    return into, (units,), out, (given,)
