"""The moment until which exact values are worked out.

One value of a large network may take longer than all the rest, so that the exact reading itself looks at the
clock. Whoever has a time limit says so around what it asks (`until`); nothing is known then but that time is up.
Standard library only.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic

LATE = "left open, as the time was up"
"""What is said of an input that was being looked at."""

DEADLINE: ContextVar[float] = ContextVar("deadline", default=inf)


class TimeUp(Exception):
    """The time was up before a value was known."""


@contextmanager
def until(moment: float) -> Generator[None]:
    """Work out values until then, in seconds of `time.monotonic`, and no longer than was said before."""
    token = DEADLINE.set(min(moment, DEADLINE.get()))
    try:
        yield
    finally:
        DEADLINE.reset(token)


def look() -> None:
    """Raise `TimeUp` where it is."""
    if monotonic() > DEADLINE.get():
        raise TimeUp
