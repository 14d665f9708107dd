"""`circ patch`: make a patch, prove it, and write what was proved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import assert_never

from circ.compiler.checkpoint import file_hash
from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.obligation import Obligation
from circ.compiler.patching import PatchPlan
from circ.compiler.verdict import Verdict
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import several_patches
from circ.lang.errors.writing import not_untied
from circ.lang.syntax import changed_tensors
from circ.runtime.as_data import verdict_data, witness_data
from circ.runtime.commands.patch_files import change_lines, computed_lines
from circ.runtime.exits import Exit, exit_of, worst
from circ.runtime.lengths import together
from circ.runtime.patches.bound_text import bound_data, bound_lines, excluded_text
from circ.runtime.patches.edited import Edited
from circ.runtime.patches.executed_text import executed_data, executed_lines
from circ.runtime.patches.left_out import left_out
from circ.runtime.patches.left_out_shares import Share
from circ.runtime.patches.left_out_text import left_out_data, left_out_lines
from circ.runtime.patches.make import make_patch
from circ.runtime.patches.outcomes import (
    Conflict,
    Failing,
    NotMade,
    OutOfReach,
    Patched,
    PatchResult,
)
from circ.runtime.patches.publish import (
    Target,
    files_of_tensors,
    patched_checkpoint,
    publish,
    require_place,
)
from circ.runtime.patches.ranks import RankOf
from circ.runtime.patches.receipt import Receipt, receipt_path
from circ.runtime.patches.treatment import Treatment
from circ.runtime.patches.treatment import chosen as chosen_ties
from circ.runtime.report import Line, verdict_lines, witness_lines
from circ.runtime.session import Opened, checked, chosen, settings
from circ.runtime.terminal import progress, show_data, show_diagnostics, show_lines

__all__ = ["Target", "run_patch"]

BRIEF = 10.0
"""Seconds for what the `preserve` clauses of a patch leave out."""


def run_patch(
    spec: Path,
    patches: Sequence[str],
    opened: Opened,
    timeout: float,
    target: Target,
    as_json: bool,
) -> int:
    """The worst patch's exit code. One that is not proved writes nothing."""
    program = checked(spec, replace(settings(*opened), untied=target.untie))
    names = chosen(program, patches, "patch")
    if len(names) > 1 and target != replace(target, out=None, in_place=False, delta=None):
        raise CircError(several_patches(names))
    if not names and not as_json:
        show_lines([Line("plain", f"{spec} has no patches")])
    codes: list[Exit] = []
    found: list[object] = []
    for name in names:
        code, data = run_one(name, spec, opened, timeout, target, as_json)
        codes.append(code)
        found.append(data)
    if as_json:
        show_data({"spec": str(spec), "patches": found, "exit": int(worst(codes))})
    return worst(codes)


def run_one(
    name: str, spec: Path, opened: Opened, timeout: float, target: Target, as_json: bool
) -> tuple[Exit, object]:
    """One patch: made, shown, written."""
    request = replace(settings(*opened), untied=target.untie)
    hashes = source_hashes(checked(spec, request))
    program = checked(spec, request)
    if not as_json:
        show_diagnostics(program.diagnostics)
    plan = program.patch(name)
    treated = treatment_of(program, plan, target)
    require_place(program, plan, target)
    start = monotonic()
    with progress(name, as_json) as move:
        result = make_patch(plan, program.weights, Limits(timeout=timeout), move)
    seconds = monotonic() - start
    bands = bands_of(program, result)
    receipt: Receipt | None = None
    path: Path | None = None
    if isinstance(result, Patched):
        path, receipt = publish(program, result, hashes, target, treated)
    if not as_json:
        show_lines(result_lines(result, seconds))
        show_lines(left_out_lines(bands))
        show_lines(receipt_lines(path, receipt, target))
    wrote = path if target.checkpoint else None
    data = result_data(result, seconds, wrote, receipt, target.delta)
    return code_of(result), {**data, "left_out": left_out_data(bands)}


def bands_of(program: Program, result: PatchResult) -> tuple[Share, ...]:
    """What each `preserve` of a patch that was made leaves out."""
    if not isinstance(result, Patched):
        return ()
    weights = Edited(program.weights, result.tensors)
    return left_out(result.plan.preserve, weights, monotonic() + BRIEF)


def treatment_of(program: Program, plan: PatchPlan, target: Target) -> Treatment:
    """What the patch makes of tensors that a loader uses under two names; raises `CircError` (E0661, E0662, E0664)."""
    source = program.files.path(patched_checkpoint(program, plan))
    first = changed_tensors(program.typed.scope.patches[plan.name].changes[0])[0]
    found = chosen_ties(plan, source, first.span, untie=target.untie, tied=target.tied)
    if found.changed and target.delta is not None:
        reason = "a patch that changes a `config.json` is not left on its own"
        raise CircError(not_untied(first.span, reason, "write the checkpoint, with `--out`"))
    return found


def source_hashes(program: Program) -> dict[str, str]:
    """The SHA-256 of each file of tensors, by key; taken first, so that one that changes later is noticed."""
    return {at: file_hash(path) for at, path in files_of_tensors(program).items()}


def code_of(result: PatchResult) -> Exit:
    """A conflict refutes the patch; one that was not made is unknown, or asks nothing."""
    match result:
        case Patched():
            return Exit.AS_CLAIMED
        case Conflict():
            return Exit.REFUTED
        case Failing(verdicts=verdicts) | OutOfReach(verdicts=verdicts):
            return worst(exit_of("proved", verdict) for _, verdict in verdicts)
        case NotMade(vacuous=vacuous):
            return Exit.VACUOUS if vacuous else Exit.UNKNOWN
        case _:
            assert_never(result)


def result_lines(result: PatchResult, seconds: float) -> list[Line]:
    """What came of a patch."""
    rounds = f"{result.rounds} round{'' if result.rounds == 1 else 's'}"
    name, took = result.plan.name, f"{rounds}, {seconds:.1f} s"
    match result:
        case Patched(rounds=0, plan=plan) if not plan.forms:
            head = f"✓ patch {name}: its requirements hold already  ({seconds:.1f} s)"
            told = [*requirement_lines(result.verdicts), *executed_lines(result.executed)]
            return [Line("good", head), *told]
        case Patched(instances=instances):
            looked = f"({took}, {instances} input{'s' * (instances != 1)} looked at)"
            head = f"✓ patch {name}: proved  {looked if result.rounds else f'({seconds:.1f} s)'}"
            lines = [Line("good", head), *computed_lines(result.computed)]
            lines += [change_line(result), *rank_lines(result.ranks), *bound_lines(result.bound)]
            lines += requirement_lines(result.verdicts)
            return [*lines, *executed_lines(result.executed)]
        case Failing(computed=computed, verdicts=verdicts):
            head = f"✗ patch {name}: a requirement fails of what it computes  ({seconds:.1f} s)"
            return [
                Line("bad", head),
                *computed_lines(computed),
                *requirement_lines(verdicts),
            ]
        case OutOfReach(verdicts=verdicts):
            head = f"✗ patch {name}: a requirement fails whatever the edit  ({seconds:.1f} s)"
            why = "    nothing that may change reaches it, so no edit of these tensors meets it:"
            return [Line("bad", head), Line("plain", why), *requirement_lines(verdicts)]
        case Conflict():
            head = f"✗ patch {name}: its requirements conflict  ({took})"
            return [Line("bad", head), *conflict_lines(result)]
        case NotMade(reason=reason, help=help):
            said = [
                f"    {reason}",
                *instance_lines(result),
                *([f"    try: {help}"] if help else []),
            ]
            head = f"? patch {name}: not made  ({took})"
            return [Line("doubt", head), *(Line("plain", line) for line in said)]
        case _:
            assert_never(result)


def change_line(patched: Patched) -> Line:
    """How large the change is."""
    norm, entries = patched.plan.minimize, patched.entries
    size = f"{patched.norms[norm]:.6g}, in {entries:,} entr{'y' if entries == 1 else 'ies'}"
    what = "edit" if patched.plan.edits and patched.plan.forms else "change"
    return Line("plain", f"    {norm} norm of the {what}: {size}")


def requirement_lines(verdicts: Sequence[tuple[Obligation, Verdict]]) -> list[Line]:
    """What was found of each requirement."""
    groups = groupby(verdicts, key=lambda found: found[0].name)
    told = [line for _, group in groups for line in verdict_lines(*together(list(group)))]
    return [Line(line.style, f"    {line.text}") for line in told]


def rank_lines(ranks: Sequence[RankOf]) -> list[Line]:
    """How near to its rank each change is that may have one."""
    return [
        Line(
            "plain",
            f"    {r.tensor}: rank {r.rank} up to the rounding of its dtype, singular value {r.rank} is {r.last:.3g} and the next {r.next:.1g}",
        )
        for r in ranks
    ]


def conflict_lines(conflict: Conflict) -> list[Line]:
    """What is shown of the requirements, and the inputs at which they leave no edit."""
    alone = len(conflict.instances) == 1
    met = "meets this requirement at one input" if alone else "meets these together"
    said = [f"    {excluded_text(conflict.excluded)} {met}:", *instance_lines(conflict)]
    return [Line("plain", line) for line in said]


def instance_lines(result: Conflict | NotMade) -> list[str]:
    """Requirements with inputs."""
    obligations = {o.title: o for o in (*result.plan.require, *result.plan.preserve)}
    return [
        f"    {name} at {'; '.join(witness_lines(obligations[name], witness))}"
        for name, witness in result.instances
    ]


def receipt_lines(path: Path | None, receipt: Receipt | None, target: Target) -> list[Line]:
    """What was written."""
    if path is None or receipt is None:
        return [Line("plain", "    nothing was written")]
    lines = change_lines(receipt)
    if target.checkpoint:
        lines.append(Line("good", f"    wrote {path}"))
        lines.append(Line("plain", f"    and its receipt {receipt_path(path)}"))
    if target.delta is not None:
        lines.append(Line("good", f"    left the patch in {target.delta}"))
    return lines


def result_data(
    result: PatchResult,
    seconds: float,
    wrote: Path | None,
    receipt: Receipt | None,
    delta: Path | None,
) -> dict[str, object]:
    """The same for `--json`."""
    data: dict[str, object] = {
        "patch": result.plan.name,
        "seconds": round(seconds, 3),
        "rounds": result.rounds,
        "made": isinstance(result, Patched),
    }
    match result:
        case Patched():
            data["norms"] = result.norms
            data["computed"] = [asdict(each) for each in result.computed]
            data["entries"] = result.entries
            data["bound"] = bound_data(result.bound)
            data["ranks"] = [asdict(each) for each in result.ranks]
            data["requirements"] = [verdict_data(o, v) for o, v in result.verdicts]
            data["executed"] = executed_data(result.executed)
            data["wrote"] = None if wrote is None else str(wrote)
            data["delta"] = None if delta is None else str(delta)
            data["receipt"] = None if receipt is None else asdict(receipt)
        case Conflict(excluded=excluded):
            data["conflict"] = instance_data(result)
            data["excluded"] = asdict(excluded)
        case Failing(verdicts=verdicts, computed=computed):
            data["computed"] = [asdict(each) for each in computed]
            data["requirements"] = [verdict_data(o, v) for o, v in verdicts]
        case OutOfReach(verdicts=verdicts):
            data["out_of_reach"] = [verdict_data(o, v) for o, v in verdicts]
        case NotMade(reason=reason, help=help):
            data["reason"] = reason
            data["instances"] = instance_data(result)
            data["help"] = help
        case _:
            assert_never(result)
    return data


def instance_data(result: Conflict | NotMade) -> list[object]:
    """Requirements with inputs."""
    obligations = {o.title: o for o in (*result.plan.require, *result.plan.preserve)}
    return [
        {"requirement": name, "input": witness_data(obligations[name], witness)}
        for name, witness in result.instances
    ]
