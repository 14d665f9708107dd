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
from circ.runtime.patches.adapter import Adapter, Merged, Proof, made
from circ.runtime.patches.adapter_files import CONFIG, TENSORS, write_adapter
from circ.runtime.patches.low_rank import WAYS
from circ.runtime.patches.receipt import Receipt, receipt_at
from circ.runtime.patches.reproving import Differing, Undecided
from circ.runtime.report import Line, verdict_lines
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
    receipt = found_at(receipt_at(path), path.parent, checkpoints)
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
        case Merged(adapter=adapter, deviations=deviations):
            head = f"✓ patch {receipt.patch}: proved of the merged weights, by factors of rank {adapter.rank}  ({seconds:.1f} s)"
            off = [
                f"{name}: at most {far:.6g} from the patched checkpoint"
                for name, far in deviations.items()
            ]
            told = [*off, *merge_texts(found), *order_texts(adapter), *class_texts(adapter)]
            plain = [Line("plain", f"    {text}") for text in told]
            inner = [line for proof in found.proofs for line in proof_lines(proof)]
            return [Line("good", head), *plain, *inner, Line("good", f"    wrote {out}")]
        case _:
            assert_never(found)


def proof_lines(proof: Proof) -> list[Line]:
    """What is proved of one way to merge, or of both."""
    told = [line for asked, verdict in proof.verdicts for line in verdict_lines(asked, verdict)]
    inner = [Line(line.style, f"    {line.text}") for line in told]
    way = "by default" if proof.ways == ("default",) else "with `safe_merge=True`"
    return inner if proof.ways == WAYS else [Line("plain", f"    merged {way}:"), *inner]


def merge_texts(found: Merged) -> list[str]:
    """Of which weights all is proved, and of which it is not."""
    same = " (the same weights)" if len(found.proofs) == 1 else ""
    how = ", and the factors are not rounded (`autocast_adapter_dtype`)"
    held = how if found.adapter.narrow else ""
    return [
        f"proved where PEFT merges it into weights of the file's dtype, by default and with `safe_merge=True`{same}{held}",
        "not proved of an adapter that is not merged: W x + B (A x) is rounded otherwise",
    ]


def order_texts(adapter: Adapter) -> list[str]:
    """What a proof says of libraries that add up in another order."""
    if adapter.orders == "every":
        return []
    head = (
        f"an entry of the product B A sums {adapter.rank} terms: proved of one order of summation"
    )
    return [f"{head}, a library that merges in another may round otherwise"]


def class_texts(adapter: Adapter) -> list[str]:
    """For which model the adapter is: what its modules are, and that they have the names of the file."""
    kinds = {name: module_kind(adapter, name) for name in adapter.factors}
    shown = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
    return [
        f"for modules of these classes: {shown}",
        "its keys are those of the file: load it into the model class whose parameters have these names, another takes nothing of it",
    ]


def module_kind(adapter: Adapter, module: str) -> str:
    """The class that a module has to be of."""
    return "Conv1D" if module in adapter.transposed else "Linear"


def data(found: Merged | Differing | Undecided, out: Path) -> dict[str, object]:
    """The same for `--json`."""
    match found:
        case Differing(reason=reason):
            return {"holds": False, "reason": reason, "wrote": None}
        case Undecided(reason=reason):
            return {"holds": None, "reason": reason, "wrote": None}
        case Merged(adapter=adapter, proofs=proofs, deviations=deviations):
            told = [
                {**verdict_data(asked, verdict), "merges": [*proof.ways]}
                for proof in proofs
                for asked, verdict in proof.verdicts
            ]
            off = {"rank": adapter.rank, "deviations": dict(deviations), "orders": adapter.orders}
            kinds = {name: module_kind(adapter, name) for name in adapter.factors}
            wrote = {"wrote": str(out), "modules": kinds}
            return {"holds": True, **wrote, **off, "requirements": told}
        case _:
            assert_never(found)
