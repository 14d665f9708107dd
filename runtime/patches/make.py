"""Making a patch: solve at the inputs found so far, round, prove on the whole domain, go on.

What is proved is what is written: the change is rounded to the file's dtype before every proof,
and a patch whose last proof fails is never returned as one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import assert_never

import numpy as np

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck, silent
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.patching import Norm, PatchPlan
from circ.compiler.readings import clock
from circ.compiler.rounding import round_to_dtype
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.verdict import Proved, Refuted, Verdict
from circ.runtime.convex import Floats
from circ.runtime.norms import norms
from circ.runtime.patches.bound import Bound
from circ.runtime.patches.conflicts import stray
from circ.runtime.patches.edited import Edited, as_array, entries, moved
from circ.runtime.patches.edits import Begun, Infeasible, Late
from circ.runtime.patches.forms import accounts, computed
from circ.runtime.patches.instances import Instances, NoSlack, instances, out_of_reach
from circ.runtime.patches.multipliers import bound
from circ.runtime.patches.ranks import RankOf, ranks_asked, ranks_of, solve
from circ.runtime.patches.receipt import Computed
from circ.runtime.patches.unknowns import Unknowns
from circ.runtime.prover import decide
from circ.runtime.verdicts import universal

ROUNDS = 100
PER_ROUND = 2000
"""Most failing inputs that one requirement contributes to a round, the worst first."""


@dataclass(frozen=True, slots=True)
class Patched:
    """A proved patch: the tensors as they are to be stored, and every requirement's verdict."""

    plan: PatchPlan
    tensors: Mapping[str, Tensor]
    """By key, `m/blocks.0.mlp.W_out`."""
    computed: tuple[Computed, ...]
    verdicts: tuple[tuple[Obligation, Verdict], ...]
    rounds: int
    instances: int
    norms: Mapping[Norm, float]
    """Of the change of all edited tensors together; where none is edited, of all that are computed."""
    entries: int
    """How many of these changed."""
    bound: Bound | None
    """Below which size no edit does it, in the norm of the plan; None where nothing is edited."""
    ranks: tuple[RankOf, ...]
    """Of the changes of those matrices that may have a rank only."""


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


@dataclass(frozen=True, slots=True)
class Failing:
    """Requirements some of which do not hold of what is computed, where nothing else may be changed."""

    plan: PatchPlan
    verdicts: tuple[tuple[Obligation, Verdict], ...]
    computed: tuple[Computed, ...]
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Requirements that do not hold and that the edited tensors do not reach: no edit of these meets them."""

    plan: PatchPlan
    verdicts: tuple[tuple[Obligation, Verdict], ...]
    rounds: int = 0


PatchResult = Patched | Conflict | Failing | OutOfReach | NotMade


def make_patch(
    plan: PatchPlan, weights: Weights, limits: Limits | None = None, progress: Progress = silent
) -> PatchResult:
    """What the forms of a plan compute and an edit, small in its norm, with which every `require` and `preserve` is proved."""
    limits = limits or Limits()
    deadline = monotonic() + limits.timeout
    try:
        with clock.until(deadline):
            formed = computed(plan.forms, weights)
            told = accounts(plan.forms, Edited(weights, formed))
    except OverflowError as error:
        return NotMade(plan, f"what is computed cannot be stored: {error}", 0)
    except clock.TimeUp:
        return NotMade(plan, "time ran out while its forms were computed", 0)
    given = Given(plan, weights, formed, told, limits, deadline, progress)
    return searched(given) if plan.edits else as_computed(given)


@dataclass(frozen=True, slots=True)
class Given:
    """A plan, the checkpoint as it was, what the forms make of it, what is told of them, and what may be spent on an edit."""

    plan: PatchPlan
    weights: Weights
    formed: Mapping[str, Tensor]
    computed: tuple[Computed, ...]
    limits: Limits
    deadline: float
    progress: Progress

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What must hold."""
        return (*self.plan.require, *self.plan.preserve)

    def with_edit(self, tensors: Mapping[str, Tensor]) -> Edited:
        """The checkpoint with what the forms make of it, and an edit."""
        return Edited(self.weights, {**self.formed, **tensors})

    def findings(self, tensors: Mapping[str, Tensor]) -> list[Finding]:
        """What is found of each requirement with an edit."""
        now = self.with_edit(tensors)
        return findings(self.obligations, now, self.limits, self.deadline, self.progress)


def as_computed(given: Given) -> PatchResult:
    """A patch without an edit: what the forms compute, if everything holds of it."""
    found = given.findings({})
    if not any(isinstance(each, Fails) for each in found):
        stopped = stops(found[-1])
        return NotMade(given.plan, stopped, 0) if stopped else finished(given, found, None)
    now = given.with_edit({})
    verdicts = [(o, universal(o, now, f)) for o, f in zip(given.obligations, found, strict=False)]
    return Failing(given.plan, tuple(verdicts), given.computed)


def searched(given: Given) -> PatchResult:
    """A patch with an edit, which starts from what the forms compute."""
    plan, weights, deadline = given.plan, given.weights, given.deadline
    keys = [edit.key for edit in plan.edits]
    tensors = {key: weights[key] for key in keys}
    free = {edit.key: entries(edit, weights[edit.key].shape) for edit in plan.edits}
    start = {key: as_array(tensor) for key, tensor in tensors.items()}
    unknowns, ranks = Unknowns(start, free, plan.minimize), ranks_asked(plan)
    begun = Begun()
    try:
        groups = [instances(each, keys, given.with_edit({})) for each in given.obligations]
    except NoSlack as error:
        return NotMade(plan, str(error), 0)
    for round_number in range(ROUNDS):
        found = given.findings(tensors)
        fixed = beyond(given, found, keys, round_number)
        if fixed is not None:
            return fixed
        stopped = stops(found[-1])
        if stopped:
            return NotMade(plan, stopped, round_number)
        if not any(isinstance(f, Fails) for f in found):
            return finished(given, found, Solved(unknowns, groups, tensors, round_number))
        if not added(groups, found):
            return NotMade(plan, "rounding to the file's dtype undoes the edit", round_number)
        given.progress(0.0, f"round {round_number + 1}: solving at {count(groups)} inputs")
        change = solve(unknowns, ranks, groups, deadline, begun)
        if isinstance(change, Late):
            return NotMade(plan, "time ran out while an edit was solved for", round_number + 1)
        if isinstance(change, Infeasible):
            return conflict(given, change, round_number + 1)
        if change is None:
            return NotMade(plan, unsettled(ranks), round_number + 1)
        try:
            tensors = rounded(unknowns, change, weights)
        except OverflowError as error:
            return NotMade(plan, f"the edit cannot be stored: {error}", round_number + 1)
    return NotMade(plan, f"no edit was proved in {ROUNDS} rounds", ROUNDS)


def beyond(
    given: Given, found: Sequence[Finding], keys: Sequence[str], rounds: int
) -> OutOfReach | NotMade | None:
    """What is said where a requirement fails whatever these tensors are; None where none does."""
    now = given.with_edit({})
    verdicts = [
        (obligation, universal(obligation, now, finding))
        for obligation, finding in zip(given.obligations, found, strict=False)
        if isinstance(finding, Fails) and out_of_reach(obligation, keys)
    ]
    refuted = tuple((o, verdict) for o, verdict in verdicts if isinstance(verdict, Refuted))
    if verdicts and not refuted:
        title = verdicts[0][0].title
        return NotMade(given.plan, f"{title}, which no edit reaches, was not decided", rounds)
    return OutOfReach(given.plan, refuted, rounds) if refuted else None


def conflict(given: Given, found: Infeasible, rounds: int) -> Conflict | NotMade:
    """What stands in the way, once the exact reference says that each input counts."""
    keys, before = [edit.key for edit in given.plan.edits], given.with_edit({})
    try:
        with clock.until(given.deadline):
            wrong = stray(found.instances, given.obligations, keys, before)
    except clock.TimeUp:
        return NotMade(given.plan, "time ran out while a conflict was looked into", rounds)
    if wrong:
        return NotMade(given.plan, f"an input of {wrong} was found that may not count", rounds)
    return Conflict(given.plan, found.instances, rounds)


def unsettled(ranks: Mapping[str, int]) -> str:
    """Why no edit was found, though none was found to be impossible."""
    if ranks:
        return f"no edit was found with a change of rank {', '.join(map(str, ranks.values()))}"
    return "the search for an edit did not settle"


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
    given: Given,
    found: Sequence[Finding],
    done: Solved | None,
) -> PatchResult:
    """A patch, unless a requirement turns out to say nothing; `done` is None where nothing was searched for."""
    edited: Mapping[str, Tensor] = {} if done is None else done.tensors
    plan, now, rounds = given.plan, given.with_edit(edited), 0 if done is None else done.rounds
    verdicts = [
        universal(obligation, now, finding)
        for obligation, finding in zip(given.obligations, found, strict=True)
    ]
    settled = tuple(zip(given.obligations, verdicts, strict=True))
    idle = says_nothing(plan, settled)
    if idle:
        return NotMade(plan, idle, rounds)
    sized = edited or now.changed
    change = np.concatenate([moved(given.weights[key], sized[key]).ravel() for key in sized])
    return Patched(
        plan,
        now.changed,
        given.computed,
        settled,
        rounds,
        0 if done is None else count(done.groups),
        norms(change),
        int(np.count_nonzero(change)),
        None if done is None else least_edit(given, done),
        () if done is None else ranks_reached(given, done),
    )


def least_edit(given: Given, done: Solved) -> Bound:
    """How small an edit of what is computed could be at least."""
    after = {key: as_array(tensor) for key, tensor in done.tensors.items()}
    before = given.with_edit({})
    return bound(given.plan, before, done.unknowns, done.groups, after, given.deadline)


def ranks_reached(given: Given, done: Solved) -> tuple[RankOf, ...]:
    """How near the changes of some matrices are to the ranks that they may have."""
    start = done.unknowns.start
    changes = {key: as_array(tensor) - start[key] for key, tensor in done.tensors.items()}
    return ranks_of(ranks_asked(given.plan), changes)


def says_nothing(plan: PatchPlan, settled: Iterable[tuple[Obligation, Verdict]]) -> str:
    """Which `require` no input is asked about, in words; empty where each is proved of some. Without any, which `preserve`."""
    said = {obligation.name for obligation, verdict in settled if isinstance(verdict, Proved)}
    asked = plan.require or plan.preserve
    idle = [obligation.name for obligation in asked if obligation.name not in said]
    return f"{idle[0]} says nothing: no input meets its assumptions" if idle else ""


def rounded(unknowns: Unknowns, change: Floats, weights: Weights) -> dict[str, Tensor]:
    """The edited tensors as their files can hold them; raises `OverflowError` where they cannot."""
    tensors: dict[str, Tensor] = {}
    for key, values in unknowns.at(change).items():
        stored = weights[key]
        kept: array[float] = round_to_dtype(values.ravel().tolist(), stored.dtype)
        tensors[key] = Tensor(stored.shape, stored.dtype, kept)
    return tensors
