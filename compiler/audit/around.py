"""Whether potentials show that a sum is positive on all words of some length and more, exactly.

A region of four steps stands for such words: one at the first letter, one at the second, one that is
taken at each letter after it, and one at the last letter. Potentials are those of the start, after one
letter, and then of the loop's states: at the places from the third letter on, before there may be an
end, a layer for each, and one for all places from which words may end.

What makes that a proof: a word of the region, read backwards from its end, meets a potential of the loop
that is at most what its last letter adds; then each letter before it adds at least what the potential
in front of it is less; and the same along the layers.
"""

from __future__ import annotations

from collections.abc import Sequence

from circ.compiler.audit.columns import Total
from circ.compiler.audit.fixed import Fixed, FixedPoint
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.paths import (
    ByPosition,
    Way,
    by_position,
    require_below,
    require_positive,
    ways,
    whole_numbers,
)
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import require

FIRST, SECOND, EACH, LAST = range(4)
"""The steps of such a region."""


def layers(region: Region, start: int) -> list[int]:
    """How many potentials there are, layer by layer, for words of `start` letters and more."""
    loop = region.states[EACH]
    return [*region.states[:EACH], *([loop] * (start - EACH))]


def shown_onwards(
    total: Total[Fixed],
    math: FixedPoint,
    region: Region,
    potentials: Sequence[float],
    strict: bool,
    start: int,
) -> None:
    """Raise `Rejected` unless a number is positive on all these words, or not negative if not `strict`."""
    sizes = layers(region, start)
    count, parts = sum(sizes), by_position(total)
    require(len(potentials) == count * len(region.rows), "potentials are missing, or too many")
    for k, row in enumerate(region.rows):
        mine = whole_numbers(potentials[k * count : (k + 1) * count], 2 * math.bits)
        begin = walked_onwards(parts, math, region, mine, row, sizes)
        require_positive(begin, parts, math, row, strict)


def walked_onwards(
    parts: ByPosition,
    math: FixedPoint,
    region: Region,
    potentials: Sequence[int],
    row: int,
    sizes: Sequence[int],
) -> int:
    """The potential of the start: those of the loop checked at its step and its end, then all others."""
    first, second, each, last = (ways(parts, math, region, step, row) for step in range(4))
    *before, loop = sizes
    end = len(potentials) - loop
    ahead = potentials[end:]
    require_below(ahead, last, [0])
    require_below(ahead, within(each, ending(region, row)), ahead)
    steps = [*[each] * (len(before) - EACH), second, first]
    for size, step in zip(reversed(before), steps, strict=True):
        mine = potentials[end - size : end]
        end -= size
        require_below(mine, step, ahead)
        ahead = mine
    return ahead[0]


def within(each: Sequence[Way], alive: Sequence[bool]) -> list[Way]:
    """The steps of the loop to states from which words go on."""
    return [
        (tuple(after if after != DEAD and alive[after] else DEAD for after in column), weight)
        for column, weight in each
    ]


def ending(region: Region, row: int) -> list[bool]:
    """The states of the loop from which words of a row go on; no others matter."""
    last = region.letters_at(LAST, row)
    found = [any(state[c] != DEAD for c in last) for state in region.steps[LAST]]
    before: list[list[int]] = [[] for _ in found]
    for state, row_of in enumerate(region.steps[EACH]):
        for after in {*row_of} - {DEAD}:
            before[after].append(state)
    waiting = [state for state, yes in enumerate(found) if yes]
    while waiting:
        for state in before[waiting.pop()]:
            if not found[state]:
                found[state] = True
                waiting.append(state)
    return found
