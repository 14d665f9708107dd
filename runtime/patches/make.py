"""Making a patch: solve at the inputs found so far, round, prove on the whole domain, go on.

What is proved is what is written: the change is rounded to the file's dtype before every proof,
and a patch whose last proof fails is never returned as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from time import monotonic
from typing import assert_never

import numpy as np

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck, silent
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.patching import PatchPlan
from circ.compiler.readings import clock
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.verdict import Proved, Refuted, Verdict
from circ.runtime.convex import Floats
from circ.runtime.norms import norms
from circ.runtime.patches.bound import Bound
from circ.runtime.patches.conflicts import (
    Inputs,
    Problem,
    Tight,
    no_room,
    out_of_range,
    without_room,
)
from circ.runtime.patches.edited import Edited, as_array, entries, moved
from circ.runtime.patches.edits import Late
from circ.runtime.patches.executed import executed
from circ.runtime.patches.forms import accounts, computed
from circ.runtime.patches.instances import Instances, NoSlack, instances, out_of_reach
from circ.runtime.patches.multipliers import bound
from circ.runtime.patches.outcomes import (
    Conflict,
    Failing,
    NotMade,
    OutOfReach,
    Patched,
    PatchResult,
)
from circ.runtime.patches.ranks import RankOf, ranks_asked, ranks_of
from circ.runtime.patches.receipt import Computed
from circ.runtime.patches.room import Seeker, rounded
from circ.runtime.patches.unknowns import Unknowns
from circ.runtime.prover import decide
from circ.runtime.verdicts import universal

ROUNDS = 100
PER_ROUND = 2000
"""Most failing inputs that one requirement contributes to a round, the worst first."""

TIGHT = 10
"""How many edits that leave no room are tried."""


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
    if any(each.residue == inf for each in told):
        return NotMade(
            plan, "what rounding leaves of what is computed is larger than any double", 0
        )
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


@dataclass(slots=True)
class Search:
    """An edit that is sought: the inputs looked at so far, and what was last found of them."""

    problem: Problem
    seeker: Seeker
    tight: int = 0
    """How many edits that leave no room were tried."""
    blocked: Inputs = ()
    """The inputs that left the last one of these none."""


def searched(given: Given) -> PatchResult:
    """A patch with an edit, which starts from what the forms compute."""
    tensors = {edit.key: given.weights[edit.key] for edit in given.plan.edits}
    try:
        search = begun(problem(given))
    except NoSlack as error:
        return NotMade(given.plan, str(error), 0)
    for round_number in range(ROUNDS):
        found = given.findings(tensors)
        ended = ending(given, search.problem, found, tensors, round_number)
        if ended is not None:
            return ended
        if not goes_on(search, found, tensors):
            return undone(search, round_number)
        inputs = count(search.problem.groups)
        given.progress(0.0, f"round {round_number + 1}: solving at {inputs} inputs")
        change = next_change(search, round_number + 1)
        if not isinstance(change, np.ndarray):
            return change
        try:
            tensors = stored(search, change, given.weights)
        except OverflowError as error:
            return too_large(search.problem, error, round_number + 1)
    return NotMade(given.plan, f"no edit was proved in {ROUNDS} rounds", ROUNDS)


def begun(problem: Problem) -> Search:
    """The search for an edit, at its beginning."""
    ranks = ranks_asked(problem.plan)
    return Search(problem, Seeker(problem.unknowns, ranks, problem.groups, problem.deadline))


def stored(search: Search, change: Floats, weights: Weights) -> dict[str, Tensor]:
    """The edited tensors as their files hold them; raises `OverflowError`. An edit that leaves no room is rounded as it is."""
    if search.tight:
        return rounded(search.problem.unknowns, change, weights)
    return search.seeker.stored(change, weights)


def goes_on(search: Search, found: Sequence[Finding], tensors: Mapping[str, Tensor]) -> bool:
    """Whether these findings give something to seek another edit by: new inputs, else more room where rounding undid this one."""
    if added(search.problem.groups, found):
        return True
    return not search.tight and search.seeker.more_room(tensors)


def problem(given: Given) -> Problem:
    """What is sought, with no inputs yet; raises `NoSlack`."""
    plan, weights, before = given.plan, given.weights, given.with_edit({})
    free = {edit.key: entries(edit, weights[edit.key].shape) for edit in plan.edits}
    start = {key: as_array(weights[key]) for key in free}
    groups = [instances(each, tuple(free), before) for each in given.obligations]
    return Problem(plan, before, Unknowns(start, free, plan.minimize), groups, given.deadline)


def ending(
    given: Given,
    problem: Problem,
    found: Sequence[Finding],
    tensors: Mapping[str, Tensor],
    rounds: int,
) -> PatchResult | None:
    """What comes of a patch after these findings; None where the search goes on."""
    fixed = beyond(given, found, tuple(problem.unknowns.free), rounds)
    if fixed is not None:
        return fixed
    stopped = stops(found[-1])
    if stopped:
        return NotMade(given.plan, stopped, rounds)
    if not any(isinstance(f, Fails) for f in found):
        return finished(given, found, Solved(problem, tensors, rounds))
    return None


def next_change(search: Search, rounds: int) -> Floats | Conflict | NotMade:
    """A change that meets all inputs looked at, with room to spare if that is found."""
    asked = search.problem
    ranks, change = search.seeker.ranks, search.seeker.change()
    if isinstance(change, np.ndarray):
        return change
    if isinstance(change, Late):
        return NotMade(asked.plan, "time ran out while an edit was solved for", rounds)
    if change is None and (ranks or len(asked.convex) < len(asked.groups)):
        return NotMade(asked.plan, unsettled(ranks), rounds)
    found = without_room(asked, () if change is None else change.instances, rounds)
    if not isinstance(found, Tight):
        return found
    search.tight, search.blocked = search.tight + 1, found.inputs
    return found.change if search.tight <= TIGHT else undone(search, rounds)


def too_large(problem: Problem, error: OverflowError, rounds: int) -> Conflict | NotMade:
    """An edit that the file's dtype does not hold."""
    reason = f"the edit cannot be stored: {error}"
    return out_of_range(problem, rounds) or NotMade(problem.plan, reason, rounds)


def undone(search: Search, rounds: int) -> NotMade:
    """An edit that is none any more once it is rounded."""
    if not search.tight:
        reason = "rounding to the file's dtype undoes the edit"
        return NotMade(search.problem.plan, reason, rounds)
    how = " one without does not survive rounding to the file's dtype,"
    return no_room(search.problem, search.blocked, "", rounds, how)


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

    problem: Problem
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
        return NotMade(plan, idle, rounds, vacuous=True)
    sized = edited or now.changed
    change = np.concatenate([moved(given.weights[key], sized[key]).ravel() for key in sized])
    size = norms(change)
    if not all(map(isfinite, size.values())):
        return NotMade(plan, "the change is larger than any double", rounds)
    return Patched(
        plan,
        now.changed,
        given.computed,
        settled,
        rounds,
        0 if done is None else count(done.problem.groups),
        size,
        int(np.count_nonzero(change)),
        None if done is None else least_edit(done),
        () if done is None else ranks_reached(given, done),
        executed(looked_at(given, done), now, given.deadline),
    )


def looked_at(given: Given, done: Solved | None) -> list[tuple[Obligation, Sequence[Witness]]]:
    """Each requirement, with the inputs of it that were looked at."""
    if done is None:
        return [(obligation, ()) for obligation in given.obligations]
    return [(group.obligation, group.witnesses) for group in done.problem.groups]


def least_edit(done: Solved) -> Bound:
    """How small an edit of what is computed could be at least."""
    after = {key: as_array(tensor) for key, tensor in done.tensors.items()}
    asked = done.problem
    return bound(asked.plan, asked.weights, asked.unknowns, asked.groups, after, asked.deadline)


def ranks_reached(given: Given, done: Solved) -> tuple[RankOf, ...]:
    """How near the changes of some matrices are to the ranks that they may have."""
    start = done.problem.unknowns.start
    changes = {key: as_array(tensor) - start[key] for key, tensor in done.tensors.items()}
    return ranks_of(ranks_asked(given.plan), changes)


def says_nothing(plan: PatchPlan, settled: Iterable[tuple[Obligation, Verdict]]) -> str:
    """Which `require` no input is asked about, in words; empty where each is proved of some. Without any, which `preserve`."""
    said = {obligation.name for obligation, verdict in settled if isinstance(verdict, Proved)}
    asked = plan.require or plan.preserve
    idle = [obligation.name for obligation in asked if obligation.name not in said]
    return f"{idle[0]} says nothing: no input meets its assumptions" if idle else ""
