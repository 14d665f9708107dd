"""Deciding on one screen: obligation → engines → finding → replay → verdict.

Engines are asked in turn until one decides. None of them has the last word: a failing input is
replayed in exact arithmetic, and only then the claim is refuted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import assert_never

from circ.compiler.aided import aided, with_lemmas_met
from circ.compiler.builder import Builder
from circ.compiler.finding import (
    MORE_TIME,
    Empty,
    Fails,
    Finding,
    Holds,
    Limits,
    Progress,
    Stuck,
    silent,
)
from circ.compiler.ir import Argmax, Circuit, Compare, Max, Not, Real, Relu, TopK, operands
from circ.compiler.margin import connectives
from circ.compiler.obligation import Obligation, Reals, Witness, Words
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.readings import clock
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
from circ.runtime.shares import Engine, briefly, mostly, on_time, within

REPLAYED_WITNESS = "the exact replay of the input shown"
SEARCH = "sampling and gradients"
SEARCH_SECONDS = 1.0
"""Most of what can be found this way is found soon; a proof is then the better use of time."""

FEW_CHOICES = 256
"""With so few ReLUs and comparisons on a box, bounds and SMT are both tried soon: either may be far the
faster."""

BRIEF, LONGER = 1.0, 5.0
"""The seconds that bounds and SMT get then, before bounds get the rest."""

MOST_CHOICES = 1024
"""So many where numbers are to be equal: bounds, whose margin is then 0, do not get the rest before SMT has
had most of it."""

SOON = 1 << 18
"""So many count vectors are gone through in seconds, and before shortest paths are tried: then every
failing word is counted."""

MOST_STRAYED = 1 << 24
"""Numbers of a circuit, its tensors included, that are gone through for what rounding does to them."""

REPLAYED = 100
"""Listed inputs that are replayed exactly, besides the one that is shown."""

REPLAYING = 10.0
"""Seconds that this may take."""

REPLAY_SHARE = 0.1
"""Of the time limit, what the replay of the input that is shown has in any case."""


def prove(
    obligation: Obligation,
    weights: Weights,
    limits: Limits | None = None,
    progress: Progress = silent,
) -> Verdict:
    """Decide a claim. Ctrl-C and the time limit give `Unknown`, with what was reached.

    The limit is that of engines; an input that they find late may be replayed for a tenth of it more.
    """
    limits = limits or Limits()
    if obligation.quantities:
        from circ.runtime import quantities

        return quantities.decide(obligation, weights, limits, progress)
    if obligation.over is not None:
        from circ.runtime import over

        return over.decide(obligation, weights, limits, progress, prove)
    question = obligation if obligation.quantifier == "forall" else denied(obligation)
    if obligation.quantifier == "exists":
        limits = replace(limits, first=True)
    start = monotonic()
    finding = decide(aided(question), weights, limits, progress)
    with clock.until(max(start + limits.timeout, monotonic() + REPLAY_SHARE * limits.timeout)):
        if obligation.quantifier == "forall":
            return with_lemmas_met(universal(question, weights, finding), question, weights)
        return existential(question, weights, finding)


def denied(obligation: Obligation) -> Obligation:
    """The same question about the negated goal: `exists` is what a universal proof would deny."""
    b = Builder()
    outputs = {n: wire for n, wire in obligation.circuit.outputs.items() if n != "premise"}
    same = copied(replace(obligation.circuit, outputs=outputs), b, keep)
    outputs = {**same.outputs, "goal": b.add(Not(same.outputs["goal"]))}
    return replace(obligation, quantifier="forall", circuit=b.circuit(outputs))


# --- engines --------------------------------------------------------------------------------


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """The first finding that settles the question; otherwise what stopped each engine."""
    empty = empty_box(obligation)
    if empty is not None:
        return Empty(empty, "exact bounds")
    start = monotonic()
    stopped: list[Stuck] = []
    try:
        for engine in engines(obligation, weights, limits):
            left = limits.timeout - (monotonic() - start)
            if stopped and left <= 0:
                break
            rest = replace(limits, timeout=max(left, 0.0))
            finding = on_time(engine, start + limits.timeout, obligation, weights, rest, progress)
            if not isinstance(finding, Stuck):
                return finding
            stopped.append(finding)
            if left <= 0 or finding.interrupted:
                break
    except KeyboardInterrupt:
        stopped.append(Stuck("interrupted", "choosing an engine", interrupted=True))
    return joined(stopped)


def empty_box(obligation: Obligation) -> str | None:
    """Why no input exists, where the bounds of a binder already contradict each other."""
    for binder in obligation.binders:
        if isinstance(binder.values, Reals) and any(low > high for low, high in binder.values.box):
            return f"the domain of `{binder.name}` is empty"
    return None


def engines(obligation: Obligation, weights: Weights, limits: Limits) -> Iterator[Engine]:
    """The engines for this shape of question, the cheapest that can settle it first."""
    if all(isinstance(binder.values, Words) for binder in obligation.binders):
        from circ.runtime.engines import automata, count_vectors, enumeration, token_sets
        from circ.runtime.engines.words import total

        words = total(obligation.binders)
        several = (automata.decide, token_sets.decide)
        if words <= limits.few:
            yield from (enumeration.decide, *several)
        elif counts := count_vectors.unordered_vectors(obligation, weights, limits):
            if counts.count > SOON:
                yield partial(briefly, automata.decide)
            yield partial(count_vectors.decide, counts)
        else:
            yield from (partial(briefly, x) for x in several) if words <= limits.words else several
            yield enumeration.decide
    else:
        if all(isinstance(binder.values, Reals) for binder in obligation.binders):
            from circ.runtime.engines import boxes

            many, equal = choices(obligation.circuit), equates(obligation.circuit)
            if many <= (MOST_CHOICES if equal else FEW_CHOICES):
                yield partial(within, BRIEF, boxes.decide)
                yield partial(within, LONGER, exactly)
            if equal and many <= MOST_CHOICES:
                yield partial(within, LONGER, boxes.decide)
                yield partial(mostly, exactly)
            yield boxes.decide
            yield searched
        else:
            from circ.runtime.engines import beside

            yield searched
            yield partial(within, LONGER, exactly)
            yield partial(briefly, beside.decide)
            yield exactly
            yield beside.decide
            return
    yield exactly


def choices(circuit: Circuit) -> int:
    """How many entries of a circuit are decided by what is larger."""
    return sum(
        circuit.types[operands(op)[0]].entries
        for op in circuit.ops
        if isinstance(op, Relu | Max | Compare | TopK | Argmax)
    )


def equates(circuit: Circuit) -> bool:
    """Whether a goal asks of real numbers that they are equal."""
    b = Builder(list(circuit.ops), list(circuit.types))
    asked = [circuit.ops[wire] for wire in connectives(b, circuit.outputs["goal"])]
    return any(
        isinstance(op, Compare) and op.op == "==" and circuit.types[op.left].sort == Real()
        for op in asked
    )


def exactly(
    obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Finding:
    """SMT, loaded once it is asked: most questions are settled before."""
    from circ.runtime.engines import smt

    return smt.decide(obligation, weights, limits, progress)


def searched(
    obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Finding:
    """A counterexample found by sampling and gradients; finding none says nothing."""
    from circ.runtime.engines.search import search

    method = SEARCH
    try:
        brief = replace(limits, timeout=min(limits.timeout, SEARCH_SECONDS))
        witness = search(obligation, weights, brief, progress)
    except KeyboardInterrupt:
        return Stuck("interrupted", method, interrupted=True)
    if witness is None:
        return Stuck("no counterexample was found", method)
    return Fails(method, (), Size(None, dimensions(obligation)), witness)


def dimensions(obligation: Obligation) -> int:
    """How many real entries an input has."""
    return sum(b.type.entries for b in obligation.binders if isinstance(b.values, Reals))


def joined(stopped: list[Stuck]) -> Stuck:
    """What stopped the last engine, and the best bound and input any of them reached."""
    last = stopped[-1]
    bounds = [s.bound for s in stopped if s.bound is not None]
    hardest = [s.hardest for s in stopped if s.hardest is not None]
    if len(stopped) > 1 and not any(s.interrupted for s in stopped):
        told = [s for s in stopped if s.method != SEARCH]
        reasons = {s.method: s.reason for s in told}
        reason = last.reason
        if len(reasons) > 1:
            reason = "; ".join(f"{method}: {why}" for method, why in reasons.items())
        hints = dict.fromkeys(s.hint for s in told if s.hint)
        last = replace(last, reason=reason, hint="; ".join(hints) or last.hint)
    return replace(
        last, bound=bounds[-1] if bounds else None, hardest=hardest[-1] if hardest else None
    )


# --- findings to verdicts ---------------------------------------------------------------------


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
