"""How many nodes a round takes, so that none lasts long: between rounds alone the time is looked at."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 2.0
"""Seconds that a round is to last at most."""


@dataclass(slots=True)
class Pace:
    """`each` are the seconds that a node took in the last round; 0 before there was one."""

    each: float = 0.0

    def most(self, nodes: int, left: float) -> int:
        """Of so many nodes, those that there is time for with so many seconds left: at least one."""
        room = min(LONGEST, left)
        if nodes * self.each <= max(room, 0.0):
            return nodes
        return max(1, min(nodes, int(room / self.each)))

    def noted(self, nodes: int, seconds: float) -> None:
        """Take account of a round."""
        self.each = seconds / nodes
