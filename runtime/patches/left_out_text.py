"""What a requirement leaves out, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from circ.runtime.patches.bound_text import rounded
from circ.runtime.patches.left_out import CONFIDENCE, LeftOut
from circ.runtime.report import Line


def left_out_lines(found: Sequence[LeftOut]) -> list[Line]:
    """One for each requirement that assumes something."""
    return [Line("plain", f"    {each.requirement} leaves out {told(each)}") for each in found]


def left_out_data(found: Sequence[LeftOut]) -> object:
    """The same for `--json`."""
    return [asdict(each) for each in found]


def told(found: LeftOut) -> str:
    """The share, and how sure it is."""
    match found.how:
        case "counted":
            least, most, size = found.inputs
            some = f"{least:,}" if least == most else f"{least:,} to {most:,}"
            return f"{some} of the {size:,} inputs of its domain"
        case "bounded":
            return f"{between(found)} of the volume of its domain"
        case "drawn":
            sure = f"{CONFIDENCE:.1%}".replace("%", " %")
            return f"{between(found)} of its domain, as {found.draws:,} draws say with {sure} confidence"


def between(found: LeftOut) -> str:
    """Two shares in percent, rounded outward."""
    low = rounded(Decimal(found.low) * 100, 3, ROUND_FLOOR)
    high = rounded(Decimal(found.high) * 100, 3, ROUND_CEILING)
    return f"{low} %" if low == high else f"{low} % to {high} %"
