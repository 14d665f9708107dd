"""What a finding comes to: a verdict, once a failing input is replayed in exact arithmetic.

Only then a claim is refuted; an input that an engine lists and exact arithmetic denies counts for nothing.
"""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import assert_never

from circ.compiler.finding import MORE_TIME, Empty, Fails, Finding, Holds, Stuck
from circ.compiler.obligation import Obligation, Witness, Words
from circ.compiler.readings import clock
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Example, Proved, Refuted, Straying, Unknown, Vacuous, Verdict

REPLAYED_WITNESS = "the exact replay of the input shown"

MOST_STRAYED = 1 << 24
"""Numbers of a circuit, its tensors included, that are gone through for what rounding does to them."""

REPLAYED = 100
"""Listed inputs that are replayed exactly, besides the one that is shown."""

REPLAYING = 10.0
"""Seconds that this may take."""


def universal(question: Obligation, weights: Weights, finding: Finding) -> Verdict:
    """The verdict on a `forall`."""
    match finding:
        case Holds():
            return Proved(
                method=finding.method,
                trusted=finding.trusted,
                size=finding.size,
                margin=finding.margin,
                closest=finding.closest,
                warnings=finding.warnings,
                rounding=rounding(question, weights, finding.margin),
            )
        case Fails():
            return refuted(question, weights, finding)
        case Empty(reason=reason, method=method):
            return Vacuous(reason, method)
        case Stuck():
            return undecided(finding)
        case _:
            assert_never(finding)


def rounding(question: Obligation, weights: Weights, margin: float | None) -> Straying | None:
    """How far executions in the checkpoint's dtype stray on a box; of words alone nothing is said,
    nor where that would take longer than it is worth."""
    words = all(isinstance(binder.values, Words) for binder in question.binders)
    if words or sum(kind.entries for kind in question.circuit.types) > MOST_STRAYED:
        return None
    from circ.compiler.over import strayed, told
    from circ.compiler.readings.torch import NAMES, dtype_read
    from circ.compiler.rounding import SPELLED

    dtype = NAMES[dtype_read(question.circuit, weights)]
    over = next(name for name, spelled in SPELLED.items() if spelled == dtype)
    return told(question, strayed(question, weights, over), over, margin)


def existential(question: Obligation, weights: Weights, finding: Finding) -> Verdict:
    """The verdict on an `exists`; `question` denies it for all inputs."""
    match finding:
        case Holds(method=method, trusted=trusted, size=size, warnings=warnings):
            return Refuted(method, trusted, size, None, count=0, warnings=warnings)
        case Fails(method=method, trusted=trusted, size=size):
            found = example(question, weights, finding.witness)
            if not found.replay.exact:
                return contradicted(finding, found)
            return Proved(method, (REPLAYED_WITNESS,), size, example=as_asked(found))
        case Empty(reason=reason, method=method):
            return Vacuous(reason, method)
        case Stuck():
            return undecided(finding)
        case _:
            assert_never(finding)


def as_asked(found: Example) -> Example:
    """The replay of a denied question, its margin that of the question as it was asked."""
    slack = found.replay.violation
    return replace(found, replay=replace(found.replay, violation=None if slack is None else -slack))


def example(question: Obligation, weights: Weights, witness: Witness) -> Example:
    """A witness with what exact arithmetic and PyTorch make of it."""
    from circ.runtime.replay import replay

    return Example(witness, replay(question, weights, witness))


def refuted(question: Obligation, weights: Weights, finding: Fails) -> Verdict:
    """Refuted where the exact replay says so, with what PyTorch says of every listed input."""
    from circ.runtime.replay import replay_many, replays

    found = example(question, weights, finding.witness)
    if not found.replay.exact:
        return contradicted(finding, found)
    listed = finding.failing or (finding.witness,)
    until, tried = monotonic() + REPLAYING, list[tuple[Witness, bool]]()
    for outcome in replays(question, weights, listed[:REPLAYED]):
        tried.append(outcome)
        if monotonic() > until:
            break
    exactly = [witness for witness, fails in tried if fails]
    false = len(tried) - len(exactly)
    if false:
        listed = tuple(exactly) or (finding.witness,)
        finding = replace(
            finding, count=None, classes=None, warnings=(*finding.warnings, overruled(false))
        )
    return Refuted(
        method=finding.method,
        trusted=(REPLAYED_WITNESS,),
        size=finding.size,
        example=found,
        count=finding.count,
        failing=listed,
        classes=finding.classes,
        replayed=len(exactly),
        reproduced=sum(replay_many(question, weights, listed)),
        warnings=finding.warnings,
        interrupted=finding.interrupted,
    )


def overruled(false: int) -> str:
    """A warning about inputs that an engine lists and exact arithmetic denies."""
    return f"{false} of the inputs that the engine listed are not shown to fail in exact arithmetic"


def contradicted(finding: Fails, found: Example) -> Unknown:
    """An engine's failing input that exact arithmetic does not confirm decides nothing."""
    if found.replay.late:
        reason = f"an input that may settle it was found, and its exact value was {clock.LATE}"
        return Unknown(reason, finding.method, hardest=found.witness, hint=MORE_TIME)
    reason = "an input that the engine reported as failing is not shown to fail in exact arithmetic"
    return Unknown(reason, finding.method, hardest=found.witness)


def undecided(finding: Stuck) -> Unknown:
    """What is known of a question that no engine settled."""
    return Unknown(
        reason=finding.reason,
        method=finding.method,
        bound=finding.bound,
        hardest=finding.hardest,
        hint=finding.hint,
        interrupted=finding.interrupted,
    )
