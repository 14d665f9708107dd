"""What shortest paths say of one class of words: its failing words, or that there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from time import monotonic

import numpy as np

from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.tensor import Weights
from circ.compiler.trial import PRECISIONS
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.cases import Cases
from circ.compiler.words.formula import Clause, Formula
from circ.compiler.words.separated import Separated
from circ.runtime.engines.alternatives import Judges, Outcome, Word, settled
from circ.runtime.engines.exact import Judge
from circ.runtime.engines.exact_sums import by_sums
from circ.runtime.engines.margins import Least, least_margin, worst_words
from circ.runtime.engines.one_word import Late
from circ.runtime.engines.precise import ExactQuestion, least_exactly
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.rivals import Field, Rivals, one_by_one, rivals
from circ.runtime.engines.shortest import Graph
from circ.runtime.engines.sides import sides_of

FIRST = 4
"""Comparisons under one fixing that are looked at first for a failing word: those of least sum."""

CLOSE = 256
"""Words that are put to the exact reference, where a sum may be zero there."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What clauses compare as sums over positions: as wires, and in numbers."""

    split: Separated
    field: Field


@dataclass(frozen=True, slots=True, eq=False)
class Setup:
    """A claim made ready: its classes, and unless ReLUs stand between, the formula of each and `sums`.

    `until` is in seconds of `time.monotonic`. `scaled`: what is compared was divided by a positive
    number on both sides, so that its margins are not those of the claim.
    """

    obligation: Obligation
    weights: Weights
    cases: Cases
    alphabet: Alphabet
    formulas: tuple[Formula, ...]
    sums: Sums | None
    judgement: Judge
    until: float
    scaled: bool = False

    def require_time(self) -> None:
        """Raise `Late` when the time is up."""
        if monotonic() > self.until:
            raise Late

    def witness(self, word: Word) -> Witness:
        """A word as an input of the claim."""
        return Witness(((self.obligation.binders[0].name, word),))

    def judge(self, word: Word) -> Outcome:
        """What exact arithmetic says of one word."""
        found = self.judgement({self.obligation.binders[0].name: word})
        return ("fails" if found.fails else "open" if found.open else "holds"), word


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One class of words under some fixings: its graph, and the sums that its clauses compare.

    `sure`: a word at which these fail fails. Else the word may not be one of the part: one may have
    taken scores that may be equal for a tie.
    """

    kind: int
    language: Automaton
    paths: Graph
    sums: Sums
    sure: bool = True


@dataclass(slots=True)
class ClassTally:
    """What is known of the classes gone through.

    `seen`: the classes, each for each choice of letters at the fixed positions. `failing`:
    the worst word of each that fails, with the margin there. `open`: words that could not be
    decided, `doubtful` their classes as in `seen`. `least`: the least margin of comparisons that hold; that of the goal, if all of them were
    `measured`.
    """

    seen: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    failing: dict[tuple[int, int], tuple[float, Word]] = field(
        default_factory=dict[tuple[int, int], tuple[float, Word]]
    )
    open: list[Word] = field(default_factory=list[Word])
    doubtful: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    least: Least = field(default_factory=lambda: Least(inf, inf))
    measured: bool = True

    def failed(self, part: Part, place: int) -> tuple[float, Word] | None:
        """The worst word found so far in a class under one of its fixings."""
        return self.failing.get((part.kind, int(part.paths.fixings[place])))

    def note(self, part: Part, place: int, outcome: Outcome, margin: float = 0.0) -> None:
        """What one clause comes to in a class under one of its fixings."""
        kind, word = outcome
        key = part.kind, int(part.paths.fixings[place])
        if kind == "open":
            self.open.append(word)
            self.doubtful.add(key)
        if kind == "fails":
            self.failing[key] = min(self.failing.get(key, (inf, word)), (margin, word))
        if kind == "holds" and word:
            self.least = Least(0.0, 0.0, np.array(word))


def examined(setup: Setup, tally: ClassTally, part: Part, formula: Formula) -> None:
    """One class of words, for all choices of letters at the fixed positions."""
    tally.seen.update((part.kind, fixing) for fixing in part.paths.fixings.tolist())
    if () in formula:
        for place in range(part.paths.fixings.size):
            word = fixed(setup, part, place).some_word()
            tally.note(part, place, refuted(setup, part, word))
        return
    for asked in rivals(part.sums.field, [clause for clause in formula if len(clause) == 1]):
        compared(setup, tally, part, asked)
    for clause in formula:
        if len(clause) > 1:
            setup.require_time()
            alternated(setup, tally, part, clause)


def refuted(setup: Setup, part: Part, word: Word) -> Outcome:
    """What is known of a word of a part at which its clauses fail."""
    if part.sure:
        return "fails", word
    outcome, _ = setup.judge(word)
    return ("fails" if outcome == "fails" else "open"), word


def fixed(setup: Setup, part: Part, place: int) -> Automaton:
    """The words of a class under one of its fixings."""
    alphabet, language = setup.alphabet, part.language
    letters = alphabet.fixings[:, part.paths.fixings[place]]
    for position, letter in zip(alphabet.fixed, letters, strict=True):
        language = language.with_letters(position, np.array([letter]))
    return language


# --- one comparison at a time -------------------------------------------------------------------


def compared(setup: Setup, tally: ClassTally, part: Part, asked: Rivals) -> None:
    """Comparisons each of which has to hold on every word of the class."""
    bound = asked.least(part.paths)
    unproven = ~asked.holds(bound)
    if not tally.failing:
        known = np.where(unproven, inf, bound)
        tally.least = least_margin(asked, part.paths, known, tally.least)
    ranks = np.where(unproven, bound, inf).argsort(axis=0)
    (places,) = np.nonzero(unproven.any(axis=0))
    left = {place: ranks[: unproven[:, place].sum(), place] for place in places.tolist()}
    for most in (FIRST, unproven.shape[0]):
        weighed(setup, tally, part, asked, {place: rows[:most] for place, rows in left.items()})
        left = {p: rows for p, rows in left.items() if not tally.failed(part, p)}
    weighed(setup, tally, part, asked, worse(tally, part, asked, unproven))
    for place, rows in left.items():
        fixing = int(part.paths.fixings[place])
        for row in rows.tolist():
            setup.require_time()
            outcome = exactly(setup, part, asked, row, fixing)
            tally.note(part, place, outcome)
            if outcome[0] != "holds":
                break


def worse(tally: ClassTally, part: Part, asked: Rivals, unproven: BoolArray) -> dict[int, IntArray]:
    """For each fixing under which a word fails, the comparisons that fail by more elsewhere."""
    margin = np.full(unproven.shape[1], -inf)
    for place in range(margin.size):
        margin[place] = (tally.failed(part, place) or (-inf, ()))[0]
    some = np.isfinite(margin)
    if not some.any() or asked.denominator is None:
        return {}
    beyond = asked.least(part.paths, np.where(some, margin, 0)) < 0
    rows = beyond & unproven & some
    return {place: np.flatnonzero(rows[:, place]) for place in np.flatnonzero(rows.any(0)).tolist()}


def weighed(
    setup: Setup, tally: ClassTally, part: Part, asked: Rivals, left: Mapping[int, IntArray]
) -> None:
    """Note a failing word for each fixing where float64 finds one, of these comparisons."""
    sizes = [rows.size for rows in left.values()]
    places = np.repeat(np.array([*left], np.int64), sizes)
    if not places.size:
        return
    worst = worst_words(asked, part.paths, np.concatenate([*left.values()]), places)
    for place in left:
        (surely,) = np.nonzero((places == place) & (worst.high < 0))
        if surely.size:
            k = int(surely[worst.margin[surely].argmin()])
            word = tuple(worst.words[:, k].tolist())
            tally.note(part, place, refuted(setup, part, word), float(worst.margin[k]))


def exactly(setup: Setup, part: Part, asked: Rivals, row: int, fixing: int) -> Outcome:
    """One comparison under one fixing in exact arithmetic, and the word that decides it.

    Where it holds, it does so by less than float64 can tell, at the word named if not elsewhere.
    """
    literal = asked.literals[row]
    question = question_of(setup, part, asked, row, fixing)
    hardest = part.language.some_word()
    for bits in PRECISIONS:
        found = least_exactly(question, setup.weights, bits, CLOSE)
        hardest = found.least or hardest
        if found.low is None or found.low > 0 or (found.low == 0 and not literal.strict):
            return "holds", found.least
        kind, word = by_sums(question, setup.weights, bits, setup.require_time)
        if kind == "fails":
            kind, word = refuted(setup, part, word)
        if kind != "open":
            return kind, word
        open_words = len(found.words) > CLOSE
        for word in found.words[:CLOSE]:
            setup.require_time()
            outcome = setup.judge(word)
            if outcome[0] == "fails":
                return outcome
            open_words |= outcome[0] == "open"
        if not open_words:
            return "holds", hardest
    return "open", hardest


def question_of(setup: Setup, part: Part, asked: Rivals, row: int, fixing: int) -> ExactQuestion:
    """One comparison under one fixing."""
    split, literal = part.sums.split, asked.literals[row]
    return ExactQuestion(split, setup.alphabet, part.language, literal, asked.over, fixing)


# --- some one of several --------------------------------------------------------------------------


def alternated(setup: Setup, tally: ClassTally, part: Part, clause: Clause) -> None:
    """A clause of several comparisons: one that holds alone will do, or else more is tried."""
    literals = one_by_one(part.sums.field, clause)
    tally.measured = False
    proved = np.zeros(part.paths.fixings.size, np.bool_)
    for asked in literals:
        proved |= asked.holds(asked.least(part.paths))[0]
    judges = Judges(setup.judge, lambda: monotonic() > setup.until)
    for place in np.flatnonzero(~proved).tolist():
        if any(held_closely(setup, part, asked, place) for asked in literals):
            continue
        sides = sides_of(literals, int(part.paths.fixings[place]))
        tally.note(part, place, settled(sides, fixed(setup, part, place), judges))


def held_closely(setup: Setup, part: Part, asked: Rivals, place: int) -> bool:
    """Whether a comparison of several holds alone, on some words by less than float64 can tell."""
    worst = worst_words(asked, part.paths, np.zeros(1, np.int64), np.array([place]))
    if worst.high[0] < 0:
        return False
    fixing = int(part.paths.fixings[place])
    question = question_of(setup, part, asked, 0, fixing)
    kind, _ = by_sums(question, setup.weights, PRECISIONS[0], setup.require_time)
    return kind == "holds"
