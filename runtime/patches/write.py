"""Writing a patched checkpoint: the same safetensors file with some tensors replaced.

Everything else is kept: the bytes and order of all other tensors, and their metadata.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import replacing
from circ.runtime.patches.plan import Plan, TensorBytes, planned, rewritten


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file to be made of `source`: tensors replaced, and entries of its metadata set, or left out where they are None.

    `expected` is the SHA-256 of the source as it was read; `header` the whole new header, where it is known, and
    `promised` the SHA-256 of what is to be written.
    """

    source: Path
    expected: str
    changes: Mapping[str, TensorBytes]
    metadata: Mapping[str, str | None]
    header: bytes = b""
    promised: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """SHA-256 of the source's bytes, of the target's, and of the target's data section."""

    source: str
    target: str
    data: str


def write_patched(
    rewrite: Rewrite, target: Path, *, overwrite: bool = False, in_place: bool = False
) -> Written:
    """Write `target`, which appears whole or not at all.

    It is the source itself, by this name or another, only if `in_place`. Raises `CircError`
    (E0650-E0653), and `ValueError` for a header that is not that of the tensors, or where it would not be what was promised.
    """
    source = rewrite.source
    same = target.exists() and source.exists() and target.samefile(source)
    if same and not in_place:
        raise CircError(writing.writes_over_source(str(source), str(target)))
    with (
        opened(source) as stream,
        replacing(target, overwrite=overwrite or same) as out,
    ):
        return poured(stream, rewrite, out)


def would_write(rewrite: Rewrite) -> Written:
    """What `write_patched` would write, as hashes; raises `CircError` (E0652)."""
    with opened(rewrite.source) as stream:
        return poured(stream, rewrite, None)


def poured(stream: BufferedReader, rewrite: Rewrite, out: BinaryIO | None) -> Written:
    """Read the source once and write the target, both hashed on the way; raises `CircError` (E0652).

    Whether the source is the one that is expected is known at the end, before the target appears.
    """
    plan = plan_of(stream, rewrite)
    read, written, data = hashlib.sha256(plan.old), hashlib.sha256(plan.new), hashlib.sha256()
    if out is not None:
        out.write(plan.new)
    for old, new in rewritten(stream, plan):
        read.update(old)
        written.update(new)
        data.update(new)
        if out is not None:
            out.write(new)
    if read.hexdigest() != rewrite.expected:
        raise CircError(writing.source_changed(str(rewrite.source)))
    if rewrite.promised not in ("", written.hexdigest()):
        raise ValueError("what would be written is not what was promised")
    return Written(rewrite.expected, written.hexdigest(), data.hexdigest())


def plan_of(stream: BufferedReader, rewrite: Rewrite) -> Plan:
    """The plan for a source; raises `CircError` (E0652) where that is another by now, which may start with anything."""
    try:
        return planned(stream, rewrite.changes, rewrite.metadata, rewrite.header)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        MemoryError,
        TypeError,
        ValueError,
    ) as error:
        stream.seek(0)
        if hashlib.file_digest(stream, "sha256").hexdigest() == rewrite.expected:
            raise
        raise CircError(writing.source_changed(str(rewrite.source))) from error


@contextmanager
def opened(source: Path) -> Generator[BufferedReader]:
    """The checkpoint; raises `CircError` (E0652) where it is gone."""
    try:
        stream = source.open("rb")
    except OSError as error:
        raise CircError(writing.source_changed(str(source))) from error
    with stream:
        yield stream
