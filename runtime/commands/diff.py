"""`circ diff`: what differs between two checkpoints, and whether a circuit decides alike with both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic

from circ.compiler.driver import Program
from circ.compiler.finding import Limits, silent
from circ.compiler.query import expression
from circ.compiler.verdict import Counted, Proved, Refuted
from circ.lang.diagnostic import CircError
from circ.lang.span import Source
from circ.runtime.as_data import Data
from circ.runtime.cache.recall import Answered
from circ.runtime.claim_lines import claim_data, claim_lines
from circ.runtime.claims import Claims
from circ.runtime.differences import (
    Compared,
    Wanted,
    compared,
    only_checkpoint,
    the_checkpoint,
    tolerance,
)
from circ.runtime.exits import Exit, exit_of, worst
from circ.runtime.moved_tensors import Differs, differing
from circ.runtime.quantities import counted
from circ.runtime.report import Line, number_text
from circ.runtime.session import Opened, Request, settings, usable
from circ.runtime.terminal import progress, show_data, show_lines

__all__ = ["Wanted", "run_diff", "tolerance"]

LISTED = 20
"""Tensors that are shown one by one."""


def run_diff(
    old: Path,
    new: Path,
    spec: Path | None,
    wanted: Wanted,
    opened: Opened,
    timeout: float,
    listed: int,
    as_json: bool,
) -> int:
    """0 where both decide alike, or without a spec where no tensor differs; 1 where not, 2 where that is not known.

    All of it shares the time: comparing tensors, deciding, and counting the inputs on which they decide otherwise.
    """
    start = monotonic()
    tensors = [*differing(old, new, start + timeout)]
    if spec is None:
        code = code_of(tensors)
        told(old, new, tensors, None, None, code, listed, as_json)
        return code
    program = with_new(spec, new, wanted, settings(*opened))
    asked = compared(program, old, wanted)
    left = max(timeout - (monotonic() - start), 0.0)
    with progress("comparing", as_json) as move:
        found = Claims(asked.program, Limits(timeout=left)).answer(asked.claim, move)
    changed = None
    left = timeout - (monotonic() - start)
    if isinstance(found.verdict, Refuted) and found.verdict.count is None and left > 0:
        with progress("counting", as_json) as move:
            changed = number_changed(asked, Limits(timeout=left))
    code = worst([exit_of("proved", found.verdict)])
    told(old, new, tensors, (asked, found), changed, code, listed, as_json)
    return code


def code_of(tensors: Sequence[Differs]) -> Exit:
    """What is said of tensors alone: that some differ, that none does, or that it is not known."""
    if any(tensor.known for tensor in tensors):
        return Exit.REFUTED
    return Exit.UNKNOWN if tensors else Exit.AS_CLAIMED


def with_new(spec: Path, new: Path, wanted: Wanted, request: Request) -> Program:
    """The spec with the newer file for its checkpoint, so that the one that it names need not be there."""
    name = wanted.checkpoint or only_checkpoint(spec)
    if name is None:
        name = the_checkpoint(usable(spec, request), None).name.text
    return usable(spec, replace(request, checkpoints={**request.checkpoints, name: new}))


def number_changed(asked: Compared, limits: Limits) -> Counted | None:
    """On how many inputs the two decide otherwise; None where that is not a number of words or rows."""
    if asked.count is None:
        return None
    with suppress(CircError):
        query = expression(asked.program, Source("<count>", asked.count), {})
        (number,) = counted(query.quantities, asked.program.weights, limits, silent)
        return number
    return None


def told(
    old: Path,
    new: Path,
    tensors: Sequence[Differs],
    answer: tuple[Compared, Answered] | None,
    changed: Counted | None,
    code: Exit,
    listed: int,
    as_json: bool,
) -> None:
    """Show what was found."""
    if not as_json:
        decided = [] if answer is None else lines(*answer, changed, listed)
        show_lines([*tensor_lines(tensors), *decided])
        return
    data: dict[str, object] = {"old": str(old), "new": str(new)}
    data["tensors"] = [asdict(tensor) for tensor in tensors]
    if answer is not None:
        asked, found = answer
        decisions = told_data(claim_data(found), asked)
        data |= {"circuit": asked.circuit, "domain": asked.domain, "decisions": decisions}
        known = None if changed is None else {"at_least": changed.low, "at_most": changed.high}
        data["changed"] = known
    show_data(data | {"exit": int(code)})


def told_data(data: Data, asked: Compared) -> object:
    """An answer as data, in words of the spec."""
    return json.loads(asked.told(json.dumps(data, ensure_ascii=False)))


def tensor_lines(tensors: Sequence[Differs]) -> list[Line]:
    """A table of the tensors that differ."""
    if not tensors:
        return [Line("good", "all tensors are the same")]
    width = max(len(tensor.name) for tensor in tensors[:LISTED])
    moved, open = (sum(tensor.known == known for tensor in tensors) for known in (True, False))
    head = f"{moved} tensor{'s differ' if moved != 1 else ' differs'}"
    late = f", {open} not compared (`--timeout SECONDS` allows more time)" if open else ""
    lines = [Line("doubt" if open else "plain", head + late)]
    for tensor in tensors[:LISTED]:
        lines.append(Line("plain", f"    {tensor.name:<{width}}  {how(tensor)}"))
    if len(tensors) > LISTED:
        lines.append(Line("faint", f"    and {len(tensors) - LISTED:,} more (`--json` has all)"))
    return lines


def how(tensor: Differs) -> str:
    """How a tensor differs."""
    if tensor.kind:
        return tensor.kind
    l2, linf = ("beyond all doubles" if x is None else f"{x:.6g}" for x in (tensor.l2, tensor.linf))
    return f"{tensor.entries:,} of {tensor.size:,} entries, l2 {l2}, largest {linf}"


def lines(asked: Compared, found: Answered, changed: Counted | None, listed: int) -> list[Line]:
    """Whether a circuit decides alike, and if not, where and how often."""
    head, *rest = claim_lines(found, listed)
    match found.verdict:
        case Proved() | Refuted():
            said = asked.said(alike=isinstance(found.verdict, Proved))
        case _:
            said = head.text.replace(f"{asked.claim}:", f"`{asked.circuit}` on `{asked.domain}`:")
    told = [Line(line.style, asked.told(line.text)) for line in rest]
    lines = [Line(head.style, f"{said}  ({found.seconds:.1f} s)"), *told]
    if changed is not None:
        lines.append(Line("plain", f"    otherwise on {number_text(changed)} inputs"))
    return lines
