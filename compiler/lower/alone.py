"""A circuit by itself: its parameters are the inputs, and nothing is worked out beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from circ.compiler.ir import Bool, Circuit, Input, Sort, WireType
from circ.compiler.lower.calls import unfold
from circ.compiler.lower.claims import Params
from circ.compiler.lower.data import sort_of
from circ.compiler.lower.domains import names_of
from circ.compiler.lower.environment import Environment, Lowering, as_wire, deep_stack
from circ.compiler.lower.expressions import lower
from circ.compiler.obligation import Site
from circ.compiler.tensor import Weights
from circ.lang.check.items import TypedModule
from circ.lang.syntax import CircuitDecl
from circ.lang.types import Array, BoolElement, Dim, Fixed, size, substitute

RESULT = "result"
"""The output that has what the circuit returns."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A circuit whose inputs are its parameters; the outputs are `result` and `site <n>` (`sites`).

    `members` names the values of each input that is no number, and of the result.
    """

    circuit: Circuit
    sites: tuple[Site, ...]
    members: Mapping[str, tuple[str, ...]]


def lower_alone(
    typed: TypedModule,
    decl: CircuitDecl,
    sizes: Mapping[str, int],
    params: Params,
    weights: Weights,
) -> Alone:
    """A circuit at these sizes of its dimensions, none of whose parameters is a group of tensors.

    Raises `CircError` where it grows too large.
    """
    low = Lowering(typed, params, weights, lower)
    binding = {name: Fixed(side) for name, side in sizes.items()}
    kinds = {param.name.text: typed.facts.parameters[param] for param in decl.params}
    found = {name: substitute(t, binding) for name, t in kinds.items()}
    arrays = {name: t for name, t in found.items() if isinstance(t, Array)}
    for param, t in zip(decl.params, arrays.values(), strict=True):
        low.require_room(param.span, input_type(t).entries)
    given = [low.b.add(Input(name, input_type(t))) for name, t in arrays.items()]
    env = Environment(low, low.scope_of(decl), binding=dict[str, Dim](binding))
    with deep_stack():
        result = as_wire(unfold(decl, given, env, ()).result)
    outputs = {RESULT: result} | {f"site {i}": wire for i, wire in enumerate(low.sites)}
    returned = substitute(typed.facts.results[decl], binding)
    if isinstance(returned, Array):
        arrays |= {RESULT: returned}
    members = {name: names for name, t in arrays.items() if (names := names_of(t))}
    return Alone(low.b.circuit(outputs), tuple(low.sites.values()), members)


def input_type(t: Array) -> WireType:
    """What a parameter of this type is as an input."""
    sort: Sort = Bool() if isinstance(t.element, BoolElement) else sort_of(t)
    return WireType(sort, tuple(size(dim) or 0 for dim in t.dims))
