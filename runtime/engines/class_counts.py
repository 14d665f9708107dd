"""How many words meet a condition about a network, class by class, by shortest paths.

Classes of words all of which meet it count whole, classes none of which does count nothing, and what
is between is left open. A class is counted for each choice of letters at the fixed positions.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import inf
from time import monotonic

import numpy as np

from circ.compiler.builder import Builder, both
from circ.compiler.finding import MORE_TIME, Limits, Progress
from circ.compiler.lower.environment import deep_stack
from circ.compiler.obligation import Obligation
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.positions import places
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Counted
from circ.compiler.words.cases import formula_of, learned
from circ.runtime.engines.automata import (
    METHOD,
    TRUSTED,
    parts_in,
    set_up,
    sums_of,
)
from circ.runtime.engines.class_parts import Region, whole_class
from circ.runtime.engines.division import Division
from circ.runtime.engines.exact import judge_of
from circ.runtime.engines.margins import Least
from circ.runtime.engines.one_class import ClassTally, Setup, examined
from circ.runtime.engines.one_word import OBSTACLES, Late, denying, reason_of
from circ.runtime.engines.words import total

FEWER = "narrow the domain: where there are fewer words, they are gone through one by one"
"""What to try where classes tell nothing."""


def by_classes(
    question: Obligation, weights: Weights, limits: Limits, progress: Progress
) -> Counted:
    """How many words meet the conditions and the goal, as far as classes tell; one binder, a word.

    How many meet the conditions is not said.
    """
    until = monotonic() + limits.timeout
    with deep_stack(), np.errstate(all="ignore"):  # what overflows has infinite bounds, or none
        try:
            setup = set_up(gathered(question), weights, until)
        except OBSTACLES as obstacle:
            return nothing(question, reason_of(obstacle))
        except KeyboardInterrupt:
            return replace(nothing(question, "it was interrupted"), hint="", interrupted=True)
        return gone_through(setup, progress)


def nothing(question: Obligation, reason: str) -> Counted:
    """None of the words was counted."""
    return Counted(0, total(question.binders), None, METHOD, TRUSTED, reason, FEWER)


def gathered(question: Obligation) -> Obligation:
    """The same count with those conditions that are about the network in the goal."""
    (word,) = question.circuit.inputs.values()
    asked = [question.circuit.outputs[name] for name in question.conditions]
    network = learned(question.circuit, places(question.circuit, asked, word))
    plain = [name for name in question.conditions if question.circuit.outputs[name] not in network]
    b = Builder()
    same = copied(question.circuit, b, keep).outputs
    weighed = [same[name] for name in question.conditions if name not in plain]
    goal = both(b, *weighed, same["goal"]) if weighed else same["goal"]
    return replace(question, circuit=b.circuit({**{n: same[n] for n in plain}, "goal": goal}))


# --- what is proved of a class ------------------------------------------------------------------


def proved(setup: Setup, words: Region) -> BoolArray:
    """Under which fixings the goal is proved of all words of a region. Raises `Late`."""
    fixings = words.paths.fixings
    held = np.ones(fixings.size, np.bool_)
    try:
        for part, formula in parts_in(setup, words.kind, words.language, words.paths):
            tally = ClassTally(least=Least(-inf, -inf))  # no margin is asked for
            examined(setup, tally, part, formula)
            unproved = {fixing for _, fixing in (*tally.failing, *tally.doubtful)}
            held &= ~np.isin(fixings, list(unproved))
    except OBSTACLES:
        return np.zeros(fixings.size, np.bool_)
    return held


def denied(setup: Setup) -> Setup | None:
    """The same classes, with the denial of the goal to be proved; None where that has no form."""
    question = denying(setup.obligation, "goal")
    options = tuple(
        tuple((wire, not wanted) for wire, wanted in each) for each in setup.cases.options
    )
    assert all(len(each) == 1 for each in options), "the conditions are in the goal"
    found = replace(setup.cases, options=options)
    judgement = judge_of(question.circuit, setup.weights, question.conditions)
    other = replace(setup, obligation=question, cases=found, judgement=judgement)
    if setup.sums is None:
        return other
    try:
        formulas = tuple(formula_of(found.circuit, each) for each in options)
        clauses = chain(*formulas)
        sums = sums_of(found.circuit, setup.weights, found.word, setup.alphabet, clauses)
    except OBSTACLES:
        return None
    return replace(other, formulas=formulas, sums=sums)


# --- all of them ------------------------------------------------------------------------------


def gone_through(setup: Setup, progress: Progress) -> Counted:
    """All classes, or those gone through in time; then what is open of them in parts."""
    found, kinds = Division.of(setup, denied(setup), proved), len(setup.cases.options)
    done, stopped = 0, ""
    try:
        for kind in range(kinds):
            setup.require_time()
            words = whole_class(setup.cases.language, setup.alphabet, kind)
            found.add(words, proved(setup, words))
            done = kind + 1
            progress(done / kinds, f"{done:,} of {kinds:,} classes")
        while found.goes_on():
            setup.require_time()
            found.divide()
            progress(1.0, f"{found.parts:,} parts of classes")
    except Late:
        stopped = "time ran out"
    except KeyboardInterrupt:
        stopped = "it was interrupted"
    reach = (
        f"{done:,} of {kinds:,} classes" if done < kinds else f"{found.parts:,} parts of classes"
    )
    why = f"{stopped} after {reach}" if stopped else ""
    size = setup.cases.language.count()
    return Counted(
        low=found.surely,
        high=size - found.never,
        size=None,
        method=f"{METHOD} over {kinds:,} classes of words{found.told}",
        trusted=TRUSTED,
        reason="; ".join(x for x in (found.reason, why) if x),
        hint=MORE_TIME if stopped == "time ran out" else "",
        interrupted=stopped == "it was interrupted",
    )
