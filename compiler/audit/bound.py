"""A claim to be gone through by its inputs: its conditions and its goal, and where each binder stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from circ.compiler.audit.entries import Letter, entries
from circ.compiler.audit.plan import Plan, planned, reduced
from circ.compiler.audit.rejected import require
from circ.compiler.ir import Index
from circ.compiler.obligation import Obligation, Words
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The nodes of a claim, those of its conditions and its goal, and the axes of each binder."""

    plan: Plan
    conditions: tuple[int, ...]
    goal: int
    binders: Mapping[str, range]

    @property
    def roots(self) -> tuple[int, ...]:
        """What has to be known."""
        return (*self.conditions, self.goal)


def asked(obligation: Obligation, weights: Weights) -> Asked:
    """A claim as it is put to inputs; raises `Rejected` for one about more than its binders."""
    circuit = obligation.circuit
    bounds = {bound.name: bound for bound in obligation.binders}
    require(not obligation.quantities, "it is about numbers of inputs")
    require({*circuit.inputs} <= {*bounds}, "it reads more than its binders")
    wires = [circuit.outputs[name] for name in (*obligation.conditions, "goal")]
    nodes, found = entries(circuit, wires)
    parts, places = reduced(nodes, weights)
    binders: dict[str, range] = {}
    sizes: list[int] = []
    for name in (*circuit.inputs, *(name for name in bounds if name not in circuit.inputs)):
        bound = bounds[name]
        sort = bound.type.sort
        side = sort.size if isinstance(sort, Index) and isinstance(bound.values, Words) else 0
        binders[name] = range(len(sizes), len(sizes) + bound.type.entries)
        sizes.extend([side] * bound.type.entries)
    leaves = {k: node.position for k, node in enumerate(parts.nodes) if isinstance(node, Letter)}
    plan = planned(parts.nodes, parts.real, leaves, sizes)
    *conditions, goal = [places[found[wire][0]] for wire in wires]
    return Asked(plan, tuple(conditions), goal, binders)


def whole_domain(claim: Asked) -> int:
    """How many inputs there are, whatever their conditions; raises `Rejected` for real numbers."""
    require(all(claim.plan.sizes), "it is about real numbers")
    return prod(claim.plan.sizes)
