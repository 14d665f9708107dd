"""Deciding by trying every word, with rounding bounded; the exact reference decides close cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from time import monotonic

import numpy as np

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.obligation import Obligation, Words
from circ.compiler.readings.roundoff import FAINT
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.runtime.engines.batches import batch_size
from circ.runtime.engines.classes import FEWER_WORDS, MORE_TIME, Halted
from circ.runtime.engines.classes import METHOD as GROUPING
from circ.runtime.engines.exact import Judge, judge_of
from circ.runtime.engines.grouping import Grouped, grouped
from circ.runtime.engines.stream import Question, Report, run, worst
from circ.runtime.engines.words import Source, all_words, some_words, total

METHOD = "enumeration"
TRUSTED = ("the front end", "the float reading", "IEEE arithmetic of numpy")

SAMPLED = 1 << 16
"""Words tried of a domain that is too large to go through."""

CONFIRMED = 1000
"""Combinations that are put to the reference because both their classes hang on a tie."""


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
    how = f"{METHOD} of {report.tally.inside:,} words"
    return concluded(obligation, Tried(source, report, how), limits)


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
    reason = f"{stuck.reason}; none of {report.done:,} random ones fails"
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
        return sampled(obligation, weights, limits, progress, halt.stuck)
    if isinstance(found, Empty):
        return found
    left = replace(limits, timeout=limits.timeout - (monotonic() - start))
    question = found.question
    judge = judge_of(question.circuit, weights, question.conditions)
    report = run(question, found.source, judge, left, progress)
    confirm(report, found, judge_of(obligation.circuit, weights, obligation.conditions))
    words, classes = (" × ".join(f"{n:,}" for n in ns) for ns in (found.words, found.classes))
    how = f"{GROUPING} of {words} words into {classes} classes"
    return concluded(obligation, Tried(found.source, report, how, counted=found.counted), limits)


def confirm(report: Report, found: Grouped, judge: Judge) -> None:
    """Keep what fails though a tie is broken alike in both words, when both classes hang on one."""
    if found.counted:
        return
    numbers, slack = worst(report.tally.failing, report.tally.failed)
    unsure = found.unsure(numbers)
    sure = unsure == 0
    report.tally.failing = [(numbers[sure], slack[sure])]
    doubtful = numbers[unsure > 1].tolist() + report.tied
    report.tied = numbers[unsure == 1].tolist()
    for number in doubtful[:CONFIRMED]:
        if judge(dict(found.source.witnesses(np.array([number]))[0].values)).fails:
            report.tied.append(number)
    if len(doubtful) > CONFIRMED and not report.failing:
        report.unsettled = doubtful[CONFIRMED], "one of too many that fail only if ties break so"


# --- findings -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tried:
    """What was gone through, and how: `whole` if it is all there is, `counted` if exactly."""

    source: Source
    report: Report
    how: str
    whole: bool = True
    counted: bool = True

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
    def size(self) -> Size:
        """How many inputs met the conditions."""
        return Size(self.report.tally.inside if self.complete and self.counted else None)


def concluded(obligation: Obligation, tried: Tried, limits: Limits) -> Finding:
    """What it comes to."""
    warnings = tuple(warned(obligation, tried.report)) if tried.complete else ()
    if tried.report.failing:
        return failing(tried, limits, warnings)
    if not tried.complete:
        return stuck(tried)
    if tried.report.tally.inside == 0:
        return Empty(emptiness(obligation, tried.report), tried.method)
    return held(tried, warnings)


def failing(tried: Tried, limits: Limits, warnings: tuple[str, ...]) -> Fails:
    """The failing inputs, the worst first, those that hang on a tie last."""
    report = tried.report
    surely = worst(report.tally.failing, limits.listed)[0].tolist()
    tied = sorted(report.tied)[: limits.listed - len(surely)]
    listed = tried.source.witnesses(np.array([*surely, *tied], np.int64))
    if report.tied:
        some = f"{len(report.tied):,} of the failing inputs"
        warnings += (f"{some} fail only for some way of breaking ties",)
    count = report.tally.failed if tried.complete and tried.counted else None
    method, size = tried.method, tried.size
    return Fails(method, TRUSTED, size, listed[0], count, tuple(listed), warnings)


def held(tried: Tried, warnings: tuple[str, ...]) -> Holds:
    """The goal holds; the margin is the least slack of a rounded comparison behind it."""
    slack, number = tried.report.tally.closest
    if slack == inf:
        return Holds(tried.method, TRUSTED, tried.size, warnings=warnings)
    closest = tried.source.witnesses(np.array([number]))[0]
    margin = slack if slack > FAINT else 0.0
    return Holds(tried.method, TRUSTED, tried.size, margin, closest, warnings)


def stuck(tried: Tried) -> Stuck:
    """Why not every input was decided."""
    report, source = tried.report, tried.source
    if report.unsettled is not None:
        number, reason = report.unsettled
        hardest = source.witnesses(np.array([number]))[0]
        return Stuck(f"an input is {reason}", tried.method, hardest=hardest)
    what = f"{report.done / source.count:.0%} of {source.count:,} {source.noun}, none failing"
    if report.stopped == "interrupted":
        return Stuck(f"interrupted after {what}", tried.method, interrupted=True)
    return Stuck(f"time ran out after {what}", tried.method, hint=MORE_TIME)


def emptiness(obligation: Obligation, report: Report) -> str:
    """Which condition nothing meets: a binder's own, or else `where`."""
    for bound in obligation.binders:
        if len(obligation.binders) == 1 and not report.tally.met[f"in {bound.name}"]:
            return f"the domain of `{bound.name}` is empty"
    return "nothing meets the `where`"


def warned(obligation: Obligation, report: Report) -> Iterator[str]:
    """What the claim says nothing about: a premise that never holds, an arm never reached."""
    seen = report.tally.seen
    if "premise" in obligation.circuit.outputs and "premise" not in seen:
        yield "the left side of `implies` never holds on the domain"
    for number, span in enumerate(obligation.arms):
        name = f"arm {number}"
        if name in obligation.circuit.outputs and name not in seen:
            yield f"arm at {span.place} is never reached"
