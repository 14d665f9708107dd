"""Whether no input meets the conditions of a claim, which needs no certificate."""

from __future__ import annotations

from dataclasses import replace

from circ.compiler.audit.bound import asked
from circ.compiler.audit.divided import divided
from circ.compiler.audit.inputs import Fast, gone_through
from circ.compiler.audit.rejected import Rejected
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights


def none_meets(obligation: Obligation, weights: Weights, fast: Fast | None = None) -> bool:
    """Whether it is certain that no input does; raises `Rejected` where that is not found out.

    What `fast` is sure of is not looked at again in whole numbers.
    """
    try:
        return divided(obligation, weights).language.count() == 0
    except Rejected:
        claim = asked(obligation, weights)
        if not claim.conditions:
            return False
        return gone_through(replace(claim, goal=claim.conditions[0]), weights, fast) == 0
