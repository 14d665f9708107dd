"""What closed forms say of comparisons and choices that enclosures leave open, at one input.

A word on which two sums of exponentials are equal has enclosures that overlap however close they are;
their closed forms say that they are equal. Standard library only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from circ.compiler.ir import Argmax, Compare, TopK, Wire
from circ.compiler.readings import exponentials
from circ.compiler.readings.choices import EITHER, FALSE, TRUE, Choices, Choose
from circ.compiler.readings.closed import ClosedForm, Entries, Forms, NotClosed
from circ.compiler.readings.intervals import Reals, along
from circ.compiler.readings.tops import Marks, broken_ties, by_order, marked
from circ.compiler.rewrite import live


def decided(
    forms: Forms, wire: Wire, value: Reals | Choices, choose: Choose | None
) -> Reals | Choices:
    """The value of a wire, with what closed forms decide of it; others stay as they are.

    `choose` breaks ties as in `leaders`.
    """
    match forms.circuit.ops[wire], value:
        case _, Reals() | Choices() if value.exact:
            return value
        case Compare() as op, Choices(sets=open_sets) if isinstance(forms.found[op.left], Reals):
            sets = compared(forms, op, open_sets)
        case Argmax(operand=x), Choices(sets=open_sets):
            sets = led(forms, x, open_sets, choose)
        case TopK() as op, Reals():
            return topped(forms, op, value, choose)
        case _:
            return value
    return Choices(value.shape, tuple(sets))


def compared(forms: Forms, op: Compare, sets: Sequence[frozenset[int]]) -> Iterator[frozenset[int]]:
    """Whether each entry of a comparison holds."""
    holds = {"<": (-1,), "<=": (-1, 0), "==": (0,)}[op.op]
    for k, known in enumerate(sets):
        found = known
        with suppress(NotClosed):
            if known == EITHER:
                order = forms.order(forms.entries(op.left)[k], forms.entries(op.right)[k])
                found = TRUE if order in holds else FALSE
        yield found


def led(
    forms: Forms, scores: Wire, sets: Sequence[frozenset[int]], choose: Choose | None
) -> Iterator[frozenset[int]]:
    """The indices that a choice function may pick; rows that are known have been decided."""
    value = forms.found[scores]
    assert isinstance(value, Reals)
    lows, highs = along(value.lo, value.shape), along(value.hi, value.shape)
    for row, (tied, low, high) in enumerate(zip(sets, lows, highs, strict=True)):
        found = tied
        with suppress(NotClosed):
            if len(tied) > 1 and low != high:
                entries = along(forms.entries(scores), value.shape)[row]
                found = frozenset(forms.leaders(entries, sorted(tied)))
                found = broken(forms, [*entries], found, choose)
        yield found


def broken(
    forms: Forms, scores: Entries, tied: frozenset[int], choose: Choose | None
) -> frozenset[int]:
    """The index that a choice function takes of these, where there is one and it says which.

    It is asked about numbers alone. Two that are scaled are told apart where they may be equal, so
    that it is asked about them only where no other scores are.
    """
    if len(tied) == 1 or choose is None or not known(forms, scores):
        return tied
    index = choose(tuple(map(score, scores)), tied)
    return tied if index is None else frozenset({index})


def known(forms: Forms, scores: Entries) -> bool:
    """Whether a choice function may be asked about scores."""
    return not any(x.scale for x in scores) or vectors(forms) == 1


def vectors(forms: Forms) -> int:
    """How many vectors of scores a circuit chooses by."""
    circuit = forms.circuit
    wires = live(circuit, circuit.outputs.values())
    found = (
        circuit.types[op.operand]
        for op in map(circuit.ops.__getitem__, wires)
        if isinstance(op, Argmax | TopK)
    )
    return sum(scores.entries // scores.shape[-1] for scores in found)


def topped(forms: Forms, op: TopK, value: Reals, choose: Choose | None) -> Reals:
    """Which entries are among the largest of their row; rows that are known have been decided."""
    scores = forms.found[op.operand]
    assert isinstance(scores, Reals)
    lows, highs = along(scores.lo, scores.shape), along(scores.hi, scores.shape)
    marks = along([*zip(value.lo, value.hi, strict=True)], value.shape)
    found: list[Marks] = []
    for row, (low, high) in enumerate(zip(lows, highs, strict=True)):
        found.append([*marks[row]])
        with suppress(NotClosed):
            if (0, 1) in marks[row] and low != high:
                entries = [*along(forms.entries(op.operand), scores.shape)[row]]
                bounds = [*zip(low, high, strict=True)]
                found[row] = ranked(forms, op.count, entries, bounds, choose)
    return marked(value, found)


def ranked(
    forms: Forms,
    count: int,
    scores: Entries,
    bounds: Sequence[tuple[int, int]],
    choose: Choose | None,
) -> Marks:
    """One row, decided by closed forms where bounds overlap; raises `NotClosed`."""
    exceeds = [[False] * len(scores) for _ in scores]
    for i, j in combinations(range(len(scores)), 2):
        (low, high), (below, above) = bounds[i], bounds[j]
        apart = 1 if low > above else -1 if high < below else 0
        order = apart or forms.order(scores[i], scores[j])
        exceeds[i][j], exceeds[j][i] = order > 0, order < 0
    marks = by_order(exceeds, count)
    if choose is None or not known(forms, scores):
        return marks
    return broken_ties(tuple(map(score, scores)), marks, count, choose)


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """An irrational score; two are equal just where the numbers are."""

    form: ClosedForm

    def __eq__(self, other: object) -> bool:
        """By cross-multiplication: a / b = c / d where a d = b c."""
        if not isinstance(other, Score) or self.form.scale != other.form.scale:
            return False
        x, y = self.form, other.form
        return exponentials.product(x.above, y.below) == exponentials.product(y.above, x.below)

    def __hash__(self) -> int:
        """The same for all, since equal numbers may be written differently."""
        return hash(self.form.scale)


def score(form: ClosedForm) -> Hashable:
    """A number as what stands for it in a vector of scores: a Fraction where it is rational."""
    found = rational(form)
    return Score(form) if found is None else found


def rational(form: ClosedForm) -> Fraction | None:
    """The value of a number, None where it is irrational: then no q has `above` = q `below`.

    A number that is scaled counts as irrational unless it is zero.
    """
    if form.above.zero:
        return Fraction(0)
    below = dict(form.below.parts)
    (exponent, coefficient) = next(iter(form.above.parts))
    (under, part) = next(iter(coefficient.parts))
    rest = dict(below[exponent].parts) if exponent in below and not form.scale else {}
    if under not in rest:
        return None
    share = part / rest[under]
    return share if exponentials.combined([(share, form.below)]) == form.above else None
