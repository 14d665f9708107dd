"""Deciding on one screen: obligation → engines → finding → replay → verdict.

Engines are asked in turn until one decides. None of them has the last word: `verdicts.py` says what a finding comes to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from time import monotonic

from circ.compiler.aided import aided, with_lemmas_met
from circ.compiler.builder import Builder
from circ.compiler.finding import Empty, Fails, Finding, Limits, Progress, Stuck, silent
from circ.compiler.ir import Argmax, Circuit, Compare, Max, Not, Real, Relu, TopK, operands
from circ.compiler.margin import connectives
from circ.compiler.obligation import Obligation, Reals, Words
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.readings import clock
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size, Verdict
from circ.runtime.shares import Engine, briefly, mostly, on_time, within
from circ.runtime.verdicts import existential, universal

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
