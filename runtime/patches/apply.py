"""Applying a patch that was left on its own, and taking it back: byte for byte, or not at all."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from os.path import relpath
from pathlib import Path

from circ.compiler.checkpoint import file_hash, joined, opened, plain_hash, read_index
from circ.compiler.header import Place
from circ.compiler.shards import ENDING, is_index, parse_index, shards_of
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import locked, refuse_existing, replacing
from circ.runtime.outputs import require_unread, same
from circ.runtime.patches.delta import NOTES, TENSORS, Delta, FileDelta, Side
from circ.runtime.patches.receipt import (
    FileMark,
    Receipt,
    receipt_at,
    receipt_path,
    receipt_text,
    seen_from,
    write_receipt,
)
from circ.runtime.patches.ties import require_as_proved
from circ.runtime.patches.widths import require_width
from circ.runtime.patches.write import Rewrite, write_patched


def apply(
    delta: Delta, folder: Path, source: Path, target: Path, *, overwrite: bool, in_place: bool
) -> Receipt:
    """Write what the patch in `folder` makes of `source`, and its receipt beside it.

    Raises `CircError`: E0650-E0653, E0659, E0660, E0662, E0663.
    """
    require_apart(folder, target)
    require_read_once(delta.receipt, folder, target, in_place=in_place)
    with locked(target.parent):
        refuse_existing(receipt_path(target), overwrite or in_place)
        told = seen_from(delta.receipt, folder, target.parent)
        start = FileMark(relpath(source, target.parent), told.source.sha256)
        read = {name: start if mark == told.source else mark for name, mark in told.read.items()}
        receipt = replace(told, source=start, read=read, target=target.name)
        text = receipt_text(receipt)
        write_side(delta, source, target, back=False, overwrite=overwrite, in_place=in_place)
        write_receipt(text, target, overwrite=overwrite or in_place)
    return receipt


def revert(
    delta: Delta, folder: Path, source: Path, target: Path, *, overwrite: bool, in_place: bool
) -> None:
    """Write what `source` was before the patch; raises as `apply`.

    The receipt of a file that is replaced goes with it.
    """
    require_apart(folder, target)
    with locked(target.parent):
        write_side(delta, source, target, back=True, overwrite=overwrite, in_place=in_place)
        if in_place and is_receipt_of(delta.receipt, receipt_path(target)):
            receipt_path(target).unlink()


def is_receipt_of(receipt: Receipt, path: Path) -> bool:
    """Whether a file is the receipt of this patch."""
    try:
        return receipt_at(path).sha256 == receipt.sha256
    except CircError:
        return False


def require_read_once(receipt: Receipt, folder: Path, target: Path, *, in_place: bool) -> None:
    """Raise `CircError` (E0651) where the file that is replaced was read for the proof besides, or under another name."""
    others = [mark for mark in receipt.read.values() if mark != receipt.source]
    texts = (receipt.spec, *receipt.used)
    require_unread(target, [folder / mark.path for mark in (*others, *texts)])
    names = [name for name, mark in receipt.read.items() if mark.sha256 == receipt.source.sha256]
    used = [mark.path for mark in receipt.used if mark.sha256 == receipt.source.sha256]
    if in_place and len(names) + len(used) > 1:
        raise CircError(writing.writes_over_another(", ".join([*names, *used]), str(target)))


def require_apart(folder: Path, target: Path) -> None:
    """Raise `CircError` (E0651) where a file of the patch itself would be written over."""
    for path in (target, receipt_path(target)):
        require_unread(path, [folder / NOTES, folder / TENSORS])


def write_side(
    delta: Delta, source: Path, target: Path, *, back: bool, overwrite: bool, in_place: bool
) -> None:
    """Write one side of a patch, from a checkpoint that is the other."""
    require_start(delta, source, back=back)
    if not back:
        require_as_proved(delta.receipt, source, target)
    require_width(target.parent, delta.receipt.changes, back=back)
    if (delta.index is not None) != is_index(source):
        raise CircError(writing.other_checkpoint(str(source), False, back))
    try:
        if delta.index is None:
            (file,) = delta.files
            rewrite = rewriting(source, file, back=back)
            write_patched(rewrite, target, overwrite=overwrite, in_place=in_place)
        else:
            write_shards(delta, source, target, back=back, overwrite=overwrite, in_place=in_place)
    except ValueError as error:
        raise CircError(writing.no_delta("patch.json", str(error))) from error


def require_start(delta: Delta, source: Path, *, back: bool) -> None:
    """Raise `CircError` (E0660) unless the checkpoint is the one that is asked for."""
    found = file_hash(source)
    ends = [delta.receipt.source.sha256, delta.receipt.sha256]
    wanted, done = reversed(ends) if back else ends
    if found != wanted:
        raise CircError(writing.other_checkpoint(str(source), found == done, back))


def sides(file: FileDelta, *, back: bool) -> tuple[Side, Side]:
    """What is there, and what is to be there."""
    return (file.after, file.before) if back else (file.before, file.after)


def rewriting(source: Path, file: FileDelta, *, back: bool) -> Rewrite:
    """How one file becomes its other side; raises `ValueError` where it starts otherwise than it should."""
    there, wanted = sides(file, back=back)
    with opened(source, Place(str(source), None)) as stream:
        if stream.read(len(there.header)) != there.header:
            raise ValueError(f"`{there.name}` has another header")
    return Rewrite(source, there.sha256, wanted.tensors, {}, wanted.header, wanted.sha256)


def require_end(delta: Delta, source: Path, start: bytes, text: bytes, *, back: bool) -> None:
    """Raise `ValueError`, or `CircError` (E0413), unless a checkpoint has the index `start`, and what becomes of it, and of its shards, is what was promised."""
    if sha256(start).hexdigest() != plain_hash(source, None):
        raise ValueError("its index is not that of the checkpoint")
    wanted = {file.name: file.sha256 for _, file in (sides(f, back=back) for f in delta.files)}
    index = parse_index(Place("patch.json", None), text)
    kept = set(shards_of(read_index(source)))
    hashes = [sha256(text).hexdigest()]
    for name in shards_of(index):
        if name not in wanted and name not in kept:
            raise ValueError(f"its index names `{name}`, which is in neither checkpoint")
        hashes.append(wanted.get(name) or plain_hash(source.parent / name, None))
    end = delta.receipt.source.sha256 if back else delta.receipt.sha256
    if joined(hashes) != end:
        raise ValueError("its index is not the one that was promised")


def write_shards(
    delta: Delta, source: Path, target: Path, *, back: bool, overwrite: bool, in_place: bool
) -> None:
    """The shards that the wanted index names, where they are not there already; then the index."""
    if not is_index(target):
        raise CircError(writing.no_index(str(target), ENDING))
    before, after = delta.index or (b"", b"")
    start, text = (after, before) if back else (before, after)
    require_end(delta, source, start, text, back=back)
    made: set[str] = set()
    for file in delta.files:
        there, wanted = sides(file, back=back)
        path = target.parent / wanted.name
        made.add(wanted.name)
        if same(path, source.parent / there.name):
            raise CircError(writing.left_for_another_folder(str(path)))
        if not (path.is_file() and plain_hash(path, None) == wanted.sha256):
            rewrite = rewriting(source.parent / there.name, file, back=back)
            write_patched(rewrite, path)
    if not same(source.parent, target.parent):
        for name in set(shards_of(parse_index(Place("patch.json", None), text))) - made:
            copy_shard(source.parent / name, target.parent / name)
    with replacing(target, overwrite=overwrite or in_place) as out:
        out.write(text)


def copy_shard(source: Path, target: Path) -> None:
    """A shard as it is, where it is not there already."""
    digest = plain_hash(source, None)
    if not (target.is_file() and plain_hash(target, None) == digest):
        write_patched(Rewrite(source, digest, {}, {}, promised=digest), target)
