"""Branch and bound over one class of words: regions are bounded, tested, and parted where open.

A region is done where every clause has a comparison whose bound is positive. Else the word behind the
worst bound is tried, and the region is parted at the position to which most of the loss is due, until
so few words are left that they are gone through one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf

import numpy as np

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.readings.forms import Sets
from circ.compiler.readings.separables import enclose
from circ.runtime.engines.alternatives import Word
from circ.runtime.engines.comparisons import ClassQuestion, held, margins, of_clauses
from circ.runtime.engines.floors import Floors, behind, floors
from circ.runtime.engines.one_word import Late
from circ.runtime.engines.regions import Pruned, drawn, everything, halved, listed, pruned

FEW = 1 << 12
"""So many words of a region are gone through one by one."""

DRAWN = 1 << 12
"""Random words of a class that are tried before anything else."""

NUMBERS = 1 << 22
"""In one wire, over the regions that are bounded at once."""

MANY = 1 << 1000
"""Words beyond which a share of them is no longer told."""

AT_ONCE = 64
"""Regions that are bounded at once, at most."""


Node = tuple[float, int, BoolArray, BoolArray]
"""The bound of the region that it is a part of, its number, the region, and the clauses still open."""


@dataclass(slots=True)
class Search:
    """A class as far as it is decided.

    `done`: the share of its words in regions that are decided. `failing`: a word that fails, with
    about its margin. `open`: a word that cannot be decided. `hardest`: the word behind a bad bound.
    `least`: a bound on the margins of the words that are decided.
    """

    question: ClassQuestion
    late: Callable[[], bool]
    waiting: list[Node] = field(default_factory=list[Node])
    numbers: count[int] = field(default_factory=count)
    done: float = 0.0
    regions: int = 0
    failing: tuple[float, Word] | None = None
    open: Word | None = None
    hardest: Word | None = None
    least: float = inf

    @property
    def over(self) -> bool:
        """Whether nothing is left to be done, or a word fails."""
        return not self.waiting or self.failing is not None


def started(question: ClassQuestion, late: Callable[[], bool]) -> Search:
    """The search before its first step: random words are tried, and all words are one region."""
    search = Search(question, late)
    tested(search, drawn(question.language, DRAWN))
    region = everything(question.language)[:, :, 0]
    every: BoolArray = np.ones(int(question.clauses.shape[0]), np.bool_)
    put(search, -inf, region, every)
    return search


def put(search: Search, bound: float, region: BoolArray, clauses: BoolArray) -> None:
    """One more region to be decided."""
    heappush(search.waiting, (bound, next(search.numbers), region, clauses))


def advance(search: Search) -> None:
    """Decide or part the regions of the worst bounds."""
    nodes = [heappop(search.waiting) for _ in range(min(width(search), len(search.waiting)))]
    alive = np.stack([region for _, _, region, _ in nodes], axis=-1)
    clauses = np.stack([mine for _, _, _, mine in nodes], axis=-1)
    whole = pruned(search.question.language, alive)
    few = whole.words <= FEW
    for k in np.flatnonzero(few & (whole.words > 0)).tolist():
        gone_through(search, listed(search.question.language, whole.alive[:, :, k]))
    share = np.nan_to_num(whole.words / float(min(search.question.language.count(), MANY)))
    search.done += float(share[few].sum())
    many = np.flatnonzero(~few)
    if many.size and search.failing is None:
        bounded(search, Pruned(whole.alive[:, :, many], share[many]), clauses[:, many])


def width(search: Search) -> int:
    """How many regions are bounded at once."""
    plan = search.question.recipe
    steps = search.question.language.steps
    widest = max(plan.circuit.types[x].entries for x in [*plan.order, search.question.wire])
    cells = len(steps) * int(steps[0].shape[1])
    return max(1, min(AT_ONCE, NUMBERS // (widest * (cells + 64))))


def bounded(search: Search, some: Pruned, clauses: BoolArray) -> None:
    """Bound some regions, `words` being the share of each; put the parts of those left open."""
    question = search.question
    known = floors(enclose(question.recipe, Sets(some.alive)), question.wire, question.paths)
    search.regions += some.words.size
    bounds = of_clauses(question, known.best)
    left = clauses & ~held(question, known.best)
    settled = ~left.any(axis=0)
    proved = np.where(clauses & ~left, bounds, inf)
    search.least = min(search.least, float(proved.min(initial=inf)))
    search.done += float(some.words[settled].sum())
    if settled.all():
        return
    worst = np.where(left, bounds, inf).argmin(axis=0)
    clue = behind(known, literal_of(question, known, worst), question.paths)
    tested(search, clue.words[:, ~settled])
    order = np.where(left, bounds, inf).min(axis=0)
    search.hardest = tuple(clue.words[:, int(order.argmin())].tolist())
    for k in np.flatnonzero(~settled).tolist():
        position = int(clue.blame[:, k].argmax())
        for part in halved(some.alive[:, :, k], position, clue.values[position, :, k]):
            put(search, float(order[k]), part, left[:, k])


def literal_of(question: ClassQuestion, known: Floors, clause: IntArray) -> IntArray:
    """The comparison that comes closest to proving a clause, for each region."""
    mine = question.clauses[clause].T
    return np.asarray(np.where(mine, known.best, -inf).argmax(axis=0))


def tested(search: Search, words: IntArray) -> None:
    """Note a failing one among some words, the worst as far as floats can tell."""
    _, high = margins(search.question, words)
    worst = high.min(axis=0)
    if not (worst < 0).any():
        return
    k = int(worst.argmin())
    word = tuple(words[:, k].tolist())
    if search.question.judge(word)[0] == "fails":
        search.failing = min(search.failing or (inf, word), (float(worst[k]), word))


def gone_through(search: Search, words: IntArray) -> None:
    """Decide these words one by one; those that are close by exact arithmetic."""
    low, _ = margins(search.question, words)
    least = low.min(axis=0)
    close = least <= 0
    search.least = min(search.least, float(least[~close].min(initial=inf)))
    for k in np.flatnonzero(close).tolist():
        if search.late():
            raise Late
        outcome, word = search.question.judge(tuple(words[:, k].tolist()))
        if outcome == "fails":
            search.failing = min(search.failing or (inf, word), (float(least[k]), word))
            return
        if outcome == "open":
            search.open = search.open or word
        else:
            search.least = min(search.least, 0.0)
