"""A lower bound in a receipt, and in words."""

from __future__ import annotations

import re
from dataclasses import asdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import assert_never, cast, get_args

from circ.compiler.patching import Norm
from circ.runtime.patches.bound import Bound, DualBound, Multiplier, NoBound
from circ.runtime.patches.excluded import Excluded
from circ.runtime.patches.fields import (
    Json,
    Malformed,
    as_list,
    as_object,
    expect_fields,
    norm_at,
    text_at,
    whole_at,
)
from circ.runtime.report import Line

NUMBER = re.compile(r"-?[0-9]{1,4000}(/0{0,9}[1-9][0-9]{0,3999})?", re.ASCII)
"""An integer, or a ratio of two, of no more digits than Python reads."""


# --- in a receipt ---------------------------------------------------------------------------


def bound_in(found: Json) -> Bound:
    """A bound, with every field checked; raises `Malformed`."""
    if "reason" in found:
        expect_fields(found, NoBound)
        return NoBound(norm_in(found), norm_at(found, "size"), text_at(found, "reason"))
    expect_fields(found, DualBound)
    multipliers = (multiplier_in(as_object(entry)) for entry in as_list(found["multipliers"]))
    size, least = norm_at(found, "size"), norm_at(found, "least")
    if not (0 < least <= size or size == least == 0):
        raise Malformed("its lower bound is above the size of the change")
    return DualBound(norm_in(found), size, least, tuple(multipliers))


def norm_in(found: Json) -> Norm:
    """The name of a norm."""
    word = text_at(found, "norm")
    for norm in cast("tuple[Norm, ...]", get_args(Norm)):
        if norm == word:
            return norm
    raise Malformed(f"`{word}` is no norm")


def multiplier_in(found: Json) -> Multiplier:
    """A `Multiplier`."""
    expect_fields(found, Multiplier)
    given = as_object(found["input"])
    entries = {name: tuple(map(number_in, as_list(given[name]))) for name in given}
    part, factor = whole_at(found, "part"), whole_at(found, "factor")
    return Multiplier(text_at(found, "requirement"), entries, part, factor)


def number_in(found: object) -> str:
    """An entry of an input, as text."""
    match found:
        case str(text) if NUMBER.fullmatch(text):
            return text
        case _:
            raise Malformed("an entry of an input is no number")


# --- in words -------------------------------------------------------------------------------


def bound_lines(bound: Bound | None) -> list[Line]:
    """How far the change may be from the smallest; nothing where nothing had to change, or nothing was searched for."""
    match bound:
        case None | DualBound(size=0.0):
            return []
        case DualBound(norm=norm, least=least):
            told = f"minimal within {percent(bound.gap)}: no change below {lower(least)} in {norm} does it"
        case NoBound(reason=reason):
            told = f"no lower bound is known, because {reason}"
    return [Line("plain", f"    {told}")]


def excluded_text(found: Excluded) -> str:
    """Which edits are shown not to do it, as the subject of a sentence."""
    match found.changes:
        case "all":
            return "no edit of these tensors"
        case "held":
            return "no edit to numbers that the file's dtype holds"
        case "smaller":
            least = rounded(Decimal(found.least), 2, ROUND_FLOOR)
            return f"no change with an {found.norm} norm below {least}"
        case _:
            assert_never(found.changes)


def bound_data(bound: Bound | None) -> object:
    """The same for `--json`."""
    match bound:
        case None:
            return None
        case DualBound():
            return {**asdict(bound), "gap": bound.gap}
        case NoBound():
            return asdict(bound)


def percent(share: float) -> str:
    """A share of two digits, rounded up: `0.013 %`."""
    return f"{rounded(Decimal(share) * 100, 2, ROUND_CEILING)} %"


def lower(value: float) -> str:
    """A number of six digits, rounded down."""
    return rounded(Decimal(value), 6, ROUND_FLOOR)


def rounded(value: Decimal, digits: int, way: str) -> str:
    """So many digits of a number."""
    found = Context(prec=digits, rounding=way).create_decimal(value).normalize()
    return f"{found:f}" if -7 < found.adjusted() < 16 else str(found).lower()
