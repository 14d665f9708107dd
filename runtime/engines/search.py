"""Search for a counterexample: random inputs, corners, and descent on the goal's slack.

Floats only propose: an input is returned if the exact reference confirms it. What is not found here
may still exist. The descent is projected gradient descent with a shrinking step (Madry et al.,
arXiv:1706.06083), on the slack of the goal where the conditions hold and on theirs where they do
not; words climb by changing letters.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from math import inf

import torch
from torch import Tensor

from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.ir import Wire
from circ.compiler.margin import surrogate, with_slack
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings.reference import Value, constants
from circ.compiler.readings.torch import CircuitModule, module, whole_numbers
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.runtime.engines.ground import Batch, Ground, ground

ROUNDS = 16
ROWS = 256
STEPS = 40
MEMORY = 2**25
"""Most entries of all wires together, over a batch."""

CONFIRMATIONS = 8
"""Most exact evaluations a round: each may take long."""

FIRST_STEP, SHRINKING = 0.25, 0.88
"""Of the box's width, the first step, and the ratio of one step to the one before."""

NEARLY = 1e-2
"""How far a row may be from meeting the conditions and still be worth rounding."""


def search(
    obligation: Obligation,
    weights: Weights,
    limits: Limits,
    progress: Progress = silent,
    seed: int = 0,
) -> Witness | None:
    """An input that meets the conditions and misses the goal, confirmed exactly, if one is found.

    Deterministic for a seed, unless `limits.timeout` seconds cut it short.
    """
    deadline = time.monotonic() + limits.timeout
    where = ground(obligation.binders, seed)
    hunt = Hunt(obligation, weights, where, referee(obligation, weights), deadline)
    for number, batch in enumerate(hunt.starts()):
        for step, moved in enumerate(hunt.descent(batch)):
            share = (number + step / STEPS) / (ROUNDS + 1)
            progress(share, "searching for a counterexample")
            batch = moved
            if hunt.late:
                break
        found = hunt.confirmed(batch)
        if found is not None or hunt.late:
            return found
    return None


# --- judging --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Slacks:
    """For each row, by floats: `refutes`, and how much is lacking to that.

    `aim` is the goal's slack (to be driven below 0); `room` is the conditions' least (above 0).
    """

    refutes: Tensor
    aim: Tensor
    room: Tensor

    @property
    def cost(self) -> Tensor:
        """Ranks rows: those that refute first, then by what is lacking."""
        lacking = (-self.room).clamp_min(0)
        cost = torch.where(lacking > 0, lacking.clamp_max(1e6) + 1e6, self.aim.clamp(-1e6, 1e6))
        return torch.where(self.refutes, cost.clamp_max(0) - 1e7, cost).nan_to_num(inf)


@dataclass(frozen=True, slots=True)
class Referee:
    """The obligation's outputs as a module in float64."""

    module: CircuitModule
    conditions: tuple[str, ...]
    rows: int

    def judge(self, inputs: Batch) -> Slacks:
        """The judgement on each row of inputs."""
        outputs = self.module(inputs)
        holds = torch.stack([outputs[name] for name in self.conditions]).all(0)
        fails = ~outputs["goal"]
        aim = outputs.get("slack goal", torch.where(fails, -1.0, 1.0).to(torch.float64))
        rooms = [
            outputs.get(f"slack {name}", torch.where(outputs[name], 1.0, -1.0).to(torch.float64))
            for name in self.conditions
        ]
        room = torch.stack(rooms).amin(0)
        return Slacks(holds & fails, aim, torch.where(holds, room.clamp_min(0), room))


def referee(obligation: Obligation, weights: Weights) -> Referee:
    """The referee of an obligation."""
    names = (*obligation.conditions, "goal")
    circuit = with_slack(obligation.circuit, names, surrogate)
    judged = module(circuit, weights, torch.float64).requires_grad_(False)
    entries = sum(circuit.types[wire].entries for wire in judged.wires)
    return Referee(judged, obligation.conditions, max(8, min(ROWS, MEMORY // (entries + 1))))


# --- hunting --------------------------------------------------------------------------------


@dataclass(slots=True)
class Hunt:
    """A search under way; `anchor` is the input with the most room so far.

    `known` are the exact values that no input changes, once one is needed.
    """

    obligation: Obligation
    weights: Weights
    ground: Ground
    referee: Referee
    deadline: float
    anchor: Batch | None = None
    anchor_room: float = 0.0
    known: dict[Wire, Value] = field(default_factory=dict[Wire, Value])

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.deadline

    def starts(self) -> Iterator[Batch]:
        """The batch that each round starts from."""
        yield self.ground.corners()
        for _ in range(ROUNDS):
            yield self.ground.start(self.referee.rows)

    def descent(self, batch: Batch) -> Iterator[Batch]:
        """The best inputs that each row has been at, after each step."""
        best, step = batch, FIRST_STEP
        best_cost = self.judge(best).cost
        for _ in range(STEPS):
            batch = self.stepped(batch, step)
            cost = self.judge(batch).cost
            best_cost, best = torch.minimum(cost, best_cost), choose(cost <= best_cost, batch, best)
            if self.ground.words:
                batch = best
            step *= SHRINKING
            yield best

    def judge(self, batch: Batch) -> Slacks:
        """The judgement on a batch; the anchor is moved where there is more room."""
        with torch.no_grad():
            seen = self.referee.judge(self.ground.inputs(batch))
        most = int(seen.room.nan_to_num(-inf).argmax())
        if float(seen.room[most]) > self.anchor_room:
            self.anchor_room = float(seen.room[most])
            self.anchor = rows(batch, torch.tensor([most]))
        return seen

    def stepped(self, batch: Batch, step: float) -> Batch:
        """One step of every row: down the goal's slack, up the conditions' where one is missed."""
        moved = self.ground.mutated(batch)
        names = list(self.ground.fields)
        if not names:
            return moved
        shares = [moved[name].clone().requires_grad_() for name in names]
        seen = self.referee.judge(self.ground.inputs(moved | dict(zip(names, shares, strict=True))))
        down = slopes(-seen.aim, shares)
        up = slopes(seen.room, shares)
        outside = seen.room.detach() <= 0
        for name, share, goal, condition in zip(names, shares, down, up, strict=True):
            missed = outside.reshape(-1, *[1] * (share.dim() - 1))
            direction = torch.where(missed, 0.25 * goal + condition, goal)
            moved[name] = (share.detach() + step * direction).clamp(0, 1)
        return moved

    def confirmed(self, batch: Batch) -> Witness | None:
        """An exact counterexample near the best rows, the shortest numbers first."""
        batch = self.repaired(batch)
        seen = self.judge(batch)
        worth = seen.refutes | ((seen.aim <= NEARLY) & (seen.room >= -NEARLY))
        order = seen.cost.argsort()
        picked = order[worth[order]][:CONFIRMATIONS]
        if len(picked) == 0:
            return None
        proposals = self.ground.candidates(rows(batch, picked))
        with torch.no_grad():
            likely = self.referee.judge(self.ground.batch_of(proposals)).refutes
        hopeful = [proposals[i] for i in whole_numbers(likely.nonzero())] or proposals[-1:]
        for witness in islice(dict.fromkeys(hopeful), CONFIRMATIONS):
            self.known = self.known or constants(self.obligation.circuit, self.weights)
            if trial(self.obligation, self.weights, witness, known=self.known).refutes:
                return witness
            if self.late:
                break
        return None

    def repaired(self, batch: Batch) -> Batch:
        """The batch, and its best row outside the domain drawn towards the anchor."""
        if self.anchor is None or not self.ground.fields:
            return batch
        seen = self.judge(batch)
        outside = (seen.room <= 0) & (seen.aim < 0)
        if not bool(outside.any()):
            return batch
        best = torch.where(outside, seen.aim, inf).argmin()
        shares = torch.linspace(0, 1, 33, dtype=torch.float64)
        drawn = rows(batch, best.expand(len(shares)))
        for name in self.ground.fields:
            share = shares.reshape(-1, *[1] * (drawn[name].dim() - 1))
            drawn[name] = drawn[name] * (1 - share) + self.anchor[name] * share
        return {name: torch.cat([batch[name], drawn[name]]) for name in batch}


def slopes(height: Tensor, places: list[Tensor]) -> list[Tensor]:
    """The uphill direction of each row, scaled so that its largest entry is 1."""
    if not height.requires_grad:
        return [torch.zeros_like(place) for place in places]
    found = torch.autograd.grad(
        height.sum(), places, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    steepest = [slope.nan_to_num(0, 0, 0).reshape(len(slope), -1) for slope in found]
    size = torch.cat(steepest, 1).abs().amax(1, keepdim=True).clamp_min(1e-30)
    pairs = zip(steepest, places, strict=True)
    return [(slope / size).reshape(place.shape) for slope, place in pairs]


def choose(first: Tensor, batch: Batch, other: Batch) -> Batch:
    """Rows of `batch` where `first` holds, of `other` elsewhere."""
    return {
        name: torch.where(first.reshape(-1, *[1] * (value.dim() - 1)), value, other[name])
        for name, value in batch.items()
    }


def rows(batch: Batch, picked: Tensor) -> Batch:
    """The rows picked."""
    return {name: value[picked] for name, value in batch.items()}
