"""A requirement at the inputs found so far: how far each is from holding, as a function of weights.

What an edit cannot change is computed once an input, in float64; only the rest is evaluated as the
weights move. Slacks guide the solver; the proof afterwards does not depend on them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from circ.compiler.freeze import concave, freeze
from circ.compiler.margin import surrogate, with_slack
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings.torch import CircuitModule, module
from circ.compiler.tensor import Weights
from circ.runtime.replay import batch_of

Floats = NDArray[np.float64]


class NoSlack(Exception):
    """A requirement whose goal gives a solver nothing to follow."""


@dataclass(slots=True)
class Instances:
    """The inputs at which one requirement must hold; `keys` are the edited tensors, in order."""

    obligation: Obligation
    keys: tuple[str, ...]
    before: CircuitModule
    after: CircuitModule
    convex: bool
    witnesses: list[Witness] = field(default_factory=list[Witness])
    frozen: dict[str, torch.Tensor] = field(default_factory=dict[str, torch.Tensor])

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
        return len(new)

    def slacks(self, tensors: Mapping[str, Floats]) -> Floats:
        """How far each instance is from failing at these weights; negative where it fails."""
        if not self.witnesses:
            return np.zeros(0)
        self.load(tensors)
        with torch.no_grad():
            return self.slack(slice(None)).numpy().copy()

    def gradients(self, tensors: Mapping[str, Floats], rows: Sequence[int]) -> Floats:
        """[rows, unknowns]: the gradient of each row's slack by the edited tensors, end to end."""
        self.load(tensors)
        parameters = [self.after.parameter_of(key) for key in self.keys]
        if not parameters:
            return np.zeros((len(rows), 0))
        slack = self.slack(torch.tensor(rows))
        found: list[Floats] = []
        for i in range(len(rows)):
            parts = torch.autograd.grad(
                slack[i], parameters, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            found.append(np.concatenate([part.numpy().ravel() for part in parts]))
        return np.array(found)

    def slack(self, rows: slice | torch.Tensor) -> torch.Tensor:
        """The slack of some instances, at the weights loaded."""
        inputs = {name: value[rows] for name, value in self.frozen.items()}
        return self.after.forward(inputs)["slack goal"]

    def load(self, tensors: Mapping[str, Floats]) -> None:
        """Put weights into the part that moves."""
        with torch.no_grad():
            for key in self.keys:
                self.after.parameter_of(key).copy_(torch.as_tensor(tensors[key]))


def instances(obligation: Obligation, keys: Sequence[str], weights: Weights) -> Instances:
    """No inputs yet; raises `NoSlack` where the goal has no slack to follow."""
    read = tuple(key for key in keys if key in obligation.circuit.weights)
    cut = freeze(obligation.circuit, read)
    followed = with_slack(cut.after, ["goal"], surrogate)
    if "slack goal" not in followed.outputs:
        raise NoSlack(f"the goal of {obligation.name} compares nothing that weights move smoothly")
    before = module(cut.before, weights, torch.float64)
    after = module(followed, weights, torch.float64)
    return Instances(obligation, read, before, after, concave(cut.after, read))
