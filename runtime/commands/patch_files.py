"""`circ patch apply`, `revert` and `show`: a patch that was made, as files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from circ.compiler.config import NAME
from circ.lang.diagnostic import CircError
from circ.lang.errors.writing import bad_receipt
from circ.runtime.exits import Exit
from circ.runtime.patches.apply import apply, revert
from circ.runtime.patches.bound_text import bound_lines
from circ.runtime.patches.carried import carried
from circ.runtime.patches.delta import read_delta
from circ.runtime.patches.publish import Target
from circ.runtime.patches.receipt import (
    ENDING,
    Change,
    Computed,
    Receipt,
    receipt_at,
    receipt_path,
)
from circ.runtime.patches.receipt_text import asked_lines, short
from circ.runtime.report import Line
from circ.runtime.terminal import show_data, show_lines

__all__ = ["Target", "run_apply", "run_revert", "run_show"]


def run_apply(folder: Path, checkpoint: Path, target: Target, as_json: bool) -> int:
    """Write a patched checkpoint, and its receipt."""
    delta = read_delta(folder)
    path = target.path(checkpoint, delta.receipt.patch)
    receipt = apply(
        delta, folder, checkpoint, path, overwrite=target.force, in_place=target.in_place
    )
    if as_json:
        show_data({"wrote": str(path), "receipt": asdict(receipt), "exit": int(Exit.AS_CLAIMED)})
    else:
        wrote = Line("good", f"wrote {path}")
        show_lines(
            [*change_lines(receipt), wrote, Line("plain", f"and its receipt {receipt_path(path)}")]
        )
    return Exit.AS_CLAIMED


def run_revert(folder: Path, checkpoint: Path, target: Target, as_json: bool) -> int:
    """Write a checkpoint as it was."""
    delta = read_delta(folder)
    path = target.path(checkpoint, f"before_{delta.receipt.patch}")
    revert(delta, folder, checkpoint, path, overwrite=target.force, in_place=target.in_place)
    if as_json:
        digest = delta.receipt.source.sha256
        show_data({"wrote": str(path), "sha256": digest, "exit": int(Exit.AS_CLAIMED)})
    else:
        told = f"wrote {path}, which is as it was before the patch {delta.receipt.patch}"
        show_lines([Line("good", told)])
    return Exit.AS_CLAIMED


def run_show(what: Path, as_json: bool) -> int:
    """Tell the receipts of a patch, the oldest first."""
    receipts = found_in(what)
    if as_json:
        show_data({"receipts": [asdict(receipt) for receipt in receipts]})
    else:
        show_lines([line for receipt in receipts for line in receipt_lines(receipt)])
    return Exit.AS_CLAIMED


def found_in(what: Path) -> tuple[Receipt, ...]:
    """The receipts in a folder, a file of one, or a checkpoint; raises `CircError` (E0656, E0659)."""
    if what.is_dir():
        receipt = read_delta(what).receipt
    elif what.name.endswith(ENDING):
        receipt = receipt_at(what)
    else:
        found = carried(what)
        if not found:
            raise CircError(bad_receipt(str(what), "it carries none"))
        return found
    return (*receipt.earlier, receipt)


def receipt_lines(receipt: Receipt) -> list[Line]:
    """What one patch changed and what was proved of it, as a receipt says that nobody has checked here."""
    verdicts = [
        Line("plain", f"    {v.name}: said to be {v.outcome}{f' by {v.method}' * bool(v.method)}")
        for v in receipt.verdicts
    ]
    return [
        Line(
            "plain",
            f"patch {receipt.patch}, by {receipt.tool}, as its receipt says, unchecked",
        ),
        *asked_lines(receipt),
        Line("plain", f"    from {receipt.source.path}  {short(receipt.source.sha256)}"),
        Line("plain", f"    to   {receipt.target}  {short(receipt.sha256 or 'this file')}"),
        *change_lines(receipt),
        *computed_lines(receipt.computed),
        *bound_lines(receipt.bound),
        *verdicts,
    ]


def change_lines(receipt: Receipt) -> list[Line]:
    """The tensors that change, and how far; and what that means to a loader."""
    moved = [
        Line(
            "plain",
            f"    {c.tensor} {sides(c)} {c.dtype}: l2 {c.l2:.6g}, largest {c.linf:.6g}",
        )
        for c in receipt.changes
    ]
    return [*moved, *(Line("plain", f"    {text}") for text in loader_texts(receipt))]


def loader_texts(receipt: Receipt) -> Iterator[str]:
    """What becomes of tensors that a loader uses under two names, and of the config."""
    for tie in receipt.ties:
        if tie.how == "together":
            yield f"{tie.other or 'what it is tied to'} changes with {tie.kept}: they stay one tensor"
        else:
            yield f"{tie.other} is no longer tied to {tie.kept}: it has what that was"
    if receipt.config is not None:
        for field, value in receipt.config.fields.items():
            yield f"{NAME} beside it: {field} is {json.dumps(value)}"


def sides(change: Change) -> str:
    """The shape of a tensor, before and after where it grows."""
    now = f"{list(change.shape)}"
    return now if change.was == change.shape else f"{list(change.was)} to {now}"


def computed_lines(computed: Sequence[Computed]) -> list[Line]:
    """The forms of a patch, and what rounding leaves of what they take off."""
    return [Line("plain", f"    {each.form}{residue(each)}") for each in computed]


def residue(computed: Computed) -> str:
    """The end of a line about a form."""
    return "" if computed.residue is None else f": residue {computed.residue:.3g} after rounding"
