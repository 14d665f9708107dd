"""Deciding over all words of a regular language by shortest paths, however many words there are.

A goal that compares read-outs of one attention head is, class by class, a conjunction of "this sum
over positions is positive"; the least such sum over the class is a shortest path, and the path is
the counterexample. What float64 with rounding bounded leaves open goes to exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from circ.compiler.builder import Builder, truth
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.ir import Not
from circ.compiler.obligation import Obligation, Words
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.readings.elementary import Undefined
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.compiler.words.cases import TooMany, cases
from circ.compiler.words.formula import NotClauses
from circ.compiler.words.layers import Blown
from circ.compiler.words.separable import NotSeparable
from circ.compiler.words.separated import separated
from circ.runtime.engines.classes import MORE_TIME
from circ.runtime.engines.exact import judge_of
from circ.runtime.engines.idle import emptiness, idle
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.one_class import Setup, Tally, examined
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.rivals import field_of
from circ.runtime.engines.words import members

METHOD = "shortest paths"
TRUSTED = (
    "the front end",
    "the automaton and the float reading",
    "IEEE arithmetic of numpy",
)


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """Whether every word that meets the conditions meets the goal; `Stuck` where it cannot say.

    One binder, a word. Failing words are listed class by class, the worst of each.
    """
    if len(obligation.binders) != 1 or not isinstance(obligation.binders[0].values, Words):
        return Stuck("it is not about one word", METHOD)
    until = monotonic() + limits.timeout

    def ask(question: Obligation, limits: Limits) -> Finding:
        return gone_through(set_up(question, weights, until), limits, progress)

    try:
        return complete(obligation, ask(obligation, limits), ask, replace(limits, first=True))
    except (Blown, TooMany, NotClauses, NotSeparable) as obstacle:
        return Stuck(str(obstacle), METHOD)
    except Undefined as error:
        return Stuck(f"undefined on some word: {error}", METHOD)
    except KeyboardInterrupt:
        return Stuck("interrupted", METHOD, interrupted=True)


Ask = Callable[[Obligation, Limits], Finding]


def complete(obligation: Obligation, found: Finding, ask: Ask, limits: Limits) -> Finding:
    """What was found, with what goes beyond the goal: whether conditions are met and arms reached."""

    def never(output: str) -> bool:
        return isinstance(ask(denying(obligation, output), limits), Holds)

    def empty(condition: str) -> bool:
        return not isinstance(ask(denying(obligation, None, condition), limits), Fails | Stuck)

    if isinstance(found, Empty):
        return Empty(emptiness(obligation, empty), METHOD)
    if isinstance(found, Stuck):
        return found
    if isinstance(found, Holds):
        met = ask(denying(obligation, None), limits)
        if isinstance(met, Holds):
            return Empty(emptiness(obligation, empty), METHOD)
        if isinstance(met, Stuck):
            return replace(
                met, reason=f"whether any word meets the conditions is open: {met.reason}"
            )
    return replace(found, warnings=(*found.warnings, *idle(obligation, never)))


def denying(obligation: Obligation, output: str | None, *conditions: str) -> Obligation:
    """The claim that nothing meets these conditions, or all, and, if one is named, an output."""
    b = Builder()
    same = copied(obligation.circuit, b, keep)
    required = {name: same.outputs[name] for name in conditions or obligation.conditions}
    goal = truth(b, False) if output is None else b.add(Not(same.outputs[output]))
    return replace(obligation, circuit=b.circuit({**required, "goal": goal}))


def set_up(obligation: Obligation, weights: Weights, until: float) -> Setup:
    """Make a claim ready; raises what is in the way."""
    (bound,) = obligation.binders
    circuit = narrowed(obligation.circuit, [*obligation.conditions, "goal"])
    found = cases(circuit, weights, obligation.conditions)
    split = separated(found)
    alphabet = Alphabet(members(bound), bound.type.entries, split.fixed)
    field = field_of(split, weights, found.word, alphabet)
    judgement = judge_of(obligation.circuit, weights, obligation.conditions)
    return Setup(obligation, weights, found, split, field, judgement, until)


def gone_through(setup: Setup, limits: Limits, progress: Progress) -> Finding:
    """What all classes come to, or those gone through in time."""
    formulas, language, tally = setup.cases.formulas, setup.cases.language, Tally()
    done, stopped = 0, ""
    try:
        for kind, formula in enumerate(formulas):
            examined(setup, tally, kind, language.of_class(kind), formula)
            done = kind + 1
            progress(done / len(formulas), f"{done:,} of {len(formulas):,} classes")
            if (limits.first and tally.failing) or monotonic() > setup.until:
                stopped = "" if done == len(formulas) else "time ran out"
                break
    except KeyboardInterrupt:
        stopped = "interrupted"
    how = f"{METHOD} over {tally.classes:,} classes of words"
    if tally.failing:
        return failing(setup, tally, how, stopped, whole=done == len(formulas))
    if stopped:
        reason = f"{stopped} after {done:,} of {len(formulas):,} classes of words"
        return Stuck(reason, how, hint=MORE_TIME, interrupted=stopped == "interrupted")
    return held(setup, tally, how)


def failing(setup: Setup, tally: Tally, how: str, stopped: str, *, whole: bool) -> Fails:
    """The worst word of each failing class, the worst first."""
    listed = tuple(setup.witness(word) for _, word in sorted(tally.failing.values()))
    classes = (len(listed), tally.classes) if whole and not tally.open else None
    interrupted = stopped == "interrupted"
    return Fails(how, TRUSTED, size(setup), listed[0], None, listed, (), interrupted, classes)


def held(setup: Setup, tally: Tally, how: str) -> Finding:
    """The goal holds in every class, if no word is open."""
    if setup.cases.language.empty:
        return Empty("no word meets the conditions", METHOD)
    if tally.open:
        return Stuck("a word is too close to call", how, hardest=setup.witness(tally.open[0]))
    if tally.least.word is None or not tally.measured:
        return Holds(how, TRUSTED, size(setup))
    closest = setup.witness(tuple(tally.least.word.tolist()))
    return Holds(how, TRUSTED, size(setup), tally.least.bound, closest)


def size(setup: Setup) -> Size:
    """How many words there are, where the language is all that the conditions say."""
    return Size(None if setup.cases.conditional else setup.cases.language.count())
