"""`circ audit RECEIPT`: prove a patch again, from the files that its receipt names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from os.path import relpath
from pathlib import Path
from time import monotonic
from typing import assert_never

from circ.compiler.finding import Limits
from circ.compiler.obligation import Obligation
from circ.compiler.verdict import Verdict
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import unknown_setting
from circ.runtime.as_data import verdict_data
from circ.runtime.exits import Exit
from circ.runtime.patches.adapter import Merged
from circ.runtime.patches.bound import DualBound
from circ.runtime.patches.bound_text import bound_lines
from circ.runtime.patches.receipt import ENDING, FileMark, Receipt, receipt_at
from circ.runtime.patches.receipt_text import asked_lines
from circ.runtime.patches.reproving import Audit, Differing, Reproved, Undecided, reprove
from circ.runtime.report import Line, verdict_lines
from circ.runtime.terminal import progress, show_data, show_lines

__all__ = ["ENDING", "run_audit_receipt"]


def run_audit_receipt(
    path: Path, checkpoints: Mapping[str, Path], timeout: float, as_json: bool
) -> int:
    """0 where all is as the receipt says, 1 where something is not, 2 where that was not decided; `checkpoints` stand in for files that moved."""
    receipt = found_at(receipt_at(path), path.parent, checkpoints)
    start = monotonic()
    with progress(f"auditing {receipt.patch}", as_json) as move:
        found = reprove(receipt, path.parent, Limits(timeout=timeout), start + timeout, move)
    seconds = monotonic() - start
    code = code_of(found)
    if as_json:
        asked: dict[str, object] = {"patch": receipt.patch, "spec": asdict(receipt.spec)}
        asked |= {"used": [asdict(mark) for mark in receipt.used], "params": dict(receipt.params)}
        show_data({"receipt": str(path), **asked, **data(found), "exit": int(code)})
    else:
        show_lines(lines(receipt, found, seconds))
    return code


def found_at(receipt: Receipt, folder: Path, checkpoints: Mapping[str, Path]) -> Receipt:
    """A receipt whose checkpoints are looked for elsewhere; raises `CircError` for one that it does not name."""
    for name, path in checkpoints.items():
        if name not in receipt.read:
            raise CircError(unknown_setting("checkpoint", name, [*receipt.read]))
        old = receipt.read[name]
        mark = FileMark(relpath(path, folder), old.sha256)
        source = mark if receipt.source == old else receipt.source
        receipt = replace(receipt, read={**receipt.read, name: mark}, source=source)
    return receipt


def code_of(found: Audit | Merged) -> Exit:
    """Proved again, of the file or of what it is merged into; not so; or not decided."""
    match found:
        case Reproved() | Merged():
            return Exit.AS_CLAIMED
        case Differing():
            return Exit.REFUTED
        case Undecided():
            return Exit.UNKNOWN
        case _:
            assert_never(found)


def lines(receipt: Receipt, found: Audit, seconds: float) -> list[Line]:
    """What an audit found, for a reader."""
    asked = asked_lines(receipt)
    match found:
        case Differing(reason=reason):
            head = f"✗ patch {receipt.patch}: the receipt does not hold  ({seconds:.1f} s)"
            return [Line("bad", head), *asked, Line("plain", f"    {reason}")]
        case Undecided(reason=reason):
            head = f"? patch {receipt.patch}: not decided  ({seconds:.1f} s)"
            return [Line("doubt", head), *asked, Line("plain", f"    {reason}")]
        case Reproved(same=same, verdicts=verdicts):
            head = f"✓ patch {receipt.patch}: proved again  ({seconds:.1f} s)"
            kept = f"    {same} tensor{'s' * (same != 1)} that it may not edit: the same bytes as before"
            told = [line for o, verdict in verdicts for line in requirement_lines(o, verdict)]
            # Why there is no bound is what the receipt says, and nothing that was found again.
            bound = receipt.bound if isinstance(receipt.bound, DualBound) else None
            first = [Line("good", head), *asked, Line("plain", kept), *earlier_lines(receipt)]
            return [*first, *bound_lines(bound), *told]
        case _:
            assert_never(found)


def requirement_lines(obligation: Obligation, verdict: Verdict) -> list[Line]:
    """What was found of a requirement, and the requirement as the spec has it."""
    head, *rest = (
        Line(line.style, f"    {line.text}") for line in verdict_lines(obligation, verdict)
    )
    return [head, Line("plain", f"        {written(obligation)}"), *rest]


def written(obligation: Obligation) -> str:
    """A requirement as the spec has it, on one line."""
    return " ".join(obligation.span.text.split())


def earlier_lines(receipt: Receipt) -> list[Line]:
    """That what the source carried is told and not proved again."""
    count = len(receipt.earlier)
    if not count:
        return []
    what = (
        "an earlier receipt that its source carries, which is"
        if count == 1
        else (f"{count} earlier receipts that its source carries, which are")
    )
    return [Line("faint", f"    with {what} not audited here")]


def data(found: Audit) -> dict[str, object]:
    """The same for `--json`."""
    match found:
        case Differing(reason=reason):
            return {"holds": False, "reason": reason}
        case Undecided(reason=reason):
            return {"holds": None, "reason": reason}
        case Reproved(same=same, verdicts=verdicts):
            told = [verdict_data(o, verdict) | {"text": written(o)} for o, verdict in verdicts]
            return {"holds": True, "unchanged": same, "requirements": told}
        case _:
            assert_never(found)
