"""A circuit by itself: its parameters are the inputs, and nothing is worked out beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from circ.compiler.ir import Bool, Circuit, Input, Sort, Wire, WireType
from circ.compiler.lower.calls import unfold
from circ.compiler.lower.claims import Params
from circ.compiler.lower.data import sort_of
from circ.compiler.lower.domains import names_of
from circ.compiler.lower.environment import Environment, Lowering, Tensors, as_wire, deep_stack
from circ.compiler.lower.expressions import lower
from circ.compiler.obligation import Site
from circ.compiler.tensor import Weights
from circ.lang.binding import substitute
from circ.lang.check.items import TypedModule
from circ.lang.headers import TensorInfo
from circ.lang.syntax import CircuitDecl
from circ.lang.types import Array, BoolElement, Dim, Fixed, Record, size

RESULT = "result"
"""The output that has what the circuit returns."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A circuit whose inputs are its parameters; the outputs are `result` and `site <n>` (`sites`).

    `members` names the values of each input that is no number, and of the result. The fields of a parameter that is a
    record are tensors of `records`, as if they stood in a checkpoint of that name.
    """

    circuit: Circuit
    sites: tuple[Site, ...]
    members: Mapping[str, tuple[str, ...]]
    records: tuple[str, ...] = ()


def lower_alone(
    typed: TypedModule,
    decl: CircuitDecl,
    sizes: Mapping[str, int],
    params: Params,
    weights: Weights,
) -> Alone:
    """A circuit at these sizes of its dimensions; raises `CircError` where it grows too large."""
    binding = {name: Fixed(side) for name, side in sizes.items()}
    kinds = {param.name.text: typed.facts.parameters[param] for param in decl.params}
    found = {name: substitute(t, binding) for name, t in kinds.items()}
    arrays = {name: t for name, t in found.items() if isinstance(t, Array)}
    records = {
        holder_of(name, decl, typed): t for name, t in found.items() if isinstance(t, Record)
    }
    low = Lowering(with_records(typed, records), params, weights, lower)
    given: list[Wire | Tensors] = []
    for param in decl.params:
        name = param.name.text
        if name in arrays:
            low.require_room(param.span, input_type(arrays[name]).entries)
            given.append(low.b.add(Input(name, input_type(arrays[name]))))
        else:
            given.append(Tensors(holder_of(name, decl, typed), ()))
    env = Environment(low, low.scope_of(decl), binding=dict[str, Dim](binding))
    with deep_stack():
        result = as_wire(unfold(decl, given, env, ()).result)
    outputs = {RESULT: result} | {f"site {i}": wire for i, wire in enumerate(low.sites)}
    returned = substitute(typed.facts.results[decl], binding)
    if isinstance(returned, Array):
        arrays |= {RESULT: returned}
    members = {name: names for name, t in arrays.items() if (names := names_of(t))}
    return Alone(low.b.circuit(outputs), tuple(low.sites.values()), members, tuple(records))


def holder_of(param: str, decl: CircuitDecl, typed: TypedModule) -> str:
    """What the tensors of a parameter are kept under: its name, unless a checkpoint has that."""
    return f"{decl.name.text}.{param}" if param in typed.declared else param


def with_records(typed: TypedModule, records: Mapping[str, Record]) -> TypedModule:
    """The module in which the fields of records stand in checkpoints of these names."""
    if not records:
        return typed
    headers = {
        name: {path: TensorInfo(input_type(kind).shape, "F32") for path, kind in record.fields}
        for name, record in records.items()
    }
    facts = replace(typed.facts, headers={**typed.facts.headers, **headers})
    return replace(typed, facts=facts)


def input_type(t: Array) -> WireType:
    """What a parameter of this type is as an input."""
    sort: Sort = Bool() if isinstance(t.element, BoolElement) else sort_of(t)
    return WireType(sort, tuple(size(dim) or 0 for dim in t.dims))
