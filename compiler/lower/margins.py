"""`margin(P)`: the signed slack of a truth as a number, positive where it holds."""

from __future__ import annotations

from circ.compiler.builder import Builder, combine, flatten, largest, reindex
from circ.compiler.ir import Argmax, Compare, Const, Wire
from circ.compiler.lower.environment import Environment
from circ.compiler.margin import slack
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import no_margin
from circ.lang.syntax import Expr


def lower_margin(truth: Expr, env: Environment) -> Wire:
    """The slack of a comparison of reals, of `argmax(x) == k`, or of truths made of such.

    Raises `CircError` where it has none: members and positions are the same or not, and never nearly so.
    """
    found = margin_of(env.b, env.wire(truth))
    if found is None:
        raise CircError(no_margin(truth.span))
    return found


def margin_of(b: Builder, truth: Wire) -> Wire | None:
    """The slack of a truth, where it has one."""
    return slack(b, truth, above_rivals)


def above_rivals(b: Builder, wire: Wire) -> Wire | None:
    """For `argmax(x) == k`, how far the score of k is above the largest of the others."""
    match b.ops[wire]:
        case Compare(op="==", left=left, right=right):
            for chosen, known in ((left, right), (right, left)):
                match b.ops[chosen], b.ops[known]:
                    case Argmax(operand=scores), Const(values=(code,)) if len(b.shape(scores)) == 1:
                        return lead(b, scores, int(code))
                    case _:
                        pass
            return None
        case _:
            return None


def lead(b: Builder, scores: Wire, code: int) -> Wire | None:
    """One score less the largest of the others, of which there is at least one."""
    width = b.types[scores].entries
    if width < 2:
        return None
    mine = reindex(b, [flatten(b, scores)], (code,), ())
    others = [k for k in range(width) if k != code]
    return combine(b, (1, mine), (-1, largest(b, reindex(b, [scores], others, (width - 1,)))))
