"""Several binders without trying every pair: words are grouped by what the question sees of them.

Each binder's words are gone through once. Those with the same values where the circuit is cut
(`circ.runtime.engines.cuts`) are one class, so that only combinations of classes are left to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from math import prod
from time import monotonic

import numpy as np

from circ.compiler.finding import Empty, Limits, Progress, Stuck
from circ.compiler.ir import Bool, Circuit, Real
from circ.compiler.obligation import Bound, Obligation, Witness
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import Codes, Discrete
from circ.compiler.tensor import Weights
from circ.runtime.engines.batches import batch_size, taken
from circ.runtime.engines.classes import FEWER_WORDS, METHOD, Classes, Halted, Survey, classes_of
from circ.runtime.engines.cuts import Cut, cut, rest
from circ.runtime.engines.stream import Question
from circ.runtime.engines.words import Source, all_words


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """What is left to decide, on combinations of classes.

    `hanging` says how many classes of each combination depend on how ties are broken; `counted` is
    whether none does. Each binder has so many `words` in so many `classes`.
    """

    question: Question
    source: Source
    hanging: Callable[[IntArray], IntArray]
    counted: bool
    words: tuple[int, ...]
    classes: tuple[int, ...]


def grouped(
    obligation: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Grouped | Empty:
    """The words of every binder sorted into classes; raises `Halted` where they are too many."""
    until = monotonic() + limits.timeout
    circuit = obligation.circuit
    roots = [*obligation.joint_conditions]
    roots += [name for name in circuit.outputs if name in {"goal", "premise"}]
    roots += [name for name in circuit.outputs if name.startswith("arm ")]
    parts = cut(circuit, weights, roots)
    found: list[Classes] = []
    for bound in obligation.binders:
        survey = Survey(bound, parts.own, weights, parts.values.get(bound.name, ()))
        found.append(classes_of(survey, limits, until, progress))
        if found[-1].number == 0:
            return Empty(f"the domain of `{bound.name}` is empty", METHOD)
    if prod(classes.number for classes in found) > limits.words:
        raise Halted(too_many(obligation, parts, found, limits))
    return combined(obligation, weights, parts, found, roots)


def combined(
    obligation: Obligation,
    weights: Weights,
    parts: Cut,
    found: Sequence[Classes],
    roots: Sequence[str],
) -> Grouped:
    """The question on combinations of classes, once the words of every binder are sorted."""
    tables = [
        values_of(parts.own, parts.values.get(bound.name, ()), classes)
        for bound, classes in zip(obligation.binders, found, strict=True)
    ]
    left = rest(parts, {name: x for table in tables for name, x in table.numbers.items()})
    conditions = obligation.joint_conditions
    watched = tuple(name for name in roots if name not in {*conditions, "goal"})
    places = [table.places for table in tables]
    return Grouped(
        Question(left, weights, conditions, watched),
        combinations(obligation.binders, places, found, batch_size(left, roots)),
        partial(hanging, found),
        counted=all(bool(classes.sure.all()) for classes in found),
        words=tuple(int(classes.counts.sum()) for classes in found),
        classes=tuple(classes.number for classes in found),
    )


def hanging(found: Sequence[Classes], numbers: IntArray) -> IntArray:
    """How many classes of each combination depend on how ties are broken."""
    count = np.zeros(numbers.shape, np.int64)
    for classes, place in zip(found, places_of(numbers, found), strict=True):
        count += ~classes.sure[place]
    return count


def too_many(obligation: Obligation, parts: Cut, found: Sequence[Classes], limits: Limits) -> Stuck:
    """Why there are more combinations than may be tried."""
    sizes = " × ".join(f"{classes.number:,}" for classes in found)
    reason = f"{sizes} combinations are more than the {limits.words:,} that may be tried"
    whole = [b.name for b in obligation.binders if reads_whole_word(parts, b.name)]
    if whole:
        names = " and ".join(f"`{name}`" for name in whole)
        reason += f"; real values of {names} are compared, so words cannot be grouped"
    return Stuck(reason, METHOD, hint=FEWER_WORDS)


def reads_whole_word(parts: Cut, binder: str) -> bool:
    """Whether a binder's word itself is read where the circuit is cut."""
    names = parts.values.get(binder, ())
    return any(parts.own.outputs[name] == parts.own.inputs[binder] for name in names)


def combinations(
    bounds: Sequence[Bound],
    tables: Sequence[Mapping[str, Discrete]],
    found: Sequence[Classes],
    step: int,
) -> Source:
    """One class of each binder, in every way; `tables` has what the rest reads of each class."""
    words = [all_words(bound, 1) for bound in bounds]
    small = prod(int(classes.counts.sum()) for classes in found) < 1 << 62

    def batch(start: int, stop: int) -> dict[str, Discrete]:
        places = places_of(np.arange(start, stop), found)
        pairs = zip(tables, places, strict=True)
        return {name: taken(x, p) for table, p in pairs for name, x in table.items()}

    def point(number: int) -> dict[str, list[int]]:
        one = batch(number, number + 1)
        return {name: x.values.astype(np.int64).reshape(-1).tolist() for name, x in one.items()}

    def witnesses(numbers: IntArray) -> list[Witness]:
        each = zip(words, found, places_of(numbers, found), strict=True)
        columns = [source.witnesses(classes.words[place]) for source, classes, place in each]
        return [
            Witness(tuple(chain(*(w.values for w in row)))) for row in zip(*columns, strict=True)
        ]

    def stands_for(numbers: IntArray) -> int:
        each = zip(found, places_of(numbers, found), strict=True)
        counts = [classes.counts[place] for classes, place in each]
        if small:
            return int(np.multiply.reduce(counts).sum())
        return sum(map(prod, zip(*(count.tolist() for count in counts), strict=True)))

    count = prod(classes.number for classes in found)
    return Source(count, step, batch, point, witnesses, stands_for, "combinations")


def places_of(numbers: IntArray, found: Sequence[Classes]) -> list[IntArray]:
    """The class of each binder in these combinations."""
    shape = tuple(classes.number for classes in found)
    return [np.asarray(place, np.int64) for place in np.unravel_index(numbers, shape)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the rest reads of each class: `places` by input; the `numbers` that these are places in."""

    places: Mapping[str, Discrete]
    numbers: Mapping[str, Sequence[int]]


def values_of(circuit: Circuit, names: Sequence[str], classes: Classes) -> Seen:
    """What the rest of a circuit reads of each class of a binder."""
    places: dict[str, Discrete] = {}
    numbers: dict[str, list[int]] = {}
    start = 0
    for name in names:
        known = circuit.types[circuit.outputs[name]]
        rows = slice(start, start + known.entries)
        start += known.entries
        codes = classes.codes[rows].reshape(*known.shape, -1)
        slack = classes.slack[rows].reshape(*known.shape, -1)
        if known.sort == Real():
            distinct = np.unique(codes)
            numbers[name] = distinct.tolist()
            codes = np.searchsorted(distinct, codes)
        values: Codes = codes.astype(np.bool_ if known.sort == Bool() else np.int64)
        places[name] = Discrete(values, None if np.isinf(slack).all() else slack)
    return Seen(places, numbers)
