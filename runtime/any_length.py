"""Claims about words of any length: the shortest one by one, all others together."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from circ.compiler.finding import Limits, Progress, Stuck
from circ.compiler.obligation import Obligation, Question
from circ.compiler.tensor import Weights
from circ.compiler.verdict import ByLength, Proved, Refuted, Size, Unknown, Vacuous, Verdict
from circ.compiler.words.loops import SHORT
from circ.runtime.engines.endless import (
    METHOD,
    TRUSTED,
    Always,
    Doubtful,
    decide_beyond,
    made_ready,
)
from circ.runtime.engines.turns import LONGEST
from circ.runtime.lengths import Decided, one_by_one, settles
from circ.runtime.prover import denied, prove

ROUNDS = 16
"""Lengths at which a claim that could not be proved with all others is decided by itself."""

FEWER_LENGTHS = "name the longest length, as in `Char[1..64]`: each is then decided by itself"


def every_length(
    question: Question, first: int, weights: Weights, limits: Limits, progress: Progress
) -> Decided:
    """Decide a claim at every length from the first on.

    Raises `CircError` where the claim cannot be lowered at some length.
    """
    until = monotonic() + limits.timeout
    near = range(first, max(first, SHORT - 1) + 1)
    shown, verdict = one_by_one(question, near, weights, limits, progress)
    if settles(shown, verdict) or isinstance(verdict, Unknown):
        return shown, verdict
    assert verdict.lengths is not None
    known, start = verdict.lengths, near[-1] + 1
    short, long = (universal(question.alike(length)) for length in (SHORT, SHORT + 1))
    progress(0.0, f"all lengths from {start} on")
    search = made_ready(short, long, weights, until)
    if isinstance(search, Stuck):
        return shown, undecided(search, known, start)
    found: Always | Doubtful | Stuck = Doubtful(start)
    precisely = False
    for _ in range(ROUNDS):
        found = decide_beyond(search, start, precisely=precisely)
        match found:
            case Always(empty=True):
                lengths = replace(known, none_from=start)
                return shown, replace(verdict, lengths=lengths)
            case Always():
                return shown, always(shown, verdict, found, replace(known, onwards=start))
            case Doubtful(length=length) if length < LONGEST:
                asked = question.at(length)
                left = replace(limits, timeout=max(until - monotonic(), 0.0))
                there = prove(asked, weights, left, progress)
                known = replace(known, held=(*known.held, *range(start, length)))
                if settles(asked, there):
                    return asked, replace(there, lengths=replace(known, at=length))
                if isinstance(there, Unknown):
                    break
                known = replace(known, held=(*known.held, length))
                start = length + 1
            case _:
                if precisely or (isinstance(found, Stuck) and found.interrupted):
                    break
        precisely = True
    return shown, undecided(found, known, start)


def universal(obligation: Obligation) -> Obligation:
    """The claim as a `forall`: for an `exists`, that no word is a witness."""
    return obligation if obligation.quantifier == "forall" else denied(obligation)


def always(shown: Obligation, verdict: Verdict, found: Always, lengths: ByLength) -> Verdict:
    """The verdict of the shortest words, extended to all."""
    match verdict:
        case Proved() | Refuted():
            return replace(
                extended(shown, lengths),
                method=f"{verdict.method}; from length {lengths.onwards} on, by {METHOD}",
                trusted=tuple(dict.fromkeys((*verdict.trusted, *TRUSTED))),
            )
        case Vacuous(method=method) if found.conditional:
            reason = "whether any word meets the conditions is open"
            return Unknown(reason, method, lengths=lengths)
        case Vacuous():
            return extended(shown, lengths)
        case Unknown():
            return verdict


def extended(shown: Obligation, lengths: ByLength) -> Proved | Refuted:
    """What holds at every length: the claim, or that no word is a witness."""
    if shown.quantifier == "forall":
        return Proved(METHOD, TRUSTED, Size(None), lengths=lengths)
    return Refuted(METHOD, TRUSTED, Size(None), None, count=0, lengths=lengths)


def undecided(found: Always | Doubtful | Stuck, known: ByLength, start: int) -> Unknown:
    """What is known where not all lengths could be decided together."""
    match found:
        case Stuck(reason=reason):
            return Unknown(
                f"from length {start} on: {reason}",
                METHOD,
                hint=FEWER_LENGTHS,
                interrupted=found.interrupted,
                lengths=known,
            )
        case Doubtful(length=length):
            held = (*known.held, *range(start, length)) if length == LONGEST else known.held
            falling = "with each turn of a loop some sum falls further"
            close = "some sum is too close to zero"
            reason = f"from length {length} on {falling if length == LONGEST else close}"
            return Unknown(reason, METHOD, hint=FEWER_LENGTHS, lengths=replace(known, held=held))
        case Always():
            raise AssertionError("decided")
