"""A question put to every input of a source, batch by batch: conditions first, then the goal.

What float64 with rounding bounded leaves open of a batch goes to the exact reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from math import inf
from time import monotonic
from typing import Literal

import numpy as np

from circ.compiler.finding import Limits, Progress
from circ.compiler.ir import Circuit
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.routing import slack_of
from circ.compiler.tensor import Weights
from circ.runtime.engines.batches import Inputs, Stage, open_entries, some, stage, truths
from circ.runtime.engines.exact import Judge, Judgement
from circ.runtime.engines.parallel import batches
from circ.runtime.engines.words import Source

MAYBE = 1000
"""Inputs that are kept, of those that meet the conditions perhaps."""

DOUBTFUL = 1 << 20
"""Inputs that are kept, to be put to the reference, because they hang on several ties."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whether `goal` holds of each input that meets the conditions; `watched` outputs are noted."""

    circuit: Circuit
    weights: Weights
    conditions: tuple[str, ...]
    watched: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What is known of the inputs examined so far.

    `met`: how many were left after each condition. `inside`: how many met them all, and `failed` of
    those missed the goal; both count what each input stands for. `failing`: some of these, by number,
    with their slack; `tied` fail only for some ways of breaking ties, and `doubtful` perhaps, as
    do those `passed_over`, which are not kept. `closest`: the least slack of those that met the
    goal. `open`: inputs for the reference. `maybe`: some that meet the goal, and the conditions
    perhaps. `within`: the inputs of a batch that met them all. `seen`: the watched outputs that
    held once, or may have.
    """

    met: Counter[str] = field(default_factory=Counter[str])
    inside: int = 0
    failed: int = 0
    failing: list[tuple[IntArray, FloatArray]] = field(
        default_factory=list[tuple[IntArray, FloatArray]]
    )
    tied: list[int] = field(default_factory=list[int])
    doubtful: list[tuple[IntArray, FloatArray]] = field(
        default_factory=list[tuple[IntArray, FloatArray]]
    )
    passed_over: int = 0
    closest: tuple[float, int] = (inf, 0)
    open: list[int] = field(default_factory=list[int])
    maybe: list[int] = field(default_factory=list[int])
    within: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    seen: set[str] = field(default_factory=set[str])

    def add(self, other: Tally, listed: int) -> None:
        """Take in what is known of other inputs, keeping so many failing ones."""
        self.met.update(other.met)
        self.inside += other.inside
        self.failed += other.failed
        self.failing += other.failing
        self.tied += other.tied
        self.doubtful += other.doubtful
        self.passed_over += other.passed_over
        self.closest = min(self.closest, other.closest)
        self.open += other.open
        self.maybe = (self.maybe + other.maybe)[:MAYBE]
        self.seen |= other.seen
        if sum(numbers.size for numbers, _ in self.failing) > 2 * listed:
            self.failing = [worst(self.failing, listed)]
        doubtful = sum(numbers.size for numbers, _ in self.doubtful)
        if doubtful > 2 * DOUBTFUL:
            self.doubtful = [worst(self.doubtful, DOUBTFUL)]
            self.passed_over += doubtful - DOUBTFUL


def worst(failing: Sequence[tuple[IntArray, FloatArray]], most: int) -> tuple[IntArray, FloatArray]:
    """The failing inputs that miss the goal furthest, in order."""
    if not failing:
        return np.zeros(0, np.int64), np.zeros(0)
    numbers = np.concatenate([part for part, _ in failing])
    slack = np.concatenate([part for _, part in failing])
    order = np.lexsort((numbers, -slack))[:most]
    return numbers[order], slack[order]


# --- one batch ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """The conditions one after the other, each on what the last one left; then goal and watched."""

    conditions: tuple[tuple[str, Stage], ...]
    goal: Stage


def stages_of(question: Question, words: int) -> Stages:
    """The question made ready for so many inputs."""

    def ready(*names: str) -> Stage:
        return stage(question.circuit, question.weights, names, words)

    conditions = tuple((name, ready(name)) for name in question.conditions)
    return Stages(conditions, ready("goal", *question.watched))


def examined(stages: Stages, source: Source, start: int) -> Tally:
    """The batch that starts there."""
    tally = Tally()
    inputs: Inputs = source.batch(start, min(start + source.step, source.count))
    numbers = np.arange(start, min(start + source.step, source.count))
    for name, condition in stages.conditions:
        truth = truths(condition, inputs, numbers.size)[name]
        unsure = open_entries(truth)
        tally.open += numbers[unsure].tolist()
        (kept,) = np.nonzero(truth.values & ~unsure)
        tally.met[name] += kept.size + int(unsure.sum())
        if kept.size < numbers.size:
            inputs, numbers = some(inputs, kept), numbers[kept]
        if kept.size == 0:
            return tally
    weigh(tally, truths(stages.goal, inputs, numbers.size), numbers, source)
    return tally


def weigh(tally: Tally, found: dict[str, Discrete], numbers: IntArray, source: Source) -> None:
    """Note which of these inputs, which meet the conditions, meet the goal."""
    goal = found.pop("goal")
    unsure = open_entries(goal)
    tally.open += numbers[unsure].tolist()
    held = np.asarray(goal.values, np.bool_)
    missed = ~held & ~unsure
    tally.within = numbers[~unsure]
    tally.inside += source.stands_for(tally.within)
    tally.failed += source.stands_for(numbers[missed])
    slack = slack_of(goal)
    if missed.any():
        tally.failing.append((numbers[missed], slack[missed]))
    if (held & ~unsure).any():
        least = int(np.where(held & ~unsure, slack, inf).argmin())
        tally.closest = (float(slack[least]), int(numbers[least]))
    tally.seen |= {name for name, x in found.items() if (x.values | open_entries(x)).any()}


# --- all batches ----------------------------------------------------------------------------


@dataclass(slots=True)
class Report:
    """What came of a question, as far as it went.

    `done` of all inputs were examined; `stopped` says why not all. `exactly`: how many the reference
    decided. `unsettled`: an input that not even the reference could decide, and why.
    """

    tally: Tally = field(default_factory=Tally)
    done: int = 0
    stopped: Literal["", "found", "time", "interrupted"] = ""
    exactly: int = 0
    unsettled: tuple[int, str] | None = None

    @property
    def failing(self) -> bool:
        """Whether a failing input was found."""
        return bool(self.tally.tied) or any(numbers.size for numbers, _ in self.tally.failing)


@dataclass(frozen=True, slots=True, eq=False)
class Ties:
    """Inputs that stand for words with ties, which one and the same choice breaks in all of them.

    `hanging`: on how many broken ties each input depends. `judge`: what the words themselves say.
    """

    hanging: Callable[[IntArray], IntArray]
    judge: Judge


def run(
    question: Question,
    source: Source,
    judge: Judge,
    limits: Limits,
    progress: Progress,
    ties: Ties | None = None,
) -> Report:
    """Put the question to every input, as far as the limits allow."""
    report = Report()
    until = monotonic() + limits.timeout
    stages = stages_of(question, source.count)
    with closing(batches(source, partial(examined, stages, source))) as found:
        try:
            for tally in found:
                if not (limits.first and ties is None and surely_fails(tally)):
                    settle(report, tally, question, source, judge, until)
                if ties is not None:
                    sift(tally, ties)
                report.tally.add(tally, limits.listed)
                report.done = min(report.done + source.step, source.count)
                share = report.done / source.count
                progress(share, f"{report.done:,} of {source.count:,} {source.noun}")
                if enough(report, source, limits, until):
                    break
            if ties is not None:
                confirm(report, source, ties, limits, until)
        except KeyboardInterrupt:
            report.stopped = "interrupted"
    return report


def surely_fails(tally: Tally) -> bool:
    """Whether an input was found to fail however ties are broken: where one is enough, none is put to the reference."""
    return any(numbers.size for numbers, _ in tally.failing)


def enough(report: Report, source: Source, limits: Limits, until: float) -> bool:
    """Whether to stop here, and why."""
    left = report.done < source.count or bool(report.tally.open)
    if limits.first and report.failing:
        report.stopped = "found" if left else ""
        return True
    if monotonic() > until and left:
        report.stopped = "time"
        return True
    return False


def settle(
    report: Report, tally: Tally, question: Question, source: Source, judge: Judge, until: float
) -> None:
    """Put a batch's open inputs to the reference, until one cannot be decided there either."""
    while tally.open and report.unsettled is None and monotonic() <= until:
        number = tally.open.pop()
        found = judge(source.point(number))
        if found.open:
            report.unsettled = (number, found.open)
        else:
            report.exactly += 1
            note(tally, found, number, source)
        if found.meets is not False:
            tally.seen.update(question.watched)


def note(tally: Tally, found: Judgement, number: int, source: Source) -> None:
    """What the reference says of one input."""
    stands_for = source.stands_for(np.array([number]))
    tally.inside += stands_for if found.meets else 0
    if found.meets:
        tally.within = np.append(tally.within, number)
    tally.failed += stands_for if found.fails else 0
    if found.surely:
        tally.failing.append((np.array([number]), np.zeros(1)))
    elif found.fails:
        tally.tied.append(number)
    elif found.meets is not False:
        tally.closest = min(tally.closest, (0.0, number))
    if found.meets is None:
        tally.maybe.append(number)


def sift(tally: Tally, ties: Ties) -> None:
    """Of a batch, keep apart what fails only if equal ties break differently, or perhaps so."""
    numbers, slack = worst(tally.failing, tally.failed)
    hanging = ties.hanging(numbers)
    sure, doubtful = hanging == 0, hanging > 1
    tally.failing = [(numbers[sure], slack[sure])]
    tied = np.array(tally.tied, np.int64)
    tally.doubtful = [(numbers[doubtful], slack[doubtful]), (tied, np.zeros(tied.size))]
    tally.tied = numbers[hanging == 1].tolist()
    real = ties.hanging(tally.within) == 0
    if not real.any():
        tally.inside, tally.maybe = 0, tally.maybe + tally.within[:MAYBE].tolist()


def confirm(report: Report, source: Source, ties: Ties, limits: Limits, until: float) -> None:
    """Put what hangs on several ties to the words themselves, the worst first."""
    tally = report.tally
    if tally.inside == 0:
        realise(tally, source, ties)
    numbers, _ = worst(tally.doubtful, 2 * DOUBTFUL)
    for number in numbers.tolist():
        if monotonic() > until or (limits.first and report.failing):
            report.stopped = "time" if monotonic() > until else report.stopped
            return
        if ties.judge(dict(source.witnesses(np.array([number]))[0].values)).fails:
            tally.tied.append(number)
    if tally.passed_over and not report.failing:
        number = int(numbers[-1])
        report.unsettled = number, "one of too many that fail only if ties break so"


def realise(tally: Tally, source: Source, ties: Ties) -> None:
    """Whether some way of breaking ties lets one of the inputs that may be inside be there.

    Where all that are kept turn out not to be, and none was left out, nothing is inside.
    """
    kept: list[int] = []
    for number in tally.maybe:
        found = ties.judge(dict(source.witnesses(np.array([number]))[0].values))
        if found.meets:
            tally.inside += source.stands_for(np.array([number]))
            return
        if found.meets is None or found.open:
            kept.append(number)
    tally.maybe = tally.maybe if len(tally.maybe) == MAYBE else kept
