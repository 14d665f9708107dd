"""Deciding by trying every word, with rounding bounded; the exact reference decides close cases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from time import monotonic

import numpy as np

from circ.compiler.finding import MORE_TIME, Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.obligation import Obligation, Words
from circ.compiler.readings.clock import LATE
from circ.compiler.readings.roundoff import FAINT
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.runtime.engines.batches import batch_size
from circ.runtime.engines.classes import FEWER_WORDS, Halted
from circ.runtime.engines.classes import METHOD as GROUPING
from circ.runtime.engines.exact import judge_of
from circ.runtime.engines.grouping import grouped
from circ.runtime.engines.idle import emptiness, idle
from circ.runtime.engines.stream import Question, Report, Ties, run, worst
from circ.runtime.engines.words import Source, all_words, some_words, total

METHOD = "enumeration"
TRUSTED = ("the front end", "the float reading", "IEEE arithmetic of numpy")

SAMPLED = 1 << 16
"""Words tried of a domain that is too large to go through."""


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """Whether every input that meets the conditions meets the goal.

    All binders range over words. `Stuck` where there are too many of them, the time is up, or an
    input is too close to call; but a failing input that was found first is a `Fails` (without
    `count` unless the whole domain was gone through).
    """
    if not all(isinstance(bound.values, Words) for bound in obligation.binders):
        return Stuck("a binder ranges over real numbers", METHOD)
    try:
        if len(obligation.binders) > 1:
            return several(obligation, weights, limits, progress)
        return one(obligation, weights, limits, progress)
    except KeyboardInterrupt:
        return Stuck("interrupted before any word was decided", METHOD, interrupted=True)


def one(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """One binder, or none: every word; a sample, where there are too many."""
    words = total(obligation.binders)
    if words > limits.words:
        reason = f"the domain has {words:,} words, more than the {limits.words:,} that may be tried"
        stuck = Stuck(reason, METHOD, hint=FEWER_WORDS)
        return sampled(obligation, weights, limits, progress, stuck)
    step = batch_size(obligation.circuit, [*obligation.conditions, "goal"])
    source = all_words(obligation.binders[0], step) if obligation.binders else some_words((), 1, 1)
    report = asked(obligation, weights, source, limits, progress)
    how = f"{METHOD} of {report.tally.inside:,} {noun(obligation)}"
    return concluded(obligation, Tried(source, report, how), limits)


def noun(obligation: Obligation) -> str:
    """What is gone through: words, or the rows of data sets."""
    kinds = [bound.values for bound in obligation.binders]
    return "rows" if kinds and all(isinstance(k, Words) and k.rows for k in kinds) else "words"


def asked(
    obligation: Obligation, weights: Weights, source: Source, limits: Limits, progress: Progress
) -> Report:
    """The obligation put to the words of a source."""
    circuit, conditions = obligation.circuit, obligation.conditions
    noted = tuple(name for name in circuit.outputs if name == "premise" or name[:4] == "arm ")
    question = Question(circuit, weights, conditions, noted)
    return run(question, source, judge_of(circuit, weights, conditions), limits, progress)


def sampled(
    obligation: Obligation, weights: Weights, limits: Limits, progress: Progress, stuck: Stuck
) -> Finding:
    """A failing input among random ones, where there are too many to try them all."""
    step = batch_size(obligation.circuit, [*obligation.conditions, "goal"])
    source = some_words(obligation.binders, SAMPLED, step)
    report = asked(obligation, weights, source, replace(limits, first=True), progress)
    if report.failing:
        tried = Tried(source, report, f"a sample of {SAMPLED:,} inputs", whole=False)
        return concluded(obligation, tried, limits)
    reason = f"{stuck.reason}; none of {report.done:,} random ones decides it"
    return replace(stuck, reason=reason, interrupted=report.stopped == "interrupted")


def several(
    obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Finding:
    """More than one binder: by classes of words; a sample, where the classes are too many."""
    start = monotonic()
    try:
        found = grouped(obligation, weights, limits, progress)
    except Halted as halt:
        if halt.stuck.hint != FEWER_WORDS:
            return halt.stuck
        return sampled(obligation, weights, until(limits, start), progress, halt.stuck)
    if isinstance(found, Empty):
        return found
    question = found.question
    judge = judge_of(question.circuit, weights, question.conditions)
    whole = judge_of(obligation.circuit, weights, obligation.conditions)
    ties = None if found.counted else Ties(found.hanging, whole)
    report = run(question, found.source, judge, until(limits, start), progress, ties)
    words, classes = (" × ".join(f"{n:,}" for n in ns) for ns in (found.words, found.classes))
    how = f"{GROUPING} of {words} {noun(obligation)} into {classes} classes"
    return concluded(obligation, Tried(found.source, report, how, counted=found.counted), limits)


def until(limits: Limits, start: float) -> Limits:
    """What is left of the limits of a question that was begun at `start`."""
    return replace(limits, timeout=max(limits.timeout - (monotonic() - start), 0.0))


# --- findings -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tried:
    """What was gone through, and how: `whole` if it is all there is, `counted` if exactly."""

    source: Source
    report: Report
    how: str
    whole: bool = True
    counted: bool = True
    trusted: tuple[str, ...] = TRUSTED

    @property
    def method(self) -> str:
        """The method, for people."""
        exactly = f"; {self.report.exactly:,} decided exactly" if self.report.exactly else ""
        return f"{self.how} in float64 with rounding bounded{exactly}"

    @property
    def complete(self) -> bool:
        """Whether every input was decided."""
        report = self.report
        return self.whole and not (report.stopped or report.unsettled or report.tally.open)

    @property
    def tied(self) -> int:
        """How many inputs fail only for some way of breaking ties; of those listed, if not all are known."""
        numbers = np.array(self.report.tally.tied, np.int64)
        known = self.complete and self.counted
        return self.source.stands_for(numbers) if known else numbers.size

    @property
    def size(self) -> Size:
        """How many inputs met the conditions."""
        tally = self.report.tally
        counted = self.complete and self.counted and not tally.maybe
        return Size(tally.inside if counted else None)


def concluded(obligation: Obligation, tried: Tried, limits: Limits) -> Finding:
    """What it comes to."""
    seen, met = tried.report.tally.seen, tried.report.tally.met
    unseen = idle(obligation, lambda name: name not in seen)
    warnings = tuple(unseen) if tried.complete else ()
    if tried.report.failing:
        return failing(tried, limits, warnings)
    if not tried.complete:
        return stuck(tried)
    if tried.report.tally.inside == 0 and not tried.report.tally.maybe:
        single = len(obligation.binders) == 1
        reason = emptiness(obligation, lambda name: single and not met[name])
        return Empty(reason, tried.method)
    if tried.report.tally.inside == 0:
        return perhaps_empty(tried)
    return held(tried, warnings)


def failing(tried: Tried, limits: Limits, warnings: tuple[str, ...]) -> Fails:
    """The failing inputs, the worst first, those that hang on a tie last."""
    report = tried.report
    surely = worst(report.tally.failing, limits.listed)[0].tolist()
    tied = sorted(report.tally.tied)[: limits.listed - len(surely)]
    listed = tried.source.witnesses(np.array([*surely, *tied], np.int64))
    if report.tally.tied:
        some = f"{tried.tied:,} of the failing inputs"
        warnings += (f"{some} fail only for some way of breaking ties",)
    count = report.tally.failed if tried.complete and tried.counted else None
    method, size = tried.method, tried.size
    stopped = report.stopped == "interrupted"
    return Fails(method, tried.trusted, size, listed[0], count, tuple(listed), warnings, stopped)


def held(tried: Tried, warnings: tuple[str, ...]) -> Holds:
    """The goal holds; the margin is the least slack of a rounded comparison behind it."""
    slack, number = tried.report.tally.closest
    if slack == inf:
        return Holds(tried.method, tried.trusted, tried.size, warnings=warnings)
    closest = tried.source.witnesses(np.array([number]))[0]
    margin = slack if slack > FAINT else 0.0
    return Holds(tried.method, tried.trusted, tried.size, margin, closest, warnings)


def stuck(tried: Tried) -> Stuck:
    """Why not every input was decided."""
    report, source = tried.report, tried.source
    if report.unsettled is not None:
        number, reason = report.unsettled
        hardest = source.witnesses(np.array([number]))[0]
        hint = MORE_TIME if reason == LATE else ""
        return Stuck(f"an input is {reason}", tried.method, hardest=hardest, hint=hint)
    what = f"{report.done / source.count:.0%} of {source.count:,} {source.noun}, none of which decides it"
    if report.stopped == "interrupted":
        return Stuck(f"interrupted after {what}", tried.method, interrupted=True)
    assert report.stopped == "time", "only a failing input ends a search early"
    return Stuck(f"time ran out after {what}", tried.method, hint=MORE_TIME)


def perhaps_empty(tried: Tried) -> Stuck:
    """Every input that may meet the conditions meets the goal, and none surely meets them."""
    hardest = tried.source.witnesses(np.array(tried.report.tally.maybe))[0]
    reason = "whether any input meets the conditions is too close to call"
    return Stuck(reason, tried.method, hardest=hardest)
