"""A claim with lemmas, as engines are asked about it: where they hold, it has to.

What is assumed stands in the goal and not among the conditions. So it takes no input out of the domain, and a claim
about nothing stays one about nothing, whatever a lemma says.
"""

from __future__ import annotations

from dataclasses import replace

from circ.compiler.builder import Builder, implies
from circ.compiler.obligation import Obligation
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.verdict import Example, Refuted, Unknown, Verdict

ASSUMED = "assumed"
"""The output that says what the lemmas of a claim say."""


def aided(obligation: Obligation) -> Obligation:
    """The question whether the goal holds wherever what is assumed does; itself where nothing is."""
    if ASSUMED not in obligation.circuit.outputs:
        return obligation
    b = Builder()
    outputs = dict(copied(obligation.circuit, b, keep).outputs)
    outputs["goal"] = implies(b, outputs.pop(ASSUMED), outputs["goal"])
    return replace(obligation, circuit=b.circuit(outputs))


def with_lemmas_met(verdict: Verdict, question: Obligation, weights: Weights) -> Verdict:
    """The verdict on a question, unless its input denies what is assumed.

    What is assumed are claims that were proved: an input at which one fails says that some proof is at fault.
    """
    match verdict:
        case Refuted(example=Example(witness=witness)) if ASSUMED in question.circuit.outputs:
            if not trial(aided(question), weights, witness).refutes:
                reason = "at an input that was found, a lemma that was proved is not shown to hold"
                return Unknown(reason, verdict.method, hardest=witness)
        case _:
            pass
    return verdict
