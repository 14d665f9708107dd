"""The greatest value of a number over boxes of reals, as far as linear bounds find it in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from time import monotonic

from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.net import FloatArray
from circ.compiler.boxes.number import read_number
from circ.compiler.finding import Limits, Progress
from circ.compiler.ir import Wire
from circ.compiler.obligation import Obligation, Reals, Witness
from circ.compiler.readings.choices import TRUE
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals as Enclosure
from circ.compiler.readings.reference import BITS, Value, at_point, constants
from circ.compiler.readings.ties import every_choice
from circ.compiler.regions.listed import highest
from circ.compiler.tensor import Weights
from circ.compiler.trial import MOST_CHOICES, truth
from circ.runtime.engines.ascent import Ascent
from circ.runtime.engines.boxes import METHOD, trusted_at
from circ.runtime.engines.places import place_named
from circ.runtime.prover import choices

FEW = 64
"""With so many units at most, the vertices of cells are looked at for a value that is the greatest itself."""

CLIMBED = 8
"""Cells that are gone through from one to the next."""


@dataclass(frozen=True, slots=True)
class Summit:
    """No input of the domain has a value above `limit` (None: nothing is known).

    `witness` has the largest value that was met, where that is above the one known before.
    """

    limit: Fraction | None
    witness: Witness | None
    method: str
    trusted: tuple[str, ...]
    interrupted: bool = False


def summit(
    question: Obligation,
    weights: Weights,
    known: Fraction,
    within: Fraction,
    limits: Limits,
    progress: Progress,
) -> Summit | None:
    """The greatest value of the goal, a real scalar, to `within` of it (of 1, where it is smaller).

    `known` is a value that some input has. None where the circuit has no bounds on boxes.
    """
    until = monotonic() + limits.timeout
    try:
        problem = read_number(question, weights)
    except Beyond:
        return None

    def told(share: float) -> None:
        progress(share, "branch and bound")

    judge, memory = judged(question, weights), limits.memory * 2.0**20
    place = place_named(limits.device)
    ascent = Ascent(problem, judge, known, within, until, told, memory, place)
    interrupted = False
    try:
        ascent.search()
    except KeyboardInterrupt:
        interrupted = True
    method = f"{METHOD}, {ascent.nodes:,} part{'s' * (ascent.nodes != 1)}"
    point = None if ascent.point is None else witness(question, ascent.point)
    if point is not None and not interrupted and choices(question.circuit) <= FEW:
        point = uphill(question, weights, point, ascent.best)
    return Summit(ascent.limit, point, method, trusted_at(place), interrupted)


def uphill(question: Obligation, weights: Weights, start: Witness, value: Fraction) -> Witness:
    """The best vertex of the cell that has an input, then of a cell that has that, while it is better."""
    best, known = start, dict[Wire, Value]()
    for _ in range(CLIMBED):
        point = tuple(Fraction(x) for _, entries in best.values for x in entries)
        found = highest(question, weights, point)
        at = None if found is None else arranged(question, found)
        reached = None if at is None else least_at(question, weights, at, known)
        if at is None or reached is None or reached <= value:
            break
        best, value = at, reached
    return best


def judged(question: Obligation, weights: Weights) -> Callable[[FloatArray], Fraction | None]:
    """The least that the number may be at an input, if that is surely in the domain."""
    known = dict[Wire, Value]()

    def value(point: FloatArray) -> Fraction | None:
        known.update({} if known else constants(question.circuit, weights))
        return least_at(question, weights, witness(question, point), known)

    return value


def least_at(
    question: Obligation, weights: Weights, at: Witness, known: dict[Wire, Value]
) -> Fraction | None:
    """The least value of the goal whichever way ties are broken; None where a condition may fail."""
    names = [*question.conditions, "goal"]
    circuit = question.circuit
    found = list[Fraction]()
    try:
        cases = every_choice(
            circuit, at_point(circuit, dict(at.values)), weights, BITS, names, known
        )
        for outcome in islice(cases, MOST_CHOICES):
            if any(truth(outcome.outputs[name]) != TRUE for name in question.conditions):
                return None
            value = outcome.outputs["goal"]
            assert isinstance(value, Enclosure)
            found.append(value.box[0][0])
        return None if next(cases, None) is not None else min(found, default=None)
    except Undefined:
        return None


def witness(question: Obligation, point: FloatArray) -> Witness:
    """An input as numbers, inside the box."""
    return arranged(question, [Fraction(x) for x in point.tolist()])


def arranged(question: Obligation, point: Sequence[Fraction]) -> Witness:
    """Entries of all binders in order as an input, moved into the box."""
    left = iter(point)
    values = list[tuple[str, tuple[Fraction | int, ...]]]()
    for binder in question.binders:
        assert isinstance(binder.values, Reals)
        entries = tuple(
            min(max(value, low), high)
            for (low, high), value in zip(binder.values.box, left, strict=False)
        )
        values.append((binder.name, entries))
    return Witness(tuple(values))
