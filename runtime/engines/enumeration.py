"""Deciding by trying every word, with rounding bounded; the exact reference decides close cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.obligation import Obligation, Witness, Words
from circ.compiler.readings.roundoff import FAINT
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.runtime.engines.exact import judge_of
from circ.runtime.engines.grouping import TooMany, Unsettled, grouped
from circ.runtime.engines.parallel import STEP
from circ.runtime.engines.stream import Question, Report, run, worst
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
    if len(obligation.binders) > 1:
        return several(obligation, weights, limits, progress)
    words = total(obligation.binders)
    if words > limits.words:
        reason = f"the domain has {words:,} words, more than the {limits.words:,} that may be tried"
        stuck = Stuck(reason, METHOD, hint=FEWER_WORDS)
        return sampled(obligation, weights, limits, progress, stuck)
    source = all_words(obligation.binders[0], STEP) if obligation.binders else some_words((), 1)
    report = asked(obligation, weights, source, limits, progress)
    return concluded(obligation, source, report, f"{METHOD} of {report.tally.inside:,} words")


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
    source = some_words(obligation.binders, SAMPLED, STEP)
    report = asked(obligation, weights, source, replace(limits, first=True), progress)
    if report.failing:
        return concluded(obligation, source, report, f"a sample of {SAMPLED:,} inputs", whole=False)
    tried = f"{stuck.reason}; none of {report.done:,} random ones fails"
    return replace(stuck, reason=tried, interrupted=report.stopped == "interrupted")


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
    except KeyboardInterrupt:
        return Stuck("interrupted while the words were grouped", GROUPING, interrupted=True)
    if isinstance(found, Empty):
        return found
    left = replace(limits, timeout=limits.timeout - (monotonic() - start))
    question = found.question
    judge = judge_of(question.circuit, weights, question.conditions)
    report = run(question, found.source, judge, left, progress)
    confirm(report, found, judge_of(obligation.circuit, weights, obligation.conditions))
    words, classes = (" × ".join(f"{n:,}" for n in ns) for ns in (found.words, found.classes))
    how = f"{GROUPING} of {words} words into {classes} classes"
    return concluded(obligation, found.source, report, how, counted=found.counted)


def confirm(report: Report, found: Grouped, judge: Judge) -> None:
    """Keep what fails though a tie is broken alike in both words, when both classes hang on one."""
    if found.counted:
        return
    numbers, slack = worst(report.tally.failing, KEPT)
    unsure = found.unsure(numbers)
    report.tally.failing = [(numbers[unsure == 0], slack[unsure == 0])]
    doubtful = numbers[unsure > 1].tolist() + report.tied
    report.tied = numbers[unsure == 1].tolist()
    for number in doubtful[:CONFIRMED]:
        if judge(dict(found.source.witness(number).values)).fails:
            report.tied.append(number)
    if len(doubtful) > CONFIRMED and not report.failing:
        report.unsettled = doubtful[CONFIRMED], "one of too many that fail only if ties break so"


# --- findings -------------------------------------------------------------------------------


def concluded(
    obligation: Obligation,
    source: Source,
    report: Report,
    how: str,
    *,
    whole: bool = True,
    counted: bool = True,
) -> Finding:
    """What the report comes to. `whole`: the source is the whole domain; `counted`: exactly."""
    method = f"{how} in float64 with rounding bounded"
    if report.exactly:
        method += f"; {report.exactly:,} decided exactly"
    complete = whole and not (report.stopped or report.unsettled or report.tally.open)
    size = Size(report.tally.inside if complete and counted else None)
    warnings = tuple(warned(obligation, report)) if complete else ()
    if report.failing:
        return failing(source, report, Fails(method, TRUSTED, size, Witness(()), warnings=warnings))
    if not complete:
        return stuck(source, report, method)
    if report.tally.inside == 0:
        return Empty(emptiness(obligation, report), method)
    return held(source, report, Holds(method, TRUSTED, size, warnings=warnings))
