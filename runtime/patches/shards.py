"""Which files a patched checkpoint is made of: one, or shards and the index that names them.

The index is written last. A patched shard beside its source gets a name of its own, and so does one whose name is taken, so
that at any moment an index names shards that are whole and belong together: no shard is ever replaced. In another folder
all shards are written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from circ.compiler.checkpoint import joined, plain_hash, read_header, read_index
from circ.compiler.shards import ENDING, is_index, shards_of
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import replacing
from circ.runtime.outputs import same
from circ.runtime.patches.plan import TensorBytes
from circ.runtime.patches.write import Rewrite, Written, would_write, write_patched

MARK = re.compile(r"\.[A-Za-z_]\w*-[0-9a-f]{8}$")
"""What the name of a shard has of an earlier patch."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A checkpoint that is to be written: its file, or its shards and the text of their index."""

    source: Path
    target: Path
    files: Mapping[Path, Rewrite]
    """By the path that each is written to."""
    index: Mapping[str, object] | None = None

    @property
    def touched(self) -> dict[Path, Rewrite]:
        """The files in which a tensor changes."""
        return {path: rewrite for path, rewrite in self.files.items() if rewrite.changes}


def pending(
    source: Path,
    target: Path,
    expected: str,
    changes: Mapping[str, TensorBytes],
    patch: str,
    beside: Mapping[str, str] | None = None,
) -> Pending:
    """What is to be written; `expected` is the hash of the source as it was read.

    `beside` has the tensors that are new, and the ones in whose files they are put. Raises `CircError` (E0652, E0658).
    """
    if not is_index(source) and is_index(target):
        raise CircError(writing.no_shards(str(target), ENDING))
    if not is_index(source):
        return Pending(source, target, {target: Rewrite(source, expected, changes, {})})
    if not is_index(target):
        raise CircError(writing.no_index(str(target), ENDING))
    return in_shards(source, target, expected, changes, patch, beside or {})


def in_shards(
    source: Path,
    target: Path,
    expected: str,
    changes: Mapping[str, TensorBytes],
    patch: str,
    new: Mapping[str, str],
) -> Pending:
    """The same for a checkpoint in shards."""
    old, text = read_index(source), source.read_bytes()
    index = {**old, **{name: old[other] for name, other in new.items()}}
    shards = {file: plain_hash(source.parent / file, None) for file in shards_of(index)}
    if joined([hashlib.sha256(text).hexdigest(), *shards.values()]) != expected:
        raise CircError(writing.source_changed(str(source)))
    beside = same(source.parent, target.parent)
    files: dict[Path, Rewrite] = {}
    names: dict[str, str] = {}
    for file, digest in shards.items():
        inside = {name: new for name, new in changes.items() if index[name] == file}
        if beside and not inside:
            names[file] = file
            continue
        rewrite = Rewrite(source.parent / file, digest, inside, {})
        taken = (target.parent / file).exists()
        names[file] = renamed(file, patch, rewrite, target) if beside or taken else file
        files[target.parent / names[file]] = rewrite
    found = cast("dict[str, object]", json.loads(text))
    found |= larger(found, sum(map(grown, files.values())))
    placed = {name: names[file] for name, file in index.items()}
    return Pending(source, target, files, {**found, "weight_map": placed})


def grown(rewrite: Rewrite) -> int:
    """By how many bytes the tensors of a shard become larger together; one that is new counts whole."""
    if not rewrite.changes:
        return 0
    there = read_header(rewrite.source).tensors
    olds = (there[name].end - there[name].start for name in rewrite.changes if name in there)
    return sum(len(new.data) for new in rewrite.changes.values()) - sum(olds)


def larger(index: Mapping[str, object], size: int) -> Mapping[str, object]:
    """What an index says of the size of all tensors, where it does, with `size` bytes more."""
    match notes(index).get("total_size"):
        case int(old) if size:
            return {"metadata": {**notes(index), "total_size": old + size}}
        case _:
            return {}


def renamed(file: str, patch: str, rewrite: Rewrite, target: Path) -> str:
    """`model-00001-of-00002.mend-0f3a9c21.safetensors`: by what is made of what for which index, a name of its own."""
    digest = hashlib.sha256(f"{rewrite.expected} {target.name} ".encode(errors="surrogatepass"))
    for name, new in sorted(rewrite.changes.items()):
        digest.update(f"{name} ".encode(errors="surrogatepass"))
        digest.update(new.data)
    stem, suffix = unmarked(file)
    return f"{stem}.{patch}-{digest.hexdigest()[:8]}{suffix}"


def unmarked(file: str) -> tuple[str, str]:
    """The name of a shard before any patch, its ending apart."""
    path = Path(file)
    return MARK.sub("", path.stem), path.suffix


def data_hash(checkpoint: Pending) -> str:
    """The SHA-256 of the data sections of the files that change, in the order of their names."""
    touched = checkpoint.touched
    return joined([would_write(touched[path]).data for path in sorted(touched)])


def noted(checkpoint: Pending, metadata: Mapping[str, str | None]) -> Pending:
    """The same with entries in the metadata of all files that change, and without those that are None."""
    files = {
        path: replace(rewrite, metadata=metadata) if rewrite.changes else rewrite
        for path, rewrite in checkpoint.files.items()
    }
    index = checkpoint.index
    if index is not None:
        told = {name: note for name, note in metadata.items() if note is not None}
        index = {**index, "metadata": {**notes(index), **told}}
    return replace(checkpoint, files=files, index=index)


def notes(index: Mapping[str, object]) -> Mapping[str, object]:
    """What an index has as metadata; nothing where that is no object."""
    found = index.get("metadata")
    return cast("Mapping[str, object]", found if isinstance(found, dict) else {})


def write_checkpoint(checkpoint: Pending, *, overwrite: bool, in_place: bool) -> str:
    """Write all files, an index last; the SHA-256 of the whole. Raises as `write_patched`."""
    alone = checkpoint.index is None
    hashes: dict[Path, str] = {}
    for path, rewrite in checkpoint.files.items():
        if there_already(path, rewrite, checkpoint):
            hashes[path] = plain_hash(path, None)
        else:
            how = in_place and alone
            free = overwrite and alone
            hashes[path] = write_patched(rewrite, path, overwrite=free, in_place=how).target
    if checkpoint.index is not None:
        with replacing(checkpoint.target, overwrite=overwrite or in_place) as out:
            out.write(index_text(checkpoint.index))
    return whole(checkpoint, hashes)


def there_already(path: Path, rewrite: Rewrite, checkpoint: Pending) -> bool:
    """Whether a shard is there already, with just the bytes that would be written."""
    if checkpoint.index is None or not path.is_file():
        return False
    return plain_hash(path, None) == would_write(rewrite).target


def previewed(checkpoint: Pending) -> dict[Path, Written]:
    """What `write_checkpoint` would write, as hashes."""
    return {path: would_write(rewrite) for path, rewrite in checkpoint.files.items()}


def whole(checkpoint: Pending, hashes: Mapping[Path, str]) -> str:
    """The SHA-256 of a checkpoint, from those of the files that are written: of its file, or of index and shards."""
    if checkpoint.index is None:
        return hashes[checkpoint.target]
    folder = checkpoint.target.parent
    placed = cast("Mapping[str, str]", checkpoint.index["weight_map"])
    paths = [folder / file for file in shards_of(placed)]
    shards = [hashes[path] if path in hashes else plain_hash(path, None) for path in paths]
    return joined([hashlib.sha256(index_text(checkpoint.index)).hexdigest(), *shards])


def index_text(index: Mapping[str, object]) -> bytes:
    """An index as it is written."""
    text = json.dumps(index, indent=2, ensure_ascii=False)
    return f"{text}\n".encode(errors="backslashreplace")
