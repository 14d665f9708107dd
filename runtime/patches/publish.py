"""A proved patch as files: the patched checkpoint, and the receipt beside it and inside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from os.path import relpath
from pathlib import Path

from circ.compiler.checkpoint import file_hash
from circ.compiler.driver import Program, checkpoints
from circ.compiler.shards import ENDING
from circ.compiler.tensor import Tensor, as_stored
from circ.compiler.verdict import Proved, Vacuous, outcome
from circ.lang.check.data import as_checkpoint
from circ.lang.diagnostic import CircError
from circ.lang.errors.writing import source_changed, writes_over_another
from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, DomainDecl
from circ.runtime.atomic import locked, refuse_existing
from circ.runtime.outputs import require_unread, same
from circ.runtime.patches.encoding import encoded
from circ.runtime.patches.make import Patched
from circ.runtime.patches.plan import Stored
from circ.runtime.patches.receipt import (
    METADATA_KEY,
    Change,
    FileMark,
    Receipt,
    Settled,
    change,
    embedded,
    receipt_path,
    write_receipt,
)
from circ.runtime.patches.shards import Pending, data_hash, pending, write_checkpoint


@dataclass(frozen=True, slots=True)
class Target:
    """Where a patched checkpoint goes, and what may be replaced there."""

    out: Path | None
    force: bool = False
    in_place: bool = False

    def path(self, source: Path, patch: str) -> Path:
        """The file to write: `model.mend.safetensors` beside the source unless told otherwise."""
        if self.out is not None:
            return self.out
        return source if self.in_place else source.with_name(marked(source.name, patch))


def marked(name: str, patch: str) -> str:
    """`model.mend.safetensors`, `model.safetensors.mend.index.json`."""
    end = ENDING if name.endswith(ENDING) else Path(name).suffix
    return f"{name.removesuffix(end)}.{patch}{end}"


def patched_checkpoint(program: Program, patched: Patched) -> CheckpointDecl:
    """The checkpoint that a patch edits; the type checker has shown there is one."""
    return checkpoints(program.typed)[patched.plan.edits[0][0]]


def publish(
    program: Program, patched: Patched, hashes: Mapping[str, str], target: Target
) -> tuple[Path, Receipt]:
    """Write the checkpoint and its receipt; raises `CircError` where a file may not be written.

    `hashes` has the SHA-256 of each file of tensors, by the key of what is in it, before anything was
    read from it.
    """
    source_hash = hashes[patched.plan.edits[0][0]]
    source = program.files.path(patched_checkpoint(program, patched))
    path = target.path(source, patched.plan.name)
    require_not_in_proof(program, patched, path)
    changes = {
        key.partition("/")[2]: Stored(t.dtype, t.shape, encoded(t.values, t.dtype))
        for key, t in patched.tensors.items()
    }
    with locked(path.parent):
        written = pending(source, path, source_hash, changes, patched.plan.name)
        require_writable(program, written, target)
        draft = drafted(program, patched, hashes, written)
        digest = write_checkpoint(
            written,
            {METADATA_KEY: embedded(draft)},
            overwrite=target.force,
            in_place=target.in_place,
        )
        receipt = replace(draft, sha256=digest)
        write_receipt(receipt, path, overwrite=target.force or target.in_place)
    return path, receipt


def drafted(
    program: Program, patched: Patched, hashes: Mapping[str, str], written: Pending
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
        source=FileMark(relpath(written.source, path.parent), hashes[patched.plan.edits[0][0]]),
        target=path.name,
        sha256=None,
        data=data_hash(written),
        changes=tuple(changed(program, key, tensor) for key, tensor in patched.tensors.items()),
        verdicts=settled(patched),
    )


def require_writable(program: Program, written: Pending, target: Target) -> None:
    """Raise `CircError` (E0650, E0651, E0653) where no file is written because one may not be.

    Whether the checkpoint may go over its own source, `write_patched` says.
    """
    others = [file for file in program.files_read if not same(file, written.source)]
    for path in (*written.files, written.target):
        require_unread(path, others)
    receipt = receipt_path(written.target)
    require_unread(receipt, program.files_read)
    refuse_existing(receipt, target.force or target.in_place)


def require_not_in_proof(program: Program, patched: Patched, target: Path) -> None:
    """Raise `CircError` where the target is a file that the proof reads by another checkpoint."""
    keys = {as_stored(key) for o, _ in patched.verdicts for key in o.circuit.weights}
    read = {key.partition("/")[0] for key in keys}
    for at, decl in checkpoints(program.typed).items():
        if decl is patched_checkpoint(program, patched):
            continue
        file = program.files.path(decl)
        if at in read and target.exists() and target.samefile(file):
            raise CircError(writes_over_another(at, str(target)))


def text_mark(source: Source, target: Path) -> FileMark:
    """A spec, or a file that it uses, as the receipt names it."""
    text = source.text.encode()
    return FileMark(relpath(source.name, target.parent), sha256(text).hexdigest())


def data_marks(program: Program, hashes: Mapping[str, str], target: Path) -> Iterator[FileMark]:
    """The vocabularies and data sets that were read, as the receipt names them.

    Raises `CircError` (E0652) where the file of a data set has changed since.
    """
    for file, found in program.files.lists.items():
        yield FileMark(relpath(file, target.parent), found.sha256)
    for at, decl in program.typed.declared.items():
        stored = as_checkpoint(decl) if isinstance(decl, DomainDecl) else None
        if stored is not None:
            file = program.files.path(stored)
            if file_hash(file) != hashes[at]:
                raise CircError(source_changed(str(file)))
            yield FileMark(relpath(file, target.parent), hashes[at])


def changed(program: Program, key: str, tensor: Tensor) -> Change:
    """What happened to one tensor."""
    before = program.weights[key]
    name = key.partition("/")[2]
    return change(name, tensor.dtype, tensor.shape, before.values, tensor.values)


def settled(patched: Patched) -> tuple[Settled, ...]:
    """What was found of each requirement for the tensors that are written."""
    found: list[Settled] = []
    for obligation, verdict in patched.verdicts:
        method = verdict.method if isinstance(verdict, Proved | Vacuous) else ""
        found.append(Settled(obligation.title, outcome(verdict), method))
    return tuple(found)
