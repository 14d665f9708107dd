"""A lower bound in words, and what a conflict excludes."""

from __future__ import annotations

from dataclasses import asdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import assert_never

from circ.runtime.patches.bound import Bound, DualBound, NoBound
from circ.runtime.patches.excluded import Excluded
from circ.runtime.report import Line


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
