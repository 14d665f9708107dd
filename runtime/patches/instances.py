"""A requirement at the inputs found so far: how far each is from holding, as a function of weights.

What an edit cannot change is computed once an input, in float64; only the rest is evaluated as the
weights move. Slacks guide the solver; the proof afterwards does not depend on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from circ.compiler.builder import Builder, reindex
from circ.compiler.conjuncts import with_conjuncts
from circ.compiler.freeze import concave, freeze, in_jumps, reached
from circ.compiler.ir import Circuit, Input, Op, Real, Weight, Wire, WireType
from circ.compiler.margin import surrogate, with_slack
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings.torch import CircuitModule, module
from circ.compiler.rewrite import rewrite
from circ.compiler.tensor import Weights
from circ.runtime.convex import Floats
from circ.runtime.replay import batch_of


class NoSlack(Exception):
    """A requirement whose goal gives a solver nothing to follow."""


@dataclass(slots=True)
class Instances:
    """The inputs at which one requirement must hold; `keys` are the edited tensors, in order.

    `after` has the one output `slack`: what is not to be negative, several numbers an input where the problem is convex
    (`conjuncts`), else one.
    """

    obligation: Obligation
    keys: tuple[str, ...]
    before: CircuitModule
    after: CircuitModule
    convex: bool
    witnesses: list[Witness] = field(default_factory=list[Witness])
    frozen: dict[str, torch.Tensor] = field(default_factory=dict[str, torch.Tensor])
    room: list[float] = field(default_factory=list[float])
    """How much slack more than others each instance is asked for, so that it still holds once an edit is rounded."""

    def add(self, witnesses: Sequence[Witness]) -> int:
        """Require the goal at these inputs too; how many of them are new."""
        known = set(self.witnesses)
        new = [witness for witness in dict.fromkeys(witnesses) if witness not in known]
        if new:
            with torch.no_grad():
                values = self.before.forward(batch_of(self.obligation.binders, new, torch.float64))
            for name, value in values.items():
                rows = value.expand(len(new), *value.shape[1:])
                kept = self.frozen.get(name)
                self.frozen[name] = rows if kept is None else torch.cat([kept, rows])
            self.witnesses.extend(new)
            self.room.extend([0.0] * len(new))
        return len(new)

    def slacks(self, tensors: Mapping[str, Floats]) -> Floats:
        """How far each instance is from failing at these weights; negative where it fails."""
        least: Floats = self.parts(tensors).min(axis=1)
        return least

    def parts(self, tensors: Mapping[str, Floats]) -> Floats:
        """[instances, parts]: the numbers whose least is the slack of each instance."""
        if not self.witnesses:
            return np.zeros((0, 1))
        edited = {key: torch.as_tensor(tensors[key])[None] for key in self.keys}
        with torch.no_grad():
            return self.after.forward({**self.frozen, **edited})["slack"].numpy().copy()

    def gradients(
        self, tensors: Mapping[str, Floats], rows: Sequence[int], parts: Sequence[int]
    ) -> Floats:
        """[rows, unknowns]: the gradient of one part of each row by the edited tensors, end to end."""
        picked = torch.tensor(rows)
        inputs = {name: value[picked] for name, value in self.frozen.items()}
        edited = [repeated(tensors[key], len(rows)) for key in self.keys]
        if not edited:
            return np.zeros((len(rows), 0))
        slack = self.after.forward({**inputs, **dict(zip(self.keys, edited, strict=True))})["slack"]
        total = slack.gather(1, torch.tensor(parts)[:, None]).sum()
        if not total.requires_grad:
            return np.zeros((len(rows), sum(tensors[key].size for key in self.keys)))
        found = torch.autograd.grad(total, edited, allow_unused=True, materialize_grads=True)
        return np.concatenate([part.numpy().reshape(len(rows), -1) for part in found], axis=1)


def repeated(tensor: Floats, times: int) -> torch.Tensor:
    """[times, *shape]: a copy for each instance, so that one pass gives each its own gradient."""
    copies = torch.as_tensor(tensor).expand(times, *tensor.shape).clone()
    return copies.requires_grad_()


def instances(obligation: Obligation, keys: Sequence[str], weights: Weights) -> Instances:
    """No inputs yet; raises `NoSlack` where the goal has no slack to follow, unless no edit reaches it anyway."""
    idle = out_of_reach(obligation, keys)
    read = tuple(key for key in keys if not idle and key in obligation.circuit.weights)
    cut = freeze(obligation.circuit, read)
    followed = with_slack(cut.after, ["goal"], surrogate)
    stepped = "slack goal" not in followed.outputs or in_jumps(followed, "slack goal", read)
    if stepped and not idle:
        raise NoSlack(f"the goal of {obligation.name} compares nothing that weights move smoothly")
    convex = concave(cut.after, read)
    before = module(cut.before, weights, torch.float64)
    looked_at = with_conjuncts(cut.after)[0] if convex else alone(followed)
    after = module(with_inputs(looked_at, read), weights, torch.float64)
    return Instances(obligation, read, before, after, convex)


def out_of_reach(obligation: Obligation, keys: Sequence[str]) -> bool:
    """Whether no change of these tensors changes the truth of an obligation, or of which inputs it speaks."""
    outputs = obligation.circuit.outputs
    asked = [name for name in ("goal", "assumed", *obligation.conditions) if name in outputs]
    return not reached(obligation.circuit, asked, keys)


def alone(circuit: Circuit) -> Circuit:
    """The slack of the goal, along an axis of one entry."""
    b = Builder(list(circuit.ops), list(circuit.types))
    slack = reindex(b, [circuit.outputs["slack goal"]], (0,), (1,))
    return b.circuit({"slack": slack})


def with_inputs(circuit: Circuit, keys: Sequence[str]) -> Circuit:
    """The circuit with these tensors as inputs, under their keys."""
    b = Builder()

    def opened(_wire: Wire, op: Op) -> Wire | None:
        match op:
            case Weight(key=key, shape=shape) if key in keys:
                return b.add(Input(key, WireType(Real(), shape)))
            case _:
                return None

    return rewrite(circuit, b, opened, circuit.outputs)
