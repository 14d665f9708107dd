"""Units that a patch adds to a layer, or puts in place of all that it has, compiled from a rule."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from circ.compiler.builder import reals
from circ.compiler.ir import Select, Wire
from circ.compiler.lower.claims import about, opened
from circ.compiler.lower.environment import Environment
from circ.compiler.lower.exactly import bounds_of, rational, single_row
from circ.compiler.obligation import Box, Obligation, Reals
from circ.compiler.patching import LayerTensor, LayerUnits
from circ.compiler.units.clamping import clamping
from circ.compiler.units.hidden import HiddenUnits, NotOneLayer
from circ.compiler.units.layer import compiled
from circ.lang.diagnostic import CircError
from circ.lang.errors.layers import (
    changes_nothing,
    no_band,
    not_one_layer,
    too_few_units,
    within_already,
)
from circ.lang.format_changes import change_text
from circ.lang.layers import HiddenLayer
from circ.lang.syntax import ClampUnits, Expr, Graft, Install, LayerForm


def lower_graft(form: Graft, env: Environment) -> LayerUnits:
    """Units that add a value where a guard is open; raises `CircError` where no layer does, or it never is."""
    margin = band_of(form.margin, env)
    units, box = compiled_rule(form, margin, env)
    if any(units.constant) or not units.width:
        assert form.rule.where is not None
        raise CircError(changes_nothing(form.rule.where.span, shut=not any(units.constant)))
    return added(form, units, box, env)


def lower_clamp(form: ClampUnits, env: Environment) -> LayerUnits:
    """Units that add what an input lacks of a direction; raises `CircError` where it lacks nothing on the domain."""
    bounds = bounds_of(form.low, form.high, env)
    inner, outputs = entered(form, env)
    direction = single_row(form.rule.body, inner)
    box = box_of(about(inner.low, "clamp", form.rule, outputs))
    units = clamping(direction, *bounds, box)
    if not units.width:
        raise CircError(within_already(form.span))
    return added(form, units, box, env)


def added(form: Graft | ClampUnits, units: HiddenUnits, box: Box, env: Environment) -> LayerUnits:
    """Units behind those that a layer has."""
    layer = env.typed.facts.layers[form]
    targets = tensors_of(layer)[:3]
    return LayerUnits(on_one_line(form), targets, layer.inputs_first, units, box, grows=True)


def lower_install(form: Install, env: Environment) -> LayerUnits:
    """Units that compute a value; raises `CircError` where no layer does, or it takes too many."""
    margin = None if form.margin is None else band_of(form.margin, env)
    units, box = compiled_rule(form, margin, env)
    layer = env.typed.facts.layers[form]
    (width,) = env.typed.facts.headers[layer.checkpoint][layer.names[1]].shape
    if units.width > width:
        raise CircError(too_few_units(form.rule.body.span, units.width, width))
    targets = tensors_of(layer)
    return LayerUnits(on_one_line(form), targets, layer.inputs_first, units, box, grows=False)


def tensors_of(layer: HiddenLayer) -> tuple[LayerTensor, ...]:
    """The tensors of a layer, each with the axis along which its units stand."""
    into, bias, out, after = layer.names
    first, second = (1, 0) if layer.inputs_first else (0, 1)
    return (
        LayerTensor(layer.checkpoint, into, "rows", first),
        LayerTensor(layer.checkpoint, bias, "biases", 0),
        LayerTensor(layer.checkpoint, out, "columns", second),
        LayerTensor(layer.checkpoint, after, "constant", None),
    )


def band_of(margin: Expr, env: Environment) -> Fraction:
    """A margin; raises `CircError` where it is irrational, or not above 0."""
    value = rational(margin, "a margin", env)
    if value <= 0:
        raise CircError(no_band(margin.span, value))
    return value


def compiled_rule(
    form: Graft | Install, margin: Fraction | None, env: Environment
) -> tuple[HiddenUnits, Box]:
    """A rule as units on a box around its domain; raises `CircError` where the domain is unbounded, or no layer is it."""
    inner, outputs = entered(form, env)
    question = about(inner.low, "rule", form.rule, {**outputs, "goal": value_of(form, inner)})
    box = box_of(question)
    try:
        return compiled(question.circuit, env.low.weights, box, margin), box
    except NotOneLayer as error:
        raise CircError(not_one_layer(form.rule.span, str(error))) from error


def entered(form: LayerForm, env: Environment) -> tuple[Environment, dict[str, Wire]]:
    """What a rule is lowered in, and the outputs that say what its variable is in."""
    low = env.low
    return opened(low.typed, form.rule, low.params, low.weights, None)


def box_of(question: Obligation) -> Box:
    """The box around the domain of a rule's variable."""
    (binder,) = question.binders
    assert isinstance(binder.values, Reals)
    return binder.values.box


def value_of(form: Graft | Install, env: Environment) -> Wire:
    """What the units give: the value, of a graft where its guard is open and else 0."""
    value = env.wire(form.rule.body)
    if form.rule.where is None:
        return value
    shape = env.b.shape(value)
    nothing = reals(env.b, (Fraction(0),) * prod(shape), shape)
    return env.b.add(Select(env.wire(form.rule.where), value, nothing))


def on_one_line(form: LayerForm) -> str:
    """A form as a receipt has it."""
    return " ".join(change_text(form).split())
