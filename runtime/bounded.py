"""What is asked about a number over a domain, as claims about the circuit that computes it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from circ.compiler.builder import Builder, combine, number, truth
from circ.compiler.ir import Compare, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.passes.drop_dead import copied, keep


def anywhere(question: Obligation) -> Obligation:
    """Whether any input meets the conditions."""
    b, outputs = conditions(question)
    return replace(
        question, quantifier="exists", circuit=b.circuit({**outputs, "goal": truth(b, True)})
    )


def negated(question: Obligation) -> Obligation:
    """The same question about the number with its sign turned."""
    b, outputs = conditions(question)
    goal = combine(b, (-1, value_in(question, b)))
    return replace(question, circuit=b.circuit({**outputs, "goal": goal}))


def at_most(question: Obligation, bound: Fraction) -> Obligation:
    """The claim that the number exceeds no bound."""
    b, outputs = conditions(question)
    value = value_in(question, b)
    goal = b.add(Compare("<=", value, number(b, bound)))
    return replace(question, circuit=b.circuit({**outputs, "goal": goal, SHOWN: value}))


SHOWN = "show value"


def conditions(question: Obligation) -> tuple[Builder, dict[str, Wire]]:
    """A copy of the circuit, in which only the conditions are named."""
    b = Builder()
    same = copied(question.circuit, b, keep)
    return b, {name: same.outputs[name] for name in question.conditions}


def value_in(question: Obligation, b: Builder) -> Wire:
    """The number in that copy."""
    return copied(question.circuit, b, keep).outputs["goal"]
