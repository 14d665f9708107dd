"""How many words of a domain meet a condition: exactly, or between two numbers that are certain.

A word counts surely if it meets the condition however ties are broken, and perhaps if it may. Where
the condition is no network's, an automaton has the number, however many words there are. Else the
words are gone through one by one, or class by class where there are too many (`class_counts.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

import numpy as np

from circ.compiler.finding import MORE_TIME, Limits, Progress
from circ.compiler.lower.environment import deep_stack
from circ.compiler.obligation import Obligation
from circ.compiler.positions import places
from circ.compiler.readings.elementary import Undefined
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Counted
from circ.compiler.words.automaton import Automaton, automaton
from circ.compiler.words.cases import learned
from circ.compiler.words.layers import Blown
from circ.runtime.engines import automata, count_vectors, enumeration
from circ.runtime.engines.batches import batch_size
from circ.runtime.engines.class_counts import by_classes
from circ.runtime.engines.count_vectors import Vectors, representatives, unordered_vectors
from circ.runtime.engines.exact import Judge, judge_of
from circ.runtime.engines.one_word import denying
from circ.runtime.engines.parallel import batches
from circ.runtime.engines.stream import Question, Tally, examined, stages_of
from circ.runtime.engines.words import Source, all_words, total


def count(question: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Counted:
    """How many words meet the conditions and the goal; one binder, a word."""
    whole = language(question, weights, [*question.conditions, "goal"])
    size = language(question, weights, question.conditions)
    inside = None if size is None else size.count()
    if whole is not None:
        return Counted(whole.count(), whole.count(), inside, "an automaton", automata.TRUSTED)
    words = total(question.binders)
    if words <= limits.few:
        return bounded(enumerated(question, weights, limits, progress), inside)
    some = unordered_vectors(question, weights, limits)
    if some is not None:
        return bounded(enumerated(question, weights, limits, progress, some), inside)
    start = monotonic()
    share = 4 if words <= limits.words else 1
    brief = replace(limits, timeout=limits.timeout / share)
    found = by_classes(question, weights, brief, progress)
    if found.exact or found.interrupted or words > limits.words:
        return bounded(found, inside)
    left = replace(limits, timeout=max(limits.timeout - (monotonic() - start), 0.0))
    return bounded(closer(enumerated(question, weights, left, progress), found), inside)


def language(question: Obligation, weights: Weights, names: Sequence[str]) -> Automaton | None:
    """The words that meet these outputs, where no network is behind them and it is not too large."""
    circuit = question.circuit
    (word,) = circuit.inputs.values()
    wires = [circuit.outputs[name] for name in names]
    if not learned(circuit, places(circuit, wires, word)).isdisjoint(wires):
        return None
    try:
        with deep_stack(), np.errstate(all="ignore"):
            return automaton(circuit, weights, word, wires, [])
    except (Blown, Undefined):
        return None


def bounded(found: Counted, size: int | None) -> Counted:
    """A count of no more words than there are."""
    return found if size is None else replace(found, high=min(found.high, size), size=size)


def closer(one: Counted, other: Counted) -> Counted:
    """What two ways of counting say together; the first is spoken of."""
    return replace(one, low=max(one.low, other.low), high=min(one.high, other.high))


# --- word by word -----------------------------------------------------------------------------


@dataclass(slots=True)
class Sum:
    """Words so far: `surely` counted, `tied` for some ways of breaking ties, `close` too close to call.

    `exactly`: how many inputs the exact reference was asked about; `left`: words not looked at.
    """

    surely: int = 0
    tied: int = 0
    close: int = 0
    exactly: int = 0
    left: int = 0

    def add(self, tally: Tally, source: Source, judge: Judge, until: float) -> None:
        """A batch: what float64 leaves open is put to the reference, while there is time."""
        self.surely += tally.failed
        for k, number in enumerate(tally.open):
            if monotonic() > until:
                self.left += source.stands_for(np.array(tally.open[k:]))
                return
            found, words = judge(source.point(number)), source.stands_for(np.array([number]))
            self.exactly += 1
            self.surely += words * found.surely
            self.tied += words * (found.fails and not found.surely)
            self.close += words * bool(found.open)

    @property
    def reason(self) -> str:
        """Why it is not one number."""
        told = (
            (self.tied, "hang on how ties are broken"),
            (self.close, "are too close to call"),
            (self.left, "were not looked at"),
        )
        return ", ".join(f"{words:,} words {what}" for words, what in told if words)


def enumerated(
    question: Obligation,
    weights: Weights,
    limits: Limits,
    progress: Progress,
    some: Vectors | None = None,
) -> Counted:
    """Every word, by the question whether it fails to meet the goal's denial; or one word for each of
    the count vectors that are all the question sees."""
    until = monotonic() + limits.timeout
    asked = denying(question, "goal")
    step = batch_size(asked.circuit, [*asked.conditions, "goal"])
    source = representatives(some, step) if some else all_words(asked.binders[0], step)
    stages = stages_of(Question(asked.circuit, weights, asked.conditions, ()), source.count)
    judge = judge_of(asked.circuit, weights, asked.conditions)
    found, done, seen, interrupted = Sum(), 0, 0, False
    with closing(batches(source, partial(examined, stages, source))) as tallies:
        try:
            for tally in tallies:
                found.add(tally, source, judge, until)
                start, done = done, min(done + source.step, source.count)
                seen += source.stands_for(np.arange(start, done))
                progress(done / source.count, f"{done:,} of {source.count:,} {source.noun}")
                if monotonic() > until:
                    break
        except KeyboardInterrupt:
            interrupted = True
    found.left += total(asked.binders) - seen
    trusted = count_vectors.TRUSTED if some else enumeration.TRUSTED
    return summed(found, source, trusted, interrupted=interrupted)


def summed(found: Sum, source: Source, trusted: tuple[str, ...], *, interrupted: bool) -> Counted:
    """What all batches come to."""
    exactly = f"; {found.exactly:,} decided exactly" if found.exactly else ""
    return Counted(
        low=found.surely,
        high=found.surely + found.tied + found.close + found.left,
        size=None,
        method=f"enumeration of {source.count:,} {source.noun} in float64 with rounding bounded{exactly}",
        trusted=trusted,
        reason=found.reason,
        hint=MORE_TIME if found.left and not interrupted else "",
        interrupted=interrupted,
    )
