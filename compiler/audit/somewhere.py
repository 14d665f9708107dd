"""The words of a region that have a letter at one of some positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from circ.compiler.audit.machine import DEAD, MOST_STATES, Step
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import require


def somewhere(region: Region, places: Iterable[int], letter: int) -> Region:
    """The words with the letter at one of the places: a state says whether it was seen yet."""
    spots = {*places}
    steps: list[Step] = []
    names = {(0, False): 0}
    for position, step in enumerate(region.steps):
        found: dict[tuple[int, bool], int] = {}
        rows: Step = []
        for state, before in names:
            row: list[int] = []
            for c, after in enumerate(step[state]):
                seen = before or (c == letter and position in spots)
                goes_on = after != DEAD and (seen or position < max(spots))
                row.append(found.setdefault((after, seen), len(found)) if goes_on else DEAD)
            rows.append(row)
        require(len(found) <= MOST_STATES, "a choice needs too many states")
        steps.append(rows)
        names = found
    states = [*map(len, steps), len(names)]
    return replace(region, steps=steps, states=states, found={})
