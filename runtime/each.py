"""Claims with a quantifier before their own: one verdict for each value, and the one that these make.

After `forall` the worst verdict counts: refuted, then an error, unknown, vacuous, proved. After `exists` one value that is proved
is enough; the claim is refuted where all are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from time import monotonic
from typing import Literal

from circ.compiler.finding import Limits
from circ.compiler.obligation import Each, Obligation, Question
from circ.compiler.verdict import (
    Outcome,
    Proved,
    Refuted,
    Size,
    Unknown,
    Vacuous,
    Verdict,
    plain_method,
)
from circ.lang.diagnostic import CircError
from circ.runtime.cache.recall import Answered, Valued
from circ.runtime.lengths import total

METHOD = "going through the values"
NOT_REACHED = Unknown("interrupted before it was looked at", METHOD, interrupted=True)
AT_ODDS = "inputs at several values each need a tie to be broken their way, and no one choice may do for all"

WORST: dict[Literal["forall", "exists"], tuple[Outcome, ...]] = {
    "forall": ("refuted", "error", "unknown", "vacuous", "proved"),
    "exists": ("proved", "error", "unknown", "vacuous", "refuted"),
}
"""Which verdict on a value counts before which others."""

Ask = Callable[[Question, Limits], Answered]


def answered_each(each: Each, ask: Ask, limits: Limits) -> list[Valued]:
    """The answer at every value; those that time left open are asked once more, with what is left of it."""
    until = monotonic() + limits.timeout
    found: list[Valued] = []
    for number, at in enumerate(each.values):
        if stopped(found):
            known = ended(at.question)
        else:
            share = max(until - monotonic(), 0.0) / (len(each.values) - number)
            known = attempted(ask, at.question, replace(limits, timeout=share))
        found.append(Valued(at.value, known))
    late = [number for number, one in enumerate(found) if one.outcome == "unknown"]
    for number in () if stopped(found) or len(found) == 1 else late:
        left = until - monotonic()
        if left <= 0:
            break
        at = each.values[number]
        found[number] = Valued(
            at.value, attempted(ask, at.question, replace(limits, timeout=left / len(late)))
        )
        if stopped(found):
            break
    return found


def attempted(ask: Ask, question: Question, limits: Limits) -> Answered | CircError:
    """An answer, or what is wrong with the claim."""
    try:
        return ask(question, limits)
    except CircError as error:
        return error


def ended(question: Question) -> Answered | CircError:
    """The answer at a value that comes after the one at which the user stopped."""
    try:
        return Answered(question.at(None), NOT_REACHED, 0.0)
    except CircError as error:
        return error


def stopped(found: Sequence[Valued]) -> bool:
    """Whether the user stopped at one of these values."""
    answers = (one.found for one in found if isinstance(one.found, Answered))
    verdicts = (answer.verdict for answer in answers)
    return any(isinstance(v, Unknown | Refuted) and v.interrupted for v in verdicts)


def overall(name: str, each: Each, found: Sequence[Valued]) -> tuple[Obligation, Verdict]:
    """The verdict that those at the values make, and the claim at the value that it is about.

    Raises `CircError` where what is wrong at some value counts.
    """
    quantifier = each.head.quantifier
    if not found:
        nothing = Vacuous(f"no value meets what follows `{quantifier}`", METHOD)
        return replace(each.head, name=name), nothing
    first = min(found, key=lambda one: WORST[quantifier].index(one.outcome))
    if isinstance(first.found, CircError):
        raise first.found
    answers = [one.found for one in found if isinstance(one.found, Answered)]
    shown = replace(first.found.obligation, name=name)
    alike = all(one.outcome == first.outcome for one in found)
    verdict = first.found.verdict
    if alike and len(found) > 1 and isinstance(verdict, Proved | Refuted):
        return shown, joined(verdict, [answer.verdict for answer in answers], quantifier)
    return shown, verdict


def rests_on_a_tie(verdict: Proved | Refuted) -> bool:
    """Whether what was found takes an input at which a tie is broken its way."""
    return verdict.example is not None and verdict.example.replay.tie


def joined(
    verdict: Proved | Refuted, found: Sequence[Verdict], quantifier: Literal["forall", "exists"]
) -> Verdict:
    """The verdict where it is the same at all values, and what it then rests on.

    All values share one choice among equal scores. An input that needs a tie to be broken its way is found for some
    choice, so that those of two values may have no choice in common.
    """
    if isinstance(verdict, Proved) == (quantifier == "exists"):
        return verdict
    known = [each for each in found if isinstance(each, Proved | Refuted)]
    if sum(map(rests_on_a_tie, known)) > 1:
        return Unknown(AT_ODDS, METHOD, hint="see the values one by one, or keep clear of ties")
    trusted = tuple(dict.fromkeys(chain.from_iterable(each.trusted for each in known)))
    if isinstance(verdict, Refuted):
        return replace(verdict, trusted=trusted)
    method = ", ".join(dict.fromkeys(plain_method(each.method) for each in known))
    sizes = total([each.size.exact for each in known])
    shared = [text for text in verdict.warnings if all(text in each.warnings for each in known)]
    if any(map(rests_on_a_tie, known)):
        shared.append("at some value the input that was found needs a tie to be broken its way")
    size = verdict.size if sizes is None else Size(sizes)
    return Proved(method, trusted, size, warnings=tuple(shared))
