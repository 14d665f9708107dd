"""The least and the greatest value of a number over a domain, each between bounds that are certain.

A value that an input reaches bounds the greatest from below; that no input exceeds a number is a
claim, which the prover decides. Inputs that refute such claims are the next values, until one holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from circ.compiler.finding import Limits, Progress
from circ.compiler.obligation import Obligation, Question, Reals, Witness
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Vacuous, Verdict, plain_method
from circ.lang.diagnostic import CircError
from circ.lang.errors.domains import without_end
from circ.runtime.bounded import anywhere, negated
from circ.runtime.climb import Climb, Extreme
from circ.runtime.prover import prove

WITHIN = Fraction(1, 10**6)
"""Bounds of a number over a box are brought together up to this share of it (of 1, where it is smaller)."""


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends."""

    least: Extreme
    greatest: Extreme


def range_of(
    question: Question,
    weights: Weights,
    limits: Limits,
    progress: Progress,
    within: Fraction = WITHIN,
) -> Range | Nowhere:
    """The range of the goal, a real scalar, at every length of its word where that may have several."""
    several = question.lengths
    if several is None:
        return at_one_length(question.at(None), weights, limits, progress, within)
    if several.last is None:
        raise CircError(without_end(question.at(None).span, "a range"))
    count = several.last - several.first + 1
    share = replace(limits, timeout=limits.timeout / count)
    asked = map(question.at, range(several.first, several.last + 1))
    found = [at_one_length(each, weights, share, progress, within) for each in asked]
    ranges = [each for each in found if isinstance(each, Range)]
    open_lengths = [
        each
        for each in found
        if isinstance(each, Nowhere) and not isinstance(each.verdict, Vacuous)
    ]
    if open_lengths or not ranges:
        return (open_lengths or [each for each in found if isinstance(each, Nowhere)])[0]
    least = furthest([turned(each.least) for each in ranges])
    return Range(turned(least), furthest([each.greatest for each in ranges]))


def furthest(ends: Sequence[Extreme]) -> Extreme:
    """The greatest of several: its witness is the one that reaches furthest."""
    best = max(ends, key=lambda end: (end.low is not None, end.low or 0))
    highs = [end.high for end in ends if end.high is not None]
    return replace(
        best,
        high=max(highs) if len(highs) == len(ends) else None,
        method=", ".join(dict.fromkeys(plain_method(end.method) for end in ends)),
        trusted=tuple(dict.fromkeys(word for end in ends for word in end.trusted)),
        reason=", ".join(dict.fromkeys(end.reason for end in ends if end.reason)),
        interrupted=any(end.interrupted for end in ends),
    )


def at_one_length(
    question: Obligation,
    weights: Weights,
    limits: Limits,
    progress: Progress,
    within: Fraction = WITHIN,
) -> Range | Nowhere:
    """The range over the inputs that meet the conditions, if there are any."""
    start = middle(question, weights)
    if start is None:
        found = prove(anywhere(question), weights, limits, progress)
        if not isinstance(found, Proved) or found.example is None:
            return Nowhere(question, found)
        start = found.example.witness
    half = replace(limits, timeout=limits.timeout / 2)
    up = Climb.of(question, weights, start, "greatest", within)
    down = Climb.of(negated(question), weights, start, "least", within)
    greatest = up.ended(half, progress)
    down.interrupted = greatest.interrupted
    return Range(turned(down.ended(half, progress)), greatest)


def middle(question: Obligation, weights: Weights) -> Witness | None:
    """The middle of a box, where that is in the domain and the number is defined there."""
    values = list[tuple[str, tuple[Fraction | int, ...]]]()
    for binder in question.binders:
        if not isinstance(binder.values, Reals):
            return None
        if any(low > high for low, high in binder.values.box):
            return None
        values.append((binder.name, tuple((low + high) / 2 for low, high in binder.values.box)))
    found = Witness(tuple(values))
    from circ.runtime.engines.summit import least_at

    return None if least_at(question, weights, found, {}) is None else found


def turned(found: Extreme) -> Extreme:
    """The least value, from the greatest of its negation."""
    low = None if found.high is None else -found.high
    high = None if found.low is None else -found.low
    return replace(found, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No input was found that meets the conditions, and the verdict that says why."""

    question: Obligation
    verdict: Verdict
