"""Deciding over all words of a regular language where no sums over positions do, by enclosures.

Where heads are added, layers follow one another or MLPs stand between, the numbers that a claim
compares are enclosed on whole regions of words (`circ.compiler.readings.separables`), and regions
are parted until each is proved, has so few words that they are gone through, or has one that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import monotonic

import numpy as np

from circ.compiler.finding import MORE_TIME, Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.obligation import Obligation, Witness, Words
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.compiler.words.cases import Cases, cases, formula_of
from circ.compiler.words.unscaled import unscaled
from circ.runtime.engines.alternatives import Outcome, Word
from circ.runtime.engines.branching import Search, advance, started
from circ.runtime.engines.comparisons import asked
from circ.runtime.engines.exact import judge_of
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.one_word import Late, decided

METHOD = "branch and bound over sets of letters"
TRUSTED = (
    "the front end",
    "the automaton and the separable reading",
    "IEEE arithmetic of numpy",
)


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """Whether every word that meets the conditions meets the goal; `Stuck` where it cannot say.

    One binder, a word. One failing word is listed of each class that fails.
    """
    until = monotonic() + limits.timeout

    def ask(question: Obligation, limits: Limits) -> Finding:
        return gone_through(set_up(question, weights, until), limits, progress)

    return decided(obligation, weights, limits, METHOD, ask)


@dataclass(frozen=True, slots=True, eq=False)
class RegionSetup:
    """A claim made ready; `until` and `scaled` are as for shortest paths (`one_class.Setup`)."""

    obligation: Obligation
    weights: Weights
    cases: Cases
    judge: Callable[[Word], Outcome]
    until: float
    scaled: bool = False

    def late(self) -> bool:
        """Whether the time is up."""
        return monotonic() > self.until

    def witness(self, word: Word) -> Witness:
        """A word as an input of the claim."""
        return Witness(((self.obligation.binders[0].name, word),))


def set_up(obligation: Obligation, weights: Weights, until: float) -> RegionSetup:
    """Make a claim ready; raises what is in the way."""
    circuit = narrowed(obligation.circuit, [*obligation.conditions, "goal"])
    plain = unscaled(circuit, weights)
    found = cases(plain.circuit, weights, obligation.conditions, until)
    judgement = judge_of(obligation.circuit, weights, obligation.conditions)
    (bound,) = obligation.binders

    def judge(word: Word) -> Outcome:
        said = judgement({bound.name: word})
        return ("fails" if said.fails else "open" if said.open else "holds"), word

    return RegionSetup(obligation, weights, found, judge, until, plain.dropped)


@dataclass(slots=True)
class RegionTally:
    """What is known of the classes so far.

    `failing`: a word of each that fails, with about its margin. `open`: a word that could not be
    decided. `least`: a bound on the margins of the other words, that of the goal if all clauses were
    `measured`: if each is one comparison. `done`: the share of all words that
    are decided, or in a class that fails. `last`: the search that was not ended.
    """

    failing: list[tuple[float, Word]] = field(default_factory=list[tuple[float, Word]])
    open: Word | None = None
    least: float = inf
    measured: bool = True
    regions: int = 0
    done: float = 0.0
    last: Search | None = None


def gone_through(setup: RegionSetup, limits: Limits, progress: Progress) -> Finding:
    """What all classes come to, or those decided in time."""
    count, tally, stopped = len(setup.cases.options), RegionTally(measured=not setup.scaled), ""
    decided = 0
    try:
        for kind in range(count):
            one_class(setup, kind, tally, progress)
            decided = kind + 1
            if limits.first and tally.failing:
                break
    except Late:
        stopped = "time ran out"
    except KeyboardInterrupt:
        stopped = "interrupted"
    how = f"{METHOD}, {tally.regions:,} of them in {count:,} classes of words"
    if tally.failing:
        classes = (len(tally.failing), count) if decided == count and not tally.open else None
        listed = tuple(setup.witness(word) for _, word in sorted(tally.failing))
        interrupted = stopped == "interrupted"
        return Fails(how, TRUSTED, size(setup), listed[0], None, listed, (), interrupted, classes)
    if stopped:
        return halted(setup, tally, how, stopped)
    return held(setup, tally, how)


def one_class(setup: RegionSetup, kind: int, tally: RegionTally, progress: Progress) -> None:
    """Decide one class of words; raises `Late` and `NotEnclosed`."""
    found = setup.cases
    language = found.language.of_class(kind)
    formula = formula_of(found.circuit, found.options[kind])
    share = language.count() / found.language.count()
    tally.measured &= all(len(clause) == 1 for clause in formula)
    if () in formula:
        noted(tally, setup.judge(language.some_word()), -inf)
    elif formula:
        question = asked(found.circuit, setup.weights, found.word, language, formula, setup.judge)
        tally.last = search = started(question, setup.late)
        while not search.over:
            advance(search)
            reached = min(tally.done + share * search.done, 1.0)
            progress(reached, f"{tally.regions + search.regions:,} regions of words")
            if setup.late():
                break
        tally.regions += search.regions
        if search.failing is not None:
            margin, word = search.failing
            noted(tally, ("fails", word), margin)
        elif not search.over:
            raise Late
        tally.open = tally.open or search.open
        tally.least, tally.last = min(tally.least, search.least), None
    tally.done += share


def noted(tally: RegionTally, outcome: Outcome, margin: float) -> None:
    """What one word comes to that stands for its class."""
    kind, word = outcome
    if kind == "fails":
        tally.failing.append((margin, word))
    elif kind == "open":
        tally.open = word


# --- findings -------------------------------------------------------------------------------


def held(setup: RegionSetup, tally: RegionTally, how: str) -> Finding:
    """The goal holds in every class, if no word is open."""
    if setup.cases.language.empty:
        return Empty("no word meets the conditions", METHOD)
    if tally.open is not None:
        return Stuck("a word is too close to call", how, hardest=setup.witness(tally.open))
    measured = tally.measured and not setup.cases.conditional
    if not measured or not 0 < tally.least < inf:
        return Holds(how, TRUSTED, size(setup))
    return Holds(how, TRUSTED, size(setup), tally.least)


def halted(setup: RegionSetup, tally: RegionTally, how: str, stopped: str) -> Stuck:
    """How far it came, and the region that was furthest from being decided."""
    found, search = setup.cases.language, tally.last
    left = 1 - tally.done
    reason, hardest, bound = f"{stopped} with {left:.1%} of the words open", None, None
    if search is not None and search.waiting:
        left -= search.done * search.question.language.count() / found.count()
        bound, _, region, _ = min(search.waiting, key=lambda node: node[:2])
        reason = f"{stopped} with {left:.1%} of the words open, in {len(search.waiting):,} regions"
        reason += f"; the hardest is {spelled(region, setup.obligation)}"
        hardest = setup.witness(search.hardest) if search.hardest else None
        bound = bound if abs(bound) < inf else None
    interrupted = stopped == "interrupted"
    return Stuck(reason, how, bound, hardest, hint=MORE_TIME, interrupted=interrupted)


def spelled(region: BoolArray, obligation: Obligation) -> str:
    """The letters that may stand at each position; `_` where any may."""
    values = obligation.binders[0].values
    assert isinstance(values, Words)
    parts = list[str]()
    for row in region:
        names = [values.members[k] for k in np.flatnonzero(row).tolist()]
        parts.append("_" if row.all() else " | ".join(names))
    return "[" + ", ".join(parts) + "]"


def size(setup: RegionSetup) -> Size:
    """How many words there are, where the language is all that the conditions say."""
    return Size(None if setup.cases.conditional else setup.cases.language.count())
