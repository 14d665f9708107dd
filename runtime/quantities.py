"""Claims and expressions about numbers of inputs: each number is found, then what reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from time import monotonic

from circ.compiler.finding import MORE_TIME, Limits, Progress
from circ.compiler.obligation import Obligation, Quantity
from circ.compiler.readings import clock
from circ.compiler.readings.choices import FALSE, TRUE
from circ.compiler.readings.intervals import rationals, within
from circ.compiler.readings.reference import Value, enclose
from circ.compiler.tensor import Weights
from circ.compiler.trial import truth
from circ.compiler.verdict import Counted, Proved, Refuted, Size, Unknown, Verdict, plain_method
from circ.runtime.engines.counting import count
from circ.runtime.engines.words import total


def counted(
    quantities: Sequence[Quantity], weights: Weights, limits: Limits, progress: Progress
) -> tuple[Counted, ...]:
    """Each number, or the bounds of it that were found in time."""
    until, found = monotonic() + limits.timeout, list[Counted]()
    for quantity in quantities:
        parts: list[Counted] = []
        for question in quantity.questions:
            left = replace(limits, timeout=max(until - monotonic(), 0.0))
            parts.append(in_time(question, weights, left, progress, until))
        found.append(summed(parts))
    return tuple(found)


def in_time(
    question: Obligation, weights: Weights, limits: Limits, progress: Progress, until: float
) -> Counted:
    """One number; nothing is known of it where one exact value takes longer than there is time."""
    try:
        with clock.until(until):
            return count(question, weights, limits, progress)
    except clock.TimeUp:
        reason = f"an exact value was {clock.LATE}"
        return Counted(0, total(question.binders), None, "exact arithmetic", (), reason, MORE_TIME)


def summed(parts: Sequence[Counted]) -> Counted:
    """One number, of those at each length."""
    sizes = [part.size for part in parts if part.size is not None]
    return Counted(
        low=sum(part.low for part in parts),
        high=sum(part.high for part in parts),
        size=sum(sizes) if len(sizes) == len(parts) else None,
        method=told(methods(parts)),
        trusted=tuple(dict.fromkeys(word for part in parts for word in part.trusted)),
        reason=told(part.reason for part in parts if part.reason),
        hint=told(part.hint for part in parts if part.hint),
        interrupted=any(part.interrupted for part in parts),
    )


def methods(parts: Sequence[Counted]) -> list[str]:
    """How each was found; of several, without how much of it."""
    return [part.method if len(parts) == 1 else plain_method(part.method) for part in parts]


def given(quantities: Iterable[Quantity], found: Iterable[Counted]) -> Mapping[str, Value]:
    """The numbers as inputs of the circuit that reads them."""
    pairs = zip(quantities, found, strict=True)
    return {quantity.name: between(known) for quantity, known in pairs}


def between(known: Counted) -> Value:
    """All that a number may be."""
    if known.exact:
        return rationals((), [known.low])
    return within((), ((Fraction(known.low), Fraction(known.high)),))


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Verdict:
    """A claim about numbers: proved where it holds for all that they may be, refuted where for none."""
    found = counted(obligation.quantities, weights, limits, progress)
    inputs = given(obligation.quantities, found)
    goal = truth(enclose(obligation.circuit, inputs, weights)["goal"])
    how = told(known.method for known in found)
    trusted = tuple(dict.fromkeys(word for known in found for word in known.trusted))
    warnings = tuple(
        f"`{quantity.text}` goes over an empty domain"
        for quantity, known in zip(obligation.quantities, found, strict=True)
        if known.size == 0
    )
    if goal == TRUE:
        return Proved(how, trusted, Size(None), warnings=warnings, counts=found)
    if goal == FALSE:
        return Refuted(how, trusted, Size(None), None, warnings=warnings, counts=found)
    reason = "it holds for some of the numbers that these may be"
    stopped = any(known.interrupted for known in found)
    return Unknown(reason, how, interrupted=stopped, counts=found)


def told(words: Iterable[str]) -> str:
    """Several words, each once."""
    return ", ".join(dict.fromkeys(words))
