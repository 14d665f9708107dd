"""Calls of networks: their ops are copied, with values replaced where a `do` says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, cast

from circ.compiler.builder import reindex
from circ.compiler.ir import Index, Input, Op, Shape, Weight, Wire
from circ.compiler.lower.environment import Environment, Run
from circ.compiler.rewrite import copy_live
from circ.lang.scope import key
from circ.lang.syntax import NetworkDecl

if TYPE_CHECKING:  # what reads the file needs numpy, and is loaded where there is one
    from circ.compiler.imported import Counts, Imported
    from circ.compiler.onnx.network import Network

Change = Callable[[Wire], Wire]
"""What edits make of a value."""


def unfold_network(
    decl: NetworkDecl, arguments: Sequence[Wire], changes: Mapping[str, Change], env: Environment
) -> Run:
    """A network at these arguments, with some of the values inside changed; its sites are those values.

    Arguments and values are in the shapes that the spec gives them, which may lack the axis of a batch of one.
    """
    imported = cast("Imported", env.typed.facts.networks[decl])
    network = imported.cut(frozenset(changes), counts_of(imported, arguments, env))
    given = [*zip(network.inputs, arguments, strict=True)]
    alone = any(env.b.shape(wire) != shape for (_, shape), wire in given)
    made = {name: reshaped(wire, shape, env) for (name, shape), wire in given}
    moved = copied(decl, imported, network, made, changes, alone, env)
    sites = {name: Run(within(moved[wire], alone, env), {}) for name, wire in network.sites.items()}
    sites |= {node: sites[name] for node, name in imported.values.items() if name in sites}
    ((_, wire),) = network.circuit.outputs.items()
    result = reshaped(moved[wire], env.shape(decl.result), env)
    named = {
        param.name.text: Run(wire, {}) for param, wire in zip(decl.params, arguments, strict=True)
    }
    return Run(result, sites | named)


def counts_of(imported: Imported, arguments: Sequence[Wire], env: Environment) -> Counts:
    """How many tokens each argument may be, where those are not all that the network has."""
    sorts = [env.b.types[wire].sort for wire in arguments]
    given = zip(imported.inputs, sorts, strict=True)
    counts = [(name, sort.size) for (name, _), sort in given if isinstance(sort, Index)]
    return tuple(each for each in counts if each not in imported.vocabularies.items())


def copied(
    decl: NetworkDecl,
    imported: Imported,
    network: Network,
    made: Mapping[str, Wire],
    asked: Mapping[str, Change],
    alone: bool,
    env: Environment,
) -> dict[Wire, Wire]:
    """The wires of a network in the circuit that is being built."""
    values = {f"site {name}": name for name in asked}
    moved = dict[Wire, Wire]()

    def replaced(wire: Wire, op: Op) -> Wire | None:
        match op:
            case Input(name=name) if name in values:
                change, before = asked[values[name]], moved[network.before[values[name]]]
                batch = alone and values[name] not in imported.tensors
                changed = change(within(before, batch, env))
                return reshaped(changed, env.b.shape(before), env)
            case Input(name=name):
                return made[name]
            case Weight(key=tensor, shape=shape):
                kept = imported.kept(tensor, network.weights[tensor])
                return env.b.add(Weight(f"{key(decl)}/{kept}", shape))
            case _:
                return None

    ends = [*network.circuit.outputs.values(), *network.sites.values(), *network.before.values()]
    copy_live(network.circuit, env.b, replaced, ends, moved)
    return moved


def within(wire: Wire, alone: bool, env: Environment) -> Wire:
    """A value as the spec has it: of a batch of one, its only entry, where the spec has no batches."""
    shape = env.b.shape(wire)
    return reshaped(wire, shape[1:], env) if alone and shape[:1] == (1,) else wire


def reshaped(wire: Wire, shape: Shape, env: Environment) -> Wire:
    """The same entries in another shape."""
    return reindex(env.b, [wire], range(prod(shape)), shape)
