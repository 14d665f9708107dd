"""Blends bounded from below in float64: lines in place of ReLUs and of what heads read.

What heads read is N/Z with Z > 0. For any numbers c and q,

    N/Z - c - q(N - cZ) = (N - cZ)(1 - qZ)/Z,

which is not negative where both factors have the same sign: N/Z is then at least c + q(N - cZ), which
is a sum over the positions. A ReLU is at least a·x for any a in [0, 1], and at most u(x - l)/(u - l)
where its operand x is between l <= 0 and u >= 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circ.compiler.audit.floats import Floats
from circ.compiler.audit.rejected import require
from circ.compiler.audit.tables import MOST_LAYERS, Sized, Tables


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Bounds of the operands of ReLUs, and slopes of the lines below them: [..., R].

    Where nothing is known of one, its bounds are infinite.
    """

    low: Floats
    high: Floats
    slope: Floats

    def lines(self) -> tuple[Floats, Floats, Floats]:
        """The slope below, the slope above, and where the line above is zero."""
        active, idle = self.low >= 0, self.high <= 0
        above = self.high / (self.high - self.low)
        below = np.where(active, 1.0, np.where(idle, 0.0, self.slope))
        above = np.where(active, 1.0, np.where(idle, 0.0, above))
        return below, above, np.where(active | idle, 0.0, self.low)


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """Weighted sums of numbers [..., K] without their ReLUs, and what is added: [...]."""

    mix: Sized
    rest: Sized


def straightened(tables: Tables, wanted: Floats, limits: Limits) -> Mixed:
    """Sums of numbers, times `wanted` [..., K], with a line below in place of each ReLU.

    The number i < R is what the ReLU i is applied to; it reads only ReLUs before it.
    """
    below, above, zeros = limits.lines()
    bends = tables.bends
    value, size = wanted.copy(), np.abs(wanted)
    rest, spread = np.zeros(wanted.shape[:-1]), np.zeros(wanted.shape[:-1])
    for i in reversed(range(bends.value.shape[1])):
        there = size @ bends.size[:, i]
        if not there.any():
            continue
        c = value @ bends.value[:, i]
        up, down = np.maximum(c, 0), np.maximum(-c, 0)
        slope, steep, zero = below[..., i, None], above[..., i, None], zeros[..., i, None]
        value[..., i] += up * slope - down * steep
        size[..., i] += there
        rest += down * steep * zero
        spread += there * np.abs(steep * zero)
    return Mixed(Sized(value, size), Sized(rest, spread))


def require_shallow(tables: Tables) -> None:
    """Raise `Rejected` where too many layers of ReLUs stand one behind the other."""
    levels: list[int] = []
    for i in range(tables.bends.value.shape[1]):
        read = np.flatnonzero(tables.bends.size[i])
        require(bool((read < i).all()), "a ReLU reads one behind it")
        levels.append(1 + max((levels[j] for j in read), default=0))
    require(max(levels, default=0) <= MOST_LAYERS, "too many layers of ReLUs")
