"""Deciding claims over floats: what every execution meets, and inputs at which PyTorch does not.

*proved* rests on the claim about exact numbers with the rounding of every comparison to spare
(`circ.compiler.over`). *refuted* rests on an input of the format at which PyTorch, in that format, misses
the goal; what exact arithmetic says there is shown beside it. Anything else is *unknown*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf
from time import monotonic
from typing import assert_never

from circ.compiler.finding import Limits, Progress
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.over import in_every, in_some, never_met, strayed, told, unbounded
from circ.compiler.readings.straying import Strayed, words_alone
from circ.compiler.rounding import SPELLED
from circ.compiler.tensor import Weights
from circ.compiler.verdict import (
    Example,
    Proved,
    Refuted,
    Size,
    Straying,
    Unknown,
    Vacuous,
    Verdict,
)
from circ.runtime.engines.float_search import (
    SECONDS,
    Court,
    court,
    float_search,
    near,
    real_binders,
    without_floats,
)
from circ.runtime.replay import replay
from circ.runtime.show import above

Prove = Callable[[Obligation, Weights, Limits, Progress], Verdict]
"""What decides claims about exact numbers."""

EXECUTED = "the PyTorch replay of the input shown"
METHOD = "bounds on rounding"
EXECUTIONS = "sampling and gradients in PyTorch"
NONE_FAILS = "no execution that fails was found"
CLOSE = "it does not hold with that much to spare"


def decide(
    obligation: Obligation, weights: Weights, limits: Limits, progress: Progress, prove: Prove
) -> Verdict:
    """Decide a claim over floats: with rounding to spare, else by executions that fail."""
    over = obligation.over
    assert over is not None
    empty = without_floats(obligation, SPELLED[over])
    if empty is not None:
        return Vacuous(f"no {over} number lies within the bounds of `{empty}`", METHOD)
    until = monotonic() + limits.timeout
    found = strayed(obligation, weights, over)
    strong = in_every(obligation, found)
    if never_met(strong):
        reason = f"what rounding to {over} may do is not bounded"
        verdict: Verdict = Unknown(reason + because(obligation, found), METHOD)
    else:
        verdict = prove(strong, weights, most_of(limits), progress)
    match verdict:
        case Proved():
            return proved(obligation, verdict, told(obligation, found, over, None))
        case Vacuous():
            return verdict
        case Unknown(interrupted=True):
            return verdict
        case Refuted() | Unknown():
            at = court(obligation, weights)
            try:
                rest = left(limits, until)
                failing, method = executed(at, found, verdict, rest, progress, prove)
            except KeyboardInterrupt:
                return replace(undecided(obligation, verdict, found), interrupted=True)
            if failing:
                few = failing if words_alone(obligation.binders) else failing[:1]
                return refuted(obligation, weights, few, method)
            return undecided(obligation, verdict, found)
        case _:
            assert_never(verdict)


def executed(
    at: Court,
    found: Strayed,
    verdict: Refuted | Unknown,
    limits: Limits,
    progress: Progress,
    prove: Prove,
) -> tuple[list[Witness], str]:
    """Inputs at which PyTorch misses the goal, and how they were found.

    They are looked for near those without rounding to spare, then everywhere, then near those at which
    every execution must fail.
    """
    if isinstance(verdict, Refuted):
        close = [*near(at, listed(verdict))]
        if close:
            return close, verdict.method
    if not words_alone(at.obligation.binders):
        witness = float_search(at, limits, progress)
        if witness is not None:
            return [witness], EXECUTIONS
    if isinstance(verdict, Unknown) or limits.timeout <= 0:
        return [], ""
    worse = prove(in_some(at.obligation, found), at.weights, limits, progress)
    if isinstance(worse, Refuted):
        return [*near(at, listed(worse))], worse.method
    return [], ""


def most_of(limits: Limits) -> Limits:
    """The time for a proof: so much less that executions can be searched too."""
    return replace(limits, timeout=max(limits.timeout - SECONDS, 0.75 * limits.timeout))


def left(limits: Limits, until: float) -> Limits:
    """The limits, with the time that is left."""
    return replace(limits, timeout=max(until - monotonic(), 0.0))


def listed(verdict: Refuted) -> list[Witness]:
    """The inputs that a refutation has, the shown one first."""
    shown = [] if verdict.example is None else [verdict.example.witness]
    return [*dict.fromkeys((*shown, *verdict.failing))]


# --- verdicts -------------------------------------------------------------------------------


def proved(obligation: Obligation, verdict: Proved, rounding: Straying) -> Proved:
    """A proof about exact numbers, with the rounding of every comparison to spare."""
    over = obligation.over
    return replace(
        verdict,
        method=f"{verdict.method}, with {over} rounding to spare",
        trusted=(*verdict.trusted, f"the model of {over} programs"),
        margin=None,
        closest=None,
        rounding=replace(rounding, meets=True),
    )


def refuted(
    obligation: Obligation, weights: Weights, failing: Iterable[Witness], method: str
) -> Refuted:
    """Inputs of the format that PyTorch misses the goal at."""
    witnesses = tuple(failing)
    shown = Example(witnesses[0], replay(obligation, weights, witnesses[0]))
    dimensions = sum(b.type.entries for b in real_binders(obligation.binders))
    return Refuted(
        method=method,
        trusted=(EXECUTED,),
        size=Size(None, dimensions),
        example=shown,
        failing=witnesses,
        replayed=len(witnesses),
        reproduced=len(witnesses),
    )


def undecided(obligation: Obligation, verdict: Refuted | Unknown, found: Strayed) -> Unknown:
    """No execution was seen to fail, and the claim is not shown to hold with rounding to spare."""
    over = obligation.over
    assert over is not None
    if isinstance(verdict, Unknown):
        return replace(verdict, reason=f"{verdict.reason}; {NONE_FAILS}")
    lost = told(obligation, found, over, None).margin
    apart = f"by up to {above(lost)} " if lost < inf else ""
    reason = f"rounding may move what is compared {apart}in {over}{because(obligation, found)}"
    hardest = None if verdict.example is None else verdict.example.witness
    return Unknown(f"{reason}, and {CLOSE}; {NONE_FAILS}", verdict.method, hardest=hardest)


def because(obligation: Obligation, found: Strayed) -> str:
    """Why a bound is infinite, where one is."""
    why = unbounded(obligation.circuit, found, obligation.over or "")
    return f": {why}" if why else ""
