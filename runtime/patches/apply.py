"""Applying a patch that was left on its own, and taking it back: byte for byte, or not at all."""

from __future__ import annotations

from dataclasses import replace
from os.path import relpath
from pathlib import Path

from circ.compiler.checkpoint import file_hash, plain_hash, read_index
from circ.compiler.shards import is_index, shards_of
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import locked, replacing
from circ.runtime.outputs import same
from circ.runtime.patches.delta import Delta, FileDelta, Side
from circ.runtime.patches.receipt import FileMark, Receipt, seen_from, write_receipt
from circ.runtime.patches.write import Rewrite, write_patched


def apply(
    delta: Delta, folder: Path, source: Path, target: Path, *, overwrite: bool, in_place: bool
) -> Receipt:
    """Write what the patch in `folder` makes of `source`, and its receipt beside it.

    Raises `CircError`: E0650-E0653, E0659, E0660.
    """
    with locked(target.parent):
        write_side(delta, source, target, back=False, overwrite=overwrite, in_place=in_place)
        told = seen_from(delta.receipt, folder, target.parent)
        start = FileMark(relpath(source, target.parent), told.source.sha256)
        read = {name: start if mark == told.source else mark for name, mark in told.read.items()}
        receipt = replace(told, source=start, read=read, target=target.name)
        write_receipt(receipt, target, overwrite=overwrite or in_place)
    return receipt


def revert(delta: Delta, source: Path, target: Path, *, overwrite: bool, in_place: bool) -> None:
    """Write what `source` was before the patch; raises as `apply`."""
    with locked(target.parent):
        write_side(delta, source, target, back=True, overwrite=overwrite, in_place=in_place)


def write_side(
    delta: Delta, source: Path, target: Path, *, back: bool, overwrite: bool, in_place: bool
) -> None:
    """Write one side of a patch, from a checkpoint that is the other."""
    require_start(delta, source, back=back)
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
    """How one file becomes its other side."""
    there, wanted = sides(file, back=back)
    return Rewrite(source, there.sha256, wanted.tensors, {}, wanted.header, wanted.sha256)


def write_shards(
    delta: Delta, source: Path, target: Path, *, back: bool, overwrite: bool, in_place: bool
) -> None:
    """The shards that the wanted index names, where they are not there already; then the index."""
    if not is_index(target):
        raise CircError(writing.no_index(str(target), ".index.json"))
    before, after = delta.index or (b"", b"")
    text = before if back else after
    done: set[str] = set()
    for file in delta.files:
        there, wanted = sides(file, back=back)
        path = target.parent / wanted.name
        done.add(there.name)
        if not (path.is_file() and plain_hash(path, None) == wanted.sha256):
            rewrite = rewriting(source.parent / there.name, file, back=back)
            write_patched(rewrite, path, overwrite=overwrite)
    if not same(source.parent, target.parent):
        for name in set(shards_of(read_index(source))) - done:
            copy = Rewrite(source.parent / name, plain_hash(source.parent / name, None), {}, {})
            write_patched(copy, target.parent / name, overwrite=overwrite)
    with replacing(target, overwrite=overwrite or in_place) as out:
        out.write(text)
