"""Where no edit with room to spare was found: what shows that there is none, or an edit that leaves no room.

Each input that is named is put to the exact reference before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from circ.compiler.freeze import dependent
from circ.compiler.ir import Circuit, Compare, Real, Wire
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.patching import PatchPlan
from circ.compiler.readings import clock
from circ.compiler.readings.choices import TRUE, Choices
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.tensor import Weights
from circ.compiler.trial import fits
from circ.runtime.convex import Floats
from circ.runtime.patches.bound import Unfounded
from circ.runtime.patches.edits import LEAST_SLACK
from circ.runtime.patches.excluded import excluded
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.no_margin import Contrary, Met, at_no_margin, named
from circ.runtime.patches.outcomes import Conflict, NotMade
from circ.runtime.patches.unknowns import Unknowns

Inputs = tuple[tuple[str, Witness], ...]
"""Requirements by title, each with an input."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An edit that is sought: `weights` are what it starts from, `groups` the inputs that were looked at."""

    plan: PatchPlan
    weights: Weights
    unknowns: Unknowns
    groups: Sequence[Instances]
    deadline: float

    @property
    def obligations(self) -> tuple[Obligation, ...]:
        """What must hold."""
        return (*self.plan.require, *self.plan.preserve)

    @property
    def convex(self) -> list[Instances]:
        """The requirements whose slack is concave in what is edited."""
        return [group for group in self.groups if group.convex]

    @property
    def ranked(self) -> bool:
        """Whether the change of some matrix has to be of a rank."""
        return any(edit.rank is not None for edit in self.plan.edits)


@dataclass(frozen=True, slots=True, eq=False)
class Tight:
    """An edit that meets all inputs that were looked at and leaves no room; these leave it none."""

    change: Floats
    inputs: Inputs


def without_room(problem: Problem, blocked: Inputs, rounds: int) -> Tight | Conflict | NotMade:
    """Where no edit with room to spare was found, for these inputs if they are known: one without, or a conflict."""
    groups, start = problem.convex, problem.unknowns.start
    found = at_no_margin(problem.unknowns, groups, start, 0.0, problem.deadline)
    why = conflict(problem, found, rounds) if isinstance(found, Contrary) else ""
    if isinstance(why, Conflict):
        return why
    if isinstance(found, Met):
        none_left = leaving_none(found, problem)
        shown = "" if none_left is None else conflict(problem, none_left, rounds)
        if isinstance(shown, Conflict):
            return shown
        if len(groups) == len(problem.groups) and not problem.ranked:
            inputs = () if none_left is None else inputs_of(none_left, groups)
            return Tight(found.change, blocked or inputs)
    bent = [group.obligation.title for group in problem.groups if not group.convex]
    if not why and monotonic() > problem.deadline:
        why = "the time was up"
    if bent and not why:
        why = f"the slack of {bent[0]} is not concave in what is edited"
    return no_room(problem, blocked, why, rounds)


def conflict(problem: Problem, found: Contrary, rounds: int) -> Conflict | str:
    """The conflict that exact arithmetic makes of a contradiction; else why it shows none."""
    held = found.factors > 0
    named_parts = named(found.rows, held.astype(int).tolist(), problem.convex)
    norm, free = problem.plan.minimize, problem.unknowns.free_places
    try:
        with clock.until(problem.deadline):
            shown = excluded(
                norm,
                problem.obligations,
                free,
                problem.weights,
                named_parts,
                found.factors[held],
            )
    except clock.TimeUp:
        return "the time was up"
    except Unfounded as error:
        return str(error)
    if shown is None:
        return ""
    return Conflict(problem.plan, inputs_of(found, problem.convex), shown, rounds)


def out_of_range(problem: Problem, rounds: int) -> Conflict | None:
    """A conflict that larger numbers than the file's dtype holds would end; None where none is shown."""
    wide = replace(problem.unknowns, norm="linf")
    found = at_no_margin(wide, problem.convex, wide.start, 0.0, problem.deadline)
    if not isinstance(found, Met):
        return None
    later = len(found.rows.parts) - len(found.factors)
    sum_of = Contrary(found.rows, np.pad(found.factors, (0, later)))
    shown = conflict(problem, sum_of, rounds) if found.factors.any() else None
    return shown if isinstance(shown, Conflict) and shown.excluded.changes != "smaller" else None


def leaving_none(met: Met, problem: Problem) -> Contrary | None:
    """Parts that no change meets by the least slack together, near one that meets them by none."""
    there = problem.unknowns.at(met.change)
    found = at_no_margin(
        problem.unknowns, problem.convex, there, LEAST_SLACK, problem.deadline, LEAST_SLACK
    )
    return found if isinstance(found, Contrary) else None


def inputs_of(found: Contrary, groups: Sequence[Instances]) -> Inputs:
    """The requirements and inputs of a contradiction."""
    held = [found.rows.parts[k] for k in np.flatnonzero(found.factors)]
    pairs = ((groups[n].obligation.title, groups[n].witnesses[row]) for n, row, _ in held)
    return tuple(dict.fromkeys(pairs))


def no_room(problem: Problem, stood: Inputs, why: str, rounds: int, how: str = "") -> NotMade:
    """A patch that was not made for want of room, where nothing shows that there is none."""
    keys = tuple(problem.unknowns.start)
    try:
        with clock.until(problem.deadline):
            wrong = stray(stood, problem.obligations, keys, problem.weights)
    except clock.TimeUp:
        reason = "time ran out while the inputs that stood in the way were looked into"
        return NotMade(problem.plan, reason, rounds)
    if wrong:
        return NotMade(problem.plan, f"an input of {wrong} was found that may not count", rounds)
    these = ("", " that meets this", " that meets these")[min(len(stood), 2)]
    reason = (
        f"no edit was found{these} with room to spare,{how} and nothing shows that there is none"
    )
    named = {title for title, _ in stood}
    asked = [o for o in problem.obligations if o.title in named or not stood]
    told = f"{reason}: {why}" if why else reason
    return NotMade(problem.plan, told, rounds, stood, help_for(asked, keys))


def help_for(asked: Sequence[Obligation], keys: Sequence[str]) -> str:
    """What to try where requirements leave no room."""
    if any(has_equality(obligation.circuit, keys) for obligation in asked):
        return "an equality leaves no room: say `within 1e-6`, or more"
    return "edit more tensors, or ask for less"


def has_equality(circuit: Circuit, keys: Sequence[str]) -> bool:
    """Whether it compares numbers for equality that rest on these tensors."""
    moving = dependent(circuit, [Wire(i) for i in range(len(circuit.ops))], keys)
    found = (circuit.ops[wire] for wire in moving)
    return any(
        isinstance(op, Compare) and op.op == "==" and circuit.types[op.left].sort == Real()
        for op in found
    )


def stray(
    instances: Sequence[tuple[str, Witness]],
    obligations: Sequence[Obligation],
    keys: Sequence[str],
    weights: Weights,
) -> str:
    """The first requirement, of those that are named with an input, that may say nothing of it; empty where none is."""
    asked = {o.title: o for o in obligations}
    found = (title for title, w in instances if not admitted(asked[title], w, keys, weights))
    return next(found, "")


def admitted(
    obligation: Obligation, witness: Witness, keys: Sequence[str], weights: Weights
) -> bool:
    """Whether an input surely meets what a requirement assumes; what rests on the edited tensors is not asked.

    `still_at` in `bound.py` asks for all of it, since another edit might escape a requirement: here an input is only named, and nothing
    follows of what edits there are.
    """
    circuit = obligation.circuit
    moving = dependent(circuit, [Wire(i) for i in range(len(circuit.ops))], keys)
    names = [n for n in obligation.conditions if circuit.outputs[n] not in moving]
    asked = Circuit(circuit.ops, circuit.types, {n: circuit.outputs[n] for n in names})
    if not fits(obligation, witness):
        return False
    try:
        point = at_point(asked, {name: witness[name] for name in asked.inputs})
        held = enclose(asked, point, weights)
    except Undefined:
        return False
    return all(isinstance(x, Choices) and x.sets == (TRUE,) for x in held.values())
