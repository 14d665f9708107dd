"""A receipt, held against the files it names: is each as it says, and does what was proved hold of them?

Nothing that the receipt says is believed, but for the name of the tool. The spec is checked anew, the tensors that it may edit are read from the
patched checkpoint and all else from the one before it, and each requirement is decided again.
"""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from circ.compiler.checkpoint import (
    file_hash,
    files_of,
    opened,
    read_chunks,
    read_header,
    read_tensor,
)
from circ.compiler.config import NAME, read_config
from circ.compiler.driver import Program, checkpoints
from circ.compiler.finding import Fails, Limits, Progress, Stuck
from circ.compiler.header import Header, Place
from circ.compiler.obligation import Obligation
from circ.compiler.patching import EditedTensor, PatchPlan
from circ.compiler.readings import clock
from circ.compiler.rounding import at_least, at_most
from circ.compiler.sources import ENDING, LARGEST
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.verdict import Verdict, outcome
from circ.runtime.patches.bound import (
    Bound,
    DualBound,
    Unfounded,
    least_size,
    size_of,
)
from circ.runtime.patches.carried import carried, foreign_shards
from circ.runtime.patches.edited import Edited, entries
from circ.runtime.patches.forms import accounts, computed
from circ.runtime.patches.make import findings, says_nothing
from circ.runtime.patches.publish import data_of
from circ.runtime.patches.ranks import of_rank
from circ.runtime.patches.receipt import Change, FileMark, Receipt, change
from circ.runtime.patches.receipt import alike as same_change
from circ.runtime.patches.ties import parted, wrong_ties
from circ.runtime.session import Request, checked, rational
from circ.runtime.verdicts import universal

Verdicts = tuple[tuple[Obligation, Verdict], ...]


@dataclass(frozen=True, slots=True)
class Reproved:
    """A receipt that holds: how many tensors are as they were, and every requirement, decided anew."""

    same: int
    verdicts: Verdicts


@dataclass(frozen=True, slots=True)
class Differing:
    """The first thing that is not as a receipt says."""

    reason: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A requirement that was not decided again, and why."""

    reason: str


Audit = Reproved | Differing | Undecided


def opened_as_told(receipt: Receipt, folder: Path) -> Program:
    """The spec of a receipt with its params and files; raises `CircError` with its errors."""
    params = {name: rational(value) for name, value in receipt.params.items()}
    files = {name: folder / mark.path for name, mark in receipt.read.items()}
    untied = any(tie.how == "apart" for tie in receipt.ties)
    request = Request(params, files, outside=True, untied=untied)
    return checked(folder / receipt.spec.path, request)


def reprove(
    receipt: Receipt, folder: Path, limits: Limits, deadline: float, progress: Progress
) -> Audit:
    """Decide again what a receipt says; its paths are seen from `folder`. Raises `CircError` for a wrong spec or file.

    Files are hashed before anything is read of them, and again when all is decided.
    """
    wrong = next(wrong_files(receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    found = decided_again(receipt, folder, limits, deadline, progress)
    wrong = next(wrong_files(receipt, folder), None)
    return found if wrong is None else Differing(wrong)


def decided_again(
    receipt: Receipt, folder: Path, limits: Limits, deadline: float, progress: Progress
) -> Audit:
    """The same of files that are those which the receipt names."""
    program = opened_as_told(receipt, folder)
    wrong = next(wrong_texts(program, receipt, folder), None)
    if wrong is not None:
        return Differing(wrong)
    plan = program.patch(receipt.patch)
    checkpoint = plan.checkpoint
    before = program.files.path(checkpoints(program.typed)[checkpoint])
    after = folder / receipt.target
    if receipt.read.get(checkpoint) != receipt.source:
        return Differing(f"the checkpoint that the patch changes is not {receipt.source.path}")
    try:
        with clock.until(deadline):
            wrong = next(wrong_numbers(plan, program.weights, receipt, before, after), None)
    except OverflowError as error:
        return Differing(f"what the patch computes cannot be stored: {error}")
    except clock.TimeUp:
        return Undecided("what it says of numbers was not computed again in time")
    if wrong is not None:
        return Differing(wrong)
    weights = Edited(program.weights, tensors_of(checkpoint, after, plan.names))
    found = decided(plan, weights, receipt.target, limits, deadline, progress)
    if not isinstance(found, tuple):
        return found
    told = [(verdict.name, verdict.outcome) for verdict in receipt.verdicts]
    if told != [(o.title, outcome(v)) for o, v in found]:
        return Differing("what it says of the requirements is not what is found of them")
    return Reproved(unchanged(after, plan.names), found)


def decided(
    plan: PatchPlan, weights: Edited, of: str, limits: Limits, deadline: float, progress: Progress
) -> Verdicts | Differing | Undecided:
    """Every requirement of a patch with its verdict, at weights that stand in the file `of`, where all of them hold."""
    obligations = (*plan.require, *plan.preserve)
    found = findings(obligations, weights, limits, deadline, progress)
    for obligation, finding in zip(obligations, found, strict=False):
        if isinstance(finding, Stuck):
            return Undecided(f"{obligation.title} was not decided: {finding.reason}")
        if isinstance(finding, Fails):
            return Differing(f"{obligation.title} does not hold of {of}")
    verdicts = tuple((o, universal(o, weights, f)) for o, f in zip(obligations, found, strict=True))
    idle = says_nothing(plan, verdicts)
    return Differing(idle) if idle else verdicts


def tensors_of(checkpoint: str, after: Path, names: Sequence[str]) -> Mapping[str, Tensor]:
    """The tensors that a patch changes, as they are after it, by key."""
    header = read_header(after)
    return {f"{checkpoint}/{name}": read_tensor(after, header, name) for name in names}


def unchanged(after: Path, changed: Sequence[str]) -> int:
    """How many tensors a patch may not change."""
    return len(read_header(after).tensors.keys() - set(changed))


# --- what is not as the receipt says --------------------------------------------------------


def wrong_files(receipt: Receipt, folder: Path) -> Iterator[str]:
    """Files that are not those that the receipt names."""
    for mark in (receipt.source, *receipt.read.values()):
        if file_hash(folder / mark.path) != mark.sha256:
            patched = " (it was patched in place; `--checkpoint NAME=FILE` names what it was)"
            was = patched if mark.path == receipt.target else ""
            yield f"{mark.path} is another file than it names{was}"
    config = read_config((folder / receipt.source.path).parent)
    if receipt.config is not None and (config is None or config.sha256 != receipt.config.before):
        yield f"the {NAME} beside {receipt.source.path} is another than it names"
    if file_hash(folder / receipt.target) != receipt.sha256:
        yield f"{receipt.target} is another file than it names"
    for mark in (receipt.spec, *receipt.used):
        if not is_named(folder / mark.path, mark.sha256, data=mark != receipt.spec):
            yield f"{mark.path} is another text than it names"


def is_named(path: Path, digest: str, *, data: bool) -> bool:
    """Whether a file, or the text that it holds, has this SHA-256; raises `CircError` (E0401-E0403).

    One that is too large to be a text is none, and is hashed piece by piece where it may be `data`.
    """
    with opened(path, Place(str(path), None), path.suffix or ENDING) as stream:
        start = stream.read(LARGEST + 1)
        if len(start) > LARGEST:
            stream.seek(0)
            return data and hashlib.file_digest(stream, "sha256").hexdigest() == digest
    text = start.removeprefix(BOM_UTF8).replace(b"\r\n", b"\n")
    return digest in {hashlib.sha256(found).hexdigest() for found in (start, text)}


def wrong_texts(program: Program, receipt: Receipt, folder: Path) -> Iterator[str]:
    """What the spec reads and the receipt does not name, so that it may have been another."""
    read = [file for mark in receipt.read.values() for file in files_of(folder / mark.path)]
    named = {path.resolve() for path in (*read, *(folder / mark.path for mark in receipt.used))}
    for path in program.files_read[1:]:
        if path.resolve() not in named:
            yield f"the spec reads {path}, which it does not name"
    for mark in (receipt.spec, *receipt.used):
        for text in (program.source, *program.used_files):
            same = Path(text.name).resolve() == (folder / mark.path).resolve()
            if same and hashlib.sha256(text.text.encode()).hexdigest() != mark.sha256:
                yield f"{mark.path} is another text than it names"
    if receipt.patch not in program.typed.scope.patches:
        yield f"the spec has no patch `{receipt.patch}`"


def wrong_numbers(
    plan: PatchPlan, weights: Weights, receipt: Receipt, before: Path, after: Path
) -> Iterator[str]:
    """What the files hold that is not what the receipt says, or what the patch computes of the source, which has these weights.

    Raises `OverflowError` for a form that cannot be stored, and `TimeUp`.
    """
    formed = computed(plan.forms, weights)
    yield from wrong_ties(before, after, receipt, plan.names)
    yield from wrong_tensors(before, after, receipt, formed, plan.edits)
    yield from wrong_notes(before, after, receipt, plan.names)
    yield from wrong_bound(receipt.bound, plan, Edited(weights, formed), after)
    weights = Edited(weights, tensors_of(plan.checkpoint, after, plan.names))
    if accounts(plan.forms, weights) != receipt.computed:
        yield "what it says of what is computed is not so"


def wrong_tensors(
    before: Path,
    after: Path,
    receipt: Receipt,
    formed: Mapping[str, Tensor],
    edits: Sequence[EditedTensor],
) -> Iterator[str]:
    """Tensors that are not what the receipt or the spec says, or changed though they may not be."""
    old, new = parted(read_header(before), receipt.ties), read_header(after)
    if old.tensors.keys() != new.tensors.keys():
        yield "the checkpoints have different tensors"
        return
    named = {key.partition("/")[2]: tensor for key, tensor in formed.items()}
    for name in old.tensors.keys() - named.keys() - {edit.name for edit in edits}:
        if not alike(before, old, after, new, name):
            yield f"`{name}` has changed, which the patch may not edit"
    changes: list[Change] = []
    for name, tensor in named.items():
        then = read_tensor(after, new, name)
        if not same_tensor(tensor, then):
            yield f"`{name}` is not what the patch computes"
        changes.append(change(name, read_tensor(before, old, name), then))
    for edit in edits:
        first, then = read_tensor(before, old, edit.name), read_tensor(after, new, edit.name)
        if (first.shape, first.dtype) != (then.shape, then.dtype):
            yield f"`{edit.name}` has another shape or dtype"
            return
        if moved_elsewhere(edit, first, then):
            yield f"`{edit.name}` has changed where the patch may not edit it"
        if edit.rank is not None and not of_rank(first, then, edit.rank):
            yield f"`{edit.name}` has changed by more than a rank of {edit.rank}"
        changes.append(change(edit.name, first, then))
    told = receipt.changes
    if len(told) != len(changes) or not all(map(same_change, told, changes)):
        yield "what it says of the tensors that change is not so"


def same_tensor(first: Tensor, then: Tensor) -> bool:
    """Whether two tensors are the same to the bit."""
    kinds = {(tensor.shape, tensor.dtype) for tensor in (first, then)}
    return len(kinds) == 1 and first.values.tobytes() == then.values.tobytes()


def wrong_notes(
    before: Path, after: Path, receipt: Receipt, changed: Sequence[str]
) -> Iterator[str]:
    """What else the receipt says that is not so: the hash of the data, and the receipts that the files carry."""
    if data_of(after, changed) != receipt.data:
        yield "what it says of the data section is not so"
    if carried(before) != receipt.earlier:
        yield f"its earlier receipts are not those that {receipt.source.path} carries"
    found, told = carried(after), nowhere(replace(receipt, sha256=None, earlier=()))
    if [nowhere(each) for each in found[-1:]] != [told]:
        yield f"{receipt.target} carries another receipt"
    if found[:-1] != receipt.earlier:
        yield f"{receipt.target} carries other earlier receipts"
    for shard in foreign_shards(before, after, changed):
        yield f"{shard} carries another receipt"


def wrong_bound(
    bound: Bound | None, plan: PatchPlan, weights: Weights, after: Path
) -> Iterator[str]:
    """What a receipt says of how small the edit is, and how small it could be, that is not so.

    `weights` are those that the edit starts from.
    """
    if bound is None or not plan.edits:
        if bound is not None or plan.edits:
            yield "what it says of the size of an edit is of another patch"
        return
    new = tensors_of(plan.checkpoint, after, [edit.name for edit in plan.edits])
    pairs = [pair for key in new for pair in zip(weights[key].values, new[key].values, strict=True)]
    if (bound.norm, bound.size) != (plan.minimize, at_least(size_of(plan.minimize, pairs), "F64")):
        yield "what it says of the size of the change is not so"
    if isinstance(bound, DualBound):
        free = {e.key: frozenset(entries(e, weights[e.key].shape).tolist()) for e in plan.edits}
        asked = (*plan.require, *plan.preserve)
        try:
            least = at_most(
                least_size(plan.minimize, asked, free, weights, bound.multipliers), "F64"
            )
        except Unfounded as error:
            yield f"its lower bound is not founded: {error}"
        else:
            if bound.least > least:
                yield "a smaller change is possible than it says"


def nowhere(receipt: Receipt) -> Receipt:
    """A receipt without its paths, which change when files are moved."""

    def blank(mark: FileMark) -> FileMark:
        return FileMark("", mark.sha256)

    return replace(
        receipt,
        target="",
        spec=blank(receipt.spec),
        used=tuple(map(blank, receipt.used)),
        read={name: blank(mark) for name, mark in receipt.read.items()},
        source=blank(receipt.source),
    )


def moved_elsewhere(edit: EditedTensor, first: Tensor, then: Tensor) -> bool:
    """Whether a tensor differs at an entry that may not change."""
    old, new = (np.frombuffer(tensor.values, dtype=np.uint64) for tensor in (first, then))
    changed = np.flatnonzero(old != new)
    return not np.isin(changed, entries(edit, first.shape)).all()


def alike(before: Path, old: Header, after: Path, new: Header, name: str) -> bool:
    """Whether two files hold the same bytes for a tensor, in the same format."""
    a, b = old.tensors[name], new.tensors[name]
    if (a.dtype, a.shape) != (b.dtype, b.shape):
        return False
    return all(x == y for x, y in zip(read_chunks(before, a), read_chunks(after, b), strict=True))
