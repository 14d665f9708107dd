"""The words of one binder, sorted into classes by the values that the rest of a question reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from math import ceil, floor, inf, prod
from time import monotonic

import numpy as np

from circ.compiler.finding import MORE_TIME, Limits, Progress, Stuck
from circ.compiler.ir import Circuit, Wire
from circ.compiler.obligation import Bound, Words
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.choices import FALSE, TRUE, Choices
from circ.compiler.readings.decisions import BoolArray, Discrete
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, constants
from circ.compiler.readings.roundoff import FAINT
from circ.compiler.readings.routing import slack_of
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES, PRECISIONS
from circ.runtime.engines.batches import (
    MOST,
    Inputs,
    Stage,
    batch_size,
    open_entries,
    some,
    stage,
    truths,
)
from circ.runtime.engines.parallel import batches
from circ.runtime.engines.words import Source, all_words
from circ.runtime.show import code_text, tensor_text

METHOD = "grouping"
FEWER_WORDS = "narrow the domain with `where`, or claim it of each of its parts"

MERGED = 1 << 20
"""Classes that wait to be merged with the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Words of one binder, by the values that the rest of the question reads.

    One column a class: `codes` are its values, the entries of all outputs laid end to end, and `slack`
    their least slack in the class. `counts` words are in it, `words` being the number of one of them.
    A word whose values depend on how ties are broken is a class by itself for each way, not `sure`.
    """

    codes: IntArray
    slack: FloatArray
    counts: IntArray
    words: IntArray
    sure: BoolArray

    @property
    def number(self) -> int:
        """How many classes there are."""
        return self.counts.size


def merged(parts: Sequence[Classes]) -> Classes:
    """The classes of several sets of words; of one set, with equal columns put together."""
    codes = np.concatenate([part.codes for part in parts], axis=1)
    sure = np.concatenate([part.sure for part in parts])
    words = np.concatenate([part.words for part in parts])
    slack = np.concatenate([part.slack for part in parts], axis=1)
    counts = np.concatenate([part.counts for part in parts])
    first, place = distinct(np.vstack([codes, np.where(sure, -1, words)[None]]))
    least = np.full((codes.shape[0], first.size), inf)
    for row, entries in zip(least, slack, strict=True):
        np.minimum.at(row, place, entries)
    total = np.zeros(first.size, np.int64)
    np.add.at(total, place, counts)
    return Classes(codes[:, first], least, total, words[first], sure[first])


def distinct(columns: IntArray) -> tuple[IntArray, IntArray]:
    """The place of one of each kind of column, and the kind of each column."""
    if columns.shape[1] == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    low = columns.min(1, keepdims=True)
    spans = (columns.max(1) - low[:, 0] + 1).tolist()
    if prod(spans) >= 1 << 62:
        _, first, kinds = np.unique(columns, axis=1, return_index=True, return_inverse=True)
        return first, kinds.reshape(-1)
    keys = np.zeros(columns.shape[1], np.int64)
    for row, span in zip(columns - low, spans, strict=True):
        keys = keys * span + row
    _, first, kinds = np.unique(keys, return_index=True, return_inverse=True)
    return first, kinds


# --- going through a binder's words ---------------------------------------------------------


class Halted(Exception):
    """A binder's words were not gone through: `stuck` says why."""

    def __init__(self, stuck: Stuck) -> None:
        super().__init__(stuck.reason)
        self.stuck = stuck


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """How the words of one binder are sorted into classes."""

    bound: Bound
    circuit: Circuit
    weights: Weights
    values: tuple[str, ...]
    known: dict[int, dict[Wire, Value]] = field(default_factory=dict[int, dict[Wire, Value]])

    @property
    def condition(self) -> str:
        """The output that a word must meet to count."""
        return f"in {self.bound.name}"


def classes_of(survey: Survey, limits: Limits, until: float, progress: Progress) -> Classes:
    """The classes of a binder's words; raises `Halted` where not every word could be sorted."""
    step = batch_size(survey.circuit, [survey.condition, *survey.values])
    source = all_words(survey.bound, step)
    ready = [
        stage(survey.circuit, survey.weights, names, source.count)
        for names in ([survey.condition], survey.values)
    ]
    found, waiting, done = [nothing(survey)], 0, 0
    with closing(batches(source, partial(sorted_batch, survey, ready, source))) as results:
        for classes, unsure in results:
            found += [classes, *(by_choice(survey, source, number) for number in unsure)]
            done = min(done + source.step, source.count)
            progress(done / source.count, f"{done:,} of {source.count:,} words")
            waiting += classes.number
            if waiting > limits.words or monotonic() > until:
                raise Halted(given_up(survey, done / source.count, monotonic() > until))
            if waiting > MERGED:
                found, waiting = [merged(found)], 0
    return merged(found)


def given_up(survey: Survey, share: float, late: bool) -> Stuck:
    """Why a binder's words were not all gone through."""
    what = f"{share:.0%} of the words of `{survey.bound.name}`"
    if late:
        return Stuck(f"time ran out after {what}", METHOD, hint=MORE_TIME)
    return Stuck(f"{what} fall into too many classes", METHOD, hint=FEWER_WORDS)


def nothing(survey: Survey) -> Classes:
    """No classes."""
    rows = sum(survey.circuit.types[survey.circuit.outputs[name]].entries for name in survey.values)
    return grouped_columns(
        np.zeros((rows, 0), np.int64), np.zeros((rows, 0)), np.zeros(0, np.int64)
    )


def sorted_batch(
    survey: Survey, ready: Sequence[Stage], source: Source, start: int
) -> tuple[Classes, list[int]]:
    """The classes in one batch, and the words that float64 cannot sort."""
    numbers = np.arange(start, min(start + source.step, source.count))
    inputs: Inputs = source.batch(start, start + numbers.size)
    condition, values = ready
    truth = truths(condition, inputs, numbers.size)[survey.condition]
    unsure = open_entries(truth)
    unsorted = numbers[unsure].tolist()
    (kept,) = np.nonzero(truth.values & ~unsure)
    if kept.size == 0:
        return nothing(survey), unsorted
    inputs, numbers = some(inputs, kept), numbers[kept]
    columns = [laid(x, numbers.size) for x in truths(values, inputs, numbers.size).values()]
    codes = np.concatenate([np.zeros((0, numbers.size), np.int64), *(c for c, _ in columns)])
    slack = np.concatenate([np.zeros((0, numbers.size)), *(s for _, s in columns)])
    clear = (slack > 0).all(0)
    unsorted += numbers[~clear].tolist()
    classes = grouped_columns(codes[:, clear], slack[:, clear], numbers[clear])
    return merged([classes]), unsorted


def laid(x: Discrete, size: int) -> tuple[IntArray, FloatArray]:
    """The entries of a wire end to end, with their slack."""
    return x.values.reshape(-1, size).astype(np.int64), slack_of(x).reshape(-1, size)


def grouped_columns(codes: IntArray, slack: FloatArray, numbers: IntArray) -> Classes:
    """Each word as a class by itself, as the float reading sorts it."""
    ones = np.ones(numbers.size, np.int64)
    return Classes(codes, slack, ones, numbers, np.ones(numbers.size, np.bool_))


def by_choice(survey: Survey, source: Source, number: int) -> Classes:
    """One word as the exact reference sorts it: once for each way of breaking its ties."""
    found, always, problem = set[tuple[int, ...]](), True, ""
    for bits in PRECISIONS:
        try:
            found, always, problem = outcomes(survey, source.point(number), bits)
        except Undefined as error:
            problem = f"undefined there: {error}"
        if not problem:
            break
    if problem:
        word = spelling(survey.bound, source.point(number)[survey.bound.name])
        raise Halted(Stuck(f"the word {word} of `{survey.bound.name}` is {problem}", METHOD))
    shape = (len(found), nothing(survey).codes.shape[0])
    codes = np.array(sorted(found), np.int64).reshape(shape).T
    numbers = np.full(len(found), number)
    classes = grouped_columns(codes, np.full(codes.shape, FAINT), numbers)
    sure = np.full(len(found), always and len(found) == 1)
    return replace(classes, sure=sure)


def spelling(bound: Bound, entries: Sequence[int]) -> str:
    """One word as a spec writes it."""
    assert isinstance(bound.values, Words)
    letters = [code_text(code, bound.type, bound.values.members) for code in entries]
    return tensor_text(letters, bound.type.shape)


def outcomes(
    survey: Survey, point: Mapping[str, Sequence[int]], bits: int
) -> tuple[set[tuple[int, ...]], bool, str]:
    """The columns a word may have, whether it always counts, and why that cannot be said."""
    names = [survey.condition, *survey.values]
    inputs = at_point(survey.circuit, point if survey.bound.name in survey.circuit.inputs else {})
    if bits not in survey.known:
        survey.known[bits] = constants(survey.circuit, survey.weights, bits)
    known = survey.known[bits]
    cases = every_choice(survey.circuit, inputs, survey.weights, bits, names, known)
    found: set[tuple[int, ...]] = set()
    always = True
    for case in islice(cases, MOST_CHOICES):
        inside, *entries = [entry for name in names for entry in sets_of(case.outputs[name])]
        always = always and inside == TRUE
        if inside != FALSE and not all(len(entry) == 1 for entry in [inside, *entries]):
            return found, always, f"too close to a tie for {bits} bits"
        if any(abs(min(entry)) > MOST for entry in entries):
            return found, always, "sorted by a number that float64 cannot hold"
        if inside == TRUE:
            found.add(tuple(min(entry) for entry in entries))
    late = "" if next(cases, None) is None else f"tied in over {MOST_CHOICES} ways"
    return found, always, late


def sets_of(value: Value) -> tuple[frozenset[int], ...]:
    """The values that each entry may have: truths, indices or whole numbers."""
    match value:
        case Choices(sets=sets):
            return sets
        case Reals(box=box):
            return tuple(frozenset({floor(low), ceil(high)}) for low, high in box)
