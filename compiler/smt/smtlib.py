"""An obligation as one SMT-LIB 2 file, which any SMT solver answers."""

from __future__ import annotations

from collections.abc import Iterator

from circ.compiler.obligation import Obligation
from circ.compiler.smt.encode import encode
from circ.compiler.smt.encoding import Encoding
from circ.compiler.smt.formula import Assert, negation
from circ.compiler.smt.text import command_text, comment
from circ.compiler.tensor import Weights


def to_smt2(obligation: Obligation, weights: Weights) -> str:
    """An obligation as a script; raises `Unsupported` where it needs a transcendental function.

    The answer `unsat` says that no input meets the conditions and misses the goal; for `exists`,
    that none meets both.
    """
    names = [*obligation.conditions, "goal"]
    encoding = encode(obligation.circuit, obligation.binders, weights, names)
    lines = [
        *heading(obligation),
        f"(set-logic {'QF_NRA' if encoding.multiplied else 'QF_LRA'})",
        "",
        *(command_text(command) for command in encoding.commands),
        *question(obligation, encoding),
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"


def heading(obligation: Obligation) -> Iterator[str]:
    """What is asked, in words."""
    span = obligation.span
    yield comment(f"{obligation.name} ({span.place})")
    yield from map(comment, span.text.splitlines())
    match obligation.quantifier:
        case "forall":
            yield "; unsat: proved, if some input meets the conditions at all"
            yield "; sat: refuted, and the model is a counterexample"
        case "exists":
            yield "; sat: proved, and the model is a witness"
            yield "; unsat: refuted, if some input meets the conditions at all"


def question(obligation: Obligation, encoding: Encoding) -> Iterator[str]:
    """The assertions that make the answer one about the claim."""
    for formula in encoding.agreements():
        yield command_text(Assert(formula, "equal scores, equal choice"))
    for name in obligation.conditions:
        yield command_text(Assert(encoding.truth(name), f"condition: {name}"))
    goal = encoding.truth("goal")
    match obligation.quantifier:
        case "forall":
            yield command_text(Assert(negation(goal), "not the goal"))
        case "exists":
            yield command_text(Assert(goal, "the goal"))
