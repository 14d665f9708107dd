"""A question put to every input of a source, batch by batch: conditions first, then the goal.

What float64 with rounding bounded leaves open of a batch goes to the exact reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from math import inf
from time import monotonic
from typing import Literal

import numpy as np

from circ.compiler.finding import Limits, Progress
from circ.compiler.ir import Circuit
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.routing import slack_of
from circ.compiler.tensor import Weights
from circ.runtime.engines.batches import Inputs, Stage, open_entries, some, stage, truths
from circ.runtime.engines.exact import Judge, Judgement
from circ.runtime.engines.parallel import batches
from circ.runtime.engines.words import IntArray, Source


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
    with their slack. `closest`: the least slack of those that met the goal. `open`: inputs for the
    reference. `seen`: the watched outputs that held once, or may have.
    """

    met: Counter[str] = field(default_factory=Counter[str])
    inside: int = 0
    failed: int = 0
    failing: list[tuple[IntArray, FloatArray]] = field(
        default_factory=list[tuple[IntArray, FloatArray]]
    )
    closest: tuple[float, int] = (inf, 0)
    open: list[int] = field(default_factory=list[int])
    seen: set[str] = field(default_factory=set[str])

    def add(self, other: Tally, listed: int) -> None:
        """Take in what is known of other inputs, keeping so many failing ones."""
        self.met.update(other.met)
        self.inside += other.inside
        self.failed += other.failed
        self.failing += other.failing
        self.closest = min(self.closest, other.closest)
        self.open += other.open
        self.seen |= other.seen
        if sum(numbers.size for numbers, _ in self.failing) > 2 * listed:
            self.failing = [worst(self.failing, listed)]


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
    tally.inside += source.stands_for(numbers[~unsure])
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
    decided, and `tied` fail there only for some ways of breaking ties. `unsettled`: an input that
    not even the reference could decide, and why.
    """

    tally: Tally = field(default_factory=Tally)
    done: int = 0
    stopped: Literal["", "found", "time", "interrupted"] = ""
    exactly: int = 0
    tied: list[int] = field(default_factory=list[int])
    unsettled: tuple[int, str] | None = None

    @property
    def failing(self) -> bool:
        """Whether a failing input was found."""
        return bool(self.tied) or any(numbers.size for numbers, _ in self.tally.failing)


def run(
    question: Question, source: Source, judge: Judge, limits: Limits, progress: Progress
) -> Report:
    """Put the question to every input, as far as the limits allow."""
    report = Report()
    until = monotonic() + limits.timeout
    stages = stages_of(question, source.count)
    with closing(batches(source, partial(examined, stages, source))) as found:
        try:
            for tally in found:
                report.tally.add(tally, limits.listed)
                report.done = min(report.done + source.step, source.count)
                settle(report, question, source, judge, until)
                share = report.done / source.count
                progress(share, f"{report.done:,} of {source.count:,} {source.noun}")
                if enough(report, source, limits, until):
                    break
        except KeyboardInterrupt:
            report.stopped = "interrupted"
    return report


def enough(report: Report, source: Source, limits: Limits, until: float) -> bool:
    """Whether to stop here, and why."""
    left = report.done < source.count
    if limits.first and report.failing:
        report.stopped = "found" if left else ""
        return True
    if monotonic() > until and (left or report.tally.open):
        report.stopped = "time"
        return True
    return False


def settle(report: Report, question: Question, source: Source, judge: Judge, until: float) -> None:
    """Put the inputs that are open to the reference, until one cannot be decided there either."""
    tally = report.tally
    while tally.open and report.unsettled is None and monotonic() <= until:
        number = tally.open.pop()
        found = judge(source.point(number))
        if found.open:
            report.unsettled = (number, found.open)
        else:
            report.exactly += 1
            note(report, found, number, source)
        if found.meets:
            tally.seen.update(question.watched)


def note(report: Report, found: Judgement, number: int, source: Source) -> None:
    """What the reference says of one input."""
    tally = report.tally
    stands_for = source.stands_for(np.array([number]))
    tally.inside += stands_for if found.meets else 0
    tally.failed += stands_for if found.fails else 0
    if found.surely:
        tally.failing.append((np.array([number]), np.zeros(1)))
    elif found.fails:
        report.tied.append(number)
    elif found.meets:
        tally.closest = min(tally.closest, (0.0, number))
