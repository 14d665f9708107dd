"""Checkpoints in several files: the index that says which tensor is in which, and all of them as one.

An index is untrusted as a header is. A shard lies beside it, and has exactly the tensors that the index says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from circ.compiler.header import Header, Malformed, Place, members, parsed
from circ.lang.diagnostic import CircError
from circ.lang.errors import files as errors

ENDING = ".index.json"
"""How the name of an index ends; that of any other file is read as a shard is."""

LONGEST_INDEX = 1 << 25
"""Bytes of an index."""

Index = Mapping[str, str]
"""The file of each tensor, by the tensor's name."""


def is_index(path: Path) -> bool:
    """Whether a file is an index, by its name."""
    return path.name.endswith(ENDING)


def parse_index(place: Place, text: bytes) -> Index:
    """Which tensor is in which file; raises `CircError` (E0413)."""
    try:
        if len(text) > LONGEST_INDEX:
            raise Malformed(f"it is more than {LONGEST_INDEX:,} bytes long")
        found = members(parsed(text)).get("weight_map")
        if not isinstance(found, dict) or not found:
            raise Malformed("it has no `weight_map` of tensors")
        index = {name: file for name, file in found.items() if isinstance(file, str)}
        wrong = [name for name in found if name not in index or not is_beside(index[name])]
        if wrong:
            raise Malformed(f"what it says of `{wrong[0]}` is no name of a file beside it")
    except Malformed as error:
        raise CircError(errors.bad_index(place.span, place.path, str(error))) from error
    return index


def is_beside(file: str) -> bool:
    """Whether a name is that of a file in the same folder, and of no index; half of a surrogate pair is in none."""
    plain = not any(mark in "/\\:\0" or "\ud800" <= mark <= "\udfff" for mark in file)
    return plain and file not in ("", ".", "..") and not file.endswith(ENDING)


def shards_of(index: Index) -> list[str]:
    """The files, in the order of their names."""
    return sorted(set(index.values()))


def merged(place: Place, index: Index, headers: Mapping[str, Header]) -> Header:
    """The header of all shards, by file; raises `CircError` (E0413) where a file has other tensors."""
    for file, header in headers.items():
        said = {name for name, at in index.items() if at == file}
        for name in sorted(said ^ set(header.tensors)):
            reason = f"`{name}` is {'not ' if name in said else ''}in `{file}`"
            reason += "" if name in said else ", which it does not say"
            raise CircError(errors.bad_index(place.span, place.path, reason))
    tensors = {
        name: replace(stored, file=file)
        for file, header in headers.items()
        for name, stored in header.tensors.items()
    }
    return Header(tensors, {})
