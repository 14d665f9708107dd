"""A proved patch as files: the patched checkpoint, and the receipt beside it and inside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from os.path import relpath
from pathlib import Path

from circ.compiler.checkpoint import file_hash, joined, read_header
from circ.compiler.config import NAME
from circ.compiler.driver import Program, checkpoints, networks
from circ.compiler.obligation import Obligation
from circ.compiler.patching import PatchPlan
from circ.compiler.shards import ENDING
from circ.compiler.tensor import as_stored
from circ.compiler.verdict import Proved, Vacuous, Verdict, outcome
from circ.lang.check.data import as_checkpoint
from circ.lang.diagnostic import CircError
from circ.lang.errors.writing import cannot_write, source_changed, writes_over_another
from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, DomainDecl
from circ.runtime.atomic import locked, refuse_existing
from circ.runtime.outputs import require_unread, same
from circ.runtime.patches.carried import carried
from circ.runtime.patches.delta import NOTES, TENSORS, Delta, file_delta, write_delta
from circ.runtime.patches.encoding import encoded
from circ.runtime.patches.loader import config_beside, require_config, require_config_place
from circ.runtime.patches.outcomes import Patched
from circ.runtime.patches.plan import CHUNK, TensorBytes, header_of
from circ.runtime.patches.receipt import (
    METADATA_KEY,
    FileMark,
    Receipt,
    Settled,
    change,
    embedded,
    receipt_path,
    receipt_text,
    seen_from,
    write_receipt,
)
from circ.runtime.patches.shards import (
    Pending,
    data_hash,
    index_text,
    noted,
    pending,
    previewed,
    there_already,
    whole,
    write_checkpoint,
)
from circ.runtime.patches.ties import require_folder
from circ.runtime.patches.treatment import Treatment, added
from circ.runtime.patches.widths import require_width
from circ.runtime.patches.write import Written


@dataclass(frozen=True, slots=True)
class Target:
    """Where a patched checkpoint goes, what may be replaced there, and the folder that is to have the patch alone.

    `untie` and `tied` say what is made of tensors that a loader uses under two names.
    """

    out: Path | None
    force: bool = False
    in_place: bool = False
    delta: Path | None = None
    untie: bool = False
    tied: bool = False

    @property
    def checkpoint(self) -> bool:
        """Whether the checkpoint is written: always, unless only the patch is asked for."""
        return self.delta is None or self.out is not None or self.in_place

    def path(self, source: Path, patch: str) -> Path:
        """The file to write: `model.mend.safetensors` beside the source unless told otherwise."""
        if self.out is not None:
            return self.out
        return source if self.in_place else source.with_name(marked(source.name, patch))


def marked(name: str, patch: str) -> str:
    """`model.mend.safetensors`, `model.safetensors.mend.index.json`."""
    end = ENDING if name.endswith(ENDING) else Path(name).suffix
    return f"{name.removesuffix(end)}.{patch}{end}"


def patched_checkpoint(program: Program, plan: PatchPlan) -> CheckpointDecl:
    """The checkpoint that a patch changes; the type checker has shown there is one."""
    return checkpoints(program.typed)[plan.checkpoint]


def require_place(program: Program, plan: PatchPlan, target: Target) -> None:
    """Raise `CircError` (E0650, E0653), before anything is looked for, where the checkpoint could not be written."""
    source = program.files.path(patched_checkpoint(program, plan))
    path = target.path(source, plan.name)
    if not target.checkpoint or target.in_place:
        return
    if not path.parent.is_dir():
        raise CircError(cannot_write(str(path), f"there is no folder `{path.parent}`"))
    for file in (path, receipt_path(path)):
        refuse_existing(file, target.force)


def publish(
    program: Program,
    patched: Patched,
    hashes: Mapping[str, str],
    target: Target,
    treated: Treatment,
) -> tuple[Path, Receipt]:
    """Write the checkpoint and its receipt, or the patch alone; raises `CircError` where no file may be written.

    `hashes` has the SHA-256 of each file of tensors, by the key of what is in it, before anything was
    read from it.
    """
    source_hash = hashes[patched.plan.checkpoint]
    source = program.files.path(patched_checkpoint(program, patched.plan))
    path = target.path(source, patched.plan.name)
    require_not_in_proof(program, patched, path)
    new = added(treated, source)
    changes = {**new, **changes_of(patched)}
    beside = {tie.other: tie.kept for tie in treated.ties if tie.other in new}
    with locked(path.parent):
        require_config(source.parent, treated.before)
        bare = pending(source, path, source_hash, changes, patched.plan.name, beside)
        draft = drafted(program, patched, hashes, bare, treated)
        notes = {METADATA_KEY: embedded(draft), **dict.fromkeys(treated.loose)}
        checkpoint = noted(bare, notes)
        require_read(program, hashes, source)
        if target.checkpoint:
            require_width(path.parent, draft.changes)
            require_writable(program, checkpoint, target)
            require_loadable(program, checkpoint, target, treated)
            require_folder(source, path, draft, treated.beside(path, source))
        receipt = draft
        if target.delta is not None:
            hashes_of = previewed(checkpoint)
            digest = whole(checkpoint, {path: found.target for path, found in hashes_of.items()})
            receipt = replace(draft, sha256=digest)
            leave_delta(program, checkpoint, receipt, target, hashes_of)
        if target.checkpoint:
            with beside_it(path, source, treated):
                digest = write_checkpoint(
                    checkpoint, overwrite=target.force, in_place=target.in_place
                )
            receipt = replace(draft, sha256=digest)
            write_receipt(receipt_text(receipt), path, overwrite=target.force or target.in_place)
    return path, receipt


def changes_of(patched: Patched) -> dict[str, TensorBytes]:
    """The tensors that a patch changes, by their names in the checkpoint."""
    return {
        key.partition("/")[2]: TensorBytes(t.dtype, t.shape, encoded(t.values, t.dtype))
        for key, t in patched.tensors.items()
    }


def require_loadable(
    program: Program, written: Pending, target: Target, treated: Treatment
) -> None:
    """Raise `CircError` (E0651, E0662, E0663) where a config that has to follow the patch cannot stand beside it."""
    config = treated.beside(written.target, written.source)
    if config is not None:
        require_unread(written.target.parent / NAME, program.files_read)
        require_config_place(written.source, written.target, config, force=target.force)


def beside_it(path: Path, source: Path, treated: Treatment) -> AbstractContextManager[None]:
    """The config that has to stand there, while the checkpoint beside it is written."""
    config = treated.beside(path, source)
    return nullcontext() if config is None else config_beside(path, config)


def require_read(program: Program, hashes: Mapping[str, str], source: Path) -> None:
    """Raise `CircError` (E0652) where a file of tensors is not the one any more that was hashed before it was read.

    The source is hashed whenever it is read to be written.
    """
    for at, path in files_of_tensors(program).items():
        if path != source and file_hash(path) != hashes[at]:
            raise CircError(source_changed(str(path)))


def leave_delta(
    program: Program,
    checkpoint: Pending,
    receipt: Receipt,
    target: Target,
    hashes: Mapping[Path, Written],
) -> None:
    """Write the patch on its own; raises `CircError` (E0650-E0653)."""
    folder = target.delta or Path()
    for file in (folder / NOTES, folder / TENSORS):
        require_unread(file, [*program.files_read, *checkpoint.files, checkpoint.target])
    left = seen_from(receipt, checkpoint.target.parent, folder)
    write_delta(delta_of(checkpoint, left, hashes), folder, overwrite=target.force)


def delta_of(checkpoint: Pending, receipt: Receipt, hashes: Mapping[Path, Written]) -> Delta:
    """What changes from the source to the target, both ways."""
    touched = checkpoint.touched.items()
    files = tuple(file_delta(rewrite, path, hashes[path]) for path, rewrite in touched)
    if checkpoint.index is None:
        return Delta(receipt, files)
    return Delta(receipt, files, (checkpoint.source.read_bytes(), index_text(checkpoint.index)))


def drafted(
    program: Program,
    patched: Patched,
    hashes: Mapping[str, str],
    written: Pending,
    treated: Treatment,
) -> Receipt:
    """The receipt, but for the target's hash."""
    path = written.target
    return Receipt(
        tool=f"circ {version('circ-lang')}",
        patch=patched.plan.name,
        params={name: str(value) for name, value in program.params.items()},
        spec=text_mark(program.source, path),
        used=(
            *(text_mark(text, path) for text in program.used_files),
            *data_marks(program, hashes, path),
        ),
        read={
            at: FileMark(relpath(file, path.parent), hashes[at])
            for at, file in files_of_tensors(program).items()
        },
        source=FileMark(relpath(written.source, path.parent), hashes[patched.plan.checkpoint]),
        target=path.name,
        sha256=None,
        data=data_hash(written),
        changes=tuple(
            change(key.partition("/")[2], program.weights[key], tensor)
            for key, tensor in patched.tensors.items()
        ),
        computed=patched.computed,
        verdicts=tuple(settled(o, v) for o, v in patched.verdicts),
        bound=patched.bound,
        earlier=carried(written.source),
        ties=treated.treated,
        config=treated.configured,
    )


def data_of(checkpoint: Path, edited: Iterable[str]) -> str:
    """The SHA-256 of the data section of a file, or of those shards that have an edited tensor, as a receipt has it."""
    header = read_header(checkpoint)
    names = {header.tensors[name].file or checkpoint.name for name in edited}
    return joined([data_section_hash(checkpoint.parent / name) for name in sorted(names)])


def data_section_hash(path: Path) -> str:
    """The SHA-256 of what follows the header of a safetensors file."""
    with path.open("rb") as stream:
        header_of(stream)
        digest = sha256()
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def files_of_tensors(program: Program) -> dict[str, Path]:
    """The files of checkpoints, data sets and networks, by the key of each in the spec."""
    found = {at: program.files.path(decl) for at, decl in checkpoints(program.typed).items()}
    stored = networks(program.typed).items()
    return found | {at: program.files.network_path(d) for at, d in stored if d.file is not None}


def require_writable(program: Program, written: Pending, target: Target) -> None:
    """Raise `CircError` (E0650, E0651, E0653) where no file is written because one may not be.

    Whether the checkpoint may go over its own source, `write_patched` says.
    """
    others = [file for file in program.files_read if not same(file, written.source)]
    for path, rewrite in written.files.items():
        require_unread(path, others)
        if not (target.in_place and same(path, written.source)) and not there_already(
            path, rewrite, written
        ):
            refuse_existing(path, target.force and written.index is None)
    require_unread(written.target, others)
    if written.index is not None and not target.in_place:
        refuse_existing(written.target, target.force)
    receipt = receipt_path(written.target)
    require_unread(receipt, program.files_read)
    refuse_existing(receipt, target.force or target.in_place)


def require_not_in_proof(program: Program, patched: Patched, target: Path) -> None:
    """Raise `CircError` where the target is a file that the proof reads by another checkpoint."""
    keys = {as_stored(key) for o, _ in patched.verdicts for key in o.circuit.weights}
    read = {key.partition("/")[0] for key in keys}
    for at, decl in checkpoints(program.typed).items():
        if decl is patched_checkpoint(program, patched.plan):
            continue
        file = program.files.path(decl)
        if at in read and target.exists() and target.samefile(file):
            raise CircError(writes_over_another(at, str(target)))


def text_mark(source: Source, target: Path) -> FileMark:
    """A spec, or a file that it uses, as the receipt names it."""
    text = source.text.encode()
    return FileMark(relpath(source.name, target.parent), sha256(text).hexdigest())


def data_marks(program: Program, hashes: Mapping[str, str], target: Path) -> Iterator[FileMark]:
    """The vocabularies and data sets that were read, as the receipt names them."""
    for file, found in program.files.lists.items():
        yield FileMark(relpath(file, target.parent), found.sha256)
    for at, decl in program.typed.declared.items():
        stored = as_checkpoint(decl) if isinstance(decl, DomainDecl) else None
        if stored is not None:
            yield FileMark(relpath(program.files.path(stored), target.parent), hashes[at])


def settled(obligation: Obligation, verdict: Verdict) -> Settled:
    """What was found of a requirement for the tensors that are written."""
    method = verdict.method if isinstance(verdict, Proved | Vacuous) else ""
    return Settled(obligation.title, outcome(verdict), method)
