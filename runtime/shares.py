"""How much of the time that a claim has an engine gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from circ.compiler.finding import MORE_TIME, Finding, Limits, Progress, Stuck
from circ.compiler.obligation import Obligation
from circ.compiler.readings import clock
from circ.compiler.tensor import Weights

Engine = Callable[[Obligation, Weights, Limits, Progress], Finding]


def on_time(
    engine: Engine,
    moment: float,
    obligation: Obligation,
    weights: Weights,
    limits: Limits,
    progress: Progress,
) -> Finding:
    """What an engine finds; `Stuck` where one exact value of its takes longer than there is time."""
    try:
        with clock.until(moment):
            return engine(obligation, weights, limits, progress)
    except clock.TimeUp:
        return Stuck(f"an exact value was {clock.LATE}", "exact arithmetic", hint=MORE_TIME)


def within(
    seconds: float,
    engine: Engine,
    obligation: Obligation,
    weights: Weights,
    limits: Limits,
    progress: Progress,
) -> Finding:
    """An engine given so many seconds at most."""
    brief = replace(limits, timeout=min(limits.timeout, seconds))
    return engine(obligation, weights, brief, progress)


def briefly(
    engine: Engine, obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Finding:
    """An engine given a part of the time, so that the next one has enough."""
    brief = replace(limits, timeout=limits.timeout / 4)
    return engine(obligation, weights, brief, progress)


def mostly(
    engine: Engine, obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Finding:
    """An engine given most of the time, and the next one a quarter of it."""
    most = replace(limits, timeout=limits.timeout * 3 / 4)
    return engine(obligation, weights, most, progress)
