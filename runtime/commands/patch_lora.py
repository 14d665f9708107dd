"""`circ patch lora`: a proved patch as an adapter of low rank, proved again of what merging it gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import assert_never

from circ.compiler.finding import Limits
from circ.runtime.as_data import verdict_data
from circ.runtime.commands.audit_receipt import code_of, found_at
from circ.runtime.outputs import require_unread
from circ.runtime.patches.adapter import CONFIG, TENSORS, Adapter, Merged, made, write_adapter
from circ.runtime.patches.receipt import Receipt, read_receipt
from circ.runtime.patches.reproving import Differing, Undecided
from circ.runtime.report import Line, verdict_lines
from circ.runtime.session import read_text
from circ.runtime.terminal import progress, show_data, show_lines

NOTHING = "nothing was written"


def run_lora(
    path: Path,
    out: Path,
    checkpoints: Mapping[str, Path],
    rank: int | None,
    transposed: bool | None,
    timeout: float,
    force: bool,
    as_json: bool,
) -> int:
    """0 where the adapter is written, 1 where what was proved does not hold of the merged weights, 2 where that was not decided."""
    receipt = found_at(read_receipt(read_text(path), str(path)), path.parent, checkpoints)
    start = monotonic()
    with progress(f"factoring {receipt.patch}", as_json) as move:
        limits, deadline = Limits(timeout=timeout), start + timeout
        found = made(receipt, path.parent, rank, transposed, limits, deadline, move)
    if isinstance(found, Merged):
        marks = (receipt.source, receipt.spec, *receipt.used, *receipt.read.values())
        read = [path, *(path.parent / mark.path for mark in marks), path.parent / receipt.target]
        for name in (CONFIG, TENSORS):
            require_unread(out / name, read)
        write_adapter(found, receipt, out, overwrite=force)
    code = code_of(found)
    if as_json:
        show_data({**data(found, out), "exit": int(code)})
    else:
        show_lines(lines(receipt, found, out, monotonic() - start))
    return code


def lines(
    receipt: Receipt, found: Merged | Differing | Undecided, out: Path, seconds: float
) -> list[Line]:
    """What came of it, for a reader."""
    match found:
        case Differing(reason=reason):
            head = f"✗ patch {receipt.patch}: no adapter  ({seconds:.1f} s)"
            return [
                Line("bad", head),
                *(Line("plain", f"    {text}") for text in (reason, NOTHING)),
            ]
        case Undecided(reason=reason):
            head = f"? patch {receipt.patch}: not decided  ({seconds:.1f} s)"
            return [
                Line("doubt", head),
                *(Line("plain", f"    {text}") for text in (reason, NOTHING)),
            ]
        case Merged(adapter=adapter, verdicts=verdicts, deviations=deviations):
            head = f"✓ patch {receipt.patch}: proved of the merged weights, by factors of rank {adapter.rank}  ({seconds:.1f} s)"
            off = [
                Line("plain", f"    {name}: at most {far:.6g} from the patched checkpoint")
                for name, far in deviations.items()
            ]
            told = [line for asked, verdict in verdicts for line in verdict_lines(asked, verdict)]
            inner = [Line(line.style, f"    {line.text}") for line in told]
            summed = order_lines(adapter)
            return [Line("good", head), *off, *summed, *inner, Line("good", f"    wrote {out}")]
        case _:
            assert_never(found)


def order_lines(adapter: Adapter) -> list[Line]:
    """What a proof says of libraries that add up in another order."""
    if adapter.orders == "every":
        return []
    head = (
        f"an entry of the product B A sums {adapter.rank} terms: proved of one order of summation"
    )
    return [Line("plain", f"    {head}, a library that merges in another may round otherwise")]


def data(found: Merged | Differing | Undecided, out: Path) -> dict[str, object]:
    """The same for `--json`."""
    match found:
        case Differing(reason=reason):
            return {"holds": False, "reason": reason, "wrote": None}
        case Undecided(reason=reason):
            return {"holds": None, "reason": reason, "wrote": None}
        case Merged(adapter=adapter, verdicts=verdicts, deviations=deviations):
            told = [verdict_data(asked, verdict) for asked, verdict in verdicts]
            off = {"rank": adapter.rank, "deviations": dict(deviations), "orders": adapter.orders}
            return {"holds": True, "wrote": str(out), **off, "requirements": told}
        case _:
            assert_never(found)
