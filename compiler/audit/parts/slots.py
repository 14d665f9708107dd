"""Many whole numbers in one, so that all of them are added, multiplied or cut off at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from circ.compiler.audit.parts.layers import WEIGHT


@dataclass(frozen=True, slots=True)
class Slots:
    """Σ x_k · 2^(k · width) for numbers x_k that are below `most` in size.

    With `signs` added each slot has x_k + 2^(width - 1). `ones` has 1 in each, `upper` what a slot can hold
    without its last bits, and `middle` the highest bit of that.
    """

    size: int
    width: int
    most: int
    ones: int = field(repr=False)
    signs: int = field(repr=False)
    upper: int = field(repr=False)
    middle: int = field(repr=False)

    def packed(self, numbers: Sequence[int]) -> int:
        """Numbers as one."""
        data = [(x + self.most).to_bytes(self.width // 8, "little") for x in numbers]
        return int.from_bytes(b"".join(data), "little") - self.most * self.ones

    def unpacked(self, packed: int) -> list[int]:
        """The numbers."""
        length = self.width // 8
        data = (packed + self.most * self.ones).to_bytes(length * self.size, "little")
        starts = range(0, length * self.size, length)
        return [int.from_bytes(data[k : k + length], "little") - self.most for k in starts]

    def cut(self, packed: int) -> tuple[int, bool]:
        """The numbers in multiples of 2^60, rounded down, and whether that is exact."""
        raised = packed + self.signs
        found = raised >> WEIGHT & self.upper
        return found - self.middle, found << WEIGHT == raised

    def sides(self, packed: int) -> tuple[int, int]:
        """What is above 0 of numbers that were cut, and what is below."""
        raised = packed + self.middle
        above = raised & self.middle
        more = raised & (above - (above >> self.width - WEIGHT - 1))
        return more, packed - more

    def largest(self, bits: int) -> int:
        """No number is above this, of any that have no other bits than these."""
        return (1 << max(map(int.bit_length, self.unpacked(bits)))) - 1


@cache
def slots(size: int, width: int) -> Slots:
    """So many slots of so many bits."""
    ones = int.from_bytes((b"\1" + bytes(width // 8 - 1)) * size, "little")
    free = width - WEIGHT
    upper, middle = ones * ((1 << free) - 1), ones << free - 1
    return Slots(size, width, 1 << width - 2, ones, ones << width - 1, upper, middle)
