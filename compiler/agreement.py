"""Whether the reading of a network was held against what runs it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Compared:
    """What a network was run by, to hold its reading against; it agreed, up to rounding."""

    peer: str


@dataclass(frozen=True, slots=True)
class Uncompared:
    """Why it was not."""

    reason: str


Agreement = Compared | Uncompared
