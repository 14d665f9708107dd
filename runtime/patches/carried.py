"""The receipts that a checkpoint carries: in its metadata, or in that of its index and of each shard."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from circ.compiler.checkpoint import read_file_header, read_header, read_index
from circ.compiler.shards import is_index
from circ.lang.diagnostic import CircError
from circ.runtime.patches.receipt import METADATA_KEY, Receipt, read_receipt
from circ.runtime.patches.shards import notes


def carried(source: Path) -> tuple[Receipt, ...]:
    """The receipts that a checkpoint carries, the oldest first; none where what it carries is no receipt."""
    text = metadata_of(source).get(METADATA_KEY)
    if not isinstance(text, str):
        return ()
    try:
        found = read_receipt(text, source.name)
    except CircError:
        return ()
    return (*found.earlier, replace(found, earlier=()))


def metadata_of(source: Path) -> Mapping[str, object]:
    """What a checkpoint notes of itself; one in shards does in its index. Raises `CircError` as reading it does."""
    if not is_index(source):
        return read_header(source).metadata
    read_index(source)
    return notes(cast("Mapping[str, object]", json.loads(source.read_bytes())))


def foreign_shards(before: Path, after: Path, changed: Sequence[str]) -> Iterator[str]:
    """The shards of `after` whose note is not that of the index or, where no `changed` tensor is in one, that of the shard it was."""
    if not is_index(after):
        return
    note = metadata_of(after).get(METADATA_KEY)
    old, new = read_header(before).tensors, read_header(after).tensors
    touched = {new[name].file for name in changed}
    sources = {new[name].file: old[name].file or before.name for name in new if name in old}
    for file in sorted({tensor.file for tensor in new.values()}):
        known = {note}
        if file in sources.keys() - touched:
            known.add(note_of(before.parent / sources[file]))
        if note_of(after.parent / file) not in known:
            yield file


def note_of(file: Path) -> str | None:
    """What one file has in the place of a receipt."""
    return read_file_header(file).metadata.get(METADATA_KEY)
