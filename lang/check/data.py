"""Data sets: a domain that is the rows of a file, each as often as it stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from math import prod

from circ.lang.check.annotations import as_type
from circ.lang.check.context import Context, Facts, Rows, TensorRows, WordRows
from circ.lang.check.listed import Malformed
from circ.lang.diagnostic import CircError, Diagnostic, Diagnostics
from circ.lang.errors.data import bad_rows, no_tensor_there, which_tensor
from circ.lang.errors.domains import bad_binder
from circ.lang.errors.files import unknown_tensor
from circ.lang.headers import Json, Openers
from circ.lang.scope import key
from circ.lang.syntax import CheckpointDecl, DataSet, DomainDecl
from circ.lang.types import (
    Array,
    BoolElement,
    Dims,
    EnumElement,
    Fixed,
    RealElement,
    fits,
    is_real,
    real,
    show,
    size,
)
from circ.lang.words import quoted

STORED = ".safetensors"
"""How the name of a file ends whose rows are those of a tensor; any other is a list in JSON."""

MOST_ENTRIES = 1 << 22
"""Of all rows of words together."""


# --- files ------------------------------------------------------------------------------------


def open_data(decl: DomainDecl, openers: Openers, facts: Facts, diagnostics: Diagnostics) -> None:
    """Read the list of words, or the header of the tensors; a file that is neither is reported."""
    data = decl.value
    try:
        stored = as_checkpoint(decl)
        if stored is not None:
            facts.headers[key(decl)] = openers.header(stored).header
        elif isinstance(data, DataSet):
            facts.lists[data] = openers.listed(data.file)
    except CircError as error:
        for diagnostic in error.diagnostics:
            diagnostics.report(diagnostic)


def as_checkpoint(decl: DomainDecl) -> CheckpointDecl | None:
    """The checkpoint that holds the rows of a data set, under the name of that; None for a list."""
    data = decl.value
    if not isinstance(data, DataSet) or not data.file.text.endswith(STORED):
        return None
    return CheckpointDecl(decl.span, "", decl.name, data.file, ())


# --- rows -------------------------------------------------------------------------------------


def check_data(decl: DomainDecl, data: DataSet, ctx: Context) -> None:
    """The type of a row, and what the rows are; reports a file that holds no such rows."""
    t = as_type(data.type, ctx)
    if isinstance(t, Array) and isinstance(t.element, BoolElement):
        t = ctx.error(bad_binder(data.type.span, t))
    ctx.facts.domains[data] = t
    if isinstance(t, Array):
        found = wrong_file(decl, data, t) or (
            stored_rows(decl, data, t, ctx) if is_real(t) else listed_rows(data, t, ctx)
        )
        if isinstance(found, Diagnostic):
            ctx.error(found)
        elif found is not None:
            ctx.facts.rows[data] = found


def wrong_file(decl: DomainDecl, data: DataSet, t: Array) -> Diagnostic | None:
    """Reals in a list, or words in a file of tensors."""
    if is_real(t) == (as_checkpoint(decl) is not None):
        return None
    reason = f"reals are rows of a `{STORED}` file, and words those of a list in JSON"
    return bad_rows(data.file.span, data.file.text, show(t), reason)


def listed_rows(data: DataSet, t: Array, ctx: Context) -> Rows | Diagnostic | None:
    """The words of a list; None where its file could not be read."""
    if data.tensor is not None:
        return no_tensor_there(data.tensor.span, show(t))
    if data not in ctx.facts.lists:
        return None
    try:
        return WordRows(tuple(words(ctx.facts.lists[data], t)))
    except Malformed as error:
        return bad_rows(data.file.span, data.file.text, show(t), str(error))


def stored_rows(
    decl: DomainDecl, data: DataSet, t: Array, ctx: Context
) -> Rows | Diagnostic | None:
    """The rows of a tensor; None where its file could not be read."""
    header = ctx.facts.headers.get(key(decl))
    if header is None:
        return None
    span = data.file.span if data.tensor is None else data.tensor.span
    if data.tensor is None and len(header) != 1:
        return which_tensor(span, data.file.text, list(header))
    name = next(iter(header)) if data.tensor is None else data.tensor.text
    if name not in header:
        return unknown_tensor(span, name, list(header))
    count, *row = header[name].shape or (0,)
    found = real(*map(Fixed, row))
    if count == 0:
        return bad_rows(span, data.file.text, show(t), f"`{name}` has no rows")
    if not fits(t, found):
        return bad_rows(span, data.file.text, show(t), f"the rows of `{name}` are `{show(found)}`")
    return TensorRows(count, name)


# --- words ------------------------------------------------------------------------------------


def words(listed: Json, t: Array) -> Iterator[tuple[int, ...]]:
    """The codes of each word of a list; raises `Malformed`."""
    if not isinstance(listed, list) or not listed:
        raise Malformed("it holds no list of rows" if listed != [] else "its list has no rows")
    if len(listed) * prod(size(dim) or 0 for dim in t.dims) > MOST_ENTRIES:
        raise Malformed(f"its rows have more than {MOST_ENTRIES:,} entries in all")
    codes = codes_of(t)
    for number, row in enumerate(listed):
        try:
            yield tuple(entries(row, t.dims, codes))
        except Malformed as error:
            raise Malformed(f"row {number} {error}") from error


def codes_of(t: Array) -> Mapping[str | int, int]:
    """The code of each member, by its name; of each position, by itself."""
    match t.element:
        case EnumElement(members=members):
            return {member: code for code, member in enumerate(members)}
        case RealElement() | BoolElement():
            return {}
        case element:
            return {code: code for code in range(size(element.size) or 0)}


def entries(row: Json, dims: Dims, codes: Mapping[str | int, int]) -> Iterator[int]:
    """The codes of a row, nested as its axes are; a string has its characters as entries."""
    if not dims:
        yield code_of(row, codes)
        return
    parts = [*row] if isinstance(row, str) and len(dims) == 1 else row
    if not isinstance(parts, list):
        raise Malformed(f"is {shortly(row)}, and no list")
    if len(parts) != size(dims[0]):
        raise Malformed(f"has {len(parts)} entries where {size(dims[0])} are asked for")
    for part in parts:
        yield from entries(part, dims[1:], codes)


def code_of(entry: Json, codes: Mapping[str | int, int]) -> int:
    """The code of one entry."""
    if (isinstance(entry, str) or type(entry) is int) and entry in codes:
        return codes[entry]
    some = ", ".join(quoted(c) if isinstance(c, str) else str(c) for c in islice(codes, 3))
    more = ", …" if len(codes) > 3 else ""
    raise Malformed(f"has the entry {shortly(entry)}, which is none of {some}{more}")


def shortly(value: Json) -> str:
    """A value in a few words."""
    match value:
        case str():
            return quoted(value if len(value) <= 20 else value[:20] + "…")
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return json.dumps(value)[:20]
