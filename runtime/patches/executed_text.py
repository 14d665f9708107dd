"""What PyTorch was seen to compute of an edited checkpoint, in words and for `--json`."""

from __future__ import annotations

from collections.abc import Sequence

from circ.runtime.as_data import witness_data
from circ.runtime.patches.outcomes import Executed
from circ.runtime.report import Line, witness_lines

PRECISE = ("float32", "float64")
"""Of these nothing is said where PyTorch does as proved."""


def executed_lines(found: Sequence[Executed]) -> list[Line]:
    """A line a requirement; none where a precise dtype does as proved."""
    return [line_of(each) for each in found if each.otherwise or each.dtype not in PRECISE]


def line_of(found: Executed) -> Line:
    """At how many inputs PyTorch does otherwise, and at which for one."""
    head = f"{found.obligation.name}: in {found.dtype}, PyTorch does"
    alone = found.tried == 1
    if found.first is None:
        those = "the one input" if alone else f"all {found.tried:,} inputs"
        return Line("plain", f"    {head} as proved on {those} tried")
    place = "; ".join(witness_lines(found.obligation, found.first))
    some = "the one input" if alone else f"{found.otherwise:,} of {found.tried:,} inputs"
    one = "" if found.otherwise == 1 else "for one "
    return Line("doubt", f"    ? {head} otherwise on {some} tried, {one}at {place}")


def executed_data(found: Sequence[Executed]) -> list[object]:
    """The same for `--json`, of all that was tried."""
    return [
        {
            "requirement": each.obligation.name,
            "dtype": each.dtype,
            "tried": each.tried,
            "otherwise": each.otherwise,
            "input": None if each.first is None else witness_data(each.obligation, each.first),
        }
        for each in found
    ]
