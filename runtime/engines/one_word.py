"""Asking an engine about one word: what stands in its way, and what goes beyond the goal.

Whether some word meets the conditions at all, and whether each arm is reached, are claims themselves,
which the engine that decided the goal decides as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from circ.compiler.builder import Builder, truth
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck
from circ.compiler.ir import Not
from circ.compiler.lower.environment import deep_stack
from circ.compiler.obligation import Obligation, Words
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.enclosed import NotEnclosed
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.words.cases import TooMany
from circ.compiler.words.formula import NotClauses
from circ.compiler.words.layers import Blown
from circ.compiler.words.separable import NotSeparable
from circ.runtime.engines.idle import emptiness, idle

OBSTACLES = (Blown, TooMany, NotClauses, NotSeparable, NotEnclosed, Undefined)
"""What may stand in the way of an engine; each says what it is."""


class Late(Exception):
    """The time was up before all was decided."""


Ask = Callable[[Obligation, Limits], Finding]
"""What an engine finds; it may raise an obstacle, or be interrupted."""


def decided(
    obligation: Obligation, weights: Weights, limits: Limits, method: str, ask: Ask
) -> Finding:
    """What an engine finds of a claim about one word, and of what goes beyond its goal.

    `Stuck`, by this method, where something is in its way.
    """
    if len(obligation.binders) != 1 or not isinstance(obligation.binders[0].values, Words):
        return Stuck("it is not about one word", method)

    def asked(question: Obligation, limits: Limits) -> Finding:
        try:
            return ask(question, limits)
        except OBSTACLES as obstacle:
            return Stuck(reason_of(obstacle), method)
        except KeyboardInterrupt:
            return Stuck("interrupted", method, interrupted=True)

    with deep_stack(), np.errstate(all="ignore"):  # what overflows has infinite bounds, or none
        return complete(obligation, weights, asked(obligation, limits), asked)


def reason_of(obstacle: Exception) -> str:
    """What is in the way, in words."""
    return (
        f"undefined on some word: {obstacle}" if isinstance(obstacle, Undefined) else str(obstacle)
    )


def complete(obligation: Obligation, weights: Weights, found: Finding, ask: Ask) -> Finding:
    """What was found, with what goes beyond the goal: whether conditions are met and arms reached.

    That a word meets conditions on the network is believed of no word that was not replayed.
    """
    limits = Limits(first=True)

    def never(output: str) -> bool:
        return isinstance(ask(denying(obligation, output), limits), Holds)

    def empty(condition: str) -> bool:
        return not isinstance(ask(denying(obligation, None, condition), limits), Fails | Stuck)

    if isinstance(found, Empty):
        return Empty(emptiness(obligation, empty), found.method)
    if isinstance(found, Stuck):
        return found
    if isinstance(found, Holds) and found.size.exact is None:
        unmet = denying(obligation, None)
        met = ask(unmet, limits)
        if isinstance(met, Holds):
            return Empty(emptiness(obligation, empty), found.method)
        if not (isinstance(met, Fails) and trial(unmet, weights, met.witness).refutes):
            return Stuck("whether any word meets the conditions is open", found.method)
    return replace(found, warnings=(*found.warnings, *idle(obligation, never)))


def denying(obligation: Obligation, output: str | None, *conditions: str) -> Obligation:
    """The claim that nothing meets these conditions, or all, and, if one is named, an output."""
    b = Builder()
    same = copied(obligation.circuit, b, keep)
    required = {name: same.outputs[name] for name in conditions or obligation.conditions}
    goal = truth(b, False) if output is None else b.add(Not(same.outputs[output]))
    return replace(obligation, circuit=b.circuit({**required, "goal": goal}))
