"""What a requirement leaves out, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import assert_never

from circ.runtime.patches.bound_text import rounded
from circ.runtime.patches.left_out import CONFIDENCE
from circ.runtime.patches.left_out_shares import LeftOut, NotKnown, Share
from circ.runtime.report import Line


def left_out_lines(found: Sequence[Share]) -> list[Line]:
    """One for each requirement that assumes something."""
    return [Line("plain", f"    {each.requirement} {told(each)}") for each in found]


def left_out_data(found: Sequence[Share]) -> object:
    """The same for `--json`."""
    return [asdict(each) for each in found]


def told(found: Share) -> str:
    """The share, and how sure it is; or why it is not known."""
    match found:
        case NotKnown(reason=reason):
            return f"leaves out a share of its domain that is not known, because {reason}"
        case LeftOut():
            return f"leaves out {sized(found)}{of_lengths(found)}"
        case _:
            assert_never(found)


def sized(found: LeftOut) -> str:
    """The share of a domain, if that has inputs."""
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
        case "empty":
            return "nothing: no input is in its domain"
        case _:
            assert_never(found.how)


def of_lengths(found: LeftOut) -> str:
    """Of which lengths the words are that a share is about, where they have several."""
    if len(found.lengths) < 2 or found.how == "empty":
        return ""
    return f", lengths {found.lengths[0].length} to {found.lengths[-1].length} together"


def between(found: LeftOut) -> str:
    """Two shares in percent, rounded outward."""
    low = rounded(Decimal(found.low) * 100, 3, ROUND_FLOOR)
    high = rounded(Decimal(found.high) * 100, 3, ROUND_CEILING)
    return f"{low} %" if low == high else f"{low} % to {high} %"
