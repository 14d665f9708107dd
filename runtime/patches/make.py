"""Making a patch: solve at the inputs found so far, round, prove on the whole domain, go on.

What is proved is what is written: the change is rounded to the file's dtype before every proof,
and a patch whose last proof fails is never returned as one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from time import monotonic
from typing import assert_never

import numpy as np

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck, silent
from circ.compiler.ir import Shape
from circ.compiler.lower.claims import EditedTensor, PatchPlan
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.rounding import round_to_dtype
from circ.compiler.tensor import Tensor, Weights, as_stored
from circ.compiler.verdict import Proved, Verdict
from circ.runtime.convex import Floats, Indices, Norm
from circ.runtime.patches.bound import Bound
from circ.runtime.patches.edits import Infeasible, Late, Unknowns, solve
from circ.runtime.patches.instances import Instances, NoSlack, instances
from circ.runtime.patches.multipliers import bound
from circ.runtime.prover import decide, universal

ROUNDS = 100
PER_ROUND = 2000
"""Most failing inputs that one requirement contributes to a round, the worst first."""


@dataclass(frozen=True, slots=True)
class Patched:
    """A proved patch: the tensors as they are to be stored, and every requirement's verdict."""

    plan: PatchPlan
    tensors: Mapping[str, Tensor]
    """By key, `m/blocks.0.mlp.W_out`."""
    verdicts: tuple[tuple[Obligation, Verdict], ...]
    rounds: int
    instances: int
    norms: Mapping[Norm, float]
    """Of the change of all tensors together."""
    entries: int
    """How many changed."""
    bound: Bound
    """Below which size no change does it, in the norm of the plan."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Requirements that no edit of these tensors was found to meet together, with the inputs."""

    plan: PatchPlan
    instances: tuple[tuple[str, Witness], ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class NotMade:
    """No patch, and why; nothing is known about whether one exists."""

    plan: PatchPlan
    reason: str
    rounds: int


PatchResult = Patched | Conflict | NotMade


@dataclass(frozen=True, slots=True)
class Edited(Mapping[str, Tensor]):
    """Weights with some tensors replaced; those of the unpatched version (`old …`) are kept."""

    base: Weights
    changed: Mapping[str, Tensor]

    def __getitem__(self, key: str) -> Tensor:
        return self.changed[key] if key in self.changed else self.base[as_stored(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.base)

    def __len__(self) -> int:
        return len(self.base)


def make_patch(
    plan: PatchPlan, weights: Weights, limits: Limits | None = None, progress: Progress = silent
) -> PatchResult:
    """An edit, small in the norm of the plan, with which every `require` and `preserve` is proved."""
    limits = limits or Limits()
    deadline = monotonic() + limits.timeout
    obligations = (*plan.require, *plan.preserve)
    keys = [edit.key for edit in plan.edits]
    tensors = {key: weights[key] for key in keys}
    free = {edit.key: entries(edit, weights[edit.key].shape) for edit in plan.edits}
    start = {key: as_array(tensor) for key, tensor in tensors.items()}
    unknowns = Unknowns(start, free, plan.minimize)
    try:
        groups = [instances(obligation, keys, weights) for obligation in obligations]
    except NoSlack as error:
        return NotMade(plan, str(error), 0)
    for round_number in range(ROUNDS):
        found = findings(obligations, Edited(weights, tensors), limits, deadline, progress)
        stopped = stops(found[-1])
        if stopped:
            return NotMade(plan, stopped, round_number)
        if not any(isinstance(f, Fails) for f in found):
            done = Solved(unknowns, groups, tensors, round_number)
            return finished(plan, obligations, found, weights, done, deadline)
        if not added(groups, found):
            return NotMade(plan, "rounding to the file's dtype undoes the edit", round_number)
        progress(0.0, f"round {round_number + 1}: solving at {count(groups)} inputs")
        change = solve(unknowns, groups, deadline)
        if isinstance(change, Late):
            return NotMade(plan, "time ran out while an edit was solved for", round_number + 1)
        if isinstance(change, Infeasible):
            return Conflict(plan, change.instances, round_number + 1)
        if change is None:
            return NotMade(plan, "the search for an edit did not settle", round_number + 1)
        try:
            tensors = rounded(unknowns, change, weights)
        except OverflowError as error:
            return NotMade(plan, f"the edit cannot be stored: {error}", round_number + 1)
    return NotMade(plan, f"no edit was proved in {ROUNDS} rounds", ROUNDS)


def findings(
    obligations: Sequence[Obligation],
    weights: Weights,
    limits: Limits,
    deadline: float,
    progress: Progress,
) -> list[Finding]:
    """What is found of each requirement on its whole domain; the first undecided one is the last."""
    found: list[Finding] = []
    for obligation in obligations:
        left = replace(limits, timeout=max(deadline - monotonic(), 0.0))
        found.append(decide(obligation, weights, left, progress))
        if stops(found[-1]):
            break
    return found


def stops(finding: Finding) -> str:
    """Why nothing further is asked after this finding; empty where something may be."""
    match finding:
        case Stuck(reason=reason):
            return f"a requirement was not decided: {reason}"
        case Fails(interrupted=interrupted):
            return "interrupted" if interrupted else ""
        case Holds() | Empty():
            return ""
        case _:
            assert_never(finding)


def added(groups: Sequence[Instances], found: Sequence[Finding]) -> int:
    """Require the goals at the failing inputs too; how many are new."""
    new = 0
    for group, finding in zip(groups, found, strict=True):
        if isinstance(finding, Fails):
            new += group.add((finding.witness, *finding.failing[: PER_ROUND - 1]))
    return new


def count(groups: Sequence[Instances]) -> int:
    """How many inputs the solver looks at."""
    return sum(len(group.witnesses) for group in groups)


@dataclass(frozen=True, slots=True)
class Solved:
    """Tensors of which every requirement was proved, and the inputs that led to them."""

    unknowns: Unknowns
    groups: Sequence[Instances]
    tensors: Mapping[str, Tensor]
    rounds: int


def finished(
    plan: PatchPlan,
    obligations: Sequence[Obligation],
    found: Sequence[Finding],
    weights: Weights,
    done: Solved,
    deadline: float,
) -> PatchResult:
    """A patch, unless a requirement turns out to say nothing."""
    edited = Edited(weights, done.tensors)
    verdicts = [
        universal(obligation, edited, finding)
        for obligation, finding in zip(obligations, found, strict=True)
    ]
    settled = tuple(zip(obligations, verdicts, strict=True))
    idle = says_nothing(plan, settled)
    if idle:
        return NotMade(plan, idle, done.rounds)
    arrays = {key: as_array(tensor) for key, tensor in done.tensors.items()}
    change = np.concatenate([(arrays[key] - done.unknowns.start[key]).ravel() for key in arrays])
    before = Edited(weights, {})
    return Patched(
        plan,
        done.tensors,
        settled,
        done.rounds,
        count(done.groups),
        norms_of(change),
        int(np.count_nonzero(change)),
        bound(plan, before, done.unknowns, done.groups, arrays, deadline),
    )


def says_nothing(plan: PatchPlan, settled: Iterable[tuple[Obligation, Verdict]]) -> str:
    """Which `require` no input is asked about, in words; empty where each is proved of some."""
    said = {obligation.name for obligation, verdict in settled if isinstance(verdict, Proved)}
    idle = [obligation.name for obligation in plan.require if obligation.name not in said]
    return f"{idle[0]} says nothing: no input meets its assumptions" if idle else ""


def norms_of(change: Floats) -> dict[Norm, float]:
    """How large a change is."""
    absolute = np.abs(change)
    return {
        "l1": float(absolute.sum()),
        "l2": float(np.linalg.norm(change)),
        "linf": float(absolute.max(initial=0.0)),
    }


def entries(edit: EditedTensor, shape: Shape) -> Indices:
    """The offsets of the entries that a patch may change, in order."""
    offsets = np.arange(prod(shape)).reshape(shape)
    parts = [offsets[tuple(slice_of(place) for place in part)].ravel() for part in edit.parts]
    return np.unique(np.concatenate(parts))


def slice_of(place: int | range) -> int | slice:
    """A place as numpy takes it; a range here has the step 1."""
    return slice(place.start, place.stop) if isinstance(place, range) else place


def as_array(tensor: Tensor) -> Floats:
    """A tensor's values, exactly."""
    return np.frombuffer(tensor.values, dtype=np.float64).reshape(tensor.shape)


def rounded(unknowns: Unknowns, change: Floats, weights: Weights) -> dict[str, Tensor]:
    """The edited tensors as their files can hold them; raises `OverflowError` where they cannot."""
    tensors: dict[str, Tensor] = {}
    for key, values in unknowns.at(change).items():
        stored = weights[key]
        kept: array[float] = round_to_dtype(values.ravel().tolist(), stored.dtype)
        tensors[key] = Tensor(stored.shape, stored.dtype, kept)
    return tensors
