"""The receipt of a patch: what was changed in which file, and what was proved of it.

It holds no time and no absolute path, so that the same patch gives the same receipt.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from os.path import relpath
from pathlib import Path
from typing import Literal, cast, get_args

from circ.compiler.ir import Shape
from circ.compiler.rounding import FORMATS
from circ.compiler.tensor import Tensor
from circ.compiler.verdict import Outcome
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import replacing
from circ.runtime.norms import norms
from circ.runtime.patches.bound import Bound
from circ.runtime.patches.bound_fields import bound_in
from circ.runtime.patches.edited import moved
from circ.runtime.patches.encoding import encoded
from circ.runtime.patches.fields import (
    Json,
    Malformed,
    as_list,
    as_object,
    expect_fields,
    hash_at,
    json_in,
    json_of,
    norm_at,
    shape_at,
    text_at,
)
from circ.runtime.session import rational

METADATA_KEY = "circ.receipt"
"""Where a patched safetensors file keeps its own receipt."""

ENDING = ".receipt.json"
"""How the name of a receipt ends."""

PATCH_NAME = re.compile(r"[A-Za-z_]\w{0,99}")


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file: its path relative to the receipt's folder, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Change:
    """A tensor that was changed: SHA-256 of its bytes before and after, and norms of the change.

    `was` is its shape before; where one of the two has no entry, it counts as 0.
    """

    tensor: str
    dtype: str
    was: Shape
    shape: Shape
    before: str
    after: str
    l2: float
    linf: float


@dataclass(frozen=True, slots=True)
class Computed:
    """A form as the patch has it, and the tensors that it changes.

    `residue` is what rounding leaves of what a form takes off, at most: of a projection the largest entry that is
    left in the subspace, of a clamp how far a coefficient is outside its bounds. None where nothing is taken off.
    """

    form: str
    tensors: tuple[str, ...]
    residue: float | None


@dataclass(frozen=True, slots=True)
class Settled:
    """One `require` or `preserve`, or a claim, and what was found of it for the target."""

    name: str
    outcome: Outcome
    method: str


How = Literal["together", "apart"]


@dataclass(frozen=True, slots=True)
class Treated:
    """Two names of one tensor to a loader, `other` empty where it is not known: both changed, or each has its own now."""

    kept: str
    other: str
    how: How


@dataclass(frozen=True, slots=True)
class Configured:
    """The `config.json` beside the checkpoint: SHA-256 beside the source and beside the target, and the fields that differ."""

    before: str
    after: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Receipt:
    """`used` has the files that the spec uses, those of the standard library left out, and its data:
    vocabularies and data sets.

    `data` is the SHA-256 of the target's data section, all that follows the header; of a target in shards, that of
    the hashes of those in which a tensor changed, in the order of their names.

    `bound` says how small a change could be at least, with what shows it.

    `sha256` is that of the target's bytes; None in the copy inside the target, which cannot
    contain its own hash. `read` has all checkpoints that the spec reads, by their names in it, and `earlier` the
    receipts that the source carried, the oldest first. `ties` has what the patch makes of tensors that a loader
    uses under two names, and `config` the config that says so, or that had to follow the patch.
    """

    tool: str
    patch: str
    params: Mapping[str, str]
    spec: FileMark
    used: tuple[FileMark, ...]
    read: Mapping[str, FileMark]
    source: FileMark
    target: str
    sha256: str | None
    data: str
    changes: tuple[Change, ...]
    computed: tuple[Computed, ...]
    verdicts: tuple[Settled, ...]
    bound: Bound | None
    earlier: tuple[Receipt, ...] = ()
    ties: tuple[Treated, ...] = ()
    config: Configured | None = None


def change(tensor: str, old: Tensor, new: Tensor) -> Change:
    """The entry of a receipt for a tensor that was `old` and now is `new`, in one dtype."""
    before, after = (hashlib.sha256(encoded(t.values, t.dtype)).hexdigest() for t in (old, new))
    size = norms(moved(old, new))
    sizes = size["l2"], size["linf"]
    return Change(tensor, new.dtype, old.shape, new.shape, before, after, *sizes)


def alike(told: Change, found: Change) -> bool:
    """Whether two speak of one change; another machine may add squares up in another order."""
    near = math.isclose(told.l2, found.l2, rel_tol=1e-9)
    return near and replace(told, l2=found.l2) == found


def seen_from(receipt: Receipt, old: Path, new: Path) -> Receipt:
    """A receipt whose paths led from the folder `old`, with paths from the folder `new`."""

    def seen(mark: FileMark) -> FileMark:
        return FileMark(relpath(old / mark.path, new), mark.sha256)

    return replace(
        receipt,
        spec=seen(receipt.spec),
        used=tuple(map(seen, receipt.used)),
        read={name: seen(mark) for name, mark in receipt.read.items()},
        source=seen(receipt.source),
    )


# --- as text --------------------------------------------------------------------------------


def embedded(receipt: Receipt) -> str:
    """One line of JSON in ASCII, for the target's own metadata."""
    inside = asdict(replace(receipt, sha256=None))
    return json.dumps(inside, separators=(",", ":"), allow_nan=False)


def receipt_path(target: Path) -> Path:
    """Where the receipt of a file stands."""
    return target.parent / f"{target.name}{ENDING}"


def receipt_text(receipt: Receipt) -> bytes:
    """A receipt as its own file has it; half a character, as names of files may have, is its escape."""
    text = json.dumps(asdict(receipt), indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode(errors="backslashreplace")


def write_receipt(text: bytes, target: Path, *, overwrite: bool = False) -> Path:
    """Write the text of a receipt beside `target`; raises `CircError` (E0650, E0653)."""
    path = receipt_path(target)
    with replacing(path, overwrite=overwrite) as stream:
        stream.write(text)
    return path


def read_receipt(text: str, name: str) -> Receipt:
    """The receipt that `text` is, read from the file `name`; raises `CircError` (E0656)."""
    try:
        return receipt_in(as_object(json_of(text)))
    except ValueError as error:
        raise CircError(writing.bad_receipt(name, str(error))) from error


def receipt_at(path: Path) -> Receipt:
    """The receipt in a file; raises `CircError` (E0401-E0403, E0656)."""
    try:
        return receipt_in(as_object(json_in(path)))
    except ValueError as error:
        raise CircError(writing.bad_receipt(str(path), str(error))) from error


def receipt_in(found: Json) -> Receipt:
    """A receipt, with every field checked; raises `Malformed` with the first that is wrong."""
    expect_fields(found, Receipt)
    patch = text_at(found, "patch")
    if PATCH_NAME.fullmatch(patch) is None:
        raise Malformed("`patch` is no name of a patch")
    return Receipt(
        text_at(found, "tool"),
        patch,
        params_in(found["params"]),
        mark_in(as_object(found["spec"])),
        tuple(mark_in(as_object(entry)) for entry in as_list(found["used"])),
        marks_in(found["read"]),
        mark_in(as_object(found["source"])),
        file_name_at(found, "target"),
        None if found["sha256"] is None else hash_at(found, "sha256"),
        hash_at(found, "data"),
        tuple(change_in(as_object(entry)) for entry in as_list(found["changes"])),
        tuple(computed_in(as_object(entry)) for entry in as_list(found["computed"])),
        tuple(settled_in(as_object(entry)) for entry in as_list(found["verdicts"])),
        None if found["bound"] is None else bound_in(as_object(found["bound"])),
        tuple(earlier_in(as_object(entry)) for entry in as_list(found["earlier"])),
        tuple(treated_in(as_object(entry)) for entry in as_list(found["ties"])),
        None if found["config"] is None else configured_in(as_object(found["config"])),
    )


def earlier_in(found: Json) -> Receipt:
    """A receipt that another carries: it has none within, since those stand before it."""
    if found.get("earlier") != []:
        raise Malformed("an earlier receipt carries others")
    return receipt_in(found)


def marks_in(found: object) -> Mapping[str, FileMark]:
    """Files by the name that a spec gives them."""
    given = as_object(found)
    return {name: mark_in(as_object(entry)) for name, entry in given.items()}


def mark_in(found: Json) -> FileMark:
    """A `FileMark`."""
    expect_fields(found, FileMark)
    path = text_at(found, "path")
    require_file_name(path, path)
    return FileMark(path, hash_at(found, "sha256"))


def file_name_at(found: Json, field: str) -> str:
    """A field that holds the name of a file in the receipt's own folder."""
    value = text_at(found, field)
    require_file_name(value, Path(value).name)
    return value


def require_file_name(value: str, expected: str) -> None:
    """Raise `Malformed` unless a text is `expected`, and what a file system can have as a name."""
    try:
        fits = bool(os.fsencode(value)) and "\0" not in value
    except UnicodeEncodeError:
        fits = False
    if not fits or value != expected:
        raise Malformed("a name of a file is none")


def change_in(found: Json) -> Change:
    """A `Change`."""
    expect_fields(found, Change)
    dtype = text_at(found, "dtype")
    if dtype not in FORMATS:
        raise Malformed(f"`{dtype}` is no dtype of a patched tensor")
    return Change(
        text_at(found, "tensor"),
        dtype,
        shape_at(found, "was"),
        shape_at(found, "shape"),
        hash_at(found, "before"),
        hash_at(found, "after"),
        norm_at(found, "l2"),
        norm_at(found, "linf"),
    )


def computed_in(found: Json) -> Computed:
    """A `Computed`."""
    expect_fields(found, Computed)
    names = tuple(text_at({"tensor": name}, "tensor") for name in as_list(found["tensors"]))
    residue = None if found["residue"] is None else norm_at(found, "residue")
    return Computed(text_at(found, "form"), names, residue)


def params_in(found: object) -> Mapping[str, str]:
    """The params that the patch was made with, each an exact number as text."""
    given = as_object(found)
    params = {name: text_at(given, name) for name in given}
    for value in params.values():
        try:
            rational(value)
        except (ValueError, ZeroDivisionError) as error:
            raise Malformed("a param is no number") from error
    return params


def settled_in(found: Json) -> Settled:
    """A `Settled`."""
    expect_fields(found, Settled)
    word = text_at(found, "outcome")
    for outcome in cast("tuple[Outcome, ...]", get_args(Outcome)):
        if outcome == word:
            return Settled(text_at(found, "name"), outcome, text_at(found, "method"))
    raise Malformed(f"`{word}` is no outcome")


def treated_in(found: Json) -> Treated:
    """A `Treated`."""
    expect_fields(found, Treated)
    kept, other = text_at(found, "kept"), text_at(found, "other")
    word = text_at(found, "how")
    for how in cast("tuple[How, ...]", get_args(How)):
        if how == word:
            return Treated(kept, other, how)
    raise Malformed(f"`{word}` is neither together nor apart")


def configured_in(found: Json) -> Configured:
    """A `Configured`."""
    expect_fields(found, Configured)
    fields = as_object(found["fields"])
    return Configured(hash_at(found, "before"), hash_at(found, "after"), fields)
