"""Evaluating a closed expression: in exact arithmetic and in PyTorch, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import islice
from math import isfinite
from typing import assert_never

from circ.compiler.ir import Bool, Real, Shape, WireType
from circ.compiler.query import OUTPUT, Query
from circ.compiler.readings.choices import Choices, merged
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals, hull
from circ.compiler.readings.reference import Value, enclose
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES
from circ.lang.types import show
from circ.runtime.report import Line
from circ.runtime.show import MOST_SHOWN, between_text, code_text, float_text, tensor_text

Data = dict[str, object]
Json = str | float | dict[str, "Json"] | list["Json"]

DTYPE_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}

DIGITS_OF_ONE = 12
DIGITS_OF_MANY = 6
"""Significant digits of a number by itself, and of one among the entries of a tensor."""

MOST_ENTRIES = 8
"""Numbers shown along an axis without names."""

MOST_NAMED = 24
"""Rows shown of a vector whose entries have names."""

JSON_DIGITS = 20
LONGEST_RATIONAL = 4096
"""Bits of a numerator or denominator that is written out."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A value, exact and as PyTorch computed it in `dtype` (safetensors' name), row-major.

    `exact` is what every way of breaking ties allows (`tie`: there are several), and None where the
    expression is undefined. PyTorch's truths and members are codes.
    """

    query: Query
    exact: Value | None
    computed: tuple[float, ...] | tuple[int, ...]
    dtype: str
    tie: bool = False

    @property
    def kind(self) -> WireType:
        """What the value's entries are."""
        return self.query.circuit.types[self.query.circuit.outputs[OUTPUT]]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names for the rows, where the value is a vector whose entries have names."""
        named = len(self.kind.shape) == 1 and self.kind.sort == Real()
        return self.query.axes[0] if named else ()


def evaluate(query: Query, weights: Weights) -> Evaluated:
    """Both values of an expression without inputs."""
    exact, tie = exactly(query, weights)
    computed, dtype = in_torch(query, weights)
    return Evaluated(query, exact, computed, dtype, tie)


def exactly(query: Query, weights: Weights) -> tuple[Value | None, bool]:
    """The exact value, or what encloses it; and whether equal scores leave it open."""
    try:
        outcomes = every_choice(query.circuit, {}, weights)
        found = [outcome.outputs[OUTPUT] for outcome in islice(outcomes, MOST_CHOICES)]
        if next(outcomes, None) is not None:
            found = [enclose(query.circuit, {}, weights)[OUTPUT]]
            return found[0], True
    except Undefined:
        return None, False
    return any_outcome(found), len(found) > 1


def any_outcome(found: Sequence[Value]) -> Value:
    """What encloses every one of several values of one type."""
    reals = [value for value in found if isinstance(value, Reals)]
    choices = [value for value in found if isinstance(value, Choices)]
    return hull(reals) if reals else merged(choices)


def in_torch(query: Query, weights: Weights) -> tuple[tuple[float, ...] | tuple[int, ...], str]:
    """The value that PyTorch computes, and the name of the dtype it computes in."""
    import torch

    from circ.compiler.readings.torch import NAMES, module, numbers, whole_numbers

    runs = module(query.circuit, weights)
    with torch.no_grad():
        value = runs({})[OUTPUT][0]
    if value.is_floating_point():
        return tuple(numbers(value)), NAMES[runs.dtype]
    return tuple(whole_numbers(value)), NAMES[runs.dtype]


# --- how far apart ----------------------------------------------------------------------------


def apart(found: Evaluated) -> float | int | None:
    """How far PyTorch is from exact: the most that an entry of a real differs; else how many do.

    None where the exact value is undefined or PyTorch's is not finite.
    """
    match found.exact:
        case None:
            return None
        case Reals(box=box):
            if not all(map(isfinite, found.computed)):
                return None
            pairs = zip(map(Fraction, found.computed), box, strict=True)
            return float(max((max(x - low, high - x) for x, (low, high) in pairs), default=0))
        case Choices(sets=sets):
            return sum(x not in options for x, options in zip(found.computed, sets, strict=True))
        case _:
            assert_never(found.exact)


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


# --- lines ------------------------------------------------------------------------------------


def value_lines(found: Evaluated) -> list[Line]:
    """The type; both values; how far apart they are, and whether a tie leaves the value open."""
    lines = [*body(found), *apart_line(found)]
    if found.tie:
        lines.append(Line("doubt", "equal scores tie, and any choice among them is right"))
    shown = [Line(line.style, f"  {line.text}".rstrip()) for line in lines]
    return [Line("faint", show(found.query.type)), *shown]


def body(found: Evaluated) -> list[Line]:
    """Both values: on a line each, as a table by name, or as rows."""
    digits = DIGITS_OF_MANY if found.kind.shape and not found.labels else DIGITS_OF_ONE
    exact, computed = exact_entries(found, digits), computed_entries(found, digits)
    name = f"PyTorch ({DTYPE_NAMES[found.dtype]})" if computes(found) else "PyTorch"
    if found.labels:
        return plain(table(found.labels, exact, computed, name))
    if len(found.kind.shape) > 1:
        return plain([*rows("exact", exact, found), *rows(name, computed, found)])
    return plain(
        f"{word:<{len(name)}}  {short(entries, found.kind)}"
        for word, entries in (("exact", exact), (name, computed))
    )


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
            return ["undefined"] * found.kind.entries
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


# --- data -------------------------------------------------------------------------------------


def evaluated_data(found: Evaluated) -> Data:
    """Both values for `--json`, nested as their shape is.

    An exact real is text `p/q`, or decimals `low` and `high` that enclose it; an entry that ties
    leave open lists what it is `any_of`. PyTorch's numbers are numbers, unless they are not finite.
    """
    exact = (
        None if found.exact is None else nested(exact_data(found.exact, found), found.kind.shape)
    )
    return {
        "type": show(found.query.type),
        "exact": exact,
        "torch": nested(computed_data(found), found.kind.shape),
        "dtype": found.dtype,
        "apart": apart(found),
        "tie": found.tie,
    }


def nested(entries: Sequence[Json], shape: Shape) -> Json:
    """Row-major entries as lists in lists."""
    if not shape:
        return entries[0]
    size = len(entries) // shape[0] if shape[0] else 0
    return [nested(entries[k * size : (k + 1) * size], shape[1:]) for k in range(shape[0])]


def exact_data(value: Value, found: Evaluated) -> list[Json]:
    """The exact entries."""
    match value:
        case Reals(box=box):
            return [between_data(low, high) for low, high in box]
        case Choices(sets=sets):
            return [any_of([code_data(c, found) for c in sorted(options)]) for options in sets]
        case _:
            assert_never(value)


def any_of(options: list[Json]) -> Json:
    """An entry that is decided, or what it may be."""
    return options[0] if len(options) == 1 else {"any_of": options}


def between_data(low: Fraction, high: Fraction) -> Json:
    """A rational, or the decimals that enclose it, rounded outward (also where it is very long)."""
    if low == high and max(low.denominator, abs(low.numerator)).bit_length() <= LONGEST_RATIONAL:
        return str(low)
    down, up = Context(JSON_DIGITS, ROUND_FLOOR), Context(JSON_DIGITS, ROUND_CEILING)
    return {
        "low": str(down.divide(Decimal(low.numerator), Decimal(low.denominator))),
        "high": str(up.divide(Decimal(high.numerator), Decimal(high.denominator))),
    }


def computed_data(found: Evaluated) -> list[Json]:
    """PyTorch's entries."""
    if found.kind.sort != Real():
        return [code_data(int(code), found) for code in found.computed]
    return [value if isfinite(value) else str(value) for value in found.computed]


def code_data(code: int, found: Evaluated) -> Json:
    """A truth, or a member by its name."""
    if found.kind.sort == Bool():
        return bool(code)
    return found.query.members[code]
