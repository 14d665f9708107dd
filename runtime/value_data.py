"""A value that was evaluated, as plain data for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from math import isfinite
from typing import assert_never

from circ.compiler.ir import Bool, Real, Shape
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value
from circ.lang.types import show
from circ.runtime.as_data import counts_data
from circ.runtime.evaluate import Evaluated, apart

Data = dict[str, object]
Json = str | float | dict[str, "Json"] | list["Json"]

JSON_DIGITS = 20
LONGEST_RATIONAL = 4096
"""Bits of a numerator or denominator that is written out."""


def evaluated_data(found: Evaluated) -> Data:
    """Both values for `--json`, nested as their shape is.

    An exact real is text `p/q`, or decimals `low` and `high` that enclose it; an entry that ties
    leave open lists what it is `any_of`. There is none where the expression is undefined, or the time was up (`late`). PyTorch's numbers are numbers, unless they are not finite.
    """
    exact = (
        None if found.exact is None else nested(exact_data(found.exact, found), found.kind.shape)
    )
    if found.counts:
        counts = counts_data(found.query.quantities, found.counts)
        return {"type": show(found.query.type), "exact": exact, "tie": found.tie, "counts": counts}
    return {
        "type": show(found.query.type),
        "exact": exact,
        "torch": nested(computed_data(found), found.kind.shape),
        "dtype": found.dtype,
        "apart": apart(found),
        "tie": found.tie,
        "late": found.late,
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
