"""A range as lines for people, and as data."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from circ.compiler.verdict import Vacuous
from circ.runtime.as_data import Data, evidence, witness_data
from circ.runtime.climb import Extreme
from circ.runtime.exits import Exit
from circ.runtime.ranges import Nowhere, Range
from circ.runtime.report import Line, verdict_lines, witness_lines
from circ.runtime.show import between_text, decimal_text
from circ.runtime.value_data import between_data


def range_lines(found: Range | Nowhere) -> Iterator[Line]:
    """Both ends, each with an input near it; or why there are none."""
    if not isinstance(found, Range):
        yield from verdict_lines(found.question, found.verdict)
        return
    for end in (found.least, found.greatest):
        yield Line("plain", f"{end.side:<8}  {bounds_text(end)}")
        for text in witness_lines(end.question, end.witness):
            yield Line("plain", f"  at {text}")
        yield Line("faint", f"  by {end.method}")
        if end.tie:
            yield Line("doubt", "  there, equal scores tie, and the value depends on the choice")
        if end.reason:
            yield Line("doubt", f"  {end.reason}")


def bounds_text(end: Extreme) -> str:
    """What the end is, or what it lies between."""
    match end.low, end.high:
        case Fraction() as low, Fraction() as high:
            text = between_text(low, high)
            if low == high or end.reason == "":
                return text
            return f"between {decimal_text(low)} and {decimal_text(high)}"
        case None, Fraction() as high:
            return f"at most {decimal_text(high)}"
        case Fraction() as low, None:
            return f"at least {decimal_text(low)}"
        case _:
            return "not known"


def range_data(name: str, found: Range | Nowhere) -> Data:
    """Both ends for `--json`: rationals as text, or decimals that enclose the value."""
    if not isinstance(found, Range):
        why = evidence(found.question, found.verdict)
        return {"range": name, "least": None, "greatest": None} | why
    return {"range": name, "least": end_data(found.least), "greatest": end_data(found.greatest)}


def end_data(end: Extreme) -> Data:
    """One end."""
    return {
        "low": None if end.low is None else between_data(end.low, end.low),
        "high": None if end.high is None else between_data(end.high, end.high),
        "at": witness_data(end.question, end.witness),
        "method": end.method,
        "trusted": list(end.trusted),
        "tie": end.tie,
        "reason": end.reason,
    }


def range_exit(found: Range | Nowhere) -> Exit:
    """0 where both ends are known, 2 where one is open, 3 where nothing meets the conditions."""
    if isinstance(found, Range):
        open_ends = found.least.reason or found.greatest.reason
        return Exit.UNKNOWN if open_ends else Exit.AS_CLAIMED
    return Exit.VACUOUS if isinstance(found.verdict, Vacuous) else Exit.UNKNOWN
