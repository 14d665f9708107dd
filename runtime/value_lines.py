"""A value that was evaluated, as lines for people: exact and PyTorch's, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import assert_never

from circ.compiler.ir import Real, WireType
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.clock import LATE
from circ.compiler.readings.intervals import Reals
from circ.lang.types import show
from circ.runtime.evaluate import Evaluated, apart
from circ.runtime.report import Line, count_lines
from circ.runtime.show import MOST_SHOWN, between_text, code_text, float_text, tensor_text

DTYPE_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}

DIGITS_OF_ONE = 12
DIGITS_OF_MANY = 6
"""Significant digits of a number by itself, and of one among the entries of a tensor."""

DIGITS_OF_COUNTS = 400
"""The same of a number that counts words, which is whole."""

MOST_ENTRIES = 8
"""Numbers shown along an axis without names."""

LONGER = "`--timeout SECONDS` gives it more, in a session `:timeout SECONDS`"

MOST_NAMED = 24
"""Rows shown of a vector whose entries have names."""


def value_lines(found: Evaluated) -> list[Line]:
    """The type; both values; how far apart they are, and whether a tie leaves the value open."""
    lines = counted(found) if found.counts else [*body(found), *apart_line(found)]
    if found.tie:
        lines.append(Line("doubt", "equal scores tie, and any choice among them is right"))
    if found.late:
        lines.append(Line("doubt", f"the exact value was {LATE}; {LONGER}"))
    shown = [Line(line.style, f"  {line.text}".rstrip()) for line in lines]
    return [Line("faint", show(found.query.type)), *shown]


def counted(found: Evaluated) -> list[Line]:
    """A value that counts domains: the value, and what each count rests on."""
    entries = [grouped(entry) for entry in exact_entries(found, DIGITS_OF_COUNTS)]
    known = all(some.low == some.high for some in found.counts)
    value = Line("plain", f"{'exact' if known else 'within'}  {short(entries, found.kind)}")
    return [value, *count_lines(found.query.quantities, found.counts)]


def grouped(text: str) -> str:
    """Whole numbers with a comma after every three digits."""
    return " ".join(f"{int(word):,}" if word.isdecimal() else word for word in text.split(" "))


def apart_line(found: Evaluated) -> Iterator[Line]:
    """The difference in words, where there is one."""
    difference = apart(found)
    if not difference:
        return
    if found.kind.sort == Real():
        yield Line("faint", f"they differ by at most {difference:.2g}")
    elif found.kind.shape:
        yield Line("doubt", f"they differ in {difference} of {found.kind.entries} entries")
    else:
        yield Line("doubt", "they differ")


def body(found: Evaluated) -> list[Line]:
    """Both values: on a line each, as a table by name, or as rows."""
    digits = DIGITS_OF_MANY if found.kind.shape and not found.labels else DIGITS_OF_ONE
    exact, computed = exact_entries(found, digits), computed_entries(found, digits)
    name = torch_name(found)
    if found.labels:
        return plain(table(found.labels, exact, computed, name))
    if len(found.kind.shape) > 1:
        return plain([*rows("exact", exact, found), *rows(name, computed, found)])
    return plain(
        f"{word:<{len(name)}}  {short(entries, found.kind)}"
        for word, entries in (("exact", exact), (name, computed))
    )


def torch_name(found: Evaluated) -> str:
    """What the value is headed that PyTorch computed."""
    return f"PyTorch ({dtype_name(found)})" if computes(found) else "PyTorch"


def dtype_name(found: Evaluated) -> str:
    """The dtype that PyTorch computed in."""
    return DTYPE_NAMES[found.dtype]


def computes(found: Evaluated) -> bool:
    """Whether a dtype has a part in the value."""
    return found.kind.sort == Real() or bool(found.query.circuit.weights)


def plain(lines: Iterable[str]) -> list[Line]:
    """Lines without emphasis."""
    return [Line("plain", line) for line in lines]


def table(
    labels: Sequence[str], exact: Sequence[str], computed: Sequence[str], name: str
) -> list[str]:
    """A row for each name, cut off where there are very many."""
    cells = [("", "exact", name), *zip(labels, exact, computed, strict=True)][: MOST_NAMED + 1]
    first, second, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
    lines = [f"{a:<{first}}  {b:<{second}}  {c}" for a, b, c in cells]
    return [*lines, *left_out(len(labels), MOST_NAMED)]


def rows(heading: str, entries: Sequence[str], found: Evaluated) -> list[str]:
    """A matrix, or what has more axes: a line for each entry of the leading axis."""
    count, *inner = found.kind.shape
    names = found.query.axes[0] or ("",) * count
    width = max((len(name) for name in names[:MOST_NAMED]), default=0)
    most = MOST_NAMED if any(names) else MOST_ENTRIES
    size = len(entries) // count if count else 0
    lines = [
        f"  {f'{names[k]:<{width}} ' if width else ''}"
        + short(entries[k * size : (k + 1) * size], WireType(found.kind.sort, tuple(inner)))
        for k in range(min(count, most))
    ]
    return [heading, *lines, *(f"  {line}" for line in left_out(count, most))]


def left_out(count: int, most: int) -> list[str]:
    """How many rows are not shown."""
    return [f"… {count - most} more"] if count > most else []


def short(entries: Sequence[str], kind: WireType) -> str:
    """Entries in brackets on one line: words in full, numbers cut off."""
    return tensor_text(entries, kind.shape, MOST_ENTRIES if kind.sort == Real() else MOST_SHOWN)


def exact_entries(found: Evaluated, digits: int) -> list[str]:
    """The exact entries as text."""
    match found.exact:
        case None:
            return ["unknown" if found.late else "undefined"] * found.kind.entries
        case Reals(box=box):
            return [between_text(low, high, digits) for low, high in box]
        case Choices(sets=sets):
            return [" or ".join(names(options, found)) for options in sets]
        case _:
            assert_never(found.exact)


def computed_entries(found: Evaluated, digits: int) -> list[str]:
    """PyTorch's entries as text."""
    if found.kind.sort != Real():
        return [code_text(int(code), found.kind, found.query.members) for code in found.computed]
    if digits == DIGITS_OF_ONE:
        return [float_text(value, found.dtype) for value in found.computed]
    return [f"{value:.{digits}g}" for value in found.computed]


def names(options: frozenset[int], found: Evaluated) -> list[str]:
    """The truths or members of these codes."""
    return [code_text(code, found.kind, found.query.members) for code in sorted(options)]
