"""The least sums over words of any length: shortest paths through a machine with loops.

Least sums to the end, over more and more letters, stop falling where no loop has a negative sum; what
is then reached is a potential, which no further letter falls below. All sums are rounded down, and
are exact where they are rational numbers.

Source: R. Bellman, On a routing problem, Quarterly of Applied Mathematics 16 (1958).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.words.loops import BEGIN, Loops
from circ.runtime.engines.one_word import Late

Sums = npt.NDArray[Any]
"""Of float64, or of Fractions with infinities."""

MOST_SUMS = 1 << 24
"""States times comparisons times fixings."""

LONGEST = 1 << 10
"""Letters of the longest words looked at where least sums go on falling."""

FINAL = BEGIN + 1
"""Letters of a word besides those of its steps."""


class TooLarge(Exception):
    """More sums than memory should hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What letters add to each of some comparisons: [comparison, letter, fixing], at least.

    At the `first` place, at `each` of those between, at the `last` one; and `rest`, what no letter
    changes: [comparison, fixing]. `final[state, letter, fixing]`: whether a word may end so.
    """

    first: Sums
    each: Sums
    last: Sums
    rest: Sums
    final: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """For each comparison and fixing the least length at which a word's sum is not as it should be.

    `length` is 0 where there is none, and `LONGEST` where there is none below that.
    """

    length: IntArray


def least_lengths(
    machine: Loops, turn: Turn, start: int, strict: bool, late: Callable[[], bool]
) -> Reached:
    """Look at words of `start` letters and more, of at least three; raises `TooLarge` and `Late`."""
    if machine.step.shape[0] * turn.rest.size > MOST_SUMS:
        raise TooLarge(f"a machine of {machine.step.shape[0]:,} states has too many sums")
    ahead = ended(turn)
    for _ in range(start - FINAL):
        ahead = stepped_back(machine, turn, ahead)
    length = np.zeros(turn.rest.shape, np.int64)
    for letters in range(start, LONGEST):
        total = begun(machine, turn, ahead)
        bad = ~(total > 0) if strict else ~(total >= 0)
        length[bad & (length == 0)] = letters
        further = np.minimum(ahead, stepped_back(machine, turn, ahead))
        if not ((further != ahead).any(axis=0) & (length == 0)).any():
            return Reached(length)
        if late():
            raise Late(f"time ran out at words of {letters:,} letters")
        ahead = further
    length[length == 0] = LONGEST
    return Reached(length)


def ended(turn: Turn) -> Sums:
    """[state, comparison, fixing]: the least sum over one last letter."""
    allowed = turn.final[:, None, :, :]
    found: Sums = np.where(allowed, turn.last[None], inf).min(axis=2)
    return found


def stepped_back(machine: Loops, turn: Turn, ahead: Sums) -> Sums:
    """The least sum over one letter more."""
    found = np.full_like(ahead, inf)
    for letter in range(machine.step.shape[1]):
        onward = plus(turn.each[None, :, letter], ahead[machine.step[:, letter]])
        found = np.minimum(found, onward)
    return found


def begun(machine: Loops, turn: Turn, ahead: Sums) -> Sums:
    """[comparison, fixing]: the least sum over whole words."""
    each = turn.each.transpose(1, 0, 2)
    found = np.full_like(turn.rest, inf)
    for letter in range(machine.begin.shape[0]):
        onward = plus(each, ahead[machine.begin[letter]]).min(axis=0)
        found = np.minimum(found, plus(turn.first[:, letter], onward))
    return plus(turn.rest, found)


def plus(x: Sums, y: Sums) -> Sums:
    """x + y, rounded down; exactly, where that is a float64, and always for Fractions.

    Source: O. Møller, Quasi double-precision in floating point addition, BIT 5 (1965): the error of a
    rounded sum is a float64 itself.
    """
    total: Sums = x + y
    if total.dtype == object:
        return total
    part = total - x
    error = (x - (total - part)) + (y - part)
    found = np.where(error < 0, np.nextafter(total, -inf), total)
    finite = np.isfinite(x) & np.isfinite(y)
    return np.where(finite & (total == inf), np.finfo(np.float64).max, found)
